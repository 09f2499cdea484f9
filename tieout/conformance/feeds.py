"""What moved: nothing is left out, whatever happens between two pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, timedelta
from itertools import islice

from tieout.conformance.bench import Bench
from tieout.conformance.reading import FAILURES, assert_types
from tieout.conformance.wire import Fault
from tieout.model.errors import TieoutError
from tieout.model.record import Event, Page, Record, Seen
from tieout.model.ref import Cursor, Ref

PAGES_LIMIT = 3_000  # of one reading: more than any bench has records


class Feeds:
    """A cursor is a promise: all that moved after it comes, perhaps twice."""

    def test_the_first_read_tells_every_record_in_scope(self, bench: Bench) -> None:
        """Without a cursor, all that is there."""
        for kind in bench.history:
            refs = {bench.plant(kind, bench.number()) for _ in range(3)}
            pages = read(bench, bench.feed_of(kind), None)
            assert refs - told(pages) == set(), f"the first read leaves out {kind}"

    def test_every_new_and_every_changed_record_is_told(self, bench: Bench) -> None:
        """Lines and customers too, that change without their document."""
        for kind in bench.fed_kinds:
            old = bench.plant(kind, bench.number())
            cursor = end(bench, kind)
            new = bench.plant(kind, bench.number())
            bench.edit(old, bench.number())
            pages = read(bench, bench.feed_of(kind), cursor)
            assert {old, new} - told(pages) == set(), f"a moved {kind} is not told"
            _assert_last_state(bench, pages, {old, new})

    def test_no_page_is_skipped(self, bench: Bench) -> None:
        """More records than a page holds all come, many of them changed at one instant."""
        kind = bench.fed_kinds[0]
        cursor = end(bench, kind)
        refs = {bench.plant(kind, bench.number()) for _ in range(bench.many)}
        assert refs - told(read(bench, bench.feed_of(kind), cursor)) == set()
        if kind in bench.history:
            assert refs - told(read(bench, bench.feed_of(kind), None)) == set()

    def test_what_moves_while_pages_are_read_is_told_then_or_next(self, bench: Bench) -> None:
        """The first, the last and a new record move between two pages: none is lost."""
        kind = bench.fed_kinds[0]
        feed = bench.feed_of(kind)
        cursor = end(bench, kind)
        refs = [bench.plant(kind, bench.number()) for _ in range(bench.many)]
        pages: list[Page] = []
        moved: set[Ref] = set()
        for page in islice(bench.connector.changes(feed, cursor), PAGES_LIMIT):
            pages.append(page)
            if not moved:
                moved = {refs[0], refs[-1], bench.plant(kind, bench.number())}
                for ref in (refs[0], refs[-1]):
                    bench.edit(ref, bench.number())
        pages += read(bench, feed, pages[-1].cursor)
        assert {*refs, *moved} - told(pages) == set()
        _assert_last_state(bench, pages, moved)

    def test_changes_of_one_instant_are_all_told(self, bench: Bench) -> None:
        """A cursor between two equal timestamps loses neither."""
        for kind in bench.fed_kinds:
            cursor = end(bench, kind)
            refs: set[Ref] = set()
            pages: list[Page] = []
            for _ in range(3):
                ref = bench.plant(kind, bench.number())
                pages += read(bench, bench.feed_of(kind), cursor)
                bench.edit(ref, bench.number())
                cursor = pages[-1].cursor
                refs.add(ref)
            pages += read(bench, bench.feed_of(kind), cursor)
            _assert_last_state(bench, pages, refs)

    def test_a_cursor_tells_the_same_when_it_is_used_again(self, bench: Bench) -> None:
        """A page and its cursor commit together; a crash before that reads the page anew."""
        for kind in bench.fed_kinds:
            cursor = end(bench, kind)
            refs = {bench.plant(kind, bench.number()) for _ in range(2)}
            first = told(read(bench, bench.feed_of(kind), cursor))
            assert refs <= first
            assert first - told(read(bench, bench.feed_of(kind), cursor)) == set()

    def test_a_reading_goes_on_after_any_page(self, bench: Bench) -> None:
        """Each page's cursor continues where the page ended, or where the reading began."""
        kind = bench.fed_kinds[0]
        feed = bench.feed_of(kind)
        cursor = end(bench, kind)
        refs = {bench.plant(kind, bench.number()) for _ in range(bench.many)}
        seen: set[Ref] = set()
        for _ in range(bench.many):
            page = next(iter(bench.connector.changes(feed, cursor)))
            seen |= told([page])
            stands = page.cursor == cursor  # such a reading begins again, and is read in one go
            cursor = page.cursor
            if page.last or stands:
                break
        seen |= told(read(bench, feed, cursor))
        assert refs - seen == set()

    def test_a_removal_is_told_by_the_systems_own_word(self, bench: Bench) -> None:
        """As GONE: an absence from a page is none."""
        for kind in bench.told_removals:
            ref = bench.plant(kind, bench.number())
            cursor = end(bench, kind)
            bench.remove(ref)
            pages = read(bench, bench.feed_of(kind), cursor)
            assert (ref, Seen.GONE) in {(event.ref, event.seen) for event in _events(pages)}

    def test_a_merge_is_told_with_where_the_record_lives_on(self, bench: Bench) -> None:
        """One event for each id that is no more."""
        for kind in set(bench.merged_kinds) & set(bench.fed_kinds):
            kept, other = (bench.plant(kind, bench.number()) for _ in range(2))
            cursor = end(bench, kind)
            lives = bench.merge(kept, other)
            pages = read(bench, bench.feed_of(kind), cursor)
            merged = {one.ref: one.merged_into for one in _events(pages) if one.seen is Seen.MERGED}
            assert merged == {ref: lives for ref in (kept, other) if ref != lives}

    def test_a_page_that_cannot_be_read_raises(self, bench: Bench) -> None:
        """It never reads as "nothing moved"."""
        for kind in bench.fed_kinds:
            cursor = end(bench, kind)
            ref = bench.plant(kind, bench.number())
            for fault in FAILURES:
                assert _refuses(bench, kind, cursor, fault), f"{kind}: {fault} reads as a page"
            assert ref in told(read(bench, bench.feed_of(kind), cursor))

    def test_a_page_that_is_not_the_page_loses_nothing(self, bench: Bench) -> None:
        """Short by a row, or another page again: it raises, or all is told all the same."""
        kind = bench.fed_kinds[0]
        feed = bench.feed_of(kind)
        cursor = end(bench, kind)
        refs = {bench.plant(kind, bench.number()) for _ in range(bench.many)}
        for since in (cursor, None) if kind in bench.history else (cursor,):
            for fault in (Fault.SHORT_PAGE, Fault.WRONG_PAGE):
                with bench.wire(bench.reads, fault):
                    seen = _told_or_refused(bench, feed, since)
                lost = 0 if seen is None else len(refs - seen)  # a number: so many are slow to show
                assert lost == 0, f"{fault} loses {lost} records"

    def test_a_cursor_of_somebody_else_is_refused(self, bench: Bench) -> None:
        """It would otherwise read from nowhere."""
        for feed in bench.connector.capabilities.feeds:
            assert _told_or_refused(bench, feed, Cursor("no cursor of this feed")) is None

    def test_a_feed_that_nobody_claims_is_refused(self, bench: Bench) -> None:
        """No kind, no feed."""
        assert _told_or_refused(bench, ["no such kind"], None) is None

    def test_events_carry_records_that_are_exact(self, bench: Bench) -> None:
        """Where the record is free, it is what ``fetch`` would read."""
        for kind in bench.fed_kinds:
            cursor = end(bench, kind)
            record = bench.planted(kind)
            for event in _events(read(bench, bench.feed_of(kind), cursor)):
                if event.ref == record.ref and event.record is not None:
                    assert_types(bench, event.record)
                    assert event.record == record

    # -- rewound ----------------------------------------------------------------------------------

    def test_a_rewound_cursor_tells_again_what_moved_since(self, bench: Bench) -> None:
        """After a restore the books are read again from before the last line of our journal."""
        for kind in bench.fed_kinds:
            feed = bench.feed_of(kind)
            began_at = read(bench, feed, None)[-1].as_of
            cursor = end(bench, kind)
            ref = bench.plant(kind, bench.number())
            pages = read(bench, feed, cursor)
            assert ref in told(pages)
            back = bench.connector.rewound(feed, pages[-1].cursor, began_at - timedelta(hours=1))
            assert ref in told(read(bench, feed, back)), f"a rewound feed leaves out {kind}"

    def test_a_cursor_is_never_wound_forward(self, bench: Bench) -> None:
        """An instant after the cursor leaves it as it is."""
        for feed in bench.connector.capabilities.feeds:
            page = read(bench, feed, None)[-1]
            later = page.as_of + timedelta(hours=1)
            assert bench.connector.rewound(feed, page.cursor, later) == page.cursor

    def test_rewinding_asks_nothing(self, bench: Bench) -> None:
        """It is pure: the same for the same, without a request."""
        for feed in bench.connector.capabilities.feeds:
            page = read(bench, feed, None)[-1]
            earlier = page.as_of - timedelta(days=1)
            with bench.wire(bench.reads) as wire:
                twice = {bench.connector.rewound(feed, page.cursor, earlier) for _ in range(2)}
            assert (len(twice), wire.requests) == (1, 0)


