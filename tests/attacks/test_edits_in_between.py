"""Edits that arrive between two stages: nothing unapproved is sent, no difference is silent."""

from dataclasses import replace

import pytest

from sync_engine.states import in_state

LOST = {"fault": "lose_answer", "method": "POST", "path": "/invoice$"}
LATER = {"fault": "status", "status": 429, "retry_after": 600, "count": None}


def test_an_edit_while_the_outcome_is_unknown_is_drift_once_it_is_found(world, sold, ties_out):
    """What was posted is what was sent, not what the deal says when the invoice is found."""
    deal = sold()
    world.quiet_secs = 0
    world.fault("books", **LOST)
    world.round()
    world.crm("edit_deal", deal, {"closedate": "2026-04-01T10:00:00Z"})
    world.round(2)
    assert (len(world.invoices()), world.codes()) == (1, ["changed-in-crm"])
    ties_out(world)


@pytest.mark.parametrize("deed", ["reopen", "edit_deal"])
def test_what_was_refused_for_now_is_not_sent_when_its_deal_moved_meanwhile(
    world, sold, ties_out, deed
):
    deal = sold()
    world.fault("books", method="POST", path="/invoice$", **LATER)
    world.round()
    world.mend("books")
    changes = [{"closedate": "2026-04-01T10:00:00Z"}] if deed == "edit_deal" else []
    world.crm(deed, deal, *changes)
    world.restart(approve="by_hand")
    world.now.advance(700)
    world.round(2)
    assert world.invoices() == []
    ties_out(world)


def test_what_looking_proved_absent_is_not_sent_when_its_deal_moved_meanwhile(
    world, sold, ties_out
):
    deal = sold()
    world.fault("books", fault="refuse", method="POST", path="/invoice$")
    assert world.round().unknown == 1
    world.crm("reopen", deal)
    world.now.advance(10)
    world.round(2)
    assert world.invoices() == []
    ties_out(world)


def test_a_deal_that_cannot_be_invoiced_any_more_as_it_stands_is_drift(world, sold, ties_out):
    deal = sold()
    world.round()
    world.crm("edit_deal", deal, {"deal_currency_code": ""})
    world.round(2)
    assert world.codes() == ["changed-in-crm"]
    ties_out(world)


def test_a_deal_that_lost_its_company_after_it_was_invoiced_is_drift(world, sold, ties_out):
    deal = sold()
    world.round()
    [company] = world.portal.links.of(("deals", "companies"), int(deal))
    world.portal.links.unlink(("deals", "companies"), int(deal), company)
    world.crm("edit_deal", deal, {"dealname": "Another name"})
    world.round(2)
    assert world.codes() == ["changed-in-crm"]
    ties_out(world)


def test_a_deal_whose_currency_changes_after_invoicing_holds_both_amounts(world, sold, ties_out):
    deal = sold()
    world.round()
    world.crm("edit_deal", deal, {"deal_currency_code": "USD"})
    world.round(2)
    assert len(world.invoices()) == 1
    ties_out(world)


def test_deals_merged_twice_are_counted_once(world, sold, ties_out):
    one = sold(price="100.00")
    world.round()
    two = sold(price="70.00", dealstage="appointmentscheduled")
    merged = world.crm("merge", "deals", one, two)
    world.round()
    three = sold(price="10.00", dealstage="appointmentscheduled")
    world.crm("merge", "deals", merged, three)
    world.round(2)
    assert len(world.invoices()) == 1
    ties_out(world)


def test_a_customer_that_another_person_made_meanwhile_leaves_no_task_behind(world, sold, ties_out):
    sold(company=None)
    engine = world.restart(approve="by_hand")
    world.round()
    body = {"DisplayName": "Firma 1 GmbH", "CurrencyRef": {"value": "EUR"}}
    engine.approve(engine.sheet_hash("main"), who="ann")
    world.books("create", kind="Customer", body=body)
    world.round()
    for _ in range(2):
        wanted = engine.sheet_hash("main")
        if wanted:
            engine.approve(wanted, who="ann")
        world.round()
    assert (len(world.invoices()), world.codes()) == (1, [])
    ties_out(world)


def test_a_customer_that_another_person_makes_between_plan_and_push_is_taken(world, sold, ties_out):
    sold()
    engine = world.restart()

    def meanwhile() -> bool:
        ready = engine.ledger.all("documents_ready", pair="main", limit=1)
        if ready and not world.books_truth()["customers"]:
            body = {"DisplayName": "Firma 1 GmbH", "CurrencyRef": {"value": "EUR"}}
            world.books("create", kind="Customer", body=body)
        return False

    engine.hands = replace(engine.hands, stopping=meanwhile)
    world.round(3)
    assert (len(world.invoices()), world.codes()) == (1, [])
    assert len(world.books_truth()["customers"]) == 1
    ties_out(world)


def test_a_period_that_closes_between_the_approval_and_the_push_holds_what_falls_into_it(
    world, sold, ties_out
):
    """No feed carries the books' preferences, so they are asked for just before a push."""
    sold()
    sold(closedate="2026-04-01T10:00:00Z")
    engine = world.restart()

    def close_once_approved() -> bool:
        if next(in_state(engine.ledger, "main", "approved"), None) is not None:
            world.books("close_books", until="2026-03-31")
        return False

    engine.hands = replace(engine.hands, stopping=close_once_approved)
    world.round()
    assert (len(world.invoices()), world.codes()) == (1, ["period-closed"])
    assert world.tasks()["period-closed"]["family"] == "finding"  # found by us, not refused by them
    ties_out(world)


def test_what_the_books_refused_and_we_then_find_ourselves_is_a_task_all_the_while(
    world, sold, ties_out
):
    """Both tasks are of one code, and the second opens where the first closes."""
    deal = sold()
    engine = world.restart()
    books = engine.pairs["main"].books
    apply = books.apply

    def close_and_apply(parcel):
        if parcel.items[0].kind == "invoice":
            world.books("close_books", until="2026-03-31")
        return apply(parcel)

    books.apply = close_and_apply
    world.round()
    assert [(task["code"], task["family"]) for task in engine.tasks()] == [
        ("period-closed", "refused")
    ]
    sold(closedate="2026-04-01T10:00:00Z")
    world.round()  # which asks for the books' preferences
    world.crm("edit_deal", deal, {"dealname": "Another name"})
    world.round()
    assert [(task["code"], task["family"]) for task in engine.tasks()] == [
        ("period-closed", "finding")
    ]
    assert world.told(deal, "invoice_error").startswith("The books are closed through 2026-03-31")
    ties_out(world)
