"""activate: what the configuration means now, and what is left of what it meant before.

A mapping's activation is the standing approval of its write-backs, journaled with its hash. What
waits under a mapping, or for books, that the pair has no more is never sent; what was already sent
to such a company must be looked for there first. And a company is who the configuration says it is.
"""

from __future__ import annotations

import logging

from sync_engine.addresses import source_of
from sync_engine.collect import leave
from sync_engine.field_names import follow_names
from sync_engine.ledger.sqlite import Ledger
from sync_engine.ledger.store import Row, Writes
from sync_engine.mirror import stop_pair
from sync_engine.pair import Pair
from sync_engine.tasks import APPROVAL, FINDING, REFUSED, keep
from tieout.model.canonical import canonical, digest
from tieout.model.errors import ConfigError, Rejected, Unauthorized
from tieout.model.ref import Key

_log = logging.getLogger(__name__)


def confirm(ledger: Ledger, pair: Pair) -> None:
    """Stand still when a key or token is another company's than the configuration names.

    Asked before anything is read: its deals would be posted to books that are not theirs. Where a
    system does not say whose a key is the round goes on, as a proxy may serve the records alone.

    Raises:
        Unavailable: a company does not answer.
    """
    for connector in (pair.crm, pair.books):
        try:
            connector.check()
        except ConfigError as wrong:
            with ledger.transaction() as tx:
                stop_pair(tx, pair.name, "other-company", wrong.what, wrong.next)
            return
        except (Rejected, Unauthorized) as refused:
            _log.warning("%s does not say whose it is: %s", connector.company, refused.code)


def activate(ledger: Ledger, pair: Pair) -> None:
    """Journal each new meaning of the mappings once, and retire what nothing makes any more."""
    elsewhere = ledger.value("parcel_elsewhere", pair=pair.name, **_companies(pair))
    if elsewhere is not None:
        _stop(ledger, pair, str(elsewhere))
        return
    if not follow_names(ledger, pair):
        return
    meaning = canonical([_companies(pair), sorted(mapping.hash for mapping in pair.mappings)])
    state = ledger.one("pair_get", pair=pair.name)
    if state is not None and state["mappings_hash"] == digest(meaning):
        return
    with ledger.transaction() as tx:
        tx.run("pair_mappings", pair=pair.name, hash=digest(meaning))
        tx.run("pending_again", pair=pair.name)
        tx.run("left_out_again", pair=pair.name)
        for row in tx.all("documents_pending", pair=pair.name):
            if not _is_made(pair, row) and tx.one("correction_get", key=row["key"]) is None:
                _retire(tx, pair, row)
        for mapping in pair.mappings:
            detail = {"hash": mapping.hash, "version": mapping.version}
            tx.journal("configuration", "mapping activated", mapping.name, detail)


def _is_made(pair: Pair, row: Row) -> bool:
    """Whether one of the pair's mappings makes this very document, for these books."""
    source = source_of(row)
    return any(
        (source.kind in (mapping.kind, mapping.collects))
        and Key.of(
            source,
            mapping=mapping.identity,
            document=mapping.to,
            target_company=pair.books.company,
            part=row["part"],
        ).stem
        == row["stem"]
        for mapping in pair.mappings
    )


def _retire(tx: Writes, pair: Pair, row: Row) -> None:
    key = row["key"]
    tx.run("needs_clear", key=key)
    leave(tx, key)
    tx.run("document_retire", key=key, reason="not-made", at=tx.now_text())
    source = source_of(row)
    for family in (FINDING, APPROVAL, REFUSED):
        keep(tx, pair=pair.name, family=family, subject=key, source=source, wanted=())
    tx.journal("configuration", "left", key, {"mapping": row["mapping"], "state": row["state"]})


def _stop(ledger: Ledger, pair: Pair, company: str) -> None:
    """Stand still while the outcome of a call to a company that was left is not known."""
    with ledger.transaction() as tx:
        stop_pair(
            tx,
            pair.name,
            "company-left",
            f"A call to {company} has no answer yet, and the pair {pair.name} is of other "
            "companies now.",
            f"Name {company} again until `tieout status` shows no unknowns, then change it; or "
            "give the new companies a pair of their own.",
        )


def _companies(pair: Pair) -> dict[str, str]:
    return {"crm": pair.crm.company, "books": pair.books.company}
