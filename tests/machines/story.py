"""One story from one seed: weeks of work, faults, deaths and people, judged at every step."""

import random
import sqlite3
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from machines import people
from machines.doom import Killed
from machines.laws import Broken, Laws
from machines.place import EDITIONS, Place, open_place
from machines.wire import KINDS, Mischief
from simulated_world import seller

from sync_engine.ledger import backup as backups
from sync_engine.ledger.lock import LedgerHeld
from sync_engine.ledger.sqlite import Ledger
from sync_engine.push import is_paused
from tieout.model.errors import NotFound, Rejected, Unauthorized, Unavailable
from tieout.simulator.hubspot.errors import Refusal
from tieout.simulator.quickbooks.refusals import Refused

STEPS = (12, 45)
QUIET_ROUNDS = 12
STOPS = ("twin", "another-installation", "unauthorized", "wrong-company", "quota-exhausted")
LATEST_SECS = 130.0  # until everything that travels has landed
_NOT_TAKEN = (Refusal, Refused, IndexError, NotFound, Rejected, Unauthorized, Unavailable)
MEMORY = Path("/dev/shm")  # where it exists: a commit waits for no disk


@dataclass(slots=True)
class Told:
    """What one seed's story came to."""

    seed: int
    steps: int = 0
    exchanges: int = 0
    digest: str = ""
    faults: Counter[str] = field(default_factory=Counter)
    deeds: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    restores: int = 0
    violation: str = ""
    last_step: str = ""


def tell(seed: int, say: Callable[[str], None] = lambda _: None, steps: int | None = None) -> Told:
    """Play one seed's story, whole or its first steps, and say what it came to."""
    told = Told(seed)
    dice = random.Random(seed)
    folder = MEMORY if MEMORY.is_dir() else None
    setting = _setting(dice)
    say(f"seed {seed}: {setting}")
    with (
        tempfile.TemporaryDirectory(dir=folder) as path,
        open_place(Path(path), dice, **setting["place"]) as place,
    ):
        play = Story(place, dice, told, say, setting)
        try:
            play.whole(steps)
        except Exception as wrong:  # noqa: BLE001 - whatever it is, it is the seed's finding
            told.violation = f"{type(wrong).__name__}: {wrong}"
            if not isinstance(wrong, Broken):
                say("".join(traceback.format_exception(wrong)))
            play.show()
        told.exchanges = place.wire.exchanges
        told.faults = place.wire.faults
        told.digest = place.wire.digest.hexdigest()
    return told


def _setting(dice: random.Random) -> dict[str, Any]:
    """Draw what holds for a whole story."""
    memory = dice.choice((0, 3, 30, 10_000, 10_000))
    return {
        "place": {
            "index_lag_secs": dice.choice((0.0, 3.0)),
            "replay_memory": memory,
            "replay_answers": dice.choice(("replay", "replay", "6000", "600")),
            "shuffle_batches": dice.random() < 0.3,
        },
        "approve": dice.choice(("automatic", "automatic", "by_hand", "automatic under 400 EUR")),
        "mode": dice.choice(("few_calls", "fast")),
        "chance": dice.choice((0.0, 0.03, 0.1, 0.15, 0.25)),
        "kinds": tuple(kind for kind in KINDS if dice.random() < 0.6 and (kind != "unauthorised")),
        "unauthorised": dice.random() < 0.1,
    }


