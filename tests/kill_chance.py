"""Killed by chance: rounds die at any instant, while the systems misbehave and people work on."""

import random
import signal
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

from kill_crms import CRMS, Crm
from kill_documents import PDF, with_files
from kill_judge import File, Judged, judge
from kill_mortal import mortal
from simulated_world import World, real_now

from sync_engine.ledger import backup as backups
from sync_engine.ledger.sqlite import Ledger

QUIET_SECS = 0.3
RESTORES_EVERY = 10  # kills; the backup that is restored is half as old
DEALS_AT_MOST = 4  # won between two kills
PAID = 0.5
FILED = 0.4
DRIFTED = 0.4
WAYS = (
    ("lost", "void"),
    ("lost", "credit"),
    ("less", "amend"),
    ("less", "credit-to-deal"),
    ("elsewhere", "credit-and-reissue"),
)
RECENT = 10  # deals, of which one is paid now and then
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
)
OF_TELLING: tuple[dict[str, Any], ...] = (  # of the calls that tell the CRM
    {"fault": "lose_answer", "probability": 0.15},
    {"fault": "status", "status": 502, "probability": 0.1},
)


def kill_by_chance(
    path: Path,
    *,
    kills: int,
    seed: int,
    crm: type[Crm] = CRMS["hubspot"],
    restores: bool = True,
) -> Judged:
    """Kill rounds so many times over one growing world, let the last one end, and judge.

    ``restores`` puts old backups in the ledger's place; without, invoiced deals drift and are
    corrected. Both in one world would ask people again what they decided since the backup.
    """
    dice = random.Random(seed)
    with crm.open(path) as opened:
        world = opened.world
        with_files(world.files[0], path / world.files[0].name)
        world.files = (path / world.files[0].name, *world.files[1:])
        world.engine()  # which provides what the CRM must have
        world.opened.close()
        people = People(opened, dice)
        faults = [*FAULTS, *(("crm", {**one, **crm.writes}) for one in OF_TELLING)]
        round_secs = 0.0
        with mortal(opened, QUIET_SECS) as ask:
            for number in range(kills):
                if number == kills // 2:
                    world.remember_requests(0)
                people.work(drifting=not restores)
                if number % LIVES_EVERY == 0:
                    began = time.monotonic()
                    assert ask({"rounds": 1}) == 0
                    round_secs = time.monotonic() - began
                for side, fault in faults:
                    world.fault(side, **{**fault, "count": 2})
                if restores:
                    turn_back(world, number)
                kill_secs = round_secs * dice.uniform(*KILL_WITHIN)
                order = {"rounds": None, "correct": people.corrections}
                ended = ask(order, kill_after_secs=kill_secs)
                assert ended == -signal.SIGKILL, f"a round ended with {ended} by itself"
                for side in ("crm", "books"):
                    world.mend(side)
            ended = ask({"until_settled": True, "correct": people.corrections})
        assert ended == 0, f"the last process ended with {ended}"
        ledger = world.path / "ledger.db"
        return judge(opened, ledger, people.payments, files=people.files)


class People:
    """Those who sell, pay, put files on deals, and let invoiced deals drift between two kills."""

    def __init__(self, crm: Crm, dice: random.Random) -> None:
        self._crm, self._dice = crm, dice
        self._regular = crm.buyer("Stammkunde AG")
        self._unpaid: list[str] = []
        self.payments = 0
        self.files: list[File] = []
        self.corrections: dict[str, str] = {}
        """A deal that drifted, and what was decided about its invoice."""

    def work(self, *, drifting: bool) -> None:
        """Let some deals be won, and perhaps one be paid and one drift."""
        for _ in range(self._dice.randrange(1, DEALS_AT_MOST + 1)):
            deal = self._crm.sell(self._dice.choice([None, self._regular]))
            self._unpaid.append(deal)
            if self._dice.random() < FILED:
                content = PDF + deal.encode()
                self._crm.attach(deal, "Contract.pdf", content)
                self.files.append(File(deal, sha256(content).hexdigest()))
        if self._dice.random() < PAID:
            deal = self._dice.choice(self._unpaid[-RECENT:])
            if self._crm.pay(deal, f"R-{self.payments + 1}"):
                self.payments += 1
                self._unpaid.remove(deal)
        if drifting and self._dice.random() < DRIFTED:
            self._drift()

    def _drift(self) -> None:
        """Let a deal drift whose invoice nobody has paid."""
        invoiced = {one.id for one in self._crm.deals() if one.told["status"] == "invoiced"}
        fitting = [deal for deal in self._unpaid if deal in invoiced]
        if not fitting:
            return
        deal = self._dice.choice(fitting)
        self._unpaid.remove(deal)
        drift, way = self._dice.choice(WAYS)
        if drift == "lost":
            self._crm.lose(deal)
        elif drift == "less":
            self._crm.sell_less(deal)
        else:
            self._crm.hand_over(deal, self._crm.buyer(f"Nachfolger of {deal}"))
        self.corrections[deal] = way


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
