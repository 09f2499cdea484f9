"""A walk over a feed that is cut off between two pages goes on, and never passes for a whole one."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from simulated_world import World, open_world

from tieout.simulator.clock import SimulatedClock
from tieout.simulator.hubspot import sell_uniform

DEALS = 220  # more than one page of a search
PAGE = 200


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    clock = SimulatedClock(datetime(2026, 4, 1, 8, tzinfo=UTC))
    with open_world(tmp_path, clock) as made:
        made.approve = "by_hand"
        sell_uniform(made.portal, DEALS, 1, 1)
        made.round()
        clock.advance(3_600)
        for deal in list(made.portal.shelves["deals"].records):
            made.crm("edit_deal", str(deal), {"dealname": "renamed"})
        yield made


def freshness(world: World) -> str:
    engine = world.working
    assert engine is not None
    rows = engine.ledger.all("cursors_of_pair", pair="main")
    return next(row["as_of"] for row in rows if row["feed"] == "deal")


@pytest.mark.slow
def test_a_feed_that_was_read_by_half_is_as_old_as_its_last_whole_reading(world: World):
    before = freshness(world)
    world.fault("crm", fault="status", status=500, path="deals/search", skip=1, count=None)
    engine = world.working
    assert engine is not None

    cut_off = engine.round("main")
    half = freshness(world)
    world.mend("crm")
    whole = world.round()

    assert (cut_off.error is not None, cut_off.observed.events) == (True, PAGE)
    assert half == before
    assert whole.observed.events >= DEALS - PAGE
    assert freshness(world) > before


@pytest.mark.slow
def test_a_daemon_that_is_told_to_end_reads_no_further_page_and_the_next_goes_on(world: World):
    engine = world.working
    assert engine is not None
    crm = engine.pairs["main"].crm

    def searches() -> int:
        return int(crm.calls["objects deals/search"])

    before = searches()
    engine.hands = replace(engine.hands, stopping=lambda: searches() > before)

    ended = engine.round("main")
    assert (ended.error, ended.whole, ended.observed.events) == (None, False, PAGE)
    world.restart()
    assert world.round().observed.events >= DEALS - PAGE
