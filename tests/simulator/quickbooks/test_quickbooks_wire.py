"""The wire: limits, the change feed, and what the company says of itself."""

import asyncio

import pytest

from tieout.simulator.quickbooks import (
    Limits,
)


def test_r23_more_than_so_many_a_minute_are_refused_in_both_spellings(open_books):
    books = open_books({"limits": Limits(per_minute=3, per_second=None)})

    answers = [books.query("SELECT * FROM Term") for _ in range(5)]

    assert [answer.status for answer in answers] == [200, 200, 200, 429, 429]
    assert ["Fault" in answer.json for answer in answers[3:]] == [True, False]
    assert {answer.code for answer in answers[3:]} == {"3001"}
    assert books.truth()["throttled"] == 2


@pytest.mark.parametrize(("spelling", "key"), [("Fault", "Fault"), ("fault", "fault")])
def test_r23_the_spelling_can_be_fixed_and_the_wait_told(open_books, spelling, key):
    limits = Limits(per_second=1, spelling=spelling, retry_after=True)
    books = open_books({"limits": limits})

    answers = [books.query("SELECT * FROM Term") for _ in range(2)]

    assert key in answers[1].json
    assert answers[1].headers["retry-after"] == "1"


def test_r23_at_most_so_many_at_once(open_books):
    limits = Limits(per_second=None, at_once=2)
    books = open_books({"limits": limits, "latency_secs": 0.02})

    async def three():
        path = f"/v3/company/{books.company.realm_id}/preferences"
        return await asyncio.gather(*[books.ask_async("GET", path) for _ in range(3)])

    statuses = [answer.status for answer in asyncio.run(three())]

    assert sorted(statuses) == [200, 200, 429]


def test_r23_a_scaled_minute_is_shorter(open_books, clock):
    limits = Limits(per_minute=1, per_second=None, time_scale=30)
    books = open_books({"limits": limits})
    assert [books.query("SELECT * FROM Term").status for _ in range(2)] == [200, 429]

    clock.advance(seconds=2)

    assert books.query("SELECT * FROM Term").status == 200


def feed(books, entities, since):
    answer = books.api("GET", "cdc", entities=entities, changedSince=since)
    assert answer.status == 200, answer.body
    return answer.json["CDCResponse"][0]["QueryResponse"]


def test_r24_the_feed_tells_what_changed_of_many_kinds(books, clock):
    customer = books.customer()
    old = books.invoice(customer)
    clock.advance(minutes=5)
    new = books.invoice(customer)
    payment = books.pay(customer, "10.00", {new["Id"]: "10.00"})

    invoices, payments, customers = feed(
        books, "Invoice,Payment,Customer", "2026-11-10T10:01:00-08:00"
    )

    assert [one["Id"] for one in invoices["Invoice"]] == [new["Id"]]
    assert invoices["Invoice"][0]["Balance"] == 90
    assert [one["Id"] for one in payments["Payment"]] == [payment["Id"]]
    assert customers == {}
    assert old["Id"] != new["Id"]


def test_r50_a_deleted_payment_is_a_bare_id_in_the_feed(books, clock):
    customer = books.customer()
    invoice = books.invoice(customer)
    payment = books.pay(customer, "10.00", {invoice["Id"]: "10.00"})
    clock.advance(minutes=1)
    books.deed("delete", kind="Payment", id=payment["Id"])

    invoices, payments = feed(books, "Invoice,Payment", "2026-11-10T18:00:30+00:00")

    assert payments["Payment"] == [
        {
            "domain": "QBO",
            "status": "Deleted",
            "Id": payment["Id"],
            "MetaData": {"LastUpdatedTime": "2026-11-10T10:01:00-08:00"},
        }
    ]
    assert invoices["Invoice"][0]["Balance"] == 100


@pytest.mark.parametrize("kind", ["TaxCode", "TaxRate", "TaxAgency", "TimeActivity", "JournalCode"])
def test_r24_some_kinds_are_not_fed(books, kind):
    answer = books.api("GET", "cdc", entities=kind, changedSince="2026-11-10")

    assert (answer.status, answer.code) == (400, "500")


def test_r24_the_feed_reaches_thirty_days_back(books):
    answer = books.api("GET", "cdc", entities="Invoice", changedSince="2026-10-10T00:00:00Z")

    assert (answer.status, answer.code) == (400, "4001")


@pytest.mark.parametrize(
    ("truncation", "customers", "invoices"),
    [
        ("oldest", ["2"], [str(number) for number in range(1, 1000)]),
        ("newest", ["1"], [str(number) for number in range(2, 1001)]),
        ("by_kind", [], [str(number) for number in range(1, 1001)]),
    ],
)
def test_r24_a_full_feed_keeps_a_thousand_objects_over_all_kinds(
    open_books, clock, truncation, customers, invoices
):
    books = open_books(cdc_truncation=truncation, replay_memory=0)
    books.customer("First")
    second = books.customer("Second")
    clock.advance(seconds=1)
    for number in range(1000):
        if number == 999:
            clock.advance(seconds=1)
            books.deed("edit", kind="Customer", id="1", changes={"Notes": "late"})
        books.deed("create_invoice", customer=second, lines=[{"item": books.item(), "amount": "1"}])

    found = feed(books, "Invoice,Customer", "2026-11-10T18:00:00Z")

    assert [one["Id"] for one in found[0].get("Invoice", [])] == invoices
    assert [one["Id"] for one in found[1].get("Customer", [])] == customers


