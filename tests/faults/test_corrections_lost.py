"""A correction whose answer does not come, or whose ledger is lost, is done once."""

import pytest
from tie_out import assert_ties_out

from sync_engine.ledger.backup import backup, restore
from sync_engine.standing import Choice, Way
from tieout.model.crediting import Extent

LOST = {"fault": "lose_answer"}
NEVER_CAME = {"fault": "refuse"}
SILENT = pytest.mark.parametrize("fault", [LOST, NEVER_CAME], ids=["lost", "never came"])
FORGETFUL = pytest.mark.parametrize("memory", ["replays", "forgets", "6000"], indirect=True)


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


@SILENT
@FORGETFUL
@pytest.mark.usefixtures("memory")
def test_an_invoice_is_voided_once(world, deal, settled, fault):
    lose(world, deal)
    world.fault("books", method="POST", path="/invoice$", **fault)
    correct(world, deal, Way.VOID)
    settled()
    assert (booked(world), world.codes()) == (([], [], []), [])
    assert_ties_out(world)


@SILENT
@FORGETFUL
@pytest.mark.usefixtures("memory")
def test_an_invoice_is_amended_once(world, deal, settled, fault):
    world.crm("edit_line", world.deal(deal)["lines"][0]["id"], {"quantity": "3"})
    world.crm("edit_deal", deal, {"amount": "450.00"})
    world.working.round("main")
    world.fault("books", method="POST", path="/invoice$", **fault)
    correct(world, deal, Way.AMEND)
    settled()
    assert (booked(world), world.codes()) == (([450], [], []), [])
    assert_ties_out(world)


@SILENT
@FORGETFUL
@pytest.mark.usefixtures("memory")
@pytest.mark.parametrize("path", ["/creditmemo$", "/payment$"])
def test_a_credit_is_made_and_applied_once(world, deal, settled, fault, path):
    lose(world, deal)
    world.fault("books", method="POST", path=path, **fault)
    correct(world, deal, Way.CREDIT)
    settled()
    assert (booked(world), world.codes()) == (([300], [(300, 0)], [0]), [])
    assert_ties_out(world)


def test_an_application_that_never_came_is_asked_again_beside_a_payment_by_hand(
    world, deal, settled
):
    """What is looked for by its likeness has an amount; an application has none."""
    lose(world, deal)
    world.fault("books", method="POST", path="/payment$", **NEVER_CAME)
    correct(world, deal, Way.CREDIT)
    world.working.round("main")
    world.books("receive_payment", customer="1", total="5.00")
    settled()
    assert (booked(world), world.codes()) == (([300], [(300, 0)], [5, 0]), [])
    assert_ties_out(world)


def test_a_credit_made_since_the_backup_is_adopted_and_not_made_again(
    world, deal, settled, tmp_path
):
    target = tmp_path / "backup.db"
    backup(world.working.ledger, target, world.now)
    lose(world, deal)
    correct(world, deal, Way.CREDIT, Extent(part=50))
    settled()
    world.opened.close()
    restore(target, world.path / "ledger.db", world.now, "ann")
    world.restart()
    settled()
    assert world.codes() == ["reopened"]
    assert_ties_out(world)
    correct(world, deal, Way.CREDIT)
    settled()
    assert (booked(world)[1], world.codes()) == ([(150, 0), (150, 0)], [])
    assert_ties_out(world)


def test_credits_of_a_lost_ledger_are_found_again_with_their_invoice(world, deal, settled):
    line = world.deal(deal)["lines"][0]["id"]
    world.crm("edit_line", line, {"quantity": "1"})
    world.crm("edit_deal", deal, {"amount": "150.00"})
    world.working.round("main")
    correct(world, deal, Way.CREDIT, Extent(to=world.working.deal_lines(f"deal:{deal}")))
    settled()
    world.opened.close()
    for file in world.path.glob("ledger.db*"):
        file.unlink()
    world.restart()
    settled()
    assert (booked(world), world.codes()) == (([300], [(150, 0)], [0]), [])
    assert_ties_out(world)
    lose(world, deal)
    correct(world, deal, Way.CREDIT)
    settled()
    assert (booked(world)[1], world.codes()) == ([(150, 0), (150, 0)], [])
    assert_ties_out(world)


