"""An installation with real processes between simulated companies."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from installation import Installation
from simulated_world import World, open_world, seller


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Callable[..., Installation]]:
    """Return a function that makes an installation of so many pairs, each with its own companies."""
    with ExitStack() as opened:

        def make(pairs: int = 1, **how: Any) -> Installation:
            worlds = []
            for number in range(1, pairs + 1):
                path = tmp_path / f"world{number}"
                path.mkdir()
                world = opened.enter_context(
                    open_world(path, portal_id=120 + number, realm_id=str(9130 + number))
                )
                world.company.replay.size = 0  # what is asked twice is done twice
                world.crm_rates = {"searches_per_sec": 1_000}
                world.engine()  # the portal's administrator makes our properties
                world.opened.close()
                worlds.append(world)
            here = tmp_path / "installation"
            here.mkdir()
            made = Installation(here, worlds, **how)
            made.write()
            return made

        yield make


@pytest.fixture
def sell() -> Callable[..., list[str]]:
    """Return a function that lets deals be won in a world; it returns their ids."""
    sellers: dict[int, Callable[..., str]] = {}

    def win(world: World, deals: int = 1, **values: Any) -> list[str]:
        one = sellers.setdefault(id(world), seller(world))
        return [one(**values) for _ in range(deals)]

    return win
