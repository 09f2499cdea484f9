"""Receipts: what the other system did for us, written down with everything that follows from it.

Whether the answer came at once, was found by our marker, adopted after a lost ledger or linked by a
person: a receipt is taken here, in one transaction with the document's new state.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sync_engine.addresses import address_of, source_of
from sync_engine.adopting import adopt_corrections
from sync_engine.collect import leave, wake
from sync_engine.collected import sharing
from sync_engine.corrected import take_correction
from sync_engine.ledger.spelling import amount_text, change_of, fields_of, fields_text
from sync_engine.ledger.store import Row, Writes
from sync_engine.mirror import mirror_record, note_document
from sync_engine.pair import Pair
from sync_engine.sketch import Sketch, content_of, order_of
from sync_engine.states import REFERENCE_KINDS
from sync_engine.tasks import (
    APPROVAL,
    DRIFT,
    FINDING,
    REFUSED,
    UNCLAIMED,
    WRITE_BACK,
    Wanted,
    answers,
    keep,
    untold,
)
from tieout.model.canonical import canonical, digest
from tieout.model.change import Update, Verb
from tieout.model.contract import Receipt
from tieout.model.enclosed import PRINT
from tieout.model.errors import NotFound, StaleVersion, TieoutError
from tieout.model.record import Record
from tieout.model.ref import Key, Ref, Version


def take_receipt(tx: Writes, pair: Pair, row: Row, receipt: Receipt, *, how: str) -> None:
    """Write down that a queued change was done.

    Args:
        tx: the transaction that settles the answer.
        pair: the pair at work.
        row: the change's row of the outbox.
        receipt: what the other system answered.
        how: answered, or found by looking.
    """
    _keep_receipt(tx, row["key"], row["plan_hash"], row["verb"], receipt, how, row["request_id"])
    tx.run("outbox_state", key=row["key"], plan_hash=row["plan_hash"], state="done", error=None)
    if row["kind"] == PRINT:
        _filed(tx, pair, row["key"], receipt)
    elif row["company"] == pair.books.company:
        _posted(tx, pair, row["key"], receipt)
    else:
        _told(tx, pair, row, receipt)


def adopt(tx: Writes, pair: Pair, sketch: Sketch) -> bool:
    """Take a record of the books that carries this document's marker for what it is: ours.

    So a ledger that lost its last lines, or all of them, posts nothing twice; a record that was
    voided since is posted and voided, not to be made again.
    """
    row = tx.one(
        "mirror_of_marker",
        company=pair.books.company,
        kind=sketch.mapping.to,
        marker=str(sketch.key),
    )
    if row is None:
        return False
    link(tx, pair, sketch, row, how="adopted")
    _adopt_former(tx, pair, sketch)
    for before in tx.all(
        "documents_before", stem=sketch.key.stem, generation=sketch.key.generation
    ):
        _supersede(tx, pair, sketch, before["key"])
    return True


def _adopt_former(tx: Writes, pair: Pair, sketch: Sketch) -> None:
    """Take the earlier generations that the books have for ours, with what was credited of them."""
    key = sketch.key
    if key.generation == 1:
        return
    for shown in tx.all(
        "mirror_generations",
        company=pair.books.company,
        kind=sketch.mapping.to,
        first=f"{key.stem}-",
        behind=f"{key.stem}.",
    ):
        former = Key.parse(shown["marker"])
        is_known = tx.one("document_get", key=str(former)) is not None
        if former.generation < key.generation and not is_known:
            link(tx, pair, replace(sketch, key=former), shown, how="adopted")


def _supersede(tx: Writes, pair: Pair, sketch: Sketch, key: str) -> None:
    """Leave an earlier generation behind: a ledger that was restored does not know its reissue."""
    tx.run("document_state", key=key, state="superseded", reason=None, at=tx.now_text())
    tx.journal("tieout", "superseded", key, {"by": str(sketch.key)})
    for family in (FINDING, APPROVAL, REFUSED, DRIFT):
        keep(tx, pair=pair.name, family=family, subject=key, source=sketch.ref, wanted=())


def link(tx: Writes, pair: Pair, sketch: Sketch, row: Row, *, how: str) -> None:
    """Bind a document to a record that the books already have."""
    record = Record(
        Ref(row["company"], row["kind"], row["id"]),
        Version(row["version"]),
        fields_of(row["fields"]),
    )
    content = canonical(content_of(sketch.document))
    tx.run("needs_clear", key=str(sketch.key))
    tx.run(
        "document_put",
        key=str(sketch.key),
        stem=sketch.key.stem,
        generation=sketch.key.generation,
        pair=pair.name,
        mapping=sketch.mapping.identity,
        part=sketch.part,
        company=sketch.ref.company,
        source_kind=sketch.ref.kind,
        source_id=sketch.ref.id,
        kind=sketch.mapping.to,
        state="planned",
        reason=None,
        title=sketch.title,
        content=content,
        content_hash=digest(content),
        net=amount_text(sketch.net),
        currency=None if sketch.net is None else sketch.net.currency.code,
        purchase_order=order_of(sketch.document),
        customer=record.fields.get("customer"),
        name_key=None,
        plan_hash=None,
        at=tx.now_text(),
    )
    _keep_receipt(
        tx, str(sketch.key), how, "create", Receipt(record.ref, record.version, record), how, None
    )
    _posted(tx, pair, str(sketch.key), Receipt(record.ref, record.version))
    if sketch.mapping.to == "invoice":
        invoice = tx.one("document_get", key=str(sketch.key))
        assert invoice is not None
        adopt_corrections(tx, pair, invoice)
    for family in (FINDING, APPROVAL, UNCLAIMED):
        keep(
            tx,
            pair=pair.name,
            family=family,
            subject=str(sketch.key),
            source=sketch.ref,
            wanted=(),
        )


def take_known(
    tx: Writes, pair: Pair, key: str, receipt: Receipt, *, verb: Verb = Verb.CREATE
) -> None:
    """Write down that the other side has a document already, which somebody else sent."""
    how = "adopted"
    _keep_receipt(tx, key, how, verb.value, receipt, how, None)
    if receipt.ref.kind == PRINT:
        _filed(tx, pair, key, receipt)
    else:
        _posted(tx, pair, key, receipt)


def refuse(tx: Writes, pair: Pair, row: Row, error: TieoutError) -> None:
    """Write down that a queued change was definitely refused: one task, with the vendor's words."""
    detail = canonical(
        {
            "code": error.code,
            "message": str(error),
            "vendor_code": error.vendor_code,
            "vendor_words": error.vendor_words,
            "trace_id": error.trace_id,
        }
    )
    tx.run(
        "outbox_state", key=row["key"], plan_hash=row["plan_hash"], state="refused", error=detail
    )
    tx.journal("tieout", "refused", row["key"], {"about": row["about"], "error": str(error)})
    document = tx.one("document_get", key=row["key"])
    if document is None:
        _refused_write_back(tx, pair, row, error)
        return
    if isinstance(error, StaleVersion) and tx.one("correction_get", key=row["key"]):
        at = tx.now_text()  # it is planned again once the books have shown what it is now
        tx.run("document_state", key=row["key"], state="blocked", reason=error.code, at=at)
        return
    tx.run("document_state", key=row["key"], state="refused", reason=error.code, at=tx.now_text())
    tx.run("dependants_again", need=row["key"], pair=pair.name)
    keep(
        tx,
        pair=pair.name,
        family=REFUSED,
        subject=row["key"],
        source=source_of(document),
        wanted=[
            Wanted(
                error.code,
                document["title"],
                str(error),
                error.next,
                choices=("retry", "ignore"),
                detail={"vendor_code": error.vendor_code, "trace_id": error.trace_id},
            )
        ],
    )


