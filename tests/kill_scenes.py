"""What a process is killed in: scenes that each lead up to one command of ``tieout``.

A scene arranges the world, names the command that is killed somewhere, and then does what a person
or a timer would do next. It demands that the same commands go on by themselves.
"""

import itertools
import json
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from kill_crms import Crm
from kill_installation import BUYER, KILLED, QUIET_SECS, Installation
from simulated_world import MAPPINGS, real_now

from sync_engine.ledger.sqlite import Ledger
from tieout.app.cli.exits import Exit
from tieout.app.working import MAY_BE_DONE

OWNED_SECS = 0.8
LOST = {"fault": "lose_answer", "method": "POST"}
LOSES_AT_MOST = 5
UNDER_WAY = "sent quickbooks write invoice"


class Scene(ABC):
    """One situation that comes again and again, each time with another place to die at."""

    stages: ClassVar[frozenset[str]]
    """The places that are tried."""
    approve: ClassVar[str] = "automatic"
    each: ClassVar[int] = 1
    """How many invoices a deal has."""
    order: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, installation: Installation) -> None:
        self.on = installation
        self.count = itertools.count(1)

    @classmethod
    def fits(cls, crm: type[Crm]) -> bool:
        """Whether it can be played with a CRM."""
        return crm is not None

    @abstractmethod
    def arrange(self) -> Sequence[str]:
        """Arrange the world and return the command that is killed."""

    def go_on(self) -> None:
        """Do what a person or a timer would do next, until all is settled."""
        self.on.settle()

    def more(self) -> Mapping[str, Any]:
        """Return what else the order says."""
        return self.order

    def lose_answer(self, prepare: Callable[[], object], path: str, **what: str) -> None:
        """Let a round end with a call of the books unanswered, and long enough ago to be looked for.

        Where this machine is slow, a round looks for it by itself: then the same happens again.
        """
        for _ in range(LOSES_AT_MOST):
            prepare()
            self.on.world.fault("books", **{**LOST, "path": path, **what})
            code = self.on.tieout("run", "--once").code
            self.on.world.mend("books")
            if code == Exit.UNKNOWNS:
                time.sleep(QUIET_SECS)
                return
            assert code == Exit.DONE, f"a round without an answer ended with {code}"
        raise AssertionError(f"no answer of {path} was lost")


class Rounds(Scene):
    """A round with a new customer, an invoice, a payment and what the CRM is told of them."""

    stages = frozenset(
        {
            *("open", "begin", "observe", "draft", "plan", "approve", "queue"),
            *("push", "write-back", "reconcile", "settle", "report"),
        }
    )
    last = ""

    def arrange(self) -> Sequence[str]:
        if self.last:
            self.on.pay(self.last)
        self.last = self.on.crm.sell()
        return ("run", "--once")


class Look(Scene):
    """A round that looks for an invoice whose answer was lost."""

    stages = frozenset({"look", "begin"})

    def arrange(self) -> Sequence[str]:
        self.lose_answer(self.on.sell, "/invoice$")
        return ("run", "--once")


class Recovery(Scene):
    """The first round after one that died with an invoice under way."""

    stages = frozenset({"begin"})

    def arrange(self) -> Sequence[str]:
        self.on.sell()
        assert self.on.tieout("run", "--once", die_at=UNDER_WAY).code == KILLED
        return ("run", "--once")


class Activation(Scene):
    """The first round with a mapping that means something else now."""

    stages = frozenset({"activation"})

    def arrange(self) -> Sequence[str]:
        file = self.on.mapping
        version = next(self.count)
        file.write_text(file.read_text().replace(f"version: {version}", f"version: {version + 1}"))
        self.on.sell()
        return ("run", "--once")


class Refresh(Scene):
    """A round whose access token has ended: the refresh token is used up by asking."""

    stages = frozenset({"token refresh"})

    def arrange(self) -> Sequence[str]:
        assert self.on.world.authority is not None
        self.on.world.authority.expire_access()
        self.on.sell()
        return ("run", "--once")


class Consent(Scene):
    """A person connects the books for the first time on this machine."""

    stages = frozenset({"consent"})

    def arrange(self) -> Sequence[str]:
        for file in self.on.path.glob("state/tokens*"):
            file.unlink()
        return ("connect", "books")

    def go_on(self) -> None:
        self.on.must("connect", "books")
        self.on.settle()


class Configuration(Scene):
    """A person writes a starter configuration."""

    stages = frozenset({"configuration"})

    def arrange(self) -> Sequence[str]:
        self.into = f"starter-{next(self.count)}"
        return ("init", self.into)

    def go_on(self) -> None:
        ended = self.on.tieout("init", self.into)
        assert ended.code in {Exit.DONE, Exit.TROUBLE}, ended
        whole = sorted(file.relative_to(MAPPINGS.parent) for file in _files(MAPPINGS.parent))
        written = self.on.path / self.into
        assert [file.relative_to(written) for file in sorted(_files(written))] == whole
        for file in whole:
            assert (written / file).read_bytes() == (MAPPINGS.parent / file).read_bytes()


