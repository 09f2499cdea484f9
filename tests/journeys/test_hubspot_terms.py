"""HubSpot's recurring lines: by its own figures each period is posted on its day, and all sum up."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from simulated_world import MAPPINGS, World, open_world, seller
from tie_out import assert_ties_out

from tieout.simulator.clock import SimulatedClock

BEGINS = datetime(2026, 4, 1, 9, tzinfo=UTC)  # a day after the deals are won
RENEWAL = {"pipeline": "renewals", "dealstage": "115002002"}
QUARTERLY = {
    "name": "Cloud",
    "quantity": "2",
    "price": "11.90",
    "hs_discount_percentage": "15",
    "recurringbillingfrequency": "quarterly",
    "hs_recurring_billing_period": "P1Y",
}
SETUP = {"name": "Setup", "quantity": "1", "price": "100.00"}


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(BEGINS)


@pytest.fixture
def world(tmp_path: Path, clock: SimulatedClock) -> Iterator[World]:
    text = (MAPPINGS / "hubspot-subscription-to-invoices.yaml").read_text("utf-8")
    text = text.partition("\ntests:")[0].replace('"subscriptions"', '"renewals"')
    text = text.replace("none: ask #", "none: create\n    create: { name: =company.name } #")
    text = text.replace("\nwith:", "\nfields: { deal: { po_number: text } }\nwith:")
    text = text.replace("  memo:", "  custom_fields: { PO Number: =deal.po_number }\n  memo:")
    file = tmp_path / "terms.yaml"
    file.write_text(text, "utf-8")
    with open_world(tmp_path, clock) as made:
        made.crm_rates = {"searches_per_sec": 1_000}
        made.files = (file,)
        yield made


def posted(world: World) -> list[tuple[str, Decimal]]:
    return [(one["date"], Decimal(one["net"])) for one in world.invoices()]


def test_each_quarter_is_posted_on_its_day_at_the_amount_that_hubspot_rounded(world, clock):
    seller(world)(lines=[SETUP, QUARTERLY], amount="180.92", **RENEWAL)  # 100 and 4 times 20.23
    world.round()
    assert (posted(world), world.codes()) == ([("2026-03-31", Decimal("120.23"))], [])
    assert_ties_out(world)
    clock.advance(timedelta(days=300) / timedelta(seconds=1))
    world.round()
    quarters = [(day, Decimal("20.23")) for day in ("2026-06-30", "2026-09-30", "2026-12-31")]
    assert sorted(posted(world))[1:] == quarters


def test_a_line_that_renews_until_it_is_cancelled_holds_its_deal(world):
    endless = {key: held for key, held in QUARTERLY.items() if "period" not in key}
    seller(world)(lines=[SETUP, endless], amount="120.23", **RENEWAL)
    world.round()
    assert (posted(world), set(world.codes())) == ([], {"formula"})
