"""queue: approved documents become changes to send, once the books have what they wait for."""

from __future__ import annotations

from typing import Any

from sync_engine.ledger.spelling import change_of, change_text
from sync_engine.ledger.sqlite import Ledger
from sync_engine.ledger.store import Row, Writes
from sync_engine.pair import Pair
from tieout.model.canonical import Plain
from tieout.model.change import Change, Create
from tieout.model.errors import InvariantError

DOCUMENTS_AT_ONCE = 1_200  # as many as are packed together


def queue(ledger: Ledger, pair: Pair) -> int:
    """Queue every approved document that waits for nothing more; return how many."""
    rows = ledger.all("documents_ready", pair=pair.name, limit=DOCUMENTS_AT_ONCE)
    if not rows:
        return 0
    with ledger.transaction() as tx:
        for row in rows:
            _queue_one(tx, pair, row)
    return len(rows)


def unqueue(tx: Writes, pair: Pair) -> None:
    """Give back what was queued and never sent: its world may move before the next push."""
    tx.run("document_unqueue", pair=pair.name)
    tx.run("outbox_unqueue", pair=pair.name, crm=pair.crm.company)


def take_apart(ledger: Ledger, pair: Pair) -> bool:
    """Give back what was certainly not done and would be sent again, where its source moved since.

    Only whole parcels whose every change is proven undone are to be sent again, so nothing of them
    can be asked twice by this; return whether there was any.
    """
    moved = ledger.all("parcels_moved", pair=pair.name)
    if not moved:
        return False
    with ledger.transaction() as tx:
        for row in moved:
            request_id = row["request_id"]
            tx.run("parcel_state", request_id=request_id, state="settled")
            tx.run("outbox_give_back", request_id=request_id)
            tx.run("documents_give_back", request_id=request_id)
            tx.run("touch_parcel", request_id=request_id)
            tx.journal("tieout", "taken apart", request_id, None)
    return True


def _queue_one(tx: Writes, pair: Pair, row: Row) -> None:
    """Queue exactly the plan that was approved, with the ids of the records it waited for."""
    plan = tx.one("plan_get", hash=row["plan_hash"])
    if plan is None:
        raise InvariantError(f"The approved plan {row['plan_hash']} is not in the ledger.")
    ids = {made["need"]: made["posted_id"] for made in tx.all("needs_made", key=row["key"])}
    change = _with_ids(change_of(plan["change"]), ids)
    tx.run(
        "outbox_queue",
        key=row["key"],
        plan_hash=row["plan_hash"],
        pair=pair.name,
        company=pair.books.company,
        kind=change.kind,
        verb=change.verb.value,
        change=change_text(change),
        about=row["title"],
    )
    tx.run("document_queued", key=row["key"])


def _with_ids(change: Change, ids: dict[str, str]) -> Change:
    if not isinstance(change, Create) or not ids:
        return change
    values: Any = _replaced(change.values, ids)
    return Create(change.kind, values)


def _replaced(value: Plain, ids: dict[str, str]) -> Plain:
    """Return plain values with ``{"key": …}`` replaced by the id that the key has now."""
    if isinstance(value, dict):
        if value.keys() == {"key"}:
            return ids[str(value["key"])]
        return {name: _replaced(held, ids) for name, held in value.items()}
    if isinstance(value, list):
        return [_replaced(held, ids) for held in value]
    return value
