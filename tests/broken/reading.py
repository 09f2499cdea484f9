"""Connectors that read wrongly, each with the test that catches it."""

from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal

from brook_tieout import Brook

from connectors.hubspot import HubSpot
from connectors.quickbooks import QuickBooks
from tieout.model.errors import Unsupported
from tieout.model.lookup import Absent, Ambiguous, Found, NotKnown
from tieout.model.record import Gone, MergedInto, Record, Unreadable


class CallsAFailedReadGone(QuickBooks):
    def fetch(self, refs):
        for one in super().fetch(refs):
            yield Gone(one.ref, "no answer") if isinstance(one, Unreadable) else one


class CallsAFailedSearchAbsent(QuickBooks):
    def find(self, kind, wanted):
        absent = Absent(self._now())
        return [absent if isinstance(one, NotKnown) else one for one in super().find(kind, wanted)]


class HasNoInstantOfAbsence(QuickBooks):
    def find(self, kind, wanted):
        found = super().find(kind, wanted)
        return [Absent() if isinstance(one, Absent) else one for one in found]


class TakesTheFirstOfTwo(QuickBooks):
    def find(self, kind, wanted):
        found = super().find(kind, wanted)
        return [Found(one.refs[0]) if isinstance(one, Ambiguous) else one for one in found]


class TurnsMoneyIntoFloats(QuickBooks):
    def fetch(self, refs):
        for one in super().fetch(refs):
            yield replace(one, fields=_floated(one.fields)) if isinstance(one, Record) else one


class TurnsMoneyThroughFloats(QuickBooks):
    def fetch(self, refs):
        for one in super().fetch(refs):
            yield replace(one, fields=_rounded(one.fields)) if isinstance(one, Record) else one


class CallsEveryDealWon(Brook):
    def fetch(self, refs):
        for one in super().fetch(refs):
            won = isinstance(one, Record) and "is_won" in one.fields
            yield replace(one, fields={**one.fields, "is_won": True}) if won else one


class DoesNotFollowAMerge(HubSpot):
    def fetch(self, refs):
        for one in super().fetch(refs):
            yield one.into if isinstance(one, MergedInto) else one


class DatesByUtc(HubSpot):
    @classmethod
    def open(cls, opening, **rest):
        return super().open(replace(opening, time_zone="UTC"), **rest)


class DatesByThisMachine(HubSpot):
    def fetch(self, refs):
        for one in super().fetch(refs):
            when = getattr(one, "created_at", None)
            if when is None:
                yield one
            else:
                moved = {
                    name: when.astimezone().date() if type(value) is date else value
                    for name, value in one.fields.items()
                }
                yield replace(one, fields=moved)


class AnswersOncePerRecord(QuickBooks):
    def fetch(self, refs):
        return super().fetch(list(dict.fromkeys(refs)))


class MakesDaysInstants(Brook):
    def fetch(self, refs):
        for one in super().fetch(refs):
            yield replace(one, fields=_instants(one.fields)) if isinstance(one, Record) else one


class HasInstantsWithoutAZone(Brook):
    def fetch(self, refs):
        for one in super().fetch(refs):
            naive = isinstance(one, Record) and one.updated_at.replace(tzinfo=None)
            yield replace(one, updated_at=naive) if naive else one


class HasOneVersion(Brook):
    def fetch(self, refs):
        for one in super().fetch(refs):
            yield replace(one, version="1") if isinstance(one, Record) else one


class CallsTheRemovedUnreadable(Brook):
    def fetch(self, refs):
        for one in super().fetch(refs):
            yield Unreadable(one.ref, Unsupported()) if isinstance(one, Gone) else one


class AsksOnce(Brook):
    def _read(self, path, **query):
        return self._send("GET", path, query=query)


class BelievesAShortAnswer(Brook):
    def _page(self, path, offset, **query):
        answer = self._read(f"/{path}", offset=str(offset), limit="50", **query)
        rows = answer.json["rows"]
        return rows, offset + len(rows), answer


class AnswersInItsOwnOrder(Brook):
    def find(self, kind, wanted):
        return super().find(kind, sorted(wanted, key=lambda lookup: lookup.value))


class CallsWhatItCannotAskAbsent(Brook):
    def find(self, kind, wanted):
        absent = Absent(self.check().clock)
        return [
            absent if isinstance(one, NotKnown) and isinstance(one.error, Unsupported) else one
            for one in super().find(kind, wanted)
        ]


CAUGHT = {
    CallsAFailedReadGone: "test_a_failed_read_is_unreadable_never_gone",
    CallsAFailedSearchAbsent: "test_a_failed_search_is_not_known_never_absent",
    HasNoInstantOfAbsence: "test_what_nothing_answers_is_absent_as_of_an_instant",
    TakesTheFirstOfTwo: "test_two_records_with_one_marker_are_ambiguous",
    TurnsMoneyIntoFloats: "test_every_field_has_its_claimed_type_and_none_is_a_float",
    TurnsMoneyThroughFloats: "test_a_record_is_read_as_it_is",
    CallsEveryDealWon: "test_a_record_is_read_as_it_is",
    DoesNotFollowAMerge: "test_a_merged_record_is_followed",
    DatesByUtc: "test_a_date_stays_its_day_wherever_this_machine_stands",
    DatesByThisMachine: "test_a_date_stays_its_day_wherever_this_machine_stands",
    AnswersOncePerRecord: "test_each_asked_has_exactly_one_answer",
    MakesDaysInstants: "test_every_field_has_its_claimed_type_and_none_is_a_float",
    HasInstantsWithoutAZone: "test_every_field_has_its_claimed_type_and_none_is_a_float",
    HasOneVersion: "test_a_version_changes_with_its_record",
    CallsTheRemovedUnreadable: "test_a_removed_record_is_gone_by_the_systems_own_word",
    AsksOnce: "test_a_read_that_fails_once_is_asked_again",
    BelievesAShortAnswer: "test_a_short_answer_is_no_absence",
    AnswersInItsOwnOrder: "test_find_answers_in_the_order_of_the_questions",
    CallsWhatItCannotAskAbsent: "test_a_question_that_cannot_be_asked_is_not_known",
}


def _floated(fields):
    return {
        name: float(value) if isinstance(value, Decimal) else value
        for name, value in fields.items()
    }


def _rounded(fields):
    return {
        name: Decimal(float(value)) if isinstance(value, Decimal) else value
        for name, value in fields.items()
    }


def _instants(fields):
    return {
        name: datetime.combine(value, time(), UTC) if type(value) is date else value
        for name, value in fields.items()
    }
