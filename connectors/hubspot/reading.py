"""Reading: which fields, whole records by id or by a unique value, and what fields exist.

A record that is asked for is answered, archived, merged, named as missing, or not known: a batch
that leaves one out without a word says nothing of it (pain 13).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote

from connectors.hubspot import paths
from connectors.hubspot.describing import described
from connectors.hubspot.facts import MERGED_IDS, Facts, Field, Kind
from connectors.hubspot.files import Files
from connectors.hubspot.owners import Owners
from connectors.hubspot.refusals import context_ids, refusal
from connectors.hubspot.translation import Translator, text_of
from connectors.hubspot.wire import Wire, refusals, rows
from tieout.model.capability import FieldInfo
from tieout.model.contract import Opening
from tieout.model.dates import time_zone
from tieout.model.errors import (
    ConfigError,
    NotFound,
    TieoutError,
    Unavailable,
    Unsupported,
    ValueRefused,
)
from tieout.model.record import Fetched, Gone, MergedInto, Record, Unreadable
from tieout.model.ref import Ref
from tieout.transport import Answer

READ_BATCH = 100  # sdk.md 7
SEARCH_PAGE = 200
ASSOCIATIONS_BATCH = 1_000  # sdk.md 3
NOT_FOUND = "OBJECT_NOT_FOUND"
ALWAYS = ("merged_ids", "position", "form")  # whatever the mappings use: merges, order, percents

NOTED = "noted_at"  # moves with a record's notes, and so tells that a file may have come

T = TypeVar("T")


@dataclass(slots=True)
class Batch:
    """What a batch read said of each asked id."""

    found: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    merged: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    refused: dict[str, TieoutError] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Account:
    """What the portal says of itself."""

    portal_id: str
    time_zone: str
    currency: str


class Reading:
    """What is read of one portal, and how it is understood."""

    def __init__(
        self, wire: Wire, company: str, opening: Opening, facts: Facts, version: str
    ) -> None:
        self.wire = wire
        self.company = company
        self.opening = opening
        self.facts = facts
        self.version = version
        self.owners = Owners(wire, company, opening, version)
        self.files = Files(self)
        self.unordered: set[str] = set()  # kinds whose searches do not come in the order asked
        self.search_page = SEARCH_PAGE  # less where the server refuses so many
        self.links_at_once = ASSOCIATIONS_BATCH
        self._account: Account | None = None
        self._zone = ""
        self._described: dict[str, Mapping[str, FieldInfo]] = {}
        self._translators: dict[str, Translator] = {}
        self._once = threading.RLock()

    def fetch(self, refs: Sequence[Ref]) -> Iterator[Fetched]:
        """Yield one answer for each asked, the kinds one after the other."""
        by_kind: dict[str, list[Ref]] = {}
        for ref in refs:
            by_kind.setdefault(ref.kind, []).append(ref)
        for name, asked in by_kind.items():
            if name == "owner":
                yield from self.owners.fetch(asked)
            elif name == "file":
                yield from self.files.fetch(asked)
            elif name in self.facts.kinds and self.facts.kinds[name].relations:
                kind = self.facts.kinds[name]
                for some in self.wire.each(partial(self._fetch, kind), _parts(asked)):
                    yield from some
            else:
                error = Unsupported(f"HubSpot's connector does not fetch records of kind {name}.")
                yield from (Unreadable(ref, error) for ref in asked)

    def batch(
        self, kind: Kind, ids: Sequence[str], *, by: str = "", archived: bool = False
    ) -> Batch:
        """Read up to a hundred records by id, or by a unique property's values.

        Raises:
            TieoutError: the batch as a whole was refused or not answered.
        """
        body = {
            "properties": self.properties(kind) + ([by] if by else []),
            "propertiesWithHistory": [],  # the vendor's own library never leaves it out
            "inputs": [{"id": one} for one in ids],
        }
        if by:
            body["idProperty"] = by
        query = {"archived": "true"} if archived else {}
        path = self.path("objects", f"{kind.object}/batch/read")
        read = self.wire.ask(
            "POST", path, body, understand=lambda answer: _batch(answer, by), **query
        )
        self._complete(kind, read, ids, by, query)
        return read

    def _complete(
        self, kind: Kind, read: Batch, ids: Sequence[str], by: str, query: Mapping[str, str]
    ) -> None:
        """Ask for each id alone that a batch left out without a reason, or without a category."""
        known = {fold(one) for one in (*read.found, *read.merged, *read.missing, *read.refused)}
        for one in ids:
            if fold(one) in known:
                continue
            try:
                row = self._one(kind, one, by, query)
            except NotFound:
                read.missing.add(one)
            except TieoutError as error:
                read.refused[one] = error
            else:
                (read.found if by or str(row["id"]) == one else read.merged)[one] = row

    def _one(self, kind: Kind, asked: str, by: str, query: Mapping[str, str]) -> Mapping[str, Any]:
        """Read one record by its id or unique value; a merged one's is answered with another id.

        Raises:
            NotFound: HubSpot says that it is not there.
            TieoutError: it was refused or not answered.
        """
        wanted = ",".join(self.properties(kind) + ([by] if by else []))
        query = {**query, "properties": wanted, **({"idProperty": by} if by else {})}
        path = self.path("objects", f"{kind.object}/{quote(asked, safe='')}")
        return self.wire.ask("GET", path, understand=_record_row, **query)

    def properties(self, kind: Kind) -> list[str]:
        """Return what to ask for of a kind: what the mappings use, and what we need ourselves."""
        return list(dict.fromkeys(kind.property_of(name) for name in self._names(kind)))

    def record(self, kind: Kind, row: Mapping[str, Any]) -> Record:
        """Return a record as HubSpot told it, in our names and types."""
        record = self.translator(kind).record(row)
        if self.owners.are_read_of(kind):
            self.owners.remember(kind, record)
        return record

    def ref(self, kind: Kind, row: Mapping[str, Any]) -> Ref:
        """Return the address of a record that HubSpot told."""
        return Ref(self.company, kind.name, str(row["id"]))

    def translator(self, kind: Kind) -> Translator:
        """Return the translator of a kind; made when the first record is there to be read."""
        known = self._translators.get(kind.name)
        if known is None:
            fields = tuple(self._field(kind, name) for name in self._names(kind))
            known = Translator(self.company, kind, fields, self.zone)
            self._translators[kind.name] = known
        return known

    def account(self, *, fresh: bool = False) -> Account:
        """Ask what the portal is; asked once, unless it must be fresh."""
        with self._once:
            if self._account is None or fresh:
                self._account = self.get(
                    paths.account(self.version), paths.account(paths.NUMBERED), _account
                )
            return self._account

    def path(self, area: str, rest: str = "") -> str:
        """Return a path of the API's version that this session speaks."""
        return paths.crm(self.version, area, rest)

    def listed(self, area: str, rest: str, *needed: str) -> list[Mapping[str, Any]]:
        """Return the whole list of something that has no pages.

        Raises:
            TieoutError: it was refused or not answered.
        """
        return self.get(
            self.path(area, rest),
            paths.crm(paths.NUMBERED, area, rest),
            lambda answer: rows(answer, *needed),
        )

    def server_now(self) -> datetime:
        """Return the present instant by HubSpot's clock (R51); ask for it if nothing was asked yet.

        Raises:
            Unavailable: HubSpot's answers have no date.
        """
        if self.wire.door.skew_secs is None:
            self.account(fresh=True)
        if self.wire.door.skew_secs is None:
            raise Unavailable("HubSpot's answers have no date, so its clock is not known.")
        return self.wire.now() + timedelta(seconds=self.wire.door.skew_secs)

    def zone(self) -> str:
        """Return the business time zone: the configuration's, else the portal's.

        Raises:
            ConfigError: the portal's is not one that there is data for.
        """
        if not self._zone:
            name = self.opening.time_zone or self.account().time_zone
            try:
                time_zone(name)
            except ValueRefused as wrong:
                raise ConfigError(
                    f"The portal's time zone {name} is not known here.",
                    remedy="Set time_zone for this company, as Europe/Oslo.",
                ) from wrong
            self._zone = name
        return self._zone

    def describe(self, name: str) -> Mapping[str, FieldInfo]:
        """Return the fields of a kind by the names that mappings use; asked once.

        Raises:
            Unsupported: there is no such kind, or no object is named for it.
            TieoutError: it was refused or not answered.
        """
        kind = self.facts.kinds.get(name)
        if kind is None:
            raise Unsupported(f"This portal's settings name no records of kind {name}.")
        with self._once:
            if name not in self._described:
                self._described[name] = described(self, kind)
            return self._described[name]

    def forget_descriptions(self) -> None:
        """Ask anew which fields there are: one was made."""
        with self._once:
            self._described.clear()
            self._translators.clear()

    def _names(self, kind: Kind) -> list[str]:
        wanted = self.opening.reads.get(kind.name, frozenset(kind.fields))
        ours = [name for name in ALWAYS if name in kind.fields]
        if self.owners.are_read_of(kind):
            ours.append(kind.relations["owner"].property)
        if NOTED in kind.fields and "file" in self.opening.reads:
            ours.append(NOTED)
        return sorted({*wanted, *ours} - {"id"})

    def _field(self, kind: Kind, name: str) -> Field:
        known = kind.fields.get(name)
        if known is not None:
            return known
        told = self.describe(kind.name).get(name)
        return Field(name, name, "text" if told is None else told.type)

    def _fetch(self, kind: Kind, refs: Sequence[Ref]) -> list[Fetched]:
        ids = list(dict.fromkeys(ref.id for ref in refs))
        try:
            live = self.batch(kind, ids)
            gone = self._archived(kind, sorted(live.missing))
        except TieoutError as error:
            return [Unreadable(ref, error) for ref in refs]
        return [self._answer(kind, ref, live, gone) for ref in refs]

    def _archived(self, kind: Kind, ids: Sequence[str]) -> Batch:
        return self.batch(kind, ids, archived=True) if ids else Batch()

    def _answer(self, kind: Kind, ref: Ref, live: Batch, gone: Batch) -> Fetched:
        row = live.found.get(ref.id)
        if row is not None and not row.get("archived"):
            return self._shown(kind, ref, row)
        row = live.merged.get(ref.id)
        if row is not None:
            into = self._shown(kind, ref, row)
            return MergedInto(ref, into) if isinstance(into, Record) else into
        row = gone.found.get(ref.id)
        if row is not None:
            return Gone(ref, f"archived at {row.get('archivedAt') or row['updatedAt']}")
        row = gone.merged.get(ref.id)
        if row is not None:
            return Gone(ref, f"merged into {row['id']}, which was archived since")
        if ref.id in gone.missing:
            return Gone(ref, f"{NOT_FOUND}, and not among the archived")
        refused = live.refused.get(ref.id) or gone.refused.get(ref.id)
        return Unreadable(
            ref, refused or Unavailable("HubSpot's answer left it out.", record=str(ref))
        )

    def _shown(self, kind: Kind, ref: Ref, row: Mapping[str, Any]) -> Record | Unreadable:
        try:
            return self.record(kind, row)
        except TieoutError as error:
            return Unreadable(ref, error)

    def get(self, path: str, other: str, understand: Callable[[Answer], T]) -> T:
        """Ask at the version's path, and at the numbered one where nothing is there.

        Raises:
            TieoutError: it was refused or not answered.
        """
        try:
            return self.wire.ask("GET", path, understand=understand)
        except NotFound:
            if other == path:
                raise
            return self.wire.ask("GET", other, understand=understand)


