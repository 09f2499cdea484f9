"""Connectors that write wrongly, each with the test that catches it."""

from dataclasses import replace
from datetime import timedelta
from itertools import count

from brook_tieout import Brook

from connectors.quickbooks import QuickBooks
from tieout.model.contract import Outcome, Receipt
from tieout.model.errors import (
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    StaleVersion,
    Unauthorized,
    Unavailable,
)
from tieout.model.lookup import Absent

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


class CutsNames(QuickBooks):
    def prepare(self, requests):
        return super().prepare([_cut(request) for request in requests])


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


class WritesIntoTheRequest(Brook):
    def prepare(self, requests):
        for request in requests:
            request.change.values.setdefault("mark", request.key)
        return super().prepare(requests)


class AsksToPrepare(Brook):
    def prepare(self, requests):
        self.check()
        return super().prepare(requests)


class KnowsOnlyItsOwnParcels(Brook):
    def prepare(self, requests):
        parcels = super().prepare(requests)
        self.__dict__.setdefault("_packed", set()).update(one.request_id for one in parcels)
        return parcels

    def apply(self, parcel):
        if parcel.request_id not in self.__dict__.get("_packed", ()):
            return [replace(one, error=OutcomeUnknown()) for one in _unanswered(parcel)]
        return super().apply(parcel)


class CutsWhatIsTooLong(QuickBooks):
    def prepare(self, requests):
        return super().prepare([_cut(request, self.capabilities) for request in requests])


class SendsOneByOne(QuickBooks):
    def prepare(self, requests):
        self.__dict__.setdefault("_asked", {}).update({one.key: one for one in requests})
        return super().prepare(requests)

    def apply(self, parcel):
        outcomes = []
        for item in parcel.items:
            (alone,) = super().prepare([self._asked[item.key]])
            outcomes += [replace(one, item_id=item.item_id) for one in super().apply(alone)]
        return outcomes


class CallsSilenceARefusal(Brook):
    def apply(self, parcel):
        return _instead(super().apply(parcel), OutcomeUnknown, Rejected())


class OnlyFindsWhatWasAnswered(QuickBooks):
    def apply(self, parcel):
        outcomes = super().apply(parcel)
        answered = self.__dict__.setdefault("_answered", set())
        answered |= {one.key for one in outcomes if one.receipt}
        return outcomes

    def find(self, kind, wanted):
        absent = Absent(self.check().clock)
        return [
            one if lookup.value in self.__dict__.get("_answered", ()) else absent
            for one, lookup in zip(super().find(kind, wanted), wanted, strict=True)
        ]


class LooksTooLate(QuickBooks):
    def find(self, kind, wanted):
        later = timedelta(days=1)
        return super().find(
            kind, [replace(one, since=one.since and one.since + later) for one in wanted]
        )


class SendsNothingTwice(QuickBooks):
    def apply(self, parcel):
        sent = self.__dict__.setdefault("_sent", set())
        if parcel.request_id in sent:
            return [replace(one, error=Rejected()) for one in _unanswered(parcel)]
        sent.add(parcel.request_id)
        return super().apply(parcel)


class TakesAnswersInTheirOrder(QuickBooks):
    def __init__(self, *opened):
        super().__init__(*opened)
        send = self._wire.send_batch

        def in_order(body, request_id):
            reply = send(body, request_id)
            for number, answer in enumerate(reply.body.get("BatchItemResponse", ()), start=1):
                answer["bId"] = f"{number:03d}"
            return reply

        self._wire.send_batch = in_order


class CallsNoConnectionUnknown(Brook):
    def apply(self, parcel):
        return _instead(super().apply(parcel), Unavailable, OutcomeUnknown())


class HidesTheOthersBehindARefusal(QuickBooks):
    def apply(self, parcel):
        outcomes = super().apply(parcel)
        refusal = next((one.error for one in outcomes if one.error), None)
        return [replace(one, receipt=None, error=refusal) if refusal else one for one in outcomes]


class LosesTheSystemsWords(Brook):
    def apply(self, parcel):
        return [
            replace(one, error=type(one.error)()) if isinstance(one.error, Rejected) else one
            for one in super().apply(parcel)
        ]


class CallsAnUpdateOfTheRemovedDone(Brook):
    def apply(self, parcel):
        return [
            replace(one, error=None, receipt=Receipt(parcel.items[0].ref, "1"))
            if isinstance(one.error, NotFound)
            else one
            for one in super().apply(parcel)
        ]


