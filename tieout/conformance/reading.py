"""Fetch and find: each asked has one answer, and a failure is never an absence."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from tieout.conformance.bench import Bench
from tieout.conformance.wire import SILENCES, Fault
from tieout.model.lookup import MARKER, Absent, Ambiguous, Answer, Found, Lookup, NotKnown
from tieout.model.record import Fetched, Gone, MergedInto, Record, Unreadable
from tieout.model.ref import Ref

FAILURES = (*SILENCES, Fault.UNAUTHORIZED, Fault.THROTTLE)
NO_QUESTION = frozenset({"created_since"})  # how far a search by marker is bounded, not a question
FAR_ZONE = "Pacific/Kiritimati"  # fourteen hours ahead of UTC

DAYS = (
    date(2026, 1, 1),
    date(2026, 12, 31),
    date(2026, 3, 29),  # summer time begins in Europe
    date(2026, 10, 25),  # and ends
    date(2028, 2, 29),
)
TYPES: Mapping[str, type | tuple[type, ...]] = {
    "text": str,
    "choice": str,
    "url": str,
    "money": Decimal,
    "number": (Decimal, int),
    "flag": bool,
    "date": date,
    "instant": datetime,
    "list": (list, tuple),
    "map": Mapping,
}


class Reading:
    """Asked minus answered is empty, and each answer says what the other system said."""

    def test_each_asked_has_exactly_one_answer(self, bench: Bench) -> None:
        """Also when asked twice, of another kind, or for what nobody ever made."""
        refs = [bench.plant(kind, bench.number()) for kind in bench.kinds for _ in range(3)]
        strange = [Ref(bench.connector.company, kind, "999999999") for kind in bench.kinds]
        unknown = Ref(bench.connector.company, "no such kind", "1")
        asked = [*refs, *strange, *refs[:2], unknown]
        answers = list(bench.connector.fetch(asked))
        assert Counter(map(_asked_of, answers)) == Counter(asked)
        assert {_asked_of(one) for one in answers if isinstance(one, Record)} == set(refs)

    def test_a_record_is_read_as_it_is(self, bench: Bench) -> None:
        """Exact amounts, whole texts, our names and types; of two, which need not be alike."""
        for kind in [kind for kind in bench.kinds for _ in range(2)]:
            record = bench.planted(kind)
            there = bench.truth(record.ref)
            assert there, f"the bench tells nothing of a {kind}"
            assert {name: record.fields.get(name) for name in there} == dict(there)

    def test_every_field_has_its_claimed_type_and_none_is_a_float(self, bench: Bench) -> None:
        """Money is Decimal; a business date is a date and no datetime; instants are in UTC."""
        for kind in bench.kinds:
            record = bench.planted(kind)
            assert_types(bench, record)

    def test_a_date_stays_its_day_wherever_this_machine_stands(self, bench: Bench) -> None:
        """Midnight, summer time and a machine in another zone move no business date (R40)."""
        for kind in bench.dated_kinds:
            for day in DAYS:
                made = bench.planted_on(kind, day)
                with _machine_in(FAR_ZONE):
                    read = {_asked_of(one): one for one in bench.connector.fetch(list(made))}
                for ref, name in made.items():
                    answer = read[ref]
                    assert isinstance(answer, Record), answer
                    assert answer.fields[name] == day
                    assert type(answer.fields[name]) is date

    def test_a_version_changes_with_its_record(self, bench: Bench) -> None:
        """And only with it."""
        for kind in bench.kinds:
            before = bench.planted(kind)
            (same,) = bench.connector.fetch([before.ref])
            bench.edit(before.ref, bench.number())
            (after,) = bench.connector.fetch([before.ref])
            assert isinstance(same, Record), same
            assert isinstance(after, Record), after
            assert before.version == same.version
            assert before.version != after.version

    def test_a_removed_record_is_gone_by_the_systems_own_word(self, bench: Bench) -> None:
        """Gone carries its evidence (pain 13)."""
        for kind in bench.removed_kinds:
            ref = bench.plant(kind, bench.number())
            bench.remove(ref)
            (answer,) = bench.connector.fetch([ref])
            assert isinstance(answer, Gone), f"a removed {kind} is {answer!r}"
            assert answer.ref == ref
            assert answer.evidence

    def test_a_merged_record_is_followed(self, bench: Bench) -> None:
        """Both former ids lead to the record that lives on, and say so."""
        for kind in bench.merged_kinds:
            kept, other = (bench.plant(kind, bench.number()) for _ in range(2))
            lives = bench.merge(kept, other)
            olds = [ref for ref in (kept, other) if ref != lives]
            answers = list(bench.connector.fetch(olds))
            said = [(one.ref, one.into.ref) for one in answers if isinstance(one, MergedInto)]
            assert said == [(old, lives) for old in olds], f"merged {kind}: {answers!r}"

    def test_a_failed_read_is_unreadable_never_gone(self, bench: Bench) -> None:
        """It says nothing about whether the record exists."""
        for kind in bench.kinds:
            refs = [bench.plant(kind, bench.number()) for _ in range(2)]
            for fault in FAILURES:
                with bench.wire(bench.reads, fault):
                    answers = list(bench.connector.fetch(refs))
                assert Counter(map(_asked_of, answers)) == Counter(refs), fault
                wrong = [one for one in answers if not isinstance(one, Unreadable)]
                assert wrong == [], f"{fault} makes a {kind} {wrong!r}"

    def test_a_read_that_fails_once_is_asked_again(self, bench: Bench) -> None:
        """Reads change nothing, so silence may be asked again."""
        kind = bench.kinds[0]
        ref = bench.plant(kind, bench.number())
        for fault in SILENCES:
            with bench.wire(bench.reads, fault, times=1):
                (answer,) = bench.connector.fetch([ref])
            assert isinstance(answer, Record), f"{fault} once makes {answer!r}"

    def test_a_short_answer_is_no_absence(self, bench: Bench) -> None:
        """What an answer leaves out without a word is not gone and not absent (pain 13)."""
        for kind in bench.kinds:
            records = [bench.planted(kind) for _ in range(3)]
            refs = [record.ref for record in records]
            with bench.wire(bench.reads, Fault.SHORT_PAGE):
                answers = list(bench.connector.fetch(refs))
            assert Counter(map(_asked_of, answers)) == Counter(refs)
            assert [one for one in answers if isinstance(one, Gone)] == []
            for by in ways(bench, kind):
                wanted = [_lookup(kind, bench.clue(record, by)) for record in records]
                with bench.wire(bench.reads, Fault.SHORT_PAGE):
                    found = bench.connector.find(kind, wanted)
                assert [one for one in found if isinstance(one, Absent)] == [], by

    # -- find -------------------------------------------------------------------------------------

    def test_find_answers_in_the_order_of_the_questions(self, bench: Bench) -> None:
        """Those asked twice too, and those that nothing answers."""
        for kind in bench.kinds:
            records = [bench.planted(kind) for _ in range(3)]
            for by in ways(bench, kind):
                nobody = _lookup(kind, bench.nobody(kind, by))
                known = [_lookup(kind, bench.clue(record, by)) for record in records]
                answers = bench.connector.find(kind, [known[2], nobody, *known, known[0]])
                refs = [one.ref if isinstance(one, Found) else None for one in answers]
                a, b, c = (record.ref for record in records)
                assert refs == [c, None, a, b, c, a], f"{kind} by {by}: {answers!r}"

    def test_what_nothing_answers_is_absent_as_of_an_instant(self, bench: Bench) -> None:
        """By the server's clock (R51): the engine may then send again."""
        for kind in bench.kinds:
            for by in ways(bench, kind):
                (answer,) = bench.connector.find(kind, [_lookup(kind, bench.nobody(kind, by))])
                assert isinstance(answer, Absent), f"{kind} by {by}: {answer!r}"
                assert answer.as_of is not None, "an absence has an instant"
                assert answer.as_of.tzinfo is UTC

    def test_two_records_with_one_marker_are_ambiguous(self, bench: Bench) -> None:
        """A copied invoice carries the memo of the first: a person decides, never the order."""
        for kind in bench.copied_kinds:
            record = bench.planted(kind)
            copy = bench.copy(record.ref)
            (answer,) = bench.connector.find(kind, [_lookup(kind, bench.clue(record, MARKER))])
            assert isinstance(answer, Ambiguous), f"{kind}: {answer!r}"
            assert set(answer.refs) == {record.ref, copy}

    def test_a_failed_search_is_not_known_never_absent(self, bench: Bench) -> None:
        """An absence that is none makes a second invoice."""
        for kind in bench.kinds:
            record = bench.planted(kind)
            for by in ways(bench, kind):
                for fault in FAILURES:
                    answer = _found_while(bench, kind, bench.clue(record, by), fault)
                    assert isinstance(answer, NotKnown), f"{kind} by {by}, {fault}: {answer!r}"

    def test_a_question_that_cannot_be_asked_is_not_known(self, bench: Bench) -> None:
        """Another kind, another field: each is answered, and none is absent."""
        for kind in (*bench.kinds, "no such kind"):
            answers = bench.connector.find(kind, [Lookup(kind, "no_such_field", "1")] * 2)
            assert [type(one) for one in answers] == [NotKnown, NotKnown], f"{kind}: {answers!r}"


