"""A process that works rounds and may be killed: asked line by line what to do, it forks to do it.

``python mortal.py WHERE`` with ``WHERE`` as JSON: the addresses and what the world is. Each line of
its input is an order as JSON; it answers with the child's id, and with how the child ended.

    {"rounds": 3}               work so many rounds, then end; null: until killed
    {"commits": 7}              die right after the 7th commit
    {"calls": 2, "dies": "before"}   die before (or after) the 2nd parcel is sent
    {"until_settled": true}     work until nothing is unknown, queued or untold
"""

import json
import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import simulated_world
import structlog
from simulated_world import World

from sync_engine.engine import Engine
from sync_engine.ledger.sqlite import Ledger, Transaction

SETTLING_ROUNDS = 60


def main() -> None:
    logging.disable()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    where = json.loads(sys.argv[1])
    for line in sys.stdin:
        child = os.fork()
        if not child:
            try:
                os._exit(work(where, json.loads(line)))
            finally:
                traceback.print_exc()
                os._exit(1)
        say(child)
        say(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def work(where: dict[str, Any], order: dict[str, Any]) -> int:
    """Do what an order says; return 0, or 1 when it was not settled in the end."""
    Mortal.commits_left = order.get("commits") or 0
    simulated_world.Ledger = Mortal
    engine = _engine(where, order)
    if order.get("until_settled"):
        for _ in range(SETTLING_ROUNDS):
            done = engine.round("main", wait=True)
            if done.error is None and not done.unknown and not done.pushed.parcels:
                return 0
        return 1
    left = order.get("rounds")
    while left is None or left > 0:
        engine.round("main")
        left = None if left is None else left - 1
    return 0


class Mortal(Ledger):
    """A ledger whose process dies with one of its commits."""

    commits_left = 0

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        before = self.commits
        with super().transaction() as tx:
            yield tx
        if self.commits > before:
            Mortal.commits_left -= 1
            if not Mortal.commits_left:
                die()


class Sending:
    """A connector whose process dies around one of its calls."""

    calls_left = 0

    def __init__(self, connector: Any, dies: str) -> None:
        self._connector = connector
        self._dies = dies

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connector, name)

    def apply(self, parcel: Any) -> Any:
        Sending.calls_left -= 1
        if not Sending.calls_left and self._dies == "before":
            die()
        outcomes = self._connector.apply(parcel)
        if not Sending.calls_left:
            die()
        return outcomes


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def _engine(where: dict[str, Any], order: dict[str, Any]) -> Engine:
    portal: Any = SimpleNamespace(portal_id=where["portal_id"], token=where["token"])
    nobody: Any = None
    world = World(portal, nobody, where["crm"], where["books"], Path(where["path"]))
    world.provided = [True]
    world.quiet_secs = where["quiet_secs"]
    world.crm_rates = {"searches_per_sec": 1_000}
    engine = world.engine()
    if "calls" in order:
        Sending.calls_left = order["calls"]
        pair = engine.pairs["main"]
        deadly = {side: Sending(getattr(pair, side), order["dies"]) for side in ("books", "crm")}
        engine.pairs = {"main": replace(pair, **deadly)}
    return engine


if __name__ == "__main__":
    main()
