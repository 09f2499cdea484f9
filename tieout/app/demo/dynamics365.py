"""Dynamics 365's part in the demo."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from tieout.app.demo.doors import Truth
from tieout.app.demo.parts import Act, Card, Deed, Part, group_name, is_in_euro, one_more

_ORDER: Final = "nly_ponumber"


def read(truth: Truth) -> Truth:
    """Tell an organization's truth: a close date is a day, what is deleted is gone (R43, R49)."""
    return {
        **truth,
        "currency": truth["org"]["currency"],
        "merged": {},
        "deals": [_told(deal) for deal in truth["deals"]],
    }


def _told(deal: Card) -> Card:
    """Return a deal in common words; its amount is what its lines come to, before tax.

    So one with freight, or with a discount of the whole, has another amount than its net.
    """
    lines = deal["lines"]
    is_to_account = deal["customer_table"] == "account"
    return {
        **deal,
        "po_number": deal["custom"].get(_ORDER),
        "archived": False,
        "amount": f"{sum(map(_before_tax, lines), Decimal(0)):f}" if lines else deal["estimated"],
        "closed_on": deal["close_date"],
        "company": deal["customer"] if is_to_account else None,
        "company_name": deal["customer_name"] if is_to_account else None,
    }


def _before_tax(line: Card) -> Decimal:
    return Decimal(line["extendedamount"]) - Decimal(line.get("tax") or 0)


def _raised(deals: Sequence[Card]) -> list[Deed]:
    values = {"productdescription": "Travel", "priceperunit": "100", "quantity": "1"}
    return [{"deed": "add_line", "opportunity": deal["id"], "values": values} for deal in deals]


def _corrected(deals: Sequence[Card]) -> list[Deed]:
    return [
        {
            "deed": "edit_line",
            "line": line["id"],
            "values": {"quantity": one_more(line, "quantity")},
        }
        for line in (deal["lines"][0] for deal in deals)
    ]


def _merged(deals: Sequence[Card]) -> list[Deed]:
    """Merge the accounts of two opportunities, where they are two."""
    accounts = list(dict.fromkeys(deal["company"] for deal in deals))
    pairs = zip(accounts[::2], accounts[1::2], strict=False)
    return [
        {"deed": "merge", "table": "account", "target": one, "subordinate": two}
        for one, two in pairs
    ]


def _renamed(deals: Sequence[Card]) -> list[Deed]:
    return [
        {"deed": "edit_account", "account": deal["company"], "values": {"name": group_name(deal)}}
        for deal in deals
    ]


def _won(deals: Sequence[Card]) -> list[Deed]:
    """Win each on the day that it has; what is lost is opened before."""
    return [
        deed
        for deal in deals
        for deed in (
            *_named("reopen", [] if deal["is_open"] else [deal]),
            {"deed": "win", "opportunity": deal["id"], "on": deal["closed_on"]},
        )
    ]


def _dropped(deals: Sequence[Card]) -> list[Deed]:
    """Open what was won, and lose it."""
    return [*_named("reopen", deals), *_named("lose", deals)]


def _named(deed: str, deals: Sequence[Card]) -> list[Deed]:
    return [{"deed": deed, "opportunity": deal["id"]} for deal in deals]


def _has_freight(deal: Card) -> bool:
    return bool(deal["lines"] and Decimal(deal["net"]) > Decimal(deal["amount"]))


_READ: Final[dict[str, Any]] = {"method": "GET", "path": "/opportunities$"}
_LINES: Final[dict[str, Any]] = {"method": "GET", "path": "/opportunityproducts$"}
_TOLD: Final[dict[str, Any]] = {"path": r"/\$batch$", "body": "PATCH "}
_SLOW_DOWN: Final[dict[str, Any]] = {"fault": "status", "status": 429, "retry_after": 1}

DYNAMICS365: Final = Part(
    read=read,
    second_thoughts=(
        Act("raise an invoiced opportunity by a line", _raised),
        Act("correct a line of another", _corrected),
        Act("reopen one", lambda deals: _named("reopen", deals)),
        Act(
            "delete one",
            lambda deals: [
                {"deed": "delete", "table": "opportunity", "id": deal["id"]} for deal in deals
            ],
        ),
        Act("clone one", lambda deals: _named("clone", deals)),
        Act("rename an account", _renamed),
        Act("merge the accounts of two", _merged, 2, is_in_euro),
    ),
    mending=(
        Act(
            "take the freight off {n}",
            lambda deals: [
                {
                    "deed": "edit_opportunity",
                    "opportunity": deal["id"],
                    "values": {"freightamount": "0"},
                }
                for deal in deals
            ],
            2,
            _has_freight,
        ),
        Act(
            "drop {n} without products",
            _dropped,
            2,
            lambda deal: not deal["lines"],
        ),
    ),
    won=_won,
    first=(
        {**_SLOW_DOWN, **_READ},
        {"fault": "html", "status": 502, **_READ},
        {"fault": "refuse", **_LINES},
        {"fault": "reorder", **_LINES},
        {**_SLOW_DOWN, "spelling": "time", "path": "/accounts$"},
        {"fault": "lose_answer", **_TOLD},
        {"fault": "status", "status": 500, "after_commit": True, **_TOLD, "skip": 1},
    ),
    approved=(
        {"fault": "status", "status": 503, **_READ},
        {"fault": "cut_body", **_TOLD},
    ),
    second=({**_SLOW_DOWN, **_READ},),
)