def _batch(answer: Answer, by: str) -> Batch:
    read = Batch()
    for row in rows(answer, "id", "updatedAt"):
        told = row.get("properties") or {}
        read.found[text_of(told.get(by)) if by else str(row["id"])] = row
        for old in text_of(told.get(MERGED_IDS)).split(";"):
            if old:
                read.merged[old] = row
    for told in refusals(answer):
        ids = list(context_ids(told, "ids", "id"))
        if told.get("category") == NOT_FOUND:
            read.missing.update(ids)
        elif told.get("category"):
            error = refusal(told, str(answer.status), answer.trace_id)
            read.refused.update(dict.fromkeys(ids, error))
    return read


def _record_row(answer: Answer) -> Mapping[str, Any]:
    told = answer.json
    if not isinstance(told, Mapping) or not told.get("id") or not told.get("updatedAt"):
        raise answer.unclear(f"The answer of {answer.route.name} shows no record.")
    return told


def fold(value: str) -> str:
    """Return a unique text as HubSpot compares it: without case where it is an address."""
    return value.casefold()


def _account(answer: Answer) -> Account:
    told = answer.json
    if not isinstance(told, Mapping) or not told.get("portalId"):
        raise answer.unclear("HubSpot did not say which account this is.")
    zone, currency = told.get("timeZone"), told.get("companyCurrency")
    return Account(str(told["portalId"]), str(zone or ""), str(currency or ""))


def _parts(refs: Sequence[Ref]) -> Iterator[Sequence[Ref]]:
    """Cut what is asked into parts of a hundred different records; a part may name one twice."""
    part: list[Ref] = []
    ids: set[str] = set()
    for ref in refs:
        if len(ids) == READ_BATCH and ref.id not in ids:
            yield part
            part, ids = [], set()
        part.append(ref)
        ids.add(ref.id)
    if part:
        yield part
