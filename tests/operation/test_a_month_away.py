"""The books' feed was out of reach for a month: it tells thirty days, so all is read again (R24)."""

from datetime import UTC, datetime

import pytest
from simulated_world import World, open_world, seller

from tieout.model.errors import Unavailable
from tieout.simulator.clock import SimulatedClock

MONTH_SECS = 31 * 24 * 3600


@pytest.fixture
def world(tmp_path):
    clock = SimulatedClock(datetime(2026, 4, 1, 8, tzinfo=UTC))
    with open_world(tmp_path, clock) as made:
        made.crm_rates = {"searches_per_sec": 1_000}
        yield made


def orders(world: World) -> list[str]:
    return sorted(one["po_number"] for one in world.invoices())


def test_after_a_month_without_the_books_nothing_is_missed_and_nothing_posted_twice(world):
    """What was deleted in that month is in no feed any more: each record is asked for itself."""
    sold = seller(world)
    for _ in range(3):
        sold()
    world.round()
    deleted = world.invoices()[0]
    there, world.books_url = world.books_url, "http://127.0.0.1:9"  # the discard port
    sold()
    assert world.restart().round("main").error.code == "unavailable"
    world.books_url = there
    world.books("delete", id=deleted["id"])
    world.now.advance(MONTH_SECS)
    status = world.restart().status()["pairs"][0]
    assert status["last_good_at"] < status["last_round_at"]

    world.round(2)

    assert orders(world) == ["PO-0002", "PO-0003", "PO-0004"]
    assert world.codes() == ["deleted"]
    status = world.working.status()["pairs"][0]
    assert (status["last_good_at"], status["unknowns"]) == (status["last_round_at"], 0)


def test_a_round_that_is_cut_off_behind_the_feed_of_a_month_is_not_the_last_that_asks(world):
    """The feed is fresh from then on, and has forgotten what was deleted."""
    sold = seller(world)
    for _ in range(2):
        sold()
    world.round()
    world.books("delete", id=world.invoices()[0]["id"])
    world.now.advance(MONTH_SECS)
    world.restart()
    world.fault("books", fault="status", status=503, body="WHERE Id IN", count=None)
    assert world.working.round("main").error.code == "unavailable"
    world.mend("books")

    world.round()

    assert world.codes() == ["deleted"]


def test_a_reconcile_that_the_books_do_not_answer_says_so(world):
    seller(world)()
    world.round()
    world.fault("books", fault="status", status=503, body="WHERE Id IN", count=None)
    with pytest.raises(Unavailable):
        world.working.reconcile("main")
