"""Prepare and apply: exact bytes, sent once, and an answer for every item."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import replace

from tieout.conformance.bench import Bench
from tieout.conformance.wire import SILENCES, Calls, Fault
from tieout.model.change import Create, Update, Verb
from tieout.model.contract import Outcome, Parcel, Receipt, Request
from tieout.model.errors import InvalidField, OutcomeUnknown, Rejected, Unavailable
from tieout.model.lookup import MARKER, Absent, Answer, Found, Lookup
from tieout.model.record import Record
from tieout.model.ref import REQUEST_ID_LENGTH, Key, Version, crockford

BATCH_ITEM_LENGTH = 10  # the shortest that a vendor allows (R22)


class Writing:
    """Intent is committed before it is sent, so ``prepare`` decides everything."""

    # -- prepare ----------------------------------------------------------------------------------

    def test_every_request_is_in_exactly_one_parcel(self, bench: Bench) -> None:
        """Mixed kinds and verbs, more than a batch: none is lost, none is packed twice."""
        requests = [
            bench.request(verb, kind)
            for kind, claimed in bench.connector.capabilities.kinds.items()
            for verb in sorted(claimed.verbs)
            for _ in range(claimed.batch + 1)
        ]
        by_key = {request.key: request for request in requests}
        parcels = bench.connector.prepare(requests)
        keys = [item.key for parcel in parcels for item in parcel.items]
        assert sorted(keys) == sorted(by_key)
        for parcel in parcels:
            _assert_well_formed(bench, parcel)
            for item in parcel.items:
                change = by_key[item.key].change
                ref = None if isinstance(change, Create) else change.ref
                assert (item.kind, item.verb, item.ref) == (change.kind, change.verb, ref)

    def test_prepare_is_pure(self, bench: Bench) -> None:
        """Once the company is known, it asks nothing; the same requests, unchanged, are the same
        bytes.
        """
        bench.connector.check()
        requests = [bench.request(verb, kind) for verb, kind in bench.claims for _ in range(2)]
        given = deepcopy(requests)
        with bench.wire(Calls()) as wire:
            first, second = (list(bench.connector.prepare(requests)) for _ in range(2))
        assert wire.requests == 0
        assert first == second
        assert requests == given, "prepare writes into what it was given"
        assert list(bench.connector.prepare([])) == []

    def test_a_request_id_names_key_values_version_and_asking(self, bench: Bench) -> None:
        """A vendor's memory of one asking must never answer another."""
        for verb, kind in bench.claims:
            request = bench.request(verb, kind)
            askings = [request, *_others(bench, request)]
            ids = [packed(bench, asking).request_id for asking in askings]
            assert len(set(ids)) == len(askings), f"{verb} {kind}: {ids}"

    def test_a_text_at_its_limit_is_written_whole(self, bench: Bench) -> None:
        """Names at the length limit lose no letter, nor does the marker beside them."""
        for verb, kind, name, limit in _limited(bench):
            text = _text(limit, bench.number())
            request = bench.request(verb, kind, {name: text})
            receipt = _receipt(bench, request)
            (record,) = bench.connector.fetch([receipt.ref])
            assert isinstance(record, Record), record
            assert record.fields[name] == text, f"{verb} {kind}: {name} of {limit} characters"
            if verb is Verb.CREATE:
                assert_is_found(bench, request, receipt)

    def test_a_text_over_its_limit_is_refused_never_cut(self, bench: Bench) -> None:
        """Before it is sent, or by the system itself."""
        for verb, kind, name, limit in _limited(bench):
            request = bench.request(verb, kind, {name: _text(2 * limit, bench.number())})
            before = bench.count(kind)
            said = f"{verb} {kind}: {name} of {2 * limit} characters"
            assert _refused(bench, request), said
            assert bench.count(kind) == before

    # -- apply: done once -------------------------------------------------------------------------

    def test_what_apply_writes_under_a_key_find_finds(self, bench: Bench) -> None:
        """By its marker, or where none is carried by its unique name; with ``since`` as asked."""
        for kind in bench.kinds_with(Verb.CREATE):
            request = bench.request(Verb.CREATE, kind)
            assert isinstance(_again(bench, request), Absent), f"{kind} before it is made"
            assert_is_found(bench, request, _receipt(bench, request))

    def test_the_same_bytes_again_make_no_second_record(self, bench: Bench) -> None:
        """The request id travels with the bytes, and the vendor remembers it."""
        for kind in bench.kinds_with(Verb.CREATE) if bench.remembers else ():
            for size in (1, 2):
                requests = [bench.request(Verb.CREATE, kind) for _ in range(size)]
                before = bench.count(kind)
                for parcel in bench.connector.prepare(requests):
                    first = bench.connector.apply(parcel)
                    _assert_same_records(first, bench.connector.apply(parcel))
                assert bench.count(kind) == before + size, f"a second {kind} is made"

    def test_an_answer_comes_for_every_item_in_its_order(self, bench: Bench) -> None:
        """Under the item's own key, with the record that is really there."""
        for verb, kind in bench.claims:
            requests = {one.key: one for one in (bench.request(verb, kind) for _ in range(3))}
            for parcel in bench.connector.prepare(list(requests.values())):
                outcomes = bench.connector.apply(parcel)
                assert _names(outcomes) == [(item.key, item.item_id) for item in parcel.items]
                for outcome in outcomes:
                    _assert_receipt(bench, requests[outcome.key], outcome)

    def test_an_apply_is_one_request_with_exactly_the_committed_bytes(self, bench: Bench) -> None:
        """No hidden second sending, and nothing composed anew."""
        alone = [[bench.request(verb, kind)] for verb, kind in bench.claims]
        together = [[bench.request(verb, kind) for _ in range(2)] for verb, kind in batched(bench)]
        for requests in (*alone, *together):
            parcel = packed(bench, *requests)
            exact = Calls(body=rf"\A{re.escape(parcel.body.decode())}\Z")
            with bench.wire(exact) as sent:
                outcomes = bench.connector.apply(parcel)
            assert [one.error for one in outcomes if one.error] == []
            assert sent.requests == 1, f"{requests[0].about} is sent otherwise than it was packed"

    def test_what_one_session_packed_another_sends(self, bench: Bench) -> None:
        """A parcel outlives a crash between its commit and its sending: all it needs is in it."""
        for verb, kind in bench.claims:
            request = bench.request(verb, kind)
            parcel = packed(bench, request)
            after_the_crash = bench.opened(bench.url)
            try:
                (outcome,) = after_the_crash.apply(parcel)
            finally:
                after_the_crash.close()
            _assert_receipt(bench, request, outcome)

    # -- apply: silence ---------------------------------------------------------------------------

    def test_without_a_well_formed_answer_the_outcome_is_unknown(self, bench: Bench) -> None:
        """Never "unavailable", never a refusal, and never asked again by the connector itself."""
        for verb, kind in bench.claims:
            for fault in SILENCES:
                parcel = packed(bench, bench.request(verb, kind))
                with bench.wire(bench.writes, fault) as wire:
                    outcomes = bench.connector.apply(parcel)
                said = [type(outcome.error) for outcome in outcomes]
                assert said == [OutcomeUnknown], f"{verb} {kind}, {fault}: {outcomes!r}"
                assert wire.requests == 1, f"{fault} is answered by {wire.requests} requests"

    def test_a_lost_answer_is_resolved_by_looking(self, bench: Bench) -> None:
        """The record was made once, and the marker finds it."""
        for kind in bench.kinds_with(Verb.CREATE):
            for fault in (Fault.LOSE_ANSWER, Fault.CUT_ANSWER):
                request = bench.request(Verb.CREATE, kind)
                parcel = packed(bench, request)
                before = bench.count(kind)
                with bench.wire(bench.writes, fault):
                    bench.connector.apply(parcel)
                assert bench.count(kind) == before + 1
                answer = _again(bench, request)
                assert isinstance(answer, Found), f"{kind} after {fault}: {answer!r}"

    def test_what_was_dropped_before_it_was_done_is_absent_and_can_be_sent(
        self, bench: Bench
    ) -> None:
        """The same bytes again, after looking."""
        for kind in bench.kinds_with(Verb.CREATE):
            request = bench.request(Verb.CREATE, kind)
            parcel = packed(bench, request)
            before = bench.count(kind)
            with bench.wire(bench.writes, Fault.DROP):
                bench.connector.apply(parcel)
            assert isinstance(_again(bench, request), Absent)
            (outcome,) = bench.connector.apply(parcel)
            assert outcome.receipt is not None, outcome.error
            assert bench.count(kind) == before + 1

    def test_an_item_that_a_batchs_answer_leaves_out_is_unknown(self, bench: Bench) -> None:
        """Not failed: it may have been made. The others keep their answers."""
        for verb, kind in batched(bench):
            parcel = packed(bench, *(bench.request(verb, kind) for _ in range(3)))
            with bench.wire(bench.writes, Fault.OMIT_ITEM):
                outcomes = bench.connector.apply(parcel)
            assert _names(outcomes) == [(item.key, item.item_id) for item in parcel.items]
            errors = [type(outcome.error) for outcome in outcomes if outcome.error]
            assert errors == [OutcomeUnknown], f"{verb} {kind}: {outcomes!r}"

    def test_answers_in_another_order_reach_their_items(self, bench: Bench) -> None:
        """An item is known by its id, not by its place."""
        for verb, kind in batched(bench):
            requests = [bench.request(verb, kind) for _ in range(4)]
            parcel = packed(bench, *requests)
            with bench.wire(bench.writes, Fault.REORDER):
                outcomes = bench.connector.apply(parcel)
            for outcome, request in zip(outcomes, requests, strict=True):
                assert outcome.key == request.key
                _assert_receipt(bench, request, outcome)

    def test_a_connection_that_was_never_made_is_unavailable(self, bench: Bench) -> None:
        """Nothing was sent, so the same bytes may be sent later without looking."""
        parcels = [packed(bench, bench.request(verb, kind)) for verb, kind in bench.claims]
        nowhere = bench.unreachable()
        try:
            for parcel in parcels:
                said = [type(outcome.error) for outcome in nowhere.apply(parcel)]
                assert said == [Unavailable]
        finally:
            nowhere.close()


