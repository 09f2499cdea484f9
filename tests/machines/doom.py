"""A process's death at a place of its own: what is on the disk stays, all else is gone.

A kill is an exception that nobody catches. From then on the dead process can neither write to its
ledger nor send: whatever its ``finally`` blocks try meets the same end.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sync_engine.ledger.sqlite import Ledger, Transaction


class Killed(BaseException):
    """The process is dead."""


class Doom:
    """Counts the places where a process can die, and kills it at the one that was drawn."""

    def __init__(self) -> None:
        self.left: int | None = None  # places to pass alive; None: it is not to die
        self.dead = False
        self.where = ""

    def draw(self, places: int) -> None:
        """Let the process die at the so-manieth place from now."""
        self.left = places

    def pass_by(self, where: str) -> None:
        """Pass a place alive, or die there.

        Raises:
            Killed: this is the place, or it is dead already.
        """
        if self.left is not None and not self.dead:
            self.left -= 1
            self.dead, self.where = self.left <= 0, where
        if self.dead:
            raise Killed(where)

    def new_life(self) -> None:
        """Begin another process."""
        self.left, self.dead, self.where = None, False, ""


class MortalLedger(Ledger):
    """A ledger whose process may die right before or right after each of its commits."""

    doom = Doom()  # of the process that opens it next: also its migrations are commits

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        if self.doom.dead:
            raise Killed(self.doom.where)
        with super().transaction() as tx:
            before = self._connection.total_changes
            yield tx
            changed = self._connection.total_changes > before
            if changed:
                self.doom.pass_by("before a commit")
        if changed:
            self.doom.pass_by("after a commit")
