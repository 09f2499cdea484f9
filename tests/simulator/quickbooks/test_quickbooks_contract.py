"""What the simulator answers has the names and types of the vendor's own schema."""

import pytest
from quickbooks_contract import schema_at_hand
from recording import listen


@pytest.fixture(scope="module")
def schema():
    return schema_at_hand()


def furnish(books):
    """Let there be one of each kind, with everything that it can have."""
    us = books.company.is_us()
    code = "TAX" if us else "S19"
    customer = books.customer(
        GivenName="Ada",
        CompanyName="Acme",
        PrimaryEmailAddr={"Address": "ap@acme.example"},
        PrimaryPhone={"FreeFormNumber": "555"},
        BillAddr={"Line1": "1 Main St", "City": "Oslo"},
        Notes="n",
        SalesTermRef={"value": books.term("Net 30")},
    )
    books.create("Vendor", {"DisplayName": "A vendor"})
    books.create("Employee", {"DisplayName": "An employee"})
    books.create("Department", {"Name": "North"})
    line = books.line("30.00", code, Qty=3, UnitPrice=10, ServiceDate="2026-11-01")
    line["Description"] = "words"
    discount = {
        "DetailType": "DiscountLineDetail",
        "DiscountLineDetail": {"PercentBased": True, "DiscountPercent": 10},
    }
    more = {
        "PrivateNote": "note",
        "CustomerMemo": {"value": "memo"},
        "BillEmail": {"Address": "ap@acme.example"},
        "CustomField": [{"DefinitionId": "1", "StringValue": "PO"}],
        "ClassRef": {"value": "1"},
    }
    invoice = books.invoice(customer, line, discount, **more)
    books.pay(
        customer,
        "10.00",
        {invoice["Id"]: "5.00"},
        PaymentRefNum="7",
        PaymentMethodRef={"value": "1"},
    )
    body = books.invoice_body(customer, line, **more)
    books.create("CreditMemo", body)
    account = {"value": books.account("Checking")}
    books.create("RefundReceipt", {**body, "DepositToAccountRef": account})


@pytest.mark.parametrize(
    "settings",
    [
        {"multicurrency": True},
        {"country": "DE", "home_currency": "EUR", "utc_offset_hours": 1},
    ],
)
def test_q3_every_answer_has_the_schemas_names_and_types(open_books, schema, settings):
    books = open_books(**settings)
    furnish(books)
    mistakes = []
    for kind in (*books.company.tables, "Preferences", "CompanyInfo", "ExchangeRate"):
        for found in books.rows(kind, f"SELECT * FROM {kind}"):
            mistakes += schema.mistakes(kind, found, kind) if schema else []

    assert mistakes == []


def test_q3_every_exchange_has_the_schemas_names_types_and_words(open_books, schema):
    """Feeds, batches, refusals and deletions as well as records."""
    books = open_books(multicurrency=True)
    heard = []
    listen(books.app, heard)
    furnish(books)
    customer, since = books.customer("Beta"), "2026-11-01T00:00:00Z"
    made = books.invoice(customer)
    present = {"Id": made["Id"], "SyncToken": "0"}
    item = {"bId": "1", "operation": "void", "Invoice": present}
    books.batch([item, {"bId": "2", "Query": "SELECT * FROM Item"}, {**item, "bId": "3"}])
    paid = books.pay(customer, "5.00", {})
    books.post("Payment", {"Id": paid["Id"], "SyncToken": "0"}, operation="delete")
    books.api("GET", "cdc", entities="Invoice,Payment,Customer,Term", changedSince=since)
    books.query("SELECT COUNT(*) FROM Invoice")
    books.query("SELECT * FROM Vendor WHERE Notes = 'x'")
    books.api("GET", "exchangerate", sourcecurrencycode="EUR")
    books.api("GET", "companyinfo/9130")
    books.post("Invoice", {**present, "CustomerRef": {"value": "404"}})

    assert {one.status for one in heard} == {200, 400}
    assert sorted(found for one in heard for found in schema_finds(schema, one)) == []


def schema_finds(schema, heard):
    return schema.wrong_exchange(heard) if schema else ()


def test_the_check_would_find_a_mistake(schema):
    if schema:
        wrong = {"Colour": "red", "TotalAmt": "1.00", "TxnDate": "today", "CustomerRef": "58"}

        assert len(list(schema.mistakes("Invoice", wrong, "Invoice"))) == 4
