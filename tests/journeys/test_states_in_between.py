"""What a document is before it is posted, and what is kept of it: taken back, ignored, refused."""

from simulated_world import buy

from sync_engine.states import in_state


def test_an_approval_of_another_plan_does_not_stand_after_a_failed_read(world, sold, ties_out):
    engine = world.restart(approve="by_hand")
    deal = sold()
    world.round()
    engine.approve(engine.sheet_hash("main"), who="ann")
    world.crm("edit_deal", deal, {"po_number": "PO-7777"})
    world.round()
    world.fault("crm", fault="status", status=500, path="deals/line_items/batch/read", count=None)
    engine.reconcile("main")
    world.mend("crm")
    world.round()
    assert (world.invoices(), world.codes()) == ([], ["approval"])
    ties_out(world)


def test_a_deal_that_is_reopened_before_it_is_posted_is_skipped_and_asks_nothing(world, sold):
    engine = world.restart(approve="by_hand")
    deal = sold()
    world.round()
    world.crm("edit_deal", deal, {"dealstage": "appointmentscheduled"})
    world.round()
    [skipped] = [
        row for row in in_state(engine.ledger, "main", "skipped") if row["kind"] == "invoice"
    ]
    assert skipped["reason"].startswith("=deal.is_won")
    assert (skipped["net"], world.codes()) == (None, [])


def test_a_customer_whose_first_invoice_was_refused_is_its_company_s_whatever_its_name(
    world, sold, ties_out
):
    company = buy(world, "Neu GmbH")
    world.fault("books", fault="status", status=400, path="/invoice$", count=None)
    sold(company=company)
    world.round()
    [made] = world.books_truth()["customers"]
    world.mend("books")
    world.books("edit", kind="Customer", id=made["id"], changes={"DisplayName": "Neue Firma GmbH"})
    sold(company=company)
    world.round(2)
    assert [one["name"] for one in world.books_truth()["customers"]] == ["Neue Firma GmbH"]


def test_what_was_refused_and_is_there_after_all_asks_nothing_more(world, sold, ties_out):
    world.fault("books", fault="status", status=400, path="/invoice$", after_commit=True)
    sold()
    world.round()
    world.round(2)
    assert (len(world.invoices()), world.codes()) == (1, [])
    ties_out(world)


def test_a_held_deal_says_what_holds_it_and_not_what_is_only_noted(world, sold):
    deal = sold(lines=[], amount="990.00")
    for number in (1, 2):
        person = world.portal.create("contacts", {"email": f"{number}@firma.example"})
        world.portal.link(("deals", "contacts"), int(deal), person.id)
    world.round()
    [held] = in_state(world.working.ledger, "main", "blocked")
    assert (held["reason"], world.codes()) == ("no-lines", ["check", "no-lines"])
    words = {code: task["message"] for code, task in world.tasks().items()}
    assert words["no-lines"] not in words["check"]
    assert words["check"] not in words["no-lines"]


def test_a_deal_is_told_anew_when_what_holds_it_is_worded_anew(world, sold):
    world.books("close_books", until="2026-03-31")
    deal = sold()
    world.round(2)
    assert "2026-03-31" in world.told(deal, "invoice_error")
    world.books("close_books", until="2026-04-30")
    world.crm("edit_deal", deal, {"description": "in no document"})
    world.restart()
    world.round(2)
    assert "2026-04-30" in world.tasks()["period-closed"]["message"]
    assert "2026-04-30" in world.told(deal, "invoice_error")


def test_what_the_books_should_answer_for_a_payment_is_in_its_plan(world, sold):
    deal = sold()
    paid = {"hs_initiated_date": "2026-04-20T10:00:00Z", "hs_payment_method_type": "bank_transfer"}
    world.crm("add_payment", deal, {**paid, "hs_initial_amount": "100.00"})
    world.round(2)
    [payment] = [
        row for row in in_state(world.working.ledger, "main", "posted") if row["kind"] == "payment"
    ]
    plan = world.working.ledger.one("plan_get", hash=payment["plan_hash"])
    assert plan["expected"] == "100.00"
