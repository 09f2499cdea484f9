"""Measure one company's road: calls beside the least possible, commits, CPU and wall, by round.

    make bench [DEALS=1000]

The simulators run in this process on simulated time, so that the feeds' overlaps pass at once and
the vendors' limits cost no wall time; CPU is that of the thread that works the round, without the
simulators' and without the threads that only wait for answers. It measures and asserts nothing.
"""

from __future__ import annotations

import argparse
import logging
import resource
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from pathlib import Path

import structlog

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from simulated_world import World, open_world, seller

from sync_engine.engine import Engine
from tieout.simulator.clock import SimulatedClock
from tieout.simulator.hubspot import sell_uniform

LINES = 3
OVERLAP_SECS = 1_200  # longer than either side's feed looks back
WATCHED_KINDS = 4  # deals, line items, companies, payments


@dataclass(frozen=True, slots=True)
class Measured:
    """One round."""

    name: str
    calls: int
    least: int
    commits: int
    cpu_secs: float
    wall_secs: float


def main() -> None:
    """Work a first round, an idle one and one with a hundredth changed; print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deals", type=int, default=1_000)
    deals = parser.parse_args().deals
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    clock = SimulatedClock(datetime(2026, 4, 1, 8, tzinfo=UTC))
    with (
        tempfile.TemporaryDirectory() as folder,
        open_world(Path(folder), clock) as world,
    ):
        sell_uniform(world.portal, deals, LINES, ceil(deals / 3))
        rows = measure(world, world.engine(unsafe_documents=10 * deals), clock, deals)
    print(f"{deals} deals, {LINES} lines each, {ceil(deals / 3)} customers")
    print(
        f"{'round':<18}{'calls':>8}{'least':>8}{'ratio':>8}{'commits':>9}{'cpu s':>9}{'wall s':>9}"
    )
    for row in rows:
        ratio = row.calls / row.least
        print(
            f"{row.name:<18}{row.calls:>8}{row.least:>8}{ratio:>8.2f}{row.commits:>9}"
            f"{row.cpu_secs:>9.2f}{row.wall_secs:>9.2f}"
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory with both simulators: {peak:.0f} MB")


def measure(world: World, engine: Engine, clock: SimulatedClock, deals: int) -> list[Measured]:
    """Return what each round of the story cost."""
    rows = [_round(engine, "first", least(deals, ceil(deals / 3)))]
    rows.append(_round(engine, "echo", ceil(deals / 200) + WATCHED_KINDS - 1 + ceil(deals / 500)))
    for _ in range(2):
        clock.advance(OVERLAP_SECS)
        idle = _round(engine, "no-op", WATCHED_KINDS + 1)
    rows.append(idle)
    win = seller(world)
    changed = ceil(deals / 100)
    for _ in range(changed):
        win()
    clock.advance(OVERLAP_SECS)
    rows.append(_round(engine, "1 % new", WATCHED_KINDS + 1 + least(changed, changed)))
    return rows


def least(deals: int, companies: int) -> int:
    """Return the fewest calls that the vendors' batches allow for new deals, all told."""
    reads = ceil(deals / 200) + 3 * ceil(deals / 1000)
    reads += ceil(deals * LINES / 100) + 2 * ceil(companies / 100)
    return reads + ceil(companies / 30) + ceil(deals / 30) + ceil(deals / 100)


def _round(engine: Engine, name: str, fewest: int) -> Measured:
    commits, cpu, wall = engine.ledger.commits, time.thread_time(), time.perf_counter()
    done = engine.round("main")
    if done.error is not None:
        raise done.error
    return Measured(
        name,
        sum(done.calls.values()),
        fewest,
        engine.ledger.commits - commits,
        time.thread_time() - cpu,
        time.perf_counter() - wall,
    )


if __name__ == "__main__":
    main()
