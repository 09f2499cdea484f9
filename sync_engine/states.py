"""The states of a document that several stages ask about, and the answers that decide one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from sync_engine.ledger.store import Reads, Row
from tieout.model.enclosed import PRINT

TAKEN_BACK = frozenset({"voided", "deleted"})  # by the books: only this is issued again
IN_THE_BOOKS = TAKEN_BACK | {"posted"}
ASKED = IN_THE_BOOKS | {"sending", "unknown"}  # something was sent: never planned again
DECIDED = frozenset({"planned", "waiting", "approved", "rejected", "refused"})
OVERRULED = "create"  # the answer that says: it is no twin, go on
LEFT_ALONE = "ignore"
COLLECTED = "collected"  # it goes with a document of several sources, and is not sent by itself
TO_BE_SENT = frozenset({"planned", "waiting", "approved", COLLECTED})
UNREADABLE = "unreadable"  # the finding of what could not be read, which says nothing about it
BESIDE = frozenset({"correction", "attachment", "print"})  # no document of its own in the books
HELD = frozenset({"blocked", "refused"})
CORRECTION = "correction"  # the kind of a document that changes another's record
ATTACHMENT = "attachment"  # the kind of a document that puts a file on another's record
ENCLOSED = (ATTACHMENT, PRINT)  # they move no amount, and their mapping approves them
REFERENCE_KINDS = ("customer", "item")  # made because a document needs them
READ_AT_ONCE = 2_000  # documents held in memory, whatever their number


NOT_DUE = "not-due"  # the reason of a plan that waits for its day, which follows after a colon


def is_not_due(row: Row) -> bool:
    """Whether a document waits for a day to come, or for a milestone that has none yet."""
    return row["state"] == "planned" and str(row["reason"] or "").partition(":")[0] == NOT_DUE


def due_until(today: date) -> dict[str, str]:
    """Return the bounds of the reasons of what is due by a day."""
    return {"first": f"{NOT_DUE}:", "last": f"{NOT_DUE}:{today.isoformat()}"}


def in_state(ledger: Reads, pair: str, state: str) -> Iterator[Row]:
    """Yield a pair's documents in one state; each may leave it before the next is asked for."""
    kind = key = ""
    while rows := ledger.all(
        "documents_in_state", pair=pair, state=state, kind=kind, key=key, limit=READ_AT_ONCE
    ):
        yield from rows
        kind, key = rows[-1]["kind"], rows[-1]["key"]
