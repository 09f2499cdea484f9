"""Payments that the CRM took are posted once, against their invoice, to the right account."""

from decimal import Decimal

import pytest

PAID = {"hs_initiated_date": "2026-04-20T10:00:00Z", "hs_payment_method_type": "bank_transfer"}


@pytest.fixture
def deal(world, sold):
    return sold()


@pytest.fixture
def pay(world):
    def paid(deal, amount, **more):
        return world.crm("add_payment", deal, {**PAID, "hs_initial_amount": amount, **more})

    return paid


def payments(world):
    return [
        (one["total"], [(part["id"], part["amount"]) for part in one["allocations"]])
        for one in world.books_truth()["payments"]
        if not one["voided"] and not one["deleted"]
    ]


def balances(world):
    return [one["balance"] for one in world.invoices()]


def test_a_part_payment_is_applied_to_its_invoice(world, deal, pay, ties_out):
    world.round()
    pay(deal, "100.00", hs_reference_number="PAY-7")
    world.round()
    assert payments(world) == [(100, [("1", 100)])]
    assert balances(world) == [Decimal(257)]
    assert world.told(deal, "invoice_status") == "part-paid"
    assert world.told(deal, "invoice_balance") == "257"
    assert world.told(deal, "last_payment_date") == "2026-04-20"
    [posted] = world.books_truth()["payments"]
    assert (posted["date"], posted["reference"]) == ("2026-04-20", "PAY-7")
    body = world.company.find("Payment", posted["id"]).body
    assert body["DepositToAccountRef"]["name"] == "Checking"
    assert body["PaymentMethodRef"]["name"] == "Bank transfer"
    ties_out(world)
    world.round(2)
    assert len(payments(world)) == 1


def test_a_full_payment_pays_the_invoice(world, deal, pay, ties_out):
    pay(deal, "357.00", hs_payment_method_type="card")
    world.round()
    assert (payments(world), balances(world)) == ([(357, [("1", 357)])], [0])
    assert (world.told(deal, "invoice_status"), world.codes()) == ("paid", [])
    [posted] = world.books_truth()["payments"]
    body = world.company.find("Payment", posted["id"]).body
    assert body["DepositToAccountRef"]["name"] == "Undeposited Funds"
    ties_out(world)


def test_an_overpayment_leaves_its_rest_with_the_customer(world, deal, pay, ties_out):
    pay(deal, "400.00")
    world.round()
    assert (payments(world), balances(world)) == ([(400, [("1", 357)])], [0])
    assert [one["unapplied"] for one in world.books_truth()["payments"]] == [43]
    assert world.told(deal, "invoice_status") == "paid"
    ties_out(world)
    world.round(2)
    assert (len(payments(world)), world.codes()) == (1, [])


def test_two_payments_are_applied_one_after_the_other(world, deal, pay, ties_out):
    pay(deal, "200.00")
    pay(deal, "157.00")
    world.round(2)
    assert sorted(payments(world)) == [(157, [("1", 157)]), (200, [("1", 200)])]
    assert (balances(world), world.told(deal, "invoice_status")) == ([0], "paid")
    ties_out(world)


def test_two_payments_in_one_round_never_take_more_than_is_open(world, deal, pay, ties_out):
    pay(deal, "300.00")
    pay(deal, "300.00")
    world.round(2)
    assert sorted(total for total, _ in payments(world)) == [300, 300]
    assert (balances(world), world.codes()) == ([0], [])
    ties_out(world)


def test_what_two_payments_take_of_an_invoice_is_approved_as_the_books_apply_it(world, deal, pay):
    world.round()
    pay(deal, "300.00")
    pay(deal, "300.00")
    world.restart(approve="by_hand")
    world.round()
    plans = [one for one in world.working.plan(look=False) if one["kind"] == "payment"]
    taken = [part["amount"] for one in plans for part in one["values"]["allocations"]]
    assert sorted(taken) == ["300", "57"]
    world.working.approve(world.working.sheet_hash("main"), who="ann")
    world.round(2)
    assert sorted(payments(world)) == [(300, [("1", 57)]), (300, [("1", 300)])]


def test_a_payment_before_its_invoice_waits_and_follows(world, deal, pay, ties_out):
    engine = world.restart(approve="automatic under 301 EUR")
    big = deal
    world.crm("edit_line", world.deal(big)["lines"][0]["id"], {"price": "200.00"})
    world.crm("edit_deal", big, {"amount": "400.00"})
    pay(big, "50.00")
    world.round()
    assert payments(world) == []
    assert world.codes() == ["approval", "invoice-not-posted"]
    ties_out(world)
    engine.approve(engine.sheet_hash("main"), who="ann")
    world.round()
    assert (payments(world), world.codes()) == ([(50, [("1", 50)])], [])
    ties_out(world)


def test_a_payment_whose_amount_changes_before_it_is_posted_is_planned_anew(
    world, deal, pay, ties_out
):
    engine = world.restart(approve="by_hand")
    world.round()
    engine.approve(engine.sheet_hash("main"), who="ann")
    world.round()
    payment = pay(deal, "100.00")
    world.round()
    engine.approve(engine.sheet_hash("main"), who="ann")
    world.crm("edit_payment", payment, {"hs_initial_amount": "90.00"})
    world.round()
    assert payments(world) == []
    engine.approve(engine.sheet_hash("main"), who="ann")
    world.round()
    assert payments(world) == [(90, [("1", 90)])]
    ties_out(world)


