"""Bad input from the CRM: each gets its task, nothing is lost and the rest runs on."""

import pytest
from simulated_world import NOBODY, buy


def test_two_companies_without_a_primary_one_are_held(world, sold, ties_out):
    deal = sold(company=NOBODY)
    for name in ("Eins GmbH", "Zwei GmbH"):
        world.portal.link(("deals", "companies"), int(deal), int(buy(world, name)))
    world.round()
    assert (world.invoices(), world.codes()) == ([], ["ambiguous-relation"])
    ties_out(world)


def test_a_deal_without_a_currency_is_held(world, sold, ties_out):
    sold(deal_currency_code=None)
    sold()
    world.round()
    assert (len(world.invoices()), world.codes()) == (1, ["missing-value"])
    ties_out(world)


def test_a_deal_without_an_amount_is_held(world, sold, ties_out):
    sold(amount=None)
    world.round()
    assert (world.invoices(), world.codes()) == ([], ["check"])
    ties_out(world)


def test_all_that_is_missing_is_said_at_once(world, sold, ties_out):
    sold(company=NOBODY, deal_currency_code=None)
    world.round()
    assert world.codes() == ["missing-relation", "missing-value"]
    ties_out(world)


@pytest.mark.parametrize("path", ["deals/line_items/batch/read", "deals/companies/batch/read"])
def test_a_set_that_cannot_be_read_is_never_an_empty_one(world, sold, ties_out, path):
    world.restart()
    world.fault("crm", fault="status", status=500, path=path, count=20)
    deal = sold()
    world.round()
    assert (world.invoices(), world.codes()) == ([], ["unreadable"])
    assert world.told(deal, "invoice_status") == "held"
    ties_out(world)
    world.mend("crm")
    world.round()
    assert (len(world.invoices()), world.codes()) == (1, [])
    ties_out(world)


def test_a_record_that_cannot_be_read_holds_its_deals_and_no_others(world, sold, ties_out):
    world.restart()
    sold()
    world.round()
    world.fault("crm", fault="status", status=500, path="companies/batch/read", count=20)
    sold()
    sold()
    world.round()
    assert (len(world.invoices()), world.codes()) == (1, ["unreadable", "unreadable"])
    ties_out(world)
    world.mend("crm")
    world.round()
    assert (len(world.invoices()), world.codes()) == (3, [])
    ties_out(world)


def test_an_unreadable_line_of_an_invoiced_deal_is_no_drift(world, sold, ties_out):
    deal = sold()
    world.round()
    world.fault("crm", fault="status", status=500, path="deals/line_items/batch/read", count=20)
    world.crm("edit_deal", deal, {"dealname": "Another name"})
    world.round()
    assert (len(world.invoices()), world.codes()) == (1, [])
    ties_out(world)
    world.mend("crm")
    world.round()
    assert world.codes() == []


@pytest.mark.parametrize(
    ("closed", "invoiced"),
    [
        ("2025-12-31T22:59:59Z", 0),  # still the last day of the year in Oslo
        ("2025-12-31T23:00:00Z", 1),  # midnight in Oslo
        ("2026-01-01T00:00:00Z", 1),
        ("2026-03-29T01:30:00Z", 1),  # the clocks go forward
    ],
)
def test_the_cutover_is_a_day_in_the_portals_zone(world, sold, ties_out, closed, invoiced):
    sold(closedate=closed)
    world.round()
    assert (len(world.invoices()), world.codes()) == (invoiced, [])
    ties_out(world)


@pytest.mark.parametrize(
    ("closed", "day"),
    [
        ("2026-03-30T21:59:59Z", "2026-03-30"),
        ("2026-03-30T22:00:00Z", "2026-03-31"),
        ("2026-03-31T00:00:00Z", "2026-03-31"),
        ("2026-03-28T23:30:00Z", "2026-03-29"),
    ],
)
def test_a_close_date_is_a_day_in_the_portals_zone(world, sold, closed, day):
    sold(closedate=closed)
    world.round()
    assert [one["date"] for one in world.invoices()] == [day]


def test_strange_names_arrive_as_they_are(world, sold, ties_out):
    names = ["O'Brien & Sons", "北京星河科技有限公司", "Ødegård AS", 'Smith "Quick"', "100% Pure"]
    for name in names:
        sold(company=buy(world, name))
    world.round()
    assert sorted(one["name"] for one in world.books_truth()["customers"]) == sorted(names)
    assert world.codes() == []
    ties_out(world)


def test_a_line_without_a_quantity_is_held(world, sold, ties_out):
    deal = sold()
    line = world.deal(deal)["lines"][0]["id"]
    world.crm("edit_line", line, {"quantity": ""})
    world.round()
    assert (world.invoices(), world.codes()) == ([], ["missing-value"])
    ties_out(world)


def test_a_lost_deal_and_an_old_one_cost_nothing(world, sold, ties_out):
    sold(dealstage="closedlost")
    sold(closedate="2025-06-01T10:00:00Z")
    done = world.round()
    assert (world.invoices(), world.codes()) == ([], [])
    assert not [name for name in done.calls if "associations" in name]
    ties_out(world)
