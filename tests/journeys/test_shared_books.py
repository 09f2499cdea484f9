"""Two pairs of one set of books that want the same new customer: made once, by whoever is first."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from joined_worlds import joined, share_books
from recording import Heard
from salesforce_world import SalesforceWorld, open_salesforce_world, salesforce_seller
from simulated_world import World, buy, open_world, seller

from sync_engine.engine import Engine
from sync_engine.states import in_state

NAME = "Silver Timber"
CREATED = """      none: create
      create:
        name: =line.name
        sku: =line.sku
"""
HUBSPOT, SALESFORCE = "from hubspot", "from salesforce"


@pytest.fixture
def worlds(tmp_path: Path, heard: list[Heard]) -> Iterator[tuple[World, SalesforceWorld]]:
    """A portal and an org that sell into the same books."""
    other = tmp_path / "org"
    other.mkdir()
    with open_world(tmp_path, heard=heard) as portal, open_salesforce_world(other) as org:
        portal.crm_rates = {"searches_per_sec": 1_000}
        share_books(portal, org)
        yield portal, org


@pytest.fixture
def portal(worlds: tuple[World, SalesforceWorld]) -> World:
    return worlds[0]


@pytest.fixture
def org(worlds: tuple[World, SalesforceWorld]) -> SalesforceWorld:
    return worlds[1]


def start(portal: World, org: SalesforceWorld, approve: str = "by_hand") -> Engine:
    return joined({HUBSPOT: portal, SALESFORCE: org}, approve=approve)


def sell(portal: World, city: str | None = None) -> str:
    company = buy(portal, NAME, **({} if city is None else {"city": city}))
    return seller(portal)(company=company, po_number="PO-H")


def sell_too(org: SalesforceWorld) -> str:
    account = org.org.account(Name=NAME, BillingCountry="DE")
    return salesforce_seller(org)(account=account, PO_Number__c="PO-S")


def work(engine: Engine, *names: str) -> None:
    for name in names or (HUBSPOT, SALESFORCE):
        assert engine.round(name).error is None


def approve(engine: Engine, pair: str) -> None:
    wanted = engine.sheet_hash(pair)
    assert wanted is not None
    engine.approve(wanted, who="ann")


def posted(engine: Engine, world: World) -> tuple[list[str], list[Decimal], list[str]]:
    """The living customers, what their invoices come to, and the codes of the open tasks."""
    truth = world.books_truth()
    names = sorted(one["name"] for one in truth["customers"] if one["active"])
    assert len({one["id"] for one in truth["customers"]}) == len(truth["customers"])
    codes = sorted(task["code"] for task in engine.tasks())
    return names, [one["net"] for one in world.invoices()], codes


def test_the_second_takes_the_customer_that_the_first_has_posted_since_its_plan(portal, org):
    """What its approver saw is what there is, so nobody is asked twice."""
    engine = start(portal, org)
    sell(portal)
    sell_too(org)
    work(engine)
    approve(engine, HUBSPOT)
    approve(engine, SALESFORCE)
    work(engine)
    assert posted(engine, portal) == ([NAME], [Decimal(300)] * 2, [])
    assert len({one["customer"] for one in portal.invoices()}) == 1
    receipts = [
        engine.ledger.one("receipt_any", key=row["key"])["how"]
        for pair in (HUBSPOT, SALESFORCE)
        for row in in_state(engine.ledger, pair, "posted")
        if row["kind"] == "customer"
    ]
    assert receipts == ["answered", "adopted"]
    work(engine)
    assert posted(engine, portal) == ([NAME], [Decimal(300)] * 2, [])


def test_what_waits_for_approval_keeps_its_hash_when_the_other_has_made_its_customer(portal, org):
    engine = start(portal, org)
    sell(portal)
    sell_too(org)
    work(engine)
    shown = engine.sheet_hash(SALESFORCE)
    approve(engine, HUBSPOT)
    work(engine)
    assert engine.sheet_hash(SALESFORCE) == shown
    approve(engine, SALESFORCE)
    work(engine)
    assert posted(engine, portal) == ([NAME], [Decimal(300)] * 2, [])


def test_a_customer_that_was_made_in_other_words_is_approved_anew(portal, org):
    """Its approver saw another address: the one that was made may be another customer."""
    engine = start(portal, org)
    sell(portal, city="Leeds")
    sell_too(org)
    work(engine)
    approve(engine, HUBSPOT)
    approve(engine, SALESFORCE)
    work(engine)
    assert posted(engine, portal) == ([NAME], [Decimal(300)], ["approval"])
    approve(engine, SALESFORCE)
    work(engine)
    assert posted(engine, portal) == ([NAME], [Decimal(300)] * 2, [])


def test_what_is_to_be_sent_again_is_planned_again_when_the_other_has_made_it(portal, org):
    """A throttled parcel is certainly undone: it is taken apart before it would be refused."""
    engine = start(portal, org, approve="automatic")
    sell_too(org)
    portal.fault(
        "books",
        method="POST",
        path="/customer$|/batch$",
        body=NAME,
        fault="status",
        status=429,
        retry_after=3600,
    )
    work(engine, SALESFORCE)
    assert posted(engine, portal)[:2] == ([], [])
    sell(portal)
    engine = start(portal, org, approve="automatic")  # with doors that know of no pause
    work(engine)
    assert posted(engine, portal) == ([NAME], [Decimal(300)] * 2, [])
    assert list(in_state(engine.ledger, SALESFORCE, "sending")) == []  # nor an hour later


def test_a_creation_without_an_answer_that_never_arrived_takes_what_the_other_made(portal, org):
    engine = start(portal, org, approve="automatic")
    sell_too(org)
    portal.fault(
        "books", method="POST", path="/customer$|/batch$", body=NAME, fault="status", status=503
    )
    work(engine, SALESFORCE)
    sell(portal)
    work(engine, HUBSPOT)
    assert engine.round(SALESFORCE, wait=True).error is None
    assert posted(engine, portal) == ([NAME], [Decimal(300)] * 2, [])


def test_a_customer_that_was_renamed_since_is_no_longer_of_that_name(portal, org):
    engine = start(portal, org)
    sell(portal)
    sell_too(org)
    work(engine)
    approve(engine, HUBSPOT)
    work(engine, HUBSPOT)
    (made,) = portal.books_truth()["customers"]
    portal.books("rename_customer", id=made["id"], name="Golden Timber")
    work(engine)
    approve(engine, SALESFORCE)
    work(engine)
    assert posted(engine, portal) == (["Golden Timber", NAME], [Decimal(300)] * 2, [])


def test_a_customer_that_was_made_inactive_since_is_told_before_approval(portal, org):
    engine = start(portal, org)
    sell(portal)
    sell_too(org)
    work(engine)
    approve(engine, HUBSPOT)
    approve(engine, SALESFORCE)
    work(engine, HUBSPOT)
    (made,) = portal.books_truth()["customers"]
    portal.books("edit", kind="Customer", id=made["id"], changes={"Active": False})
    work(engine)
    assert posted(engine, portal)[1:] == ([Decimal(300)], ["inactive-customer"])


def test_a_pair_that_only_watches_takes_nothing_for_its_own(portal, org):
    engine = start(portal, org)
    watching = dict(engine.pairs)
    watching[SALESFORCE] = replace(watching[SALESFORCE], shadow=True)
    engine = Engine(engine.ledger, watching, engine.hands)
    sell(portal)
    sell_too(org)
    work(engine)
    approve(engine, HUBSPOT)
    work(engine)
    work(engine)
    assert posted(engine, portal) == ([NAME], [Decimal(300)], [])
    kinds = [row["kind"] for row in in_state(engine.ledger, SALESFORCE, "planned")]
    assert (kinds, list(in_state(engine.ledger, SALESFORCE, "posted"))) == (["invoice"], [])


def test_a_deal_that_was_held_for_want_of_a_customer_finds_the_one_that_the_other_made(portal, org):
    (shipped,) = org.files
    asking = portal.path / "asking.yaml"
    text = shipped.read_text("utf-8").split("\ntests:")[0]
    assert text.count("none: create") == 1
    asking.write_text(text.replace("none: create", "none: ask"), "utf-8")
    org.files = (asking,)
    engine = start(portal, org, approve="automatic")
    sell_too(org)
    work(engine)
    assert posted(engine, portal) == ([], [], ["no-customer"])
    sell(portal)
    work(engine)
    assert posted(engine, portal) == ([NAME], [Decimal(300)] * 2, [])


def test_an_item_that_both_would_make_is_made_once(portal, org):
    asked = "      none: default\n      default: Services\n"
    for world in (portal, org):
        text = world.files[0].read_text("utf-8").split("\ntests:")[0]
        assert asked in text
        file = portal.path / world.files[0].name
        file.write_text(text.replace(asked, CREATED), "utf-8")
        world.files = (file,)
        world.settings["default_income_account"] = "Sales of Product Income"
    engine = start(portal, org)
    line = {"name": "Gateway", "hs_sku": "G-1", "quantity": "1", "price": "80.00"}
    seller(portal)(lines=[line], amount="80.00", po_number="PO-H")
    lines = [{"sku": "G-1", "UnitPrice": "80.00", "Quantity": "1"}]
    salesforce_seller(org)(lines=lines, Amount="80.00", PO_Number__c="PO-S")
    for product in org.org.tables["Product2"].alive():
        if product["ProductCode"] == "G-1":
            org.crm("edit", "Product2", product["Id"], {"Name": "Gateway"})
    work(engine)
    approve(engine, HUBSPOT)
    approve(engine, SALESFORCE)
    work(engine)
    items = [one["name"] for one in portal.books_truth()["items"]]
    assert items.count("Gateway") == 1
    assert [one["net"] for one in portal.invoices()] == [Decimal(80)] * 2
    assert engine.tasks() == []
