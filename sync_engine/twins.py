"""twins: has this been made already, by a person, under another deal or by another mapping?

Asked before a first create. Each answer is a finding: nothing is made until somebody has looked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from sync_engine.addresses import source_address, source_of
from sync_engine.collected import is_taken_back, was_sent
from sync_engine.credits import is_credited_whole
from sync_engine.gather import followed
from sync_engine.kin import invoiced_kin
from sync_engine.ledger.spelling import amount_text, change_of, fields_of
from sync_engine.ledger.store import Reads, Row
from sync_engine.marks import is_of_another
from sync_engine.pair import Pair, folded
from sync_engine.resolve import Resolved
from sync_engine.sketch import Sketch
from sync_engine.states import (
    ASKED,
    COLLECTED,
    DECIDED,
    LEFT_ALONE,
    OVERRULED,
    TAKEN_BACK,
    TO_BE_SENT,
)
from tieout.model.change import Finding, Severity
from tieout.model.dates import instant_text
from tieout.model.document import Document, Invoice, Payment
from tieout.model.ref import Ref


def identity(tx: Reads, pair: Pair, sketch: Sketch) -> Iterator[Finding]:
    """Ask whose a document is: a copy's, a merged deal's, another mapping's, an earlier one's."""
    if is_of_another(sketch.mark, sketch.ref, sketch.merged):
        yield Finding(
            "mark-of-another",
            Severity.ASK,
            f"{sketch.title} carries the mark of another deal ({sketch.mark}).",
            "If it is a copy that must be invoiced too, clear its mark in the CRM; else ignore it.",
            sketch.ref,
            choices=(LEFT_ALONE,),
        )
    for old in sketch.merged:
        earlier = _document_of(tx, replace(sketch.ref, id=old), sketch)
        if earlier is not None and was_sent(tx, earlier):
            yield Finding(
                "merged?",
                Severity.ASK,
                f"{sketch.title} took over deal {old}, {_so_far(earlier)}.",
                "Correct the invoice by hand, then `ignore`; or `create` to invoice it anew.",
                sketch.ref,
                choices=(LEFT_ALONE, OVERRULED),
            )
    for row in tx.all("documents_of_source", **source_address(sketch.ref)):
        own = row["mapping"] in (sketch.mapping.name, sketch.mapping.identity)
        if own and row["kind"] == sketch.mapping.to and _is_left_part(row, sketch):
            yield Finding(
                "already-invoiced",
                Severity.BLOCK,
                f"{sketch.title} was already posted as the part {row['part']!r}.",
                "Let the mapping make that part again, or void its invoice in the books.",
                sketch.ref,
            )
        others = not own and not sketch.members  # a customer has those of each mapping
        if others and row["kind"] == sketch.mapping.to:
            if was_sent(tx, row):
                yield _posted_by_another(tx, sketch, row)
            elif _is_to_be_sent(pair, row):
                yield _planned_by_another(sketch, row)
    yield from invoiced_kin(tx, pair, sketch)
    yield from _lives_on(tx, pair, sketch)


def _posted_by_another(tx: Reads, sketch: Sketch, row: Row) -> Finding:
    """Return what is found where another mapping has posted the document, perhaps elsewhere.

    What was taken back since is no hindrance, but a mapping that was only renamed must not make
    again what somebody voided: so a person says it.
    """
    by = f"{sketch.title} was already posted by the mapping {row['mapping']}"
    receipt = tx.one("receipt_any", key=row["key"])
    credited = receipt is not None and is_credited_whole(tx, receipt["company"], row)
    if credited or row["state"] in TAKEN_BACK:
        return Finding(
            "already-invoiced",
            Severity.ASK,
            f"{by}, and {'credited' if credited else row['state']} in the books since.",
            "`create` to invoice it by this mapping, or `ignore`.",
            sketch.ref,
            choices=(LEFT_ALONE, OVERRULED),
        )
    return Finding(
        "already-invoiced",
        Severity.BLOCK,
        f"{by}.",
        "Name that mapping in renamed_from, limit this one with when, or take that invoice back.",
        sketch.ref,
    )


def _is_to_be_sent(pair: Pair, row: Row) -> bool:
    """Whether a document of this pair is to be sent; a mapping that was taken out has none."""
    return row["pair"] == pair.name and row["state"] in TO_BE_SENT


def _planned_by_another(sketch: Sketch, row: Row) -> Finding:
    """Return what is found where another mapping was first: both would be sent in one round."""
    return Finding(
        "already-invoiced",
        Severity.BLOCK,
        f"{sketch.title} is to be posted by the mapping {row['mapping']}.",
        "One source is one mapping's: limit one of the two with when.",
        sketch.ref,
    )


def _is_left_part(row: Row, sketch: Sketch) -> bool:
    """Whether a document is in the books as a part that the mapping makes no more."""
    sent = row["state"] in ASKED - TAKEN_BACK
    return sent and row["part"] not in sketch.parts and bool(row["part"])


def _so_far(earlier: Row) -> str:
    sent = earlier["posted_id"] is None
    return "whose invoice was sent" if sent else f"invoiced as {earlier['posted_id']}"


def _lives_on(tx: Reads, pair: Pair, sketch: Sketch) -> Iterator[Finding]:
    """Find an earlier generation whose record was brought back to life in the books."""
    for row in tx.all("documents_of_source", **source_address(sketch.ref)):
        earlier = row["stem"] == sketch.key.stem and row["generation"] < sketch.key.generation
        shown = earlier and tx.one(
            "mirror_get", company=pair.books.company, kind=row["kind"], id=row["posted_id"]
        )
        if shown and shown["live"] and not is_taken_back(tx, pair.books.company, row):
            yield Finding(
                "lives-on",
                Severity.ASK,
                f"{sketch.title} was to be issued again, and {row['kind']} {row['posted_id']} "
                "is alive in the books.",
                "Void that one again to issue this one, or `ignore` to keep that one.",
                sketch.ref,
                choices=(LEFT_ALONE,),
            )


def _document_of(tx: Reads, ref: Ref, sketch: Sketch) -> Row | None:
    rows = tx.all("documents_of_source", **source_address(ref))
    return next((row for row in rows if row["kind"] == sketch.mapping.to), None)


def twins(tx: Reads, pair: Pair, document: Document, resolved: Resolved) -> Iterator[Finding]:
    """Ask before a first create whether a person has already made this record (design, R48)."""
    days = pair.payment_twin_days if isinstance(document, Payment) else pair.twin_days
    like = dict(_alike(tx, pair, document, resolved.customer, days))
    if isinstance(document, Invoice) and document.purchase_order:
        for row in tx.all(
            "mirror_by_words",
            company=pair.books.company,
            kind="invoice",
            words=document.purchase_order,
        ):
            if row["live"] and not row["gone"] and row["marker"] is None:
                like[row["id"]] = row
    like = {
        number: row
        for number, row in like.items()
        if not _is_taken(tx, pair.books.company, document, number)
    }
    if like:
        numbers = ", ".join(
            str(fields_of(row["fields"]).get("number") or row["id"]) for row in like.values()
        )
        yield Finding(
            "twin?",
            Severity.ASK,
            f"The books have a {document.kind} like this one, not made by Tieout: {numbers}.",
            "Answer link:ID if it is the same, `create` if it is another one, or `ignore`; many at "
            "once: `tieout backfill`.",
            document.source,
            choices=(*(f"link:{number}" for number in like), OVERRULED, LEFT_ALONE),
        )
    if isinstance(document, Invoice) and document.purchase_order:
        yield from _clones(tx, pair, document, resolved)


def unmarked(tx: Reads, pair: Pair, plan: Row, customer: str, since: datetime) -> list[str]:
    """Return the books' records like what a plan asked for, made since and without a mark.

    Their memo may have been rewritten before anybody looked: they may be what was asked for.

    Args:
        tx: the ledger.
        pair: the pair.
        plan: the plan's row.
        customer: its document's customer's id in the books.
        since: when it can have been made at the earliest, by the books' clock.
    """
    books = pair.books.company
    kind = change_of(plan["change"]).kind
    rows = tx.all(
        "mirror_made_since",
        company=books,
        kind=kind,
        customer=customer,
        since=instant_text(since),
    )
    return [
        row["id"]
        for row in rows
        if Decimal(plan["net"]) in _amounts(row)
        and tx.one("document_of_record", company=books, kind=kind, id=row["id"]) is None
    ]


def _is_taken(tx: Reads, books: str, document: Document, number: str) -> bool:
    """Whether a record by hand was linked to another document."""
    owner = tx.one("document_of_record", company=books, kind=document.kind, id=number)
    return owner is not None and owner["key"] != str(document.key)


def _alike(
    tx: Reads, pair: Pair, document: Document, customer: str | None, days: int
) -> Iterator[tuple[str, Row]]:
    if customer is None:
        return
    rows = tx.all(
        "mirror_of_customer",
        company=pair.books.company,
        kind=document.kind,
        customer=customer,
        since=(document.date - timedelta(days=days)).isoformat(),
        until=(document.date + timedelta(days=days)).isoformat(),
    )
    for row in rows:
        same_currency = fields_of(row["fields"]).get("currency") in (None, document.currency.code)
        if row["marker"] is None and document.net.amount in _amounts(row) and same_currency:
            yield row["id"], row


def _amounts(row: Row) -> set[Decimal]:
    return {Decimal(row[name]) for name in ("net", "total") if row[name] is not None}


def _clones(tx: Reads, pair: Pair, invoice: Invoice, resolved: Resolved) -> Iterator[Finding]:
    for row in tx.all(
        "documents_with_order", purchase_order=invoice.purchase_order, kind="invoice"
    ):
        amount = (_planned_net(tx, row), row["currency"])
        same = amount == (amount_text(invoice.net), invoice.currency.code)
        source = followed(tx, pair, source_of(row))
        other = source != invoice.source and row["state"] in (ASKED | DECIDED | {COLLECTED})
        here = other and same and not _is_elsewhere(tx, pair, row)
        if here and _same_customer(tx, pair, row, invoice, resolved):
            yield Finding(
                "clone?",
                Severity.ASK,
                f"Deal {row['source_id']} has the same customer, total and order number "
                f"{invoice.purchase_order}.",
                "Answer `create` if both are to be invoiced, or `ignore`.",
                invoice.source,
                choices=(OVERRULED, LEFT_ALONE),
            )


def _is_elsewhere(tx: Reads, pair: Pair, row: Row) -> bool:
    """Whether a document is in books of another company, which delivers and bills for itself."""
    receipt = tx.one("receipt_any", key=row["key"])
    return receipt is not None and receipt["company"] != pair.books.company


def _same_customer(tx: Reads, pair: Pair, row: Row, invoice: Invoice, resolved: Resolved) -> bool:
    """Whether two documents are for one customer of the books, or one company of the CRM."""
    if row["customer"] == resolved.customer or _same_new_customer(tx, row, resolved):
        return True
    known = (json.loads(row["posted_content"] or row["content"]) or {}).get("customer")
    asked = invoice.customer.source
    if not known or asked is None:
        return False
    return followed(tx, pair, Ref(row["company"], *known)) == followed(tx, pair, asked)


def _same_new_customer(tx: Reads, row: Row, resolved: Resolved) -> bool:
    """Whether two documents wait for customers of one name, each planned by a pair of its own."""
    new = resolved.needs.get(resolved.customer or "")
    theirs = tx.one("document_get", key=row["customer"])
    if new is None or theirs is None:
        return False
    named = folded(str(new.values["name"])), new.currency
    return (theirs["name_key"], theirs["currency"]) == named


def _planned_net(tx: Reads, row: Row) -> str | None:
    """Return what a document came to when it was planned, also where its deal is won no more."""
    plan = tx.one("plan_get", hash=row["plan_hash"]) if row["plan_hash"] else None
    net: str | None = row["net"] if plan is None else plan["net"]
    return net
