"""queue: approved documents become changes to send, once the books have what they wait for."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from sync_engine.addresses import address_of
from sync_engine.ledger.spelling import change_of, change_text, fields_of
from sync_engine.ledger.sqlite import Ledger
from sync_engine.ledger.store import Row, Writes
from sync_engine.pair import Pair
from sync_engine.standing import APPLIED
from tieout.model.canonical import Plain, Values, plain
from tieout.model.change import Change, Create
from tieout.model.enclosed import PRINT
from tieout.model.errors import InvariantError
from tieout.model.ref import Version

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
    change = _at_present(tx, row["key"], _with_ids(change_of(plan["change"]), ids))
    if change is None:
        return
    tx.run(
        "outbox_queue",
        key=row["key"],
        plan_hash=row["plan_hash"],
        pair=pair.name,
        company=(pair.crm if change.kind == PRINT else pair.books).company,
        kind=change.kind,
        verb=change.verb.value,
        change=change_text(change),
        about=row["title"],
    )
    tx.run("document_queued", key=row["key"])


def _at_present(tx: Writes, key: str, change: Change) -> Change | None:
    """Return a change with the version and open amounts that were shown last.

    None: it must not be sent any more. Nothing ever changes a record that was voided or deleted,
    and a credit that nothing is open for, or that the books applied by themselves (R18), needs no
    application.
    """
    if isinstance(change, Create):
        parts = change.values.get("allocations")
        credit = _applied(parts)
        if credit is None:
            return change
        amount = _open_for(tx, credit, parts)
        if not amount:
            _leave(tx, key, "skipped", "nothing-open")
            return None
        return Create(change.kind, _amounts(change.values, plain(amount)))
    shown = tx.one("mirror_get", **address_of(change.ref))
    if shown is None or not shown["live"] or shown["gone"]:
        _leave(tx, key, "blocked", "voided")
        return None
    return replace(change, version=Version(shown["version"]))


def _leave(tx: Writes, key: str, state: str, reason: str) -> None:
    tx.run("document_state", key=key, state=state, reason=reason, at=tx.now_text())


def _applied(parts: Plain) -> str | None:
    """Return the key of the credit that a payment of nothing applies, None where it is another."""
    first = parts[0] if isinstance(parts, list) and parts else None
    amount = first.get("amount") if isinstance(first, dict) else None
    return str(amount[APPLIED]) if isinstance(amount, dict) else None


def _open_for(tx: Writes, credit: str, parts: Plain) -> Decimal:
    """Return how much of a credit its invoice has open, and the credit has left."""
    document = tx.one("document_get", key=credit)
    assert document is not None
    receipt = tx.one("receipt_any", key=credit)
    assert receipt is not None
    balances: list[Decimal] = []
    for part in parts if isinstance(parts, list) else ():
        assert isinstance(part, dict)
        address = {"company": receipt["company"], "kind": part["kind"], "id": part["id"]}
        shown = tx.one("mirror_get", **address)
        live = shown is not None and shown["live"] and not shown["gone"]
        balances.append(fields_of(shown["fields"])["balance"] if shown and live else Decimal(0))
    return max(min(balances), Decimal(0))


def _amounts(values: Values, amount: Plain) -> Values:
    parts = values["allocations"]
    assert isinstance(parts, list)
    return {**values, "allocations": [{**part, "amount": amount} for part in parts]}


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