class Story:
    """A play in the making."""

    def __init__(
        self,
        place: Place,
        dice: random.Random,
        told: Told,
        say: Callable[[str], None],
        setting: dict[str, Any],
    ) -> None:
        self.place = place
        self.dice = dice
        self.told = told
        self.tell = say
        self.setting = setting
        self.sell = seller(place)
        self.payments = 0
        place.approve = setting["approve"]
        place.rates = {"mode": setting["mode"]}
        place.wire.tell = say
        place.wire.meddle = lambda: self.people_act(people.MEDDLING)
        place.wire.memory = lambda: place.company.replay.size
        self.laws = Laws(place)

    def whole(self, steps: int | None = None) -> None:
        """Play from the first day to the last, quiet one."""
        self.place.working = self.place.engine()
        for _ in range(self.dice.randrange(1, 8)):
            people.sell_one(self)
        kinds = self.setting["kinds"] + (("unauthorised",) if self.setting["unauthorised"] else ())
        self.mischief = Mischief(self.setting["chance"], kinds)
        self.place.wire.mischief = self.mischief
        count = self.dice.randrange(*STEPS)
        for _ in range(count if steps is None else min(count, steps)):
            self.told.steps += 1
            self.step()
            self.laws.step()
        self.settle()

    def step(self) -> None:
        """Let one thing happen, as drawn."""
        name, deed = self.dice.choices(_STEPS, _WEIGHTS)[0]
        self.told.last_step = name
        self.told.deeds[name] += 1
        self.tell(f"{self.told.steps:3} {self.place.time.theirs():%m-%d %H:%M:%S} {name}")
        deed(self)

    def show(self) -> None:
        """Tell how both sides and the ledger stand: what somebody who reads the story needs."""
        for deal in self.place.crm_truth()["deals"]:
            shown = (
                "id",
                "po_number",
                "is_won",
                "archived",
                "currency",
                "amount",
                "net",
                "company",
            )
            self.tell(
                f"deal {[deal[name] for name in shown]} {deal['close_date']} {deal['custom']}"
            )
        self.tell(f"merged {self.place.crm_truth()['merged']}")
        books = self.place.books_truth()
        for kind in ("invoices", "payments", "credit_memos"):
            for one in books[kind]:
                shown = ("id", "currency", "date", "total", "voided", "deleted", "by_hand")
                words = [one.get("po_number"), one.get("reference"), one["private_note"]]
                self.tell(f"{kind} {[str(one[name]) for name in shown]} {words} {one['created']}")
        file = self.place.path / "ledger.db"
        with closing(sqlite3.connect(file)) as disk:
            for row in disk.execute(
                "SELECT key, kind, source_id, state, reason, net, currency, posted_id FROM document"
            ):
                self.tell(f"document {row}")
            for row in disk.execute(
                "SELECT kind, id, state, merged_into, reason FROM snapshot WHERE state <> 'live'"
            ):
                self.tell(f"snapshot {row}")
            for row in disk.execute(
                "SELECT code, subject, source_id, net, choices, message FROM task WHERE state = 'open'"
            ):
                self.tell(f"task {row}")

    # Steps

    def people_act(self, deeds: tuple[people.Deed, ...]) -> None:
        deed = self.dice.choice(deeds)
        self.told.last_step = deed.__name__
        self.tell(f"    {deed.__name__}")
        try:
            deed(self)
        except _NOT_TAKEN as refused:
            self.tell(f"    … is not taken: {type(refused).__name__} {refused}")
            return
        self.told.deeds[deed.__name__] += 1

    def a_round(self) -> None:
        self.work(lambda engine: engine.round("main", wait=self.dice.random() < 0.3))

    def a_good_day(self) -> None:
        """Much is sold, and posted together: most of a story's writes."""
        self.people_act((people.sell_much,))
        self.a_round()
        self.people_act((people.approve_the_sheet,))
        self.a_round()

    def a_fatal_round(self) -> None:
        self.place.doom.draw(self.dice.choice((1, 2, 3, 5, 8, 13, 21, 34, 55)))
        self.work(lambda engine: engine.round("main", wait=self.dice.random() < 0.3))
        self.place.doom.left = None

    def a_restart(self) -> None:
        self.place.working = self.place.engine()

    def another_process(self) -> None:
        """A second process tries the same ledger, and must be refused."""
        with suppress(LedgerHeld):
            Ledger.open(self.place.path / "ledger.db", self.place.time.ours)
            raise Broken("two processes own one ledger")

    def time_passes(self) -> None:
        self.place.time.wait(self.dice.choice((5, 60, 200, 3600, 86_400, 3 * 86_400)))

    def the_clock_jumps(self) -> None:
        jump = self.dice.choice((0, 0, -3600, -240, -90, 90, 240, 3600))
        self.place.time.ahead_secs = jump
        self.tell(f"    our clock is {jump} s ahead")

    def a_backup(self) -> None:
        target = self.place.path / "backup.db"
        for file in self.place.path.glob("backup.db*"):
            file.unlink()
        self.work(lambda engine: backups.backup(engine.ledger, target, self.place.time.ours))

    def a_restore(self) -> None:
        backup = self.place.path / "backup.db.json"
        if backup.exists():
            self.place.opened.close()
            self.place.time.wait(1)  # what stood there is kept under the name of its instant
            source = self.place.path / "backup.db"
            backups.restore(source, self.place.path / "ledger.db", self.place.time.ours, "ann")
            self.place.turned_back = True
            self.told.restores += 1
            self.a_restart()

    def a_loss(self) -> None:
        """The ledger is gone, and no backup is found."""
        self.place.opened.close()
        for file in self.place.path.glob("ledger.db*"):
            file.unlink()
        self.place.turned_back = True
        self.told.restores += 1
        self.a_restart()

    def another_policy(self) -> None:
        self.place.approve = self.dice.choice(("automatic", "by_hand", "automatic under 400 EUR"))
        self.a_restart()

    def another_mapping(self) -> None:
        self.place.edition = self.dice.choice([*EDITIONS])
        self.tell(f"    the mapping {self.place.edition}")
        self.a_restart()

    def a_month_passes(self) -> None:
        """Longer than any feed remembers (R24)."""
        self.place.time.wait(35 * 86_400)

    def calm(self) -> None:
        self.settle()
        self.place.wire.mischief = self.mischief

    # The engine

    def work(self, deed: Callable[[Any], Any]) -> Any:
        """Do something with the engine; if the process dies of it, another one starts."""
        try:
            return deed(self.place.working)
        except Killed:
            self.told.kills += 1
            self.tell(f"    killed {self.place.doom.where}")
            self._revive()
            return None

    def _revive(self) -> None:
        self.place.working = self.place.engine()

    def settle(self) -> None:
        """Let everything land and nothing more go wrong, work until it is quiet, and judge."""
        place = self.place
        place.wire.mischief = Mischief()
        place.time.ahead_secs = 0.0
        place.time.wait(LATEST_SECS)
        self.tell("    all is quiet")
        place.working.reconcile("main")
        for _ in range(QUIET_ROUNDS):
            if self._let_go_on():
                place.working.reconcile("main")
            done = place.working.round("main", wait=True)
            stands = is_paused(place.working.ledger, place.working.pairs["main"])
            if done.error is None and not (done.unknown or done.pushed.parcels or stands):
                break
        else:
            raise Broken(f"it does not come to rest: {done.plain()}")
        self.laws.quiet()
        writes = self.laws.writes
        place.working.round("main")
        if self.laws.writes != writes:
            raise Broken("a round in which nothing moved has written")

    def _let_go_on(self) -> bool:
        """Do what the task of a pair that stands still asks for; return whether there was one."""
        engine = self.place.working
        found = [one for one in engine.tasks() if one["code"] in STOPS]
        for task in found:
            self.tell(f"    {task['code']}: {task['message']}")
            if task["code"] == "twin":
                self._void_copies()
            engine.resume("main", who="ann", reason="looked at it")
        return bool(found)

    def _void_copies(self) -> None:
        """Void copies with their memo, and make twins of customers inactive, as the task asks."""
        truth = self.place.books_truth()
        copies = [
            one["id"]
            for one in truth["invoices"]
            if one["by_hand"] and "TIEOUT" in (one["private_note"] or "")
            if not (one["voided"] or one["deleted"])
        ]
        for paid in truth["payments"]:
            if {one["id"] for one in paid["allocations"]} & {*copies} and not paid["deleted"]:
                self.place.books("delete", kind="Payment", id=paid["id"])
        for copy in copies:
            self.place.books("void", id=copy)
        marked: dict[str, list[str]] = {}
        for number, one in self.place.company.tables["Customer"].rows.items():
            if "TIEOUT" in one.body.get("Notes", "") and one.body["Active"]:
                marked.setdefault(one.body["Notes"], []).append(number)
        for numbers in marked.values():
            for number in numbers[1:]:
                self.place.books("inactivate", id=number)


_STEPS: tuple[tuple[str, Callable[[Story], None]], ...] = (
    ("a round", Story.a_round),
    ("a good day", Story.a_good_day),
    ("sales", lambda story: story.people_act(people.SALES)),
    ("books", lambda story: story.people_act(people.BOOKS)),
    ("minding", lambda story: story.people_act(people.MINDING)),
    ("a fatal round", Story.a_fatal_round),
    ("a restart", Story.a_restart),
    ("another process", Story.another_process),
    ("time passes", Story.time_passes),
    ("the clock jumps", Story.the_clock_jumps),
    ("a backup", Story.a_backup),
    ("a restore", Story.a_restore),
    ("a loss", Story.a_loss),
    ("another policy", Story.another_policy),
    ("another mapping", Story.another_mapping),
    ("a month passes", Story.a_month_passes),
    ("calm", Story.calm),
)
_WEIGHTS = (24, 8, 22, 10, 10, 10, 3, 1, 7, 3, 3, 2, 1, 1, 1.5, 0.7, 3)