def ways(bench: Bench, kind: str) -> list[str]:
    """Return the questions by which a kind is claimed to be found."""
    return sorted(bench.claimed(kind).found_by - NO_QUESTION)


def assert_found(bench: Bench, record: Record, by: str) -> None:
    """Demand that a question finds one record, with the record itself and who asked."""
    clue = bench.clue(record, by)
    (answer,) = bench.connector.find(record.ref.kind, [_lookup(record.ref.kind, clue, line=7)])
    assert isinstance(answer, Found), f"{record.ref} by {clue}: {answer!r}"
    assert (answer.ref, answer.by, answer.line) == (record.ref, clue[0], 7)


def assert_types(bench: Bench, record: Record) -> None:
    """Demand of a record that each field has its claimed type."""
    claimed = bench.claimed(record.ref.kind).fields
    for name, value in record.fields.items():
        assert _floats(value) == [], f"{record.ref} {name} holds a float"
        wanted = TYPES.get(claimed.get(name, ""))
        if wanted is None or value is None:
            continue
        assert isinstance(value, wanted), f"{record.ref} {name} is {value!r}, not {claimed[name]}"
        assert (claimed[name] == "date") is (type(value) is date), f"{record.ref} {name}"
        if isinstance(value, datetime):
            assert value.tzinfo is UTC, f"{record.ref} {name} is an instant in UTC"
    for instant in (record.created_at, record.updated_at):
        assert instant is None or instant.tzinfo is UTC


def _found_while(bench: Bench, kind: str, clue: tuple[str, str], fault: Fault) -> Answer:
    with bench.wire(bench.reads, fault):
        (answer,) = bench.connector.find(kind, [_lookup(kind, clue)])
    return answer


def _lookup(kind: str, clue: tuple[str, str], line: int = 0) -> Lookup:
    by, value = clue
    return Lookup(kind, by, value, line)


def _asked_of(answer: Fetched) -> Ref:
    return answer.ref


def _floats(value: Any) -> Sequence[float]:
    """Return every float in a value, however deep."""
    if isinstance(value, float):
        return [value]
    if isinstance(value, Mapping):
        return [found for held in value.values() for found in _floats(held)]
    if isinstance(value, list | tuple):
        return [found for held in value for found in _floats(held)]
    return []


@contextmanager
def _machine_in(zone: str) -> Iterator[None]:
    """Let this machine stand in another time zone for a while."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = zone
    time.tzset()
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        time.tzset()
