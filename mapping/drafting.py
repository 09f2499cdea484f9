"""Records in, a document and its trace out: pure, so it can be done again to explain itself."""

from __future__ import annotations

from collections import abc
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Final, TypeAlias

from mapping.collecting import Period, day_of_source, period_of
from mapping.functions import FormulaError
from mapping.given import Given, Setting
from mapping.making import NO_GROUP, REFUSED, Work
from mapping.parting import Part, part_document, split
from mapping.rules import RECEIVABLES, GroupRule, Mapping
from mapping.trace import Made, Trace
from tieout.model.canonical import Plain, plain
from tieout.model.change import Finding, Severity
from tieout.model.document import Document
from tieout.model.errors import ValueRefused
from tieout.model.record import Fields, Record
from tieout.model.ref import Key, Ref

__all__ = [
    "APPROVALS",
    "NO_FILES",
    "STATUSES",
    "Afterwards",
    "Chosen",
    "Draft",
    "Drafted",
    "Given",
    "Made",
    "Part",
    "Receivables",
    "Setting",
    "Skipped",
    "Told",
    "Trace",
    "draft",
    "drafts",
    "files_of",
    "name_of",
    "tell",
]


@dataclass(frozen=True, slots=True)
class Drafted:
    """The document, unless a value that it cannot be without is missing; then the findings say.

    ``part`` is the part that it is, None where it is the whole. ``period`` is that of the document
    which it goes with, None where it goes alone or where that is not known.
    """

    document: Document | None
    findings: tuple[Finding, ...]
    trace: Trace
    part: Part | None = None
    period: Period | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """The mapping leaves this source alone: ``why`` names the rule, ``line`` its place."""

    why: str
    line: int
    trace: Trace


Draft: TypeAlias = Drafted | Skipped


def drafts(
    mapping: Mapping,
    given: Given,
    setting: Setting,
    generation_of: abc.Callable[[str], int] = lambda _part: 1,
) -> dict[str, Draft]:
    """Return what the mapping makes of a source, by part: one document, or several. Pure.

    The part of a whole is empty. It stands alone where the source is left alone, where the mapping
    does not split it, and where it cannot be split; what blocks it is in its findings then.
    """
    if not mapping.parts:
        return {"": draft(mapping, given, setting, generation_of(""))}
    work = Work(mapping, given, setting)
    if left := _left_alone(work):
        return {"": left}
    work.require_roles()
    parts = split(work, _key(mapping, given, setting, "", 1))
    found = tuple(work.findings.values())
    if not parts or any(finding.severity is Severity.BLOCK for finding in found):
        return {"": Drafted(None, found, Trace(tuple(work.made)))}
    made: dict[str, Draft] = {}
    for part in parts:
        own = Work(mapping, given, setting)
        key = _key(mapping, given, setting, part.name, generation_of(part.name))
        document = part_document(own, key, part)
        findings = tuple(dict.fromkeys((*found, *own.findings.values())))
        made[part.name] = Drafted(document, findings, Trace((*work.made, *own.made)), part)
    return made


def draft(
    mapping: Mapping,
    given: Given,
    setting: Setting,
    generation: int = 1,
    period: Period | None = None,
) -> Draft:
    """Return what the mapping makes of a source and its records, as one document. Pure.

    Whatever a record or a formula refuses is a finding, all of them at once; nothing is raised for
    what records hold. ``generation`` is raised by a re-issue only. ``period`` is that of the
    document that it goes with, where sources go together; None: the one that it falls into.
    """
    work = Work(mapping, given, setting)
    if left := _left_alone(work):
        return left
    work.require_roles()
    if mapping.group is not None:
        period = period or _own_period(work, mapping.group)
        work.scope["group"] = NO_GROUP if period is None else period.shown
    document = work.document(_key(mapping, given, setting, "", generation))
    if document is not None:
        work.check(document)
    found = tuple(work.findings.values())
    return Drafted(document, found, Trace(tuple(work.made)), period=period)


def _own_period(work: Work, rule: GroupRule) -> Period | None:
    day = day_of_source(work, rule)
    try:
        return None if day is None else period_of(day, rule.every_months)
    except ValueRefused as refused:
        work.refused(refused, rule.date.line)
        return None


def _left_alone(work: Work) -> Skipped | None:
    when = work.mapping.when
    if when is None:
        return None
    wanted = work.value("when", when)
    if wanted is REFUSED or wanted:
        return None
    return Skipped(f"{when.text} is not so", when.line, Trace(tuple(work.made)))


def _key(mapping: Mapping, given: Given, setting: Setting, part: str, generation: int) -> Key:
    return Key.of(
        given.record.ref,
        mapping=mapping.identity,
        document=mapping.to,
        target_company=setting.target_company,
        part=part,
        generation=generation,
    )


def worth(mapping: Mapping, given: Given, setting: Setting) -> Decimal | None:
    """Return what the mapping says that a source comes to; None where it does not, or cannot."""
    if mapping.worth is None:
        return None
    said = Work(mapping, given, setting).value("worth", mapping.worth)
    return said if isinstance(said, Decimal) else None


@dataclass(frozen=True, slots=True)
class Chosen:
    """The files that go along with a document, and what could not be decided about the others."""

    files: tuple[Record, ...]
    findings: tuple[Finding, ...]


NO_FILES: Final = Chosen((), ())


