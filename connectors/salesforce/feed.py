"""What moved: one walk over a kind for each question, in the order of record ids.

A walk asks, in the recycle bin too, for all that moved since an instant of the server's clock; its
pages hang together by the address that each names of the next, and only Salesforce's own ``done``
ends them. Where that address is forgotten (it lives some days) the walk goes on after the last id.
What changes during a walk is in the next, which begins where this one began, less an overlap: a
long transaction shows its records after the time that they bear (R36). What the overlap shows
again, and did not change, is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from connectors.salesforce import bulk, soql
from connectors.salesforce.facts import MASTER, Kind
from connectors.salesforce.reading import UNDELETABLE, Reading
from connectors.salesforce.refusals import EXPIRED_LOCATOR
from connectors.salesforce.translation import MODIFIED
from connectors.salesforce.wire import PAGES_LIMIT, Rows
from tieout.model.dates import instant_text, parse_instant
from tieout.model.errors import NotFound, TieoutError, Unavailable, Unsupported, ValueRefused
from tieout.model.record import Event, Page, Record, Seen
from tieout.model.ref import Cursor, Ref

SEEN_LIMIT = 2_000  # remembered of an overlap; more of it only comes again
SETTLED_SECS = 120  # a stamp has whole seconds: within so many another change may bear the same
CURSOR_FORM = 1


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the feed of one kind.

    Attributes:
        since: what moved at or after it is asked for; None in the first read.
        after_id: the walk goes on after this record.
        walk_at: the server's clock when the walk began; None between walks.
        seen: id -> version of what the last walk showed of this one's overlap.
        fresh: the same, gathered for the next.
        job: the bulk job whose rows the first read goes on with, after ``locator``; ``shown`` of
            its ``total`` rows were.
    """

    since: datetime | None = None
    after_id: str = ""
    walk_at: datetime | None = None
    seen: Mapping[str, str] = field(default_factory=dict)
    fresh: Mapping[str, str] = field(default_factory=dict)
    job: str = ""
    locator: str = ""
    shown: int = 0
    total: int = 0

    def text(self) -> Cursor:
        """Return it as a cursor."""
        told: dict[str, object] = {
            "form": CURSOR_FORM,
            "since": self.since and instant_text(self.since),
            "after": self.after_id,
            "walk": self.walk_at and instant_text(self.walk_at),
            "seen": self.seen,
            "fresh": self.fresh,
            "job": self.job,
            "locator": self.locator,
            "shown": self.shown,
            "total": self.total,
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
                after_id=soql.whole_id(told.get("after", "")),
                walk_at=parse_instant(walk) if walk else None,
                seen=told.get("seen", {}),
                fresh=told.get("fresh", {}),
                job=soql.whole_id(told.get("job", "")),
                locator=str(told.get("locator", "")),
                shown=int(told.get("shown", 0)),
                total=int(told.get("total", 0)),
            )
        except (ValueError, AttributeError, TypeError) as wrong:
            raise ValueRefused(
                "This is no cursor of a Salesforce feed.",
                remedy="Run `tieout resync` for the pair: the feed is read anew.",
            ) from wrong

    def back_to(self, to: datetime) -> Place:
        """Return the place that reads again from an instant, if that is earlier."""
        if self.since is None or self.since <= to:
            return self
        return Place(since=to)


