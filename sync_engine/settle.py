"""settle: what the books say was paid, told to the CRM through the same outbox.

A settlement is read from the payments and credits that name the invoice, never inferred from its
balance (pain 15). The CRM is told only what changed since it was told last.
"""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from mapping.drafting import Afterwards, Setting, tell, tell_of_customer
from mapping.rules import RECEIVABLES, Mapping
from sync_engine.addresses import address_of, source_address, source_of
from sync_engine.collected import is_collective, sent_with, shared, sharing
from sync_engine.combining import combined
from sync_engine.draft import setting_of
from sync_engine.gather import gather
from sync_engine.ledger.spelling import change_text, fields_of
from sync_engine.ledger.sqlite import Ledger
from sync_engine.ledger.store import Reads, Row, Writes
from sync_engine.marks import is_of_another, merged_ids, own_mark
from sync_engine.pair import Pair
from sync_engine.receivables import next_look, receivables_of
from sync_engine.states import COLLECTED
from sync_engine.tie_out import mapping_of
from tieout.model.canonical import Plain, digest
from tieout.model.change import Update
from tieout.model.dates import day_of, parse_day, parse_instant
from tieout.model.record import Record
from tieout.model.ref import Key, Ref, Version

DOCUMENTS_AT_ONCE = 500
CUSTOMERS_AT_ONCE = 200

WAITING = frozenset({"planned", COLLECTED, "waiting", "approved"})
PROBLEM = frozenset({"refused", "rejected"})
UNDECIDED = frozenset({"blocked", "planned"})
BY_HAND = frozenset({"adopted", "linked"})  # a person made it in the books; nobody was asked here


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
    return told + _settle_customers(ledger, pair, now, setting)


def _settle_customers(ledger: Ledger, pair: Pair, now: datetime, setting: Setting) -> int:
    """Queue what the CRM needs to hear of what customers owe; return how many records."""
    if not any(rule.of_customer for mapping in pair.mappings for rule in mapping.write_back):
        return 0
    told, today = 0, day_of(now, pair.time_zone)
    address = {"pair": pair.name, "books": pair.books.company}
    place = {"after_day": "", "after": ""}
    while rows := ledger.all(
        "receivables_due", **address, **place, today=today.isoformat(), limit=CUSTOMERS_AT_ONCE
    ):
        place = {"after_day": rows[-1]["look_from"], "after": rows[-1]["customer"]}
        with ledger.transaction() as tx:
            for row in rows:
                told += _settle_customer(tx, pair, row["customer"], today, setting)
    return told


def _settle_customer(tx: Writes, pair: Pair, customer: str, today: date, setting: Setting) -> int:
    """Queue what the CRM's records need to hear that are a customer; return for how many.

    The customer is looked at again on the day on which it ages, or at once where one was told
    something and has not answered.
    """
    books = pair.books.company
    queued = [
        _tell_customer(tx, pair, Ref(pair.crm.company, row["kind"], row["id"]), today, setting)
        for row in tx.all("bindings_to", books=books, customer=customer, company=pair.crm.company)
    ]
    known = [n for n in queued if n is not None]
    if len(known) == len(queued):
        day = next_look(_open_invoices(tx, books, customer, setting), today)
        tx.run("receivable_seen", pair=pair.name, books=books, customer=customer, look_from=day)
    return sum(known)


def _tell_customer(tx: Writes, pair: Pair, ref: Ref, today: date, setting: Setting) -> int | None:
    """Queue what one record of the CRM needs to hear, if it is there; see ``_queue``."""
    shown = tx.one("snapshot_get", pair=pair.name, **address_of(ref))
    if shown is None or shown["state"] != "live":
        return 0
    books = pair.books.company
    invoices: list[dict[str, Any]] = []
    limits: dict[str, Decimal] = {}
    for row in tx.all("bindings_of", **address_of(ref), books=books):
        customer = row["target_id"]
        invoices += _open_invoices(tx, books, customer, setting)
        held = tx.one("mirror_get", company=books, kind="customer", id=customer)
        fields = {} if held is None else fields_of(held["fields"])
        if fields.get("credit_limit") is not None:
            limits[str(fields.get("currency") or setting.home_currency)] = fields["credit_limit"]
    record = Record(ref, Version(shown["version"]), fields_of(shown["fields"]))
    preferred = [record.fields.get("currency"), setting.home_currency]
    owed = receivables_of(invoices, today, preferred=preferred, credit_limits=limits)
    for mapping in pair.mappings:
        values = {one.field: one.value for one in tell_of_customer(mapping, record, setting, owed)}
        if values:
            return _queue(tx, pair, mapping, ref, values, set(), RECEIVABLES)
    return 0


