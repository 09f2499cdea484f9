"""Stories told over a fresh portal and fresh books."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from simulated_world import World, open_world, seller


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as made:
        yield made


@pytest.fixture
def sold(world: World) -> Callable[..., str]:
    """Return a function that lets a deal be won; it returns the deal's id."""
    return seller(world)
