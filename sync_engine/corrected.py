"""corrected: what follows when the books have done a correction, in the answer's own transaction.

A credit begins its application to the invoice; an amendment is what the invoice says from now on;
what was taken back to be issued again begins its next generation.
"""

from __future__ import annotations

import json

from mapping.rules import Printing
from sync_engine.addresses import source_address, source_of
from sync_engine.collected import sharing
from sync_engine.ledger.store import Row, Writes
from sync_engine.pair import Pair
from sync_engine.reissuing import issue_again
from sync_engine.standing import Choice, Way
from tieout.model.canonical import digest
from tieout.model.ref import Key

NOTHING = "null"  # the content of a correction that leaves a difference


def take_correction(tx: Writes, pair: Pair, document: Row) -> None:
    """Carry on from a correction that the books did; other documents have nothing to carry on."""
    correction = tx.one("correction_get", key=document["key"])
    if correction is None or correction["way"] == Way.APPLY:
        return
    invoice = tx.one("document_get", key=correction["corrects"])
    assert invoice is not None
    chosen = json.loads(correction["choice"])
    choice = Choice.of(chosen)
    for key, content in (chosen.get("settles") or {}).items():
        tx.run("document_settled", key=key, content=content, at=tx.now_text())
    if document["posted_content"] not in (None, NOTHING):
        content = document["posted_content"]
        tx.run("document_settled", key=invoice["key"], content=content, at=tx.now_text())
    if choice.way is Way.AMEND:
        tx.run("document_amended", key=invoice["key"], plan_hash=document["plan_hash"])
        tx.run("receipt_amended", key=invoice["key"], correction=document["key"])
        if _prints_amended(pair, invoice):
            tx.run("print_again", invoice=invoice["key"])
    if choice.way is Way.CREDIT:
        begin_application(tx, document, correction)
    tx.run("document_look_at", key=invoice["key"])
    for one in sharing(tx, invoice["key"]):
        tx.run("document_look_at", key=one["key"])
    if choice.reissue and invoice["state"] != "superseded":
        issue_again(tx, pair, invoice, who="tieout", reason=f"{choice.name} {document['key']}")


def _prints_amended(pair: Pair, invoice: Row) -> bool:
    """Whether the mapping of an invoice wants the books' PDF of each amendment too."""
    made = (held for held in pair.mappings if held.identity == invoice["mapping"])
    return any(mapping.pdf is Printing.AMENDED for mapping in made)


def begin_application(tx: Writes, credit: Row, correction: Row) -> None:
    """Let the payment of nothing follow that was approved with the credit."""
    key = Key.parse(correction["along_key"])
    if tx.one("document_get", key=str(key)) is not None:
        return
    tx.run("need_add", key=str(key), need=credit["key"])
    tx.run(
        "document_put",
        key=str(key),
        stem=key.stem,
        generation=key.generation,
        pair=credit["pair"],
        mapping=credit["mapping"],
        part="",
        **source_address(source_of(credit)),
        kind="payment",
        state="approved",
        reason=None,
        title=f"{credit['title']}, applied",
        content=NOTHING,
        content_hash=digest(NOTHING),
        net=None,
        currency=credit["currency"],
        purchase_order=None,
        customer=credit["customer"],
        name_key=None,
        plan_hash=correction["along_hash"],
        at=tx.now_text(),
    )
    tx.run(
        "correction_put",
        key=str(key),
        corrects=correction["corrects"],
        way=Way.APPLY.value,
        choice=correction["choice"],
        shares="[]",
        along_key=None,
        along_hash=None,
    )
