"""Corrections that a process is killed in: each kind, from the drift of a deal to what is posted."""

from collections.abc import Sequence
from typing import ClassVar

from kill_scenes import Scene

from tieout.app.cli.exits import Exit

SENT = frozenset({"plan", "queue", "push", "write-back", "reconcile"})


class Correct(Scene):
    """A person chooses what is done about an invoiced deal that was lost."""

    stages = frozenset({"tieout correct"})
    way: ClassVar[Sequence[str]] = ("credit",)

    def arrange(self) -> Sequence[str]:
        self.drift()
        return self.command

    def drift(self) -> None:
        """Let an invoiced deal be something else than its invoice."""
        deal = self.on.sell()
        self.on.settle()
        self.change(deal)
        self.on.must("run", "--once", code=Exit.TROUBLE)
        self.command = ("correct", f"deal:{deal}", *self.way, "--reason", "the customer asked")

    def change(self, deal: str) -> None:
        """Let the invoiced deal be lost."""
        self.on.crm.lose(deal)

    def go_on(self) -> None:
        self.on.tieout("run", "--once", "--wait")
        if self.on.tieout("tasks").code == Exit.TROUBLE:
            self.on.must(*self.command)
        self.on.settle()


class Sent(Correct):
    """A round that sends what a person chose."""

    stages = SENT

    def arrange(self) -> Sequence[str]:
        self.drift()
        self.on.must(*self.command)
        return ("run", "--once")


class Credited(Sent):
    """A round that gives a lost deal's invoice back: a credit, and its application."""


class Voided(Sent):
    """A round that voids a lost deal's invoice."""

    way: ClassVar[Sequence[str]] = ("void",)


class Amended(Sent):
    """A round that lets an invoice say what its deal says now."""

    way: ClassVar[Sequence[str]] = ("amend",)

    def change(self, deal: str) -> None:
        """Let the customer take one piece less."""
        self.on.crm.sell_less(deal)


class CreditedDown(Amended):
    """A round that credits what an invoice has more than its deal."""

    way: ClassVar[Sequence[str]] = ("credit", "--to-deal")


class CreditedAndReissued(Sent):
    """A round that credits an invoice whole and issues it again, to another customer."""

    way: ClassVar[Sequence[str]] = ("credit", "--reissue")

    def change(self, deal: str) -> None:
        """Let another company take the deal over."""
        self.on.crm.hand_over(deal, self.on.crm.buyer(f"Nachfolger {next(self.count)} GmbH"))


class CorrectionLooked(Correct):
    """A round that looks for a void whose answer was lost."""

    stages = frozenset({"look"})
    way: ClassVar[Sequence[str]] = ("void",)

    def arrange(self) -> Sequence[str]:
        self.lose_answer(self.choose, "/invoice$")
        return ("run", "--once")

    def choose(self) -> None:
        """Let the invoice be one to be voided."""
        self.drift()
        self.on.must(*self.command)
