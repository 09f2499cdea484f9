"""What the companies are like before the first round, and what goes wrong on the way to them.

The CRM is as a sales team leaves it (``tieout simulate`` fills it). The books are not empty
either: some customers are there in other spelling, two invoices were made by hand, a supplier has
a customer's name, and a period is closed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

from tieout.app.demo.doors import Doors, Truth
from tieout.app.demo.parts import Card, Deed
from tieout.app.demo.tally import won_deals

CLOSED_THROUGH: Final = "2026-01-04"
OPEN_SINCE: Final = "2026-01-06"
KNOWN_CUSTOMERS: Final = 9


@dataclass(slots=True)
class Deck:
    """Records to deal with, each of them once."""

    cards: Sequence[Mapping[str, Any]]
    taken: set[str] = field(default_factory=set)

    def take(
        self, number: int, fits: Callable[[Mapping[str, Any]], bool] = lambda _: True
    ) -> list[Mapping[str, Any]]:
        """Return the first that fit and were not taken; fewer where there are not so many."""
        free = (card for card in self.cards if card["id"] not in self.taken and fits(card))
        chosen = [card for card, _ in zip(free, range(number), strict=False)]
        self.taken |= {card["id"] for card in chosen}
        return chosen


def furnish(crm: Truth, books: Doors, cutover: date, note: str) -> list[str]:
    """Let the accountant's earlier work be there; return it in words.

    ``note`` is what she writes on the invoices that she makes.
    """
    truth = books.truth()
    deck = Deck([deal for deal in won_deals(crm, cutover) if is_tidy(deal)])
    by_hand = deck.take(2, _by_hand)
    known = deck.take(KNOWN_CUSTOMERS, lambda deal: ":" not in deal["company_name"])
    rival = deck.take(1, lambda deal: ":" not in deal["company_name"])
    buyers = {folded(deal): deal for deal in [*by_hand, *known]}
    names = [_spelled(deal["company_name"], n) for n, deal in enumerate(buyers.values())]
    made = books.play(
        [_customer(name, deal) for name, deal in zip(names, buyers.values(), strict=True)]
    )
    ids = {name: one["Id"] for name, one in zip(buyers, made, strict=True)}
    books.play(list(_invoices_by_hand(by_hand, ids, truth, note)))
    books.play(
        [
            {"deed": "create", "kind": "Vendor", "body": {"DisplayName": deal["company_name"]}}
            for deal in rival
            if folded(deal) not in buyers
        ]
    )
    books.play([{"deed": "close_books", "until": CLOSED_THROUGH}])
    return [
        f"{len(buyers)} customers are there already, in other capitals and spaces",
        f"{len(by_hand)} invoices were made by hand, one of them 10.00 too low",
        "a supplier has the name of a customer",
        f"the books are closed through {CLOSED_THROUGH}",
    ]


def is_tidy(deal: Card) -> bool:
    """Whether nothing about a deal is unusual, so that it will become an invoice."""
    present = ("amount", "currency", "company", "po_number", "lines")
    return all(deal[name] for name in present) and Decimal(deal["amount"]) == _net(deal) > 0


def folded(deal: Card) -> str:
    """Return a company's name as the books compare it."""
    return " ".join(deal["company_name"].casefold().split())


def tax_code(truth: Truth, name: str) -> str:
    """Return the id of one of the books' tax codes."""
    return next(str(one["id"]) for one in truth["tax_codes"] if one["name"] == name)


def item(truth: Truth, name: str = "Services") -> str:
    """Return the id of one of the books' items."""
    return next(str(one["id"]) for one in truth["items"] if one["name"] == name)


def _by_hand(deal: Card) -> bool:
    return deal["currency"] == "EUR" and 100 < _net(deal) < 5000 and deal["closed_on"] > OPEN_SINCE


def _net(deal: Card) -> Decimal:
    return Decimal(deal["net"])


def _spelled(name: str, n: int) -> str:
    return (name.upper(), f"  {name.strip()} ", name.lower())[n % 3]


def _customer(name: str, deal: Card) -> Deed:
    body = {"DisplayName": name, "CurrencyRef": {"value": deal["currency"]}}
    return {"deed": "create", "kind": "Customer", "body": body}


def _invoices_by_hand(
    deals: Sequence[Card], customers: Mapping[str, str], truth: Truth, note: str
) -> Iterator[Deed]:
    for n, deal in enumerate(deals):
        line = {
            "item": item(truth),
            "amount": f"{_net(deal) - 10 * n:f}",
            "tax_code": tax_code(truth, "S19"),
            "description": deal["name"],
        }
        yield {
            "deed": "create_invoice",
            "customer": customers[folded(deal)],
            "lines": [line],
            "po_number": deal["po_number"],
            "day": deal["closed_on"],
            "note": note,
        }


# -- what goes wrong ------------------------------------------------------------------------------

_WRITES: Final = {"method": "POST", "path": "/batch$", "body": '"operation"'}
_INVOICES: Final = {**_WRITES, "body": '"Invoice"'}
_LATE: Final = {"fault": "commit_late", "seconds": 1.2}  # sooner than quiet_secs, as at a vendor's
_SLOW_DOWN: Final = {"fault": "status", "status": 429, "retry_after": 1}
_SLOW_DOWN_UNTIL: Final = {"fault": "status", "status": 429, "retry_after": "date", "seconds": 1}

FIRST_BOOKS: Final = (
    {**_SLOW_DOWN, "spelling": "Fault", "path": "/batch$"},
    {"fault": "lose_answer", **_INVOICES},
    {**_SLOW_DOWN_UNTIL, "spelling": "fault", **_WRITES, "skip": 1},
    {"fault": "omit_batch_item", **_INVOICES, "skip": 1},
)
APPROVED_BOOKS: Final = (
    {**_LATE, **_INVOICES},
    {"fault": "status", "status": 500, **_INVOICES, "skip": 1},
    {"fault": "status", "status": 500, "after_commit": True, **_INVOICES, "skip": 1},
    {"fault": "html", "status": 504, "after_commit": True, **_INVOICES, "skip": 1},
    {"fault": "reorder_batch", **_INVOICES, "skip": 1},
    {"fault": "refuse", **_INVOICES, "skip": 1},
    {"fault": "omit_batch_item", **_INVOICES, "skip": 1},
    {"fault": "cut_body", **_INVOICES, "skip": 1},
)
SECOND_BOOKS: Final = (
    {**_LATE, **_WRITES},
    {"fault": "refuse", "path": "/cdc"},
)
