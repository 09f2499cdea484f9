"""What moves between a choice and its sending: nothing is sent that was chosen for another reason."""

import pytest

from sync_engine.standing import Choice, Way
from tieout.model.crediting import Extent
from tieout.model.errors import Rejected

LATER = {"fault": "status", "status": 429, "retry_after": 600, "count": None}


@pytest.fixture
def deal(world, sold):
    made = sold()
    world.round()
    return made


def correct(world, deal, way, extent=None):
    choice = Choice(way, extent or Extent())
    return world.working.correct(f"deal:{deal}", choice, who="ann", reason="asked")


def put_off(world, path):
    """Let the books refuse for now what is sent in the next round, and then no more."""
    world.fault("books", method="POST", path=path, **LATER)
    world.round()
    world.mend("books")


def test_an_edit_of_the_books_under_a_void_that_waits_is_planned_again_and_voided(
    world, deal, ties_out
):
    """Our version is stale by then, and what was approved is still what there is."""
    world.crm("lose", deal)
    world.round()
    correct(world, deal, Way.VOID)
    put_off(world, "/invoice$")
    world.books("edit", id="1", changes={"CustomerMemo": {"value": "Thanks."}})
    world.now.advance(700)
    world.round(3)
    assert (world.invoices(), world.codes()) == ([], [])
    ties_out(world)


def test_a_void_that_waits_is_left_when_its_invoice_is_voided_by_hand(world, deal, ties_out):
    """No update is ever sent to a voided record."""
    world.crm("lose", deal)
    world.round()
    correct(world, deal, Way.VOID)
    put_off(world, "/invoice$")
    world.books("void", id="1")
    token = world.company.tables["Invoice"].rows["1"].token
    world.now.advance(700)
    world.round(3)
    assert world.company.tables["Invoice"].rows["1"].token == token
    assert (world.invoices(), world.codes()) == ([], [])
    ties_out(world)


@pytest.mark.parametrize(("way", "path"), [(Way.VOID, "/invoice$"), (Way.CREDIT, "/creditmemo$")])
def test_what_was_chosen_for_a_lost_deal_is_left_when_it_is_won_again(
    world, deal, ties_out, way, path
):
    world.crm("lose", deal)
    world.round()
    correct(world, deal, way)
    put_off(world, path)
    world.crm("win", deal)
    world.now.advance(700)
    world.round(3)
    assert (len(world.invoices()), world.books_truth()["credit_memos"]) == (1, [])
    assert world.codes() == []
    [left] = world.working.corrections(f"deal:{deal}")["corrections"]
    assert (left["state"], left["reason"]) == ("skipped", "deal-moved")
    ties_out(world)


def test_a_period_that_closes_over_a_void_that_waits_leaves_it(world, deal, ties_out):
    world.crm("lose", deal)
    world.round()
    correct(world, deal, Way.VOID)
    world.books("close_books", until="2026-04-30")
    world.round(2)
    assert (len(world.invoices()), world.codes()) == (1, ["reopened"])
    ties_out(world)


def test_a_credit_that_the_books_apply_by_themselves_is_applied_once(world, deal, ties_out):
    """R18: the company lets credits be used behind everybody's back."""
    world.books("change_preference", name="auto_apply_credit", value=True)
    world.crm("lose", deal)
    world.round()
    correct(world, deal, Way.CREDIT)
    world.round(3)
    truth = world.books_truth()
    assert [one["balance"] for one in truth["credit_memos"]] == [0]
    assert len(truth["payments"]) == 1
    assert (world.codes(), world.told(deal, "invoice_status")) == ([], "credited")
    ties_out(world)


def test_nothing_is_corrected_of_a_pair_in_the_shadow(world, deal):
    world.crm("lose", deal)
    world.round()
    world.restart(shadow=True)
    world.round()
    with pytest.raises(Rejected, match="in the shadow"):
        correct(world, deal, Way.VOID)
