"""Two mappings that would both invoice a deal: the first of them does, the other is a task."""

from decimal import Decimal

import pytest
from simulated_world import MAPPINGS

FILE = MAPPINGS / "hubspot-deal-to-invoice.yaml"
MONTHLY = MAPPINGS / "hubspot-deals-to-monthly-invoice.yaml"


@pytest.fixture
def other(tmp_path):
    """Return a second mapping of the same deals."""
    text = FILE.read_text("utf-8").partition("\ntests:")[0]
    made = tmp_path / "second.yaml"
    made.write_text(text.replace("mapping: hubspot-deal-to-invoice", "mapping: second"), "utf-8")
    return made


@pytest.mark.parametrize("approve", ["automatic", "by_hand"])
def test_in_one_round_a_deal_is_invoiced_by_one_mapping(world, sold, other, approve):
    world.approve = approve
    world.files = (FILE, other)
    sold(price="150.00", quantity="2")
    world.round(2)
    for plan in world.working.plan((), look=False):
        if plan["state"] == "waiting":
            world.working.approve(plan["hash"][:8], who="ann", reason="seen")
    world.round(2)
    assert [one["net"] for one in world.invoices()] == [Decimal(300)]
    assert "already-invoiced" in world.codes()


def test_a_deal_that_waits_for_its_month_is_not_invoiced_alone(world, sold):
    world.files = (MONTHLY,)
    sold(price="150.00", quantity="2", closedate=world.now().isoformat())
    world.round()
    world.files = (MONTHLY, FILE)
    world.restart()
    world.round(2)
    assert (world.invoices(), world.codes()) == ([], ["already-invoiced"])


def test_a_mapping_that_was_taken_out_holds_nothing_back(world, sold, other):
    world.approve = "by_hand"
    world.files = (other,)
    sold(price="150.00", quantity="2")
    world.round()
    world.approve = "automatic"
    world.files = (FILE,)
    world.restart()
    world.round(2)
    assert [one["net"] for one in world.invoices()] == [Decimal(300)]
