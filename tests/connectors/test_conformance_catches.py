"""The inherited suite catches what it is there for: each broken connector, by the test named for it.

A broken connector is a real one with one fault. The real ones pass all of it, in their own files.
"""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import count
from pathlib import Path

import pytest

from connectors.hubspot import HubSpot
from connectors.quickbooks import QuickBooks
from tieout.model.change import Verb
from tieout.model.errors import OutcomeUnknown, RateLimited, Rejected, StaleVersion, Unavailable
from tieout.model.lookup import Absent, Ambiguous, Found, NotKnown
from tieout.model.record import Gone, MergedInto, Record, Related, Seen, Unreadable

HERE = Path(__file__).parent
NUMBERS = count()


class IgnoresTheKey(QuickBooks):
    def apply(self, parcel):
        return super().apply(replace(parcel, request_id=f"mine-{next(NUMBERS)}"))


class ForgetsTheMarker(QuickBooks):
    def prepare(self, requests):
        parcels = super().prepare(requests)
        return [replace(one, body=one.body.replace(b"[TIEOUT:", b"[")) for one in parcels]


class CallsALostAnswerUnavailable(QuickBooks):
    def apply(self, parcel):
        return [
            replace(one, error=Unavailable()) if isinstance(one.error, OutcomeUnknown) else one
            for one in super().apply(parcel)
        ]


class SendsAgain(QuickBooks):
    def apply(self, parcel):
        outcomes = super().apply(parcel)
        unknown = any(isinstance(one.error, OutcomeUnknown) for one in outcomes)
        return super().apply(parcel) if unknown else outcomes


class ComposesAnew(QuickBooks):
    def apply(self, parcel):
        return super().apply(replace(parcel, body=parcel.body + b" "))


class CallsAFailedReadGone(QuickBooks):
    def fetch(self, refs):
        for one in super().fetch(refs):
            yield Gone(one.ref, "no answer") if isinstance(one, Unreadable) else one


class CallsAFailedSearchAbsent(QuickBooks):
    def find(self, kind, wanted):
        absent = Absent(self.check().clock)
        return [absent if isinstance(one, NotKnown) else one for one in super().find(kind, wanted)]


class HasNoInstantOfAbsence(QuickBooks):
    def find(self, kind, wanted):
        found = super().find(kind, wanted)
        return [Absent() if isinstance(one, Absent) else one for one in found]


class TakesTheFirstOfTwo(QuickBooks):
    def find(self, kind, wanted):
        found = super().find(kind, wanted)
        return [Found(one.refs[0]) if isinstance(one, Ambiguous) else one for one in found]


class AcceptsAStaleVersion(QuickBooks):
    def prepare(self, requests):
        self.asked = requests
        return super().prepare(requests)

    def apply(self, parcel):
        outcomes = super().apply(parcel)
        if not any(isinstance(one.error, StaleVersion) for one in outcomes):
            return outcomes
        (request,) = self.asked
        (now,) = self.fetch([request.change.ref])
        (fresh,) = super().prepare(
            [replace(request, change=replace(request.change, version=now.version))]
        )
        return super().apply(fresh)


class TurnsMoneyIntoFloats(QuickBooks):
    def fetch(self, refs):
        for one in super().fetch(refs):
            yield replace(one, fields=_floated(one.fields)) if isinstance(one, Record) else one


class TurnsMoneyThroughFloats(QuickBooks):
    def fetch(self, refs):
        for one in super().fetch(refs):
            yield replace(one, fields=_rounded(one.fields)) if isinstance(one, Record) else one


class ClaimsWhatItCannotDo(QuickBooks):
    @property
    def capabilities(self):
        honest = super().capabilities
        memo = replace(honest.kinds["credit_memo"], verbs=frozenset({Verb.CREATE}))
        return replace(honest, kinds={**honest.kinds, "credit_memo": memo})


class PacksWhatItDoesNotClaim(QuickBooks):
    @property
    def capabilities(self):
        honest = super().capabilities
        item = replace(honest.kinds["item"], verbs=frozenset({Verb.CREATE}))
        return replace(honest, kinds={**honest.kinds, "item": item})


