"""Amounts as they are computed here and in the books: to the last unit of each currency."""

from decimal import Decimal

import pytest
from simulated_world import MAPPINGS, seller

from tieout.app.cli.explain import document_lines
from tieout.simulator.hubspot.schema import custom

LINE = {"name": "Consulting", "hs_sku": "C-1", "price": "150.00"}


def mapped(world, *changes):
    """Let the deal's mapping say other things."""
    text = (MAPPINGS / "hubspot-deal-to-invoice.yaml").read_text("utf-8").split("\ntests:")[0]
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    file = world.path / "deal.yaml"
    file.write_text(text, "utf-8")
    world.files = (file, world.files[1])


def nets(world):
    return [str(one["net"]) for one in world.invoices()]


def test_yen_have_no_decimals_and_dinars_as_many_as_the_books_keep(world, sold, ties_out):
    sold(deal_currency_code="JPY", country="JP", price="16200", quantity="3")
    sold(deal_currency_code="KWD", country="KW", price="0.330", quantity="7")
    held = sold(deal_currency_code="KWD", country="KW", price="0.335", quantity="7")
    world.round()
    assert (sorted(nets(world)), world.codes()) == (["2.31", "48600"], ["too-many-decimals"])
    assert world.tasks()["too-many-decimals"]["source_id"] == held
    ties_out(world)


def test_yen_with_decimals_are_rounded_once(world, sold, ties_out):
    line = {**LINE, "price": "33.5"}
    sold(deal_currency_code="JPY", country="JP", lines=[line], amount="34")
    world.round()
    ties_out(world)
    assert (nets(world), world.codes()) == (["34"], [])


@pytest.mark.parametrize(
    ("price", "quantity", "percent", "net"),
    [
        ("150.00", "1", "10", "135.00"),
        ("33.33", "3", "33", "66.99"),
        ("0.125", "100", "", "12.50"),
        ("19.90", "7.5", "12.5", "130.59"),
        ("99.99", "1.333", "", "133.29"),
        ("500.00", "2", "100", "0.00"),
    ],
)
def test_percent_discounts_and_parts_of_a_unit(
    world, sold, ties_out, price, quantity, percent, net
):
    line = {**LINE, "price": price, "quantity": quantity, "hs_discount_percentage": percent}
    sold(lines=[{name: held for name, held in line.items() if held}], amount=net)
    world.round()
    assert (nets(world), world.codes()) == ([net], [])
    ties_out(world)


def test_an_amount_off_each_unit(world, sold, ties_out):
    sold(lines=[{**LINE, "quantity": "3", "discount": "10.50"}], amount="418.50")
    world.round()
    assert (nets(world), world.codes()) == (["418.50"], [])
    ties_out(world)


def test_a_price_that_no_seven_decimals_make_is_held(world, sold, ties_out):
    line = {**LINE, "price": "0.01", "quantity": "3000000", "hs_discount_percentage": "33.333333"}
    held = sold(lines=[line], amount="0")
    world.crm("edit_deal", held, {"amount": world.deal(held)["lines"][0]["amount"]})
    tiny = {**LINE, "price": "0.0000001", "quantity": "12345678.9"}
    posted = sold(lines=[tiny], amount="0")
    world.crm("edit_deal", posted, {"amount": world.deal(posted)["lines"][0]["amount"]})
    world.round()
    assert (world.codes(), world.tasks()["unit-price"]["source_id"]) == (["unit-price"], held)
    assert world.told(posted, "invoice_status") == "invoiced"
    ties_out(world)


def test_many_lines_sum_to_the_cent(world, sold, ties_out):
    lines = [
        {**LINE, "price": f"{n}.335", "quantity": "3", "hs_discount_percentage": "7"}
        for n in range(1, 40)
    ]
    deal = sold(lines=lines, amount="0")
    net = world.deal(deal)["net"]
    world.crm("edit_deal", deal, {"amount": net})
    world.round()
    assert (nets(world), world.codes()) == ([net], [])
    ties_out(world)


def test_an_estimate_of_a_held_deal_is_rounded_line_by_line(world, sold, ties_out):
    lines = [{**LINE, "price": "0.335", "quantity": "1"} for _ in range(3)]
    sold(company="nobody", lines=lines, amount="1.02")
    world.round()
    assert world.codes() == ["missing-relation"]
    ties_out(world)


