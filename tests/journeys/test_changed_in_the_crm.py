"""What salespeople do with deals that are invoiced: each is a task, nothing is written over."""

from decimal import Decimal

import pytest
from simulated_world import buy


@pytest.fixture
def deal(world, sold):
    made = sold()
    world.round()
    assert len(world.invoices()) == 1
    return made


def line_of(world, deal):
    return world.deal(deal)["lines"][0]["id"]


def only_task(world):
    [task] = world.working.tasks()
    return task["code"], Decimal(task["net"])


def test_a_line_changed_without_its_deal_is_drift(world, deal, ties_out):
    world.crm("edit_line", line_of(world, deal), {"quantity": "3"})
    world.round(2)
    assert (len(world.invoices()), only_task(world)) == (1, ("changed-in-crm", 150))
    ties_out(world)


def test_a_line_added_is_drift(world, deal, ties_out):
    world.crm("add_line", deal, {"name": "Licence", "hs_sku": "L-9", "price": "500.00"})
    world.round(2)
    assert (len(world.invoices()), only_task(world)) == (1, ("changed-in-crm", 500))
    ties_out(world)


def test_a_line_removed_is_found_when_all_is_reconciled(world, sold, ties_out):
    """No feed of HubSpot's shows it; the daily look and ``tieout reconcile`` do."""
    line = {"name": "Consulting", "hs_sku": "C-1", "price": "150.00"}
    deal = sold(lines=[line, line])
    world.round()
    world.crm("remove_line", line_of(world, deal))
    world.round()
    world.working.reconcile("main")
    assert (len(world.invoices()), only_task(world)) == (1, ("changed-in-crm", -150))
    ties_out(world)


def test_an_amount_changed_alone_changes_nothing_of_the_invoice_that_its_lines_made(
    world, deal, ties_out
):
    world.crm("edit_deal", deal, {"amount": "999.00"})
    world.round(2)
    assert ([one["net"] for one in world.invoices()], world.codes()) == ([300], [])
    ties_out(world)


def test_a_change_that_is_taken_back_closes_its_task(world, deal, ties_out):
    world.crm("edit_line", line_of(world, deal), {"quantity": "3"})
    world.round()
    world.crm("edit_line", line_of(world, deal), {"quantity": "2"})
    world.round()
    assert world.codes() == []
    ties_out(world)


def test_another_close_date_is_drift_that_holds_nothing(world, deal, ties_out):
    world.crm("edit_deal", deal, {"closedate": "2026-04-01T10:00:00Z"})
    world.round()
    assert only_task(world) == ("changed-in-crm", 0)
    ties_out(world)


@pytest.mark.parametrize("deed", ["reopen", "lose"])
def test_a_deal_that_is_won_no_more_is_a_task_of_the_whole_amount(world, deal, ties_out, deed):
    world.crm(deed, deal)
    world.round(2)
    assert (len(world.invoices()), only_task(world)) == (1, ("reopened", -300))
    ties_out(world)


def test_a_deal_won_again_is_as_before(world, deal, ties_out):
    world.crm("reopen", deal)
    world.round()
    world.crm("win", deal)
    world.round(2)
    assert (len(world.invoices()), world.codes()) == (1, [])
    ties_out(world)


def test_a_deal_won_again_after_its_invoice_was_voided_is_not_invoiced_by_itself(
    world, deal, ties_out
):
    world.crm("reopen", deal)
    world.round()
    world.books("void", id="1")
    world.round()
    ties_out(world)
    world.crm("win", deal)
    world.round(2)
    assert (world.invoices(), only_task(world)) == ([], ("voided", 300))
    ties_out(world)


def test_a_reopened_deal_whose_invoice_was_voided_needs_nobody(world, deal, ties_out):
    world.crm("reopen", deal)
    world.books("void", id="1")
    world.round(2)
    assert world.codes() == []
    ties_out(world)


def test_a_deal_moved_before_the_cutover_is_held_with_the_whole_amount(world, deal, ties_out):
    world.crm("edit_deal", deal, {"closedate": "2025-12-31T10:00:00Z"})
    world.round()
    assert only_task(world) == ("reopened", -300)
    ties_out(world)


def test_an_archived_deal_is_found_when_all_is_reconciled(world, deal, ties_out):
    world.crm("archive", "deals", deal)
    world.working.reconcile("main")
    assert (len(world.invoices()), only_task(world)) == (1, ("deleted-in-crm", -300))
    ties_out(world)
    world.crm("restore", "deals", deal)
    world.round()
    assert world.codes() == []
    ties_out(world)


def test_an_archived_deal_is_found_by_the_daily_look(world, deal, ties_out):
    world.crm("archive", "deals", deal)
    world.restart(sweep_hours=0)
    world.round()
    assert (len(world.invoices()), only_task(world)) == (1, ("deleted-in-crm", -300))
    ties_out(world)


