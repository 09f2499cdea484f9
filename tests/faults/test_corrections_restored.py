"""A correction that was posted after the backup which is restored is taken for done."""

import pytest
from tie_out import assert_ties_out

from sync_engine.ledger.backup import backup, restore
from sync_engine.standing import Choice, Way
from tieout.model.crediting import Extent

NEVER_CAME = {"fault": "refuse"}


@pytest.fixture
def deal(world, sold, settled):
    made = sold()
    settled()
    return made


def correct(world, deal, way, extent=None, **more):
    choice = Choice(way, extent or Extent(), **more)
    world.working.correct(f"deal:{deal}", choice, who="ann", reason="the customer asked")


def lose(world, deal):
    world.crm("lose", deal)
    world.working.round("main")


def booked(world):
    truth = world.books_truth()
    return (
        [one["net"] for one in world.invoices()],
        [(one["net"], one["balance"]) for one in truth["credit_memos"]],
        [one["total"] for one in truth["payments"]],
    )


def changed(world, deal, quantity, amount):
    world.crm("edit_line", world.deal(deal)["lines"][0]["id"], {"quantity": quantity})
    world.crm("edit_deal", deal, {"amount": amount})
    world.working.round("main")


def turned_back(world, settled, tmp_path, correcting):
    """Back the ledger up, correct, settle, and put the backup in the ledger's place."""
    target = tmp_path / "backup.db"
    backup(world.working.ledger, target, world.now)
    correcting()
    settled()
    done = booked(world)
    world.remember_requests(0)
    world.opened.close()
    restore(target, world.path / "ledger.db", world.now, "ann")
    world.restart()
    settled()
    return done


@pytest.mark.parametrize("is_known", [False, True], ids=["changed since", "drift known"])
def test_an_amendment_made_since_the_backup_is_adopted_as_settled(
    world, deal, settled, tmp_path, is_known
):
    """The invoice says exactly what the deal says now, and is amended again from there."""
    if is_known:
        changed(world, deal, "3", "450.00")

    def amended():
        if not is_known:
            changed(world, deal, "3", "450.00")
        correct(world, deal, Way.AMEND)

    done = turned_back(world, settled, tmp_path, amended)
    assert (booked(world), world.codes()) == (done, [])
    assert_ties_out(world)
    changed(world, deal, "2", "300.00")
    assert world.codes() == ["changed-in-crm"]
    correct(world, deal, Way.AMEND)
    settled()
    assert (booked(world), world.codes()) == (([300], [], []), [])
    assert_ties_out(world)


def test_an_amendment_that_was_paid_since_is_adopted_too(world, deal, settled, tmp_path):
    def amended():
        changed(world, deal, "3", "450.00")
        correct(world, deal, Way.AMEND)
        settled()
        world.books("receive_payment", invoices={"1": None})

    done = turned_back(world, settled, tmp_path, amended)
    assert (booked(world), world.codes()) == (done, [])
    assert_ties_out(world)


def test_a_deal_that_moved_on_after_its_amendment_is_asked_about(world, deal, settled, tmp_path):
    """What the invoice says was the deal's for a while: no record shows that, so a person looks."""

    def amended():
        changed(world, deal, "3", "450.00")
        correct(world, deal, Way.AMEND)
        settled()
        changed(world, deal, "4", "600.00")

    done = turned_back(world, settled, tmp_path, amended)
    assert booked(world) == done == ([450], [], [])
    assert sorted(world.codes()) == ["changed-in-books", "changed-in-crm"]


def test_a_part_credit_made_since_the_backup_settles_what_it_was_made_for(
    world, deal, settled, tmp_path
):
    def credited():
        changed(world, deal, "1", "150.00")
        lines = world.working.deal_lines(f"deal:{deal}")
        correct(world, deal, Way.CREDIT, Extent(to=lines))

    done = turned_back(world, settled, tmp_path, credited)
    assert (booked(world), world.codes()) == (done, [])
    assert_ties_out(world)


def test_an_invoice_issued_again_since_the_backup_is_linked(world, deal, settled, tmp_path):
    def reissued():
        changed(world, deal, "3", "450.00")
        correct(world, deal, Way.CREDIT, reissue=True)

    done = turned_back(world, settled, tmp_path, reissued)
    assert (booked(world), world.codes()) == (done, [])
    assert world.told(deal, "invoice_total") == "535.5"
    assert_ties_out(world)


def test_a_credit_whose_application_was_lost_is_applied_by_a_restored_ledger(
    world, deal, settled, tmp_path
):
    def credited():
        lose(world, deal)
        world.fault("books", method="POST", path="/payment$", **NEVER_CAME)
        correct(world, deal, Way.CREDIT)
        world.working.round("main")
        assert booked(world)[1] == [(300, 357)]
        world.mend("books")

    target = tmp_path / "backup.db"
    backup(world.working.ledger, target, world.now)
    credited()
    world.remember_requests(0)
    world.opened.close()
    restore(target, world.path / "ledger.db", world.now, "ann")
    world.restart()
    settled()
    assert (booked(world), world.codes()) == (([300], [(300, 0)], [0]), [])
    assert_ties_out(world)


@pytest.mark.parametrize("lost", ["/invoice$", "/payment$"], ids=["not issued", "not applied"])
def test_what_was_credited_to_be_issued_again_is_issued_by_a_restored_ledger(
    world, deal, settled, tmp_path, lost
):
    """The credit is in the books, and the next invoice, or the application, came never."""
    target = tmp_path / "backup.db"
    backup(world.working.ledger, target, world.now)
    changed(world, deal, "3", "450.00")
    world.fault("books", method="POST", path=lost, **NEVER_CAME)
    correct(world, deal, Way.CREDIT, reissue=True)
    world.working.round("main")
    world.mend("books")
    world.remember_requests(0)
    world.opened.close()
    restore(target, world.path / "ledger.db", world.now, "ann")
    world.restart()
    settled()
    assert (booked(world), world.codes()) == (([300, 450], [(300, 0)], [0]), [])
    assert_ties_out(world)


@pytest.mark.parametrize("forgotten", ["posted since the backup", "a lost ledger"])
def test_an_invoice_that_was_found_and_its_deal_says_less_is_corrected_like_any(
    world, sold, settled, tmp_path, forgotten
):
    """Nobody remembers what was sent; the two sides differ, and a person chooses."""
    target = tmp_path / "backup.db"
    world.restart()
    backup(world.working.ledger, target, world.now)
    deal = sold()
    settled()
    changed(world, deal, "1", "150.00")
    world.remember_requests(0)
    world.opened.close()
    if forgotten == "a lost ledger":
        for file in world.path.glob("ledger.db*"):
            file.unlink()
    else:
        restore(target, world.path / "ledger.db", world.now, "ann")
    world.restart()
    settled()
    assert world.codes() == ["variance"]
    [task] = world.working.tasks()
    assert "300.00" in task["message"]
    assert "tieout correct" in task["remedy"]
    to = world.working.deal_lines(f"deal:{deal}")
    correct(world, deal, Way.CREDIT, Extent(to=to))
    settled()
    invoiced, credited, _ = booked(world)
    assert (invoiced, credited) == ([300], [(150, 0)])
    assert world.codes() == []
    assert_ties_out(world)
