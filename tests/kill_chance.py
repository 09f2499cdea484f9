"""Killed by chance: rounds die at any instant, while the systems misbehave and people work on."""

import random
import signal
import time
from pathlib import Path
from typing import Any

from kill_judge import Judged, judge
from kill_mortal import mortal
from simulated_world import World, buy, open_world, real_now, seller

from sync_engine.ledger import backup as backups
from sync_engine.ledger.sqlite import Ledger

QUIET_SECS = 0.3
RESTORES_EVERY = 10  # kills; the backup that is restored is half as old
DEALS_AT_MOST = 4  # won between two kills
LIVES_EVERY = 10  # kills; one round lives and tells how long a round takes on this machine
KILL_WITHIN = (0.05, 1.1)  # of the time that it took
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


def kill_by_chance(path: Path, *, kills: int, seed: int) -> Judged:
    """Kill rounds so many times over one growing world, let the last one end, and judge."""
    dice = random.Random(seed)
    with open_world(path) as world:
        world.crm_rates = {"searches_per_sec": 1_000}
        world.engine()  # which provides what the CRM must have
        world.opened.close()
        sell, references, round_secs = seller(world), 0, 0.0
        regular = buy(world, "Stammkunde AG")
        with mortal(world, QUIET_SECS) as ask:
            for number in range(kills):
                if number == kills // 2:
                    world.remember_requests(0)
                deals = [
                    sell(company=dice.choice([None, regular]))
                    for _ in range(dice.randrange(1, DEALS_AT_MOST + 1))
                ]
                if dice.random() < 0.5:
                    references += 1
                    paid = {
                        "hs_initial_amount": "357.00",
                        "hs_reference_number": f"R-{references}",
                    }
                    world.crm("add_payment", dice.choice(deals), paid)
                if number % LIVES_EVERY == 0:
                    began = time.monotonic()
                    assert ask({"rounds": 1}) == 0
                    round_secs = time.monotonic() - began
                for side, fault in FAULTS:
                    world.fault(side, **{**fault, "count": 2})
                turn_back(world, number)
                kill_secs = round_secs * dice.uniform(*KILL_WITHIN)
                ended = ask({"rounds": None}, kill_after_secs=kill_secs)
                assert ended == -signal.SIGKILL, f"a round ended with {ended} by itself"
                for side in ("crm", "books"):
                    world.mend(side)
            ended = ask({"until_settled": True})
        assert ended == 0, f"the last process ended with {ended}"
        return judge(world, world.path / "ledger.db", references)


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