def _open_invoices(tx: Reads, books: str, customer: str, setting: Setting) -> list[dict[str, Any]]:
    rows = tx.all("receivable_invoices", books=books, customer=customer)
    shown = [fields_of(row["fields"]) for row in rows]
    return [{**one, "currency": one.get("currency") or setting.home_currency} for one in shown]


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
    mapping = mapping_of(pair, row)
    if is_collective(mapping, row):
        _afterwards(tx, row, now)  # whose customer's balance is to be looked at
        each = [_tell(tx, pair, one, now, setting) for one in _members(tx, row)]
        return None if None in each else sum(n or 0 for n in each)
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


def _together(tx: Writes, mapping: Mapping | None, row: Row, now: datetime) -> Afterwards | None:
    """Return what became of a document, with the other parts of its source where it has any."""
    if mapping is not None and mapping.group is not None and row["kind"] == mapping.to:
        return _of_member(tx, row, now)
    if mapping is None or not mapping.parts or row["kind"] != mapping.to:
        return _afterwards(tx, row, now)
    own = (row["pair"], row["mapping"], row["kind"])
    present: dict[str, Row] = {}
    for each in tx.all("documents_of_source", **source_address(source_of(row))):
        if (each["pair"], each["mapping"], each["kind"]) == own:
            present.setdefault(each["part"], each)
    parts = [after for each in present.values() if (after := _afterwards(tx, each, now))]
    return combined(parts) if parts else None


def _members(tx: Reads, collective: Row) -> list[Row]:
    """Return the documents of the sources that go, or went, with one of several."""
    return [
        row
        for one in tx.all("collected_in", collective=collective["key"])
        if (row := tx.one("document_get", key=one["document"])) is not None
    ]


def _of_member(tx: Writes, row: Row, now: datetime) -> Afterwards | None:
    """Return what a source is told that goes with others: of the document of all, and its share.

    Total and balance are shared among its sources in proportion to what they were posted with, so
    that they sum to the document's own.
    """
    own = _afterwards(tx, row, now)
    one = sent_with(tx, row["key"]) or tx.one("collected_of", document=row["key"])
    whole = None if one is None else tx.one("document_get", key=one["collective"])
    if own is None or one is None or whole is None or row["state"] in ("blocked", "skipped"):
        return own
    after = _afterwards(tx, whole, now)
    if after is None:
        return own
    is_checked = row["checked"] and own.problem is None
    after = replace(
        after,
        problem=own.problem or after.problem,
        tied_out_at=after.tied_out_at if is_checked else None,
    )
    if whole["posted_id"] is None or one["n"] is None:
        return after
    rows = sharing(tx, whole["key"])
    place = [each["key"] for each in rows].index(row["key"])
    total, balance = (
        None if amount is None else list(shared(amount, rows, one["currency"]))[place]
        for amount in (after.total, after.balance)
    )
    return replace(after, total=total, balance=balance)


def _approval(row: Row, receipt: Row | None) -> str | None:
    """Return how a document's approval stands, as the CRM is told; None where nobody was asked."""
    if row["state"] in UNDECIDED or (receipt is not None and receipt["how"] in BY_HAND):
        return None
    return str(row["state"]) if row["state"] in ("waiting", "rejected") else "approved"


def _afterwards(tx: Writes, row: Row, now: datetime) -> Afterwards | None:
    """Return what became of a document, as the CRM is told; None when it need not hear."""
    now = _whole_secs(now)
    if row["state"] == "superseded":
        return None  # its next generation speaks
    if row["state"] == "skipped":
        return Afterwards("", synced_at=now)
    held = tx.one("receipt_any", key=row["key"])
    task = tx.one("task_first_of", subject=row["key"])
    problem = None if task is None else str(task["message"])
    approval = _approval(row, held)
    if row["posted_id"] is None or held is None:
        status = "problem" if row["state"] in PROBLEM else "held"
        status = "waiting" if row["state"] in WAITING else status
        return Afterwards(status, problem, synced_at=now, approval=approval)
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
        approval=approval,
        tied_out_at=now if row["checked"] and problem is None else None,
    )
    if row["kind"] != "invoice":
        return after
    if shown is not None and shown["customer"]:
        customer = shown["customer"]
        tx.run("receivable_add", pair=row["pair"], books=held["company"], customer=customer)
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
    document: str = "write_back",
) -> int | None:
    """Queue one write-back if anything differs from what was told last; return how many.

    None: one that was sent and not answered comes first.
    """
    held = tx.value("written_get", pair=pair.name, **address_of(ref))
    told = {} if held is None else fields_of(str(held))
    changed = {name: value for name, value in values.items() if told.get(name) != value}
    key = str(Key.of(ref, mapping=mapping.identity, document=document, target_company=ref.company))
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
