"""Related: what belongs to a record, whole or not known, and the way back to it."""

from __future__ import annotations

from tieout.conformance.bench import Bench
from tieout.conformance.reading import FAILURES
from tieout.conformance.wire import Fault
from tieout.model.record import Related

SEVERAL = 2  # from here on a role has many, and what is added to it shows only in its own feed


class Relating:
    """A mapping's ``with:`` asks for roles; a set that is wrong makes a wrong invoice."""

    def test_related_is_the_whole_set_in_the_systems_order(self, bench: Bench) -> None:
        """One answer for each asked; a record without any has an empty set and no error."""
        for kind, role in bench.told_roles:
            refs = [bench.plant(kind, bench.number()) for _ in range(3)]
            sets = {ref: list(bench.relate(ref, role)) for ref in refs[:2]}
            answers = list(bench.connector.related(refs, role))
            assert [answer.ref for answer in answers] == refs
            assert {one.ref: list(one.refs) for one in answers} == {**sets, refs[2]: []}
            assert [answer.error for answer in answers if answer.error] == []
            for answer in answers:
                assert_whole(answer)

    def test_a_set_that_cannot_be_read_is_never_empty(self, bench: Bench) -> None:
        """A short answer blocks the draft; it never reads as "no lines" (pain 13)."""
        for kind, role in bench.told_roles:
            refs = [bench.plant(kind, bench.number()) for _ in range(3)]
            sets = {ref: list(bench.relate(ref, role)) for ref in refs}
            for fault in (*FAILURES, Fault.SHORT_PAGE):
                with bench.wire(bench.reads, fault):
                    answers = list(bench.connector.related(refs, role))
                assert [answer.ref for answer in answers] == refs
                wrong = [
                    one for one in answers if one.error is None and list(one.refs) != sets[one.ref]
                ]
                assert wrong == [], f"{fault}: {wrong!r}"

    def test_what_was_removed_has_no_empty_set(self, bench: Bench) -> None:
        """Its set is not known, or what still names it; only the system itself may say none."""
        told = set(bench.removed_kinds) - set(bench.unlinked_kinds)
        for kind, role in bench.told_roles:
            if kind not in told:
                continue
            ref = bench.plant(kind, bench.number())
            others = list(bench.relate(ref, role))
            bench.remove(ref)
            (answer,) = bench.connector.related([ref], role)
            known = answer.error is None
            assert not known or list(answer.refs) == others, f"{role} of a removed {kind}"

    def test_what_a_record_has_several_of_leads_back_to_it(self, bench: Bench) -> None:
        """By the role that its kind names: else a line that is added later is never seen."""
        for kind, role in bench.told_roles:
            ref = bench.plant(kind, bench.number())
            others = [one for one in bench.relate(ref, role) if one.kind in bench.fed_kinds]
            if len(others) < SEVERAL:
                continue
            answers = list(bench.connector.related(others, kind))
            assert [answer.ref for answer in answers] == others
            lost = [one for one in answers if ref not in one.refs]
            assert lost == [], f"the {kind} of each {others[0].kind}: {lost!r}"


def assert_whole(answer: Related) -> None:
    """Demand of a set that its primary and its records are of it."""
    assert answer.primary is None or answer.primary in answer.refs
    assert set(answer.records) <= set(answer.refs)
    assert {ref for ref, record in answer.records.items() if record.ref != ref} == set()
