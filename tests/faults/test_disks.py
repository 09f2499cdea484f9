"""A disk that fails between an answer and its receipt: a clear end, and the next round finds it."""

from dataclasses import replace

import pytest

from sync_engine.ledger.journal import verify
from tieout.model.errors import LedgerError

DEALS = 20
AMPLE_PAGES = 1_000_000


class Answering:
    """The books, beside a disk to which something happens as soon as they have answered."""

    def __init__(self, books, then) -> None:
        self._books = books
        self._then = then

    def __getattr__(self, name):
        return getattr(self._books, name)

    def apply(self, parcel):
        outcomes = self._books.apply(parcel)
        if parcel.items[0].kind == "invoice":
            self._then()
        return outcomes


@pytest.fixture
def when_answered(world):
    """Return a function that lets something happen to the disk once invoices were answered."""

    def let(*commands: str) -> None:
        engine = world.restart()
        disk = engine.ledger._connection

        def then() -> None:
            for command in commands:
                disk.execute(command)

        pair = engine.pairs["main"]
        engine.pairs = {"main": replace(pair, books=Answering(pair.books, then))}

    return let


@pytest.fixture
def make_room(world):
    """Return a function that gives the same process its disk and its books back."""

    def make() -> None:
        engine = world.working
        engine.ledger._connection.execute(f"PRAGMA max_page_count={AMPLE_PAGES}")
        engine.ledger._connection.execute("PRAGMA query_only=OFF")
        pair = engine.pairs["main"]
        engine.pairs = {"main": replace(pair, books=pair.books._books)}

    return make


@pytest.mark.parametrize("restarted", [False, True], ids=["same process", "new process"])
def test_a_disk_that_fills_before_the_receipt_loses_nothing_and_posts_nothing_twice(
    world, sold, settled, once_each, when_answered, make_room, restarted
):
    world.company.replay.size = 0
    for _ in range(DEALS):
        sold()
    when_answered("PRAGMA max_page_count=1")  # SQLite takes it as: not one page more
    with pytest.raises(LedgerError, match=r"The disk is full: nothing of this .* was kept"):
        world.working.round("main")
    assert len(world.invoices()) == DEALS
    if restarted:
        world.restart()
    else:
        make_room()
    settled()
    once_each(DEALS)
    assert verify(world.working.ledger).ok
    assert world.codes() == []


def test_a_ledger_that_becomes_read_only_before_the_receipt_is_met_alike(
    world, sold, settled, once_each, when_answered, make_room
):
    world.company.replay.size = 0
    for _ in range(3):
        sold()
    when_answered("PRAGMA query_only=ON")
    with pytest.raises(LedgerError, match="cannot be written: its disk or file is read-only"):
        world.working.round("main")
    make_room()
    settled()
    once_each(3)
    assert verify(world.working.ledger).ok


def test_a_ledger_that_is_read_only_from_the_start_sends_nothing(world, sold):
    sold()
    world.restart().ledger._connection.execute("PRAGMA query_only=ON")
    with pytest.raises(LedgerError):
        world.working.round("main")
    assert world.invoices() == []
    assert world.books_truth()["customers"] == []


def test_a_disk_that_is_full_from_the_start_sends_nothing(world, sold):
    for _ in range(DEALS):
        sold()
    world.restart().ledger._connection.execute("PRAGMA max_page_count=1")
    with pytest.raises(LedgerError, match="full"):
        world.working.round("main")
    assert world.invoices() == []
