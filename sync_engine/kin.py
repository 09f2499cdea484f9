"""kin: two sources of which one names the other, as a quote its deal, would invoice one sale twice.

Whoever is first keeps the sale, planned or posted; the other is a question, since a deal may hold
what its quote does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sync_engine.addresses import address_of, named_as, source_of
from sync_engine.collected import was_sent
from sync_engine.gather import followed
from sync_engine.ledger.spelling import fields_of
from sync_engine.ledger.store import Reads, Row, Writes
from sync_engine.marks import merged_ids
from sync_engine.pair import Pair
from sync_engine.sketch import Sketch
from sync_engine.states import ASKED, LEFT_ALONE, OVERRULED, TAKEN_BACK, TO_BE_SENT
from sync_engine.tasks import answers
from tieout.model.change import Finding, Severity
from tieout.model.ref import Ref

INVOICED = "already-invoiced"


def invoiced_kin(tx: Reads, pair: Pair, sketch: Sketch) -> Iterator[Finding]:
    """Ask about a source whose deal, or whose quote, has a document of its own in this pair.

    Not where a person said of the other that both are to be made.
    """
    if sketch.members:  # its source is a customer, whom each of its deals names
        return
    seen: set[Ref] = set()
    for row in _beside(tx, pair, sketch):
        source = source_of(row)
        first = was_sent(tx, row) or row["state"] in TO_BE_SENT
        said = answers(tx, row["key"]).get(INVOICED)
        both = said is not None and said["answer"] == OVERRULED
        if source in seen or not first or both or tx.all("collected_in", collective=row["key"]):
            continue
        seen.add(source)
        yield Finding(
            INVOICED,
            Severity.ASK,
            f"{sketch.title} belongs to {named_as(source)}, {_so_far(tx, row)}.",
            "`create` if both are to be invoiced, or `ignore`; limit one of the two mappings with "
            "when.",
            sketch.ref,
            choices=(LEFT_ALONE, OVERRULED),
        )


def leaves_its_kin(tx: Writes, held: Row | None, state: str) -> None:
    """Let what is held because of a document be planned again once that is not to be sent."""
    if held is not None and held["state"] in TO_BE_SENT and state not in TO_BE_SENT | ASKED:
        tx.run("touch_held_kin", key=held["key"])


def _beside(tx: Reads, pair: Pair, sketch: Sketch) -> Iterator[Row]:
    """Yield the documents of what a source names, and of what names it, merges followed."""
    for old in (sketch.ref.id, *sketch.merged):
        of = address_of(replace(sketch.ref, id=old))
        yield from tx.all("documents_naming", pair=pair.name, **of, of=sketch.mapping.to)
    named = {"pair": pair.name, **address_of(sketch.ref)}
    for row in tx.all("named_by", **named):
        met = Ref(sketch.ref.company, row["to_kind"], row["to_id"])
        lives = followed(tx, pair, met)
        shown = tx.one("snapshot_get", pair=pair.name, **address_of(lives))
        is_live = shown is not None and shown["state"] == "live"
        olds = merged_ids(fields_of(shown["fields"])) if shown and is_live else ()
        for ref in dict.fromkeys((met, lives, *(replace(lives, id=old) for old in olds))):
            found = {"pair": pair.name, **address_of(ref), "of": sketch.mapping.to}
            yield from tx.all("documents_of_named", **found)


def _so_far(tx: Reads, row: Row) -> str:
    by = f"the mapping {row['mapping']}"
    if row["state"] in TAKEN_BACK:
        return f"which was posted by {by} and {row['state']} in the books since"
    if was_sent(tx, row):
        return f"which was already posted by {by}"
    return f"which is to be posted by {by}"
