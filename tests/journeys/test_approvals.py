"""Nothing is ever sent but what was approved."""

import json
import sqlite3
from contextlib import closing
from decimal import Decimal

import pytest

from sync_engine.states import in_state
from tieout.model.errors import NotFound
from tieout.model.money import Money


def plan_of(engine, deal, state):
    [plan] = [
        one
        for one in engine.plan(look=False)
        if one["source"] == f"deal:{deal}" and one["state"] == state
    ]
    return plan


def test_by_hand_sends_nothing_until_a_person_approves_the_hash(world, sold, ties_out):
    engine = world.restart(approve="by_hand")
    deal = sold()
    world.round()
    assert (world.invoices(), world.codes()) == ([], ["approval"])
    assert world.told(deal, "invoice_status") == "waiting"
    ties_out(world)
    engine.approve(plan_of(engine, deal, "waiting")["hash"][:12], who="ann", reason="seen")
    world.round()
    [invoice] = world.invoices()
    assert (invoice["net"], world.codes()) == (Decimal(300), [])
    ties_out(world)


def test_an_edit_after_the_approval_lets_it_fall(world, sold, ties_out):
    engine = world.restart(approve="by_hand")
    deal = sold()
    world.round()
    before = plan_of(engine, deal, "waiting")["hash"]
    engine.approve(before, who="ann")
    [line] = world.deal(deal)["lines"]
    world.crm("edit_line", line["id"], {"quantity": "3"})
    world.crm("edit_deal", deal, {"amount": "450.00"})
    world.round()
    after = plan_of(engine, deal, "waiting")["hash"]
    assert after != before
    assert (world.invoices(), world.codes()) == ([], ["approval"])
    ties_out(world)
    with pytest.raises(NotFound):
        engine.approve(before, who="ann")
    engine.approve(after, who="ann")
    world.round()
    assert [one["net"] for one in world.invoices()] == [Decimal(450)]
    ties_out(world)


def test_an_edit_that_is_taken_back_keeps_the_approval_of_the_same_hash(world, sold):
    engine = world.restart(approve="by_hand")
    deal = sold()
    world.round()
    engine.approve(plan_of(engine, deal, "waiting")["hash"], who="ann")
    world.crm("edit_deal", deal, {"dealname": "Another name"})
    world.crm("edit_deal", deal, {"dealname": "Order 1"})
    world.round()
    assert len(world.invoices()) == 1


def test_a_deal_reopened_before_it_is_sent_is_not_sent(world, sold, ties_out):
    engine = world.restart(approve="by_hand")
    deal = sold()
    world.round()
    engine.approve(plan_of(engine, deal, "waiting")["hash"], who="ann")
    world.crm("reopen", deal)
    world.round()
    assert (world.invoices(), world.codes()) == ([], [])
    ties_out(world)


def test_a_deal_archived_before_it_is_sent_is_not_sent(world, sold, ties_out):
    """No feed shows an archived deal: what waited is read again before it is sent."""
    engine = world.restart(approve="by_hand")
    deal = sold()
    world.round()
    engine.approve(plan_of(engine, deal, "waiting")["hash"], who="ann")
    world.crm("archive", "deals", deal)
    world.round()
    assert (world.invoices(), world.codes()) == ([], [])
    ties_out(world)


def test_a_line_removed_before_it_is_sent_lets_the_approval_fall(world, sold, ties_out):
    engine = world.restart(approve="by_hand")
    line = {"name": "Licence", "hs_sku": "L-9", "price": "500.00"}
    deal = sold(lines=[line, line], amount="1000.00")
    world.round()
    engine.approve(plan_of(engine, deal, "waiting")["hash"], who="ann")
    world.crm("remove_line", world.deal(deal)["lines"][0]["id"])
    world.round()
    assert (world.invoices(), world.codes()) == ([], ["check"])
    ties_out(world)


def test_a_rejected_plan_stays_out_of_the_books_and_says_so(world, sold, ties_out):
    engine = world.restart(approve="by_hand")
    deal = sold()
    world.round()
    engine.reject(plan_of(engine, deal, "waiting")["hash"], who="ann", reason="a present")
    world.round(2)
    assert (world.invoices(), world.codes()) == ([], ["rejected"])
    assert "ann" in world.tasks()["rejected"]["message"]
    assert "a present" in world.tasks()["rejected"]["message"]
    assert world.told(deal, "invoice_status") == "problem"
    engine.resync(f"deal:{deal}", who="ann")
    [explained] = engine.explain(f"deal:{deal}")["documents"]
    assert (explained["state"], explained["reason"]) == ("rejected", "a present")
    ties_out(world)


def test_a_rejected_deal_that_changes_is_planned_anew(world, sold, ties_out):
    engine = world.restart(approve="by_hand")
    deal = sold()
    world.round()
    engine.reject(plan_of(engine, deal, "waiting")["hash"], who="ann", reason="wrong")
    world.crm("edit_line", world.deal(deal)["lines"][0]["id"], {"quantity": "1"})
    world.crm("edit_deal", deal, {"amount": "150.00"})
    world.round()
    assert world.codes() == ["approval"]
    ties_out(world)


def test_one_hash_approves_the_whole_sheet(world, sold, ties_out):
    engine = world.restart(approve="by_hand")
    for _ in range(3):
        sold()
    world.round()
    sheet = engine.sheet_hash("main")
    assert engine.approve(sheet, who="ann", reason="all seen") == 3
    world.round()
    assert len(world.invoices()) == 3
    ties_out(world)


def test_a_sheet_that_grew_is_another_sheet(world, sold, ties_out):
    engine = world.restart(approve="by_hand")
    sold()
    sold()
    world.round()
    sheet = engine.sheet_hash("main")
    sold()
    world.round()
    with pytest.raises(NotFound):
        engine.approve(sheet, who="ann")
    assert world.invoices() == []
    ties_out(world)


