"""What the simulator answers has the names and types of the vendor's own schema."""

import re
import xml.etree.ElementTree as ET
from decimal import Decimal
from pathlib import Path

import pytest

SCHEMAS = Path(__file__).parents[4] / "shared" / "contracts" / "quickbooks"
XSD = "{http://www.w3.org/2001/XMLSchema}"

JSON_ONLY = {
    # developer.intuit.com/app/developer/qbo/docs/learn/rest-api-features: in JSON every object
    # says where it lives, whether it is sparse and, in a feed, whether it was deleted.
    "domain",
    "sparse",
    "status",
}
SCALARS = {
    "string": str,
    "id": str,
    "decimal": (int, Decimal),
    "int": int,
    "positiveInteger": int,
    "boolean": bool,
    "date": str,
    "dateTime": str,
}
DATE = re.compile(r"\d{4}-\d\d-\d\d")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d:\d\d")


class Schema:
    """The complex types of the vendor's files, with what they extend."""

    def __init__(self):
        self.types = {}
        self.enums = {}
        for file in sorted(SCHEMAS.glob("*.xsd")):
            root = ET.parse(file).getroot()
            for found in root.iter(f"{XSD}complexType"):
                self.types[found.get("name")] = found
            for found in root.iter(f"{XSD}simpleType"):
                words = [one.get("value") for one in found.iter(f"{XSD}enumeration")]
                self.enums[found.get("name")] = words

    def fields(self, name):
        found = {}
        for extension in self.types[name].iter(f"{XSD}extension"):
            base = extension.get("base").split(":")[-1]
            if base in self.types:
                found |= self.fields(base)
        if self.types[name].find(f"{XSD}simpleContent") is not None:
            found["value"] = "string"  # XML's text is JSON's value
        for element in self.types[name].iter(f"{XSD}element"):
            field = element.get("name") or element.get("ref").split(":")[-1]
            found[field] = (element.get("type") or field).split(":")[-1]
        return found

    def mistakes(self, name, body, path=""):
        known = self.fields(name)
        for field, value in body.items():
            place = f"{path}.{field}"
            if field in JSON_ONLY:
                continue
            if field not in known:
                yield f"{place} is not in {name}"
            else:
                for one in value if isinstance(value, list) else [value]:
                    yield from self.wrong(known[field], one, place)

    def wrong(self, kind, value, place):
        if kind == "ReferenceType":
            if not isinstance(value, dict) or not set(value) <= {"value", "name", "type"}:
                yield f"{place} is no reference"
        elif kind in SCALARS:
            if not isinstance(value, SCALARS[kind]) or (
                isinstance(value, bool) and kind != "boolean"
            ):
                yield f"{place} is no {kind}: {value!r}"
            elif kind == "date" and not DATE.fullmatch(value):
                yield f"{place} is no date: {value}"
            elif kind == "dateTime" and not INSTANT.fullmatch(value):
                yield f"{place} is no instant: {value}"
        elif kind in self.types:
            if isinstance(value, dict):
                yield from self.mistakes(kind, value, place)
            else:
                yield f"{place} is no {kind}"
        elif kind in self.enums and self.enums[kind] and value not in self.enums[kind]:
            yield f"{place} is not one of {kind}: {value}"


@pytest.fixture(scope="module")
def schema():
    return Schema() if SCHEMAS.exists() else None


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


def test_the_check_would_find_a_mistake(schema):
    if schema:
        wrong = {"Colour": "red", "TotalAmt": "1.00", "TxnDate": "today", "CustomerRef": "58"}

        assert len(list(schema.mistakes("Invoice", wrong))) == 4
