"""Bodies are checked by name and type against the vendor's own schema, where it is at hand."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from connectors.quickbooks.bodies import body_of
from connectors.quickbooks.settings import Settings, TaxCode
from tieout.model.change import Create, Update, Void
from tieout.model.ref import Key, Ref, Version
from tieout.transport import dump_json, parse_json

SCHEMAS = Path(__file__).parents[4] / "shared" / "contracts" / "quickbooks"
XS = "{http://www.w3.org/2001/XMLSchema}"
KEY = str(Key("0123456789ABCDEF", 1))
SETTINGS = Settings(
    read_at=datetime(2026, 3, 31, tzinfo=UTC),
    name="Books",
    country="GB",
    home_currency="GBP",
    multi_currency=True,
    custom_numbers=True,
    closed_through=None,
    uses_tax=True,
    automated_tax=False,
    auto_apply_credit=False,
    auto_apply_payments=False,
    version="0",
    tax_codes={"2": TaxCode("2", "20", active=True, taxable=True, rate=Decimal(20), version="0")},
)
LINE = {
    "item": "7",
    "description": "Consulting",
    "quantity": "10",
    "unit_price": "150.00",
    "amount": "1500.00",
    "tax_code": "2",
    "class": "4",
    "service_date": "2026-03-30",
}
INVOICE = {
    "customer": "58",
    "date": "2026-03-31",
    "due_date": "2026-04-30",
    "terms": "3",
    "currency": "GBP",
    "number": "R-1",
    "prices": "inclusive",
    "tax": "250.00",
    "lines": [LINE],
    "memo": "HubSpot deal 901",
    "message": "Thank you",
    "email": "ap@customer.example",
    "project": "77",
    "department": "2",
    "custom_fields": {"1": "PO-77"},
}
PAYMENT = {
    "customer": "58",
    "date": "2026-04-15",
    "currency": "GBP",
    "amount": "1500.00",
    "method": "2",
    "deposit_to": "35",
    "reference": "BACS-1",
    "memo": "HubSpot payment 4",
    "allocations": [{"kind": "invoice", "id": "145", "amount": "1500.00"}],
}
CUSTOMER = {
    "name": "Baker & Sons",
    "company_name": "Baker & Sons",
    "email": "ap@customer.example",
    "currency": "GBP",
    "phone": "+44 20 1",
    "tax_number": "GB123456789",
    "address": {
        "line1": "1 High Street",
        "line2": "Floor 2",
        "city": "Leeds",
        "region": "Yorkshire",
        "postal_code": "LS1",
        "country": "GB",
    },
    "terms": "3",
    "parent": "9",
    "notes": "From HubSpot",
}
ITEM = {
    "name": "Consulting",
    "sku": "C-1",
    "description": "By the hour",
    "type": "non_inventory",
    "income_account": "5",
    "unit_price": "150.00",
    "taxable": True,
}
CASES = {
    "invoice": ("Invoice", Create("invoice", INVOICE)),
    "payment": ("Payment", Create("payment", PAYMENT)),
    "customer": ("Customer", Create("customer", CUSTOMER)),
    "item": ("Item", Create("item", ITEM)),
    "update": (
        "Invoice",
        Update(Ref("quickbooks:913", "invoice", "145"), Version("3"), INVOICE),
    ),
    "void": ("Invoice", Void(Ref("quickbooks:913", "invoice", "145"), Version("3"))),
    "void of a payment": ("Payment", Void(Ref("quickbooks:913", "payment", "9"), Version("0"))),
}


class Schema:
    """The vendor's types: names of fields with their types, and the words of enumerations."""

    def __init__(self):
        self.types = {}
        self.words = {}
        for path in sorted(SCHEMAS.glob("*.xsd")):
            root = ET.parse(path).getroot()
            for named in root.findall(f"{XS}complexType"):
                self.types[named.get("name")] = named
            for named in root.findall(f"{XS}simpleType"):
                words = [word.get("value") for word in named.iter(f"{XS}enumeration")]
                self.words[named.get("name")] = words

    def fields(self, type_name):
        """Return the fields of a type, those of its bases too: name -> (type, is a list)."""
        named = self.types[type_name]
        extension = named.find(f".//{XS}extension")
        base = None if extension is None else extension.get("base")
        found = dict(self.fields(base)) if base in self.types else {}
        for element in named.iter(f"{XS}element"):
            if element.get("name"):
                many = element.get("maxOccurs") == "unbounded"
                found[element.get("name")] = (element.get("type"), many)
        for attribute in named.iter(f"{XS}attribute"):
            found[attribute.get("name")] = (attribute.get("type"), False)
        if base and base not in self.types:
            found["value"] = (base, False)
        return found

    def check(self, type_name, body, where):
        """Fail where a name is unknown or a value is of another type."""
        fields = self.fields(type_name)
        for name, value in body.items():
            assert name in fields, f"{where}.{name} is not in the schema"
            field_type, many = fields[name]
            assert isinstance(value, list) == many, f"{where}.{name}"
            for one in value if many else [value]:
                self.check_value(field_type, one, f"{where}.{name}")

    def check_value(self, field_type, value, where):
        if field_type in self.types:
            assert isinstance(value, dict), where
            self.check(field_type, value, where)
        elif self.words.get(field_type):
            assert value in self.words[field_type], f"{where}: {value}"
        elif field_type == "xs:decimal":
            assert isinstance(value, Decimal | int), where
            assert not isinstance(value, bool), where
        elif field_type in ("xs:integer", "xs:positiveInteger", "xs:int"):
            assert isinstance(value, int), where
        elif field_type == "xs:boolean":
            assert isinstance(value, bool), where
        elif field_type == "xs:date":
            assert re.fullmatch(r"\d{4}-\d\d-\d\d", value), where
        else:
            assert isinstance(value, str), f"{where} is {field_type}"


@pytest.fixture(scope="module")
def schema():
    return Schema() if SCHEMAS.is_dir() else None


@pytest.mark.parametrize("case", CASES)
def test_a_body_has_only_names_and_types_of_the_schema(schema, case):
    entity, change = CASES[case]
    body = parse_json(dump_json(body_of(change, KEY, SETTINGS)))
    if schema is not None:
        schema.check(entity, body, entity)


def test_the_schema_knows_the_operations_of_a_batch(schema):
    if schema is not None:
        assert {"create", "update", "void"} <= set(schema.words["OperationEnum"])
