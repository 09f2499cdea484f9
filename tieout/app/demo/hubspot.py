"""HubSpot's part in the demo."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from tieout.app.demo.doors import Truth
from tieout.app.demo.parts import CENT, Act, Card, Deed, Part, group_name, is_in_euro, net, one_more

_SHARES: Final = ("1", "0.5", "0.25")


def read(truth: Truth) -> Truth:
    """Tell a portal's truth: a close date is an instant, and its day is the portal's (R40)."""
    zone = ZoneInfo(truth["portal"]["time_zone"])
    return {
        **truth,
        "currency": truth["portal"]["currency"],
        "deals": [{**deal, "closed_on": _day(deal, zone)} for deal in truth["deals"]],
    }


def _day(deal: Card, zone: ZoneInfo) -> str | None:
    at = deal["close_date"]
    return datetime.fromisoformat(at).astimezone(zone).date().isoformat() if at else None


def _raised(deals: Sequence[Card]) -> list[Deed]:
    return [
        deed
        for deal in deals
        for deed in (
            _edited(deal, amount=f"{net(deal) + 100:f}"),
            {
                "deed": "add_line",
                "deal": deal["id"],
                "properties": {"name": "Travel", "price": "100", "quantity": "1"},
            },
        )
    ]


def _corrected(deals: Sequence[Card]) -> list[Deed]:
    return [
        {
            "deed": "edit_line",
            "line": line["id"],
            "properties": {"quantity": one_more(line, "quantity")},
        }
        for line in (deal["lines"][0] for deal in deals)
    ]


def _merged(deals: Sequence[Card]) -> list[Deed]:
    ids = [deal["id"] for deal in deals]
    pairs = zip(ids[::2], ids[1::2], strict=False)
    return [{"deed": "merge", "kind": "deals", "primary": one, "other": two} for one, two in pairs]


def _renamed(deals: Sequence[Card]) -> list[Deed]:
    return [
        {
            "deed": "edit_company",
            "company": deal["company"],
            "properties": {"name": group_name(deal)},
        }
        for deal in deals
    ]


def _paid(deals: Sequence[Card]) -> list[Deed]:
    return [_commerce(deal, share) for deal, share in zip(deals, _SHARES, strict=False)]


def _commerce(deal: Card, share: str) -> Deed:
    step = Decimal(1) if deal["currency"] == "JPY" else CENT
    amount = (net(deal) * Decimal(share)).quantize(step)
    return {
        "deed": "add_payment",
        "deal": deal["id"],
        "properties": {
            "hs_initial_amount": f"{amount:f}",
            "hs_payment_method_type": "bank_transfer",
            "hs_reference_number": f"LATE-{deal['po_number']}",
        },
    }


def _named(deed: str, deals: Sequence[Card]) -> list[Deed]:
    return [{"deed": deed, "deal": deal["id"]} for deal in deals]


def _edited(deal: Card, **properties: str) -> Deed:
    return {"deed": "edit_deal", "deal": deal["id"], "properties": properties}


def _disagrees(deal: Card) -> bool:
    return bool(deal["amount"] and Decimal(deal["amount"]) != net(deal) > 0)


_LINES: Final[dict[str, Any]] = {"path": "/line_items/batch/read"}
_TOLD: Final[dict[str, Any]] = {"path": "/deals/batch/update"}
_SLOW_DOWN: Final[dict[str, Any]] = {"fault": "status", "status": 429, "retry_after": 1}

HUBSPOT: Final = Part(
    read=read,
    second_thoughts=(
        Act("raise an invoiced deal by a line", _raised),
        Act("correct a line of another", _corrected),
        Act("reopen one", lambda deals: _named("reopen", deals)),
        Act("clone one", lambda deals: _named("clone", deals)),
        Act("merge two", _merged, 2, is_in_euro),
        Act(
            "archive one",
            lambda deals: [
                {"deed": "archive", "kind": "deals", "id": deal["id"]} for deal in deals
            ],
        ),
        Act("rename a company", _renamed),
        Act("take three payments in HubSpot", _paid, 3, lambda deal: not deal["payments"]),
    ),
    mending=(
        Act(
            "correct {n} amounts that disagreed",
            lambda deals: [_edited(deal, amount=f"{net(deal):f}") for deal in deals],
            4,
            _disagrees,
        ),
        Act(
            "fill in {n} missing currencies",
            lambda deals: [_edited(deal, deal_currency_code="EUR") for deal in deals],
            2,
            lambda deal: not deal["currency"] and net(deal) > 0,
        ),
    ),
    won=lambda deals: _named("win", deals),
    first=(
        {**_SLOW_DOWN, "spelling": "secondly", "path": "/deals/search"},
        {"fault": "refuse", "path": "/companies/batch/read"},
        {"fault": "html", "status": 502, "path": "/associations/.*batch/read"},
        {"fault": "drop_item", **_LINES},
        {"fault": "reorder", **_LINES, "skip": 1, "count": 2},
        {**_SLOW_DOWN, **_LINES, "skip": 4},
        {"fault": "lose_answer", **_TOLD},
        {"fault": "status", "status": 500, "after_commit": True, **_TOLD, "skip": 1},
    ),
    approved=(
        {"fault": "status", "status": 503, "path": "/search"},
        {"fault": "cut_body", **_TOLD, "skip": 1},
    ),
    second=({**_SLOW_DOWN, "path": "/search"},),
)
