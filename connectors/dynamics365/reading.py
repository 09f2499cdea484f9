"""Reading: which columns, whole records by id, what the organization is.

A record that is asked for is answered, merged, named as missing, or not known: a list that leaves
one out without a word says nothing of it, so it is asked for alone (pain 13).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from connectors.dynamics365.describing import Describing
from connectors.dynamics365.facts import CURRENCY, LABEL, MASTER, OWNER, SHOWN, Facts, Field, Kind
from connectors.dynamics365.outcome import DEAL, is_kept, with_outcomes
from connectors.dynamics365.refusals import NoSuchColumn
from connectors.dynamics365.translation import CREATED, MODIFIED, Translator
from connectors.dynamics365.wire import Wire, encoded, literal, row, rows
from tieout.model.contract import Opening
from tieout.model.errors import ConfigError, NotFound, TieoutError, Unavailable, Unsupported
from tieout.model.record import Fetched, Gone, MergedInto, Record, Unreadable
from tieout.model.ref import Ref, Version

IDS_AT_ONCE = 600  # in one address: encoded, each is 45 letters, and an address holds 32,768
CHILD = "child"  # where outcomes are kept: in the opportunity, or in a table of its own
MERGES_FOLLOWED = 20
RECORDS_REMEMBERED = 20_000
ANNOTATIONS = f'odata.include-annotations="{SHOWN.removeprefix("@")}"'
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.ASCII)

_PLAIN_COLUMN = re.compile(r"[a-z_][a-z0-9_]*\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Organization:
    """What the organization says of itself."""

    id: str
    name: str
    currency_id: str


@dataclass(slots=True)
class Rows:
    """What was answered of some ids."""

    found: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)  # id -> the system's own word
    refused: dict[str, TieoutError] = field(default_factory=dict)


class Reading:
    """What is read of one organization, and how it is understood."""

    def __init__(
        self, wire: Wire, company: str, opening: Opening, facts: Facts, page_rows: int
    ) -> None:
        self.wire = wire
        self.outcomes = facts.outcome if opening.options.get("outcome") == CHILD else None
        self.page = f"odata.maxpagesize={page_rows}"  # the wish for pages of this size
        self.company = company
        self.opening = opening
        self.facts = facts
        self.describing = Describing(wire, facts)
        self.lookups: dict[Ref, Mapping[str, Any]] = {}
        """The latest records' fields that name other records."""
        self.unpublished = False  # whether something was made since the last publishing
        self._codes: Mapping[str, str] = {}
        self._translators: dict[str, Translator] = {}
        self._lookup_names = {
            kind.name: tuple(
                dict.fromkeys(name for told in kind.relations.values() for name in told.by)
            )
            for kind in facts.kinds.values()
        }
        self._once = threading.RLock()

    def fetch(self, refs: Sequence[Ref]) -> Iterator[Fetched]:
        """Yield one answer for each asked, the kinds one after the other."""
        by_kind: dict[str, list[Ref]] = {}
        for ref in refs:
            by_kind.setdefault(ref.kind, []).append(ref)
        for name, asked in by_kind.items():
            kind = self.facts.kinds.get(name)
            if kind is None:
                error = Unsupported(f"Dynamics' connector does not fetch records of kind {name}.")
                yield from (Unreadable(ref, error) for ref in asked)
                continue
            read = self.rows(kind, [ref.id for ref in asked])
            yield from (self._fetched(kind, ref, read) for ref in asked)

    def rows(self, kind: Kind, ids: Sequence[str]) -> Rows:
        """Read records by id; each asked is found, missing by the system's word, or refused."""
        read = Rows()
        asked: list[str] = []
        for one in dict.fromkeys(ids):
            if GUID.match(one):
                asked.append(one)
            else:
                read.missing[one] = "no id of Dataverse's has this form"
        if not asked:
            return read
        try:
            select, prefer = self.select(kind), self.prefer(kind)
        except TieoutError as error:
            read.refused.update(dict.fromkeys(asked, error))
            return read
        parts = [asked[n : n + IDS_AT_ONCE] for n in range(0, len(asked), IDS_AT_ONCE)]
        paths = [f"{kind.set}?{select}&$filter={within(kind.id, part)}" for part in parts]
        answers = self.wire.answers(paths, understand=rows, prefer=prefer)
        for part, answer in zip(parts, answers, strict=True):
            if isinstance(answer, TieoutError):
                read.refused.update(dict.fromkeys(part, answer))
            else:
                read.found.update({str(told.get(kind.id)): told for told in answer})
        left = [one for one in asked if one not in read.found and one not in read.refused]
        self._complete(kind, left, select, prefer, read)
        self._add_outcomes(kind, read)
        return read

    def _add_outcomes(self, kind: Kind, read: Rows) -> None:
        """Add what was told of deals where that is kept in a table of its own."""
        if self.outcomes is None or kind.name != DEAL:
            return
        wanted = self.opening.reads.get(kind.name, frozenset(kind.fields))
        try:
            read.found = dict(with_outcomes(self.wire, self.outcomes, wanted, read.found))
        except TieoutError as error:
            read.refused.update(dict.fromkeys(read.found, error))
            read.found = {}

    def _complete(
        self, kind: Kind, left: Sequence[str], select: str, prefer: Sequence[str], read: Rows
    ) -> None:
        """Ask for each alone that a list left out."""
        paths = [f"{kind.set}({one})?{select}" for one in left]
        for one, answer in zip(
            left, self.wire.answers(paths, understand=row, prefer=prefer), strict=True
        ):
            if isinstance(answer, NotFound) and answer.vendor_code != "404":
                read.missing[one] = f"{answer.vendor_code} {answer.vendor_words}"
            elif isinstance(answer, TieoutError):
                read.refused[one] = answer
            elif str(answer.get(kind.id)) == one:
                read.found[one] = answer
            else:
                read.refused[one] = Unavailable("Dataverse answered with another record.")

    def record(self, kind: Kind, told: Mapping[str, Any]) -> Record:
        """Return a record as Dataverse told it, in our names and types.

        Raises:
            TieoutError: it cannot be read; see ``Translator.record``.
        """
        record = self.translator(kind).record(told)
        names = self._lookup_names[kind.name]
        if names:
            with self._once:
                self.lookups[record.ref] = {name: record.fields.get(name) for name in names}
                if len(self.lookups) > RECORDS_REMEMBERED:
                    del self.lookups[next(iter(self.lookups))]
        return record

    def nameless(self, ref: Ref) -> Mapping[Ref, Record]:
        """Return an owner of whom no mapping reads a field: the id is all that is wanted."""
        if ref.kind != OWNER or not self.opening.reads or self.opening.reads.get(OWNER):
            return {}
        return {ref: Record(ref, Version(""), {"id": ref.id})}

    def translator(self, kind: Kind) -> Translator:
        """Return the translator of a kind; made when the first record is there to be read."""
        known = self._translators.get(kind.name)
        if known is None:
            fields = tuple(self.field(kind, name) for name in self._names(kind))
            known = Translator(self.company, kind, fields, self.zone, self.code)
            self._translators[kind.name] = known
        return known

    def columns(self, kind: Kind) -> list[str]:
        """Return the values to ask for of a kind: what the mappings use, and what we need."""
        fields = [self.field(kind, name) for name in self._names(kind)]
        wanted = [field.column for field in fields if not self._is_elsewhere(kind, field)]
        own = [kind.id, MODIFIED, CREATED, *([MASTER] if kind.merges else ())]
        return sorted({*(one.removesuffix(SHOWN) for one in wanted), *own})

    def _is_elsewhere(self, kind: Kind, field: Field) -> bool:
        """Whether a field of the deal is none of its table."""
        return kind.name == DEAL and self.outcomes is not None and is_kept(self.outcomes, field)

    def select(self, kind: Kind) -> str:
        """Return the part of a query that names them.

        Raises:
            NoSuchColumn: one of them cannot be a column's name.
        """
        columns = self.columns(kind)
        for one in columns:
            if not _PLAIN_COLUMN.match(one):
                raise NoSuchColumn(f"{one} cannot be a column of {kind.table}.")
        return f"$select={','.join(columns)}"

    def prefer(self, kind: Kind) -> tuple[str, ...]:
        """Return the wishes to send along: people's texts for options, where they are used."""
        labels = any(self.field(kind, name).column.endswith(SHOWN) for name in self._names(kind))
        return (ANNOTATIONS,) if labels else ()

    def field(self, kind: Kind, name: str) -> Field:
        """Return a field by the name that mappings use."""
        known = kind.fields.get(name)
        if known is not None:
            return known
        if name.endswith(LABEL):
            of = self.field(kind, name.removesuffix(LABEL))
            return Field(name, f"{of.column}{SHOWN}")
        return self.describing.field(kind, name)

    def code(self, currency_id: str) -> str:
        """Return the ISO code of a currency of the organization's.

        Raises:
            Unavailable: it lists none of this id.
            TieoutError: the list was refused or not answered.
        """
        with self._once:
            if currency_id not in self._codes:
                kind = self.facts.kinds[CURRENCY]
                path = f"{kind.set}?$select={kind.id},{kind.column_of('code')}"
                listed = self.wire.get(path, understand=rows)
                self._codes = {
                    str(told[kind.id]): str(told[kind.column_of("code")]) for told in listed
                }
            found = self._codes.get(currency_id)
        if found is None:
            raise Unavailable(f"Dynamics lists no currency {currency_id}.")
        return found

    def organization(self) -> Organization:
        """Ask which organization this is.

        Raises:
            TieoutError: it was refused or not answered.
        """
        said = self.wire.get("WhoAmI", understand=row)
        organization_id = said.get("OrganizationId")
        if not isinstance(organization_id, str) or not organization_id:
            raise Unavailable("Dataverse did not say which organization this is.")
        path = f"organizations({encoded(organization_id)})?$select=name,_basecurrencyid_value"
        told = self.wire.get(path, understand=row)
        return Organization(
            organization_id,
            str(told.get("name") or organization_id),
            str(told.get("_basecurrencyid_value") or ""),
        )

    def server_now(self) -> datetime:
        """Return the present instant by Dataverse's clock (R51); ask for it if nothing was asked.

        Raises:
            Unavailable: its answers have no date.
        """
        if self.wire.door.skew_secs is None:
            self.wire.get("WhoAmI", understand=row)
        if self.wire.door.skew_secs is None:
            raise Unavailable("Dataverse's answers have no date, so its clock is not known.")
        return self.wire.now() + timedelta(seconds=self.wire.door.skew_secs)

    def zone(self) -> str:
        """Return the business time zone.

        Raises:
            ConfigError: the configuration names none: an organization has none, its users have.
        """
        if self.opening.time_zone is None:
            raise ConfigError(
                "A date of Dynamics' is kept as an instant, and no time zone says of which day.",
                remedy="Set time_zone for this company, as Europe/Oslo.",
            )
        return self.opening.time_zone

    def forget_descriptions(self) -> None:
        """Ask anew which columns there are: one was made."""
        self.describing.forget()
        self._translators.clear()

    def _names(self, kind: Kind) -> list[str]:
        wanted = self.opening.reads.get(kind.name, frozenset(kind.fields))
        scope = () if kind.scope is None else (kind.scope.won, kind.scope.day)
        order = (name for name in ("position", "number") if name in kind.fields)
        lookups = self._lookup_names[kind.name]
        return sorted({*wanted, *scope, *order, *lookups} - {"id"})

    def _fetched(self, kind: Kind, ref: Ref, read: Rows) -> Fetched:
        told = read.found.get(ref.id)
        if told is None:
            if ref.id in read.missing:
                return Gone(ref, read.missing[ref.id])
            return Unreadable(ref, read.refused[ref.id])
        if not told.get(MASTER):
            return self._shown(kind, ref, told)
        into = self._followed(kind, told)
        if isinstance(into, TieoutError):
            return Unreadable(ref, into)
        record = self._shown(kind, ref, into)
        return MergedInto(ref, record) if isinstance(record, Record) else record

    def _followed(self, kind: Kind, told: Mapping[str, Any]) -> Mapping[str, Any] | TieoutError:
        """Return the row that a merged one lives on in."""
        for _ in range(MERGES_FOLLOWED):
            master = told.get(MASTER)
            if not master:
                return told
            read = self.rows(kind, [str(master)])
            if str(master) not in read.found:
                gone = Unavailable(f"It was merged into {master}, which cannot be read.")
                return read.refused.get(str(master), gone)
            told = read.found[str(master)]
        return Unavailable("Its merges lead in a circle.")

    def _shown(self, kind: Kind, ref: Ref, told: Mapping[str, Any]) -> Record | Unreadable:
        try:
            return self.record(kind, told)
        except TieoutError as error:
            return Unreadable(ref, error)


def within(column: str, values: Sequence[str]) -> str:
    """Return the encoded filter that a column has one of some values (page "In function")."""
    listed = encoded(f"[{','.join(map(literal, values))}]")
    return f"Microsoft.Dynamics.CRM.In(PropertyName='{column}',PropertyValues={listed})"
