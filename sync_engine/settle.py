"""settle: what the books say was paid, told to the CRM through the same outbox.

A settlement is read from the payments and credits that name the invoice, never inferred from its
balance (pain 15). The CRM is told only what changed since it was told last.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from mapping.drafting import Afterwards, Setting, tell
from mapping.rules import Mapping
from sync_engine.addresses import address_of, source_address, source_of
from sync_engine.draft import setting_of
from sync_engine.gather import gather
from sync_engine.ledger.spelling import change_text, fields_of
from sync_engine.ledger.sqlite import Ledger
from sync_engine.ledger.store import Reads, Row, Writes
from sync_engine.marks import is_of_another, merged_ids, own_mark
from sync_engine.pair import Pair
from tieout.model.canonical import Plain, digest
from tieout.model.change import Update
from tieout.model.dates import parse_day, parse_instant
from tieout.model.ref import Key, Ref, Version

DOCUMENTS_AT_ONCE = 500

WAITING = frozenset({"planned", "waiting", "approved"})
PROBLEM = frozenset({"refused", "rejected"})


@dataclass(frozen=True, slots=True)
class Settlement:
    """How far an invoice is paid, from what names it.

    ``status`` is what the CRM is told: invoiced, part-paid, paid, credited, voided.
    """

    status: str
    total: Decimal
    balance: Decimal
    paid: Decimal
    last_payment: date | None


def settle(ledger: Ledger, pair: Pair, now: datetime) -> int:
    """Queue what the CRM needs to hear about documents that moved; return how many records."""
    told, after = 0, ""
    setting = setting_of(ledger, pair)
    while rows := ledger.all(
        "documents_untold", pair=pair.name, after=after, limit=DOCUMENTS_AT_ONCE
    ):
        after = rows[-1]["key"]
        with ledger.transaction() as tx:
            for row in rows:
                queued = _tell(tx, pair, row, now, setting)
                told += queued or 0
                if queued is not None:
                    tx.run("document_told", key=row["key"])
    return told


def settlement_of(
    invoice: AnyMapping[str, Any], allocations: list[Row], *, live: bool
) -> Settlement:
    """Return how far an invoice is paid. Pure.

    Args:
        invoice: the books' fields of the invoice.
        allocations: rows with ``means``, ``amount`` and ``day`` of what names it.
        live: whether it is neither voided nor deleted.
    """
    covered = sum((Decimal(row["amount"]) for row in allocations), Decimal(0))
    paid = sum(
        (Decimal(row["amount"]) for row in allocations if row["means"] == "payment"), Decimal(0)
    )
    days = [row["day"] for row in allocations if row["means"] == "payment" and row["day"]]
    total: Decimal = invoice["total"]
    if not live:
        status = "voided"
    elif covered and covered >= total:
        status = "paid" if paid else "credited"
    else:
        status = "part-paid" if covered else "invoiced"
    last = parse_day(max(days)) if days else None
    return Settlement(status, total, invoice["balance"], paid, last)


def _tell(tx: Writes, pair: Pair, row: Row, now: datetime, setting: Setting) -> int | None:
    """Queue what a document's records need to hear; return for how many something is queued.

    None: one was told something and has not answered, so the document must be looked at again.
    """
    mapping = next((held for held in pair.mappings if held.identity == row["mapping"]), None)
    after = _together(tx, mapping, row, now)
    if mapping is None or after is None or row["kind"] != mapping.to:
        return 0
    source = source_of(row)
    given = gather(tx, pair, mapping, source).given
    if given is None or not mapping.write_back:
        return 0
    if not after.status and tx.value("written_get", pair=pair.name, **address_of(source)) is None:
        return 0  # never told of, so there is nothing to take back
    values: dict[Ref, dict[str, Plain]] = {}
    along: dict[Ref, set[str]] = {}
    for told in tell(mapping, given, setting, after):
        values.setdefault(told.ref, {})[told.field] = told.value
        if told.clock_only:
            along.setdefault(told.ref, set()).add(told.field)
    mark = pair.crm.capabilities.kinds[source.kind].marker
    carried = given.record.fields
    is_copy = is_of_another(carried.get("mark"), source, merged_ids(carried))
    if mark and source in values and not is_copy:
        values[source][mark] = own_mark(source)
    queued = [
        _queue(tx, pair, mapping, ref, wanted, along.get(ref, set()))
        for ref, wanted in values.items()
    ]
    known = [n for n in queued if n is not None]
    return sum(known) if len(known) == len(queued) else None


def _together(tx: Reads, mapping: Mapping | None, row: Row, now: datetime) -> Afterwards | None:
    """Return what became of a document, with the other parts of its source where it has any."""
    if mapping is None or not mapping.parts or row["kind"] != mapping.to:
        return _afterwards(tx, row, now)
    own = (row["pair"], row["mapping"], row["kind"])
    present: dict[str, Row] = {}
    for each in tx.all("documents_of_source", **source_address(source_of(row))):
        if (each["pair"], each["mapping"], each["kind"]) == own:
            present.setdefault(each["part"], each)
    parts = [after for each in present.values() if (after := _afterwards(tx, each, now))]
    return combined(parts) if parts else None


def combined(parts: Sequence[Afterwards]) -> Afterwards:
    """Return what a source is told of all its parts together. Pure.

    Numbers are joined; total and balance are sums; the due date is the earliest that is open, the
    last payment the latest, id and link those of the part posted last. The status is the worst
    that needs a person, else how far they are paid together. Parts that the mapping makes no more
    are left out.
    """
    made = [part for part in parts if part.status]
    if not made:
        return parts[0]
    posted = sorted(
        (part for part in made if part.posted_at is not None), key=lambda part: str(part.posted_at)
    )
    last = posted[-1] if posted else made[0]
    live = [part for part in posted if part.status != "voided"]
    days = [part.due_date for part in live if part.due_date and part.balance]
    return replace(
        last,
        status=_status_of(made),
        problem=next((part.problem for part in made if part.problem), None),
        number=", ".join(part.number for part in posted if part.number) or None,
        total=_sum_of(part.total for part in live),
        balance=_sum_of(part.balance for part in live),
        due_date=min(days, default=last.due_date),
        last_payment_date=max(
            (part.last_payment_date for part in posted if part.last_payment_date), default=None
        ),
    )


def _status_of(parts: Sequence[Afterwards]) -> str:
    said = {part.status for part in parts}
    for worst in ("problem", "held", "voided"):
        if worst in said:
            return worst
    if len(said) == 1:
        return said.pop()
    if said <= {"paid", "credited"}:
        return "paid"
    return "part-paid" if said & {"paid", "part-paid", "credited"} else "invoiced"


def _sum_of(amounts: Iterable[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if known else None


def _afterwards(tx: Reads, row: Row, now: datetime) -> Afterwards | None:
    """Return what became of a document, as the CRM is told; None when it need not hear."""
    now = _whole_secs(now)
    if row["state"] == "superseded":
        return None  # its next generation speaks
    if row["state"] == "skipped":
        return Afterwards("", synced_at=now)
    held = tx.one("receipt_any", key=row["key"])
    task = tx.one("task_first_of", subject=row["key"])
    problem = None if task is None else str(task["message"])
    if row["posted_id"] is None or held is None:
        status = "problem" if row["state"] in PROBLEM else "held"
        status = "waiting" if row["state"] in WAITING else status
        return Afterwards(status, problem, synced_at=now)
    shown = tx.one("mirror_get", company=held["company"], kind=row["kind"], id=row["posted_id"])
    fields = fields_of(shown["fields"] if shown is not None else held["fields"])
    live = shown is not None and bool(shown["live"]) and not shown["gone"]
    after = Afterwards(
        status="invoiced" if live else "voided",
        problem=problem,
        receipt_id=row["posted_id"],
        number=fields.get("number"),
        url=fields.get("url"),
        posted_at=_whole_secs(parse_instant(held["at"])),
        synced_at=now,
    )
    if row["kind"] != "invoice":
        return after
    paid = tx.all("allocations_on", company=held["company"], invoice=row["posted_id"])
    settled = settlement_of(fields, paid, live=live)
    return replace(
        after,
        status=settled.status,
        total=settled.total,
        balance=settled.balance,
        due_date=fields.get("due_date"),
        last_payment_date=settled.last_payment,
    )


def _whole_secs(at: datetime) -> datetime:
    """Return an instant as every CRM keeps it: what is read back is compared with what was told."""
    return at.replace(microsecond=0)


def _queue(
    tx: Writes,
    pair: Pair,
    mapping: Mapping,
    ref: Ref,
    values: dict[str, Plain],
    along: set[str],
) -> int | None:
    """Queue one write-back if anything differs from what was told last; return how many.

    None: one that was sent and not answered comes first.
    """
    held = tx.value("written_get", pair=pair.name, **address_of(ref))
    told = {} if held is None else fields_of(str(held))
    changed = {name: value for name, value in values.items() if told.get(name) != value}
    key = str(
        Key.of(ref, mapping=mapping.identity, document="write_back", target_company=ref.company)
    )
    tx.run("outbox_supersede", key=key)
    if tx.all("outbox_open_of", key=key):
        return None
    if not changed.keys() - along:
        return 0
    change = Update(ref, Version(""), changed, {name: told.get(name) for name in changed})
    return tx.run(
        "outbox_tell",
        key=key,
        plan_hash=digest(change.values),
        pair=pair.name,
        company=ref.company,
        kind=ref.kind,
        verb=change.verb.value,
        change=change_text(change),
        about=str(ref),
    )