def test_prices_that_include_the_tax(world, sold, ties_out):
    mapped(world, ("prices: exclusive", "prices: inclusive"))
    sold(price="119.00", quantity="1")
    world.round(2)
    [invoice] = world.invoices()
    assert (invoice["net"], invoice["tax"], invoice["total"]) == (100, 19, 119)
    assert world.codes() == []
    ties_out(world, amount="total")


def test_where_the_books_compute_the_tax_an_expected_one_is_compared_with_nothing(
    world, sold, ties_out
):
    mapped(world, ("    compute: books ", "    expected: =1.00\n    compute: books "))
    sold()
    world.round(2)
    assert (nets(world), world.codes()) == (["300.00"], [])
    ties_out(world)


def test_american_books_compute_the_tax_and_the_variance_is_shown(make_world, ties_out):
    world = make_world(country="US", home_currency="USD", multicurrency=False, utc_offset_hours=-8)
    world.portal.define("deals", custom(name="expected_tax", label="Tax", type="number"))
    mapped(
        world,
        ("compute: books", "compute: expect"),
        ("tolerance: 0.05", "tolerance: 0.05\n    expected: =deal.expected_tax"),
        ("deal: { po_number: text }", "deal: { po_number: text, expected_tax: money }"),
        ("US: *abroad", "US: { standard: TAX, reduced: TAX, none: NON }"),
    )
    sold = seller(world)
    near = sold(country="US", price="100.00", quantity="1", expected_tax="7.22")
    far = sold(country="US", price="100.00", quantity="1", expected_tax="8.00")
    right = sold(country="US", price="100.00", quantity="1", expected_tax="7.25")
    world.round(2)
    assert [one["total"] for one in world.invoices()] == [Decimal("107.25")] * 3
    assert world.codes() == ["variance"]
    assert far in world.tasks()["variance"]["message"]
    ties_out(world)
    shown = [world.working.explain(one)["documents"][0]["receipt"] for one in (near, far, right)]
    assert [one["variance"] for one in shown] == ["0.03", "-0.75", None]
    assert [said(world, one) for one in (near, far, right)] == [
        ["  variance: its total of 107.25 is 0.03 more than expected"],
        ["  variance: its total of 107.25 is 0.75 less than expected"],
        [],
    ]


def test_a_tax_that_the_mapping_computes_is_the_invoice_s(make_world, ties_out):
    """The books honour an amount that is stated, and compute none of their own (R13)."""
    world = make_world(country="US", home_currency="USD", multicurrency=False, utc_offset_hours=-8)
    mapped(
        world,
        ("compute: books", "compute: ours"),
        ("tolerance: 0.05", "tolerance: 0.05\n    expected: =round(deal.amount * 0.08, 2)"),
        ("US: *abroad", "US: { standard: TAX, reduced: TAX, none: NON }"),
    )
    seller(world)(country="US", price="100.00", quantity="1")
    world.round(2)
    [invoice] = world.invoices()
    assert (invoice["net"], invoice["tax"], invoice["total"]) == (100, 8, 108)
    assert world.codes() == []
    ties_out(world)


def said(world, deal):
    """What a person reads of an invoice's variance."""
    lines = document_lines(world.working.explain(deal)["documents"][0])
    return [line for line in lines if line.startswith("  variance")]


def test_books_with_the_tax_first_rounded_by_line_still_tie_out(make_world, ties_out):
    world = make_world(tax_rounding="by_line")
    sold = seller(world)
    lines = [{**LINE, "price": "0.13", "quantity": "1"} for _ in range(5)]
    sold(lines=lines, amount="0.65")
    world.round()
    assert (nets(world), world.codes()) == (["0.65"], [])
    ties_out(world)


def test_a_discount_on_the_whole_deal_is_shared_among_the_lines(world, sold, ties_out):
    world.portal.define("deals", custom(name="deal_discount", label="Off", type="number"))
    mapped(
        world,
        ("deal: { po_number: text }", "deal: { po_number: text, deal_discount: number }"),
        (
            "  email: =contact.email\n  memo",
            "  discount: =deal.deal_discount or 0\n  email: =contact.email\n  memo",
        ),
        ("that: =sum(lines.amount) == deal.amount", "that: =document.net == deal.amount"),
    )
    lines = [{**LINE, "price": "10.00"}, {**LINE, "price": "20.00"}, {**LINE, "price": "3.33"}]
    sold(lines=lines, amount="30.00", deal_discount="10")
    world.round()
    assert nets(world) == ["30.00"]
    assert world.codes() == []
