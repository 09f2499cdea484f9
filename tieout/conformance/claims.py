"""What is claimed is done, and what is not claimed is refused."""

from __future__ import annotations

import re
from datetime import UTC

from tieout.conformance.bench import Bench
from tieout.conformance.feeds import read
from tieout.conformance.reading import assert_found, ways
from tieout.model.change import Create, Update, Verb, Void
from tieout.model.contract import Outcome, Request
from tieout.model.errors import TieoutError, Unsupported
from tieout.model.lookup import MARKER
from tieout.model.record import Related
from tieout.model.ref import Ref, Version

NO_KIND = "no such kind"


class Claims:
    """A connector says what it can do, and that is what it can do."""

    def test_the_company_is_named_by_its_system_and_the_vendors_id(self, bench: Bench) -> None:
        """Every Ref carries this name, so it never changes and never comes from a configuration."""
        identity = bench.connector.check()
        system = bench.connector.capabilities.system
        assert bench.connector.company == f"{system}:{identity.company}"
        assert identity.clock.tzinfo is UTC, "the server's clock is an instant in UTC"

    def test_every_change_that_is_claimed_is_made(self, bench: Bench) -> None:
        """Each kind and verb of the capabilities ends in a receipt."""
        for verb, kind in bench.claims:
            outcome = _sent(bench, bench.request(verb, kind))
            assert outcome.receipt is not None, f"{verb} {kind} is claimed: {outcome.error}"
            assert outcome.receipt.ref.kind == kind

    def test_a_change_that_is_not_claimed_is_refused_before_it_is_sent(self, bench: Bench) -> None:
        """``prepare`` raises Unsupported, so that nobody finds out from the vendor."""
        known = set(bench.claims)
        for kind in (*bench.connector.capabilities.kinds, NO_KIND):
            ref = Ref(bench.connector.company, kind, "1")
            for change in (
                Create(kind, {}),
                Update(ref, Version("1"), {}),
                Void(ref, Version("1")),
            ):
                if (change.verb, kind) not in known:
                    assert _refuses(bench, bench.asked(change)), f"{change.verb} {kind} is packed"

    def test_every_way_to_find_that_is_claimed_finds(self, bench: Bench) -> None:
        """``found_by`` lists what ``find`` answers, not what it would like to."""
        for kind in bench.kinds:
            record = bench.planted(kind)
            for by in ways(bench, kind):
                assert_found(bench, record, by)

    def test_what_can_be_created_can_be_found_again(self, bench: Bench) -> None:
        """Without a marker or a unique name a lost answer could never be resolved (R48)."""
        for kind in bench.kinds_with(Verb.CREATE):
            claimed = bench.claimed(kind)
            assert {MARKER, "name"} & claimed.found_by, f"a created {kind} cannot be found again"
            assert bool(claimed.marker) or MARKER not in claimed.found_by

    def test_every_feed_that_is_claimed_is_read(self, bench: Bench) -> None:
        """Each group of kinds is one question, and ends with a last page."""
        for feed in bench.connector.capabilities.feeds:
            assert read(bench, feed, None)

    def test_every_kind_that_is_written_is_exercised_here(self, bench: Bench) -> None:
        """A bench that leaves out an update or a void would prove nothing of it."""
        written = {kind for verb, kind in bench.claims if verb is not Verb.CREATE}
        assert written - set(bench.kinds) == set()

    def test_a_role_that_nobody_knows_is_no_empty_set(self, bench: Bench) -> None:
        """``related`` answers with an error, one for each asked."""
        refs = [Ref(bench.connector.company, kind, "1") for kind in (*bench.kinds, NO_KIND)]
        answers = list(bench.connector.related(refs, "no such role"))
        assert [answer.ref for answer in answers] == refs
        assert [answer for answer in answers if _is_empty(answer)] == []

    def test_the_texts_of_capabilities_are_plain_words(self, bench: Bench) -> None:
        """Kinds and fields are names that a mapping can write."""
        kinds = bench.connector.capabilities.kinds
        names = [*kinds, *(name for claimed in kinds.values() for name in claimed.fields)]
        assert [name for name in names if not re.fullmatch(r"[a-z][a-z0-9_]*", name)] == []


def _sent(bench: Bench, request: Request) -> Outcome:
    try:
        (parcel,) = bench.connector.prepare([request])
    except TieoutError as error:
        return Outcome(request.key, "", error=error)
    (outcome,) = bench.connector.apply(parcel)
    return outcome


def _refuses(bench: Bench, request: Request) -> bool:
    try:
        bench.connector.prepare([request])
    except Unsupported:
        return True
    return False


def _is_empty(answer: Related) -> bool:
    return answer.error is None and not answer.refs