def test_an_amount_that_changes_after_posting_is_drift_and_no_second_payment(
    world, deal, pay, ties_out
):
    payment = pay(deal, "100.00")
    world.round()
    world.crm("edit_payment", payment, {"hs_initial_amount": "120.00"})
    world.round(3)
    assert (payments(world), world.codes()) == ([(100, [("1", 100)])], ["changed-in-crm"])
    assert world.tasks()["changed-in-crm"]["detail"] == {
        "before": {"amount": {"amount": "100", "currency": "EUR"}},
        "now": {"amount": {"amount": "120", "currency": "EUR"}},
    }
    ties_out(world)


@pytest.mark.parametrize("status", ["processing", "failed", "refunded"])
def test_a_payment_that_has_not_succeeded_is_not_posted(world, deal, pay, ties_out, status):
    pay(deal, "100.00", hs_latest_status=status)
    world.round(2)
    assert (payments(world), world.codes()) == ([], [])
    ties_out(world)


def test_a_payment_that_succeeds_later_is_posted_then(world, deal, pay, ties_out):
    payment = pay(deal, "100.00", hs_latest_status="processing")
    world.round()
    world.crm("edit_payment", payment, {"hs_latest_status": "succeeded"})
    world.round()
    assert payments(world) == [(100, [("1", 100)])]
    ties_out(world)


def test_a_refund_after_posting_is_a_task_and_changes_nothing(world, deal, pay, ties_out):
    payment = pay(deal, "100.00")
    world.round()
    refunded = {"hs_latest_status": "refunded", "hs_refunds_amount": "100.00"}
    world.crm("edit_payment", payment, refunded)
    world.round(2)
    assert (payments(world), world.codes()) == ([(100, [("1", 100)])], ["reopened"])
    assert "payment" in world.tasks()["reopened"]["message"]
    ties_out(world)


def test_a_payment_in_another_currency_is_held(world, deal, pay, ties_out):
    pay(deal, "100.00", hs_currency_code="USD")
    world.round()
    assert (payments(world), world.codes()) == ([], ["check", "currency"])
    ties_out(world)


def test_a_payment_of_nothing_is_held(world, deal, pay, ties_out):
    pay(deal, "0.00")
    world.round()
    assert payments(world) == []
    assert set(world.codes()) <= {"check", "payment-amount"} != set()
    ties_out(world)


def test_a_payment_of_a_voided_invoice_is_held_until_it_is_reissued(world, deal, pay, ties_out):
    world.round()
    world.books("void", id="1")
    pay(deal, "100.00")
    world.round()
    assert (payments(world), world.codes()) == ([], ["invoice-voided", "voided"])
    ties_out(world)
    world.working.reissue(f"deal:{deal}", who="ann", reason="again")
    world.round(2)
    assert (payments(world), world.codes()) == ([(100, [("2", 100)])], [])
    ties_out(world)


def test_a_payment_that_the_accountant_has_recorded_asks(world, deal, pay, ties_out):
    world.round()
    world.books("receive_payment", invoices={"1": "100.00"}, day="2026-04-21")
    pay(deal, "100.00")
    world.round()
    assert (len(payments(world)), world.codes()) == (1, ["twin?"])
    recorded = world.books_truth()["payments"][0]["id"]
    world.answer("twin?", f"link:{recorded}")
    world.round(2)
    assert (len(payments(world)), world.codes()) == (1, [])
    assert world.told(deal, "invoice_balance") == "257"
    ties_out(world)


def test_a_payment_that_was_recorded_more_than_a_week_apart_is_another_one(
    world, deal, pay, ties_out
):
    world.round()
    world.books("receive_payment", invoices={"1": "100.00"}, day="2026-04-28")
    pay(deal, "100.00")
    world.round()
    assert (len(payments(world)), world.codes()) == (2, [])
    ties_out(world)


def test_a_payment_without_a_deal_is_held(world, deal, pay, ties_out):
    payment = pay(deal, "100.00")
    world.portal.links.unlink(("commerce_payments", "deals"), int(payment), int(deal))
    world.round()
    assert (payments(world), world.codes()) == ([], ["missing-relation"])
    ties_out(world)


def test_a_payment_of_a_deal_that_was_merged_finds_its_invoice(world, sold, pay, ties_out):
    one, two = sold(), sold(dealstage="appointmentscheduled")
    world.round()
    merged = world.crm("merge", "deals", one, two)
    pay(merged, "100.00")
    world.round(2)
    assert payments(world) == [(100, [("1", 100)])]
    ties_out(world)


def test_a_payment_from_before_the_cutover_is_not_posted(world, deal, pay, ties_out):
    pay(deal, "100.00", hs_initiated_date="2025-12-31T22:59:00Z")
    pay(deal, "50.00", hs_initiated_date="2025-12-31T23:00:00Z")
    world.round(2)
    assert payments(world) == [(50, [("1", 50)])]
    ties_out(world)


def test_a_closed_period_holds_a_payment_by_its_own_date(world, deal, pay, ties_out):
    world.round()
    world.books("close_books", until="2026-04-20")
    pay(deal, "100.00")
    pay(deal, "50.00", hs_initiated_date="2026-04-21T10:00:00Z")
    world.round()
    assert (payments(world), world.codes()) == ([(50, [("1", 50)])], ["period-closed"])
    ties_out(world)
