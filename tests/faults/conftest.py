"""A world in which things go wrong, and the judge who asks only what is really there."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from recording import Heard
from simulated_world import World, open_world, seller

MEMORIES = {"replays": ("replay", 10_000), "forgets": ("replay", 0), "6000": ("6000", 10_000)}
"""What the books do with a request id that they have seen: answer again, forget it, refuse it."""


@pytest.fixture
def world(tmp_path: Path, heard: list[Heard]) -> Iterator[World]:
    with open_world(tmp_path, heard=heard) as made:
        made.crm_rates = {"searches_per_sec": 1_000}  # the portal here has no limits to keep
        yield made


@pytest.fixture
def sold(world: World) -> Callable[..., str]:
    """Return a function that lets a deal be won; it returns the deal's id."""
    return seller(world)


@pytest.fixture(params=[*MEMORIES, "600"])
def memory(request, world: World) -> str:
    """Let the books treat a request id that comes again in each way that was ever seen (R22)."""
    answers, size = MEMORIES.get(request.param, ("600", 10_000))
    world.company.replay_answers = answers
    world.company.replay.size = size
    return str(request.param)


@pytest.fixture
def once_each(world: World) -> Callable[..., None]:
    """Return the judge: each deal one invoice, by purchase order number and not by our marker."""

    def judge(deals: int, *, payments: int = 0) -> None:
        truth = world.books_truth()
        orders = Counter(one["po_number"] for one in world.invoices())
        references = Counter(
            one["reference"] for one in truth["payments"] if not one["voided"] | one["deleted"]
        )
        assert (len(orders), set(orders.values())) == (deals, {1} if deals else set())
        assert (len(references), set(references.values())) == (payments, {1} if payments else set())
        names = [one["name"] for one in truth["customers"]]
        assert sorted(set(names)) == sorted(names)

    return judge


@pytest.fixture
def settled(world: World) -> Callable[..., Any]:
    """Return a function that works rounds as a daemon does until nothing is unknown or queued."""

    def work(rounds: int = 8) -> Any:
        world.working = world.working or world.engine()
        for _ in range(rounds):
            done = world.working.round("main", wait=True)
            rests = done.unknown or done.pushed.parcels or done.held_until
            if done.error is None and not rests:
                break
        assert (done.error, done.unknown) == (None, 0)
        return done

    return work
