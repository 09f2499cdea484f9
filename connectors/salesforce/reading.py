"""Reading: whole records by id, with those that they name along, and what the org is.

A record that is asked for is answered, in the recycle bin, merged, or not there by Salesforce's own
word: a query that leaves one out says nothing of it, so it is asked for at its own address (pain
13).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from connectors.salesforce import soql
from connectors.salesforce.composite import PARTS_AT_ONCE
from connectors.salesforce.elsewhere import standing_in
from connectors.salesforce.facts import MASTER, Facts, Kind, Relation
from connectors.salesforce.refusals import NO_FIELD
from connectors.salesforce.schema import Schema
from connectors.salesforce.translation import CREATED, MODIFIED, record_of
from connectors.salesforce.wire import Wire
from tieout.model.contract import Opening
from tieout.model.errors import NotFound, TieoutError, Unavailable, Unsupported
from tieout.model.record import Fetched, Gone, MergedInto, Record, Unreadable
from tieout.model.ref import Ref
from tieout.transport import Answer

PREFIX_CHARS = 3  # of an id, which say of which object it is (Object Reference, "ID Field Type")
MERGES_FOLLOWED = 20  # a longer chain of merges is a mistake of the other system
REMEMBERED = 20_000  # records whose references and parents are kept
UNDELETABLE = frozenset(  # without IsDeleted: made inactive, changed, or gone with their document
    {"User", "Group", "CurrencyType", "DatedConversionRate", "ContentVersion"}
)
ORG = "SELECT Id,Name,TimeZoneSidKey FROM Organization"
CORPORATE = "SELECT IsoCode FROM CurrencyType WHERE IsCorporate = true"

T = TypeVar("T")
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Org:
    """What the org says of itself."""

    id: str
    name: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class _Merged:
    """A record that lives on in another, which is to be asked next."""

    into: Ref


class Reading:
    """What is read of one org, and how it is understood."""

    def __init__(self, wire: Wire, company: str, opening: Opening, facts: Facts) -> None:
        self.wire = wire
        self.company = company
        self.opening = opening
        self.facts = facts
        self.schema = Schema(wire, facts, opening)
        self.references: dict[Ref, Mapping[str, str]] = {}  # of a record: field -> the other's id
        self._parents: dict[Ref, Record] = {}
        self._shared = frozenset(  # kinds that another's rows show too: whichever is newer counts
            one.to for kind in facts.kinds.values() for one in kind.relations.values() if one.parent
        )
        self._org: Org | None = None
        self._currency = str(opening.options.get("currency") or "")
        self._once = threading.RLock()

    def fetch(self, refs: Sequence[Ref]) -> Iterator[Fetched]:
        """Yield one answer for each asked, the kinds one after the other."""
        by_kind: dict[str, list[Ref]] = {}
        for ref in refs:
            by_kind.setdefault(ref.kind, []).append(ref)
        for name, asked in by_kind.items():
            kind = self.facts.kinds.get(name)
            if kind is None:
                error = Unsupported(f"Salesforce's connector fetches no records of kind {name}.")
                yield from (Unreadable(ref, error) for ref in asked)
                continue
            known = self._fetched(kind, list(dict.fromkeys(asked)))
            yield from (known[ref] for ref in asked)

    def select(self, kind: Kind, *, parent: str = "", also: str = "", deleted: bool = False) -> str:
        """Return the fields to ask for of a kind, each once; ``parent`` is put before them."""
        columns = list(self._columns(kind, parent=parent, deleted=deleted))
        return ",".join(dict.fromkeys([*columns, *([also] if also else [])]))

    def asked(self, kinds: Sequence[Kind], ask: Callable[[], T]) -> T:
        """Ask with the fields that are shown; where one was refused, look which those are.

        Raises:
            TieoutError: it was refused, not answered or not well-formed.
        """
        try:
            return ask()
        except Unsupported as refused:
            concerned = [*kinds, *(one for kind in kinds for one in self._kinds_along(kind))]
            if refused.vendor_code not in NO_FIELD or not self.schema.look_again(concerned):
                raise
            return ask()

    def record(self, kind: Kind, row: Row) -> Record:
        """Return a record as Salesforce told it, in our names and types; remember whom it names.

        Raises:
            Unavailable: it cannot be read.
            Unsupported: it lacks a field that a mapping uses.
        """
        record = self._record(kind, row)
        for relation, target in self._along(kind):
            told = row.get(relation.parent)
            if isinstance(told, Mapping):
                self.remember(target, told)
        if kind.name in self._shared:
            self._keep(record)
        return record

    def remember(self, kind: Kind, row: Row) -> Ref | None:
        """Keep a record that another's row showed; return its address."""
        try:
            record = self._record(kind, row)
        except TieoutError:
            return None  # who needs it asks for it, and is told why it cannot be read
        self._keep(record)
        return record.ref

    def remembered(self, ref: Ref) -> Record | None:
        """Return the newest that was shown of a record, None where nothing is kept."""
        return self._parents.get(ref)

    def ref(self, kind: Kind, record_id: str) -> Ref:
        """Return the address of a record."""
        return Ref(self.company, kind.name, record_id)

    def org(self, *, fresh: bool = False) -> Org:
        """Ask what the org is; asked once, unless it must be fresh."""
        with self._once:
            if self._org is None or fresh:
                self._org = self._asked_org()
            return self._org

    def currency(self) -> str:
        """Return the org's own currency: as the options name it, else as it says; asked once."""
        with self._once:
            if not self._currency:
                self._currency = self._asked_currency()
            return self._currency

    def server_now(self) -> datetime:
        """Return the present instant by Salesforce's clock (R51); ask where nothing was asked yet.

        Raises:
            Unavailable: Salesforce's answers have no date.
        """
        if self.wire.door.skew_secs is None:
            self.org(fresh=True)
        if self.wire.door.skew_secs is None:
            raise Unavailable("Salesforce's answers have no date, so its clock is not known.")
        return self.wire.now() + timedelta(seconds=self.wire.door.skew_secs)

    def live(
        self, kind: Kind, field: str, values: Iterable[str], *, also: str = ""
    ) -> Iterator[Row]:
        """Yield the live rows in which a field has one of some values; each shows ``also`` too.

        Raises:
            TieoutError: they were refused, not answered or not all shown.
        """
        for part in soql.parts(values):
            yield from self._rows(kind, soql.within(field, part), deleted=False, also=also)

    def _columns(self, kind: Kind, *, parent: str, deleted: bool) -> Iterator[str]:
        before = f"{parent}." if parent else ""
        yield from (f"{before}{name}" for name in ("Id", MODIFIED, CREATED))
        if deleted and not parent and kind.object not in UNDELETABLE:
            yield "IsDeleted"
            if kind.merges:
                yield MASTER
        for field in self.schema.chosen(kind).fields:
            yield f"{before}{field.field}"
        for column in self._references(kind):
            yield f"{before}{column}"
        if parent:
            return
        for relation, target in self._along(kind):
            yield from self._columns(target, parent=relation.parent, deleted=False)

    def _references(self, kind: Kind) -> list[str]:
        """Return the columns in which a record names others."""
        reads = self.opening.reads
        shown: Mapping[str, object] | None = None
        columns: list[str] = []
        for relation in kind.relations.values():
            if relation.reference and relation.optional:
                if reads and relation.to not in reads:
                    continue
                shown = self.schema.describe(kind.name) if shown is None else shown
                if relation.reference.lower() not in shown:
                    continue
            if relation.reference:
                columns.append(relation.reference)
        return columns

    def _along(self, kind: Kind) -> Iterator[tuple[Relation, Kind]]:
        """Yield the relations whose records are read with a record, if a mapping uses them."""
        reads = self.opening.reads
        for relation in kind.relations.values():
            if relation.reference and relation.parent and (not reads or relation.to in reads):
                yield relation, self.facts.kinds[relation.to]

    def _kinds_along(self, kind: Kind) -> list[Kind]:
        return [target for _, target in self._along(kind)]

    def _record(self, kind: Kind, row: Row) -> Record:
        """Return a record by its own row or by another's; both show whom it names.

        That is part of what it says: a deal that another account takes over has moved, and so has
        a contact that goes to another.
        """
        chosen = self.schema.chosen(kind)
        held = chosen.hold(kind)
        if held is not None:
            raise held
        record = record_of(self.company, kind.name, chosen.fields, row)
        columns = self._references(kind)
        named = {column: str(row.get(column) or "") for column in columns}
        with self._once:
            self.references[record.ref] = named
            _trim(self.references)
        more = {_name_of(kind, column): one or None for column, one in named.items()}
        if "currency" in kind.fields and "currency" not in record.fields and self._wants(kind):
            more["currency"] = self.currency()
        return replace(record, fields={**more, **record.fields})

    def _wants(self, kind: Kind) -> bool:
        reads = self.opening.reads
        return not reads or "currency" in reads.get(kind.name, ())

    def _keep(self, record: Record) -> None:
        with self._once:
            held = self._parents.get(record.ref)
            if held is None or _at(held) <= _at(record):
                self._parents[record.ref] = record
            _trim(self._parents)

    def _asked_org(self) -> Org:
        (row,) = self.wire.whole(ORG)
        return Org(
            id=soql.whole_id(str(row["Id"])),
            name=str(row.get("Name") or ""),
            time_zone=str(row.get("TimeZoneSidKey") or ""),
        )

    def _asked_currency(self) -> str:
        """Return the org's only currency, or of several the one that it reckons in.

        Source: Connect REST API, "Organization": features; Object Reference, "CurrencyType".
        """

        def understand(answer: Answer) -> str:
            features = answer.json["features"]
            return "" if features.get("multiCurrency") else features["defaultCurrencyIsoCode"]

        only = self.wire.get("connect/organization", understand)
        if only:
            return only
        (row,) = self.wire.whole(CORPORATE)
        return str(row["IsoCode"])

    def _fetched(self, kind: Kind, refs: Sequence[Ref]) -> Mapping[Ref, Fetched]:
        """Return the answer for each asked, merges followed."""
        away = {ref: other for ref in refs if (other := kind.elsewhere.get(ref.id[:PREFIX_CHARS]))}
        known = dict(self._read(kind, [ref for ref in refs if ref not in away]))
        for other in dict.fromkeys(away.values()):
            asked = [ref for ref in refs if away.get(ref) == other]
            known.update(self._read_as(kind, self.facts.kinds[other], asked))
        for _ in range(MERGES_FOLLOWED):
            onward = {ref: one.into for ref, one in known.items() if isinstance(one, _Merged)}
            if not onward:
                break
            read = dict(self._read(kind, sorted(set(onward.values()))))
            known.update({ref: _through(ref, read[into]) for ref, into in onward.items()})
        endless = Unavailable("The merges that it passed through do not end.")
        return {
            ref: Unreadable(ref, endless) if isinstance(one, _Merged) else one
            for ref, one in known.items()
        }

    def _read_as(
        self, kind: Kind, other: Kind, refs: Sequence[Ref]
    ) -> Iterator[tuple[Ref, Fetched | _Merged]]:
        """Yield what is said of records of another object in a kind's place."""
        empty = dict.fromkeys(field.name for field in self.schema.chosen(kind).fields)
        by_id = {self.ref(other, ref.id): ref for ref in refs}
        for found, one in self._read(other, list(by_id)):
            yield (
                by_id[found],
                one if isinstance(one, _Merged) else standing_in(by_id[found], one, empty),
            )

    def _read(self, kind: Kind, refs: Sequence[Ref]) -> Iterator[tuple[Ref, Fetched | _Merged]]:
        """Yield what is said of each."""
        ids = {ref: soql.whole_id(ref.id) for ref in refs}
        yield from (
            (ref, Gone(ref, "its id is none that Salesforce gives"))
            for ref, one in ids.items()
            if not one
        )
        asked = [ref for ref in refs if ids[ref]]
        for part in soql.parts(ids[ref] for ref in asked):
            some, asked = asked[: len(part)], asked[len(part) :]
            try:
                rows = self._rows(kind, soql.within("Id", part), deleted=True)
            except TieoutError as error:
                yield from ((ref, Unreadable(ref, error)) for ref in some)
                continue
            by_id = {str(row.get("Id")): row for row in rows}
            yield from (
                (ref, self._answer(kind, ref, by_id[ids[ref]])) for ref in some if ids[ref] in by_id
            )
            left_out = [ref for ref in some if ids[ref] not in by_id]
            for first in range(0, len(left_out), PARTS_AT_ONCE):
                yield from self._alone(kind, left_out[first : first + PARTS_AT_ONCE])

    def _rows(self, kind: Kind, where: str, *, deleted: bool, also: str = "") -> list[Row]:
        deleted = deleted and kind.object not in UNDELETABLE

        def ask() -> list[Row]:
            columns = self.select(kind, also=also, deleted=deleted)
            statement = f"SELECT {columns} FROM {kind.object} WHERE {where}"  # noqa: S608 - SOQL, its values escaped
            return self.wire.whole(statement, deleted=deleted)

        return self.asked([kind], ask)

    def _answer(self, kind: Kind, ref: Ref, row: Row) -> Fetched | _Merged:
        if row.get("IsDeleted"):
            master = soql.whole_id(str(row.get(MASTER) or ""))
            if master:
                return _Merged(self.ref(kind, master))
            return Gone(ref, f"in the recycle bin since {row.get(MODIFIED)}")
        try:
            record = self.record(kind, row)
        except TieoutError as error:
            return Unreadable(ref, error)
        return record if record.ref == ref else MergedInto(ref, record)  # asked by its short id

    def _alone(self, kind: Kind, refs: Sequence[Ref]) -> Iterator[tuple[Ref, Fetched]]:
        """Ask for records that a query left out, each with an answer that is its own.

        So Salesforce itself says what became of one; a call holds up to 25 (page "Composite").
        """
        paths = [f"sobjects/{kind.object}/{soql.whole_id(ref.id)}?fields=Id" for ref in refs]
        try:
            refusals = self.wire.each(paths)
        except TieoutError as error:
            yield from ((ref, Unreadable(ref, error)) for ref in refs)
            return
        for ref, refused in zip(refs, refusals, strict=True):
            if isinstance(refused, NotFound):
                yield ref, Gone(ref, f"{refused.vendor_code} {refused.vendor_words}".strip())
            else:
                left_out = Unavailable("Salesforce's answer left it out.", record=str(ref))
                yield ref, Unreadable(ref, refused or left_out)


def _through(ref: Ref, answer: Fetched | _Merged) -> Fetched | _Merged:
    """Return what is said of a merged record, by what is said of its master."""
    match answer:
        case Record():
            return MergedInto(ref, answer)
        case Gone(into, evidence):
            return Gone(ref, f"merged into {into.id}, which is gone: {evidence}")
        case Unreadable(_, error):
            return Unreadable(ref, error)
        case _:
            return answer


def _name_of(kind: Kind, column: str) -> str:
    """Return the name that mappings have for a column."""
    return next((one.name for one in kind.fields.values() if one.field == column), column.lower())


def _at(record: Record) -> datetime:
    assert record.updated_at is not None, "each row has its time of change"
    return record.updated_at


def _trim(held: dict[Ref, Any]) -> None:
    while len(held) > REMEMBERED:
        del held[next(iter(held))]
