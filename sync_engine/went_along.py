"""went along: whether a source is in a document of several that the ledger has forgotten."""

from __future__ import annotations

from enum import Enum

from mapping.rules import GroupRule
from sync_engine.ledger.spelling import fields_of
from sync_engine.ledger.store import Reads
from sync_engine.pair import Pair
from sync_engine.sketch import Sketch
from sync_engine.states import ASKED, LEFT_ALONE, OVERRULED
from sync_engine.tasks import answers
from tieout.model.change import Finding, Severity
from tieout.model.document import Invoice
from tieout.model.ref import Key

ADOPTED = "adopted"  # how a document came into a ledger that had forgotten it
WENT_ALONG = "went-along?"  # the finding of what may be in it


class Went(Enum):
    """Whether a document of several was sent, and a source with it."""

    NOT_YET = "it was not sent, or the source went with it"
    WITHOUT = "it was sent without the source"
    UNSURE = "it was sent, and the source may have changed since"


def went(ledger: Reads, pair: Pair, alone: Sketch, key: Key) -> Went:
    """Return whether a document of several was sent without a source that was not sent with it.

    A ledger that was lost, or put back from a backup, knows it by its marker in the books. What is
    whole among its lines there went with it. What has some of its lines or texts there, or was to
    go with it when the backup was made, may have gone with it and changed since.
    """
    held = ledger.one("document_get", key=str(key))
    was_sent = held is not None and held["state"] in ASKED
    receipt = ledger.one("receipt_any", key=str(key)) if was_sent else None
    if was_sent and (receipt is None or receipt["how"] != ADOPTED):
        return Went.WITHOUT
    document = alone.document
    shown = ledger.one(
        "mirror_of_marker", company=pair.books.company, kind=alone.mapping.to, marker=str(key)
    )
    if shown is None or not isinstance(document, Invoice):
        return Went.WITHOUT if was_sent else Went.NOT_YET
    lines = fields_of(shown["fields"]).get("lines") or ()
    there = {(line["description"], line["amount"]) for line in lines}
    is_whole = all((line.description, line.amount.amount) in there for line in document.lines)
    if is_whole and not was_sent:
        return Went.NOT_YET
    texts = {text for text, _ in there}
    known = ledger.all("collected_of", document=str(alone.key))
    is_known = any(row["collective"] == str(key) for row in known)
    is_named = any(line.description in texts for line in document.lines)
    return Went.UNSURE if is_known or is_named else Went.WITHOUT


def is_overruled(ledger: Reads, sketch: Sketch) -> bool:
    """Whether a person said that a source did not go along."""
    answered = answers(ledger, str(sketch.key)).get(WENT_ALONG)
    return answered is not None and answered["answer"] == OVERRULED


def unsure(sketch: Sketch, rule: GroupRule, period: str) -> Finding:
    """Return what asks a person whether a source went along."""
    return Finding(
        WENT_ALONG,
        Severity.ASK,
        f"{sketch.title} may have been invoiced with the others of {period}, and changed since: "
        "the invoice has not all of its lines as they are now.",
        "Look at that invoice: `ignore` if the deal is in it, `create` to let it go with the next.",
        sketch.ref,
        rule.line,
        choices=(LEFT_ALONE, OVERRULED),
    )
