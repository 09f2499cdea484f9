"""Invoices of several deals whose round was stopped anywhere, or whose ledger is an older one."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path

import pytest
from collective_tie_out import assert_each_ties_out
from simulated_world import MAPPINGS, World, buy, open_world, seller

from sync_engine.pipeline import Hands
from tieout.model.dates import months_after
from tieout.simulator.clock import SimulatedClock

BEGINS = datetime(2026, 3, 20, 9, tzinfo=UTC)
MONTHS = 12


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(BEGINS)


@pytest.fixture
def world(tmp_path: Path, clock: SimulatedClock) -> Iterator[World]:
    with open_world(tmp_path, clock) as made:
        made.crm_rates = {"searches_per_sec": 1_000}
        made.files = (MAPPINGS / "hubspot-deals-to-monthly-invoice.yaml",)
        yield made


@pytest.fixture
def sell(world: World) -> Callable[[str, datetime], None]:
    """Return a function that lets two deals of a customer be won on a day."""
    sold = seller(world)

    def sell_two(buyer: str, day: datetime) -> None:
        for price in ("150.00", "33.33"):
            sold(company=buyer, price=price, closedate=day.strftime("%Y-%m-%dT10:00:00Z"))

    return sell_two


def next_month(clock: SimulatedClock) -> None:
    first = months_after(clock().date().replace(day=1), 1)
    then = datetime(first.year, first.month, first.day, 9, tzinfo=UTC)
    clock.advance((then - clock()) / timedelta(seconds=1))


@pytest.mark.slow
def test_a_round_that_is_stopped_after_any_of_its_steps_goes_on_and_posts_once(world, sell, clock):
    buyer = buy(world, "Bär GmbH")
    world.round()
    for stop_after in range(1, MONTHS + 1):
        sell(buyer, clock())
        next_month(clock)
        asked = count(1)
        world.working.hands = Hands(
            clock, clock.advance, lambda asked=asked, last=stop_after: next(asked) > last
        )
        world.working.round("main")
        world.restart()
        clock.advance(600)
        world.round(2)
        assert world.codes() == []
        assert [one["net"] for one in world.invoices()] == [Decimal("366.66")] * stop_after
        assert_each_ties_out(world)


def test_a_ledger_from_before_it_was_sent_finds_it_with_its_deals(world, sell, clock, tmp_path):
    buyer = buy(world, "Bär GmbH")
    sell(buyer, clock())
    world.round()
    world.opened.close()
    older = tmp_path / "older.db"
    shutil.copy(world.path / "ledger.db", older)
    next_month(clock)
    world.restart()
    world.round()
    assert [one["net"] for one in world.invoices()] == [Decimal("366.66")]
    world.opened.close()
    for file in world.path.glob("ledger.db*"):
        file.unlink()
    shutil.copy(older, world.path / "ledger.db")
    world.restart()
    for _ in range(2):
        clock.advance(600)
        world.round()
    assert ([one["net"] for one in world.invoices()], world.codes()) == ([Decimal("366.66")], [])
    assert_each_ties_out(world)
