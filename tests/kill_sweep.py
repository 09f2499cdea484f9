"""A kill sweep: rounds in a process of their own are killed at random instants, again and again.

``python tests/kill_sweep.py --kills 200`` (``make kills N=200``) prints what came of it. The systems
live in this process and misbehave; deals are won and paid meanwhile; half of the sweep the books
remember no request id, and now and then the ledger is an old backup's. In the end every deal must have one invoice, judged by its purchase order
number and not by our marker, every payment one record, every customer one name, and the journal
must verify.
"""

import argparse
import contextlib
import json
import logging
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import structlog
from simulated_world import World, buy, open_world, real_now, seller

from sync_engine.ledger import backup as backups
from sync_engine.ledger.journal import verify
from sync_engine.ledger.sqlite import Ledger

MORTAL = Path(__file__).parent / "faults" / "mortal.py"
QUIET_SECS = 0.3
RESTORES_EVERY = 10  # kills; the backup that is restored is half as old
DEALS_AT_MOST = 4  # won between two kills
KILL_BEFORE_SECS = (0.12, 0.9)  # after the process was started
WRITES = r"/(invoice|customer|payment|batch)$"
FAULTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("books", {"fault": "lose_answer", "method": "POST", "path": WRITES, "probability": 0.12}),
    (
        "books",  # committed, and long unanswered: where a kill hurts most
        {
            "fault": "stall",
            "after_commit": True,
            "method": "POST",
            "path": WRITES,
            "seconds": 0.4,
            "probability": 0.3,
        },
    ),
    ("books", {"fault": "refuse", "method": "POST", "path": WRITES, "probability": 0.04}),
    (
        "books",
        {
            "fault": "commit_late",
            "method": "POST",
            "path": WRITES,
            "seconds": QUIET_SECS / 2,
            "probability": 0.08,
        },
    ),
    (
        "books",
        {
            "fault": "status",
            "status": 500,
            "after_commit": True,
            "method": "POST",
            "path": WRITES,
            "probability": 0.06,
        },
    ),
    ("books", {"fault": "omit_batch_item", "path": "/batch$", "probability": 0.15}),
    ("crm", {"fault": "lose_answer", "path": "/batch/update$", "probability": 0.15}),
    ("crm", {"fault": "status", "status": 502, "path": "/batch/update$", "probability": 0.1}),
)


@dataclass(frozen=True)
class Swept:
    """What a sweep found."""

    kills: int
    secs: float
    deals: int
    payments: int
    duplicates: int
    lost: int
    customers_twice: int
    untold: int
    unknowns_met: int
    journal_holds: bool
    tasks: list[str]

    @property
    def clean(self) -> bool:
        return self.journal_holds and not any(
            (self.duplicates, self.lost, self.customers_twice, self.untold, self.tasks)
        )


def sweep(path: Path, *, kills: int, seed: int = 1) -> Swept:
    """Kill rounds so many times over one growing world, let the last one end, and judge."""
    dice = random.Random(seed)
    began = time.monotonic()
    with open_world(path) as world:
        world.crm_rates = {"searches_per_sec": 1_000}
        sell, references = seller(world), 0
        regular = buy(world, "Stammkunde AG")
        with mortal(world) as ask:
            for number in range(kills):
                if number == kills // 2:
                    world.company.replay.size = 0
                    world.company.replay.answers.clear()
                deals = [
                    sell(company=dice.choice([None, regular]))
                    for _ in range(dice.randrange(1, DEALS_AT_MOST + 1))
                ]
                if dice.random() < 0.5:
                    references += 1
                    pay(world, dice.choice(deals), f"R-{references}")
                for side, fault in FAULTS:
                    world.fault(side, **{**fault, "count": 2})
                turn_back(world, number)
                ended = ask({"rounds": None}, kill_after_secs=dice.uniform(*KILL_BEFORE_SECS))
                assert ended == -signal.SIGKILL, f"a round ended with {ended} by itself"
                for side in ("crm", "books"):
                    world.mend(side)
            ended = ask({"until_settled": True})
        assert ended == 0, f"the last process ended with {ended}"
        return judge(world, kills, references, time.monotonic() - began)


def turn_back(world: World, number: int) -> None:
    """Back the ledger up now and then, and some kills later put the old backup in its place."""
    ledger, backup = world.path / "ledger.db", world.path / "backup.db"
    if number % RESTORES_EVERY == RESTORES_EVERY // 2 and ledger.exists():
        for file in world.path.glob("backup.db*"):
            file.unlink()
        with Ledger.open(ledger, real_now) as opened:
            backups.backup(opened, backup, real_now)
    elif number % RESTORES_EVERY == RESTORES_EVERY - 1 and backup.exists():
        backups.restore(backup, ledger, real_now, "sweep")


def pay(world: World, deal: str, reference: str) -> None:
    """Let a deal be paid in the CRM, tax and all."""
    world.crm(
        "add_payment", deal, {"hs_initial_amount": "357.00", "hs_reference_number": reference}
    )


@contextlib.contextmanager
def mortal(world: World) -> Iterator[Any]:
    """Give a function that lets a process work, kills it if told so, and returns how it ended."""
    if not world.provided:
        with closing(world.engine().ledger):
            world.opened.close()
    (world.path / "ledger.db").unlink(missing_ok=True)
    where = {
        "crm": world.crm_url,
        "books": world.books_url,
        "path": str(world.path),
        "portal_id": world.portal.portal_id,
        "token": world.portal.token,
        "quiet_secs": QUIET_SECS,
    }
    command = [sys.executable, str(MORTAL), json.dumps(where)]
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
                with contextlib.suppress(ProcessLookupError):  # how it ended is asked below
                    os.kill(child, signal.SIGKILL)
            return int(answers.readline())

        yield ask
        orders.close()


def judge(world: World, kills: int, payments: int, secs: float) -> Swept:
    """Ask both systems what is really there, and the ledger whether its journal holds."""
    books, deals = world.books_truth(), world.crm_truth()["deals"]
    orders = Counter(one["po_number"] for one in world.invoices())
    received = Counter(
        one["reference"] for one in books["payments"] if not one["voided"] and not one["deleted"]
    )
    names = Counter(one["name"] for one in books["customers"])
    wanted = {one["po_number"] for one in deals if one["is_won"]}
    told = [one for one in deals if one["custom"].get("tieout_invoice_number")]
    with Ledger.open(world.path / "ledger.db", real_now) as ledger:
        holds = verify(ledger).ok
        tasks = [row["code"] for row in ledger.all("tasks_open", pair=None, limit=100)]
        unknowns = sum(
            1
            for row in ledger.all("journal_after", n=0, limit=1_000_000)
            if row["what"] == "looked"
        )
    return Swept(
        kills=kills,
        secs=round(secs, 1),
        deals=len(wanted),
        payments=payments,
        duplicates=sum(n - 1 for n in (*orders.values(), *received.values())),
        lost=len(wanted - orders.keys()) + payments - len(received),
        customers_twice=sum(n - 1 for n in names.values()),
        untold=len(wanted) - len(told),
        unknowns_met=unknowns,
        journal_holds=holds,
        tasks=tasks,
    )


def main() -> int:
    """Sweep as the command line says, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with tempfile.TemporaryDirectory() as folder:
        swept = sweep(Path(folder), kills=asked.kills, seed=asked.seed)
    sys.stdout.write(json.dumps(asdict(swept)) + "\n")
    return 0 if swept.clean else 1


if __name__ == "__main__":
    sys.exit(main())
