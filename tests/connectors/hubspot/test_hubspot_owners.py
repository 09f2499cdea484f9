"""Whose each record is, remembered while threads read on."""

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from connectors.hubspot.facts import facts
from connectors.hubspot.owners import RECORDS_REMEMBERED, Owners
from tieout.model.contract import Opening
from tieout.model.record import Record
from tieout.model.ref import Ref, Version

THREADS = 4


@pytest.fixture
def hurried():
    """Threads that take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hurried")
def test_threads_that_read_more_than_is_remembered_forget_the_oldest_and_nothing_else():
    owners = Owners(None, "hubspot:1", Opening("1"), "v3")
    deal = facts().kinds["deal"]
    owner = deal.relations["owner"].property

    def read(thread: int) -> None:
        for n in range(RECORDS_REMEMBERED):
            ref = Ref("hubspot:1", "deal", f"{thread}-{n}")
            owners.remember(deal, Record(ref, Version("1"), {owner: "7"}))

    with ThreadPoolExecutor(THREADS) as threads:
        assert list(threads.map(read, range(THREADS))) == [None] * THREADS
    assert len(owners.of) == RECORDS_REMEMBERED