def assert_is_found(bench: Bench, request: Request, receipt: Receipt) -> None:
    """Demand that a created record is found again, as the engine looks for it."""
    answer = _again(bench, request)
    assert isinstance(answer, Found), f"{request.about} is written and not found: {answer!r}"
    assert answer.ref == receipt.ref


def _again(bench: Bench, request: Request) -> Answer:
    """Look for what a request made: by its marker, else by its unique name."""
    kind = request.change.kind
    if MARKER in bench.claimed(kind).found_by:
        since = bench.connector.check().clock
        lookup = Lookup(kind, MARKER, request.key, since=since)
    else:
        lookup = Lookup(kind, "name", bench.name_of(request))
    (answer,) = bench.connector.find(kind, [lookup])
    return answer


def batched(bench: Bench) -> Iterator[tuple[Verb, str]]:
    """Yield what several of travel in one call."""
    for verb, kind in bench.claims:
        if len(bench.connector.prepare([bench.request(verb, kind) for _ in range(2)])) == 1:
            yield verb, kind


def packed(bench: Bench, *requests: Request) -> Parcel:
    """Return the one parcel of some requests that travel together."""
    parcels = list(bench.connector.prepare(requests))
    assert len(parcels) == 1, f"{len(requests)} of a kind that is packed together are {parcels!r}"
    return parcels[0]


