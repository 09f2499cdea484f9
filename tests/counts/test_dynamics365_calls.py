"""What a round from Dynamics 365 costs: calls of the Web API, against the least that there can be."""

from collections import Counter
from datetime import UTC, datetime
from math import ceil

import pytest
from dynamics_world import dynamics_seller, open_dynamics_world

from tieout.simulator.clock import SimulatedClock
from tieout.simulator.dynamics365 import sell_uniform

DEALS, LINES, COMPANIES = 1_000, 3, 333
PAGE_ROWS = 5_000
FEEDS = 4  # opportunities, their products, accounts, contacts
STARTS = ("EntityDefinitions", "transactioncurrencies", "WhoAmI", "organizations")


@pytest.fixture(scope="module")
def clock():
    return SimulatedClock(datetime(2026, 4, 1, 8, tzinfo=UTC))


@pytest.fixture(scope="module")
def world(tmp_path_factory, clock):
    with open_dynamics_world(tmp_path_factory.mktemp("counts"), clock) as made:
        sell_uniform(made.org, DEALS, LINES, COMPANIES)
        yield made


@pytest.fixture(scope="module")
def rounds(world, clock):
    """The same organization, worked three times: all new, nothing new, ten deals more."""
    engine = world.engine(unsafe_documents=10 * DEALS)
    done = {}

    def work(name):
        before = Counter(world.org.counts)
        done[name] = engine.round("main"), Counter(world.org.counts) - before
        clock.advance(600)

    work("first")
    work("echo")
    work("no-op")
    win = dynamics_seller(world)
    for _ in range(DEALS // 100):
        win()
    work("ten more")
    return done


def of_the_work(asked):
    """The calls that are no start: those that grow with the work."""
    return {name: n for name, n in asked.items() if not any(one in name for one in STARTS)}


@pytest.mark.slow
def test_every_deal_was_posted(world, rounds):
    assert len(world.invoices()) == DEALS + DEALS // 100
    assert [done.error for done, _ in rounds.values()] == [None] * len(rounds)


@pytest.mark.slow
def test_a_thousand_new_deals_cost_five_calls_and_one_for_the_contacts(rounds):
    """Tables of opportunities, products, accounts; whose the lines are; the write-back."""
    _, asked = rounds["first"]
    assert of_the_work(asked) == {
        "GET opportunities": ceil(DEALS / PAGE_ROWS),
        "GET opportunityproducts": ceil(DEALS * LINES / PAGE_ROWS),
        "GET accounts": 1,
        "GET contacts": 1,
        "POST $batch": 2,
    }


@pytest.mark.slow
def test_a_round_in_which_nothing_moved_asks_each_table_once_and_once_the_books(rounds):
    done, asked = rounds["no-op"]
    assert sum(done.calls.values()) == FEEDS + 1
    assert dict(asked) == dict.fromkeys(
        ("GET opportunities", "GET opportunityproducts", "GET accounts", "GET contacts"), 1
    )


@pytest.mark.slow
def test_the_echo_of_our_own_writes_is_read_and_nothing_else(rounds):
    done, asked = rounds["echo"]
    assert sum(asked.values()) == FEEDS
    assert (done.drafted, done.pushed.done) == (0, 0)


@pytest.mark.slow
def test_ten_deals_more_cost_only_their_own_calls(rounds):
    _, asked = rounds["ten more"]
    assert sum(of_the_work(asked).values()) <= FEEDS + 3