class Feed:
    """The feed of one kind."""

    def __init__(
        self, reading: Reading, kind: Kind, overlap_secs: int, bulk_from_rows: int
    ) -> None:
        self._reading = reading
        self._kind = kind
        self._bulk_from_rows = bulk_from_rows
        self._overlap = timedelta(seconds=overlap_secs)

    def pages(self, since: Cursor | None) -> Iterator[Page]:
        """Yield the pages of one walk, or of the rest of one that was interrupted.

        The first read takes won deals since the cutover; of other kinds it takes nothing and starts
        at the server's now: whoever reads them after it sees what was before.
        """
        place = Place() if since is None else Place.parse(since)
        if place.since is None and not self._kind.since:
            started_at = self._reading.server_now()
            yield Page((), Place(since=started_at).text(), started_at, last=True)
            return
        self._reading.schema.look_for_missing([self._kind])
        if place.job:
            yield from self._bulk_pages(place)
            return
        walk = _Walk(self._kind)
        found = self._first(place)
        if place.since is None and not place.after_id and found.total >= self._bulk_from_rows:
            yield from self._bulk_pages(replace(place, walk_at=found.served_at))
            return
        for _ in range(PAGES_LIMIT):
            proven = walk.take(found)
            walk_at = place.walk_at or found.served_at
            begun = replace(place, walk_at=walk_at)
            place, events = self._stepped(begun, walk_at, found, proven=proven)
            yield Page(events, place.text(), found.served_at, last=found.last)
            if found.last:
                return
            found = self._next(place, found.following, walk)
        raise Unavailable(f"A walk over {self._kind.object} did not end.")

    def _bulk_pages(self, place: Place) -> Iterator[Page]:
        """Yield the pages of a first read that a bulk job works, or of the rest of one.

        A job is kept for a week; where it is gone the first read begins anew.
        """
        wire = self._reading.wire
        for _ in range(PAGES_LIMIT):
            if not place.job:
                job, total = bulk.begin(wire, self._statement(place, deleted=False), wire.sleep)
                place = replace(place, job=job, total=total)
            try:
                batch = bulk.page(wire, place.job, place.locator)
            except NotFound:
                place = Place(walk_at=None)
                yield from self.pages(place.text())
                return
            last = not batch.following
            shown = place.shown + len(batch.rows)
            if last and shown != place.total:
                raise Unavailable(f"A job has {place.total} rows, and {shown} were shown.")
            walk_at = place.walk_at or batch.served_at
            events, fresh = self._told(batch.rows, place, walk_at)
            if last:
                place = Place(since=walk_at - self._overlap, seen=fresh)
            else:
                place = replace(place, locator=batch.following, shown=shown, fresh=fresh)
            yield Page(events, place.text(), batch.served_at, last=last)
            if last:
                return
        raise Unavailable(f"A walk over {self._kind.object} did not end.")

    def _stepped(
        self, place: Place, walk_at: datetime, found: Rows, *, proven: bool
    ) -> tuple[Place, tuple[Event, ...]]:
        """Return the place after a page, and the page's events.

        Where nothing proves that no row is missing up to here, the place stays before the page: it
        would be read again after an interruption.
        """
        events, kept = self._told(found.rows, place, walk_at)
        if found.last:
            return Place(since=walk_at - self._overlap, seen=kept), events
        if not proven or not found.rows:
            return place, events
        return replace(place, after_id=str(found.rows[-1]["Id"]), fresh=kept), events

    def _told(
        self, rows: Sequence[Mapping[str, Any]], place: Place, walk_at: datetime
    ) -> tuple[tuple[Event, ...], Mapping[str, str]]:
        """Return the events of some rows, and what the next walk need not tell again."""
        next_since = walk_at - self._overlap
        settled = walk_at - timedelta(seconds=SETTLED_SECS)
        fresh = dict(place.fresh)
        events: list[Event] = []
        for row in rows:
            event = self._event(row)
            version = str(row.get(MODIFIED))
            if event.at is not None and next_since <= event.at < settled:
                fresh[event.ref.id] = version
            if place.seen.get(event.ref.id) != version:
                events.append(event)
        return tuple(events), dict(list(fresh.items())[-SEEN_LIMIT:])

    def _event(self, row: Mapping[str, Any]) -> Event:
        """Return what a row says; one that cannot be read is bare, and read by its address."""
        ref = self._reading.ref(self._kind, str(row["Id"]))
        at = _instant_or_none(row.get(MODIFIED))
        if row.get("IsDeleted"):
            master = soql.whole_id(str(row.get(MASTER) or ""))
            if master:
                into = Ref(ref.company, ref.kind, master)
                return Event(ref, Seen.MERGED, merged_into=into, at=at)
            return Event(ref, Seen.GONE, at=at)
        record: Record | None = None
        try:
            record = self._reading.record(self._kind, row)
        except TieoutError:
            record = None
        return Event(ref, record=record, at=at)

    def _first(self, place: Place) -> Rows:
        deleted = place.since is not None and self._kind.object not in UNDELETABLE

        def ask() -> Rows:
            statement = f"{self._statement(place, deleted=deleted)} ORDER BY Id"
            return self._reading.wire.query(statement, deleted=deleted)

        return self._reading.asked([self._kind], ask)

    def _statement(self, place: Place, *, deleted: bool) -> str:
        columns = self._reading.select(self._kind, deleted=deleted)
        where = " AND ".join(self._scope(place))
        return f"SELECT {columns} FROM {self._kind.object} WHERE {where}"  # noqa: S608 - SOQL, its values are ours

    def _next(self, place: Place, following: str, walk: _Walk) -> Rows:
        """Return the next page; where its address is forgotten, what comes after the last id."""
        try:
            return self._reading.wire.more(following)
        except Unsupported as refused:
            if refused.vendor_code != EXPIRED_LOCATOR:
                raise
        walk.begin_anew()
        return self._first(place)

    def _scope(self, place: Place) -> Iterator[str]:
        """Only the first read filters: a feed of won deals never shows a reopened one."""
        if place.since is not None:
            yield f"{MODIFIED} >= {soql.instant(place.since)}"
        else:
            if self._kind.first_read:
                yield self._kind.first_read
            if self._reading.opening.cutover_date is not None:
                yield f"{self._kind.since} >= {self._reading.opening.cutover_date.isoformat()}"
        if place.after_id:
            yield f"Id > {soql.text(place.after_id)}"
        elif place.since is None and self._reading.opening.cutover_date is None:
            yield "Id != null"


class _Walk:
    """What a walk was shown: each row once, and as many as are counted."""

    def __init__(self, kind: Kind) -> None:
        self._object = kind.object
        self._ids: set[str] = set()
        self._shown = 0

    def take(self, page: Rows) -> bool:
        """Take a page; return whether it is proven that no row up to here is missing.

        Raises:
            Unavailable: a row came twice or has no id, or there are fewer than counted.
        """
        ids = [row.get("Id") for row in page.rows]
        new = {one for one in ids if isinstance(one, str)} - self._ids
        self._ids |= new
        self._shown += len(ids)
        if len(new) < len(ids):
            raise Unavailable(f"A page of {self._object} is not the one that was asked for.")
        counted = page.total if page.last else page.passed
        if counted is not None and counted != self._shown:
            raise Unavailable(
                f"Salesforce counts {counted} rows of {self._object} up to here and showed "
                f"{self._shown}."
            )
        return counted is not None

    def begin_anew(self) -> None:
        """Count from here: the next page is the first of another query."""
        self._shown = 0


def _instant_or_none(told: object) -> datetime | None:
    try:
        return parse_instant(str(told)) if told else None
    except ValueRefused:
        return None


def one_kind(
    kinds: Sequence[str], known: Mapping[str, Kind], feeds: Sequence[Sequence[str]]
) -> Kind:
    """Return the kind that a question is about.

    Raises:
        Unsupported: it is not about exactly one kind that has a feed.
    """
    if len(kinds) != 1 or tuple(kinds) not in {tuple(feed) for feed in feeds}:
        raise Unsupported(
            f"Salesforce has no feed of {', '.join(kinds)} together; ask one at a time."
        )
    return known[kinds[0]]
