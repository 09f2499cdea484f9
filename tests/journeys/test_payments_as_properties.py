"""Portals that keep a payment as properties of its deal: one payment a deal, never a second."""

import pytest
from simulated_world import MAPPINGS

from tieout.simulator.hubspot.schema import custom

MAPPING = """
mapping: hubspot-paid-deal-to-payment
version: 1
from: hubspot.deal
to: payment

fields:
  deal: { paid_amount: money, paid_on: date, po_number: text }

when: =deal.is_won and deal.close_date >= cutover_date and deal.paid_amount is not None

payment:
  pays: =invoice_of(deal)
  amount: =deal.paid_amount
  currency: =deal.currency
  date: =deal.paid_on
  method: Bank transfer
  deposit_to: Checking
  reference: =deal.po_number
  memo: =join(" ", "Paid, says deal", deal.id)
"""


@pytest.fixture
def deal(world, sold):
    for name, kind in (("paid_amount", "number"), ("paid_on", "date")):
        world.portal.define("deals", custom(name=name, label=name, type=kind))
    file = world.path / "paid.yaml"
    file.write_text(MAPPING, "utf-8")
    world.files = (MAPPINGS / "hubspot-deal-to-invoice.yaml", file)
    return sold()


def payments(world):
    return [(one["total"], one["date"]) for one in world.books_truth()["payments"]]


def test_the_properties_are_posted_as_one_payment(world, deal, ties_out):
    world.crm("edit_deal", deal, {"paid_amount": "100.00", "paid_on": "2026-04-20"})
    world.round(2)
    assert (payments(world), world.codes()) == ([(100, "2026-04-20")], [])
    assert world.told(deal, "invoice_status") == "part-paid"
    ties_out(world)


def test_properties_that_are_filled_later_are_posted_then(world, deal, ties_out):
    world.round()
    world.crm("edit_deal", deal, {"paid_amount": "357.00", "paid_on": "2026-04-20"})
    world.round(2)
    assert payments(world) == [(357, "2026-04-20")]
    assert (world.told(deal, "invoice_status"), world.codes()) == ("paid", [])
    ties_out(world)


def test_a_changed_amount_is_drift_and_never_a_second_payment(world, deal, ties_out):
    world.crm("edit_deal", deal, {"paid_amount": "100.00", "paid_on": "2026-04-20"})
    world.round()
    world.crm("edit_deal", deal, {"paid_amount": "250.00", "paid_on": "2026-05-20"})
    world.round(3)
    assert (payments(world), world.codes()) == ([(100, "2026-04-20")], ["changed-in-crm"])
    ties_out(world)


def test_emptied_properties_take_nothing_back(world, deal, ties_out):
    world.crm("edit_deal", deal, {"paid_amount": "100.00", "paid_on": "2026-04-20"})
    world.round()
    world.crm("edit_deal", deal, {"paid_amount": "", "paid_on": ""})
    world.round(2)
    assert (payments(world), world.codes()) == ([(100, "2026-04-20")], ["reopened"])
    ties_out(world)


def test_a_change_of_the_deal_is_drift_of_its_invoice_only(world, deal, ties_out):
    world.crm("edit_deal", deal, {"paid_amount": "100.00", "paid_on": "2026-04-20"})
    world.round()
    world.crm("add_line", deal, {"name": "Licence", "hs_sku": "L-9", "price": "500.00"})
    world.round(2)
    assert (len(payments(world)), world.codes()) == (1, ["changed-in-crm"])
    assert world.tasks()["changed-in-crm"]["net"] == "500"
    ties_out(world)


def test_what_we_wrote_back_is_never_a_source(world, deal, ties_out):
    """A mapping that reads what is written back gets nothing from it."""
    world.portal.define("deals", custom(name="note", label="Note"))
    text = MAPPING.replace("deal.paid_amount is not None", "deal.last_payment_date is not None")
    (world.path / "paid.yaml").write_text(
        text.replace("=deal.paid_amount", "=deal.invoice_balance").replace(
            "=deal.paid_on", "=deal.last_payment_date"
        ),
        "utf-8",
    )
    world.round()
    world.books("receive_payment", invoices={"1": "100.00"}, day="2026-04-21")
    world.round(3)
    assert world.told(deal, "last_payment_date") == "2026-04-21"
    assert (len(payments(world)), world.codes()) == (1, [])
    ties_out(world)


def test_what_only_the_second_mapping_of_a_kind_needs_is_read_too(world, deal, ties_out):
    text = MAPPING.replace("\nwhen:", "\nwith:\n  taken: deal.payments[]\n\nwhen:")
    (world.path / "paid.yaml").write_text(text, "utf-8")
    world.crm("edit_deal", deal, {"paid_amount": "100.00", "paid_on": "2026-04-20"})
    world.round()
    assert (payments(world), world.codes()) == ([(100, "2026-04-20")], [])
    ties_out(world)
