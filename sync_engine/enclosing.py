"""enclosing: a change with a file in it becomes a document, which its mapping approves.

The key says which bytes, or which edition, are on which record: what has a document is never sent
again. Both roads pass here: files of the CRM to the books, and the books' PDF to the CRM.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sync_engine.addresses import address_of, source_address, source_of
from sync_engine.frozen import keep_plan
from sync_engine.ledger.sqlite import Ledger
from sync_engine.ledger.store import Reads, Row, Writes
from sync_engine.pair import Pair
from sync_engine.receipts import take_known
from sync_engine.states import in_state
from sync_engine.tasks import FILE, Wanted, keep
from tieout.model.canonical import canonical, digest
from tieout.model.change import Create, Plan
from tieout.model.contract import Connector, Receipt
from tieout.model.lookup import MARKER, Ambiguous, Found, Lookup, NotKnown
from tieout.model.ref import Key, Ref, Version

STANDING = "mapping"  # the policy by which a file is approved
UNREAD = Version("1")  # of a record that is known to be there; nothing is ever written to it again


def file(
    tx: Writes, pair: Pair, row: Row, plan: Plan, now: datetime, known: Receipt | None
) -> bool:
    """Write down that a file is to be sent; return whether it is a new one.

    Args:
        tx: the transaction that takes note of the file.
        pair: the pair at work.
        row: the file's row, with its invoice's.
        plan: a create with the file's hash.
        now: by our clock.
        known: the other side has it already, sent by a former ledger.
    """
    assert isinstance(plan.change, Create)
    assert plan.source is not None
    values = plan.change.values
    tx.run("file_bound", **place_of(row), sha256=str(values["sha256"]), key=plan.key)
    keep_problem(tx, pair, row, None)
    held = tx.one("document_get", key=plan.key)
    if held is not None and held["state"] != "planned":
        return False
    keep_plan(tx, pair, plan, now)
    key = Key.parse(plan.key)
    content = canonical(values)
    tx.run(
        "document_put",
        key=plan.key,
        stem=key.stem,
        generation=key.generation,
        pair=pair.name,
        mapping=row["mapping"],
        part=row["invoice"],
        **source_address(plan.source),
        kind=plan.change.kind,
        state="planned",
        reason=None,
        title=plan.title,
        content=content,
        content_hash=digest(content),
        net=None,
        currency=None,
        purchase_order=None,
        customer=None,
        name_key=None,
        plan_hash=plan.hash,
        at=tx.now_text(),
    )
    if known is not None:
        take_known(tx, pair, plan.key, known)
        return False
    _approve(tx, plan.key, plan.hash, plan.mapping)
    return True


def known_there(
    ledger: Reads, connector: Connector, kind: str, row: Row, key: str
) -> Receipt | None:
    """Return what is there under a key already; asked only where the ledger may not know.

    An invoice that was adopted was sent by a ledger that is lost, and its files may have been too;
    so may those of one that a person linked, that is older than a restore, or that was looked for
    after one: the answer that the backup lacks was had by the ledger before.

    Raises:
        TieoutError: it was not searched to the end.
    """
    receipt = ledger.one("receipt_any", key=row["invoice"])
    if receipt is None or ledger.one("document_get", key=key):
        return None
    restored_at = ledger.value("meta_get", name="restored_at")
    is_older = restored_at is not None and (
        receipt["how"] == "found" or receipt["at"] <= str(restored_at)
    )
    if receipt["how"] not in ("adopted", "linked") and not is_older:
        return None
    (answer,) = connector.find(kind, [Lookup(kind, MARKER, key)])
    match answer:
        case Found(ref=ref, record=record) if record is not None:
            return Receipt(ref, record.version, record)
        case Ambiguous(refs=refs):  # people copy what bears our marker: there is enough of it
            return Receipt(refs[0], UNREAD)
        case NotKnown(error):
            raise error
    return None


def approve_again(ledger: Ledger, pair: Pair, kind: str) -> None:
    """Approve what a person said is to be tried again."""
    rows = [row for row in in_state(ledger, pair.name, "planned") if row["kind"] == kind]
    if not rows:
        return
    with ledger.transaction() as tx:
        for row in rows:
            _approve(tx, row["key"], row["plan_hash"], row["mapping"])


def _approve(tx: Writes, key: str, plan_hash: str, mapping: str) -> None:
    at = tx.now_text()
    tx.run(
        "decision_add",
        plan_hash=plan_hash,
        key=key,
        verdict="approved",
        who="tieout",
        policy=STANDING,
        reason=f"the mapping {mapping} sends its files along",
        at=at,
    )
    tx.run("document_state", key=key, state="approved", reason=None, at=at)
    tx.journal("tieout", "approved", key, {"plan": plan_hash, "policy": STANDING})


# -- tasks ----------------------------------------------------------------------------------------


def hold(ledger: Ledger, pair: Pair, row: Row, problem: Wanted) -> bool:
    """Keep a file off its record until it changes; the others go on."""
    with ledger.transaction() as tx:
        tx.run("file_problem", **place_of(row), problem=problem.code)
        keep_problem(tx, pair, row, problem)
    return False


def rest_files(tx: Writes, pair: Pair, document: Row) -> None:
    """Close the tasks of files that no invoice waits for: the books took it back.

    Where it comes back to life, each file is looked at anew.
    """
    for row in tx.all("files_of", invoice=document["key"]):
        if row["key"] is None:
            tx.run("file_problem", **place_of(row), problem=None)
            keep_task(tx, pair, source_of(document), subject_of(row), ())


def keep_problem(tx: Writes, pair: Pair, row: Row, problem: Wanted | None) -> None:
    """Keep the task of a file, or close it."""
    keep_task(tx, pair, source_in(row), subject_of(row), () if problem is None else (problem,))


def keep_task(tx: Writes, pair: Pair, source: Ref, subject: str, wanted: Sequence[Wanted]) -> None:
    """Keep the tasks about files of one subject."""
    keep(tx, pair=pair.name, family=FILE, subject=subject, source=source, wanted=wanted)


def subject_of(row: Row) -> str:
    """Return what a file's task is about: its invoice and itself."""
    return f"{row['invoice']}:{row['kind']}:{row['id']}"


def source_in(row: Row) -> Ref:
    """Return the source of a file's invoice."""
    return Ref(row["source_company"], row["source_kind"], row["source_id"])


def file_of(row: Row) -> Ref:
    """Return the file of a row."""
    return Ref(row["company"], row["kind"], row["id"])


def place_of(row: Row) -> dict[str, str]:
    """Return the key of a file's row."""
    return {"invoice": row["invoice"], **address_of(file_of(row))}
