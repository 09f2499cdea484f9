"""posted_as: what a posted invoice was sent as, and what the books answered. It writes nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal

from sync_engine.ledger.spelling import change_of, fields_of
from sync_engine.ledger.store import Reads, Row
from sync_engine.standing import Way
from tieout.model.canonical import Values
from tieout.model.change import Change, Update
from tieout.model.money import decimal
from tieout.model.record import Fields


def sent_of(tx: Reads, invoice: Row, corrections: Sequence[Row]) -> Values | None:
    """Return the values that an invoice was posted with, its amendments included.

    One that a restored ledger found done was never sent by it: its plan says what it wrote.
    """
    made = tx.one("outbox_done", key=invoice["key"])
    if made is None:
        return None
    values = dict(change_of(made["change"]).values)
    for row in corrections:
        if row["way"] != Way.AMEND or row["posted_id"] is None:
            continue
        amended = tx.one("outbox_done", key=row["key"]) or tx.one("plan_get", hash=row["plan_hash"])
        values |= {} if amended is None else _amended(values, change_of(amended["change"]))
    return values


def _amended(sent: Values, change: Change) -> Values:
    """Return what an amendment said of ours: it repeats the custom fields that people filled."""
    said = dict(change.values)
    custom = said.get("custom_fields")
    before = change.before.get("custom_fields") if isinstance(change, Update) else None
    ours = sent.get("custom_fields")
    if isinstance(custom, Mapping):
        shown = before if isinstance(before, Mapping) else {}
        moved = {name: text for name, text in custom.items() if shown.get(name) != text}
        said["custom_fields"] = {**(ours if isinstance(ours, Mapping) else {}), **moved}
    return said


def answered_of(tx: Reads, invoice: Row) -> Fields:
    """Return the fields that the books answered last to what was sent of an invoice."""
    receipt = tx.one("receipt_any", key=invoice["key"])
    return {} if receipt is None else fields_of(receipt["fields"])


def agreed_of(tx: Reads, invoice: Row) -> tuple[Decimal, ...] | None:
    """Return what each line of an adopted invoice's source came to then, None of one we sent."""
    if tx.one("outbox_done", key=invoice["key"]) is not None:
        return None
    posted = json.loads(invoice["posted_content"] or "null") or {}
    return tuple(decimal(line["amount"]) for line in posted.get("lines", ()))