class SkipsEvents(QuickBooks):
    def changes(self, kinds, since):
        for page in super().changes(kinds, since):
            yield replace(page, events=page.events[:-1])


class SkipsPages(HubSpot):
    def changes(self, kinds, since):
        for page in super().changes(kinds, since):
            yield replace(page, last=True)
            return


class MovesItsCursorTooFar(HubSpot):
    def changes(self, kinds, since):
        pages = list(super().changes(kinds, since))
        for page in pages:
            yield replace(page, cursor=pages[-1].cursor)


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


class ShowsItsToken(QuickBooks):
    def __repr__(self):
        return f"QuickBooks({self._credentials.access_token()})"


class PrintsItsToken(QuickBooks):
    def apply(self, parcel):
        print("signed with", self._credentials.access_token())  # noqa: T201 - its fault
        return super().apply(parcel)


class TellsItsTokenInErrors(QuickBooks):
    def apply(self, parcel):
        said = f"Refused with {self._credentials.access_token()}."
        return [
            replace(one, error=type(one.error)(said)) if one.error else one
            for one in super().apply(parcel)
        ]


class ForgetsThePause(QuickBooks):
    def apply(self, parcel):
        return [
            replace(one, error=RateLimited()) if isinstance(one.error, RateLimited) else one
            for one in super().apply(parcel)
        ]


class Hammers(QuickBooks):
    def apply(self, parcel):
        self._wire.door._gate.hold = lambda _secs: None
        return super().apply(parcel)


class KeepsItsToken(QuickBooks):
    @classmethod
    def open(cls, opening, *, credentials, **rest):
        token = credentials.access_token()
        kept = type("Kept", (), {"until": None, "access_token": lambda _: token})()
        kept.refresh = lambda _stale: token
        return super().open(opening, credentials=kept, **rest)


class DoesNotFollowAMerge(HubSpot):
    def fetch(self, refs):
        for one in super().fetch(refs):
            yield one.into if isinstance(one, MergedInto) else one


class CutsNames(QuickBooks):
    def prepare(self, requests):
        return super().prepare([_cut(request) for request in requests])


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


class CallsAMissingItemRefused(QuickBooks):
    def apply(self, parcel):
        return [
            replace(one, error=Rejected()) if isinstance(one.error, OutcomeUnknown) else one
            for one in super().apply(parcel)
        ]


class AnswersByPlace(QuickBooks):
    def apply(self, parcel):
        shuffled = super().apply(parcel)[::-1]
        return [
            replace(one, key=item.key, item_id=item.item_id)
            for one, item in zip(shuffled, parcel.items, strict=True)
        ]


class NamesAskingsAtRandom(QuickBooks):
    def prepare(self, requests):
        parcels = super().prepare(requests)
        return [replace(one, request_id=f"r-{next(NUMBERS)}") for one in parcels]


class LosesARequest(QuickBooks):
    def prepare(self, requests):
        return super().prepare(requests[:-1])


class ForgetsWhichAskingItIs(QuickBooks):
    def prepare(self, requests):
        return super().prepare([replace(request, asking=1) for request in requests])


class CallsAFailedSetEmpty(HubSpot):
    def related(self, refs, role):
        for one in super().related(refs, role):
            yield Related(one.ref, role) if one.error else one