def test_merged_deals_that_are_both_invoiced_ask(world, sold, ties_out):
    one, two = sold(price="100.00"), sold(price="70.00")
    world.round()
    merged = world.crm("merge", "deals", one, two)
    world.round(2)
    assert len(world.invoices()) == 2
    assert "merged?" in world.codes()
    ties_out(world)
    assert merged not in (one, two)


@pytest.mark.parametrize("invoiced", [0, 1])
def test_merged_deals_of_which_one_is_invoiced_ask(world, sold, ties_out, invoiced):
    one = sold(price="100.00")
    world.round()
    two = sold(price="70.00", dealstage="appointmentscheduled")
    deals = [one, two] if invoiced == 0 else [two, one]
    world.crm("merge", "deals", *deals)
    world.round(2)
    assert len(world.invoices()) == 1
    ties_out(world)


def test_merged_deals_of_which_none_is_invoiced_are_one_invoice(world, sold, ties_out):
    one, two = sold(price="100.00"), sold(price="70.00")
    merged = world.crm("merge", "deals", one, two)
    world.crm("edit_deal", merged, {"amount": "340.00"})
    world.round(2)
    assert ([one["net"] for one in world.invoices()], world.codes()) == ([Decimal(340)], [])
    ties_out(world)


def test_merged_deals_that_waited_are_one_invoice(world, sold, ties_out):
    engine = world.restart(approve="by_hand")
    one, two = sold(price="100.00"), sold(price="70.00")
    world.round()
    merged = world.crm("merge", "deals", one, two)
    world.crm("edit_deal", merged, {"amount": "340.00"})
    world.round()
    assert world.codes() == ["approval"]
    ties_out(world)
    engine.approve(engine.sheet_hash("main"), who="ann")
    world.round()
    assert [one["net"] for one in world.invoices()] == [Decimal(340)]
    ties_out(world)


def test_a_merge_answered_with_create_is_invoiced_anew(world, sold, ties_out):
    one, two = sold(price="100.00"), sold(price="70.00", dealstage="appointmentscheduled")
    world.round()
    merged = world.crm("merge", "deals", one, two)
    world.crm("edit_deal", merged, {"amount": "340.00"})
    world.round()
    world.books("void", id="1")
    world.answer("merged?", "create")
    world.round(2)
    assert ([one["net"] for one in world.invoices()], world.codes()) == ([Decimal(340)], [])
    ties_out(world)


def test_a_renamed_company_makes_no_drift_on_what_is_posted(world, sold, ties_out):
    company = buy(world, "Alt GmbH")
    sold(company=company)
    world.round()
    world.crm("edit_company", company, {"name": "Neu GmbH", "payment_terms": "Net 15"})
    world.round(2)
    assert (len(world.invoices()), world.codes()) == (1, [])
    ties_out(world)
    sold(company=company)
    world.round()
    assert {one["customer"] for one in world.invoices()} == {"1"}
    ties_out(world)


def test_a_merged_company_keeps_its_customer_and_makes_no_drift(world, sold, ties_out):
    one, two = buy(world, "Eins GmbH"), buy(world, "Zwei GmbH")
    sold(company=one)
    sold(company=two)
    world.round()
    merged = world.crm("merge", "companies", one, two)
    world.round(2)
    assert (len(world.invoices()), world.codes()) == (2, [])
    ties_out(world)
    sold(company=merged)
    world.round(2)
    assert [one["customer_name"] for one in world.invoices()][-1] == "Eins GmbH"
    ties_out(world)


def test_a_line_moved_to_another_deal_is_drift_on_both(world, deal, sold, ties_out):
    other = sold()
    world.round()
    line = line_of(world, deal)
    world.portal.links.unlink(("line_items", "deals"), int(line), int(deal))
    world.portal.link(("line_items", "deals"), int(line), int(other))
    world.crm("edit_line", line, {"name": "Consulting, moved"})
    world.round(2)
    world.working.reconcile("main")
    held = sorted((task["source_id"], task["code"], task["net"]) for task in world.working.tasks())
    assert held == [(deal, "changed-in-crm", "0"), (other, "changed-in-crm", "300")]
    ties_out(world)


def test_a_customer_that_a_person_chose_stays_chosen_after_a_merge(world, sold, ties_out):
    for name in ("Eins GmbH", "EINS  GmbH "):
        body = {"DisplayName": name, "CurrencyRef": {"value": "EUR"}}
        world.books("create", kind="Customer", body=body)
    one, two = buy(world, "Eins GmbH"), buy(world, "Zwei GmbH")
    sold(company=one)
    world.round()
    world.answer("which-customer", "2")
    world.round()
    merged = world.crm("merge", "companies", two, one)
    sold(company=merged)
    world.round(2)
    assert ([one["customer"] for one in world.invoices()], world.codes()) == (["2", "2"], [])
    ties_out(world)
