"""What is paid in the books comes back from the payments themselves, never from a balance."""

from decimal import Decimal

import pytest
from simulated_world import buy

LINES = [{"item": "1", "amount": "100.00", "tax_code": "1"}]


@pytest.fixture
def deal(world, sold):
    made = sold()
    world.round()
    return made


def told(world, deal):
    return tuple(
        world.told(deal, name)
        for name in ("invoice_status", "invoice_balance", "last_payment_date")
    )


def test_a_payment_in_part_and_then_in_full(world, deal, ties_out):
    assert told(world, deal) == ("invoiced", "357", None)
    world.books("receive_payment", invoices={"1": "100.00"}, day="2026-05-04")
    world.round()
    assert told(world, deal) == ("part-paid", "257", "2026-05-04")
    world.books("receive_payment", invoices={"1": None}, day="2026-05-05")
    world.round()
    assert (told(world, deal), world.codes()) == (("paid", "0", "2026-05-05"), [])
    ties_out(world)


def test_an_overpayment_pays_and_no_more(world, deal, ties_out):
    world.books("receive_payment", invoices={"1": None}, total="500.00", day="2026-05-05")
    world.round()
    assert (told(world, deal), world.codes()) == (("paid", "0", "2026-05-05"), [])
    ties_out(world)


def test_one_payment_over_many_invoices(world, sold, ties_out):
    company = buy(world, "Viel GmbH")
    deals = [sold(company=company) for _ in range(3)]
    world.round()
    split = {"1": "357.00", "2": "100.00", "3": "0.50"}
    world.books("receive_payment", invoices=split, day="2026-05-05")
    world.round()
    balances = {world.told(deal, "invoice_balance") for deal in deals}
    statuses = sorted(world.told(deal, "invoice_status") for deal in deals)
    assert (balances, statuses) == ({"0", "257", "356.5"}, ["paid", "part-paid", "part-paid"])
    ties_out(world)


def test_a_credit_covers_without_being_a_payment(world, deal, ties_out):
    world.books("credit", customer="1", lines=LINES, apply_to="1", day="2026-05-05")
    world.round()
    assert (told(world, deal), world.codes()) == (("part-paid", "238", None), [])
    ties_out(world)


def test_what_is_paid_in_part_and_credited_for_the_rest_is_paid(world, deal, ties_out):
    world.books("receive_payment", invoices={"1": "238.00"}, day="2026-05-04")
    world.books("credit", customer="1", lines=LINES, apply_to="1", day="2026-05-05")
    world.round()
    assert (told(world, deal), world.codes()) == (("paid", "0", "2026-05-04"), [])
    ties_out(world)


def test_an_unused_credit_covers_nothing(world, deal, ties_out):
    world.books("credit", customer="1", lines=LINES, day="2026-05-05")
    world.round()
    assert (told(world, deal), world.codes()) == (("invoiced", "357", None), [])
    ties_out(world)


def test_a_refund_in_the_books_changes_no_invoice(world, deal, ties_out):
    world.books("receive_payment", invoices={"1": None}, day="2026-05-05")
    world.books("refund", customer="1", lines=LINES, day="2026-05-06")
    world.round()
    assert (told(world, deal), world.codes()) == (("paid", "0", "2026-05-05"), [])
    ties_out(world)


@pytest.mark.parametrize("deed", ["void", "delete"])
def test_a_payment_taken_back_is_told(world, deal, ties_out, deed):
    """A deleted payment comes as a bare id: what it covered is known from before (R50)."""
    payment = world.books("receive_payment", invoices={"1": None}, day="2026-05-05")["Id"]
    world.round()
    assert told(world, deal)[0] == "paid"
    world.books(deed, kind="Payment", id=payment)
    world.round()
    assert (told(world, deal), world.codes()) == (("invoiced", "357", None), [])
    ties_out(world)


def test_a_payment_un_applied_is_told(world, deal, ties_out):
    payment = world.books("receive_payment", invoices={"1": None}, day="2026-05-05")["Id"]
    world.round()
    world.books("edit", kind="Payment", id=payment, changes={"Line": []})
    world.round()
    assert (told(world, deal), world.codes()) == (("invoiced", "357", None), [])
    ties_out(world)


def test_a_payment_that_was_not_applied_pays_nothing_until_it_is(world, deal, ties_out):
    made = world.books("receive_payment", customer="1", total="357.00", day="2026-05-05")
    world.round()
    assert told(world, deal)[0] == "invoiced"
    line = {"Amount": 357, "LinkedTxn": [{"TxnId": "1", "TxnType": "Invoice"}]}
    world.books("edit", kind="Payment", id=made["Id"], changes={"Line": [line]})
    world.round()
    assert told(world, deal) == ("paid", "0", "2026-05-05")
    ties_out(world)


def test_a_payment_moved_to_another_invoice_tells_both(world, sold, ties_out):
    company = buy(world, "Viel GmbH")
    deals = [sold(company=company) for _ in range(2)]
    world.round()
    made = world.books("receive_payment", invoices={"1": "357.00"}, day="2026-05-05")
    world.round()
    line = {"Amount": 357, "LinkedTxn": [{"TxnId": "2", "TxnType": "Invoice"}]}
    world.books("edit", kind="Payment", id=made["Id"], changes={"Line": [line]})
    world.round()
    assert sorted(world.told(deal, "invoice_status") for deal in deals) == ["invoiced", "paid"]
    ties_out(world)


def test_a_paid_invoice_that_is_voided_is_told_and_asks(world, deal, ties_out):
    payment = world.books("receive_payment", invoices={"1": "100.00"}, day="2026-05-05")["Id"]
    world.round()
    world.books("void", kind="Payment", id=payment)
    world.books("void", id="1")
    world.round()
    assert (world.told(deal, "invoice_status"), world.codes()) == ("voided", ["voided"])
    ties_out(world)


def test_our_own_payment_voided_in_the_books_is_a_task(world, deal, ties_out):
    paid = {"hs_initial_amount": "100.00", "hs_initiated_date": "2026-04-20T10:00:00Z"}
    world.crm("add_payment", deal, paid)
    world.round()
    assert world.told(deal, "invoice_status") == "part-paid"
    world.books("void", kind="Payment", id=world.books_truth()["payments"][0]["id"])
    world.round(2)
    assert world.codes() == ["voided"]
    assert world.told(deal, "invoice_status") == "invoiced"
    assert len(world.books_truth()["payments"]) == 1
    ties_out(world)


def test_an_invoice_written_off_with_its_customer_is_covered_and_not_paid(world, deal, ties_out):
    world.books("inactivate", kind="Customer", id="1")
    world.round()
    assert told(world, deal) == ("credited", "0", None)
    ties_out(world)


def test_a_deleted_credit_uncovers(world, deal, ties_out):
    memo = world.books("credit", customer="1", lines=LINES, apply_to="1", day="2026-05-05")["Id"]
    world.round()
    assert world.told(deal, "invoice_balance") == "238"
    [application] = [
        one["id"] for one in world.books_truth()["payments"] if one["total"] == Decimal(0)
    ]
    world.books("delete", kind="Payment", id=application)
    world.books("delete", kind="CreditMemo", id=memo)
    world.round()
    assert (told(world, deal), world.codes()) == (("invoiced", "357", None), [])
    ties_out(world)