def test_automatic_under_an_amount_asks_from_it_on_and_in_other_currencies(world, sold, ties_out):
    world.restart(approve="automatic under 500 EUR")
    sold(price="499.99", quantity="1")
    sold(price="500.00", quantity="1")
    sold(price="10.00", quantity="1", deal_currency_code="USD")
    world.round()
    assert [one["net"] for one in world.invoices()] == [Decimal("499.99")]
    assert world.codes() == ["approval", "approval"]
    ties_out(world)


def test_too_many_documents_at_once_ask_even_an_automatic_policy(world, sold, ties_out):
    engine = world.restart(unsafe_documents=2)
    for _ in range(3):
        sold()
    world.round()
    assert (world.invoices(), world.codes().count("unsafe")) == ([], 1)
    ties_out(world)
    engine.approve(engine.sheet_hash("main"), who="ann", reason="the first day")
    world.round()
    assert (len(world.invoices()), world.codes()) == (3, [])
    ties_out(world)


def test_what_was_sent_is_what_was_approved(world, sold):
    """Each parcel's keys have an approved plan, whose values are the outbox's change."""
    world.restart(approve="automatic under 400 EUR")
    for n in range(1, 5):
        sold(quantity=str(n))
    world.round(2)
    with closing(sqlite3.connect(world.path / "ledger.db")) as ledger:
        sent = ledger.execute(
            "SELECT o.key, o.change, p.change FROM outbox o JOIN plan p ON p.hash = o.plan_hash"
            " JOIN decision d ON d.plan_hash = o.plan_hash AND d.verdict = 'approved'"
            " WHERE o.kind = 'invoice'"
        ).fetchall()
        asked = ledger.execute("SELECT count(*) FROM outbox WHERE kind = 'invoice'").fetchone()
    assert asked == (len(sent),) == (2,)
    for _, change, planned in sent:
        approved = json.loads(planned)["values"]
        approved.pop("customer")  # named by the key of its plan until the books gave it an id
        assert approved.items() <= json.loads(change)["values"].items()


def test_a_failed_read_holds_what_was_approved_and_costs_no_second_approval(world, sold, ties_out):
    engine = world.restart(approve="by_hand")
    sold()
    world.round()
    engine.approve(engine.sheet_hash("main"), who="ann")
    world.fault("crm", fault="status", status=500, path="deals/batch/read", count=20)
    world.round()
    assert (world.invoices(), world.codes()) == ([], ["unreadable"])
    ties_out(world)
    world.mend("crm")
    world.round()
    assert (len(world.invoices()), world.codes()) == (1, [])
    ties_out(world)


def test_too_large_an_amount_at_once_asks_and_counts_what_is_in_its_currency(world, sold, ties_out):
    world.restart(unsafe_amount=Money.of("600", "EUR"))
    sold(deal_currency_code="USD")
    sold()
    world.round()
    assert (len(world.invoices()), world.codes()) == (2, [])
    sold()
    sold(price="150.01")
    world.round()
    assert (len(world.invoices()), world.codes()) == (2, ["approval", "approval", "unsafe"])
    assert "600.02 EUR, more than the 600.00 EUR" in world.tasks()["unsafe"]["message"]
    ties_out(world)


def test_a_failed_read_gives_no_approval_back_that_had_fallen(world, sold, ties_out):
    """The same hash came back, but a person has to say so again: not so that a read failed."""
    engine = world.restart(approve="by_hand")
    deal = sold()
    world.round()
    engine.approve(engine.sheet_hash("main"), who="ann")
    for name in ("PO-7777", "PO-0001"):  # it moves away, and back
        world.crm("edit_deal", deal, {"po_number": name})
        world.round()
        assert (world.invoices(), world.codes()) == ([], ["approval"])
    world.fault("crm", fault="status", status=500, path="deals/line_items/batch/read", count=None)
    engine.reconcile("main")
    assert (world.invoices(), world.codes()) == ([], ["unreadable"])
    world.mend("crm")
    world.round()
    assert (world.invoices(), world.codes()) == ([], ["approval"])
    ties_out(world)


def test_a_failed_read_changes_nothing_of_what_was_rejected(world, sold, ties_out):
    engine = world.restart(approve="by_hand")
    deal = sold()
    world.round()
    engine.reject(plan_of(engine, deal, "waiting")["hash"], who="ann", reason="a present")
    world.round()
    before = world.codes()
    world.fault("crm", fault="status", status=500, path="deals/line_items/batch/read", count=None)
    engine.reconcile("main")
    assert (list(in_state(engine.ledger, "main", "blocked")), world.codes()) == ([], before)
    world.mend("crm")
    world.round()
    assert (world.invoices(), world.codes()) == ([], before)
    [explained] = engine.explain(f"deal:{deal}")["documents"]
    assert (explained["state"], explained["reason"]) == ("rejected", "a present")
    ties_out(world)


def test_while_it_cannot_be_read_it_is_blocked_for_that_and_keeps_its_plan_and_amount(world, sold):
    engine = world.restart(approve="by_hand")
    deal = sold()
    world.round()
    plan = plan_of(engine, deal, "waiting")["hash"]
    world.fault("crm", fault="status", status=500, path="deals/line_items/batch/read", count=None)
    engine.reconcile("main")
    [held] = in_state(engine.ledger, "main", "blocked")
    assert (held["reason"], held["plan_hash"], held["net"]) == ("unreadable", plan, "300.00")
    engine.reconcile("main")  # and again, while it still cannot be read
    assert world.codes() == ["unreadable"]
    world.mend("crm")
    world.round()
    assert (plan_of(engine, deal, "waiting")["hash"], world.codes()) == (plan, ["approval"])
