"""A world under attack, whose time can be moved, and the judge of every story."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from recording import Heard
from simulated_world import World, open_world, seller
from tie_out import assert_ties_out

from tieout.simulator.clock import SimulatedClock


@pytest.fixture
def world(tmp_path: Path, heard: list[Heard]) -> Iterator[World]:
    with open_world(tmp_path, SimulatedClock(), heard=heard) as made:
        made.crm_rates = {"searches_per_sec": 1_000}  # the portal here has no limits to keep
        yield made


@pytest.fixture
def sold(world: World) -> Callable[..., str]:
    """Return a function that lets a deal be won; it returns the deal's id."""
    return seller(world)


@pytest.fixture
def ties_out() -> Callable[..., None]:
    """Return the judge: deal by deal, won = invoiced + held (see ``tie_out``)."""
    return assert_ties_out
