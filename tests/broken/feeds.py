"""Connectors that lose what moved, each with the test that catches it."""

import json
from dataclasses import replace
from datetime import timedelta
from itertools import repeat

from brook_tieout import KINDS, Brook, Place
from brook_tieout.forms import millis

from connectors.hubspot import HubSpot
from connectors.quickbooks import QuickBooks
from tieout.model.errors import Unavailable, ValueRefused
from tieout.model.record import Page, Seen
from tieout.model.ref import Cursor


class SkipsEvents(QuickBooks):
    def changes(self, kinds, since):
        for page in super().changes(kinds, since):
            yield replace(page, events=page.events[:-1])


class SkipsPages(HubSpot):
    def changes(self, kinds, since):
        for page in super().changes(kinds, since):
            yield replace(page, last=True)
            return


class MovesItsCursorTooFar(Brook):
    def changes(self, kinds, since):
        pages = list(super().changes(kinds, since))
        after = Place(Place.of(pages[-1].cursor).millis + 1)
        for page in pages:
            yield replace(page, cursor=after.text())


class KeepsRemovalsToItself(QuickBooks):
    def changes(self, kinds, since):
        for page in super().changes(kinds, since):
            yield replace(page, events=tuple(e for e in page.events if e.seen is not Seen.GONE))


class CallsAFailedPageTheLast(QuickBooks):
    def changes(self, kinds, since):
        page = None
        try:
            yield from super().changes(kinds, since)
        except Unavailable:
            page = next(super().changes(kinds, None), None) if page else None


class CannotGoBack(QuickBooks):
    def rewound(self, kinds, since, to):
        return since


class StartsAtNow(Brook):
    def changes(self, kinds, since):
        if since is not None:
            yield from super().changes(kinds, since)
            return
        now = self.check().clock
        yield Page((), Place(millis(now)).text(), now, last=True)


class NeverEnds(Brook):
    def changes(self, kinds, since):
        page = next(super().changes(kinds, since))
        yield from repeat(replace(page, last=False))


class TellsEachRecordOnce(Brook):
    def changes(self, kinds, since):
        told = self.__dict__.setdefault("_told", set())
        for page in super().changes(kinds, since):
            new = tuple(event for event in page.events if event.ref not in told)
            told |= {event.ref for event in new}
            yield replace(page, events=new)


class SkipsTheLastInstant(Brook):
    def changes(self, kinds, since):
        for page in super().changes(kinds, since):
            place = Place.of(page.cursor)
            after = Place(place.millis + 1) if page.last else place
            yield replace(page, cursor=after.text())


class ForgetsACursorOnceUsed(Brook):
    def changes(self, kinds, since):
        used = self.__dict__.setdefault("_used", set())
        for page in super().changes(kinds, since):
            yield replace(page, events=()) if since in used else page
        if since is not None:
            used.add(since)


class KeepsMergesToItself(HubSpot):
    def changes(self, kinds, since):
        for page in super().changes(kinds, since):
            yield replace(page, events=tuple(e for e in page.events if e.seen is not Seen.MERGED))


class BelievesAShortPage(Brook):
    def _page(self, path, offset, **query):
        answer = self._read(f"/{path}", offset=str(offset), limit="50", **query)
        rows, total = answer.json["rows"], answer.json["total"]
        return rows, total if len(rows) == 50 else offset + len(rows), answer


class BelievesAnotherPage(Brook):
    def _moved(self, kind, place):
        where = {"offset": str(place.offset), "limit": "50", "changed_from": str(place.millis)}
        answer = self._read(f"/{KINDS[kind]['path']}", **where)
        rows, left = answer.json["rows"], max(0, answer.json["total"] - place.offset)
        if len(rows) != min(50, left):
            raise answer.unclear("A page is short.")
        return rows, len(rows) == left, answer


class TakesAnyCursor(Brook):
    def changes(self, kinds, since):
        try:
            Place.of(since)
        except ValueRefused:
            since = None
        return super().changes(kinds, since)


class AnswersAnyFeed(Brook):
    def changes(self, kinds, since):
        if "no such kind" in kinds:
            now = self.check().clock
            return iter([Page((), Cursor(json.dumps(None)), now, last=True)])
        return super().changes(kinds, since)


class TellsPartsOfRecords(Brook):
    def changes(self, kinds, since):
        for page in super().changes(kinds, since):
            yield replace(page, events=tuple(map(_less, page.events)))


class GoesForward(Brook):
    def rewound(self, kinds, since, to):
        return Place(millis(to)).text()


class AsksTheTimeToGoBack(Brook):
    def rewound(self, kinds, since, to):
        return super().rewound(kinds, since, min(to, self.check().clock + timedelta(days=1)))


CAUGHT = {
    SkipsEvents: "test_every_new_and_every_changed_record_is_told",
    SkipsPages: "test_no_page_is_skipped",
    MovesItsCursorTooFar: "test_a_reading_goes_on_after_any_page",
    KeepsRemovalsToItself: "test_a_removal_is_told_by_the_systems_own_word",
    CallsAFailedPageTheLast: "test_a_page_that_cannot_be_read_raises",
    CannotGoBack: "test_a_rewound_cursor_tells_again_what_moved_since",
    StartsAtNow: "test_the_first_read_tells_every_record_in_scope",
    NeverEnds: "test_every_feed_that_is_claimed_is_read",
    TellsEachRecordOnce: "test_what_moves_while_pages_are_read_is_told_then_or_next",
    SkipsTheLastInstant: "test_changes_of_one_instant_are_all_told",
    ForgetsACursorOnceUsed: "test_a_cursor_tells_the_same_when_it_is_used_again",
    KeepsMergesToItself: "test_a_merge_is_told_with_where_the_record_lives_on",
    BelievesAShortPage: "test_a_page_that_is_not_the_page_loses_nothing",
    BelievesAnotherPage: "test_a_page_that_is_not_the_page_loses_nothing",
    TakesAnyCursor: "test_a_cursor_of_somebody_else_is_refused",
    AnswersAnyFeed: "test_a_feed_that_nobody_claims_is_refused",
    TellsPartsOfRecords: "test_events_carry_records_that_are_exact",
    GoesForward: "test_a_cursor_is_never_wound_forward",
    AsksTheTimeToGoBack: "test_rewinding_asks_nothing",
}


def _less(event):
    if event.record is None:
        return event
    fields = dict(list(event.record.fields.items())[1:])
    return replace(event, record=replace(event.record, fields=fields))