class SendsAgainAfterThePause(Brook):
    def apply(self, parcel):
        outcomes = super().apply(parcel)
        throttled = any(isinstance(one.error, RateLimited) for one in outcomes)
        return super().apply(parcel) if throttled else outcomes


class CallsARefusedTokenARefusal(Brook):
    def apply(self, parcel):
        return _instead(super().apply(parcel), Unauthorized, Rejected())


class AsksAnewAfterARenewal(QuickBooks):
    def apply(self, parcel):
        late = self._credentials._late
        outcomes = super().apply(parcel)
        return super().apply(replace(parcel, request_id=f"a{next(NUMBERS)}")) if late else outcomes


class KeepsTheTokenForAReading(Brook):
    def changes(self, kinds, since):
        renewing, kept = self._credentials, self._credentials.access_token()
        self._credentials = type("Kept", (), {"access_token": lambda _: kept})()
        try:
            yield from super().changes(kinds, since)
        finally:
            self._credentials = renewing


CAUGHT = {
    IgnoresTheKey: "test_the_same_bytes_again_make_no_second_record",
    ForgetsTheMarker: "test_what_apply_writes_under_a_key_find_finds",
    CallsALostAnswerUnavailable: "test_without_a_well_formed_answer_the_outcome_is_unknown",
    SendsAgain: "test_without_a_well_formed_answer_the_outcome_is_unknown",
    ComposesAnew: "test_an_apply_is_one_request_with_exactly_the_committed_bytes",
    AcceptsAStaleVersion: "test_a_stale_version_is_refused",
    ForgetsThePause: "test_a_throttled_write_says_for_how_long",
    Hammers: "test_no_call_is_made_before_the_pause_is_over",
    KeepsItsToken: "test_a_renewed_token_signs_the_next_call",
    CutsNames: "test_a_text_at_its_limit_is_written_whole",
    CallsAMissingItemRefused: "test_an_item_that_a_batchs_answer_leaves_out_is_unknown",
    AnswersByPlace: "test_an_answer_comes_for_every_item_in_its_order",
    NamesAskingsAtRandom: "test_prepare_is_pure",
    LosesARequest: "test_every_request_is_in_exactly_one_parcel",
    ForgetsWhichAskingItIs: "test_a_request_id_names_key_values_version_and_asking",
    WritesIntoTheRequest: "test_prepare_is_pure",
    AsksToPrepare: "test_prepare_is_pure",
    KnowsOnlyItsOwnParcels: "test_what_one_session_packed_another_sends",
    CutsWhatIsTooLong: "test_a_text_over_its_limit_is_refused_never_cut",
    SendsOneByOne: "test_an_apply_is_one_request_with_exactly_the_committed_bytes",
    CallsSilenceARefusal: "test_without_a_well_formed_answer_the_outcome_is_unknown",
    OnlyFindsWhatWasAnswered: "test_a_lost_answer_is_resolved_by_looking",
    LooksTooLate: "test_what_apply_writes_under_a_key_find_finds",
    SendsNothingTwice: "test_what_was_dropped_before_it_was_done_is_absent_and_can_be_sent",
    TakesAnswersInTheirOrder: "test_answers_in_another_order_reach_their_items",
    CallsNoConnectionUnknown: "test_a_connection_that_was_never_made_is_unavailable",
    HidesTheOthersBehindARefusal: "test_one_refused_item_never_hides_the_others",
    LosesTheSystemsWords: "test_a_refusal_keeps_the_systems_own_words",
    CallsAnUpdateOfTheRemovedDone: "test_an_update_of_what_was_removed_is_refused",
    SendsAgainAfterThePause: "test_a_throttled_write_says_for_how_long",
    CallsARefusedTokenARefusal: "test_a_refused_token_pauses_and_does_nothing",
    AsksAnewAfterARenewal: "test_a_token_renewed_in_the_middle_of_a_write_does_it_once",
    KeepsTheTokenForAReading: "test_a_token_renewed_between_two_pages_loses_none",
}


def _cut(request, capabilities=None):
    """Return the request with its texts cut: at 50 letters, or at the limits that are claimed."""
    limits = capabilities.kinds[request.change.kind].limits if capabilities else {}
    values = {
        name: value[: limits.get(name, 50)] if isinstance(value, str) else value
        for name, value in request.change.values.items()
    }
    return replace(request, change=replace(request.change, values=values))


def _instead(outcomes, kind, error):
    return [replace(one, error=error) if isinstance(one.error, kind) else one for one in outcomes]


def _unanswered(parcel):
    return [Outcome(item.key, item.item_id) for item in parcel.items]