def test_an_invoice_that_moved_under_an_amendment_is_planned_again(world, deal, settled):
    """The books answer that our version is stale: what they show since decides, and no person."""
    world.crm("edit_line", world.deal(deal)["lines"][0]["id"], {"quantity": "3"})
    world.crm("edit_deal", deal, {"amount": "450.00"})
    world.working.round("main")
    correct(world, deal, Way.AMEND)
    world.fault("books", method="GET", path="/cdc", fault="status", status=503, count=1)
    world.books("edit", id="1", changes={"CustomerMemo": {"value": "Thanks."}})
    settled()
    assert (booked(world), world.codes()) == (([450], [], []), [])
    assert_ties_out(world)


def test_a_lost_ledger_finds_what_was_credited_and_issued_again(world, deal, settled):
    """The generation that was credited whole is behind; the one that lives is the deal's."""
    world.crm("edit_line", world.deal(deal)["lines"][0]["id"], {"quantity": "3"})
    world.crm("edit_deal", deal, {"amount": "450.00"})
    world.working.round("main")
    correct(world, deal, Way.CREDIT, reissue=True)
    settled()
    assert (booked(world), world.codes()) == (([300, 450], [(300, 0)], [0]), [])
    world.opened.close()
    for file in world.path.glob("ledger.db*"):
        file.unlink()
    world.restart()
    settled()
    assert (booked(world), world.codes()) == (([300, 450], [(300, 0)], [0]), [])
    assert world.told(deal, "invoice_total") == "535.5"
    assert_ties_out(world)


def test_a_credit_behind_a_deleted_one_is_found_again_by_a_lost_ledger(world, deal, settled):
    """The first was deleted in the books, so that only the numbers behind it are there."""
    lose(world, deal)
    correct(world, deal, Way.CREDIT, Extent(part=50))
    settled()
    truth = world.books_truth()
    world.books("delete", kind="Payment", id=truth["payments"][0]["id"])
    world.books("delete", kind="CreditMemo", id=truth["credit_memos"][0]["id"])
    settled()
    correct(world, deal, Way.CREDIT, Extent(part=60))
    settled()
    world.opened.close()
    for file in world.path.glob("ledger.db*"):
        file.unlink()
    world.restart()
    settled()
    correct(world, deal, Way.CREDIT)
    settled()
    alive = [one for one in world.books_truth()["credit_memos"] if not one["deleted"]]
    assert [(one["net"], one["balance"]) for one in alive] == [(180, 0), (120, 0)]
    assert_ties_out(world)


@pytest.mark.parametrize("is_paid", [False, True], ids=["open", "paid"])
def test_a_credit_that_the_backup_only_knows_as_chosen_is_not_made_again(
    world, deal, settled, tmp_path, is_paid
):
    """Of a paid invoice it waits with the customer: nothing is applied that would show it."""
    if is_paid:
        world.books("receive_payment", invoices={"1": None})
    lose(world, deal)
    correct(world, deal, Way.CREDIT)
    once_more(world, settled, tmp_path)
    assert [one["net"] for one in world.books_truth()["credit_memos"]] == [300]


@pytest.mark.parametrize("way", [Way.VOID, Way.AMEND])
def test_a_correction_that_the_backup_only_knows_as_chosen_is_not_done_again(
    world, deal, settled, tmp_path, way
):
    """It was sent after the backup, and the books have forgotten the asking."""
    if way is Way.AMEND:
        world.crm("edit_line", world.deal(deal)["lines"][0]["id"], {"quantity": "3"})
        world.crm("edit_deal", deal, {"amount": "450.00"})
        world.working.round("main")
    else:
        lose(world, deal)
    correct(world, deal, way)
    once_more(world, settled, tmp_path)


def once_more(world, settled, tmp_path):
    """Send what was chosen, turn the ledger back to before, and see that nothing is done again."""
    target = tmp_path / "backup.db"
    backup(world.working.ledger, target, world.now)
    settled()
    done = booked(world)
    world.remember_requests(0)
    world.opened.close()
    restore(target, world.path / "ledger.db", world.now, "ann")
    world.restart()
    settled()
    assert (booked(world), world.codes()) == (done, [])
    assert_ties_out(world)
