"""What the books would refuse is found before anybody is asked to approve it (R47)."""

from decimal import Decimal

import pytest
from simulated_world import MAPPINGS, buy, seller

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


def test_a_closed_period_holds_and_goes_on_by_itself_when_it_is_reopened(world, sold, ties_out):
    world.books("close_books", until="2026-03-31")
    sold()
    sold(closedate="2026-04-01T10:00:00Z")
    world.round()
    assert (len(world.invoices()), world.codes()) == (1, ["period-closed"])
    ties_out(world)
    world.books("close_books", until="2026-02-28")
    world.round()
    assert (len(world.invoices()), world.codes()) == (2, [])
    ties_out(world)


def test_a_period_that_closes_while_the_plan_waits_holds_it(world, sold, ties_out):
    engine = world.restart(approve="by_hand")
    sold()
    world.round()
    engine.approve(engine.sheet_hash("main"), who="ann")
    world.books("close_books", until="2026-03-31")
    world.round()
    assert (world.invoices(), world.codes()) == ([], ["period-closed"])
    ties_out(world)


def test_a_country_without_a_tax_code_is_held_and_named(world, sold, ties_out):
    sold(country="IT")
    sold()
    world.round()
    assert len(world.invoices()) == 1
    [task] = world.working.tasks()
    assert "tax_codes has no entry for IT / standard" in task["message"]
    ties_out(world)


def test_a_tax_code_that_the_books_have_not_is_held(world, sold, ties_out):
    mapped(world, ("standard: S19", "standard: S21"))
    sold()
    world.round()
    assert (world.invoices(), world.codes()) == ([], ["no-tax-code"])
    assert "S21" in world.tasks()["no-tax-code"]["message"]
    ties_out(world)
    codes = world.company.tables["TaxCode"].rows.values()
    next(code for code in codes if code.body["Name"] == "S19").body["Name"] = "S21"
    world.sleep(1)  # the books' clock shows whole seconds
    world.round(2)
    assert (len(world.invoices()), world.codes()) == (1, [])


def test_a_line_without_a_tax_code_is_held_where_the_books_demand_one(world, sold, ties_out):
    mapped(
        world,
        (
            '    tax_code: =lookup("tax_codes", company.country, line.tax_category or "standard")\n',
            "",
        ),
    )
    sold()
    world.round()
    assert (world.invoices(), world.codes()) == ([], ["no-tax-code"])
    ties_out(world)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('"Net 30"', '"Net 31"', "no-term"),
        ("default: Services, renewals", "default: Unheard, renewals", "no-class"),
        ("    PO Number: =deal.po_number", "    Cost Centre: =deal.po_number", "no-custom-field"),
    ],
)
def test_a_name_that_the_books_have_not_is_held(world, sold, ties_out, old, new, code):
    mapped(world, (old, new))
    sold()
    world.round()
    assert (world.invoices(), world.codes()) == ([], [code])
    ties_out(world)


def test_another_currency_is_held_where_the_books_keep_one(make_world, ties_out):
    world = make_world(multicurrency=False)
    sold = seller(world)
    sold(deal_currency_code="USD")
    sold()
    world.round()
    assert (len(world.invoices()), world.codes()) == (1, ["currency"])
    ties_out(world)
    world.company.multicurrency = True
    world.books("create", kind="CompanyCurrency", body={"Code": "USD"})
    world.round()
    assert (len(world.invoices()), world.codes()) == (2, [])
    ties_out(world)


def test_a_currency_that_the_books_do_not_use_is_held(world, sold, ties_out):
    sold(deal_currency_code="CNY")
    sold()
    world.round()
    assert (len(world.invoices()), world.codes()) == (1, ["currency"])
    ties_out(world)
    world.books("create", kind="CompanyCurrency", body={"Code": "CNY"})
    world.round()
    assert (len(world.invoices()), world.codes()) == (2, [])
    ties_out(world)


def test_a_total_below_zero_is_held(world, sold, ties_out):
    off = {**LINE, "price": "10.00", "discount": "20.00"}
    sold(lines=[off], amount="-10.00")
    sold()
    world.round()
    assert (len(world.invoices()), world.codes()) == (1, ["negative-total"])
    ties_out(world)


def test_a_deal_without_lines_is_held_with_its_amount(world, sold, ties_out):
    sold(lines=[], amount="990.00")
    sold()
    world.round()
    assert (len(world.invoices()), world.codes()) == (1, ["check", "no-lines"])
    assert sum(Decimal(task["net"]) for task in world.working.tasks()) == 990
    ties_out(world)


def test_lines_that_disagree_with_the_amount_are_held(world, sold, ties_out):
    sold(amount="299.99")
    sold()
    world.round()
    assert (len(world.invoices()), world.codes()) == (1, ["check"])
    ties_out(world)


def test_an_amount_of_too_many_decimals_is_held(world, sold, ties_out):
    sold(amount="300.001")
    sold()
    world.round()
    assert (len(world.invoices()), world.codes()) == (1, ["check"])
    ties_out(world)


def test_a_line_of_no_quantity_is_left_out(world, sold, ties_out):
    sold(lines=[LINE, {**LINE, "quantity": "0", "price": "99.00"}], amount="150.00")
    world.round()
    assert ([one["net"] for one in world.invoices()], world.codes()) == ([150], [])
    ties_out(world)


def test_a_deal_whose_lines_all_have_no_quantity_is_held_with_nothing(world, sold, ties_out):
    sold(lines=[{**LINE, "quantity": "0"}], amount="0")
    world.round()
    assert (world.invoices(), world.codes()) == ([], ["no-lines"])
    ties_out(world)


def test_texts_that_are_too_long_are_held_and_named(world, sold, ties_out):
    sold(po_number="P" * 32)
    sold(lines=[{**LINE, "description": "x" * 4001}], amount="150.00")
    sold(company=buy(world, "n" * 501))
    sold()
    world.round()
    assert (len(world.invoices()), world.codes()) == (1, ["too-long"] * 3)
    ties_out(world)


def test_a_long_memo_is_no_reason_to_lose_the_marker(world, sold, ties_out):
    sold(dealname="d" * 5000)
    sold()
    world.round()
    assert (len(world.invoices()), world.codes()) == (1, ["too-long"])
    ties_out(world)


def test_an_e_mail_that_is_not_one_address_is_held(world, sold, ties_out):
    deal = sold()
    person = world.portal.create("contacts", {"email": "nobody@nowhere"})
    world.portal.link(("deals", "contacts"), int(deal), person.id)
    world.round()
    assert (world.invoices(), world.codes()) == ([], ["email"])
    ties_out(world)


def test_nothing_of_a_held_deal_is_made(world, sold, ties_out):
    """A customer is not made for an invoice that cannot be posted."""
    sold(amount="1.00")
    world.round(2)
    assert world.books_truth()["customers"] == []
    ties_out(world)
