"""Bodies are checked by name and type against the vendor's own schema, where it is at hand."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from quickbooks_contract import schema_at_hand

from connectors.quickbooks.bodies import body_of
from connectors.quickbooks.facts import facts
from connectors.quickbooks.settings import Settings, TaxCode
from tieout.model.change import Create, Update, Void
from tieout.model.ref import Key, Ref, Version
from tieout.transport import dump_json, parse_json

BOOKS = "quickbooks:913"
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
CREDIT_MEMO = {name: held for name, held in INVOICE.items() if name not in ("due_date", "terms")}
APPLIED = [
    {"kind": "credit_memo", "id": "9", "amount": "1500.00"},
    {"kind": "invoice", "id": "145", "amount": "1500.00"},
]
CASES = {
    "credit memo": ("CreditMemo", Create("credit_memo", CREDIT_MEMO)),
    "credit applied": (
        "Payment",
        Create("payment", {**PAYMENT, "amount": "0", "allocations": APPLIED}),
    ),
    "invoice": ("Invoice", Create("invoice", INVOICE)),
    "payment": ("Payment", Create("payment", PAYMENT)),
    "customer": ("Customer", Create("customer", CUSTOMER)),
    "item": ("Item", Create("item", ITEM)),
    **{
        f"update of {kind}": (entity, Update(Ref(BOOKS, kind, "145"), Version("3"), values))
        for kind, entity, values in (
            ("invoice", "Invoice", INVOICE),
            ("payment", "Payment", PAYMENT),
            ("customer", "Customer", CUSTOMER),
            ("item", "Item", ITEM),
        )
    },
    "void of invoice": ("Invoice", Void(Ref(BOOKS, "invoice", "145"), Version("3"))),
    "void of payment": ("Payment", Void(Ref(BOOKS, "payment", "9"), Version("0"))),
}


@pytest.fixture(scope="module")
def schema():
    return schema_at_hand()


@pytest.mark.parametrize("case", CASES)
def test_a_body_has_only_names_and_types_of_the_schema(schema, case):
    entity, change = CASES[case]
    body = parse_json(dump_json(body_of(change, KEY, SETTINGS)))
    assert list(schema.mistakes(entity, body, entity) if schema else ()) == []


def test_every_change_that_is_claimed_is_among_them():
    claimed = {
        (kind, verb)
        for kind, can in facts().capabilities(batch=30, rates={}).kinds.items()
        for verb in can.verbs
    }
    assert {(change.kind, change.verb) for _, change in CASES.values()} == claimed


def test_the_schema_knows_the_operations_of_a_batch(schema):
    if schema is not None:
        assert {"create", "update", "void"} <= set(schema.words["OperationEnum"])