def files_of(mapping: Mapping, given: Given, setting: Setting) -> Chosen:
    """Return the files of a source that its mapping wants on the invoice. Pure."""
    rules = mapping.files
    if rules is None:
        return NO_FILES
    work = Work(mapping, given, setting)
    chosen: list[Record] = []
    found = given.related.get(rules.rows, ())
    for record, row in zip(found, work.scope[rules.rows], strict=True):
        name = name_of(record.fields).lower()
        if rules.names and not any(fnmatchcase(name, pattern) for pattern in rules.names):
            continue
        scope = {**work.scope, rules.each: row}
        wanted = rules.when is None or work.value("files.when", rules.when, scope, record.ref)
        if wanted is not REFUSED and wanted:
            chosen.append(record)
    return Chosen(tuple(chosen), tuple(work.findings.values()))


def name_of(fields: Fields) -> str:
    """Return a file's name with its extension, which some systems keep apart."""
    name, extension = str(fields.get("name") or ""), str(fields.get("extension") or "")
    if not extension or name.lower().endswith(f".{extension.lower()}"):
        return name
    return f"{name}.{extension}"


STATUSES: Final = {
    "held": "something keeps it from being posted; `problem` says what",
    "waiting": "it is planned, and waits for its approval or to be sent",
    "invoiced": "it is posted, and nothing is paid yet; a payment stays so",
    "part-paid": "some of it is paid or credited",
    "paid": "all of it is, by one payment at least",
    "credited": "all of it is credited, and nothing was paid",
    "voided": "the books voided or deleted it",
    "problem": "it was refused by a person or by the books; `problem` has the reason",
}
"""What `status` of write-back can be; empty when the mapping takes the record no more."""

APPROVALS: Final = {
    "waiting": "a person must say yes or no",
    "approved": "a person or the policy said yes",
    "rejected": "a person said no",
}
"""What `approval` of write-back can be; empty before there is a plan."""

TIED_OUT: Final = {("tied_out_at",)}
CLOCKS: Final = ({("synced_at",)}, TIED_OUT)
"""What by itself is no reason to write."""


@dataclass(frozen=True, slots=True)
class Afterwards:
    """What became of a document, as write-back formulas may ask for it.

    ``status`` is one of ``STATUSES`` or empty; ``problem`` says in plain words what keeps it.
    Amounts are the books' own. ``approval`` is one of ``APPROVALS``, None before a plan was made.
    """

    status: str
    problem: str | None = None
    receipt_id: str | None = None
    number: str | None = None
    url: str | None = None
    posted_at: datetime | None = None
    total: Decimal | None = None
    balance: Decimal | None = None
    due_date: date | None = None
    last_payment_date: date | None = None
    synced_at: datetime | None = None
    approval: str | None = None
    tied_out_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Receivables:
    """What a customer owes by the books, as write-back formulas may ask for it.

    Amounts are in ``currency``. The four ages go by days after the due date, sum up to
    ``open_balance``, and hold what is not due yet in the first. ``other_currencies`` says in words
    what is open beside it; None where nothing is.
    """

    currency: str | None
    open_balance: Decimal
    overdue: Decimal
    aged_30: Decimal
    aged_60: Decimal
    aged_90: Decimal
    aged_over_90: Decimal
    credit_limit: Decimal | None = None
    oldest_open_invoice: str | None = None
    other_currencies: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """One value for a field of a CRM record; ``clock_only`` is no reason to write by itself."""

    ref: Ref
    field: str
    value: Plain
    line: int
    clock_only: bool


def tell(mapping: Mapping, given: Given, setting: Setting, after: Afterwards) -> tuple[Told, ...]:
    """Return what the mapping's write-back says of a document. Pure.

    A value that cannot be computed, or a record that is missing, is left untold. What a
    customer owes is told by ``tell_of_customer``.
    """
    work = Work(mapping, given, setting)
    scope = {
        **work.scope,
        "receipt": {
            "id": after.receipt_id,
            "number": after.number,
            "url": after.url,
            "posted_at": after.posted_at,
        },
        "status": after.status,
        "problem": after.problem,
        "synced_at": after.synced_at,
        "books": {
            "home_currency": setting.home_currency,
            "total": after.total,
            "balance": after.balance,
            "due_date": after.due_date,
            "last_payment_date": after.last_payment_date,
        },
        "approval": after.approval,
        "tied_out_at": after.tied_out_at,
    }
    told = []
    for rule in mapping.write_back:
        if rule.of_customer:
            continue
        record = work.records.get(rule.role)
        value = work.tried(f"{rule.role}.{rule.field}", rule.value, scope)
        if record is not None and value is not REFUSED:
            clock_only = set(rule.value.paths) in CLOCKS
            if value is None and set(rule.value.paths) == TIED_OUT:
                continue  # it does not tie out now: when it last did stays
            told.append(Told(record.ref, rule.field, plain(value), rule.value.line, clock_only))
    return tuple(told)


def tell_of_customer(
    mapping: Mapping, record: Record, setting: Setting, owed: Receivables
) -> tuple[Told, ...]:
    """Return what the mapping tells a record of the CRM of what it owes by the books. Pure.

    A value that cannot be computed is left untold; a record of another kind is told nothing.
    """
    scope = {
        "cutover_date": setting.cutover_date,
        "books": {"home_currency": setting.home_currency},
        RECEIVABLES: asdict(owed),
    }
    told = []
    for rule in mapping.write_back:
        if rule.of_customer and mapping.names[rule.role] == record.ref.kind:
            try:
                value = rule.value.evaluate(scope)
            except FormulaError:
                continue
            told.append(
                Told(record.ref, rule.field, plain(value), rule.value.line, clock_only=False)
            )
    return tuple(told)
