"""Killed anywhere, rounds go on and do everything once."""

import pytest
from kill_sweep import judge, mortal, pay, sweep
from simulated_world import open_world, seller

KILLS = 20  # the full form is a command: make kills N=200
PLACES = 60  # more commits than one deal's whole life has
KILLED = -9


@pytest.mark.slow
def test_rounds_killed_at_random_instants_lose_nothing_and_do_nothing_twice(tmp_path):
    swept = sweep(tmp_path, kills=KILLS, seed=3)
    assert swept.kills == KILLS
    assert swept.clean, swept


@pytest.mark.slow
def test_killed_after_any_one_of_its_commits_a_round_goes_on(tmp_path):
    with open_world(tmp_path) as world:
        world.company.replay.size = 0
        sell, ends = seller(world), []
        with mortal(world) as ask:
            for place in range(1, PLACES):
                pay(world, sell(), f"R-{place}")
                ends.append(ask({"commits": place, "rounds": 2}))
                if ends[-1] != KILLED:
                    break
                assert ask({"until_settled": True}) == 0
            assert ask({"until_settled": True}) == 0
        assert ends == [*[KILLED] * (len(ends) - 1), 0]
        assert len(ends) > 10
        swept = judge(world, len(ends) - 1, len(ends), 0)
        assert swept.clean, swept


@pytest.mark.slow
@pytest.mark.parametrize("dies", ["before", "after"])
def test_killed_around_any_one_of_its_calls_a_round_goes_on(tmp_path, dies):
    with open_world(tmp_path) as world:
        world.company.replay.size = 0
        sell, ends = seller(world), []
        with mortal(world) as ask:
            for place in range(1, PLACES):
                pay(world, sell(), f"R-{place}")
                ends.append(ask({"calls": place, "dies": dies, "rounds": 2}))
                if ends[-1] != KILLED:
                    break
                assert ask({"until_settled": True}) == 0
            assert ask({"until_settled": True}) == 0
        assert len(ends) > 4  # a customer, an invoice, a payment, what the CRM is told
        swept = judge(world, len(ends) - 1, len(ends), 0)
        assert swept.clean, swept
