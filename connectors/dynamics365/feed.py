"""What moved in one table: change tracking, by delta links.

Tracking cannot filter: without a link the whole table is read, page by page, and what is in scope
is taken from it (sdk.md 6, page "Use change tracking to synchronize data with external systems"). A
link names a version, not a time, and it ends: after some days, when the table's definition changes,
or when other columns are wanted. Then the table is read whole again and compared: what has a later
version than the last one that we were shown, or was modified since shortly before, is told. What
was deleted meanwhile no link tells any more; the daily reading of posted deals finds it, and a log
line says that this happened.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

import structlog

from connectors.dynamics365.facts import ETAG, MASTER, Kind, Scope
from connectors.dynamics365.reading import GUID, Reading
from connectors.dynamics365.refusals import Expired, NoSuchColumn
from connectors.dynamics365.translation import MODIFIED, Translator
from connectors.dynamics365.wire import NEXT, rows
from tieout.model.dates import instant_text, parse_instant
from tieout.model.errors import Rejected, TieoutError, Unavailable, Unsupported, ValueRefused
from tieout.model.record import Event, Page, Record, Seen
from tieout.model.ref import Cursor, Ref
from tieout.transport import Answer

PAGES_LIMIT = 100_000  # five hundred million rows
OVERLAP = timedelta(hours=1)  # a transaction ends two minutes after it began; this is far more
CURSOR_FORM = 1
WANTED_LIMIT = 100_000  # of one kind; whoever is not noted is asked for
COLUMNS_NAME_LETTERS = 16
LINK_NAME_BYTES = 16
TRACKED = "odata.track-changes"
DELETED = "/$deletedEntity"
DELTA = "@odata.deltaLink"


_DIGITS = re.compile(r"\d+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the feed of one table.

    Attributes:
        link: what to ask next, below the API's root; empty for the whole table.
        columns: a short name of the columns that the link answers with.
        at: the server's clock when the last finished walk began; None before the first is.
        top: the highest version shown until then.
        walk_at: the server's clock when this walk began; None between walks.
        high: the highest version that this walk has shown.
        whole: whether this walk reads the table, and not what a link tells.
        since: a table is compared from this instant; None where only the scope decides.
    """

    link: str = ""
    columns: str = ""
    at: datetime | None = None
    top: int = 0
    walk_at: datetime | None = None
    high: int = 0
    whole: bool = False
    since: datetime | None = None

    def text(self) -> Cursor:
        """Return it as a cursor."""
        told: dict[str, object] = {
            "form": CURSOR_FORM,
            "link": self.link,
            "columns": self.columns,
            "at": self.at and instant_text(self.at),
            "top": self.top,
            "walk": self.walk_at and instant_text(self.walk_at),
            "high": self.high,
            "whole": self.whole,
            "since": self.since and instant_text(self.since),
        }
        held = {name: value for name, value in told.items() if value}
        return Cursor(json.dumps(held, separators=(",", ":")))

    @classmethod
    def parse(cls, text: str) -> Place:
        """Return the place that a cursor holds.

        Raises:
            ValueRefused: it is not one of ours.
        """
        try:
            told = json.loads(text)
            if told.get("form") != CURSOR_FORM:
                raise ValueRefused("The cursor is of another form.")
            instants = {name: told.get(name) for name in ("at", "walk", "since")}
            at, walk, since = (parse_instant(said) if said else None for said in instants.values())
            return cls(
                link=str(told.get("link", "")),
                columns=str(told.get("columns", "")),
                at=at,
                top=int(told.get("top", 0)),
                walk_at=walk,
                high=int(told.get("high", 0)),
                whole=bool(told.get("whole", False)),
                since=since,
            )
        except (ValueError, AttributeError, TypeError) as wrong:
            raise ValueRefused(f"{text[:40]!r} is no place in a feed of Dynamics'.") from wrong

    def back_to(self, instant: datetime) -> Place:
        """Return the place from which an earlier instant is told again; itself when later."""
        if self.at is None or instant >= self.at:
            return self
        return Place(at=instant, since=instant)

    def anew(self, columns: str) -> Place:
        """Return the place before the whole table, to be compared with what we know."""
        since = None if self.at is None else (self.since or self.at - OVERLAP)
        return Place(columns=columns, at=self.at, top=self.top, whole=True, since=since)


@dataclass(frozen=True, slots=True)
class Found:
    """One page of a table or of a link."""

    rows: Sequence[Mapping[str, Any]]
    link: str
    last: bool
    served_at: datetime


