"""What moved in the books: one call of change data capture for all kinds, or the first read.

The feed has no cursor of its own: it tells at most 1,000 objects that changed since an instant, of
the last 30 days (R24). So each question overlaps the last by ten minutes of the server's clock
(R51), what was told already is remembered by id and version, and a full answer is asked again in
parts until nothing can be missing from it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import starmap
from typing import TypeAlias

from connectors.quickbooks.facts import Kind, facts
from connectors.quickbooks.faults import error_of
from connectors.quickbooks.reading import (
    PAGE_ROWS,
    Ask,
    instant,
    note_refused,
    read_lists,
    text,
    with_inactive,
)
from connectors.quickbooks.records import Reader, instant_of, is_deleted
from connectors.quickbooks.settings import Settings
from connectors.quickbooks.wire import Reply, Row, Wire
from tieout.model.dates import instant_text, parse_instant
from tieout.model.errors import Rejected, TieoutError, Unauthorized, Unavailable, ValueRefused
from tieout.model.record import Event, Page
from tieout.model.ref import Cursor

OVERLAP = timedelta(minutes=10)  # R51
FEED_AGE = timedelta(days=30)  # R24
AGE_SLACK = timedelta(hours=1)
SETTINGS_AGE = timedelta(hours=24)  # tax codes, rates and preferences are in no feed (R24)
FULL_OBJECTS = 1000  # R24
HEAVY_OBJECTS = 100  # a kind with so many in a full answer is read on its own
SEEN_MAX = 5000
STEP = timedelta(seconds=1)  # the grain of the feed's times
STEPS_MAX = 1000

Changed: TypeAlias = tuple[str, Row]  # the vendor's entity, and its body
Told: TypeAlias = tuple[Sequence[Changed], datetime]  # some of it, and the server's clock then


@dataclass(frozen=True, slots=True)
class Place:
    """What a cursor says.

    Attributes:
        at: the server's clock at the last answer; None where the first read must begin again.
        settings_at: when the settings were last told.
        settings: what they said then, by ``Settings.state``.
        seen: what was told of the last minutes: ``Invoice 12 3``.
    """

    at: datetime | None = None
    settings_at: datetime | None = None
    settings: str | None = None
    seen: frozenset[str] = frozenset()

    @classmethod
    def of(cls, cursor: Cursor) -> Place:
        """Read a cursor that ``cursor`` wrote.

        Raises:
            ValueRefused: it is not of this feed.
        """
        try:
            said = json.loads(cursor)
            at, settings_at = said.get("at"), said.get("settings_at")
        except (ValueError, AttributeError) as wrong:
            raise ValueRefused("The cursor is not of this feed.") from wrong
        return cls(
            at=parse_instant(at) if at else None,
            settings_at=parse_instant(settings_at) if settings_at else None,
            settings=said.get("settings"),
            seen=frozenset(said.get("seen", ())),
        )

    def cursor(self) -> Cursor:
        """Write it as text."""
        said: dict[str, object] = {}
        if self.at is not None:
            said["at"] = instant_text(self.at)
        if self.settings_at is not None:
            said["settings_at"] = instant_text(self.settings_at)
        if self.settings is not None:
            said["settings"] = self.settings
        if self.seen:
            said["seen"] = sorted(self.seen)
        return Cursor(json.dumps(said, separators=(",", ":")))

    def back_to(self, instant: datetime) -> Place:
        """Return the place at an earlier instant, with nothing told yet; itself when later."""
        if self.at is None or instant >= self.at:
            return self
        return replace(self, at=instant, seen=frozenset())

    def settings_due(self, now: datetime) -> bool:
        """Whether the settings must be read again."""
        return self.settings_at is None or now - self.settings_at >= SETTINGS_AGE

    def has_not_told(self, settings: Settings) -> bool:
        """Whether settings were read since they were told, at a start or before a push; or moved.

        Times alone do not tell: the server's are whole seconds.
        """
        read_since = self.settings_at is None or settings.read_at > self.settings_at
        return read_since or settings.state != self.settings

    def is_too_old(self, now: datetime) -> bool:
        """Whether the feed no longer reaches back to it: then all is read again (R24)."""
        return self.at is None or now - self.at >= FEED_AGE - AGE_SLACK


def first_read(wire: Wire, reader: Reader, kinds: Sequence[Kind], since: date) -> Iterator[Page]:
    """Read all lists, inactive records too, and the transactions dated since a day.

    A page before the last one has a cursor that begins again: the engine may stop anywhere.
    """
    began_at = settings_at = reader.settings.read_at
    told = _told(reader, kinds)
    asks = [Ask(kind, _in_scope(kind, since)) for kind in kinds if kind.fed]
    seen: set[str] = set()
    for part in read_lists(wire, asks):
        if len(told) >= PAGE_ROWS:
            yield Page(tuple(told), Place().cursor(), began_at)
            told = []
        began_at = part.began_at
        rows = [(part.ask.kind.entity, row) for row in part.rows]
        seen.update(_recent(rows, began_at))
        told.extend(reader.event(entity, row) for entity, row in rows)
    state = reader.settings.state
    place = Place(began_at, settings_at, state, frozenset(sorted(seen)[-SEEN_MAX:]))
    yield Page(tuple(told), place.cursor(), began_at, last=True)


def changes_since(
    wire: Wire, reader: Reader, kinds: Sequence[Kind], place: Place, *, settings_told: bool
) -> Iterator[Page]:
    """Tell what changed since a place, the oldest of each page first.

    What fits into one answer is one page. A page before the last one has the cursor that it began
    with: the engine may stop anywhere. ``settings_told`` says that the reader's settings were not
    told yet and are to be.
    """
    assert place.at is not None, "a first read has no place"
    entities = [kind.entity for kind in kinds if kind.fed]
    events: list[Event] = []
    first_at: datetime | None = None
    seen: set[str] = set()
    for found, at in _all_changed(wire, entities, place.at - OVERLAP):
        if len(events) >= PAGE_ROWS:
            page, events = Page(tuple(events), place.cursor(), first_at or at), []
            yield page
            del page
        first_at = first_at or at
        seen.update(_recent(found, first_at))
        fresh = [one for one in found if _name(*one) not in place.seen]
        events += sorted(starmap(reader.event, fresh), key=lambda event: event.at or first_at)
    assert first_at is not None, "the feed has answered"
    if settings_told:
        events += _told(reader, kinds)
    after = Place(
        at=first_at,
        settings_at=reader.settings.read_at if settings_told else place.settings_at,
        settings=reader.settings.state if settings_told else place.settings,
        seen=frozenset(sorted(seen)[-SEEN_MAX:]),
    )
    yield Page(tuple(events), after.cursor(), first_at, last=True)


def _all_changed(wire: Wire, entities: Sequence[str], since: datetime) -> Iterator[Told]:
    """Yield all that changed or vanished since; a record may come twice.

    A full answer leaves out we know not what. Kinds with many changes are then read by query,
    which has pages, and their deletions by walking the feed forward; the others are asked again
    without them, in halves if need be.
    """
    if not entities:
        raise Unavailable("No kind that was asked for is in the feed.")
    try:
        reply = wire.changed(entities, since)
        found = _objects(reply, entities)
    except (Rejected, Unauthorized) as refused:
        yield from _without_lacking(wire, entities, since, refused)
        return
    if len(found) < FULL_OBJECTS:
        yield found, reply.at
        return
    counts = {entity: sum(1 for held, _ in found if held == entity) for entity in entities}
    heavy = [entity for entity in entities if counts[entity] >= HEAVY_OBJECTS]
    light = [entity for entity in entities if counts[entity] < HEAVY_OBJECTS]
    yield [], reply.at
    del reply, found  # as large as a page, and told by none of what follows
    for group in _groups(heavy, light):
        yield from _part_changed(wire, group, since)


def _without_lacking(
    wire: Wire, entities: Sequence[str], since: datetime, refused: TieoutError
) -> Iterator[Told]:
    """Ask again without the kinds that a company may lack, and for each of these alone.

    Raises:
        TieoutError: it is refused all the same.
    """
    lacking = [one for one in entities if facts().kinds[facts().kind_of(one)].may_lack]
    needed = [one for one in entities if one not in lacking]
    if not lacking or not needed:
        raise refused
    yield from _all_changed(wire, needed, since)
    for entity in lacking:
        try:
            yield from _all_changed(wire, [entity], since)
        except (Rejected, Unauthorized) as alone:
            note_refused(facts().kinds[facts().kind_of(entity)], alone)


def _groups(heavy: list[str], light: list[str]) -> Iterator[list[str]]:
    """Each heavy kind alone, the light ones together; in halves where none is heavy."""
    yield from ([entity] for entity in heavy)
    if heavy:
        parts = [light]
    else:
        middle = max(1, len(light) // 2)
        parts = [light[:middle], light[middle:]]
    yield from (part for part in parts if part)


def _part_changed(wire: Wire, entities: list[str], since: datetime) -> Iterator[Told]:
    if len(entities) > 1:
        yield from _all_changed(wire, entities, since)
        return
    (entity,) = entities
    kind = facts().kinds[facts().kind_of(entity)]
    for part in read_lists(wire, [Ask(kind, with_inactive(kind, _updated(since)))]):
        yield [(entity, row) for row in part.rows], part.began_at
    if kind.dated:
        yield from _deleted(wire, entity, since)


def _deleted(wire: Wire, entity: str, since: datetime) -> Iterator[Told]:
    """Walk one kind's feed forward, from full answer to full answer, for what was deleted.

    This is complete where a full answer keeps the oldest, and no second has more changes than an
    answer holds. Where it keeps the newest, deletions older than these stay untold here, and are
    found when the record itself is read.
    """
    for _ in range(STEPS_MAX):
        reply = wire.changed([entity], since)
        found = _objects(reply, [entity])
        yield [(entity, row) for _, row in found if is_deleted(row)], reply.at
        if len(found) < FULL_OBJECTS:
            return
        latest = max(_updated_at(row) for _, row in found)
        if latest < since - STEP:
            raise Unavailable(f"The feed of {entity} does not go on: it shows {latest} again.")
        since = max(latest, since + STEP)
    raise Unavailable(f"The feed of {entity} did not end.")


def _objects(reply: Reply, entities: Sequence[str]) -> list[Changed]:
    """Return every object of a feed's answer, of the entities that were asked for.

    Raises:
        Unavailable: it is no feed's answer; nothing changed is told as an empty one.
        TieoutError: the fault that is nested in it.
    """
    found: list[Changed] = []
    for response in _maps(reply.body.get("CDCResponse"), reply):
        for part in [response, *_maps(response.get("QueryResponse", ()), reply)]:
            fault = part.get("Fault") or part.get("fault")
            if fault:
                raise error_of(fault, write=False, trace_id=reply.trace_id)
            for entity in entities:
                rows = part.get(entity) or ()
                found.extend((entity, row) for row in _maps(rows, reply))
    return found


def _maps(told: object, reply: Reply) -> Sequence[Row]:
    """Return a list of objects; one by itself is a list of one."""
    listed = [told] if isinstance(told, Mapping) else told
    if not isinstance(listed, list | tuple) or not all(isinstance(one, Mapping) for one in listed):
        raise Unavailable("The answer of the feed has another form.", trace_id=reply.trace_id)
    return listed


def _told(reader: Reader, kinds: Sequence[Kind]) -> list[Event]:
    """Return the settings as events: they are in no feed."""
    names = frozenset(kind.name for kind in kinds)
    return [
        Event(record.ref, record=record, at=record.updated_at)
        for record in reader.setting_records(names)
    ]


def _in_scope(kind: Kind, since: date) -> str:
    return f"TxnDate >= {text(since.isoformat())}" if kind.dated else with_inactive(kind)


def _updated(since: datetime) -> str:
    return f"MetaData.LastUpdatedTime >= {instant(since)}"


def _recent(found: Sequence[Changed], at: datetime) -> set[str]:
    """Return the names of what the next question will be told again."""
    return {_name(entity, row) for entity, row in found if _updated_at(row) >= at - OVERLAP}


def _name(entity: str, row: Row) -> str:
    """The name of one state of a record; a customer's balance moves without its version."""
    version = "gone" if is_deleted(row) else row.get("SyncToken")
    return f"{entity} {row.get('Id')} {version} {_updated_at(row).timestamp():.0f}"


def _updated_at(row: Row) -> datetime:
    return instant_of(row, "LastUpdatedTime") or datetime.fromtimestamp(0, UTC)
