"""A ledger in a folder of its own, and a clock that moves when it is told to."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sync_engine.ledger.sqlite import Ledger


class Clock:
    """An instant that stands still between steps."""

    def __init__(self) -> None:
        self.instant = datetime(2026, 3, 31, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.instant

    def step(self, secs: float = 1.0) -> None:
        self.instant += timedelta(seconds=secs)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger_path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def opened(ledger_path: Path, clock: Clock) -> Iterator[Callable[..., Ledger]]:
    """Open the ledger (again) and close whatever is still open at the end."""
    ledgers: list[Ledger] = []

    def again(path: Path = ledger_path, **options) -> Ledger:
        ledgers.append(Ledger.open(path, clock, **options))
        return ledgers[-1]

    yield again
    for ledger in ledgers:
        ledger.close()


@pytest.fixture
def ledger(opened: Callable[..., Ledger]) -> Ledger:
    return opened()


@pytest.fixture
def plain_person() -> Iterator[None]:
    """Be a user whom file modes bind: root may write what is read-only."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(65534)
    yield
    os.seteuid(was)


@pytest.fixture
def say() -> Callable[..., None]:
    """Write journal lines, one for each word, each in a transaction of its own."""

    def write(ledger: Ledger, *words: str) -> None:
        for word in words:
            with ledger.transaction() as tx:
                tx.journal("test", word, "deal 901")

    return write
