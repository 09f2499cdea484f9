"""Salesforce's part in the demo."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from tieout.app.demo.doors import Truth
from tieout.app.demo.parts import Act, Card, Deed, Part, group_name, is_in_euro, one_more


def read(truth: Truth) -> Truth:
    """Tell an org's truth: a close date is a day, and no opportunity becomes another (R38, R49)."""
    return {
        **truth,
        "currency": truth["org"]["currency"],
        "merged": {},
        "deals": [{**deal, "closed_on": deal["close_date"]} for deal in truth["deals"]],
    }


def _raised(deals: Sequence[Card]) -> list[Deed]:
    """Add a line; the amount follows by itself (R36)."""
    fields = {"Description": "Travel", "UnitPrice": 100, "Quantity": 1}
    return [{"deed": "add_line", "deal": deal["id"], "fields": fields} for deal in deals]


def _corrected(deals: Sequence[Card]) -> list[Deed]:
    """Change a quantity; a line with a discount then wants its price told anew."""
    return [
        {
            "deed": "edit_line",
            "line": line["Id"],
            "fields": {"Quantity": one_more(line, "Quantity"), "UnitPrice": line["UnitPrice"]},
        }
        for line in (deal["lines"][0] for deal in deals)
    ]


def _merged(deals: Sequence[Card]) -> list[Deed]:
    """Merge the accounts of two opportunities, where they are two."""
    accounts = list(dict.fromkeys(deal["company"] for deal in deals))
    pairs = zip(accounts[::2], accounts[1::2], strict=False)
    return [{"deed": "merge", "kind": "Account", "master": a, "loser": b} for a, b in pairs]


def _renamed(deals: Sequence[Card]) -> list[Deed]:
    return [
        {"deed": "edit_account", "account": deal["company"], "fields": {"Name": group_name(deal)}}
        for deal in deals
    ]


def _named(deed: str, deals: Sequence[Card]) -> list[Deed]:
    return [{"deed": deed, "deal": deal["id"]} for deal in deals]


_QUERY: Final[dict[str, Any]] = {"path": "/query"}
_TOLD: Final[dict[str, Any]] = {"path": "/composite", "body": "PATCH"}

SALESFORCE: Final = Part(
    read=read,
    second_thoughts=(
        Act("raise an invoiced opportunity by a line", _raised),
        Act("correct a line of another", _corrected),
        Act("reopen one", lambda deals: _named("reopen", deals)),
        Act(
            "delete one",
            lambda deals: [
                {"deed": "delete", "kind": "Opportunity", "id": deal["id"]} for deal in deals
            ],
        ),
        Act("clone one", lambda deals: _named("clone", deals)),
        Act("rename an account", _renamed),
        Act("merge the accounts of two", _merged, 2, is_in_euro),
    ),
    mending=(
        Act(
            "drop {n} without products",
            lambda deals: _named("lose", deals),
            2,
            lambda deal: not deal["lines"],
        ),
    ),
    won=lambda deals: _named("win", deals),
    first=(
        {"fault": "status", "status": 503, **_QUERY},
        {"fault": "refuse", **_QUERY, "skip": 1},
        {"fault": "html", "status": 502, **_QUERY, "skip": 2},
        {"fault": "drop_item", **_QUERY, "skip": 3},
        {"fault": "reorder", **_QUERY, "skip": 4},
        {"fault": "lose_answer", **_TOLD},
        {"fault": "status", "status": 500, "after_commit": True, **_TOLD, "skip": 1},
    ),
    approved=(
        {"fault": "status", "status": 500, **_QUERY},
        {"fault": "cut_body", **_TOLD},
    ),
    second=({"fault": "html", "status": 503, **_QUERY},),
)
