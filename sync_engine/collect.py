"""collect: which sources go with which document of several, noted in the commit of their draft.

What was noted stands until it is drafted anew; once the document was sent it stands for good. A
customer whose sources moved is touched, so that its documents are planned again.
"""

from __future__ import annotations

from sync_engine.addresses import address_of, source_of
from sync_engine.collected import Collective, going_along, sent_with
from sync_engine.ledger.spelling import amount_text
from sync_engine.ledger.store import Row, Writes
from sync_engine.observe import touch
from sync_engine.pair import Pair
from sync_engine.sketch import Sketch, content_of
from sync_engine.states import ASKED, COLLECTED
from tieout.model.canonical import canonical
from tieout.model.ref import Ref


def note_collected(tx: Writes, pair: Pair, sketch: Sketch) -> None:
    """Note what a source goes with now, after it was planned, and wake what that concerns."""
    if not sketch.is_member:
        return
    key = str(sketch.key)
    rows = tx.all("collected_of", document=key)
    for row in rows:
        touch(tx, pair, Ref(row["company"], row["kind"], row["id"]), reread=False)
    if sent_with(tx, key) is not None:
        return
    document = tx.one("document_get", key=key)
    if document is not None and sketch.is_unread:
        for row in rows:
            tx.run("collected_hold", collective=row["collective"], document=key)
        return
    wanted = sketch.goes_with
    if document is None or document["state"] not in (COLLECTED, "blocked"):
        wanted = None
    leave(tx, key, but=wanted)
    if wanted is not None:
        tx.run(
            "collected_put",
            collective=str(wanted.key),
            document=key,
            pair=pair.name,
            mapping=sketch.mapping.identity,
            **address_of(wanted.customer),
            period=wanted.period.name,
            first_day=wanted.period.first.isoformat(),
            last_day=wanted.period.last.isoformat(),
            currency=wanted.currency,
            held=int(document is None or document["state"] != COLLECTED),
        )
        touch(tx, pair, wanted.customer, reread=False)


def note_shares(tx: Writes, pair: Pair, sketch: Sketch) -> None:
    """Note whose the lines of a document of several are, with the plan that is made of them.

    A source that goes along no more, as a ledger that was restored did not know, is drafted anew.
    """
    key = str(sketch.key)
    held = tx.one("document_get", key=key)
    if not sketch.members or (held is not None and held["state"] in ASKED):
        return
    made = dict(sketch.members)
    places = {document: n for n, document in enumerate(made, 1)}
    for row in going_along(tx, key):
        document = made.get(row["key"])
        if document is None:
            touch(tx, pair, source_of(row), reread=False)
        tx.run(
            "collected_planned",
            collective=key,
            document=row["key"],
            n=places.get(row["key"]),
            lines=0 if document is None else sum(line.item is not None for line in document.lines),
            net=None if document is None else amount_text(document.net),
            content=None if document is None else canonical(content_of(document)),
        )


def leave(tx: Writes, key: str, *, but: Collective | None = None) -> None:
    """Take a source's document out of every one of several that was not sent with it."""
    sent = sent_with(tx, key)
    stays = {str(but.key)} if but is not None else set()
    stays |= {sent["collective"]} if sent is not None else set()
    for row in tx.all("collected_of", document=key):
        if row["collective"] not in stays:
            tx.run("collected_leave", collective=row["collective"], document=key)


def wake(tx: Writes, pair: Pair, row: Row) -> None:
    """Let the documents of a customer be planned again that a source's document goes with."""
    for one in tx.all("collected_of", document=row["key"]):
        touch(tx, pair, Ref(one["company"], one["kind"], one["id"]), reread=False)
