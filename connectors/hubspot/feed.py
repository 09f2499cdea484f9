"""What moved: one walk over a kind for each question, in the order of record ids.

A walk asks for all that changed since an instant of the server's clock, by id: the next page begins
after the last id. Ids do not move while records change, so nothing is skipped however busy the
portal is, equal times do not matter, and the 10,000 results that one search may show (R41) are
never reached. What changes during a walk is in the next, which begins where this one began, less
an overlap for the index's lag; what the overlap shows again, and did not change, is left out.
(A version is a millisecond: a change in the same one as a change that search has already shown
would look like it. The index is slower than that.)

A server that does not answer in that order is read through its own pages instead, all before any is
believed: what is counted must be there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

from connectors.hubspot.facts import MERGED_IDS, Kind
from connectors.hubspot.objects import OBJECT
from connectors.hubspot.reading import Reading
from connectors.hubspot.translation import milliseconds, text_of
from connectors.hubspot.wire import next_after, rows
from tieout.model.dates import instant_text, parse_instant, time_zone
from tieout.model.errors import InvalidField, Unavailable, Unsupported, ValueRefused
from tieout.model.record import Event, Page, Record, Seen
from tieout.model.ref import Cursor, Ref
from tieout.transport import Answer

OLDER_SEARCH_PAGE = 100  # the most before 2024
PAGES_LIMIT = 100_000  # twenty million records
WINDOW_PAGES = 100  # of the server's own; a search shows no more than 10,000 records so (R41)
SEEN_LIMIT = 2_000  # remembered of an overlap; more of it only comes again
CURSOR_FORM = 1


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the feed of one kind.

    Attributes:
        since: what changed at or after it is asked for; None in the first read.
        after_id: the walk goes on after this record.
        walk_at: the server's clock when the walk began; None between walks.
        seen: id -> version of what the last walk showed of this one's overlap.
        fresh: the same, gathered for the next.
    """

    since: datetime | None = None
    after_id: str = ""
    walk_at: datetime | None = None
    seen: Mapping[str, str] = field(default_factory=dict)
    fresh: Mapping[str, str] = field(default_factory=dict)

    def text(self) -> Cursor:
        """Return it as a cursor."""
        told: dict[str, object] = {
            "form": CURSOR_FORM,
            "since": self.since and instant_text(self.since),
            "after": self.after_id,
            "walk": self.walk_at and instant_text(self.walk_at),
            "seen": self.seen,
            "fresh": self.fresh,
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
            since, walk = told.get("since"), told.get("walk")
            if told.get("form") != CURSOR_FORM:
                raise ValueRefused("The cursor is of another form.")
            return cls(
                since=parse_instant(since) if since else None,
                after_id=told.get("after", ""),
                walk_at=parse_instant(walk) if walk else None,
                seen=told.get("seen", {}),
                fresh=told.get("fresh", {}),
            )
        except (ValueError, AttributeError) as wrong:
            raise ValueRefused(f"{text[:40]!r} is no place in a feed of HubSpot's.") from wrong

    def back_to(self, instant: datetime) -> Place:
        """Return the place at an earlier instant, with nothing shown yet; itself when later."""
        if self.since is None or instant >= self.since:
            return self
        return Place(since=instant)


@dataclass(frozen=True, slots=True)
class Found:
    """One page of a search: records by ascending id, whether it is the last, how many there are."""

    rows: Sequence[Mapping[str, Any]]
    last: bool
    served_at: datetime
    total: int | None = None
    after: str = ""


class OutOfOrder(Unavailable):
    """A page is not in the order, or not of the ids, that were asked for."""


class Feed:
    """The feed of one kind."""

    def __init__(self, reading: Reading, kind: Kind, overlap_secs: int) -> None:
        self._reading = reading
        self._kind = kind
        self._overlap = timedelta(seconds=overlap_secs)

    def pages(self, since: Cursor | None) -> Iterator[Page]:
        """Yield the pages of one walk, or of the rest of one that was interrupted.

        The first read takes won deals, payments and invoices since the cutover, and quotes of a
        year before it too: one that was agreed on then may be of a deal that is won after it. Of
        other kinds it takes nothing and starts at the server's now: whoever reads them after it
        sees what was before.
        """
        place = Place() if since is None else Place.parse(since)
        if place.since is None and not self._has_history:
            started_at = self._reading.server_now()
            place = Place(since=started_at)
            yield Page((), place.text(), started_at, last=True)
            return
        for _ in range(PAGES_LIMIT):
            found = self._search(place)
            walk_at = place.walk_at or found.served_at
            place, events = self._stepped(replace(place, walk_at=walk_at), walk_at, found)
            yield Page(events, place.text(), found.served_at, last=found.last)
            if found.last:
                return
        raise Unavailable(f"A walk over {self._kind.object} did not end.")

    @property
    def _has_history(self) -> bool:
        return bool(self._kind.started) or self._kind.name == "deal"

    def _stepped(
        self, place: Place, walk_at: datetime, found: Found
    ) -> tuple[Place, tuple[Event, ...]]:
        """Return the place after a page, and the page's events."""
        next_since = walk_at - self._overlap
        fresh = dict(place.fresh)
        events: list[Event] = []
        for row in found.rows:
            try:
                record = self._reading.record(self._kind, row)
            except Unavailable:  # shown bare: who reads it by its address is told why
                events.append(Event(self._reading.ref(self._kind, row)))
                continue
            if record.updated_at is not None and record.updated_at >= next_since:
                fresh[record.ref.id] = record.version
            if place.seen.get(record.ref.id) != record.version:
                events.extend(self._events(row, record))
        kept = dict(list(fresh.items())[-SEEN_LIMIT:])
        if found.last:
            return Place(since=next_since, seen=kept), tuple(events)
        after_id = str(found.rows[-1]["id"])
        return replace(place, after_id=after_id, fresh=kept), tuple(events)

    def _events(self, row: Mapping[str, Any], record: Record) -> Iterator[Event]:
        """A merge makes a new record that lists every old id (R41): one event for each."""
        for old in text_of((row.get("properties") or {}).get(MERGED_IDS)).split(";"):
            if old and old != record.ref.id:
                gone = Ref(record.ref.company, record.ref.kind, old)
                yield Event(gone, Seen.MERGED, merged_into=record.ref, at=record.updated_at)
        yield Event(record.ref, record=record, at=record.updated_at)

    def _search(self, place: Place) -> Found:
        if self._kind.name not in self._reading.unordered:
            try:
                return self._page(place.since, after_id=place.after_id)
            except OutOfOrder:
                found = self._whole(place.since)
            self._reading.unordered.add(self._kind.name)
            return found
        return self._whole(place.since)

    def _whole(self, since: datetime | None) -> Found:
        """Read the server's own pages to their end, and return all as one.

        Raises:
            Unavailable: fewer different records came than were counted, or the pages do not end.
        """
        held: dict[int, Mapping[str, Any]] = {}
        counted, token, began_at = 0, "", None
        for _ in range(WINDOW_PAGES):
            page = self._page(since, token=token)
            held.update({int(row["id"]): row for row in page.rows})
            counted = max(counted, page.total or 0)
            began_at = began_at or page.served_at
            same, token = page.after == token, page.after
            if same or not token:
                break
        if token or len(held) < counted or began_at is None:
            raise Unavailable(f"A walk over {self._kind.object} in HubSpot's order was not whole.")
        return Found([held[one] for one in sorted(held)], last=True, served_at=began_at)

    def _page(
        self, since: datetime | None, *, after_id: str = "", token: str | None = None
    ) -> Found:
        """Ask for a page: that after a record's id, or with ``token`` that of the server's own."""
        filters = list(self._scope(since))
        if after_id:
            filters.append(_filter("hs_object_id", "GT", after_id))
        body = {
            "filterGroups": [{"filters": filters}],
            "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
            "properties": self._reading.properties(self._kind),
            "limit": self._reading.search_page,
        }
        if token:
            body["after"] = token
        path = self._reading.path("objects", f"{self._kind.object}/search")

        def understood(answer: Answer) -> Found:
            if token is not None:
                return _found(answer)
            whole = _whole_page(answer, _found(answer), self._reading.search_page)
            return _in_order(answer, whole, after_id)

        try:
            return self._reading.wire.ask("POST", path, body, understand=understood)
        except InvalidField:
            if self._reading.search_page == OLDER_SEARCH_PAGE:
                raise
            self._reading.search_page = OLDER_SEARCH_PAGE
            return self._page(since, after_id=after_id, token=token)

    def _scope(self, since: datetime | None) -> Iterator[Mapping[str, str]]:
        """Only the first read filters: a feed of won deals never shows a reopened one."""
        if since is not None:
            yield _filter(self._kind.modified, "GTE", milliseconds(since))
            return
        if self._kind.name == "deal":
            yield _filter("hs_is_closed_won", "EQ", "true")
        cutover = self._reading.opening.cutover_date
        if cutover is not None:
            begins = self._kind.started or "closedate"
            zone = "UTC" if self._is_day(begins) else self._reading.zone()
            first = cutover - timedelta(days=self._kind.started_days_before)
            midnight = datetime.combine(first, time(), time_zone(zone))
            yield _filter(begins, "GTE", milliseconds(midnight.astimezone(UTC)))

    def _is_day(self, begins: str) -> bool:
        """Whether it is a calendar day, which HubSpot compares as its midnight in UTC (R40)."""
        if self._kind.name != OBJECT:
            days = [one for one in self._kind.fields.values() if one.type == "date"]
            return any(one.property == begins and not one.from_instant for one in days)
        told = self._reading.describe(OBJECT).get(begins)
        return told is not None and told.type == "date"


def _found(answer: Answer) -> Found:
    """Understand a search's answer.

    Raises:
        Unavailable: a record stands there twice or without a number, or there is no date (R51).
    """
    page = rows(answer, "id", "updatedAt")
    total, after = _count(answer.json.get("total")), next_after(answer.json)
    ids = {str(row["id"]) for row in page}
    if len(ids) < len(page) or not all(map(str.isdecimal, ids)):
        raise answer.unclear(f"A page of {answer.route.name} is not well-formed.")
    if answer.served_at is None:
        raise answer.unclear("HubSpot's answer has no date, so its clock is not known.")
    last = not after and len(page) >= (total or 0)
    return Found(page, last, answer.served_at, total, after)


def _whole_page(answer: Answer, found: Found, page_rows: int) -> Found:
    """Return a first page; a server may count badly or not at all, and have smaller pages.

    Raises:
        Unavailable: it has fewer records than it counts, and no next page says why.
    """
    shown, after = len(found.rows), found.after
    as_counted = found.total is None or shown >= min(found.total, page_rows)
    own_size = bool(shown and after) and (not after.isdecimal() or int(after) == shown)
    if not as_counted and not own_size:
        raise answer.unclear(f"A page of {answer.route.name} is not whole.")
    return found


def _in_order(answer: Answer, found: Found, after_id: str) -> Found:
    """Return the page by ascending id; what one page holds whole may come in any order.

    Raises:
        OutOfOrder: it is not the next page by id.
    """
    ids = [int(row["id"]) for row in found.rows]
    if ids and min(ids) > int(after_id or 0):
        if ids == sorted(ids):
            return found
        if found.last and not after_id:
            return replace(found, rows=sorted(found.rows, key=lambda row: int(row["id"])))
    if not ids and found.last:
        return found
    raise OutOfOrder(
        f"A page of {answer.route.name} is not the one that was asked for.",
        vendor_words=answer.words,
        trace_id=answer.trace_id,
    )


def _count(total: object) -> int | None:
    """Return how many records a search counts, None where it does not say."""
    text = text_of(total)
    return int(text) if text.isdecimal() else None


def _filter(name: str, operator: str, value: str) -> Mapping[str, str]:
    return {"propertyName": name, "operator": operator, "value": value}


def one_kind(
    kinds: Sequence[str], known: Mapping[str, Kind], feeds: Sequence[Sequence[str]]
) -> Kind:
    """Return the kind that a question is about.

    Raises:
        Unsupported: it is not about exactly one kind that has a feed.
    """
    if len(kinds) != 1 or tuple(kinds) not in {tuple(feed) for feed in feeds}:
        raise Unsupported(f"HubSpot has no feed of {', '.join(kinds)} together; ask one at a time.")
    return known[kinds[0]]
