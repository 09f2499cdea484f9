"""A process that works and may be killed: asked line by line what to do, it forks to do it.

``python kill_mortal.py WHERE`` with ``WHERE`` as JSON: the addresses and what the world is. Each line of
its input is an order as JSON; it answers with the child's id, and with how the child ended.

    {"rounds": 3}               work so many rounds, then end; null: until killed
    {"until_settled": true}     work until nothing is unknown, queued or untold
        "correct" says what a person does about a deal of which a task says that it drifted
    {"run": ["status"]}         run a command of ``tieout``, and number its places: it dies at the
        one that "die_at" names, "trace" takes the places and "out" what it prints;
        "until_granted" ends a daemon once no wish waits, "migrations" are a newer version's,
        "polls" is how patiently a command waits for the daemon to do its wish
"""

import json
import logging
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import structlog
from kill_crms import CRMS, Crm
from kill_places import number
from simulated_world import World

import tieout.app.simulated
import tieout.app.working  # noqa: F401 - imported once here, and not by each child
from connectors.quickbooks import QuickBooks  # noqa: F401
from sync_engine.engine import Engine
from sync_engine.ledger import migrating
from sync_engine.standing import Choice, Way
from tieout.app.cli import asking, exit_code
from tieout.app.companies import facts_of
from tieout.app.settings import schema
from tieout.model.crediting import Extent
from tieout.model.errors import TieoutError

SETTLING_ROUNDS = 60
DRIFTS = frozenset({"changed-in-crm", "reopened"})
POLL_SECS = 0.05


@contextmanager
def mortal(crm: Crm, quiet_secs: float) -> Iterator[Callable[..., int]]:
    """Give a function that lets a process work, kills it if told so, and returns how it ended."""
    world = crm.world
    where = {
        "system": crm.system,
        "portal": crm.portal(),
        "crm": world.crm_url,
        "books": world.books_url,
        "path": str(world.path),
        "quiet_secs": quiet_secs,
        "mappings": [str(file) for file in world.files],
    }
    command = [sys.executable, __file__, json.dumps(where)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        orders, answers = process.stdin, process.stdout

        def ask(order: dict[str, Any], kill_after_secs: float | None = None) -> int:
            orders.write(json.dumps(order) + "\n")
            orders.flush()
            child = int(answers.readline())
            if kill_after_secs is not None:
                time.sleep(kill_after_secs)
                with suppress(ProcessLookupError):  # how it ended is asked below
                    os.kill(child, signal.SIGKILL)
            return int(answers.readline())

        yield ask
        orders.close()


def main() -> None:
    where = json.loads(sys.argv[1])
    schema()  # what is the same for every child is made once
    for system in (where["system"], "quickbooks"):
        facts_of(system)
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
    if "run" in order:
        return run(where, order)
    logging.disable()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    engine = _world(where).engine()
    corrections = order.get("correct", {})
    if order.get("until_settled"):
        for _ in range(SETTLING_ROUNDS):
            done = engine.round("main", wait=True)
            is_still = done.error is None and not done.unknown and not done.pushed.parcels
            if not correct(engine, corrections) and is_still:
                return 0
        return 1
    left = order.get("rounds")
    while left is None or left > 0:
        engine.round("main")
        correct(engine, corrections)
        left = None if left is None else left - 1
    return 0


def correct(engine: Engine, corrections: Mapping[str, str]) -> int:
    """Choose what was decided about the deals that drifted; return how many could be chosen."""
    chosen = 0
    for task in engine.tasks():
        way = corrections.get(task["source_id"] or "")
        if way is None or task["code"] not in DRIFTS:
            continue
        ref = f"deal:{task['source_id']}"
        with suppress(TieoutError):  # the books do not answer, or it is on its way already
            lines = engine.deal_lines(ref) if way == "credit-to-deal" else None
            extent = Extent() if lines is None else Extent(to=lines)
            verb, _, then = way.partition("-")
            choice = Choice(Way(verb), extent, reissue=then == "and-reissue")
            engine.correct(ref, choice, who="ann", reason="the customer asked")
            chosen += 1
    return chosen


def run(where: dict[str, Any], order: dict[str, Any]) -> int:
    """Run one command as a process of its own does; its places are numbered."""
    os.chdir(where["path"])
    for stream, name in ((sys.stdout, "out"), (sys.stderr, "log")):
        stream.flush()
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), stream.fileno())
    if "migrations" in order:
        migrating.HERE = Path(order["migrations"])
        migrating.migrations.cache_clear()
    asking.POLLS_A_TRY = order.get("polls", asking.POLLS_A_TRY)
    if order.get("until_granted"):
        threading.Thread(target=end_when_granted, daemon=True).start()
    number(Path(order["trace"]), Path(where["path"]), order.get("die_at"))
    code = exit_code(order["run"])
    sys.stdout.flush()
    return code


def end_when_granted() -> None:
    """Tell this daemon to end once no wish waits."""
    with closing(sqlite3.connect("file:state/ledger.db?mode=ro", uri=True)) as ledger:
        while ledger.execute("SELECT count(*) FROM wish WHERE outcome IS NULL").fetchone()[0]:
            time.sleep(POLL_SECS)
    while signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:  # it does not hear yet
        time.sleep(POLL_SECS)
    os.kill(os.getpid(), signal.SIGTERM)


def _world(where: dict[str, Any]) -> World:
    kind = CRMS[where["system"]]
    world = kind.reached(where["portal"], where["crm"], where["books"], Path(where["path"]))
    kind(world)
    world.files = [Path(file) for file in where["mappings"]]
    world.provided = [True]
    world.quiet_secs = where["quiet_secs"]
    world.settings = {"unsafe_documents": 1_000_000}  # what kills held up is not asked about
    return world


if __name__ == "__main__":
    main()
