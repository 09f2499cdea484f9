"""What a round costs: calls against the least that the vendors' batches allow, and durable commits."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from math import ceil
from pathlib import Path

import pytest
from seldom_asked import listen
from simulated_world import World, open_world, seller

from sync_engine.engine import Engine
from sync_engine.pipeline import Round
from tieout.simulator.clock import SimulatedClock
from tieout.simulator.hubspot import sell_uniform

DEALS, LINES, COMPANIES = 1_000, 3, 333
OVERLAP_SECS = 1_200  # longer than either side's feed looks back
CONSTANT = 20
WATCHED_KINDS = 4  # deals, line items, companies, payments


@pytest.fixture(scope="module")
def clock() -> SimulatedClock:
    return SimulatedClock(datetime(2026, 4, 1, 8, tzinfo=UTC))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, clock: SimulatedClock) -> Iterator[World]:
    with open_world(Path(tmp_path_factory.mktemp("counts")), clock) as made:
        sell_uniform(made.portal, DEALS, LINES, COMPANIES)
        yield made


@pytest.fixture(scope="module")
def engine(world: World) -> Engine:
    return world.engine(unsafe_documents=10 * DEALS)


@pytest.fixture(scope="module")
def heard(engine: Engine) -> Counter[str]:
    """Which queries were asked that read a whole table."""
    return listen(engine.ledger._connection)


@pytest.fixture(scope="module")
def rounds(
    world: World, engine: Engine, clock: SimulatedClock, heard: Counter[str]
) -> dict[str, tuple[Round, int]]:
    """The same company, worked four times: all new, the echo, nothing new, one deal in a hundred."""
    done = {}

    def work(name: str) -> None:
        before = engine.ledger.commits
        done[name] = engine.round("main"), engine.ledger.commits - before

    work("first")
    work("echo")
    clock.advance(OVERLAP_SECS)
    work("settled")
    clock.advance(OVERLAP_SECS)
    work("no-op")
    win = seller(world)
    for _ in range(DEALS // 100):
        win()
    clock.advance(OVERLAP_SECS)
    work("one in a hundred")
    return done


def least_calls(deals: int, companies: int) -> int:
    """Return the least calls for new deals, each related set in pages and each write in batches."""
    reads = ceil(deals / 200) + 3 * ceil(deals / 1000)  # search; lines, companies, contacts
    reads += ceil(deals * LINES / 100) + 2 * ceil(companies / 100)
    return reads + ceil(companies / 30) + ceil(deals / 30) + ceil(deals / 100)


def calls(done: Round) -> int:
    return sum(done.calls.values())


def test_every_deal_was_posted(world: World, rounds: dict[str, tuple[Round, int]]) -> None:
    assert len(world.invoices()) == DEALS + DEALS // 100
    assert [one.error for one, _ in rounds.values()] == [None] * len(rounds)


def test_a_first_round_needs_hardly_more_calls_than_the_least(
    rounds: dict[str, tuple[Round, int]],
) -> None:
    done, _ = rounds["first"]
    assert calls(done) <= 1.05 * least_calls(DEALS, COMPANIES) + CONSTANT


def test_a_thousand_new_deals_cost_fifty_one_calls_of_hubspot_and_those_of_further_kinds(
    rounds: dict[str, tuple[Round, int]],
) -> None:
    """The least that its batches allow: 5 searches, 2 of associations, 34 of records, 10 of news."""
    done, _ = rounds["first"]
    asked = {
        name.removeprefix("hubspot."): n
        for name, n in done.calls.items()
        if name.startswith("hubspot.")
    }
    starts = {name: n for name, n in asked.items() if name.startswith(("properties", "account"))}
    assert starts == {
        "account-info details": 1,
        "properties deals": 1,
        "properties line_items": 1,
        "properties companies": 1,
    }
    further = {
        "objects commerce_payments/search": 1,
        "associations deals/contacts/batch/read": 1,
        "objects contacts/batch/read": ceil(COMPANIES / 100),
    }
    assert {name: asked[name] for name in further} == further
    assert sum(n for name, n in asked.items() if name not in {*starts, *further}) == 51


def test_a_round_in_which_nothing_moved_asks_once_for_each_watched_kind_and_once_the_books(
    rounds: dict[str, tuple[Round, int]],
) -> None:
    done, _ = rounds["no-op"]
    assert calls(done) == WATCHED_KINDS + 1


def test_the_echo_of_our_own_writes_is_read_and_nothing_else(
    rounds: dict[str, tuple[Round, int]],
) -> None:
    done, _ = rounds["echo"]
    searches = sum(n for name, n in done.calls.items() if name.endswith("/search"))
    assert searches <= ceil(DEALS / 200) + WATCHED_KINDS
    assert (done.drafted, done.pushed.done) == (0, 0)


def test_one_changed_deal_in_a_hundred_costs_only_its_own_calls(
    rounds: dict[str, tuple[Round, int]],
) -> None:
    done, _ = rounds["one in a hundred"]
    changed = DEALS // 100
    assert calls(done) <= 1.05 * least_calls(changed, changed) + WATCHED_KINDS + 3


def test_commits_are_at_most_one_a_page_read_and_two_a_batch_sent(
    rounds: dict[str, tuple[Round, int]],
) -> None:
    done, commits = rounds["first"]
    sent = done.pushed.parcels
    assert commits <= (calls(done) - sent) + 2 * sent


def test_no_round_but_the_very_first_reads_a_whole_table(
    rounds: dict[str, tuple[Round, int]], heard: Counter[str]
) -> None:
    """So a round on a ledger of a million documents costs what it costs on a new one.

    But the first round of a new ledger looks for what the books have of ours already, to tell it at
    its end, and the first of a mapping for what was left out before.
    """
    assert heard == {"found_again": 1, "left_out_again": 1}


def test_a_round_in_which_nothing_moved_commits_its_cursors_and_its_report(
    rounds: dict[str, tuple[Round, int]],
) -> None:
    _, commits = rounds["no-op"]
    assert commits <= WATCHED_KINDS + 1 + 1
