"""A ledger that a process can be killed in, before or after any of its commits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from walks.shelf import Killed

from sync_engine.ledger.sqlite import Ledger, Transaction


@dataclass
class Doom:
    """When the process ends: at its nth commit from now, which is kept or lost."""

    commits: int = 0  # 0: it lives
    kept: bool = False


class MortalLedger(Ledger):
    """The ledger, told of each commit."""

    doom: Doom | None = None
    told: Callable[[], None] | None = None

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        falls = self._falls()
        with super().transaction() as tx:
            yield tx
            if falls and self.doom is not None and not self.doom.kept:
                raise Killed
        if self.told is not None:
            self.told()
        if falls:
            raise Killed

    def _falls(self) -> bool:
        if self.doom is None or not self.doom.commits:
            return False
        self.doom.commits -= 1
        return not self.doom.commits
