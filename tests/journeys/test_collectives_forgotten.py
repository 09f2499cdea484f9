"""A ledger that was lost or put back: no deal of a month's invoice is lost or invoiced twice."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from collective_tie_out import assert_each_ties_out
from simulated_world import MAPPINGS, World, buy, open_world, seller

from sync_engine.standing import Choice, Way
from tieout.model.crediting import Extent
from tieout.model.errors import Rejected
from tieout.simulator.clock import SimulatedClock

BEGINS = datetime(2026, 3, 20, 9, tzinfo=UTC)
FILE = MAPPINGS / "hubspot-deals-to-monthly-invoice.yaml"
LOOKS = 3  # rounds until what may still land is known


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(BEGINS)


@pytest.fixture
def world(tmp_path: Path, clock: SimulatedClock) -> Iterator[World]:
    with open_world(tmp_path, clock) as made:
        made.crm_rates = {"searches_per_sec": 1_000}
        made.files = (FILE, MAPPINGS / "hubspot-payment-to-payment.yaml")
        yield made


@pytest.fixture
def sold(world: World) -> Callable[..., str]:
    sell = seller(world)
    return lambda **values: sell(**{"closedate": "2026-03-10T10:00:00Z", **values})


def until(clock: SimulatedClock, day: int, month: int) -> None:
    clock.advance((datetime(2026, month, day, 9, tzinfo=UTC) - clock()) / timedelta(seconds=1))


def nets(world: World) -> list[Decimal]:
    return sorted(Decimal(one["net"]) for one in world.invoices())


@pytest.fixture
def march(world, sold, clock):
    """Return three deals of one customer, the first two posted together in April."""
    buyer = buy(world, "Bär GmbH")
    deals = sold(company=buyer), sold(company=buyer, price="33.33", quantity="3")
    world.round()
    until(clock, 1, 4)
    world.round()
    assert nets(world) == [Decimal("399.99")]
    return buyer, *deals


def states(world: World, deal: str) -> list[tuple[str, str | None, str]]:
    rows = world.working.plan((f"deal:{deal}",), look=False)
    return [(row["state"], row["reason"], row["net"]) for row in rows]


def lose(world: World, clock: SimulatedClock, backup: Path | None = None) -> None:
    """Lose the ledger, or put a backup in its place, and work until all is known again."""
    world.opened.close()
    for file in world.path.glob("ledger.db*"):
        file.unlink()
    if backup is not None:
        shutil.copy(backup, world.path / "ledger.db")
    world.restart()
    for _ in range(LOOKS):
        clock.advance(600)
        world.round()


def test_a_late_deal_goes_with_the_next_after_a_backup_of_the_day_before(
    world, sold, clock, tmp_path
):
    buyer = buy(world, "Bär GmbH")
    sold(company=buyer), sold(company=buyer, price="33.33", quantity="3")
    until(clock, 31, 3)
    world.round()
    world.opened.close()
    backup = Path(shutil.copy(world.path / "ledger.db", tmp_path / "backup.db"))
    world.restart()
    until(clock, 1, 4)
    world.round()
    late = sold(company=buyer, price="10.00")
    world.round()
    lose(world, clock, backup)
    assert (nets(world), world.codes()) == ([Decimal("399.99")], [])
    assert states(world, late) == [("collected", "2026-04", "20.00")]
    assert_each_ties_out(world)
    until(clock, 1, 5)
    world.round(2)
    assert (nets(world), world.codes()) == ([Decimal(20), Decimal("399.99")], [])
    assert_each_ties_out(world)


@pytest.fixture
def changed(world, clock, march):
    """Return a deal of March's invoice that changed before the ledger was lost."""
    deal = march[-1]
    world.crm("add_line", deal, {"name": "Licence", "hs_sku": "L-9", "price": "0.01"})
    world.crm("edit_deal", deal, {"amount": "100.00"})
    lose(world, clock)
    return deal


def test_a_deal_that_changed_before_the_ledger_was_lost_is_not_invoiced_again(
    world, clock, changed
):
    assert "went-along?" in world.codes()
    assert world.tasks()["went-along?"]["source_id"] == changed
    until(clock, 1, 5)
    world.round(2)
    assert nets(world) == [Decimal("399.99")]
    world.answer("went-along?", "ignore")
    until(clock, 1, 6)
    world.round(2)
    assert (nets(world), "went-along?" in world.codes()) == ([Decimal("399.99")], False)


def test_a_deal_that_a_person_says_was_not_in_it_goes_with_the_next(world, clock, changed):
    world.answer("went-along?", "create")
    world.round()
    assert states(world, changed) == [("collected", "2026-04", "100.00")]
    until(clock, 1, 5)
    world.round(2)
    assert nets(world) == [Decimal(100), Decimal("399.99")]


def test_no_line_of_another_deal_is_credited_after_the_ledger_was_lost(world, clock, march):
    _, first, second = march
    world.crm("add_line", first, {"name": "Licence", "hs_sku": "L-9", "price": "0.01"})
    world.crm("edit_deal", first, {"amount": "300.01"})
    lose(world, clock)
    assert world.tasks()["went-along?"]["source_id"] == first
    credit = Choice(Way.CREDIT, Extent())
    with pytest.raises(Rejected, match="is not known"):
        world.working.correct(f"deal:{second}", credit, who="ann", reason="it was lost")
    world.round()
    assert world.books_truth()["credit_memos"] == []
