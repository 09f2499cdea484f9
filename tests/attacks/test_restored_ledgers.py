"""Ledgers that were turned back: what happened since is taken for what it is."""

import pytest

from sync_engine.ledger.backup import backup, restore

LATER = {"fault": "status", "status": 429, "retry_after": 600, "count": None}


@pytest.fixture
def turned_back(world, tmp_path):
    """Return a function that backs the ledger up, and one that puts the backup back."""
    target = tmp_path / "backup.db"

    def back_up() -> None:
        backup(world.working.ledger, target, world.now)

    def put_back() -> None:
        world.opened.close()
        restore(target, world.path / "ledger.db", world.now, "ann")
        world.restart()

    return back_up, put_back


def test_an_invoice_voided_since_the_backup_is_not_made_again(world, sold, ties_out, turned_back):
    back_up, put_back = turned_back
    world.round()
    back_up()
    sold()
    world.round()
    world.books("void", id="1")
    world.round()
    put_back()
    world.round(2)
    assert (world.invoices(), world.codes()) == ([], ["voided"])
    ties_out(world)


@pytest.mark.parametrize("remembered", [0, 10_000])
def test_what_was_to_go_again_in_the_backup_and_went_since_does_not_go_twice(
    world, sold, ties_out, turned_back, remembered
):
    back_up, put_back = turned_back
    world.company.replay.size = remembered
    sold()
    world.fault("books", method="POST", path="/invoice$", **LATER)
    world.round()
    world.mend("books")
    back_up()
    world.now.advance(700)
    world.round()
    assert len(world.invoices()) == 1
    put_back()
    world.round(2, wait=True)
    assert (len(world.invoices()), world.codes()) == (1, [])
    ties_out(world)
