"""print_back: the books' own PDF of a posted invoice goes to its source in the CRM, if asked for.

Printed twice, the same invoice has other bytes; so what is done once is an edition, not a hash: the
invoice as posted is the first, and each amendment by us makes another. The hash is in the plan, as
of every file, and what was committed is what is sent.
"""

from __future__ import annotations

import logging
import re
from datetime import datetime
from decimal import Decimal

from mapping.rules import Mapping
from sync_engine.enclosing import file, hold, keep_problem, known_there, source_in
from sync_engine.ledger.spelling import fields_of
from sync_engine.ledger.sqlite import Ledger
from sync_engine.ledger.store import Reads, Row, Writes
from sync_engine.pair import Pair
from sync_engine.queue import queue
from sync_engine.sketch import Sketch
from sync_engine.spool import INVOICE, Spool, Spooled, TooLarge
from sync_engine.states import in_state
from sync_engine.tasks import Wanted
from tieout.model.change import Create, Plan
from tieout.model.dates import instant_text
from tieout.model.enclosed import PRINT
from tieout.model.errors import NextStep, TieoutError
from tieout.model.ref import Key, Ref
from tieout.model.words import one_line

PRINTS_AT_ONCE = 100  # read from the ledger together
PRINTS_IN_A_ROUND = 500  # one call of the books each; the rest is the next round's
NUMBER_LIMIT = 60  # letters of the number in the file's name
PDF = "pdf"
BEGINS = b"%PDF-"

_log = logging.getLogger(__name__)
_UNSAFE = re.compile(r"[^\w.-]+")


def note_print(tx: Writes, pair: Pair, sketch: Sketch) -> None:
    """Note that a document's mapping wants the books' PDF of it on its source.

    That of an invoice of several sources goes to each of them, and not to their customer.
    """
    if sketch.mapping.pdf is not None and sketch.document is not None and not sketch.members:
        invoice = str(sketch.key)
        tx.run("print_want", invoice=invoice, company=pair.books.company, pair=pair.name)


def print_back(ledger: Ledger, pair: Pair, now: datetime) -> int:
    """Plan the PDFs that sources lack, and queue them; return how many are new."""
    asking = [mapping for mapping in pair.mappings if mapping.pdf is not None]
    if not asking:
        return 0
    spool = Spool.of(ledger, pair)
    spool.keep_only({row["sha256"] for row in ledger.all("files_kept", pair=pair.name)})
    if PRINT not in pair.crm.capabilities.kinds:
        return 0
    _anew(ledger, pair)
    planned = 0
    for mapping in asking:
        planned += _of_mapping(ledger, pair, mapping, spool, now)
    queue(ledger, pair)
    return planned


def _anew(ledger: Ledger, pair: Pair) -> None:
    """Print again what a person said is to be tried again: the old bytes may be there no more."""
    rows = [row for row in in_state(ledger, pair.name, "planned") if row["kind"] == PRINT]
    if not rows:
        return
    with ledger.transaction() as tx:
        for row in rows:
            tx.run("print_anew", pair=pair.name, key=row["key"])


def _of_mapping(ledger: Ledger, pair: Pair, mapping: Mapping, spool: Spool, now: datetime) -> int:
    planned, after = 0, ""
    for _ in range(PRINTS_IN_A_ROUND // PRINTS_AT_ONCE):
        rows = ledger.all(
            "prints_due",
            pair=pair.name,
            mapping=mapping.identity,
            after=after,
            limit=PRINTS_AT_ONCE,
        )
        for row in rows:
            planned += _print(ledger, pair, mapping, spool, row, now)
        if len(rows) < PRINTS_AT_ONCE:
            break
        after = rows[-1]["invoice"]
    return planned


def _print(
    ledger: Ledger, pair: Pair, mapping: Mapping, spool: Spool, row: Row, now: datetime
) -> bool:
    """Read one PDF and plan it for its source; return whether it is a new one."""
    limit_bytes = pair.crm.capabilities.limit(PRINT, "size_bytes") or 0
    ref = Ref(pair.books.company, INVOICE, row["posted_id"])
    try:
        spooled = spool.take(pair.books, ref, limit_bytes)
        if not spooled.head.startswith(BEGINS):
            spool.drop(spooled.sha256)
            return hold(ledger, pair, row, _no_pdf(row))
        plan = _plan(pair, mapping, row, ref, _name(ledger, ref), spooled, now)
        known = known_there(ledger, pair.crm, PRINT, row, plan.key)
    except TooLarge:
        return hold(ledger, pair, row, _too_large(row, limit_bytes))
    except TieoutError as error:
        if error.next_step is NextStep.STOP:
            raise
        _log.warning("invoice not printed", extra={"record": str(ref), "code": error.code})
        with ledger.transaction() as tx:
            keep_problem(tx, pair, row, _unread(row, error))
        return False
    with ledger.transaction() as tx:
        is_new = file(tx, pair, row, plan, now, known)
    if not is_new:
        spool.drop(spooled.sha256)
    return is_new


def _plan(
    pair: Pair,
    mapping: Mapping,
    row: Row,
    ref: Ref,
    name: str,
    spooled: Spooled,
    now: datetime,
) -> Plan:
    source = source_in(row)
    key = Key.of(
        source,
        mapping=mapping.identity,
        document=PRINT,
        target_company=pair.crm.company,
        part=f"{row['invoice']}:{row['version']}",
    )
    values = {
        "about": [source.company, source.kind, source.id],
        "name": name,
        "media_type": pair.crm.capabilities.kinds[PRINT].file_types[PDF],
        "size_bytes": str(Decimal(spooled.size_bytes)),
        "sha256": spooled.sha256,
        "file": [ref.company, ref.kind, ref.id],
        "at": instant_text(now),
    }
    return Plan(
        key=str(key),
        mapping=mapping.name,
        mapping_version=mapping.version,
        change=Create(PRINT, values),
        title=one_line(f"{row['title']}: {name}"),
        source=source,
    )


def _name(ledger: Reads, ref: Ref) -> str:
    """Return what the file is called: by the invoice's number, of letters that any system takes."""
    shown = ledger.one("mirror_get", company=ref.company, kind=ref.kind, id=ref.id)
    number = "" if shown is None else str(fields_of(shown["fields"]).get("number") or "")
    safe = _UNSAFE.sub("-", number or ref.id)[:NUMBER_LIMIT].strip("-.")
    return f"Invoice-{safe or ref.id}.{PDF}"


def _no_pdf(row: Row) -> Wanted:
    what = "The books gave no PDF of it."
    return Wanted("print-unread", row["title"], what, "Look at the invoice in the books.")


def _too_large(row: Row, limit_bytes: int) -> Wanted:
    what = f"The books' PDF of it is larger than the {limit_bytes} bytes that the CRM takes."
    return Wanted("print-too-large", row["title"], what, "Put it there by hand.")


def _unread(row: Row, error: TieoutError) -> Wanted:
    what = f"The books' PDF of it could not be read: {error}"
    return Wanted("print-unread", row["title"], what, error.next)