CAUGHT = {
    IgnoresTheKey: "test_the_same_bytes_again_make_no_second_record",
    ForgetsTheMarker: "test_what_apply_writes_under_a_key_find_finds",
    CallsALostAnswerUnavailable: "test_without_a_well_formed_answer_the_outcome_is_unknown",
    SendsAgain: "test_without_a_well_formed_answer_the_outcome_is_unknown",
    ComposesAnew: "test_an_apply_is_one_request_with_exactly_the_committed_bytes",
    CallsAFailedReadGone: "test_a_failed_read_is_unreadable_never_gone",
    CallsAFailedSearchAbsent: "test_a_failed_search_is_not_known_never_absent",
    HasNoInstantOfAbsence: "test_what_nothing_answers_is_absent_as_of_an_instant",
    TakesTheFirstOfTwo: "test_two_records_with_one_marker_are_ambiguous",
    AcceptsAStaleVersion: "test_a_stale_version_is_refused",
    TurnsMoneyIntoFloats: "test_every_field_has_its_claimed_type_and_none_is_a_float",
    TurnsMoneyThroughFloats: "test_a_record_is_read_as_it_is",
    ClaimsWhatItCannotDo: "test_every_change_that_is_claimed_is_made",
    PacksWhatItDoesNotClaim: "test_a_change_that_is_not_claimed_is_refused_before_it_is_sent",
    SkipsEvents: "test_every_new_and_every_changed_record_is_told",
    SkipsPages: "test_no_page_is_skipped",
    MovesItsCursorTooFar: "test_a_reading_goes_on_after_any_page",
    KeepsRemovalsToItself: "test_a_removal_is_told_by_the_systems_own_word",
    CallsAFailedPageTheLast: "test_a_page_that_cannot_be_read_raises",
    CannotGoBack: "test_a_rewound_cursor_tells_again_what_moved_since",
    ShowsItsToken: "test_no_secret_is_shown_logged_or_kept",
    PrintsItsToken: "test_no_secret_is_shown_logged_or_kept",
    TellsItsTokenInErrors: "test_no_secret_is_shown_logged_or_kept",
    ForgetsThePause: "test_a_throttled_write_says_for_how_long",
    Hammers: "test_no_call_is_made_before_the_pause_is_over",
    KeepsItsToken: "test_a_renewed_token_signs_the_next_call",
    DoesNotFollowAMerge: "test_a_merged_record_is_followed",
    CutsNames: "test_a_text_at_its_limit_is_written_whole",
    DatesByUtc: "test_a_date_stays_its_day_wherever_this_machine_stands",
    DatesByThisMachine: "test_a_date_stays_its_day_wherever_this_machine_stands",
    AnswersOncePerRecord: "test_each_asked_has_exactly_one_answer",
    CallsAMissingItemRefused: "test_an_item_that_a_batchs_answer_leaves_out_is_unknown",
    AnswersByPlace: "test_an_answer_comes_for_every_item_in_its_order",
    NamesAskingsAtRandom: "test_prepare_is_pure",
    LosesARequest: "test_every_request_is_in_exactly_one_parcel",
    ForgetsWhichAskingItIs: "test_a_request_id_names_key_values_version_and_asking",
    CallsAFailedSetEmpty: "test_a_set_that_cannot_be_read_is_never_empty",
}


@pytest.mark.parametrize("broken", CAUGHT, ids=lambda broken: broken.__name__)
def test_a_broken_connector_is_caught_by_the_test_named_for_it(broken):
    assert verdicts(broken, CAUGHT[broken]) == {CAUGHT[broken]: "failed"}


class Breaking:
    """A plug-in of pytest that puts a broken connector in a whole one's place."""

    def __init__(self, connector):
        self.connector = connector
        self.verdicts = {}

    @pytest.fixture(autouse=True)
    def _break(self, monkeypatch, request):
        whole = next(one for one in (HubSpot, QuickBooks) if issubclass(self.connector, one))
        monkeypatch.setattr(request.module, whole.__name__, self.connector)

    def pytest_runtest_logreport(self, report):
        if report.when == "call":
            self.verdicts[report.nodeid.rpartition("::")[2]] = report.outcome


def verdicts(connector, *names):
    """Run some tests of the inherited suite over a connector; return each one's outcome."""
    system = "hubspot" if issubclass(connector, HubSpot) else "quickbooks"
    path = HERE / system / f"test_{system}_conformance.py"
    suite = {"hubspot": "TestHubSpot", "quickbooks": "TestQuickBooks"}[system]
    breaking = Breaking(connector)
    aside = [f"-pno:{name}" for name in ("cacheprovider", "xdist", "cov")]
    pytest.main([*aside, *(f"{path}::{suite}::{name}" for name in names)], plugins=[breaking])
    return breaking.verdicts


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


def _cut(request):
    values = {
        name: value[:50] if isinstance(value, str) else value
        for name, value in request.change.values.items()
    }
    return replace(request, change=replace(request.change, values=values))