def read(bench: Bench, feed: Sequence[str], since: Cursor | None) -> list[Page]:
    """Read a feed to its end; demand that only the last page says so, and the server's clock."""
    pages = whole(bench, feed, since)
    assert pages, "a feed answers with one page or more"
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    assert {page.as_of.tzinfo for page in pages} == {UTC}
    return pages


def whole(bench: Bench, feed: Sequence[str], since: Cursor | None) -> list[Page]:
    """Return all pages of a feed; demand that it ends."""
    pages = list(islice(bench.connector.changes(feed, since), PAGES_LIMIT))
    assert len(pages) < PAGES_LIMIT, f"the feed of {', '.join(feed)} does not end"
    return pages


def end(bench: Bench, kind: str) -> Cursor:
    """Return the cursor after all that is there now."""
    return read(bench, bench.feed_of(kind), None)[-1].cursor


def told(pages: Sequence[Page]) -> set[Ref]:
    """Return the records of which pages tell that they are there."""
    return {event.ref for event in _events(pages) if event.seen is Seen.CHANGED}


def _events(pages: Sequence[Page]) -> list[Event]:
    return [event for page in pages for event in page.events]


def _assert_last_state(bench: Bench, pages: Sequence[Page], refs: set[Ref]) -> None:
    """Demand that the last event of each record, if it carries one, shows it as it is now."""
    last = {event.ref: event for event in _events(pages)}
    for answer in bench.connector.fetch(sorted(refs)):
        assert isinstance(answer, Record), answer
        event = last[answer.ref]
        assert event.record is None or event.record.version == answer.version, answer.ref


def _told_or_refused(bench: Bench, feed: Sequence[str], since: Cursor | None) -> set[Ref] | None:
    """Return what a feed tells, None if it raises."""
    try:
        return told(whole(bench, feed, since))
    except TieoutError:
        return None


def _refuses(bench: Bench, kind: str, cursor: Cursor, fault: Fault) -> bool:
    with bench.wire(bench.reads, fault):
        return _told_or_refused(bench, bench.feed_of(kind), cursor) is None