def _refused_write_back(tx: Writes, pair: Pair, row: Row, error: TieoutError) -> None:
    """One task for each cause, not for each record: a locked field refuses them all.

    Whoever ignored it is not asked about the same words again. Of a record that is not there the
    task is its own: it closes once the CRM has shown that it is gone, if that was not seen before.
    """
    subject = f"{WRITE_BACK}{pair.name}:{error.vendor_code or error.code}"
    change = change_of(row["change"])
    if isinstance(error, NotFound) and isinstance(change, Update):
        shown = tx.one("snapshot_get", pair=pair.name, **address_of(change.ref))
        if shown is not None and shown["state"] in ("gone", "merged"):
            return
        subject = untold(pair.name, change.ref)
    task = Wanted(
        f"write-back-{error.code}",
        f"The CRM refuses what {row['about']} should be told",
        str(error),
        error.next,
        choices=("retry", "ignore"),
        detail={"vendor_words": error.vendor_words},
    )
    decided = answers(tx, subject).get(task.code)
    ignored = (
        decided is not None
        and decided["answer"] == "ignore"
        and decided["detail"] == canonical(task.detail)
    )
    keep(
        tx,
        pair=pair.name,
        family=REFUSED,
        subject=subject,
        source=None,
        wanted=[] if ignored else [task],
    )


def _keep_receipt(
    tx: Writes,
    key: str,
    plan_hash: str,
    verb: str,
    receipt: Receipt,
    how: str,
    request_id: str | None,
) -> None:
    fields = receipt.record.fields if receipt.record is not None else {}
    tx.run(
        "receipt_put",
        key=key,
        plan_hash=plan_hash,
        verb=verb,
        company=receipt.ref.company,
        kind=receipt.ref.kind,
        id=receipt.ref.id,
        version=receipt.version,
        fields=fields_text(fields),
        how=how,
        request_id=request_id,
        at=tx.now_text(),
    )


