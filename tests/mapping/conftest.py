"""Known fields, a small mapping, and records to make documents of."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from mapping.compiler import load
from mapping.drafting import Given, Setting
from mapping.rules import Mapping
from mapping.yaml12 import read
from tieout.model.record import Record
from tieout.model.ref import Ref, Version

ROOT = Path(__file__).parents[2]
INVOICE = """\
mapping: deals
version: 3
from: hubspot.deal
to: invoice
with:
  company: deal.company
  contact: deal.contact?
  lines: deal.line_items[]
when: =deal.is_won and deal.close_date >= cutover_date
invoice:
  customer:
    match:
      - bound: =company.id
      - email: =contact.email
      - name: =company.name
    create:
      name: =company.name
      email: =contact.email
      address: {city: =company.city, country: DE}
  date: =deal.close_date
  due_date: =deal.close_date + 30
  currency: =deal.currency or books.home_currency
  memo: =join(" ", "Deal", deal.id)
  lines:
    for: line in lines
    when: =line.quantity != 0
    item:
      match: [{sku: =line.sku}]
      none: default
      default: Services
    quantity: =line.quantity
    unit_price: =line.price
    discount: =line.discount_percent
    tax_code: =lookup("tax", company.country)
    quickbooks: {class: =deal.pipeline}
  custom_fields: {PO: =deal.stage, Empty: null}
  quickbooks: {department: North}
tables:
  tax: {DE: S19}
checks:
  - that: =sum(lines.amount) == deal.amount
    say: =join("", "The deal says ", deal.amount, ".")
    else: block
write_back:
  deal.invoice_number: =receipt.number
  deal.invoice_balance: =books.balance
  deal.invoice_checked_at: =synced_at
"""
FIELDS = {
    "deal": {
        "name": "text", "is_won": "flag", "close_date": "date", "amount": "money",
        "currency": "text", "pipeline": "choice", "stage": "choice", "paid": "money",
        "paid_on": "date", "invoice_number": "text", "invoice_balance": "money",
        "invoice_checked_at": "instant",
    },
    "company": {"name": "text", "city": "text", "country": "text"},
    "contact": {"email": "text"},
    "owner": {"full_name": "text"},
    "line_item": {
        "sku": "text", "quantity": "number", "price": "money", "discount_percent": "number",
        "kind": "oddity",
    },
    "payment": {"amount": "money", "date": "date", "currency": "text", "status": "choice"},
}  # fmt: skip


@pytest.fixture(scope="session")
def known_fields() -> dict[str, dict[str, str]]:
    return FIELDS


@pytest.fixture(scope="session")
def hubspot_fields() -> dict[str, dict[str, str]]:
    """What HubSpot's connector says of itself."""
    facts = read(ROOT / "connectors/hubspot/hubspot.yaml").plain()
    return {
        kind: {name: field.get("type", "text") for name, field in said["fields"].items()}
        for kind, said in facts["kinds"].items()
    }


@pytest.fixture
def invoice_text() -> str:
    return INVOICE


@pytest.fixture
def compiled() -> Callable[..., Mapping]:
    """Compile the small mapping with some of its text replaced."""

    def make(*swaps: tuple[str, str], text: str = INVOICE) -> Mapping:
        for old, new in swaps:
            assert old in text, old
            text = text.replace(old, new)
        return load(text, FIELDS, name="m.yaml")

    return make


@pytest.fixture
def setting() -> Setting:
    return Setting("quickbooks:913", cutover_date=date(2026, 1, 1), home_currency="EUR")


def record(kind: str, number: str, **fields: object) -> Record:
    return Record(Ref("hubspot:1", kind, number), Version("1"), fields)


@pytest.fixture
def given() -> Callable[..., Given]:
    """A won deal of two lines; ``deal``, ``lines``, ``company`` and ``contact`` can be changed."""

    def make(
        *,
        lines: list[dict[str, object]] | None = None,
        company: tuple[Record, ...] | None = None,
        contact: tuple[Record, ...] = (),
        primary: dict[str, Ref] | None = None,
        **deal: object,
    ) -> Given:
        fields = {
            "name": "Rollout", "is_won": True, "close_date": date(2026, 3, 31),
            "amount": Decimal("1900.00"), "currency": "EUR", "pipeline": "default", **deal,
        }  # fmt: skip
        rows = lines if lines is not None else [
            {"sku": "C-1", "quantity": Decimal(10), "price": Decimal("150.00")},
            {"sku": "X-0", "quantity": Decimal(0), "price": Decimal(99)},
            {"sku": "L-9", "quantity": 1, "price": Decimal(500), "discount_percent": Decimal(20)},
        ]  # fmt: skip
        one = record("company", "31", name="Bär GmbH", city="Köln", country="DE")
        return Given(
            record("deal", "901", **fields),
            {
                "company": (one,) if company is None else company,
                "contact": contact,
                "lines": tuple(record("line_item", str(n), **row) for n, row in enumerate(rows, 1)),
            },
            primary or {},
        )

    return make


@pytest.fixture
def make_record() -> Callable[..., Record]:
    return record
