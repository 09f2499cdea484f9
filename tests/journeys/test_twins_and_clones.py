"""What a person has already made is found before anything is created."""

import time
from decimal import Decimal

import pytest
from simulated_world import buy

CUSTOMER = {"DisplayName": "Bär GmbH", "CurrencyRef": {"value": "EUR"}}
SOLD = [{"item": "1", "amount": "300.00", "tax_code": "1"}]


@pytest.fixture
def by_hand(world):
    """Let an accountant invoice a customer of the deals' name; return the invoice's id."""

    def make(**more):
        rows = world.company.tables["Customer"].rows.values()
        known = [row.id for row in rows if row.body["DisplayName"] == "Bär GmbH"]
        customer = (
            known[0] if known else world.books("create", kind="Customer", body=CUSTOMER)["Id"]
        )
        given = {"customer": customer, "lines": SOLD, "day": "2026-04-02", **more}
        return world.books("create_invoice", **given)["Id"]

    return make


@pytest.fixture
def deal(world, sold):
    return sold(company=buy(world, "Bär GmbH"))


def test_an_invoice_by_hand_of_the_same_customer_and_total_asks(world, deal, by_hand, ties_out):
    invoice = by_hand()
    world.round()
    assert [one["id"] for one in world.invoices()] == [invoice]
    assert world.codes() == ["twin?"]
    assert world.tasks()["twin?"]["choices"] == [f"link:{invoice}", "create", "ignore"]
    assert world.told(deal, "invoice_status") == "held"
    ties_out(world)


def test_leaving_a_twin_alone_ends_the_deal_s_other_questions(world, deal, by_hand, ties_out):
    by_hand()
    world.books("close_books", until="2026-03-31")
    world.round()
    assert world.codes() == ["period-closed", "twin?"]
    world.answer("twin?", "ignore")
    world.round()
    assert (len(world.invoices()), world.codes()) == (1, ["rejected"])
    ties_out(world)


def test_an_invoice_by_hand_with_the_order_number_asks_and_counts_as_invoiced(
    world, deal, by_hand, ties_out
):
    by_hand(po_number="PO-0001", lines=[{"item": "1", "amount": "290.00", "tax_code": "1"}])
    world.round()
    assert world.codes() == ["twin?"]
    assert world.tasks()["twin?"]["net"] == "10"
    ties_out(world)


def test_an_invoice_by_hand_long_ago_is_no_twin(world, deal, by_hand, ties_out):
    by_hand(day="2026-01-02")
    world.round()
    assert (len(world.invoices()), world.codes()) == (2, [])
    ties_out(world)


def test_a_voided_or_deleted_invoice_by_hand_is_no_twin(world, deal, by_hand, ties_out):
    world.books("void", id=by_hand())
    world.books("delete", id=by_hand())
    world.round()
    assert (len(world.invoices()), world.codes()) == (1, [])
    ties_out(world)


def test_a_link_takes_the_invoice_for_the_deals_own(world, deal, by_hand, ties_out):
    invoice = by_hand(po_number="PO-0001")
    world.round()
    world.answer("twin?", f"link:{invoice}")
    world.round(2)
    assert ([one["id"] for one in world.invoices()], world.codes()) == ([invoice], [])
    assert world.told(deal, "invoice_number") == "1001"
    assert world.told(deal, "invoice_status") == "invoiced"
    ties_out(world)


def test_an_answer_and_its_link_are_one_commit(world, deal, by_hand):
    """Killed between the two, the question would be asked again."""
    invoice = by_hand(po_number="PO-0001")
    world.round()
    before = world.working.ledger.commits
    world.answer("twin?", f"link:{invoice}")
    assert world.working.ledger.commits == before + 1


def test_a_linked_invoice_of_another_amount_holds_the_rest(world, deal, by_hand, ties_out):
    more = [{"item": "1", "amount": "290.00", "tax_code": "1"}]
    invoice = by_hand(po_number="PO-0001", lines=more)
    world.round()
    world.answer("twin?", f"link:{invoice}")
    world.round(2)
    assert world.codes() == ["variance"]
    ties_out(world)


def test_a_linked_invoice_is_followed_like_our_own(world, deal, by_hand, ties_out):
    invoice = by_hand(po_number="PO-0001")
    world.round()
    world.answer("twin?", f"link:{invoice}")
    world.round()
    world.books("void", id=invoice)
    world.round(2)
    assert (world.invoices(), world.codes()) == ([], ["voided"])
    assert world.told(deal, "invoice_status") == "voided"
    ties_out(world)


def test_a_person_may_say_that_it_is_another_one(world, deal, by_hand, ties_out):
    by_hand()
    world.round()
    world.answer("twin?", "create")
    world.round()
    assert (len(world.invoices()), world.codes()) == (2, [])
    ties_out(world)
    world.round(2)
    assert (len(world.invoices()), world.codes()) == (2, [])


def test_an_ignored_twin_leaves_the_deal_to_that_person(world, deal, by_hand, ties_out):
    by_hand()
    world.round()
    world.answer("twin?", "ignore")
    world.round(2)
    assert (len(world.invoices()), world.codes()) == (1, ["rejected"])
    assert "ann" in world.tasks()["rejected"]["message"]
    ties_out(world)
    world.answer("rejected", "retry")
    world.round()
    assert (len(world.invoices()), world.codes()) == (1, ["twin?"])
    ties_out(world)


def test_an_ignored_twin_with_the_order_number_leaves_nothing_to_hold(
    world, deal, by_hand, ties_out
):
    by_hand(po_number="PO-0001")
    world.round()
    world.answer("twin?", "ignore")
    world.round(2)
    assert (len(world.invoices()), world.codes()) == (1, [])
    ties_out(world)