class Approve(Scene):
    """A person approves what waits."""

    stages = frozenset({"tieout approve"})
    approve = "by_hand"

    def arrange(self) -> Sequence[str]:
        self.on.sell()
        self.on.must("run", "--once", code=Exit.TROUBLE)
        return ("approve", str(self.sheet()))

    def sheet(self) -> str | None:
        shown = self.on.tieout("plan", "--no-look", "--json").values
        sheet: str | None = shown["sheets"]["main"]
        return sheet

    def go_on(self) -> None:
        waiting = self.sheet()
        if waiting is not None:
            self.on.must("approve", waiting)
        self.on.settle()


class Answer(Scene):
    """A person says that an invoice by hand is a deal's own."""

    stages = frozenset({"tieout tasks answer"})

    def arrange(self) -> Sequence[str]:
        if not self.on.world.invoices():  # the books know the buyer once they have sold to him
            self.on.sell()
            self.on.settle()
        deal = self.on.sell(won=False)
        books = self.on.world.books_truth()
        (customer,) = [one["id"] for one in books["customers"] if one["name"] == BUYER]
        self.by_hand = self.on.world.books(
            "create_invoice",
            customer=customer,
            lines=[{"item": "1", "amount": "300.00", "tax_code": "1"}],
            po_number=self.on.order_of(deal),
            day="2026-04-02",
        )["Id"]
        self.on.crm.win(deal)
        self.on.must("run", "--once", code=Exit.TROUBLE)
        return self.command()

    def command(self) -> tuple[str, ...]:
        (task,) = self.on.tieout("tasks", "--json").values["tasks"]
        return ("tasks", "answer", str(task["id"]), f"link:{self.by_hand}", "--reason", "the same")

    def go_on(self) -> None:
        if self.on.tieout("tasks").code == Exit.TROUBLE:
            self.on.must(*self.command())
        self.on.settle()


class Backfill(Answer):
    """A person confirms the links that a report shows."""

    stages = frozenset({"tieout backfill"})

    def command(self) -> tuple[str, ...]:
        report = self.on.tieout("backfill", "--no-look", "--json").values["pairs"][0]
        return ("backfill", "--confirm", str(report["hashes"]["certain"]), "--reason", "the same")


class GoLive(Scene):
    """A person lets a pair post that only watched."""

    stages = frozenset({"tieout go-live"})
    command = ("go-live", "main", "--reason", "ready")

    def arrange(self) -> Sequence[str]:
        self._set("live")
        self.on.settle()
        self._set("shadow")
        self.on.sell()
        self.on.must("run", "--once")
        return self.command

    def go_on(self) -> None:
        shown = self.on.tieout("status", "--json").values["pairs"][0]
        if shown["mode"] == "shadow":
            self.on.must(*self.command)
        self.on.settle()

    def _set(self, mode: str) -> None:
        file = self.on.path / "config" / "tieout.yaml"
        lines = [line for line in file.read_text().splitlines() if "mode:" not in line]
        at = next(n for n, line in enumerate(lines) if "cutover_date:" in line)
        indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
        file.write_text("\n".join([*lines[:at], f"{indent}mode: {mode}", *lines[at:]]) + "\n")


class Reissue(Scene):
    """A person issues again what the books voided."""

    stages = frozenset({"tieout reissue"})

    def arrange(self) -> Sequence[str]:
        deal = self.on.sell()
        self.on.settle()
        self.on.world.books("void", id=self.on.invoice_of(deal))
        self.on.must("run", "--once", code=Exit.TROUBLE)
        self.command = ("reissue", f"deal:{deal}", "--reason", "voided by mistake")
        return self.command

    def go_on(self) -> None:
        if self.on.tieout("tasks").code == Exit.TROUBLE:
            self.on.must(*self.command)
        self.on.settle()


class Wish(Approve):
    """A daemon does what a command wished."""

    stages = frozenset({"wish"})
    order: ClassVar[Mapping[str, Any]] = {"until_granted": True}

    def arrange(self) -> Sequence[str]:
        _, sheet = super().arrange()
        with Ledger.open(self.on.ledger, real_now, exclusive=False) as ledger:
            ledger.wish("approve", {"hash": sheet, "reason": "seen"}, "ann")
        return ("run",)

    def go_on(self) -> None:
        self.on.must("run", **self.order)
        assert self.sheet() is None
        ((said,),) = self.on.query("SELECT outcome FROM wish ORDER BY id DESC LIMIT 1")
        outcome = json.loads(said)
        assert "approved" in outcome or MAY_BE_DONE in outcome["error"]["what"], outcome
        super().go_on()


class WishLeft(Approve):
    """A command that leaves its wish to the process that owns the ledger, and waits."""

    stages = frozenset({"wish asked"})
    order: ClassVar[Mapping[str, Any]] = {"polls": 1}

    def arrange(self) -> Sequence[str]:
        command = super().arrange()
        self.owner = Ledger.open(self.on.ledger, real_now)
        threading.Timer(OWNED_SECS, self.owner.close).start()
        return command

    def go_on(self) -> None:
        self.owner.close()
        self.on.must("run", until_granted=True)
        super().go_on()


def _files(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file() and file.suffix != ".pyc"]
