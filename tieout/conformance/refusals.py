"""What the other system refuses: each refusal means one thing, and hides nothing."""

from __future__ import annotations

from itertools import islice

from tieout.conformance.bench import Bench
from tieout.conformance.feeds import PAGES_LIMIT, end
from tieout.conformance.wire import RETRY_AFTER_SECS, RETRY_DATE_SECS, Fault
from tieout.conformance.writing import batched, packed
from tieout.model.change import Create, Verb
from tieout.model.errors import RateLimited, Rejected, StaleVersion, TieoutError, Unauthorized
from tieout.model.ref import Ref


class Refusals:
    """A refusal is an answer: nothing was done, and its words say why."""

    def test_a_stale_version_is_refused(self, bench: Bench) -> None:
        """Somebody changed the record since it was read: it is planned again."""
        for verb, kind in bench.claims:
            if verb is Verb.CREATE or kind not in bench.versioned_kinds:
                continue
            request = bench.request(verb, kind)
            parcel = packed(bench, request)
            assert not isinstance(request.change, Create)
            bench.edit(request.change.ref, bench.number())
            (edited,) = bench.connector.fetch([request.change.ref])
            (outcome,) = bench.connector.apply(parcel)
            assert isinstance(outcome.error, StaleVersion), f"{verb} {kind}: {outcome!r}"
            assert list(bench.connector.fetch([request.change.ref])) == [edited]

    def test_one_refused_item_never_hides_the_others(self, bench: Bench) -> None:
        """It fails alone, with the system's own words."""
        for verb, kind in batched(bench):
            good = [bench.request(verb, kind) for _ in range(2)]
            bad = bench.request(verb, kind, bench.refused_values(kind, bench.number()))
            parcel = packed(bench, good[0], bad, good[1])
            first, refused, last = bench.connector.apply(parcel)
            assert first.receipt is not None, first.error
            assert last.receipt is not None, last.error
            assert isinstance(refused.error, Rejected), f"{verb} {kind}: {refused!r}"
            assert refused.error.vendor_words

    def test_a_refusal_keeps_the_systems_own_words(self, bench: Bench) -> None:
        """A person reads them, and they are often all that says why."""
        for verb, kind in bench.claims:
            if verb is Verb.VOID:
                continue
            refused = bench.refused_values(kind, bench.number())
            (outcome,) = bench.connector.apply(packed(bench, bench.request(verb, kind, refused)))
            assert isinstance(outcome.error, Rejected), f"{verb} {kind}: {outcome!r}"
            assert outcome.error.vendor_words, f"{verb} {kind} is refused without a word"

    def test_an_update_of_what_was_removed_is_refused(self, bench: Bench) -> None:
        """It makes no new record and is no success."""
        for verb, kind in bench.claims:
            if verb is Verb.CREATE or kind not in bench.removed_kinds:
                continue
            request = bench.request(verb, kind)
            assert not isinstance(request.change, Create)
            bench.remove(request.change.ref)
            before = bench.count(kind)
            (outcome,) = bench.connector.apply(packed(bench, request))
            assert isinstance(outcome.error, Rejected | StaleVersion), f"{verb} {kind}: {outcome!r}"
            assert bench.count(kind) == before

    def test_a_throttled_write_says_for_how_long(self, bench: Bench) -> None:
        """Nothing was done; the pause is the vendor's own, in seconds or until a date."""
        for verb, kind in bench.claims:
            for fault, most in (
                (Fault.THROTTLE, RETRY_AFTER_SECS),
                (Fault.THROTTLE_UNTIL, RETRY_DATE_SECS),
            ):
                parcel = packed(bench, bench.request(verb, kind))
                before = bench.count(kind)
                with bench.wire(bench.writes, fault) as wire:
                    (outcome,) = bench.connector.apply(parcel)
                assert isinstance(outcome.error, RateLimited), f"{verb} {kind}: {outcome!r}"
                assert outcome.error.after_secs is not None
                assert most - 2 <= outcome.error.after_secs <= most, fault
                assert (wire.requests, bench.count(kind)) == (1, before)

    def test_no_call_is_made_before_the_pause_is_over(self, bench: Bench) -> None:
        """After a 429 the next call waits, or says later; it never hammers."""
        for verb, kind in bench.claims:
            parcel = packed(bench, bench.request(verb, kind))
            with bench.wire(bench.writes, Fault.THROTTLE):
                bench.connector.apply(parcel)
            slept_secs = bench.slept_secs
            with bench.wire(bench.writes) as wire:
                (outcome,) = bench.connector.apply(parcel)
            waited = bench.slept_secs - slept_secs >= RETRY_AFTER_SECS - 1
            held = isinstance(outcome.error, RateLimited) and wire.requests == 0
            assert waited or held, f"{verb} {kind} is sent {bench.slept_secs - slept_secs} s later"

    def test_a_refused_token_pauses_and_does_nothing(self, bench: Bench) -> None:
        """401 is Unauthorized for every item: the queue waits for a person."""
        for verb, kind in bench.claims:
            parcel = packed(bench, bench.request(verb, kind))
            before = bench.count(kind)
            with bench.wire(bench.writes, Fault.UNAUTHORIZED):
                (outcome,) = bench.connector.apply(parcel)
            assert isinstance(outcome.error, Unauthorized), f"{verb} {kind}: {outcome!r}"
            assert bench.count(kind) == before

    # -- a token that is renewed meanwhile --------------------------------------------------------

    def test_a_renewed_token_signs_the_next_call(self, bench: Bench) -> None:
        """The token is asked for at each call and never kept."""
        for verb, kind in bench.claims:
            parcel = packed(bench, bench.request(verb, kind))
            bench.rotate_token()
            (outcome,) = bench.connector.apply(parcel)
            assert outcome.receipt is not None, f"{verb} {kind}: {outcome.error}"

    def test_a_token_renewed_in_the_middle_of_a_write_does_it_once(self, bench: Bench) -> None:
        """Signed with the old token: done with the new one, or Unauthorized and not done."""
        for kind in bench.kinds_with(Verb.CREATE):
            parcel = packed(bench, bench.request(Verb.CREATE, kind))
            before = bench.count(kind)
            bench.rotate_token(late=1)
            (outcome,) = bench.connector.apply(parcel)
            done = outcome.receipt is not None
            assert done or isinstance(outcome.error, Unauthorized), f"{kind}: {outcome!r}"
            assert bench.count(kind) == before + done
            (again,) = [outcome] if done else bench.connector.apply(parcel)
            assert again.receipt is not None, again.error
            assert bench.count(kind) == before + 1

    def test_a_token_renewed_between_two_pages_loses_none(self, bench: Bench) -> None:
        """A long reading goes on with the new one."""
        kind = bench.fed_kinds[0]
        feed = bench.feed_of(kind)
        cursor = end(bench, kind)
        refs = {bench.plant(kind, bench.number()) for _ in range(bench.many)}
        seen: set[Ref] = set()
        refused: TieoutError | None = None
        try:
            for page in islice(bench.connector.changes(feed, cursor), PAGES_LIMIT):
                if not seen:
                    bench.rotate_token()
                seen |= {event.ref for event in page.events}
        except TieoutError as error:
            refused = error
        assert refused is None, refused
        assert refs - seen == set()
