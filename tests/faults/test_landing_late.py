"""What the ledger before this one had on its way lands while this one holds back."""

from pathlib import Path
from time import sleep

import pytest
from simulated_world import real_now

from sync_engine.ledger.backup import backup, restore
from sync_engine.pipeline import Hands


@pytest.mark.slow
@pytest.mark.parametrize("state", ["restored", "lost"])
def test_what_lands_after_the_first_read_of_a_ledger_that_holds_back_is_adopted(
    world, sold, settled, once_each, tmp_path, state
):
    """The process has read the books before it lands, and yet no other installation made it."""
    world.company.replay.size, world.quiet_secs = 0, 2.5
    sold()
    settled()
    target, ledger = tmp_path / "backup.db", Path(world.path) / "ledger.db"
    backup(world.working.ledger, target, real_now)
    world.fault("books", fault="commit_late", seconds=2.0, path="/invoice$")
    sold()
    assert world.round().unknown == 1
    world.opened.close()
    if state == "restored":
        restore(target, ledger, real_now, "ann")
    else:
        for file in ledger.parent.glob("ledger.db*"):
            file.unlink()
    world.restart()
    assert world.round().held_until is not None
    settled()
    once_each(2)
    assert world.codes() == []


def test_a_ledger_lost_in_its_first_round_is_known_by_its_customer_alone(
    world, sold, settled, once_each
):
    """The first invoice is on its way, so of all that is ours the books hold a customer."""
    world.company.replay.size, world.quiet_secs = 0, 1.5
    world.fault("books", fault="commit_late", seconds=1.0, path="/invoice$")
    sold()
    assert world.round().unknown == 1
    world.opened.close()
    for file in Path(world.path).glob("ledger.db*"):
        file.unlink()
    world.restart()
    settled()
    once_each(1)
    assert world.codes() == []


def test_who_waits_after_a_restore_waits_once_also_with_an_old_unknown(
    world, sold, settled, once_each, tmp_path
):
    """Nothing is looked for while a ledger holds back, so there is no reason to come earlier."""
    world.quiet_secs = 1.5
    sold()
    world.fault("books", fault="lose_answer", path="/invoice$")
    assert world.round().unknown == 1
    target = tmp_path / "backup.db"
    backup(world.working.ledger, target, real_now)
    sleep(world.quiet_secs)
    world.opened.close()
    restore(target, Path(world.path) / "ledger.db", real_now, "ann")
    engine, slept = world.restart(), []

    def rest(secs: float) -> None:
        slept.append(secs)
        sleep(secs)

    engine.hands = Hands(engine.hands.clock, rest)
    assert engine.round("main", wait=True).unknown == 0
    assert len(slept) == 1
    once_each(1)
