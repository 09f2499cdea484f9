"""A pair that invoices quotes and deals: a quote and its deal are one sale, invoiced once."""

from collections.abc import Callable
from pathlib import Path

import pytest
from simulated_world import MAPPINGS, World

from tieout.simulator.hubspot import quoting

DEALS = MAPPINGS / "hubspot-deal-to-invoice.yaml"
QUOTES = MAPPINGS / "hubspot-quote-to-invoice.yaml"
INVOICES = MAPPINGS / "hubspot-invoice-to-invoice.yaml"
MAKE = ("    none: ask # ask", "    none: create\n    create: { name: =company.name }\n    # ask")
OPEN = "contractsent"
LINE = {"name": "Consulting", "hs_sku": "C-1", "quantity": "1", "price": "20.00"}
Sell = Callable[..., str]


@pytest.fixture(autouse=True)
def both(world: World, tmp_path: Path) -> None:
    """Let the pair work by both mappings; unknown customers are made."""
    copies = []
    for file in (DEALS, QUOTES, INVOICES):
        copy = tmp_path / file.name
        copy.write_text(file.read_text("utf-8").partition("\ntests:")[0].replace(*MAKE), "utf-8")
        copies.append(copy)
    world.files = tuple(copies)


def nets(world: World) -> list[str]:
    return [str(one["net"]) for one in world.invoices()]


def play(world: World, deed: str, *told: object) -> str:
    with world.portal.lock:
        return str(getattr(quoting, deed)(world.portal, *told))


def sign(world: World, deal: str) -> str:
    quote = play(world, "quote", deal, {"hs_esign_enabled": "true"}, None)
    play(world, "publish_quote", quote)
    play(world, "sign_quote", quote)
    return quote


def approve(world: World) -> None:
    """Say yes to all that waits, and let it be sent."""
    for plan in world.working.plan((), look=False):
        if plan["state"] == "waiting":
            world.working.approve(plan["hash"][:8], who="ann", reason="seen")
    world.round(2)


def message(world: World) -> str:
    return str(world.tasks()["already-invoiced"]["message"])


@pytest.mark.parametrize("policy", ["automatic", "by_hand"])
def test_in_one_round_a_quote_and_its_deal_are_invoiced_once(world, sold, policy):
    world.approve = policy
    sign(world, deal := sold(lines=[LINE], amount="20"))
    world.round(2)
    approve(world)
    assert (nets(world), world.codes()) == (["20.00"], ["already-invoiced"])
    assert f"deal:{deal}" in message(world)


def test_a_deal_that_is_won_after_its_quote_was_invoiced_is_a_question(world, sold):
    quote = sign(world, deal := sold(lines=[LINE], amount="20", dealstage=OPEN))
    world.round(2)
    assert (nets(world), world.codes()) == (["20.00"], [])
    world.crm("win", deal)
    world.round(3)
    assert (nets(world), world.codes()) == (["20.00"], ["already-invoiced"])
    assert f"quote:{quote}" in message(world)


def test_a_hubspot_invoice_of_an_invoiced_deal_is_a_question(world, sold):
    deal = sold(lines=[LINE], amount="20")
    world.round(2)
    invoice = play(world, "bill", deal, {"hs_invoice_date": world.now().date().isoformat()}, None)
    play(world, "open_invoice", invoice)
    world.round(2)
    assert (nets(world), world.codes()) == (["20.00"], ["already-invoiced"])


@pytest.mark.parametrize(("said", "made"), [("create", ["20.00", "20.00"]), ("ignore", ["20.00"])])
@pytest.mark.parametrize("policy", ["automatic", "by_hand"])
def test_a_person_may_say_that_both_are_invoiced_and_is_not_asked_of_the_other(
    world, sold, said, made, policy
):
    world.approve = policy
    sign(world, deal := sold(lines=[LINE], amount="20"))
    world.round()
    world.answer("already-invoiced", said)
    world.crm("edit_deal", deal, {"dealname": "Renamed"})
    world.round(2)
    approve(world)
    assert (nets(world), "already-invoiced" in world.codes()) == (made, False)


def test_a_deal_goes_on_once_its_quote_is_not_to_be_invoiced(world, sold):
    world.approve = "by_hand"
    quote = sign(world, deal := sold(lines=[LINE], amount="20", dealstage=OPEN))
    world.round()
    world.crm("win", deal)
    world.round()
    assert "already-invoiced" in world.codes()
    with world.portal.lock:
        signed = world.portal.find("quotes", int(quote))
        world.portal.compute("quotes", signed, {"hs_esign_date": ""})
    world.round(2)
    assert "already-invoiced" not in world.codes()
    approve(world)
    assert nets(world) == ["20.00"]


def test_a_deal_goes_on_once_a_person_rejected_its_quote(world, sold):
    world.approve = "by_hand"
    sign(world, deal := sold(lines=[LINE], amount="20", dealstage=OPEN))
    world.round()
    world.crm("win", deal)
    world.round()
    [plan] = [one for one in world.working.plan((), look=False) if one["state"] == "waiting"]
    world.working.reject(plan["hash"][:8], who="ann", reason="the deal counts")
    world.round(2)
    assert "already-invoiced" not in world.codes()
    approve(world)
    assert nets(world) == ["20.00"]


def test_a_quote_goes_on_once_its_deal_is_lost(world, sold):
    world.approve = "by_hand"
    sign(world, deal := sold(lines=[LINE], amount="20"))
    world.round()
    assert "already-invoiced" in world.codes()
    world.crm("lose", deal)
    world.round(2)
    assert "already-invoiced" not in world.codes()


def test_what_the_books_voided_is_said_of_the_first(world, sold):
    sign(world, sold(lines=[LINE], amount="20"))
    world.round(2)
    [one] = world.invoices()
    world.books("void", id=one["id"])
    world.round(2)
    assert nets(world) == []
    assert "voided in the books since" in message(world)


def test_a_quote_of_a_deal_that_was_merged_into_an_invoiced_one_is_a_question(world, sold):
    buyer = sold(lines=[LINE], amount="20", dealstage=OPEN)
    kept = sold(lines=[LINE], amount="20")
    world.round(2)
    assert nets(world) == ["20.00"]
    sign(world, buyer)
    world.crm("merge", "deals", kept, buyer)
    world.round(3)
    assert (nets(world), "already-invoiced" in world.codes()) == (["20.00"], True)
