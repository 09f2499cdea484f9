"""What is done about a deal that changed after its invoice was posted: chosen, approved, sent once."""

from decimal import Decimal

import pytest

from sync_engine.standing import Choice, Way
from tieout.model.crediting import Extent
from tieout.model.errors import Rejected


@pytest.fixture
def deal(world, sold):
    made = sold()
    world.round()
    assert len(world.invoices()) == 1
    return made


def correct(world, deal, way, extent=None, **more):
    choice = Choice(way, extent or Extent(), **more)
    return world.working.correct(f"deal:{deal}", choice, who="ann", reason="the customer asked")


def possible(world, deal):
    options = world.working.corrections(f"deal:{deal}")["options"]
    return [one["name"] for one in options if one["possible"]]


def credits_of(world):
    return [
        (one["net"], one["total"], one["balance"])
        for one in world.books_truth()["credit_memos"]
        if not one["deleted"]
    ]


def told(world, deal):
    return tuple(world.told(deal, name) for name in ("invoice_status", "invoice_balance"))


def test_a_lost_deal_s_invoice_is_voided_once_it_is_chosen(world, deal, ties_out):
    world.crm("lose", deal)
    world.round()
    assert world.codes() == ["reopened"]
    assert possible(world, deal) == ["void", "credit"]
    chosen = correct(world, deal, Way.VOID)
    assert (chosen["verb"], chosen["before"]["net"]) == ("void", "300")
    world.round(2)
    assert (world.invoices(), world.codes(), told(world, deal)[0]) == ([], [], "voided")
    ties_out(world)


def test_a_lost_deal_s_paid_invoice_is_credited_and_the_credit_waits(world, deal, ties_out):
    world.books("receive_payment", invoices={"1": None})
    world.crm("lose", deal)
    world.round()
    assert possible(world, deal) == ["credit"]
    correct(world, deal, Way.CREDIT)
    world.round(2)
    assert credits_of(world) == [(300, 357, 357)]
    assert world.codes() == []
    ties_out(world)


def test_a_credit_of_the_whole_is_applied_to_its_invoice(world, deal, ties_out):
    world.crm("lose", deal)
    world.round()
    correct(world, deal, Way.CREDIT)
    world.round(2)
    assert (credits_of(world), world.invoices()[0]["balance"]) == ([(300, 357, 0)], 0)
    assert (world.codes(), told(world, deal)) == ([], ("credited", "0"))
    [memo] = world.books_truth()["credit_memos"]
    assert memo["po_number"] == world.deal(deal)["po_number"]
    assert "[TIEOUT:" in memo["private_note"]
    ties_out(world)
    world.round(2)
    assert len(credits_of(world)) == 1


def test_nothing_is_sent_before_it_is_approved(world, deal, ties_out):
    engine = world.restart(approve="by_hand")
    world.crm("lose", deal)
    world.round()
    chosen = correct(world, deal, Way.CREDIT)
    world.round(2)
    assert (credits_of(world), world.codes()) == ([], ["approval", "reopened"])
    ties_out(world)
    engine.approve(chosen["hash"][:8], who="bob", reason="seen")
    world.round()
    assert (credits_of(world), world.codes()) == ([(300, 357, 0)], [])
    ties_out(world)


def test_what_the_books_would_refuse_cannot_be_chosen(world, deal):
    world.books("receive_payment", invoices={"1": "100.00"})
    world.crm("lose", deal)
    world.round()
    with pytest.raises(Rejected, match=r"100\.00 EUR of it is paid or credited"):
        correct(world, deal, Way.VOID)
    world.books("close_books", until="2026-04-30")
    with pytest.raises(Rejected, match=r"more than the 300\.00 EUR that is left"):
        correct(world, deal, Way.CREDIT, Extent(amount=Decimal("300.01")))
