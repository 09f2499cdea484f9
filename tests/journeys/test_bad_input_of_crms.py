"""Bad input with each further CRM as source: a clear error at its place, the rest goes on."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from dynamics_world import DynamicsWorld, dynamics_seller, open_dynamics_world
from joined_worlds import joined, share_books
from salesforce_world import SalesforceWorld, open_salesforce_world, salesforce_seller
from simulated_world import World, buy, open_world, seller

from sync_engine.engine import Engine
from sync_engine.pipeline import Hands
from tieout.model.errors import Rejected
from tieout.simulator.dynamics365.schema import Target

NAME, ORDER = "Silver Timber", "PO-77"


@dataclass
class Source:
    """A CRM as these stories need it: who sells there, and who shuts us out and lets us in again."""

    world: World
    sell: Callable[..., str]
    shut: Callable[[], None]
    open_again: Callable[[], None]


def of_salesforce(world: SalesforceWorld) -> Source:
    world.by_secret = True
    sold = salesforce_seller(world)
    org = world.org
    app = org.clients["simulated-consumer-key"]
    secret = app.secret

    def shut() -> None:
        app.secret = "another"
        world.crm("end_sessions")

    def sell(name: str | None = None, currency: str = "EUR", **more: Any) -> str:
        given = {"CurrencyIsoCode": currency, **more}
        if name is not None:
            given["account"] = org.account(Name=name, BillingCountry="DE")
        if "order" in given:
            given["PO_Number__c"] = given.pop("order")
        return sold(**given)

    return Source(
        world,
        sell,
        shut=shut,
        open_again=lambda: setattr(app, "secret", secret),
    )


def of_dynamics(world: DynamicsWorld) -> Source:
    sold = dynamics_seller(world)
    org = world.org

    def sell(name: str | None = None, currency: str = "EUR", **more: Any) -> str:
        money = Target("transactioncurrency", org.currency(currency).id)
        given = {"transactioncurrencyid": money, **more}
        if name is not None:
            given["company"] = org.company(name=name, nly_countrycode="DE")
        if "order" in given:
            given["nly_ponumber"] = given.pop("order")
        return sold(**given)

    return Source(
        world,
        sell,
        shut=lambda: world.crm("revoke_tokens"),
        open_again=lambda: world.crm("grant_token", org.token),
    )


@pytest.fixture(params=["salesforce", "dynamics365"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Source]:
    path = tmp_path / "source"
    path.mkdir()
    if request.param == "salesforce":
        with open_salesforce_world(path) as org:
            yield of_salesforce(org)
    else:
        with open_dynamics_world(path) as organization:
            yield of_dynamics(organization)


# -- a currency that the books lack ----------------------------------------------------------------


def test_a_deal_in_a_currency_that_the_books_lack_is_held_until_they_have_it(source):
    world = source.world
    world.company.multicurrency = False
    held = source.sell(currency="USD", price="10.01")
    source.sell()
    world.round()
    assert ([one["net"] for one in world.invoices()], world.codes()) == (
        [Decimal(300)],
        ["currency"],
    )
    task = world.tasks()["currency"]
    assert (task["source_id"], task["net"], task["currency"]) == (held, "20.02", "USD")
    assert "USD" in task["message"]
    world.company.multicurrency = True
    world.round()
    nets = sorted((one["currency"], one["net"]) for one in world.invoices())
    assert (nets, world.codes()) == ([("EUR", Decimal(300)), ("USD", Decimal("20.02"))], [])


# -- a consent that is revoked in the middle of a round ---------------------------------------------


def in_the_middle(engine: Engine, when: Callable[[], Any], deed: Callable[[], None]) -> None:
    """Let a deed be done between two calls of the next round, as soon as something is so."""
    done: list[bool] = []

    def stopping() -> bool:
        if not done and when():
            done.append(True)
            deed()
        return False

    engine.hands = Hands(engine.hands.clock, engine.hands.sleep, stopping)


def test_a_crm_that_shuts_us_out_in_the_middle_of_a_round_is_told_all_when_it_lets_us_in(source):
    world = source.world
    deals = [source.sell() for _ in range(2)]
    engine = world.restart()
    in_the_middle(engine, world.invoices, source.shut)
    engine.round("main")
    (pair,) = engine.status()["pairs"]
    assert pair["paused"]["code"] == "unauthorized"
    assert world.codes() == ["unauthorized"]
    assert len(world.invoices()) == 2
    assert [world.told(deal, "invoice_number") for deal in deals] == [None, None]

    source.sell()
    assert engine.round("main").pushed.parcels == 0  # it stands still
    source.open_again()
    engine = world.restart()
    engine.resume("main", who="ann", reason="let in again")
    world.round(2)
    assert len(world.invoices()) == 3
    assert None not in [world.told(deal, "invoice_number") for deal in deals]
    assert world.codes() == []


def test_books_whose_consent_is_revoked_in_the_middle_of_a_round_are_posted_to_once(source):
    """The customers are made by then, and their invoices wait in the queue."""
    world = source.world
    deals = [source.sell(), source.sell(price="10.01")]
    engine = world.restart()
    tokens: Any = world.authority.static_tokens
    held = dict(tokens)
    in_the_middle(engine, lambda: world.books_truth()["customers"], tokens.clear)
    engine.round("main")
    (pair,) = engine.status()["pairs"]
    assert pair["paused"]["code"] == "unauthorized"
    assert (len(world.books_truth()["customers"]), world.invoices()) == (2, [])

    tokens.update(held)
    engine = world.restart()
    engine.resume("main", who="ann", reason="connected anew")
    world.round(2)
    nets = sorted(one["net"] for one in world.invoices())
    assert (len(world.books_truth()["customers"]), nets) == (2, [Decimal("20.02"), Decimal(300)])
    assert None not in [world.told(deal, "invoice_number") for deal in deals]
    assert world.codes() == []


# -- two CRMs that claim the same invoice -----------------------------------------------------------


@dataclass
class Shared:
    """HubSpot and another CRM, which sell into the same books."""

    portal: World
    other: Source

    def start(self, approve: str = "automatic") -> Engine:
        return joined({"first": self.portal, "second": self.other.world}, approve=approve)

    def sell(self) -> tuple[str, str]:
        """Let both have a deal of one customer, order number and total."""
        company = buy(self.portal, NAME)
        mine = seller(self.portal)(company=company, po_number=ORDER)
        return mine, self.other.sell(NAME, order=ORDER)


@pytest.fixture
def shared(source: Source, tmp_path: Path) -> Iterator[Shared]:
    with open_world(tmp_path) as portal:
        portal.crm_rates = {"searches_per_sec": 1_000}
        share_books(portal, source.world)
        yield Shared(portal, source)


def work(engine: Engine, *names: str) -> None:
    for name in names or ("first", "second"):
        assert engine.round(name).error is None


def the_task(engine: Engine) -> dict[str, Any]:
    (task,) = engine.tasks()
    return task


def test_a_sale_that_both_crms_tell_is_invoiced_once_and_the_other_asked_about(shared):
    mine, theirs = shared.sell()
    engine = shared.start()
    work(engine)
    work(engine)
    assert [one["net"] for one in shared.portal.invoices()] == [Decimal(300)]
    task = the_task(engine)
    assert (task["code"], task["pair"], task["source_id"]) == ("clone?", "second", theirs)
    assert f"Deal {mine} has the same customer" in task["message"]
    engine.answer(task["id"], "ignore", who="ann", reason="the same sale")
    work(engine)
    assert (len(shared.portal.invoices()), the_task(engine)["code"]) == (1, "rejected")


def test_a_sale_of_a_new_customer_that_both_plan_before_either_posts_is_asked_about_too(shared):
    """Neither has an id in the books yet: their names say that they are one."""
    _, theirs = shared.sell()
    engine = shared.start(approve="by_hand")
    work(engine)
    codes = sorted((task["pair"], task["code"]) for task in engine.tasks())
    assert codes == [("first", "approval"), ("second", "clone?")]
    for _ in range(2):
        sheet = engine.sheet_hash("first")
        if sheet is not None:
            engine.approve(sheet, who="ann")
        work(engine)
    assert len(shared.portal.invoices()) == 1
    assert the_task(engine)["source_id"] == theirs


def test_an_invoice_by_hand_that_deals_of_both_crms_claim_is_linked_to_one_of_them(shared):
    """Once it is one deal's, it is no answer for the other any more."""
    body = {"DisplayName": NAME, "CurrencyRef": {"value": "EUR"}}
    customer = shared.portal.books("create", kind="Customer", body=body)["Id"]
    lines = [{"item": "1", "tax_code": "1", "amount": "300.00"}]
    given = {"customer": customer, "lines": lines, "day": "2026-03-31", "po_number": ORDER}
    made = shared.portal.books("create_invoice", **given)["Id"]
    mine, theirs = shared.sell()
    engine = shared.start()
    work(engine)
    first, second = sorted(engine.tasks(), key=lambda task: task["pair"])
    assert {task["code"] for task in (first, second)} == {"twin?"}
    assert f"link:{made}" in first["choices"]
    assert f"link:{made}" in second["choices"]
    engine.answer(first["id"], f"link:{made}", who="ann", reason="it is this one's")
    with pytest.raises(Rejected, match="linked"):
        engine.answer(second["id"], f"link:{made}", who="ann", reason="and this one's")
    work(engine)
    work(engine)
    assert len(shared.portal.invoices()) == 1
    assert shared.portal.told(mine, "invoice_status") == "invoiced"
    task = the_task(engine)
    assert (task["code"], task["source_id"]) == ("clone?", theirs)
