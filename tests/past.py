"""Books with a past: invoices that people made by hand, with deals and without, and the truth of it.

``make_past`` writes both sides as a company leaves them that has invoiced by hand until today. What
it returns says which invoice is which deal's: the judge of every report.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from simulated_world import World, buy, seller

FIRST_DAY = date(2026, 1, 12)
DEALS_A_COMPANY = 4
TYPED_WRONG = Decimal(10)
HABITS = (  # how twenty invoices in a row were written
    *("order",) * 11,  # with the customer's order number, some days later
    *("plain",) * 5,  # without: customer, amount and day tell
    "mistyped",  # with the order number, 10.00 too low
    "late",  # without, and weeks later
    *("same",) * 2,  # two of one customer and one amount, two days apart
)
BUYERS = (("DE", "EUR", "S19"), ("NO", "NOK", "Z"), ("US", "USD", "Z"))


@dataclass
class Past:
    """What is really so.

    Attributes:
        invoice_of: the invoice that was made for a deal, by the deal.
        habits: how it was written, by the deal.
        deals: deals that nobody has invoiced.
        invoices: invoices that no deal is behind.
    """

    invoice_of: dict[str, str] = field(default_factory=dict)
    habits: dict[str, str] = field(default_factory=dict)
    deals: list[str] = field(default_factory=list)
    invoices: list[str] = field(default_factory=list)

    def written(self) -> Mapping[str, int]:
        """Return how many invoices were written in which way."""
        return Counter(self.habits.values())


@dataclass
class _Pen:
    """Writes deals and invoices for buyers that both sides know."""

    world: World
    sell: Callable[..., str]
    buyers: dict[int, tuple[str, str]] = field(default_factory=dict)

    def buyer(self, n: int) -> tuple[str, str]:
        """Return a company of the CRM and its customer in the books."""
        if n not in self.buyers:
            country, currency, _ = BUYERS[n % len(BUYERS)]
            name = f"Kunde {n} GmbH"
            body = {"DisplayName": name, "CurrencyRef": {"value": currency}}
            customer = self.world.books("create", kind="Customer", body=body)["Id"]
            self.buyers[n] = buy(self.world, name, country), customer
        return self.buyers[n]

    def deal(self, n: int, of: int, net: Decimal, day: date) -> str:
        """Let a deal be won."""
        return self.sell(
            company=self.buyer(of)[0],
            price=str(net),
            quantity="1",
            deal_currency_code=BUYERS[of % len(BUYERS)][1],
            closedate=f"{day.isoformat()}T10:00:00Z",
            po_number=f"PO-{n:04d}",
        )

    def invoice(self, of: int, net: Decimal, day: date, po_number: str | None = None) -> str:
        """Let an accountant write an invoice."""
        codes = {one["name"]: one["id"] for one in self.world.books_truth()["tax_codes"]}
        line = {"item": "1", "amount": str(net), "tax_code": codes[BUYERS[of % len(BUYERS)][2]]}
        made: Any = self.world.books(
            "create_invoice",
            customer=self.buyer(of)[1],
            lines=[line],
            po_number=po_number,
            day=day.isoformat(),
        )
        return str(made["Id"])


def make_past(
    world: World, *, invoices: int, without_deal: int, deals_without_invoice: int
) -> Past:
    """Write both sides: so many invoices by hand, some of them without a deal; and deals without."""
    past, pen = Past(), _Pen(world, seller(world))
    for n, habit in zip(range(invoices - without_deal), itertools.cycle(HABITS), strict=False):
        deal, invoice = _sale(pen, n, habit)
        past.invoice_of[deal], past.habits[deal] = invoice, habit
    for n, net in zip(range(deals_without_invoice), _amounts(5000), strict=False):
        past.deals.append(pen.deal(5000 + n, n, net, FIRST_DAY + timedelta(days=n)))
    for n, net in zip(range(without_deal), _amounts(9000), strict=False):
        past.invoices.append(pen.invoice(n, net, FIRST_DAY + timedelta(days=n)))
    return past


def _sale(pen: _Pen, n: int, habit: str) -> tuple[str, str]:
    of, net = n // DEALS_A_COMPANY, Decimal(1000) + Decimal(n) * Decimal("1.37")
    day = FIRST_DAY + timedelta(days=n % 60)
    if habit == "same":
        net, of = Decimal(500), 10_000 + n // len(HABITS)  # a buyer of their own
        day = FIRST_DAY + timedelta(days=2 * (n % 2))
    deal = pen.deal(n, of, net, day)
    order = f"PO-{n:04d}"
    match habit:
        case "order":
            return deal, pen.invoice(of, net, day + timedelta(days=n % 5), order)
        case "mistyped":
            return deal, pen.invoice(of, net - TYPED_WRONG, day, order)
        case "late":
            return deal, pen.invoice(of, net, day + timedelta(days=21))
    return deal, pen.invoice(of, net, day + timedelta(days=n % 3))


def _amounts(first: int) -> Iterator[Decimal]:
    """Yield amounts that no other sale has."""
    return (Decimal(first) + Decimal(n) * Decimal("2.03") for n in itertools.count())