def _limited(bench: Bench) -> Iterator[tuple[Verb, str, str, int]]:
    """Yield each text that has a limit, with the changes that write it."""
    for verb, kind in bench.claims:
        for name, limit in bench.texts(kind).items() if verb is not Verb.VOID else ():
            yield verb, kind, name, limit


def _receipt(bench: Bench, request: Request) -> Receipt:
    (outcome,) = bench.connector.apply(packed(bench, request))
    assert outcome.receipt is not None, outcome.error
    return outcome.receipt


def _refused(bench: Bench, request: Request) -> bool:
    try:
        parcel = packed(bench, request)
    except InvalidField:
        return True
    (outcome,) = bench.connector.apply(parcel)
    return isinstance(outcome.error, Rejected)


def _others(bench: Bench, request: Request) -> Iterator[Request]:
    """Yield what is nearly the same asking and is another."""
    change = request.change
    yield replace(request, key=_other_key(request.key))
    yield replace(request, asking=2)
    if not isinstance(change, Create):
        yield replace(request, change=replace(change, version=Version(f"{change.version}1")))
    if isinstance(change, Update):
        values = bench.other_values(change.kind, bench.number())
        yield replace(request, change=replace(change, values={**change.values, **values}))
    if isinstance(change, Create):
        created = bench.new_values(change.kind, bench.number())
        yield replace(request, change=replace(change, values={**change.values, **created}))


def _assert_well_formed(bench: Bench, parcel: Parcel) -> None:
    kinds = {item.kind for item in parcel.items}
    ids = [item.item_id for item in parcel.items]
    assert parcel.company == bench.connector.company
    assert 0 < len(parcel.request_id) <= REQUEST_ID_LENGTH
    assert len(set(ids)) == len(ids)
    assert max(map(len, ids)) <= BATCH_ITEM_LENGTH
    assert len(ids) <= min(bench.claimed(kind).batch for kind in kinds)
    assert bench.url not in parcel.call, "a parcel outlives an address"


def _assert_receipt(bench: Bench, request: Request, outcome: Outcome) -> None:
    """Demand a receipt of the very record that was asked for, at the version that it has."""
    receipt = outcome.receipt
    assert receipt is not None, outcome.error
    if isinstance(request.change, Create):
        assert_is_found(bench, request, receipt)
    else:
        assert receipt.ref == request.change.ref
    if receipt.ref.kind in bench.kinds:
        (record,) = bench.connector.fetch([receipt.ref])
        assert isinstance(record, Record), record
        assert record.version == receipt.version
        assert receipt.record is None or receipt.record == record


def _assert_same_records(first: Sequence[Outcome], second: Sequence[Outcome]) -> None:
    """Demand of a second answer that each item is the first's record, or refused."""
    for one, again in zip(first, second, strict=True):
        assert one.receipt is not None, one.error
        same = again.receipt is not None and again.receipt.ref == one.receipt.ref
        assert same or again.error is not None


def _names(outcomes: Sequence[Outcome]) -> list[tuple[str, str]]:
    return [(outcome.key, outcome.item_id) for outcome in outcomes]


def _other_key(key: str) -> str:
    return str(Key(crockford(f"another than {key}")))


def _text(length: int, number: int) -> str:
    """Return a text of so many characters that begins with a letter and ends with a number."""
    last = str(number)[-length:]
    return ("Ägir & Søn's " * length)[: length - len(last)] + last
