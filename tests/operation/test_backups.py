"""Backups as an operator takes and restores them: while the daemon works, a day old, elsewhere."""

import shutil
from collections import Counter
from dataclasses import replace

import pytest
from installation import end, until
from simulated_world import World

from tieout.app.cli.exits import Exit


def once_each(world: World, deals: int) -> bool:
    """Whether each order has one invoice, by the books' own truth."""
    orders = Counter(one["po_number"] for one in world.invoices())
    return (len(orders), set(orders.values())) == (deals, {1})


@pytest.mark.slow
def test_a_backup_taken_while_the_daemon_works_is_whole_and_restored_elsewhere_posts_nothing_twice(
    installed, sell, tmp_path
):
    """On a new machine: another folder, no tokens; consent is given anew, as the page says."""
    place = installed(consented=True, books_options="{batch: 4, in_flight: 1}")
    [world] = place.worlds
    sell(world, 12)
    slow = {"fault": "stall", "seconds": 0.4, "count": None, "body": "PrivateNote"}
    world.fault("books", method="POST", path="/batch$", **slow)
    with place.daemon() as daemon:
        until(world.invoices, "it is in the middle of a push")
        backup = place.here / "backup.db"
        code, told = place.told("ledger", "backup", str(backup))
        assert (code, told["lines"] > 0) == (Exit.DONE, True)
        assert len(world.invoices()) < 12
        world.mend("books")
        until(lambda: len(world.invoices()) == 12, "all are posted")
        assert end(daemon) == Exit.DONE  # the old machine is gone

    here = tmp_path / "another machine"
    here.mkdir()
    new = replace(place, here=here)
    new.write()
    for name in ("backup.db", "backup.db.json"):
        shutil.copyfile(place.here / name, here / name)
    (here / "state").mkdir()
    assert new.say("ledger", "restore", str(here / "backup.db"))[0] == Exit.DONE
    assert not list((here / "state").glob("tokens*"))
    assert new.say("connect", "books1")[0] == Exit.DONE
    sell(world)
    with new.daemon() as daemon:
        until(lambda: len(world.invoices()) == 13, "it goes on")
        until(lambda: new.say("status")[0] == Exit.DONE, "and all is well")
        assert end(daemon) == Exit.DONE
    assert once_each(world, 13)
    assert new.told("audit", "verify")[0] == Exit.DONE


@pytest.mark.slow
def test_a_backup_of_yesterday_adopts_what_was_posted_since(installed, sell):
    place = installed()
    [world] = place.worlds
    sell(world)
    assert place.say("run", "--once")[0] == Exit.DONE
    backup = place.here / "yesterday.db"
    assert place.say("ledger", "backup", str(backup))[0] == Exit.DONE
    sell(world, 3)
    assert place.say("run", "--once")[0] == Exit.DONE
    with place.daemon():
        code, said = place.say("ledger", "restore", str(backup))
        assert (code, "owns" in said, "next: Stop it first" in said) == (Exit.TROUBLE, True, True)
    assert place.say("ledger", "restore", str(backup))[0] == Exit.DONE

    assert place.say("run", "--once", "--wait")[0] == Exit.DONE
    assert once_each(world, 4)
    names = [one["name"] for one in world.books_truth()["customers"]]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.slow
def test_a_lost_ledger_is_built_anew_and_says_what_it_found(installed, sell):
    place = installed()
    [world] = place.worlds
    deals = sell(world, 4)
    assert place.say("run", "--once")[0] == Exit.DONE
    world.crm("reopen", deals[0])
    shutil.rmtree(place.here / "state")

    code, said = place.say("run", "--once")
    assert code == Exit.TROUBLE
    assert "pair1: the books have 4 documents of ours; 3 are linked again, 1 have no" in said
    _, said = place.say("tasks")
    assert "unclaimed: 1" in said
    assert f"Its memo: HubSpot deal {deals[0]}" in said
    assert once_each(world, 4)

    assert place.say("resync", f"deal:{deals[0]}")[0] == Exit.TROUBLE  # it is reopened
    assert [task["code"] for task in place.told("tasks")[1]["tasks"]] == ["reopened"]
    assert once_each(world, 4)


@pytest.mark.slow
def test_a_new_installation_has_lost_nothing_and_says_so_of_nothing(installed, sell):
    place = installed()
    [world] = place.worlds
    sell(world, 2)

    code, said = place.say("run", "--once")

    assert (code, len(world.invoices())) == (Exit.DONE, 2)
    assert "documents of ours" not in said