def test_r51_the_feeds_time_is_the_servers_clock(books, clock):
    clock.advance(seconds=7)

    answer = books.api("GET", "cdc", entities="Invoice", changedSince="2026-11-10")

    assert answer.json["time"] == "2026-11-10T10:00:07.000-08:00"


def test_r18_preferences_tell_how_documents_are_written(open_books):
    books = open_books(multicurrency=True, custom_txn_numbers=True, auto_apply_credit=True)
    books.deed("close_books", until="2026-10-31")

    found = books.api("GET", "preferences").json["Preferences"]

    assert found["CurrencyPrefs"]["MultiCurrencyEnabled"] is True
    assert found["SalesFormsPrefs"]["CustomTxnNumbers"] is True
    assert found["SalesFormsPrefs"]["AutoApplyCredit"] is True
    assert found["AccountingInfoPrefs"]["BookCloseDate"] == "2026-10-31"
    assert found["TaxPrefs"]["PartnerTaxEnabled"] is True
    names = found["SalesFormsPrefs"]["CustomField"][1]["CustomField"]
    assert [(one["Name"], one["StringValue"]) for one in names] == [
        ("SalesFormsPrefs.SalesCustomName1", "PO Number")
    ]


def test_r14_company_info_tells_the_country(german_books):
    answer = german_books.api("GET", f"companyinfo/{german_books.company.realm_id}")

    assert answer.json["CompanyInfo"]["Country"] == "DE"


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
def test_q3_a_body_that_is_no_object_is_refused(books, body):
    assert books.post("Invoice", body).code == "2010"


def test_q3_an_unknown_object_is_refused(books):
    assert books.post("Dragon", {}).code == "500"


def test_r27_an_older_minor_version_is_answered_as_the_floor(books):
    def asked(**version):
        return books.api("GET", "query", query="SELECT * FROM Item", **version).body

    assert asked(minorversion="4") == asked(minorversion="75") == asked()


def test_r28_reads_are_counted_by_the_month_and_then_blocked_and_writes_are_free(open_books, clock):
    books = open_books({"limits": Limits(per_second=None, reads_per_month=4)})
    two_queries = {
        "BatchItemRequest": [{"bId": f"{n}", "Query": "SELECT * FROM Term"} for n in range(2)]
    }
    assert books.query("SELECT * FROM Term").status == 200
    assert books.api("GET", "preferences").status == 200
    assert books.api("POST", "batch", two_queries).status == 200

    blocked = [books.query("SELECT * FROM Term"), books.api("GET", "preferences")]
    written = books.post("Customer", {"DisplayName": "Acme"})
    clock.advance(days=25)

    assert [answer.status for answer in blocked] == [429, 429]
    assert written.status == 200
    assert books.query("SELECT * FROM Term").status == 200


def test_r30_a_lapsed_subscription_can_be_read_and_not_written(books):
    books.deed("change_preference", name="access", value="lapsed")

    assert books.query("SELECT * FROM Customer").status == 200
    answer = books.post("Customer", {"DisplayName": "Acme"})
    assert (answer.status, answer.code) == (400, "6190")


def test_r30_a_user_without_access_sees_nothing(books):
    books.deed("change_preference", name="access", value="none")

    answer = books.query("SELECT * FROM Customer")
    assert (answer.status, answer.code) == (403, "120")


@pytest.mark.parametrize(
    ("path", "said", "status"),
    [
        ("customer", "application/json; charset=utf-8", 200),
        ("customer", "application/text", 415),
        ("customer", None, 415),
        ("query", "application/text", 200),
        ("query", "application/json", 415),
        ("batch", "application/x-www-form-urlencoded", 415),
    ],
)
def test_q4_a_body_says_what_it_is(books, path, said, status):
    """A status that no page of the vendor's names: 415."""
    headers = {"authorization": "Bearer a-token", **({"content-type": said} if said else {})}
    body = b"SELECT * FROM Term" if path == "query" else {"DisplayName": "Acme"}

    answer = books.ask("POST", f"/v3/company/9130/{path}", body, headers=headers)

    assert answer.status == status


def test_q7_an_invoice_is_printed_anew_each_time(books):
    one = books.create("Invoice", books.invoice_body(books.customer()))["Id"]
    first, second = (books.api("GET", f"invoice/{one}/pdf") for _ in range(2))
    assert (first.status, first.headers["content-type"]) == (200, "application/pdf")
    assert first.body.startswith(b"%PDF-")
    assert first.body != second.body
    assert books.api("GET", "invoice/999/pdf").code == "610"
