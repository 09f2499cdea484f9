"""A hint over HTTP, as each CRM sends it: the deal that it names is read before any feed shows it.

No feed shows the deals here: HubSpot's index is late, Salesforce's transaction ended after the
overlap, Dataverse's change is behind the token. So what is posted was read because of the hint.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from dynamics_world import dynamics_seller, open_dynamics_world
from salesforce_world import open_salesforce_world, salesforce_seller
from simulated_world import World, open_world, seller

from tieout.app.hearing import Ear, Hearing, Tuning
from tieout.app.hint_door import HintDoor
from tieout.simulator.dynamics365 import webhooks as dynamics365
from tieout.simulator.hubspot import webhooks as hubspot
from tieout.simulator.quickbooks import webhooks as quickbooks
from tieout.simulator.salesforce import webhooks as salesforce

URL = "https://tieout.example.com"
SECRET = "a-secret-that-both-sides-know"
LONG_AGO = "2026-01-01T00:00:00.000+0000"


@dataclass
class Told:
    """A world whose deals no feed shows, its open door, and how its CRM tells of deals."""

    world: World
    hearing: Hearing
    sell: Callable[..., str]
    tell: Callable[[list[str]], Any]
    port: int

    def round_when_hinted(self) -> None:
        """Work the pair as the daemon does when a hint has made it due."""
        assert self.hearing.due() == ["main"]
        assert self.world.working is not None
        done = self.world.working.round("main", hinted=self.hearing.named("main"))
        assert done.error is None


def of_hubspot(stack: ExitStack, path: Any, port: Callable[[World], int]) -> tuple[Any, ...]:
    world = stack.enter_context(open_world(path))
    world.crm_rates = {"searches_per_sec": 1_000}
    sell = seller(world)

    def late(**values: Any) -> str:
        world.portal.index_lag_secs = 1e9
        return sell(**values)

    def tell(deals: list[str]) -> int:
        to = f"http://127.0.0.1:{port(world)}/hints/hubspot"
        return hubspot.tell(world.portal, f"{URL}/hints/hubspot", SECRET, deals, to=to)

    return world, late, tell


def of_salesforce(stack: ExitStack, path: Any, port: Callable[[World], int]) -> tuple[Any, ...]:
    world = stack.enter_context(open_salesforce_world(path))
    sell = salesforce_seller(world)

    def late(**values: Any) -> str:
        deal = sell(**values)
        for name, key in (("Opportunity", "Id"), ("OpportunityLineItem", "OpportunityId")):
            for record in world.org.tables[name].records.values():
                if record[key] == deal:
                    record["SystemModstamp"] = LONG_AGO
        return deal

    def tell(deals: list[str]) -> int:
        to = f"http://127.0.0.1:{port(world)}/hints/salesforce"
        return salesforce.tell(world.org, SECRET, deals, to=to)

    return world, late, tell


def of_dynamics365(stack: ExitStack, path: Any, port: Callable[[World], int]) -> tuple[Any, ...]:
    world = stack.enter_context(open_dynamics_world(path))
    sell = dynamics_seller(world)

    def late(**values: Any) -> str:
        deal = sell(**values)
        world.org.shelves["opportunity"].records[deal].version = 1
        for line in world.org.shelves["opportunityproduct"].records.values():
            line.version = 1
        return deal

    def tell(deals: list[str]) -> int:
        to = f"http://127.0.0.1:{port(world)}/hints/dynamics365"
        (status,) = set(dynamics365.tell(world.org, SECRET, deals, to=to))
        return status

    return world, late, tell


MADE = {"hubspot": of_hubspot, "salesforce": of_salesforce, "dynamics365": of_dynamics365}


@pytest.fixture(params=sorted(MADE))
def told(request, tmp_path) -> Iterator[Told]:
    """Give each CRM in turn, its first round worked and the door open."""
    with ExitStack() as stack:
        doors: list[HintDoor] = []
        world, sell, tell = MADE[request.param](stack, tmp_path, lambda _: doors[0].port)
        world.round(2)
        assert world.working is not None
        pair = world.working.pairs["main"]
        crm, books = pair.crm.company, pair.books.company
        ears = {
            request.param: [Ear(world.connector, SECRET, frozenset({crm}))],
            "quickbooks": [Ear(type(pair.books), SECRET, frozenset({books}))],
        }
        hearing = Hearing(Tuning(ears, {"main": frozenset({crm, books})}, 0.0), lambda: 0.0)
        doors.append(HintDoor(hearing, "127.0.0.1", 0, URL))
        stack.callback(doors[0].close)
        yield Told(world, hearing, sell, tell, doors[0].port)


def test_the_deal_that_a_hint_names_is_read_and_posted_and_no_other(told):
    deals = [told.sell(), told.sell()]
    told.world.round()
    assert told.world.invoices() == []

    assert told.tell(deals[:1]) == 202
    told.round_when_hinted()
    (invoice,) = told.world.invoices()
    assert invoice["po_number"] == "PO-0001"
    assert told.world.codes() == []


def test_the_hint_of_our_own_write_back_changes_nothing(told):
    deal = told.sell()
    told.tell([deal])
    told.round_when_hinted()
    told.world.round()
    writes = told.world.crm_truth()["deals"]

    told.tell([deal])
    told.round_when_hinted()
    assert len(told.world.invoices()) == 1
    assert told.world.crm_truth()["deals"] == writes


def test_a_hint_of_what_is_not_there_changes_nothing(told):
    nobody = {"hubspot": "999", "salesforce": "006000000000001AAA"}.get(
        told.world.working.pairs["main"].crm.company.partition(":")[0],
        "00000000-0000-4000-8000-0000000000ff",
    )
    assert told.tell([nobody]) == 202
    told.round_when_hinted()
    assert (told.world.invoices(), told.world.codes()) == ([], [])


def test_a_hint_of_the_books_begins_a_round_that_finds_what_they_show(told):
    deal = told.sell()
    told.tell([deal])
    told.round_when_hinted()
    (invoice,) = told.world.invoices()
    told.world.books("receive_payment", invoices={invoice["id"]: None})

    change = [(str(told.world.realm), "Payment", "1")]
    to = f"http://127.0.0.1:{told.port}/hints/quickbooks"
    assert quickbooks.tell(to, SECRET, change, told.world.now()) == 202
    told.round_when_hinted()
    assert Decimal(told.world.told(deal, "invoice_balance")) == 0


def test_a_forged_hint_names_nothing(told):
    change = [(str(told.world.realm), "Invoice", "1")]
    to = f"http://127.0.0.1:{told.port}/hints/quickbooks"
    assert quickbooks.tell(to, "another", change, told.world.now()) == 401
    assert (told.hearing.due(), told.hearing.named("main")) == ([], ())
