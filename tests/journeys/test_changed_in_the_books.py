"""What accountants do with our invoices: each is a task, nothing is written over."""

import json
from decimal import Decimal

import pytest

from tieout.model.errors import Rejected


@pytest.fixture
def deal(world, sold):
    made = sold()
    world.round()
    assert len(world.invoices()) == 1
    return made


def calls_of(world):
    return dict(world.working.pairs["main"].books.calls)


def test_a_voided_invoice_is_a_task_and_nothing_is_made_by_itself(world, deal, ties_out):
    world.books("void", id="1")
    world.round(3)
    assert (world.invoices(), world.codes()) == ([], ["voided"])
    assert Decimal(world.tasks()["voided"]["net"]) == Decimal(300)
    assert world.told(deal, "invoice_status") == "voided"
    ties_out(world)


def test_a_deleted_invoice_is_a_task_and_nothing_is_made_by_itself(world, deal, ties_out):
    world.books("delete", id="1")
    world.round(3)
    assert (world.invoices(), world.codes()) == ([], ["deleted"])
    assert world.told(deal, "invoice_status") == "voided"
    ties_out(world)


def test_a_voided_invoice_is_reissued_only_when_it_is_planned_and_approved(world, deal, ties_out):
    engine = world.restart(approve="by_hand")
    world.books("void", id="1")
    world.round()
    assert engine.reissue(f"deal:{deal}", who="ann", reason="wrong address").endswith("-2")
    world.round()
    assert (world.invoices(), world.codes()) == ([], ["approval"])
    ties_out(world)
    engine.approve(engine.sheet_hash("main"), who="bob", reason="seen")
    world.round()
    [second] = world.invoices()
    assert second["private_note"].endswith("-2]")
    assert (world.codes(), world.told(deal, "invoice_status")) == ([], "invoiced")
    ties_out(world)
    world.round(2)
    assert len(world.invoices()) == 1


def test_a_reissued_invoice_can_be_voided_and_reissued_again(world, deal, ties_out):
    for number in ("1", "2"):
        world.books("void", id=number)
        world.round()
        world.working.reissue(f"deal:{deal}", who="ann", reason="again")
        world.round()
    assert [one["private_note"][-3:] for one in world.invoices()] == ["-3]"]
    assert world.codes() == []
    ties_out(world)


def test_a_living_invoice_is_never_reissued(world, deal):
    with pytest.raises(Rejected):
        world.working.reissue(f"deal:{deal}", who="ann", reason="no reason")


def test_a_voided_invoice_may_be_left_alone(world, deal, ties_out):
    """The task that says so goes on to name what is won and not invoiced."""
    world.books("void", id="1")
    world.round()
    world.answer("voided", "ignore")
    world.round(2)
    assert world.invoices() == []
    assert len(world.codes()) == 1
    ties_out(world)


def test_an_amount_changed_in_the_books_is_drift_with_its_figures(world, deal, ties_out):
    line = {
        "Amount": 250,
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": {"ItemRef": {"value": "1"}, "TaxCodeRef": {"value": "1"}},
    }
    world.books("edit", id="1", changes={"Line": [line]})
    world.round(2)
    assert world.codes() == ["changed-in-books"]
    task = world.tasks()["changed-in-books"]
    assert (task["net"], task["detail"]) == (
        "50",
        {"before": {"net": "300"}, "now": {"net": "250"}},
    )
    assert world.told(deal, "invoice_total") == "297.5"
    ties_out(world)


def test_an_edit_that_is_taken_back_closes_its_task(world, deal, ties_out):
    world.books("edit", id="1", changes={"TxnDate": "2026-04-01"})
    world.round()
    assert world.codes() == ["changed-in-books"]
    ties_out(world)
    world.books("edit", id="1", changes={"TxnDate": "2026-03-31"})
    world.round()
    assert world.codes() == []
    ties_out(world)


def test_drift_that_a_person_has_seen_stays_closed_until_it_changes(world, deal, ties_out):
    world.books("edit", id="1", changes={"TxnDate": "2026-04-01"})
    world.round()
    world.answer("changed-in-books", "ignore")
    world.round(2)
    assert world.codes() == []
    world.books("edit", id="1", changes={"TxnDate": "2026-04-02"})
    world.round(2)
    assert world.codes() == ["changed-in-books"]
    ties_out(world)


def test_a_new_number_is_told_to_the_crm(world, deal, ties_out):
    world.company.custom_txn_numbers = True
    world.books("edit", id="1", changes={"DocNumber": "R-77"})
    world.round(2)
    assert world.codes() == ["number-changed"]
    assert world.told(deal, "invoice_number") == "R-77"
    ties_out(world)
    world.answer("number-changed", "ignore")
    world.round()
    assert world.codes() == []


def test_a_renamed_customer_is_no_drift(world, deal, ties_out):
    world.books("rename_customer", id="1", name="Firma Eins GmbH")
    world.round(2)
    assert (len(world.invoices()), world.codes()) == (1, [])
    ties_out(world)


def test_the_memo_of_an_accountant_stays(world, deal, ties_out):
    world.books("edit", id="1", changes={"PrivateNote": "Called them."})
    world.round(2)
    [invoice] = world.invoices()
    assert (invoice["private_note"], world.codes()) == ("Called them.", [])
    ties_out(world)


def test_two_days_of_accounting_leave_one_task_for_each_difference(world, sold, ties_out):
    deals = [sold() for _ in range(4)]
    world.round()
    world.books("void", id="1")
    world.books("delete", id="2")
    world.books("edit", id="3", changes={"TxnDate": "2026-04-03"})
    world.round(3)
    assert world.codes() == ["changed-in-books", "deleted", "voided"]
    assert len(deals) == 4
    ties_out(world)
    assert json.loads(json.dumps(world.working.status()))["pairs"][0]["tasks"]["voided"] == 1


@pytest.mark.parametrize("deed", ["void", "delete"])
def test_what_was_taken_back_without_its_memo_is_not_made_again_either(world, sold, ties_out, deed):
    """That it was asked for once is enough: the marker in the books is not needed for it."""
    deal = sold()
    world.round()
    world.books("edit", id="1", changes={"PrivateNote": "ours no more"})
    world.round()
    world.books(deed, id="1")
    world.round()
    world.crm("edit_deal", deal, {"dealname": "Another name"})
    world.round(2)
    assert world.invoices() == []
    assert {"void": "voided", "delete": "deleted"}[deed] in world.codes()
    ties_out(world)
