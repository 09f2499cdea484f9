"""attach: the files that a mapping wants go to the posted invoice, each content once.

A file is read into the spool, hashed and judged; then it is a change like any other, with a key, a
plan and its hash. The key is made of the invoice and the file's hash, so the same bytes under two
names, or uploaded twice to the CRM, are one attachment (R21). The standing approval is the
mapping's activation, as for write-backs: a file moves no amount.
"""

from __future__ import annotations

import logging
from datetime import datetime
from decimal import Decimal

from mapping.drafting import NO_FILES, files_of, name_of
from mapping.rules import Bearing
from sync_engine.addresses import address_of
from sync_engine.draft import setting_of
from sync_engine.enclosing import (
    approve_again,
    file,
    file_of,
    hold,
    keep_problem,
    keep_task,
    known_there,
    source_in,
    subject_of,
)
from sync_engine.file_types import extension_of, is_false, is_hostile
from sync_engine.ledger.sqlite import Ledger
from sync_engine.ledger.store import Row, Writes
from sync_engine.pair import Pair
from sync_engine.queue import queue
from sync_engine.sketch import Sketch
from sync_engine.spool import Spool, Spooled, TooLarge
from sync_engine.states import ATTACHMENT
from sync_engine.tasks import Wanted
from tieout.model.change import Create, Finding, Plan
from tieout.model.enclosed import PRINT
from tieout.model.errors import NextStep, TieoutError
from tieout.model.ref import Key
from tieout.model.words import one_line

FILES_AT_ONCE = 100  # read from the ledger together
FILES_IN_A_ROUND = 1_000  # the rest is the next round's

_log = logging.getLogger(__name__)


def note_files(tx: Writes, pair: Pair, sketch: Sketch) -> None:
    """Note which files a source's mapping wants on its invoice now; what is not known stays."""
    rules = sketch.mapping.files
    if rules is None or sketch.given is None or sketch.document is None:
        return
    invoice = str(sketch.key)
    bears = rules.parts is Bearing.ALL or sketch.part == sketch.parts[0]
    chosen = files_of(sketch.mapping, sketch.given, setting_of(tx, pair)) if bears else NO_FILES
    unsure = [*sketch.unread_files, *chosen.findings] if bears else []
    keep_task(tx, pair, sketch.ref, invoice, [_unsure(sketch, one) for one in unsure[:1]])
    if unsure:
        return
    for record in chosen.files:
        size = record.fields.get("size_bytes")
        tx.run(
            "file_want",
            invoice=invoice,
            **address_of(record.ref),
            pair=pair.name,
            version=record.version,
            name=name_of(record.fields),
            size_bytes=None if size is None else int(size),
        )
    here = {record.ref for record in chosen.files}
    for row in tx.all("files_of", invoice=invoice):
        is_print = row["kind"] == PRINT
        if file_of(row) not in here and row["key"] is None and not is_print:
            tx.run("file_forget", invoice=invoice, **address_of(file_of(row)))
            keep_task(tx, pair, sketch.ref, subject_of(row), ())