def _posted(tx: Writes, pair: Pair, key: str, receipt: Receipt) -> None:
    """The books have it: bind, mirror, and wake whatever waited for it."""
    ref = receipt.ref
    document = tx.one("document_get", key=key)
    assert document is not None
    customer = None if receipt.record is None else receipt.record.fields.get("customer")
    tx.run("document_posted", key=key, posted_id=ref.id, customer=customer, at=tx.now_text())
    shown = tx.one("mirror_get", **address_of(ref))
    is_new = shown is None
    if receipt.record is not None and not (shown is not None and shown["gone"]):
        mirror_record(tx, pair, receipt.record)  # an old answer brings nothing back to life
    source = source_of(document)
    if ref.kind in REFERENCE_KINDS:
        tx.run(
            "binding_put",
            company=source.company,
            kind=source.kind,
            id=source.id,
            books=ref.company,
            currency=document["currency"] or "",
            target_kind=ref.kind,
            target_id=ref.id,
            by_whom=f"document {key}",
            at=tx.now_text(),
        )
    if ref.kind == "payment" and receipt.record is not None and is_new:
        _cover(tx, ref.company, receipt.record.fields.get("allocations") or ())
    if ref.kind == "invoice":
        _remember_customer(tx, document, receipt)
        tx.run("collected_posted", collective=key, posted_id=ref.id, at=tx.now_text())
        wake(tx, pair, document)
        leave(tx, key)
        for each in [source_of(row) for row in sharing(tx, key)] or [source]:
            touched = {"pair": pair.name, **address_of(each)}
            tx.run("touch_members", **touched)
            if any(held.kind == each.kind and held.to == "payment" for held in pair.mappings):
                tx.run("touch", **touched, reread=0)
    note_document(tx, ref)
    take_correction(tx, pair, document)
    number = None if receipt.record is None else receipt.record.fields.get("number")
    tx.journal(
        "tieout", "posted", key, {"id": ref.id, "number": number, "title": document["title"]}
    )
    keep(
        tx,
        pair=pair.name,
        family=REFUSED,
        subject=key,
        source=source,
        wanted=(),
    )


def _filed(tx: Writes, pair: Pair, key: str, receipt: Receipt) -> None:
    """The CRM has the books' PDF of an invoice."""
    document = tx.one("document_get", key=key)
    assert document is not None
    at = tx.now_text()
    tx.run("document_posted", key=key, posted_id=receipt.ref.id, customer=None, at=at)
    tx.journal("tieout", "posted", key, {"id": receipt.ref.id, "title": document["title"]})
    source = source_of(document)
    keep(tx, pair=pair.name, family=REFUSED, subject=key, source=source, wanted=())


def _cover(tx: Writes, company: str, allocations: Sequence[Mapping[str, Any]]) -> None:
    """Take what our payment covers off the mirror's balances: the feed shows it a round later.

    Where the feed has shown the payment already, it has shown the balances with it.
    """
    for part in allocations:
        row = tx.one("mirror_get", company=company, kind=part["kind"], id=part["id"])
        if part["kind"] != "invoice" or row is None:
            continue
        fields = fields_of(row["fields"])
        fields["balance"] -= part["amount"]
        text = fields_text(fields)
        tx.run("mirror_fields", company=company, kind="invoice", id=row["id"], fields=text)


def _remember_customer(tx: Writes, document: Row, receipt: Receipt) -> None:
    """Bind the CRM's company to the customer that its invoice names, found, chosen or linked."""
    content = json.loads(document["content"])
    shown = tx.one("mirror_get", **address_of(receipt.ref))
    if not content or not content.get("customer") or shown is None:
        return
    kind, number = content["customer"]
    currency = fields_of(shown["fields"]).get("currency") or ""
    address = {"company": document["company"], "kind": kind, "id": number}
    books = {"books": receipt.ref.company, "currency": currency}
    if tx.value("binding_get", **address, **books) is not None:
        return
    tx.run(
        "binding_put",
        **address,
        **books,
        target_kind="customer",
        target_id=shown["customer"],
        by_whom=f"document {document['key']}",
        at=tx.now_text(),
    )


def _told(tx: Writes, pair: Pair, row: Row, receipt: Receipt) -> None:
    """The CRM was told: remember what, so that only a change is told again."""
    change = change_of(row["change"])
    address = {"pair": pair.name, **address_of(receipt.ref)}
    held = tx.value("written_get", **address)
    known = {} if held is None else fields_of(str(held))
    tx.run("written_put", **address, fields=canonical({**known, **change.values}))
