"""What a round costs with Salesforce: the org's daily calls are shared with everybody else."""

from collections.abc import Iterator
from datetime import UTC, datetime
from math import ceil
from pathlib import Path

import pytest
from salesforce_world import SalesforceWorld, open_salesforce_world, salesforce_seller

from sync_engine.pipeline import Round
from tieout.simulator.clock import SimulatedClock
from tieout.simulator.salesforce import sell_uniform

DEALS, LINES, ACCOUNTS = 1_000, 3, 333
OVERLAP_SECS = 1_200  # longer than either side's feed looks back
WATCHED_KINDS = 4  # deals, line items, accounts, contacts
OF_A_START = {"describe": 3, "query": 1}  # what fields there are, and which org it is
LEAST = ceil(DEALS / 2_000) + ceil(DEALS * LINES / 2_000) + ceil(DEALS / 200)


@pytest.fixture(scope="module")
def clock() -> SimulatedClock:
    return SimulatedClock(datetime(2026, 4, 1, 8, tzinfo=UTC))


@pytest.fixture(scope="module")
def world(
    tmp_path_factory: pytest.TempPathFactory, clock: SimulatedClock
) -> Iterator[SalesforceWorld]:
    with open_salesforce_world(Path(tmp_path_factory.mktemp("counts")), clock) as made:
        made.org.short_pages = 0  # else a page may hold fewer, which costs a call more
        sell_uniform(made.org, DEALS, LINES, ACCOUNTS)
        yield made


@pytest.fixture(scope="module")
def asked(world: SalesforceWorld, clock: SimulatedClock) -> dict[str, tuple[Round, dict[str, int]]]:
    """The same company, worked four times: what each round did, and what it asked of Salesforce."""
    done = {}
    working = world.restart(unsafe_documents=10 * DEALS)
    session = working.pairs["main"].crm

    def work(name: str) -> None:
        before = dict(session.calls)
        round_ = working.round("main")
        calls = {call: n - before.get(call, 0) for call, n in session.calls.items()}
        done[name] = round_, {call: n for call, n in calls.items() if n}

    work("first")
    work("echo")
    clock.advance(OVERLAP_SECS)
    work("settled")
    clock.advance(OVERLAP_SECS)
    work("no-op")
    win = salesforce_seller(world)
    for _ in range(DEALS // 100):
        win()
    clock.advance(OVERLAP_SECS)
    work("one in a hundred")
    return done


def test_every_opportunity_was_posted(
    world: SalesforceWorld, asked: dict[str, tuple[Round, dict[str, int]]]
) -> None:
    assert [done.error for done, _ in asked.values()] == [None] * len(asked)
    assert len(world.invoices()) == DEALS + DEALS // 100


def test_a_thousand_new_deals_of_three_lines_cost_eight_calls_and_one_for_their_contacts(
    asked: dict[str, tuple[Round, dict[str, int]]],
) -> None:
    """Beside the feeds of the other kinds, which begin at the server's now without a call."""
    _, calls = asked["first"]
    of_contacts = 1
    assert LEAST == 8
    assert sum(calls.values()) == LEAST + of_contacts + sum(OF_A_START.values())
    assert calls == {
        "describe": 3,
        "query": 2,  # the org, and the deals with their accounts and owners
        "composite": 2,  # the first page of their lines; their contacts
        "query more": 1,  # the second page of lines
        "write composite": 5,
    }


def test_a_round_in_which_nothing_moved_asks_once_for_each_watched_kind_and_once_the_books(
    asked: dict[str, tuple[Round, dict[str, int]]],
) -> None:
    done, calls = asked["no-op"]
    assert calls == {"queryAll": WATCHED_KINDS}
    assert sum(done.calls.values()) == WATCHED_KINDS + 1


def test_the_echo_of_our_own_writes_is_read_and_nothing_else(
    asked: dict[str, tuple[Round, dict[str, int]]],
) -> None:
    done, calls = asked["echo"]
    assert (done.drafted, done.pushed.done) == (0, 0)
    assert set(calls) <= {"queryAll", "queryAll more"}


def test_one_changed_deal_in_a_hundred_costs_a_call_a_kind(
    asked: dict[str, tuple[Round, dict[str, int]]],
) -> None:
    """The four feeds, the lines, the contacts, and what they are told."""
    _, calls = asked["one in a hundred"]
    assert sum(calls.values()) <= WATCHED_KINDS + 3
