"""What a sale must have, and what the books make of it."""

from datetime import date
from decimal import Decimal

import pytest


def test_r6_without_custom_numbers_the_books_number(books):
    customer = books.customer()

    numbers = [books.invoice(customer)["DocNumber"] for _ in range(3)]

    assert numbers == ["1001", "1002", "1003"]


def test_r6_without_custom_numbers_a_sent_number_makes_unwanted_duplicates(books):
    customer = books.customer()

    numbers = [books.invoice(customer, DocNumber="7")["DocNumber"] for _ in range(2)]

    assert numbers == ["7", "7"]


def test_r6_with_custom_numbers_ours_is_taken_or_there_is_none(open_books):
    books = open_books(custom_txn_numbers=True)
    customer = books.customer()

    assert books.invoice(customer, DocNumber="D-901")["DocNumber"] == "D-901"
    assert "DocNumber" not in books.invoice(customer)
    assert books.invoice(customer, DocNumber="AUTO_GENERATE")["DocNumber"] == "1001"


def test_r6_with_custom_numbers_a_taken_number_is_refused_and_says_by_whom(open_books):
    books = open_books(custom_txn_numbers=True)
    customer = books.customer()
    first = books.invoice(customer, DocNumber="D-901")

    answer = books.post("Invoice", books.invoice_body(customer, DocNumber="d-901"))

    assert answer.code == "6140"
    assert f"TxnId={first['Id']}" in answer.detail


def test_r2_a_document_number_has_twenty_one_characters(books):
    body = books.invoice_body(books.customer(), DocNumber="9" * 22)

    assert books.post("Invoice", body).code == "2050"


def test_r2_a_private_note_has_four_thousand_characters(books):
    customer = books.customer()
    assert books.invoice(customer, PrivateNote="x" * 4000)["PrivateNote"] == "x" * 4000

    answer = books.post("Invoice", books.invoice_body(customer, PrivateNote="x" * 4001))

    assert answer.code == "2050"


def test_r2_a_customer_memo_has_a_thousand_characters(books):
    body = books.invoice_body(books.customer(), CustomerMemo={"value": "x" * 1001})

    assert books.post("Invoice", body).code == "2050"


def test_r7_an_invoice_needs_a_customer(books):
    body = books.invoice_body(books.customer())
    del body["CustomerRef"]

    assert books.post("Invoice", body).code == "2020"


@pytest.mark.parametrize(
    "lines",
    [[], [{"DetailType": "DescriptionOnly", "Description": "words"}]],
)
def test_r7_an_invoice_needs_a_line_that_sells(books, lines):
    body = {**books.invoice_body(books.customer()), "Line": lines}

    assert books.post("Invoice", body).code == "2020"


def test_r7_an_invoice_has_at_most_750_lines(books):
    customer = books.customer()
    assert books.post("Invoice", books.invoice_body(customer, *[books.line()] * 750)).status == 200

    answer = books.post("Invoice", books.invoice_body(customer, *[books.line()] * 751))

    assert answer.code == "6000"


def test_r7_addresses_default_from_the_customer(books):
    customer = books.customer(BillAddr={"Line1": "1 Main St"}, ShipAddr={"Line1": "2 Dock Rd"})

    made = books.invoice(customer)

    assert (made["BillAddr"], made["ShipAddr"]) == ({"Line1": "1 Main St"}, {"Line1": "2 Dock Rd"})


def test_r7_to_be_emailed_an_invoice_needs_an_address(books):
    body = books.invoice_body(books.customer(), EmailStatus="NeedToSend")
    assert books.post("Invoice", body).code == "2020"

    body["BillEmail"] = {"Address": "ap@acme.example"}

    assert books.post("Invoice", body).status == 200


def test_r7_totals_are_computed_and_not_taken(books):
    made = books.invoice(
        books.customer(), books.line("70.10"), books.line("29.90"), TotalAmt=1, Balance=2
    )

    assert (made["TotalAmt"], made["Balance"]) == (Decimal("100.00"), Decimal("100.00"))


def test_r7_at_most_three_custom_fields_each_of_31_characters(open_books):
    books = open_books(custom_fields=("PO Number", "Sales Rep", "Region"))
    customer = books.customer()
    fields = [{"DefinitionId": "2", "StringValue": "x" * 31}]

    made = books.invoice(customer, CustomField=fields)

    assert made["CustomField"] == [
        {"DefinitionId": "1", "Name": "PO Number", "Type": "StringType"},
        {
            "DefinitionId": "2",
            "Name": "Sales Rep",
            "Type": "StringType",
            "StringValue": "x" * 31,
        },
        {"DefinitionId": "3", "Name": "Region", "Type": "StringType"},
    ]
    long = books.invoice_body(
        customer, CustomField=[{"DefinitionId": "1", "StringValue": "x" * 32}]
    )
    assert books.post("Invoice", long).code == "2050"
    unknown = books.invoice_body(customer, CustomField=[{"DefinitionId": "4", "StringValue": "x"}])
    assert books.post("Invoice", unknown).code == "2010"


@pytest.mark.parametrize(
    ("amount", "quantity", "price", "status"),
    [
        ("30.00", "3", "10", 200),
        ("30.01", "3", "10", 400),
        ("0.33", "1", "0.3333333", 200),
        ("0.67", "2", "0.3333333", 200),
        ("0.03", "0.5", "0.05", 200),
    ],
)
def test_r8_amount_is_quantity_times_price_rounded_half_up(books, amount, quantity, price, status):
    line = books.line(amount, Qty=Decimal(quantity), UnitPrice=Decimal(price))

    answer = books.post("Invoice", books.invoice_body(books.customer(), line))

    assert answer.status == status
    if status == 400:
        assert answer.code == "6070"


