"""Stories told over a fresh portal and fresh books.

All that is asked and answered in a story is held against the vendors' published contracts.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from recording import Heard
from simulated_world import World, open_world, seller
from tie_out import assert_ties_out

UNLIMITED = {"searches_per_sec": 1_000}  # the portal here has no limits to keep


@pytest.fixture
def world(tmp_path: Path, heard: list[Heard]) -> Iterator[World]:
    with open_world(tmp_path, heard=heard) as made:
        made.crm_rates = UNLIMITED
        yield made


@pytest.fixture
def sold(world: World) -> Callable[..., str]:
    """Return a function that lets a deal be won; it returns the deal's id."""
    return seller(world)


@pytest.fixture
def make_world(tmp_path: Path, heard: list[Heard]) -> Iterator[Callable[..., World]]:
    """Return a function that makes other books than Germany's, by ``QuickBooksCompany``'s words."""
    with ExitStack() as opened:

        def make(**books: Any) -> World:
            made = opened.enter_context(open_world(tmp_path, heard=heard, **books))
            made.crm_rates = UNLIMITED
            return made

        yield make


@pytest.fixture
def ties_out() -> Callable[..., None]:
    """Return the judge: deal by deal, won = invoiced + held (see ``tie_out``)."""
    return assert_ties_out
