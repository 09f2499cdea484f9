"""Clocks that are wrong: ours is told from the servers', and never keeps anything waiting for ever."""

from datetime import timedelta

import pytest
from simulated_world import real_now


def shifted(world, **by):
    world.now = lambda: real_now() + timedelta(**by)
    world.restart()


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_clock_more_than_five_minutes_off_stops_pushing_until_it_is_right(
    world, sold, once_each, minutes
):
    sold()
    shifted(world, minutes=minutes)
    world.round(2)
    assert (world.invoices(), "clock" in world.codes()) == ([], True)
    word = "behind" if minutes < 0 else "ahead"
    assert word in world.tasks()["clock"]["message"]

    shifted(world)
    world.round()
    once_each(1)
    assert world.codes() == []


@pytest.mark.parametrize("minutes", [-4, 4])
def test_a_clock_four_minutes_off_is_good_enough(world, sold, once_each, minutes):
    sold()
    shifted(world, minutes=minutes)
    world.round()
    once_each(1)


def test_a_lost_answer_is_found_by_a_process_whose_clock_is_four_minutes_ahead(
    world, sold, once_each
):
    shifted(world, minutes=4)
    world.fault("books", fault="lose_answer", path="/invoice$")
    sold()
    assert world.round().unknown == 1
    world.round(wait=True)
    once_each(1)
    assert world.codes() == []


def test_a_clock_that_is_set_back_does_not_keep_an_unknown_waiting(world, sold, once_each):
    shifted(world, minutes=4)
    world.fault("books", fault="lose_answer", path="/invoice$")
    sold()
    assert world.round().unknown == 1
    shifted(world, minutes=-4)
    world.round()
    world.sleep(world.quiet_secs)
    world.round()
    once_each(1)
    assert world.round().unknown == 0


def test_a_clock_that_was_a_year_ahead_does_not_keep_deals_from_being_read_again(
    world, sold, once_each
):
    """Each source of a document is read again once a day, for no feed shows an archived deal."""
    deal = sold()
    world.round()
    shifted(world, days=365)
    world.round(2)  # notes when it swept, by a clock that is wrong
    shifted(world)
    world.crm("archive", "deals", deal)
    world.round()
    assert "deleted-in-crm" in world.codes()
    once_each(1)


def test_a_clock_that_is_put_forward_does_not_shorten_the_quiet_of_an_unknown(
    world, sold, once_each
):
    world.quiet_secs, world.company.replay.size = 2.0, 0
    world.restart()
    world.round()
    world.fault("books", fault="commit_late", seconds=1.0, path="/invoice$")
    sold()
    assert world.round().unknown == 1
    shifted(world, minutes=4)
    assert world.round().unknown == 1  # not looked for yet, nor asked again
    world.sleep(2.0)
    world.round(wait=True)
    once_each(1)
    assert world.codes() == []


def test_a_clock_that_is_set_back_does_not_lengthen_the_pause_that_was_asked_for(
    world, sold, once_each
):
    shifted(world, minutes=4)
    world.round()
    world.fault("books", fault="status", status=429, retry_after=120, path="/invoice$")
    sold()
    world.round()
    assert world.invoices() == []
    shifted(world)
    world.round()
    once_each(1)