def attach(ledger: Ledger, pair: Pair, now: datetime) -> int:
    """Plan the attachments that posted invoices lack, and queue them; return how many are new."""
    if all(mapping.files is None for mapping in pair.mappings):
        return 0
    spool = Spool.of(ledger, pair)
    kept = {row["sha256"] for row in ledger.all("files_kept", pair=pair.name)}
    spool.keep_only(kept)
    if ATTACHMENT not in pair.books.capabilities.kinds:
        return 0
    planned = 0
    after = {"invoice": "", "company": "", "kind": "", "id": ""}
    for _ in range(FILES_IN_A_ROUND // FILES_AT_ONCE):
        rows = ledger.all("files_due", pair=pair.name, limit=FILES_AT_ONCE, **after)
        for row in rows:
            planned += _attach(ledger, pair, spool, row, now)
        if len(rows) < FILES_AT_ONCE:
            break
        after = {name: rows[-1][name] for name in after}
    approve_again(ledger, pair, ATTACHMENT)
    queue(ledger, pair)
    return planned


def _attach(ledger: Ledger, pair: Pair, spool: Spool, row: Row, now: datetime) -> bool:
    """Read and judge one file and plan its attachment; return whether it is a new one."""
    limit_bytes = pair.books.capabilities.limit(ATTACHMENT, "size_bytes") or 0
    problem = _before_reading(pair, row, limit_bytes)
    if problem is not None:
        return hold(ledger, pair, row, problem)
    try:
        spooled = spool.take(pair.crm, file_of(row), limit_bytes, row["size_bytes"])
        problem = _after_reading(row, spooled)
        if problem is not None:
            spool.drop(spooled.sha256)
            return hold(ledger, pair, row, problem)
        plan = _plan(pair, row, spooled)
        known = known_there(ledger, pair.books, ATTACHMENT, row, plan.key)
    except TooLarge:
        return hold(ledger, pair, row, _too_large(row, limit_bytes))
    except TieoutError as error:
        if error.next_step is NextStep.STOP:
            raise
        _log.warning("file unread", extra={"record": str(file_of(row)), "code": error.code})
        with ledger.transaction() as tx:
            keep_problem(tx, pair, row, _unread(row, error))
        return False
    with ledger.transaction() as tx:
        is_new = file(tx, pair, row, plan, now, known)
    if not is_new:
        spool.drop(spooled.sha256)
    return is_new


# -- judging ------------------------------------------------------------------------------------


def _before_reading(pair: Pair, row: Row, limit_bytes: int) -> Wanted | None:
    """Return why a file need not even be read, None where it must."""
    name, size = row["name"], row["size_bytes"]
    most = pair.books.capabilities.limit(ATTACHMENT, "name") or 0
    types = pair.books.capabilities.kinds[ATTACHMENT].file_types
    if is_hostile(name) or len(name) > most:
        what = f"cannot be named so in the books (at most {most} letters, no path, nothing unseen)"
        return Wanted("file-name", row["title"], f"{_shown(row)} {what}.", "Rename it in the CRM.")
    if extension_of(name) not in types:
        what = f"is of no type that the books take: {', '.join(sorted(types))}"
        return Wanted(
            "file-type",
            row["title"],
            f"{_shown(row)} {what}.",
            "Put it there in another form, or leave it out.",
        )
    if size == 0:
        return _empty(row)
    if size is not None and size > limit_bytes:
        return _too_large(row, limit_bytes)
    return None


def _after_reading(row: Row, spooled: Spooled) -> Wanted | None:
    if spooled.size_bytes == 0:
        return _empty(row)
    if is_false(row["name"], spooled.head):
        what = f"is no {extension_of(row['name'])} file, whatever its name says"
        return Wanted(
            "file-type",
            row["title"],
            f"{_shown(row)} {what}.",
            "Put the right file there, or rename it.",
        )
    return None


def _empty(row: Row) -> Wanted:
    return Wanted(
        "file-empty", row["title"], f"{_shown(row)} has no bytes.", "Upload it to the CRM again."
    )


def _too_large(row: Row, limit_bytes: int) -> Wanted:
    what = f"is larger than the {limit_bytes} bytes that the books take"
    return Wanted(
        "file-too-large",
        row["title"],
        f"{_shown(row)} {what}.",
        "Put a smaller one there, or leave it out.",
    )


def _unsure(sketch: Sketch, finding: Finding) -> Wanted:
    message = f"Which files go to its invoice is not known. {finding.message}"
    return Wanted("file-unread", sketch.title, message, finding.remedy)


def _unread(row: Row, error: TieoutError) -> Wanted:
    return Wanted("file-unread", row["title"], f"{_shown(row)}: {error}", error.next)


def _shown(row: Row) -> str:
    """Return what people know a file by; a hostile name is shown without what it hides."""
    return f'{row["kind"]} {row["id"]} "{one_line(row["name"])}"'


# -- planning -----------------------------------------------------------------------------------


def _plan(pair: Pair, row: Row, spooled: Spooled) -> Plan:
    mapping = next((one for one in pair.mappings if one.identity == row["mapping"]), None)
    source = source_in(row)
    key = Key.of(
        source,
        mapping=row["mapping"],
        document=ATTACHMENT,
        target_company=pair.books.company,
        part=f"{row['invoice']}:{spooled.sha256}",
    )
    types = pair.books.capabilities.kinds[ATTACHMENT].file_types
    values = {
        "invoice": row["posted_id"],
        "name": row["name"],
        "media_type": types[extension_of(row["name"])],
        "size_bytes": str(Decimal(spooled.size_bytes)),
        "sha256": spooled.sha256,
        "file": [row["company"], row["kind"], row["id"]],
    }
    return Plan(
        key=str(key),
        mapping=row["mapping"] if mapping is None else mapping.name,
        mapping_version=0 if mapping is None else mapping.version,
        change=Create(ATTACHMENT, values),
        title=one_line(f"{row['title']}: {row['name']}"),
        source=source,
    )
