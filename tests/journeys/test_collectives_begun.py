"""Deals begin to go together, or one of them was invoiced before: nothing is invoiced twice."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from collective_tie_out import assert_each_ties_out
from simulated_world import MAPPINGS, World, buy, open_world, seller

from tieout.simulator.clock import SimulatedClock

FILE = MAPPINGS / "hubspot-deals-to-monthly-invoice.yaml"


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(datetime(2026, 3, 20, 9, tzinfo=UTC))


@pytest.fixture
def world(tmp_path: Path, clock: SimulatedClock) -> Iterator[World]:
    with open_world(tmp_path, clock) as made:
        made.crm_rates = {"searches_per_sec": 1_000}
        made.files = (FILE,)
        yield made


@pytest.fixture
def sold(world: World) -> Callable[..., str]:
    sell = seller(world)
    return lambda **values: sell(**{"closedate": "2026-03-10T10:00:00Z", **values})


def alone(path: Path) -> Path:
    """Return the mapping without its group, under the same name."""
    text = FILE.read_text(encoding="utf-8").partition("\ntests:")[0]
    group = text[text.index("group: #") : text.index("\ninvoice:")]
    file = path / FILE.name
    text = text.replace(group, "").replace("=group.last_day", "=deal.close_date")
    file.write_text(text.replace('deals of", group.name', 'deal", deal.name'))
    return file


def test_what_waits_alone_goes_along_once_its_mapping_groups(world, sold, clock, tmp_path):
    world.files = (alone(tmp_path),)
    world.approve = "by_hand"
    buyer = buy(world, "Bär GmbH")
    posted, approved, waits = (sold(company=buyer, price=price) for price in ("1", "2", "3"))
    world.round()
    for deal, ends in ((posted, True), (approved, False)):
        [plan] = world.working.plan((f"deal:{deal}",), look=False)
        world.working.approve(plan["hash"][:8], who="ann", reason="seen")
        if ends:
            world.round()
    assert [one["net"] for one in world.invoices()] == [2]
    world.files = (FILE,)
    world.restart(approve="automatic")
    world.round()
    assert ([one["net"] for one in world.invoices()], world.codes()) == ([2], [])
    assert_each_ties_out(world)
    clock.advance(13 * 86_400)
    world.round(2)
    assert [one["net"] for one in world.invoices()] == [2, 10]
    assert world.told(approved, "invoice_number") == world.told(waits, "invoice_number")
    assert world.told(posted, "invoice_number") != world.told(waits, "invoice_number")
    assert_each_ties_out(world)


def test_a_deal_that_a_person_invoiced_is_linked_and_the_others_go_without_it(world, sold, clock):
    buyer = buy(world, "Bär GmbH")
    by_hand, first, second = (sold(company=buyer, price=price) for price in ("1", "2", "3"))
    world.round()
    customer = world.books("create", kind="Customer", body={"DisplayName": "Bär GmbH"})["Id"]
    truth = world.books_truth()
    item = next(one["id"] for one in truth["items"] if one["name"] == "Consulting")
    code = next(one["id"] for one in truth["tax_codes"] if one["name"] == "S19")
    order = world.deal(by_hand)["po_number"]
    made = world.books(
        "create_invoice",
        customer=customer,
        lines=[{"item": item, "amount": "2", "tax_code": code, "description": f"{order}, x"}],
        po_number=order,
        day="2026-03-12",
    )
    world.round()
    assert world.codes() == ["twin?"]
    world.answer("twin?", f"link:{made['Id']}")
    world.round()
    assert world.codes() == []
    clock.advance(13 * 86_400)
    world.round(2)
    assert sorted(one["net"] for one in world.invoices()) == [2, 10]
    assert world.told(first, "invoice_number") == world.told(second, "invoice_number")
    assert world.told(by_hand, "invoice_number") == made.get("DocNumber")
    assert_each_ties_out(world)


def test_the_pdf_of_the_invoice_goes_to_each_deal_and_not_to_the_customer(
    world, sold, clock, tmp_path
):
    file = tmp_path / FILE.name
    file.write_text(
        f"{FILE.read_text(encoding='utf-8').partition(chr(10) + 'tests:')[0]}\npdf: once\n"
    )
    world.files = (file,)
    buyer = buy(world, "Bär GmbH")
    sold(company=buyer), sold(company=buyer)
    world.round()
    clock.advance(13 * 86_400)
    world.round(3)
    assert (len(world.invoices()), world.company.prints, world.codes()) == (1, 2, [])
