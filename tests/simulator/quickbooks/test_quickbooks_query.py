"""The query language and what it may ask (R5, R10, R48)."""

import pytest


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SELECT",
        "SELECT Id FROM Invoice",
        "SELECT * FROM Nothing",
        "SELECT * FROM Invoice WHERE",
        "SELECT * FROM Invoice WHERE DocNumber = '1' OR DocNumber = '2'",
        "SELECT * FROM Invoice JOIN Customer",
        "SELECT * FROM Invoice WHERE DocNumber = 'O'Hara'",
        "SELECT * FROM Invoice WHERE DocNumber ~ '1'",
        "SELECT * FROM Invoice WHERE (DocNumber = '1')",
        "SELECT * FROM Invoice MAXRESULTS many",
        "SELECT * FROM Invoice; DROP",
    ],
)
def test_r10_what_is_no_query_is_refused(books, text):
    answer = books.query(text)

    assert (answer.status, answer.code) == (400, "4000")


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("Invoice", "PrivateNote"),
        ("Invoice", "CustomField"),
        ("Invoice", "Line"),
        ("Invoice", "EmailStatus"),
        ("Payment", "PrivateNote"),
        ("Payment", "DocNumber"),
        ("Customer", "PrimaryEmailAddr"),
        ("Customer", "Notes"),
        ("Vendor", "PrimaryEmailAddr"),
        ("Item", "Description"),
    ],
)
def test_r48_other_fields_are_not_queryable(books, kind, field):
    answer = books.query(f"SELECT * FROM {kind} WHERE {field} = 'x'")

    assert (answer.status, answer.code) == (400, "4001")
    assert f"property '{field}' is not queryable" in answer.detail


def test_r48_what_an_invoice_can_be_asked_by(books, clock):
    customer = books.customer()
    books.invoice(books.customer("Other"), books.line("7.00"))
    clock.advance(seconds=10)
    made = books.invoice(customer, DueDate="2026-12-24")

    for condition in (
        f"Id = '{made['Id']}'",
        f"DocNumber = '{made['DocNumber']}'",
        f"CustomerRef = '{customer}'",
        "TotalAmt = '100.00'",
        "TotalAmt > 99.99",
        "Balance >= '100'",
        "DueDate = '2026-12-24'",
        "TxnDate <= '2026-11-01' AND TotalAmt = '100'",
        "MetaData.CreateTime > '2026-11-10T10:00:05-08:00'",
        "MetaData.LastUpdatedTime >= '2026-11-10T18:00:10+00:00'",
        f"DocNumber IN ('nothing', '{made['DocNumber']}')",
        "DocNumber LIKE '%2'",
    ):
        found = books.rows("Invoice", f"select * from Invoice where {condition}")
        assert [one["Id"] for one in found] == [made["Id"]], condition


def test_r48_a_payment_can_be_asked_by_its_reference(books):
    made = books.pay(books.customer(), "5", {}, PaymentRefNum="W-7")

    found = books.rows("Payment", "SELECT * FROM Payment WHERE PaymentRefNum = 'W-7'")

    assert [one["Id"] for one in found] == [made["Id"]]


def test_r10_an_apostrophe_is_escaped_by_a_backslash(books):
    made = books.customer("O'Hara \\ Sons")

    found = books.rows("Customer", r"SELECT * FROM Customer WHERE DisplayName = 'O\'Hara \\ Sons'")

    assert [one["Id"] for one in found] == [made]


def test_r5_inactive_records_are_hidden_unless_active_is_asked_for(books):
    active, inactive = books.customer("Here"), books.customer("Gone")
    books.deed("inactivate", id=inactive)

    default = books.rows("Customer", "SELECT * FROM Customer")
    every = books.rows("Customer", "SELECT * FROM Customer WHERE Active IN (true, false)")
    only = books.rows("Customer", "SELECT * FROM Customer WHERE Active = false")

    assert [one["Id"] for one in default] == [active]
    assert {one["Id"] for one in every} == {active, inactive}
    assert [one["Id"] for one in only] == [inactive]


def test_q1_pages_have_a_hundred_rows_unless_told_and_a_thousand_at_most(books):
    for number in range(120):
        books.customer(f"C{number}")

    assert len(books.rows("Customer", "SELECT * FROM Customer")) == 100
    rest = books.query("SELECT * FROM Customer ORDERBY Id STARTPOSITION 101 MAXRESULTS 1000").json
    assert rest["QueryResponse"]["startPosition"] == 101
    assert rest["QueryResponse"]["maxResults"] == 20
    assert books.query("SELECT * FROM Customer MAXRESULTS 1001").code == "4001"


def test_q1_order_by_sorts_and_ids_sort_as_numbers(books):
    for number in range(12):
        books.customer(f"C{number}")

    up = books.rows("Customer", "SELECT * FROM Customer ORDERBY Id")
    down = books.rows("Customer", "SELECT * FROM Customer ORDER BY Id DESC MAXRESULTS 2")

    assert [one["Id"] for one in up] == [str(number) for number in range(1, 13)]
    assert [one["Id"] for one in down] == ["12", "11"]


def test_q1_a_count_counts(books):
    books.customer()

    answer = books.query("SELECT COUNT(*) FROM Customer").json

    assert answer["QueryResponse"] == {"totalCount": 1}


def test_q1_nothing_found_is_an_empty_object(books):
    assert books.query("SELECT * FROM Invoice").json["QueryResponse"] == {}


def test_q4_a_query_may_come_as_the_body(books):
    books.customer()

    answer = books.api("POST", "query", b"SELECT * FROM Customer")

    assert len(answer.json["QueryResponse"]["Customer"]) == 1


@pytest.mark.parametrize(
    "kind",
    [
        "Customer",
        "Vendor",
        "Employee",
        "Item",
        "Invoice",
        "Payment",
        "CreditMemo",
        "RefundReceipt",
        "TaxCode",
        "TaxRate",
        "Term",
        "Class",
        "Account",
        "PaymentMethod",
        "Department",
        "Preferences",
        "CompanyInfo",
        "CompanyCurrency",
        "ExchangeRate",
    ],
)
def test_q1_every_kind_can_be_asked(books, kind):
    assert books.query(f"SELECT * FROM {kind}").status == 200


def test_r16_the_rate_of_a_day(many_currencies):
    many_currencies.api(
        "POST",
        "exchangerate",
        {"SourceCurrencyCode": "EUR", "Rate": 2, "AsOfDate": "2026-11-05"},
    )

    rates = [
        many_currencies.api("GET", "exchangerate", sourcecurrencycode="EUR", asofdate=day).json[
            "ExchangeRate"
        ]["Rate"]
        for day in ("2026-11-04", "2026-11-05", "2026-11-06")
    ]

    assert [str(rate) for rate in rates] == ["1.09", "2", "2"]