class Feed:
    """The feed of one kind.

    ``wanted`` holds the ids that records in scope name, by kind: of accounts and contacts the first
    read tells those, so that nobody must ask for them.
    """

    def __init__(self, reading: Reading, kind: Kind, wanted: dict[str, set[str]]) -> None:
        self._reading = reading
        self._kind = kind
        self._wanted = wanted
        self._bare = False  # a column is missing: what moved is told, and not shown

    def pages(self, since: Cursor | None) -> Iterator[Page]:
        """Yield the pages of one walk, or of the rest of one that was interrupted.

        A link that is refused, for its age or for any other word about it, is left once in a walk:
        no later round could use it either.

        A column that is gone makes the rows come bare: whoever reads each by its address is told
        why it cannot be read. Each walk asks for it again.

        Raises:
            ValueRefused: the cursor is not of this feed.
            TieoutError: a page was refused, not answered or not whole.
        """
        held = Place() if since is None else Place.parse(since)
        place = self._begun(held)
        before: Found | None = None
        been: set[bytes] = set()
        anew = False
        for _ in range(PAGES_LIMIT):
            try:
                found = self._page(place)
            except NoSuchColumn as missing:
                if self._bare:
                    raise
                place, before = self._without(held, missing), None
                been.clear()
                continue
            except Rejected as refused:
                if anew or not place.link or isinstance(refused, Unsupported):
                    raise
                self._say(_why_left(refused))
                place, before, anew = place.anew(place.columns), None, True
                been.clear()
                continue
            if before is not None and found.rows and found.rows == before.rows:
                raise Unavailable(f"A page of {self._kind.set} came twice.")
            been.add(_short_of(place.link))
            if not found.last and _short_of(found.link) in been:
                raise Unavailable(f"The pages of {self._kind.set} lead in a circle.")
            place, events = self._stepped(place, found)
            yield Page(events, place.text(), found.served_at, last=found.last)
            if found.last:
                return
            before = found
        raise Unavailable(f"A walk over {self._kind.set} did not end.")

    def _begun(self, held: Place) -> Place:
        """Return where to begin: at the link, if it answers with the columns that are wanted."""
        try:
            name = _short(self._reading.select(self._kind))
        except NoSuchColumn as missing:
            return self._without(held, missing)
        if held.link and held.columns == name:
            return held
        if held.link and held.columns != _short(self._bare_select):
            self._say("other columns are wanted")
        return held.anew(name)

    def _without(self, held: Place, missing: NoSuchColumn) -> Place:
        """Return where to begin without the columns that mappings use: one of them is missing."""
        self._bare = True
        self._reading.forget_descriptions()  # the next walk asks whether it is there again
        name = _short(self._bare_select)
        if held.link and held.columns == name:
            return held
        self._say(f"a column is missing: {missing.vendor_words or missing.what}")
        return held.anew(name)

    @property
    def _bare_select(self) -> str:
        kind = self._kind
        scope = () if kind.scope is None else (kind.scope.won, kind.scope.day)
        columns = {kind.column_of(name) for name in scope} | {kind.id, MODIFIED}
        return f"$select={','.join(sorted(columns | ({MASTER} if kind.merges else set())))}"

    def _page(self, place: Place) -> Found:
        select = self._bare_select if self._bare else self._reading.select(self._kind)
        labels = () if self._bare else self._reading.prefer(self._kind)
        path = place.link or f"{self._kind.set}?{select}"
        return self._reading.wire.get(
            path, understand=self._found, prefer=(TRACKED, self._reading.page, *labels)
        )

    def _found(self, answer: Answer) -> Found:
        """Understand a page: each leads on, to the next or to what will have moved."""
        page = rows(answer)
        following, delta = answer.json.get(NEXT), answer.json.get(DELTA)
        link = following or delta
        if not isinstance(link, str) or not link:
            raise answer.unclear(f"A page of {self._kind.set} leads nowhere.")
        if answer.served_at is None:
            raise answer.unclear("Dataverse's answer has no date, so its clock is not known.")
        below = self._reading.wire.below_root(link)
        return Found(page, below, last=not following, served_at=answer.served_at)

    def _stepped(self, place: Place, found: Found) -> tuple[Place, tuple[Event, ...]]:
        """Return the place after a page, and the page's events."""
        walk_at = place.walk_at or found.served_at
        high = max([place.high, *(_version(told) for told in found.rows)])
        events = tuple(
            event
            for told in found.rows
            if not place.whole or self._is_told(place, told)
            for event in self._events(told, place)
        )
        if found.last:
            top = max(place.top, high)
            return Place(found.link, place.columns, at=walk_at, top=top), events
        return replace(place, link=found.link, walk_at=walk_at, high=high), events

    def _is_told(self, place: Place, told: Mapping[str, Any]) -> bool:
        """Whether a row of the whole table is told: it is in scope, or moved since we looked."""
        if place.since is not None:
            return (place.top > 0 and _version(told) > place.top) or _moved(told, place.since)
        if self._kind.scope is None:
            return told.get(self._kind.id) in self._wanted.get(self._kind.name, ())
        return self._is_in_scope(told, self._kind.scope)

    def _is_in_scope(self, told: Mapping[str, Any], scope: Scope) -> bool:
        fields = self._scoping.record(told).fields
        cutover, day = self._reading.opening.cutover_date, fields.get(scope.day)
        if not fields.get(scope.won):
            return False
        return cutover is None or not isinstance(day, date) or day >= cutover

    @cached_property
    def _scoping(self) -> Translator:
        scope = self._kind.scope
        names = () if scope is None else (scope.won, scope.day)
        fields = [self._kind.fields[name] for name in names]
        return Translator(
            self._reading.company, self._kind, fields, self._reading.zone, self._reading.code
        )

    def _events(self, told: Mapping[str, Any], place: Place) -> Iterator[Event]:
        if str(told.get("@odata.context", "")).endswith(DELETED):
            yield Event(self._ref(told.get("id")), Seen.GONE)
            return
        ref = self._ref(told.get(self._kind.id))
        if told.get(MASTER):
            yield Event(ref, Seen.MERGED, merged_into=self._ref(told[MASTER]))
            return
        if self._bare:
            yield Event(ref)
            return
        try:
            record = self._reading.record(self._kind, told)
        except TieoutError:  # shown bare: who reads it by its address is told why
            yield Event(ref)
            return
        if place.whole and place.since is None:
            self._want(record)
        yield Event(ref, record=record, at=record.updated_at)

    def _want(self, record: Record) -> None:
        """Note whom a record in scope names."""
        for relation in self._kind.relations.values():
            for name in relation.by:
                named = self._wanted.setdefault(relation.to, set())
                if record.fields.get(name) and len(named) < WANTED_LIMIT:
                    named.add(str(record.fields[name]))

    def _ref(self, record_id: object) -> Ref:
        if not isinstance(record_id, str) or not GUID.match(record_id):
            raise Unavailable(f"Dataverse tells of a {self._kind.name} without saying which.")
        return Ref(self._reading.company, self._kind.name, record_id)

    def _say(self, why: str) -> None:
        """Say that the table is compared whole, and what such a comparison cannot show."""
        structlog.get_logger("tieout.dynamics365").warning(
            "table read whole and compared",
            table=self._kind.table,
            why=why,
            not_shown="what was deleted meanwhile; the daily reading of posted deals finds it",
        )