def test_r8_an_amount_is_required(books):
    line = books.line()
    del line["Amount"]

    assert books.post("Invoice", books.invoice_body(books.customer(), line)).code == "2020"


def test_r8_stock_needs_a_quantity(books):
    account = {"value": books.account("Services")}
    stock = books.create(
        "Item",
        {
            "Name": "Rock",
            "Type": "Inventory",
            "QtyOnHand": 10,
            "InvStartDate": "2026-01-01",
            "IncomeAccountRef": account,
            "AssetAccountRef": account,
            "ExpenseAccountRef": account,
        },
    )
    line = books.line(ItemRef={"value": stock["Id"]})

    assert books.post("Invoice", books.invoice_body(books.customer(), line)).code == "6520"


@pytest.mark.parametrize("amount", ["0.001", "100000000000.00"])
def test_r8_amounts_too_fine_or_too_large_are_refused(books, amount):
    body = books.invoice_body(books.customer(), books.line(amount))

    assert books.post("Invoice", body).code == "2090"


def test_r7_a_negative_total_is_refused(books):
    body = books.invoice_body(books.customer(), books.line("-1.00"))

    assert books.post("Invoice", body).code == "6000"


def test_r9_without_a_date_the_servers_day_counts_in_its_own_zone(books, clock):
    clock.advance(hours=9)  # 03:00 of the 11th in UTC is still the 10th in Los Angeles
    body = books.invoice_body(books.customer())
    del body["TxnDate"]

    assert books.create("Invoice", body)["TxnDate"] == "2026-11-10"


@pytest.mark.parametrize("day", ["2026-11-01T00:00:00Z", "01.11.2026", "2026-02-30", 20261101])
def test_r9_a_day_is_a_day(books, day):
    assert books.post("Invoice", books.invoice_body(books.customer(), TxnDate=day)).code == "2180"


def test_r9_the_due_date_follows_the_terms(books):
    net30 = {"value": books.term("Net 30")}
    customer = books.customer(SalesTermRef={"value": books.term("Net 15")})

    assert books.invoice(customer, SalesTermRef=net30)["DueDate"] == "2026-12-01"
    assert books.invoice(customer)["DueDate"] == "2026-11-16"
    assert books.invoice(customer, DueDate="2026-11-20")["DueDate"] == "2026-11-20"
    assert books.invoice(books.customer("Termless"))["DueDate"] == "2026-11-01"


def test_r9_with_revenue_recognition_each_line_needs_a_service_date(open_books):
    books = open_books(revenue_recognition=True)
    customer = books.customer()

    assert books.post("Invoice", books.invoice_body(customer)).code == "6000"
    assert books.invoice(customer, books.line(ServiceDate="2026-11-01"))["TotalAmt"] == 100


def test_r30_a_reference_to_nothing_is_2500_and_to_an_inactive_record_610(books):
    customer = books.customer()
    nowhere = books.invoice_body(customer, books.line(ItemRef={"value": "9999"}))
    assert books.post("Invoice", nowhere).code == "2500"
    assert books.post("Invoice", {**nowhere, "CustomerRef": {"value": "9999"}}).code == "2500"

    books.deed("inactivate", kind="Item", id=books.item())
    assert books.post("Invoice", books.invoice_body(customer)).code == "610"


def test_r30_an_inactive_customer_can_be_invoiced_no_more(books):
    customer = books.customer()
    body = books.invoice_body(customer)
    books.deed("inactivate", id=customer)

    assert books.post("Invoice", body).code == "610"


@pytest.mark.parametrize("code", ["6210", "6200"])
def test_r30_a_date_in_closed_books_is_refused(open_books, code):
    books = open_books(book_close_date=date(2026, 10, 31), closed_period_code=code)
    customer = books.customer()
    assert books.post("Invoice", books.invoice_body(customer, TxnDate="2026-11-01")).status == 200

    answer = books.post("Invoice", books.invoice_body(customer, TxnDate="2026-10-31"))

    assert answer.code == code
    assert "period has closed" in answer.detail


def test_r17_a_refund_needs_an_account_to_pay_from_and_owes_nothing(books):
    body = books.invoice_body(books.customer())
    assert books.post("RefundReceipt", body).code == "2020"

    made = books.create(
        "RefundReceipt", {**body, "DepositToAccountRef": {"value": books.account("Checking")}}
    )

    assert (made["TotalAmt"], made["Balance"]) == (100, 0)


def test_r6_a_number_can_be_left_to_the_books_by_its_name(open_books):
    books = open_books(custom_txn_numbers=True)

    assert books.invoice(books.customer(), DocNumber="AUTO_GENERATE")["DocNumber"] == "1001"


def test_r6_no_parameter_makes_an_invoices_number_twice(open_books):
    books = open_books(custom_txn_numbers=True)
    body = books.invoice_body(books.customer(), DocNumber="A-1")
    books.create("Invoice", body)

    assert books.post("Invoice", body, include="allowduplicatedocnum").code == "6140"


@pytest.mark.parametrize(
    "wrong",
    [
        {"EmailStatus": "Perhaps"},
        {"PrintStatus": "Later"},
        {"GlobalTaxCalculation": "TaxFree"},
        {"Line": [{"Amount": 1, "DetailType": "Anything"}]},
    ],
)
def test_q3_a_word_that_is_none_of_the_enumeration_is_refused(german_books, wrong):
    books = german_books
    body = books.invoice_body(books.customer(), books.line(tax_code="S19"))

    assert books.post("Invoice", {**body, **wrong}).code == "2170"
