"""reissuing: the next generation of a document, whose record was taken back, begins."""

from __future__ import annotations

from sync_engine.addresses import address_of, source_of
from sync_engine.collected import sharing
from sync_engine.ledger.store import Row, Writes
from sync_engine.pair import Pair
from sync_engine.tasks import DRIFT, keep
from tieout.model.ref import Key


def issue_again(tx: Writes, pair: Pair, row: Row, *, who: str, reason: str) -> Key:
    """Begin the next generation of a document; return its key. It is planned like any other."""
    key = Key(row["stem"], row["generation"]).next_generation()
    source = source_of(row)
    tx.run(
        "document_reissue",
        key=row["key"],
        new=str(key),
        generation=key.generation,
        at=tx.now_text(),
    )
    tx.run("document_state", key=row["key"], state="superseded", reason=None, at=tx.now_text())
    keep(tx, pair=pair.name, family=DRIFT, subject=row["key"], source=source, wanted=())
    tx.run("touch", pair=pair.name, **address_of(source), reread=1)
    for each in sharing(tx, row["key"]):
        of_each = source_of(each)
        keep(tx, pair=pair.name, family=DRIFT, subject=each["key"], source=of_each, wanted=())
        tx.run("touch", pair=pair.name, **address_of(of_each), reread=1)
    tx.run("collected_again", collective=row["key"], at=tx.now_text())
    tx.journal(who, "reissue", row["key"], {"new": str(key), "reason": reason})
    return key
