"""What accountants changed on an invoice whose deal changed too: nothing of theirs is overwritten."""

from decimal import Decimal

import pytest
from simulated_world import seller

from sync_engine.standing import Choice, Way
from tieout.model.crediting import Extent
from tieout.model.errors import Rejected


@pytest.fixture
def deal(world, sold):
    made = sold()
    world.round()
    return made


def correct(world, deal, way, **more):
    return world.working.correct(f"deal:{deal}", Choice(way, **more), who="ann", reason="asked")


def possible(world, deal):
    options = world.working.corrections(f"deal:{deal}")["options"]
    return [one["name"] for one in options if one["possible"]]


def sell_one(world, deal):
    world.crm("edit_line", world.deal(deal)["lines"][0]["id"], {"quantity": "1"})
    world.crm("edit_deal", deal, {"amount": "150.00"})
    world.round()


def add_shipping(world, invoice="1"):
    """An accountant puts a line of 5.00 in front of ours."""
    kept = [
        line
        for line in world.company.find("Invoice", invoice).body["Line"]
        if line["DetailType"] == "SalesItemLineDetail"
    ]
    sold = {**kept[0]["SalesItemLineDetail"], "ItemRef": {"value": "3"}}
    five = {"Qty": Decimal(1), "UnitPrice": Decimal(5)}
    shipping = {
        "Description": "Shipping",
        "Amount": Decimal(5),
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": {**sold, **five},
    }
    world.books("edit", id=invoice, changes={"Line": [shipping, *kept]})
    world.round()


def credited(world):
    return [
        (line["description"], line["amount"])
        for memo in world.books_truth()["credit_memos"]
        for line in memo["lines"]
    ]


def nets(world):
    return [one["net"] for one in world.invoices()]


def test_a_line_that_accountants_added_is_not_lost_to_an_amendment(world, deal, ties_out):
    sell_one(world, deal)
    add_shipping(world)
    assert possible(world, deal) == ["void", "credit-to-deal", "credit", "credit-and-reissue"]
    with pytest.raises(Rejected, match="Its lines were changed in the books too"):
        correct(world, deal, Way.AMEND)
    assert nets(world) == [305]
    correct(world, deal, Way.CREDIT, reissue=True)
    world.round(3)
    assert (nets(world), world.codes()) == ([305, 150], [])


def test_an_amendment_that_waits_falls_when_accountants_add_a_line(world, deal):
    engine = world.restart(approve="by_hand")
    sell_one(world, deal)
    chosen = correct(world, deal, Way.AMEND)
    engine.approve(chosen["hash"][:12], who="bob")
    add_shipping(world)
    world.round(2)
    [left] = world.working.corrections(f"deal:{deal}")["corrections"]
    assert (left["state"], left["reason"]) == ("skipped", "not-possible")
    assert nets(world) == [305]


def test_what_accountants_added_before_an_amendment_of_the_day_stays(world, deal, ties_out):
    add_shipping(world)
    world.crm("edit_deal", deal, {"closedate": "2026-04-02T10:00:00Z"})
    world.round()
    chosen = correct(world, deal, Way.AMEND)
    assert set(chosen["values"]) == {"date"}
    world.round(2)
    assert nets(world) == [305]


def test_an_invoice_is_amended_again_after_an_amendment_of_ours(world, deal, ties_out):
    """What we wrote ourselves is nobody's change."""
    sell_one(world, deal)
    correct(world, deal, Way.AMEND)
    world.round(2)
    world.crm("edit_line", world.deal(deal)["lines"][0]["id"], {"quantity": "4"})
    world.crm("edit_deal", deal, {"amount": "600.00"})
    world.round()
    correct(world, deal, Way.AMEND)
    world.round(2)
    assert (nets(world), world.codes()) == ([600], [])
    ties_out(world)


def test_an_adopted_invoice_whose_lines_were_never_the_deal_s_is_not_amended(world, deal):
    """The ledger was lost: whether the deal or the accountants moved the lines is not known."""
    add_shipping(world)
    world.opened.close()
    for file in world.path.glob("**/ledger.db*"):
        file.unlink()
    world.restart()
    world.round(2)
    sell_one(world, deal)
    assert "amend" not in possible(world, deal)
    with pytest.raises(Rejected, match="never the deal's"):
        correct(world, deal, Way.AMEND)
    assert nets(world) == [305]


def test_an_order_number_that_the_deal_has_no_longer_is_not_settled_by_an_amendment(world, deal):
    world.crm("edit_deal", deal, {"po_number": ""})
    sell_one(world, deal)
    with pytest.raises(Rejected, match="no longer what its invoice says: custom field 1"):
        correct(world, deal, Way.AMEND)
    world.books("edit", id="1", changes={"CustomField": []})
    world.round()
    chosen = correct(world, deal, Way.AMEND)
    assert set(chosen["values"]) == {"lines", "prices"}
    world.round(2)
    [invoice] = world.invoices()
    assert (invoice["net"], invoice["po_number"], world.codes()) == (150, None, [])


def test_a_custom_field_that_accountants_filled_is_never_ours_to_take_off(make_world):
    """An amendment repeats it, as the books replace such fields together."""
    world = make_world(custom_fields=("PO Number", "Region"))
    deal = seller(world)()
    world.round()
    body = world.company.find("Invoice", "1").body
    region = {"DefinitionId": "2", "Type": "StringType", "StringValue": "North"}
    world.books("edit", id="1", changes={"CustomField": [*body["CustomField"], region]})
    world.crm("edit_deal", deal, {"po_number": "PO-NEW"})
    world.round()
    assert set(correct(world, deal, Way.AMEND)["values"]) == {"custom_fields"}
    world.round(2)
    sell_one(world, deal)
    assert set(correct(world, deal, Way.AMEND)["values"]) == {"lines", "prices"}
    world.round(2)
    shown = world.company.find("Invoice", "1").body["CustomField"]
    assert [one["StringValue"] for one in shown] == ["PO-NEW", "North"]
    assert (nets(world), world.codes()) == ([150], [])


def test_a_line_is_credited_by_the_number_that_is_shown(world, sold, ties_out):
    """Of the invoice: an accountant's line in front of the deal's has one too."""
    lines = [
        {"name": "Consulting", "hs_sku": "C-1", "quantity": "1", "price": "100.00"},
        {"name": "Licence", "hs_sku": "L-9", "quantity": "1", "price": "50.00"},
    ]
    deal = sold(lines=lines, amount="150.00")
    world.round()
    add_shipping(world)
    world.crm("lose", deal)
    world.round()
    shown = world.working.corrections(f"deal:{deal}")
    names = [(one["line"], one["description"], one["left"]) for one in shown["lines"]]
    assert names == [(1, "Shipping", "5"), (2, "Consulting", "100"), (3, "Licence", "50")]
    assert {one["field"] for one in shown["fields"]} >= {"deal line 1", "deal line 2"}
    correct(world, deal, Way.CREDIT, extent=Extent(line=2, amount=Decimal(40)))
    world.round(2)
    assert credited(world) == [("Consulting", 40)]
    shown = world.working.corrections(f"deal:{deal}")
    assert [one["left"] for one in shown["lines"]] == ["5", "60", "50"]
