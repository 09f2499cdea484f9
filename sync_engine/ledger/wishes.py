"""Wishes: what a command asks of the process that owns the ledger, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sync_engine.ledger.store import Reads, Writes
from tieout.model.canonical import Values, canonical
from tieout.model.errors import InvariantError

WISHES_AT_ONCE: Final = 100  # how many the owner takes in one round; the rest waits for the next

BEGUN: Final = "wish_begun"  # the fact that names the wishes that are being done


@dataclass(frozen=True, slots=True)
class Wish:
    """A command line's verb with its arguments, and who gave it."""

    id: int
    kind: str
    args: Mapping[str, Any]
    who: str
    at: str


def leave(tx: Writes, kind: str, args: Values, who: str) -> int:
    """Write a wish down; return its id."""
    wish = tx.one("wish_leave", kind=kind, args=canonical(args), who=who, at=tx.now_text())
    assert wish is not None  # RETURNING answers every insert
    tx.journal(who, "wish", kind, args)
    return int(wish["id"])


def waiting(ledger: Reads) -> Sequence[Wish]:
    """Return the oldest open wishes, at most ``WISHES_AT_ONCE``."""
    rows = ledger.all("wish_open", limit=WISHES_AT_ONCE)
    return [
        Wish(row["id"], row["kind"], json.loads(row["args"]), row["who"], row["at"]) for row in rows
    ]


def begin(tx: Writes, wish_id: int) -> bool:
    """Note that a wish is being done; return whether a process that ended had begun it already."""
    begun = _begun(tx)
    _set_begun(tx, {*begun, wish_id})
    return wish_id in begun


def grant(tx: Writes, wish_id: int, outcome: Values) -> None:
    """Write down what came of a wish.

    Raises:
        InvariantError: there is no such open wish.
    """
    granted = tx.run("wish_grant", id=wish_id, outcome=canonical(outcome), at=tx.now_text())
    if granted != 1:
        raise InvariantError(f"There is no open wish {wish_id}.")
    _set_begun(tx, _begun(tx) - {wish_id})


def _begun(tx: Reads) -> set[int]:
    return {int(wish) for wish in str(tx.value("meta_get", name=BEGUN) or "").split()}


def _set_begun(tx: Writes, begun: set[int]) -> None:
    tx.run("meta_set", name=BEGUN, value=" ".join(map(str, sorted(begun))))


def outcome_of(ledger: Reads, wish_id: int) -> Mapping[str, Any] | None:
    """Return what came of a wish; None while it is open."""
    told = ledger.value("wish_outcome", id=wish_id)
    return None if told is None else dict(json.loads(str(told)))