def one_kind(
    kinds: Sequence[str], known: Mapping[str, Kind], feeds: Sequence[Sequence[str]]
) -> Kind:
    """Return the kind that a question is about.

    Raises:
        Unsupported: it is not about exactly one kind that has a feed.
    """
    if len(kinds) != 1 or tuple(kinds) not in {tuple(feed) for feed in feeds}:
        asked = ", ".join(kinds)
        raise Unsupported(f"Dynamics has no feed of {asked} together; ask one at a time.")
    return known[kinds[0]]


def _version(told: Mapping[str, Any]) -> int:
    """Return a row's version as the number that its ETag holds, 0 where it has none."""
    found = _DIGITS.search(str(told.get(ETAG, "")))
    return int(found[0]) if found else 0


def _moved(told: Mapping[str, Any], since: datetime) -> bool:
    """Whether a row was modified since an instant; one that does not say so may have been."""
    try:
        return parse_instant(str(told.get(MODIFIED))) >= since
    except ValueRefused:
        return True


def _why_left(refused: Rejected) -> str:
    """Return why a link is not followed, in the vendor's words where it is not its age."""
    if isinstance(refused, Expired):
        return "the delta link has expired"
    return f"the link was refused: {refused.vendor_words or refused.what}"


def _short_of(link: str) -> bytes:
    """Return what tells a link from others: a hundred thousand of them are kept for a walk."""
    return hashlib.sha256(link.encode()).digest()[:LINK_NAME_BYTES]


def _short(select: str) -> str:
    """Return a short name of the columns of a query."""
    return hashlib.sha256(select.encode()).hexdigest()[:COLUMNS_NAME_LETTERS]