def test_a_twin_made_while_the_plan_waits_is_found_before_it_is_sent(
    world, deal, by_hand, ties_out
):
    by_hand(lines=[{"item": "1", "amount": "1.00", "tax_code": "1"}])
    engine = world.restart(approve="by_hand")
    world.round()
    engine.approve(engine.sheet_hash("main"), who="ann")
    by_hand()
    world.round()
    assert (len(world.invoices()), world.codes()) == (2, ["twin?"])
    ties_out(world)


def test_a_twin_that_is_voided_meanwhile_asks_no_more(world, deal, by_hand, ties_out):
    invoice = by_hand()
    world.round()
    world.books("void", id=invoice)
    world.round()
    assert ([one["by_hand"] for one in world.invoices()], world.codes()) == ([False], [])
    ties_out(world)


def test_a_second_invoice_by_hand_after_ours_is_held_as_too_much(world, deal, by_hand, ties_out):
    world.round()
    by_hand(po_number="PO-0001")
    world.round()
    [task] = world.working.tasks()
    assert (task["code"], Decimal(task["net"])) == ("does-not-tie-out", Decimal(-300))
    ties_out(world)


def test_a_clone_of_an_invoiced_deal_asks(world, deal, ties_out):
    world.round()
    clone = world.crm("clone", deal)
    world.round()
    assert (len(world.invoices()), world.codes()) == (1, ["clone?"])
    assert world.told(clone, "invoice_status") == "held"
    ties_out(world)
    world.answer("clone?", "create")
    world.round(2)
    assert (len(world.invoices()), world.codes()) == (2, [])
    ties_out(world)


def test_a_clone_in_the_same_round_is_invoiced_once(world, deal, ties_out):
    world.crm("clone", deal)
    world.round()
    assert (len(world.invoices()), world.codes()) == (1, ["clone?"])
    ties_out(world)
    world.answer("clone?", "ignore")
    world.round(2)
    assert (len(world.invoices()), world.codes()) == (1, ["rejected"])
    ties_out(world)


def test_the_same_order_number_of_another_customer_is_another_deal(world, sold):
    sold(po_number="2026-1")
    sold(po_number="2026-1")
    world.round()
    assert (len(world.invoices()), world.codes()) == (2, [])


def test_a_clone_with_its_own_order_number_is_another_deal(world, deal, ties_out):
    world.round()
    clone = world.crm("clone", deal)
    world.crm("edit_deal", clone, {"po_number": "PO-9999"})
    world.round()
    assert (len(world.invoices()), world.codes()) == (2, [])
    ties_out(world)


def test_a_deal_with_the_mark_of_another_is_held(world, deal, sold, ties_out):
    world.round()
    mark = world.deal(deal)["custom"]["tieout_mark"]
    other = sold(company=buy(world, "Bär Zwei GmbH"))
    world.crm("edit_deal", deal, {"tieout_mark": ""})
    world.crm("edit_deal", other, {"tieout_mark": mark})
    for _ in range(3):  # it is told that it is held; what tells the copy stays as it is
        world.round()
        assert (len(world.invoices()), world.codes()) == (1, ["mark-of-another"])
        assert world.deal(other)["custom"]["tieout_mark"] == mark
    assert world.told(other, "invoice_status") == "held"
    ties_out(world)
    world.crm("edit_deal", other, {"tieout_mark": ""})
    world.round()
    assert (len(world.invoices()), world.codes()) == (2, [])
    ties_out(world)


def test_our_invoice_copied_by_an_accountant_is_a_task_and_the_pair_goes_on(
    world, deal, sold, ties_out
):
    world.round()
    [ours] = world.invoices()
    time.sleep(3 * world.quiet_secs)  # an asking of ours cannot have made it any more
    world.books("copy_invoice", id=ours["id"])
    sold()
    world.round()
    assert (len(world.invoices()), world.codes()) == (3, ["copied"])
    ties_out(world)


def test_an_invoice_by_hand_is_linked_to_one_deal_only(world, deal, sold, by_hand, ties_out):
    invoice = by_hand(po_number="PO-0001")
    world.round()
    world.answer("twin?", f"link:{invoice}")
    sold(company=world.deal(deal)["company"])
    world.round()
    assert (len(world.invoices()), world.codes()) == (2, [])
    ties_out(world)


def test_a_clone_of_a_merged_deal_does_not_count_its_invoice(world, deal, sold, ties_out):
    other = sold(dealstage="appointmentscheduled")
    world.round()
    merged = world.crm("merge", "deals", deal, other)
    world.round()
    world.crm("clone", merged)
    world.round(2)
    assert len(world.invoices()) == 1
    ties_out(world)


def test_a_clone_of_an_archived_deal_does_not_count_its_invoice(world, deal, ties_out):
    world.round()
    world.crm("clone", deal)
    world.crm("archive", "deals", deal)
    world.working.reconcile("main")
    world.round()
    assert len(world.invoices()) == 1
    ties_out(world)


def test_a_clone_is_seen_although_its_company_was_merged(world, deal, ties_out):
    world.round()
    world.crm("clone", deal)
    other = buy(world, "Nord AG")
    world.books("create", kind="Customer", body={**CUSTOMER, "DisplayName": "Nord AG"})
    world.crm("merge", "companies", other, world.deal(deal)["company"])
    world.round(2)
    assert (len(world.invoices()), world.codes()) == (1, ["clone?"])
    ties_out(world)


def test_a_deal_that_took_over_an_empty_one_is_asked_about_once(world, deal, sold, ties_out):
    empty = sold(lines=[], amount=None, dealstage="appointmentscheduled")
    world.round()
    world.crm("merge", "deals", deal, empty)
    world.round(2)
    assert (len(world.invoices()), world.codes()) == (1, ["merged", "merged?"])
    ties_out(world)
