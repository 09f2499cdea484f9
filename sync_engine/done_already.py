"""done already: a correction that waits here and that the books show as done is taken for done.

A ledger that was restored knows one as chosen that was sent since.
"""

from __future__ import annotations

from collections.abc import Mapping

from sync_engine.addresses import source_of
from sync_engine.ledger.spelling import change_of, fields_of
from sync_engine.ledger.store import Row, Writes
from sync_engine.mirror_rows import record_of
from sync_engine.pair import Pair
from sync_engine.receipts import take_known
from sync_engine.saying import UNSHOWN, says
from sync_engine.standing import Way
from sync_engine.tasks import APPROVAL, REFUSED, keep
from tieout.model.canonical import Values
from tieout.model.change import Verb
from tieout.model.contract import Receipt

KINDS: Mapping[Way, str] = {Way.CREDIT: "credit_memo"}  # of the document that a correction is


def take_done(tx: Writes, pair: Pair, invoice: Row, row: Row, way: Way) -> bool:
    """Take a correction for done that the books show; return whether they do.

    A credit carries its marker, and what was amended says it.
    """
    books = pair.books.company
    if way is Way.CREDIT:
        kind, verb = KINDS[way], Verb.CREATE
        shown = tx.one("mirror_of_marker", company=books, kind=kind, marker=row["key"])
    elif way is Way.AMEND:
        verb = Verb.UPDATE
        shown = tx.one("mirror_get", company=books, kind="invoice", id=invoice["posted_id"])
        plan = tx.one("plan_get", hash=row["plan_hash"])
        if shown is None or plan is None or not _says_all(shown, change_of(plan["change"]).values):
            return False
    else:
        return False  # an invoice that was voided says so itself
    if shown is None:
        return False
    record = record_of(shown)
    receipt = Receipt(record.ref, record.version, record)
    tx.run("document_queued", key=row["key"])  # so what it says is what was sent
    take_known(tx, pair, row["key"], receipt, verb=verb)
    close_tasks(tx, pair, row)
    return True


def close_tasks(tx: Writes, pair: Pair, row: Row) -> None:
    """Close what people were asked about a correction that is not to be sent any more."""
    for family in (APPROVAL, REFUSED):
        source = source_of(row)
        keep(tx, pair=pair.name, family=family, subject=row["key"], source=source, wanted=())


def _says_all(shown: Row, values: Values) -> bool:
    fields = fields_of(shown["fields"])
    live = bool(shown["live"]) and not shown["gone"]
    return live and all(
        name in fields and says(fields[name], value)
        for name, value in values.items()
        if name not in UNSHOWN
    )
