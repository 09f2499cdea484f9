"""The books' records as they were last shown, with the columns that matching and twins ask for.

Each record that arrives, by the feed or as the answer to a write, passes here. Whatever depends on
it is noted in the same transaction: documents to compare again, pending plans to make again,
settlements to tell. A marker that nobody here asked for is another installation at work.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sync_engine.addresses import address_of, source_of
from sync_engine.ledger.spelling import fields_of, fields_text
from sync_engine.ledger.store import Reads, Row, Writes
from sync_engine.pair import Pair, folded
from sync_engine.tasks import COPIED, PAIR, Wanted, keep
from tieout.model.dates import instant_text, parse_instant
from tieout.model.record import Fetched, Gone, Record
from tieout.model.ref import Key, Ref

DOCUMENTS = frozenset({"invoice", "payment", "credit_memo", "refund"})
_log = logging.getLogger(__name__)

REFERENCE_WINDOW_SECS = 900  # how far a server's clock may lie before our first attempt (R48)


def mirror_record(tx: Writes, pair: Pair, record: Record, *, strict: bool = False) -> bool:
    """Store one record of the books and note what depends on it; return whether it moved."""
    ref, fields = record.ref, record.fields
    text = fields_text(fields)
    held = tx.one("mirror_get", **address_of(ref))
    if held is not None and held["fields"] == text and not held["gone"]:
        if held["version"] != record.version:
            tx.run("mirror_version", **address_of(ref), version=record.version)
        return False
    tx.run("mirror_set", **_row(record, text))
    if ref.kind == "invoice":
        _note_orders(tx, ref, fields)
        _keep_texts(tx, ref, fields.get("custom_fields") or {})
    if ref.kind in DOCUMENTS:
        _keep_allocations(tx, ref, fields)
        note_document(tx, ref)
        _note_customers(tx, ref, fields.get("customer"), None if held is None else held["customer"])
        if fields.get("marker"):
            _judge_marker(tx, pair, record, strict=strict)
            marker = str(fields["marker"])
            tx.run("touch_unposted", key=marker, stem=Key.parse(marker).stem)
        if held is not None and held["marker"]:
            _close_copied(tx, pair, ref.company, held["marker"])
    return True


def mirror_gone(tx: Writes, pair: Pair, ref: Ref) -> bool:
    """Note that the books deleted a record; what it covered is uncovered again (R50)."""
    if not tx.run("mirror_gone", **address_of(ref)):
        return False
    _clear_allocations(tx, ref)
    note_document(tx, ref)
    held = tx.one("mirror_get", **address_of(ref))
    _note_customers(tx, ref, None if held is None else held["customer"])
    if held is not None and ref.kind == "invoice":
        _note_orders(tx, ref, fields_of(held["fields"]))
    if held is not None and held["marker"]:
        _close_copied(tx, pair, ref.company, held["marker"])
    return True


def mirror_fetched(tx: Writes, pair: Pair, answer: Fetched) -> bool:
    """Note what the books answer of a record that was asked for; return whether it moved."""
    match answer:
        case Record():
            return mirror_record(tx, pair, answer)
        case Gone(ref):
            return mirror_gone(tx, pair, ref)
    return False


def preferences(ledger: Reads, pair: Pair) -> dict[str, Any]:
    """Return what the books say of themselves; empty before the first read."""
    row = ledger.one("mirror_get", company=pair.books.company, kind="preferences", id="1")
    return {} if row is None else fields_of(row["fields"])


def note_document(tx: Writes, ref: Ref) -> None:
    """Note that settle and reconcile must look at the document that this record is."""
    tx.run("document_look", kind=ref.kind, posted_id=ref.id)
    if ref.kind == "credit_memo":
        tx.run("document_look_credited", kind=ref.kind, posted_id=ref.id)


def _note_customers(tx: Writes, ref: Ref, *customers: str | None) -> None:
    """Note that settle must look at what these customers owe."""
    for customer in set(customers) - {None}:
        tx.run("receivable_moved", books=ref.company, customer=customer)


def _note_orders(tx: Writes, ref: Ref, fields: Mapping[str, Any]) -> None:
    """Note that reconcile must look at the deals whose order number an invoice carries."""
    for words in (fields.get("custom_fields") or {}).values():
        tx.run("documents_look_order", purchase_order=words, kind=ref.kind)


def _row(record: Record, text: str) -> dict[str, Any]:
    fields = record.fields
    day = fields.get("date")
    net = fields.get("net", fields.get("total"))
    total = fields.get("total")
    return {
        **address_of(record.ref),
        "version": record.version,
        "fields": text,
        "name_key": folded(fields.get("name")),
        "email_key": folded(fields.get("email")),
        "sku_key": folded(fields.get("sku")),
        "customer": fields.get("customer"),
        "day": None if day is None else day.isoformat(),
        "net": None if net is None else str(net),
        "total": None if total is None else str(total),
        "marker": fields.get("marker"),
        "live": int(not fields.get("voided", False)),
        "created_at": None if record.created_at is None else instant_text(record.created_at),
    }


def _keep_texts(tx: Writes, ref: Ref, custom_fields: Mapping[str, str]) -> None:
    tx.run("mirror_text_clear", **address_of(ref))
    tx.many(
        "mirror_text_add",
        [
            {**address_of(ref), "words": words}
            for words in dict.fromkeys(custom_fields.values())
            if words
        ],
    )


def _clear_allocations(tx: Writes, ref: Ref) -> None:
    for row in tx.all("allocations_of", **address_of(ref)):
        note_document(tx, Ref(ref.company, "invoice", row["invoice"]))
    tx.run("allocations_clear", **address_of(ref))


def _keep_allocations(tx: Writes, ref: Ref, fields: Mapping[str, Any]) -> None:
    """Replace what a payment covers; the invoices it covered and those it covers now both move.

    A payment of nothing that links a credit memo to an invoice is the credit's application.
    """
    if ref.kind != "payment":
        return
    _clear_allocations(tx, ref)
    if fields.get("voided"):
        return
    day = fields.get("date")
    for part in fields.get("allocations") or ():
        if part["kind"] != "invoice":
            continue
        tx.run(
            "allocation_add",
            **address_of(ref),
            means="payment" if fields.get("total") else "credit",
            invoice=part["id"],
            amount=str(part["amount"]),
            day=None if day is None else day.isoformat(),
        )
        note_document(tx, Ref(ref.company, "invoice", part["id"]))


def _judge_marker(tx: Writes, pair: Pair, record: Record, *, strict: bool) -> None:
    """Tell our own record from a twin, a copy, and another installation's work."""
    ref, marker = record.ref, str(record.fields["marker"])
    if not record.fields.get("voided", False):
        others = [row for row in _alive(tx, ref.company, marker) if row["kind"] == ref.kind]
        if len(others) > 1:
            _twin_or_copy(tx, pair, marker, others)
            return
    if strict and not tx.one("asked", key=marker) and not tx.one("receipt_any", key=marker):
        stop_for_stranger(tx, pair, ref, marker)


