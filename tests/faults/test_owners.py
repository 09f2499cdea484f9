"""The same deal by two roads at once: one invoice."""

import pytest
from simulated_world import real_now

from sync_engine.feeds import Observed
from sync_engine.ledger.lock import LedgerHeld
from sync_engine.ledger.sqlite import Ledger
from sync_engine.observe import read_sources
from tieout.model.ref import Ref


def test_a_second_daemon_is_refused_and_told_who_owns_the_ledger(world, sold, once_each):
    sold()
    world.restart()
    with pytest.raises(LedgerHeld, match=r"Process \d+ on \S+, since"):
        Ledger.open(world.path / "ledger.db", real_now)
    world.round()
    once_each(1)


def test_a_command_beside_the_daemon_leaves_its_wish_and_sees_what_came_of_it(
    world, sold, once_each
):
    deal = sold()
    engine = world.restart()
    with Ledger.open(world.path / "ledger.db", real_now, exclusive=False) as beside:
        number = beside.wish("resync", {"ref": f"deal:{deal}"}, "ann")
        [wish] = engine.ledger.open_wishes()
        done = engine.resync(str(wish.args["ref"]), who=wish.who)
        engine.ledger.grant(wish.id, {"done": done.pushed.done})
        assert beside.wish_outcome(number) is not None
    world.round()
    once_each(1)


def test_a_hint_a_command_and_the_schedule_make_one_invoice(world, sold, once_each):
    deal = sold()
    engine = world.restart()
    pair = engine.pairs["main"]
    read_sources(engine.ledger, pair, [Ref(pair.crm.company, "deal", deal)], Observed())
    engine.resync(f"deal:{deal}", who="ann")
    engine.resync(deal, who="ann")
    world.round(2)
    once_each(1)


def test_two_installations_that_start_at_once_make_one_invoice_or_stop(
    world, sold, once_each, tmp_path
):
    """What one posts while the other runs, the other sees before it sends."""
    sold()
    first = world.engine()
    first.round("main", push_too=False)
    world.opened, mine = type(world.opened)(), world.opened
    here, world.path = world.path, tmp_path / "elsewhere"
    world.path.mkdir()
    world.round()
    once_each(1)
    world.opened.close()
    world.opened, world.path, world.working = mine, here, first
    world.round()
    once_each(1)