def stop_for_stranger(tx: Writes, pair: Pair, ref: Ref, marker: str) -> None:
    """Stop a pair whose books show a record that another installation made."""
    stop_pair(
        tx,
        pair.name,
        "another-installation",
        f"The books have {ref} with the marker {marker}, which this installation never sent: "
        "another Tieout works on the same books.",
        "Stop the other installation, or restore its ledger here; then `tieout resume`.",
    )


def _twin_or_copy(tx: Writes, pair: Pair, marker: str, rows: list[Row]) -> None:
    """Two records carry one marker: born while we were asking, or copied by a person."""
    ids = [row["id"] for row in rows]
    windows = tx.all("attempt_windows", key=marker)
    born_of_ours = [row for row in rows if _within(row["created_at"], windows, pair.quiet_secs)]
    detail = {"marker": marker, "records": [str(number) for number in ids]}
    document = tx.one("document_get", key=marker)
    if len(born_of_ours) > 1 or not windows:
        made_for = "" if document is None else f" They were made for {document['title']}."
        message = (
            f"The books hold {len(rows)} {rows[0]['kind'].replace('_', ' ')}s with the marker "
            f"{marker}: {', '.join(map(_named, rows))}.{made_for}"
        )
        stop_pair(
            tx,
            pair.name,
            "twin",
            message,
            "Void all but one in the books, then `tieout resume` with what you did as the reason.",
        )
        return
    message = f"A person copied a record of ours with its memo: {', '.join(ids)} carry {marker}."
    remedy = "Take the marker out of the copy's memo, or void the copy if it was not meant."
    wanted = [Wanted("copied", "A copied record", message, remedy, detail=detail)]
    keep(
        tx,
        pair=pair.name,
        family=COPIED,
        subject=marker,
        source=None if document is None else source_of(document),
        wanted=wanted,
    )


def _named(row: Row) -> str:
    """Return a record as a person finds it in the books: by its number, where it has one."""
    number = fields_of(row["fields"]).get("number")
    return f"id {row['id']}" if number is None else f"{number} (id {row['id']})"


def _alive(tx: Reads, company: str, marker: str) -> list[Row]:
    rows = tx.all("mirror_by_marker", company=company, marker=marker)
    return [row for row in rows if row["live"] and not row["gone"]]


def _close_copied(tx: Writes, pair: Pair, company: str, marker: str) -> None:
    """Close a copy's task once one record alone carries the marker again."""
    if len(_alive(tx, company, marker)) < 2:
        keep(tx, pair=pair.name, family=COPIED, subject=marker, source=None, wanted=())


def stop_pair(tx: Writes, pair: str, code: str, message: str, remedy: str) -> None:
    """Pause a pair until a person resumes it, with one open task that says why."""
    tx.run("pair_pause", pair=pair, code=code, reason=message, at=tx.now_text())
    keep(
        tx,
        pair=pair,
        family=PAIR,
        subject=pair,
        source=None,
        wanted=[Wanted(code, f"The pair {pair} stands still", message, remedy)],
    )
    tx.journal("tieout", "pair stopped", pair, {"code": code, "message": message})
    _log.warning("%s stands still: %s; `tieout status` says why", pair, code)


def _within(created_at: str | None, windows: list[Row], quiet_secs: float) -> bool:
    if created_at is None:
        return True
    born = parse_instant(created_at)
    for window in windows:
        begun = parse_instant(window["began_at"]) - timedelta(seconds=REFERENCE_WINDOW_SECS)
        ended = parse_instant(window["ended_at"] or window["began_at"])
        if begun <= born <= ended + timedelta(seconds=2 * quiet_secs):
            return True
    return False
