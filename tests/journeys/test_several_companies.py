"""One CRM that sells for three companies, each with books of its own; three CRMs of one company."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from dynamics_world import dynamics_seller, open_dynamics_world
from joined_worlds import joined, share_books, share_crm
from recording import Heard
from salesforce_world import open_salesforce_world, salesforce_seller
from simulated_world import MAPPINGS, World, buy, open_world, seller

from sync_engine.engine import Engine
from sync_engine.standing import Choice, Way
from tieout.model.crediting import Extent
from tieout.simulator.hubspot.schema import custom

CODES = {  # what each seller's books call the tax of a standard line, at home and abroad
    "US": ("TAX", "NON"),
    "GB": ("20.0% S", "0.0% Z"),
    "DE": ("S19", "Z"),
}
BOOKS: Mapping[str, dict[str, Any]] = {
    "GB": {"home_currency": "GBP", "utc_offset_hours": 0, "realm_id": "9144"},
    "US": {
        "home_currency": "USD",
        "utc_offset_hours": -8,
        "realm_id": "9101",
        "multicurrency": False,
    },
    "DE": {"home_currency": "EUR", "utc_offset_hours": 1, "realm_id": "9149"},
}
SOLD_BY_ONE = """\
checks:
  - that: =deal.sold_by is not None
    say: No company of ours sold it.
    else: block
"""
Posted = dict[str, tuple[str, str, str]]  # a purchase order: its currency, net and total


def mapping_of(path: Path, seller_country: str) -> Path:
    """Write the mapping of one selling company: its own deals, in its own tax codes."""
    text = (MAPPINGS / "hubspot-deal-to-invoice.yaml").read_text("utf-8").split("\ntests:")[0]
    home, abroad = CODES[seller_country]
    rows = {country: home if country == seller_country else abroad for country in (*CODES, "IE")}
    table = "\n".join(f'    {country}: {{ standard: "{code}" }}' for country, code in rows.items())
    begins, ends = text.index("  tax_codes:"), text.index("  classes:")
    text = f"{text[:begins]}  tax_codes:\n{table}\n{text[ends:]}"
    unnamed = " or deal.sold_by is None" if seller_country == "GB" else ""
    won = "when: =deal.is_won and deal.close_date >= cutover_date"
    its_own = f'{won} and (deal.sold_by == "{seller_country}"{unnamed})'
    for old, new in (
        ("mapping: hubspot-deal-to-invoice", f"mapping: sold-by-{seller_country.lower()}"),
        ("deal: { po_number: text }", "deal: { po_number: text, sold_by: text }"),
        (won, its_own),
        ("checks:\n", SOLD_BY_ONE),
    ):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    file = path / f"sold-by-{seller_country.lower()}.yaml"
    file.write_text(text, "utf-8")
    return file


@pytest.fixture
def sellers(tmp_path: Path, heard: list[Heard]) -> Iterator[dict[str, World]]:
    """Three companies that sell from one portal, each into its own books."""
    worlds: dict[str, World] = {}
    with ExitStack() as opened:
        for country, books in BOOKS.items():
            path = tmp_path / country
            path.mkdir()
            world = open_world(path, heard=heard, country=country, **books)
            worlds[country] = opened.enter_context(world)
        first, *others = worlds.values()
        first.portal.define("deals", custom(name="sold_by", label="Sold by"))
        for other in others:
            share_crm(first, other)
        for country, world in worlds.items():
            world.crm_rates = {"searches_per_sec": 1_000}
            world.files = (mapping_of(tmp_path, country),)
        yield worlds


def work(engine: Engine) -> list[Any]:
    done = engine.rounds(tuple(engine.pairs))
    assert [one.error for one in done] == [None] * len(done)
    return done


def posted(world: World) -> Posted:
    """What the books hold, by the purchase order; each is there once."""
    invoices = world.invoices()
    told = {
        one["po_number"]: (one["currency"], str(one["net"]), str(one["total"])) for one in invoices
    }
    assert len(told) == len(invoices)
    return told


def totals(worlds: Iterable[World]) -> dict[str, Decimal]:
    """What all sets of books have invoiced, before tax, by currency."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for world in worlds:
        for currency, net, _ in posted(world).values():
            sums[currency] += Decimal(net)
    return dict(sums)


def won(world: World) -> dict[str, Decimal]:
    """What the CRM says was won, by currency."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for deal in world.crm_truth()["deals"]:
        sums[deal["currency"]] += Decimal(deal["net"])
    return dict(sums)


def test_one_crm_sells_for_three_companies_and_each_deal_is_in_one_set_of_books(sellers):
    """Each in its own currency and tax, to the cent; together they are what was won."""
    london, boston, bonn = sellers["GB"], sellers["US"], sellers["DE"]
    sell = seller(london)
    both = buy(london, "Silver Timber", "GB")  # buys from two of the companies
    a_third = [{"name": "Consulting", "hs_sku": "C-1", "quantity": "3", "price": "33.33"}]
    sell(
        company=both,
        sold_by="GB",
        deal_currency_code="GBP",
        po_number="GB-1",
        lines=a_third,
        amount="99.99",
    )
    sell(country="IE", sold_by="GB", deal_currency_code="EUR", po_number="GB-2")
    sell(
        country="US",
        sold_by="US",
        deal_currency_code="USD",
        po_number="US-1",
        lines=a_third,
        amount="99.99",
    )
    sell(country="US", sold_by="US", deal_currency_code="USD", po_number="US-2", price="0.07")
    sell(company=both, sold_by="DE", deal_currency_code="GBP", po_number="DE-1", price="10.01")
    deal = sell(
        country="DE",
        sold_by="DE",
        deal_currency_code="EUR",
        po_number="DE-2",
        lines=a_third,
        amount="99.99",
    )

    engine = joined(sellers)
    work(engine)
    assert posted(london) == {
        "GB-1": ("GBP", "99.99", "119.99"),
        "GB-2": ("EUR", "300.00", "300.00"),
    }
    assert posted(boston) == {
        "US-1": ("USD", "99.99", "107.24"),
        "US-2": ("USD", "0.14", "0.15"),
    }
    assert posted(bonn) == {
        "DE-1": ("GBP", "20.02", "20.02"),
        "DE-2": ("EUR", "99.99", "118.99"),
    }
    assert totals(sellers.values()) == won(london)
    assert engine.tasks() == []
    statuses = {london.told(one["id"], "invoice_status") for one in london.crm_truth()["deals"]}
    assert statuses == {"invoiced"}

    bonn.books("receive_payment", invoices={invoice_of(bonn, "DE-2"): "118.99"})
    work(engine)
    assert london.told(deal, "invoice_status") == "paid"
    assert [(one.pushed.parcels, one.told) for one in work(engine)] == [(0, 0)] * 3
    engine = joined(sellers)  # nor does a process that starts
    assert [(one.pushed.parcels, one.told) for one in work(engine)] == [(0, 0)] * 3
    assert totals(sellers.values()) == won(london)


def test_one_order_to_two_companies_for_the_same_amount_is_no_clone(sellers):
    """Each delivers its own half of it; the customers' ids in the two sets of books are alike."""
    london, bonn = sellers["GB"], sellers["DE"]
    sell = seller(london)
    both = buy(london, "Silver Timber", "GB")
    order = {"company": both, "deal_currency_code": "GBP", "po_number": "PO-7", "price": "10.01"}
    sell(sold_by="GB", **order)
    engine = joined(sellers)
    work(engine)
    sell(sold_by="DE", **order)
    work(engine)
    assert engine.tasks() == []
    assert [list(posted(world)) for world in (london, bonn)] == [["PO-7"], ["PO-7"]]
    assert totals(sellers.values()) == won(london)


def test_a_deal_that_no_company_of_ours_sold_is_held_in_one_place(sellers):
    london = sellers["GB"]
    deal = seller(london)(po_number="XX-1")
    engine = joined(sellers)
    work(engine)
    assert [posted(world) for world in sellers.values()] == [{}, {}, {}]
    (task,) = engine.tasks()
    assert (task["code"], task["source_id"], task["net"]) == ("check", deal, "300")


def void(engine: Engine, world: World, deal: str) -> None:
    world.books("void", id=invoice_of(world, "GB-1"))


def credit(engine: Engine, world: World, deal: str) -> None:
    choice = Choice(Way.CREDIT, Extent())
    engine.correct(f"deal:{deal}", choice, who="ann", reason="sold by Bonn")
    work(engine)


@pytest.mark.parametrize("take_back", [void, credit])
def test_a_deal_that_is_given_to_another_company_after_posting_stays_in_one_set_of_books(
    sellers, take_back
):
    """The other waits until the first has taken its invoice back; then it is posted there."""
    london, boston, bonn = sellers["GB"], sellers["US"], sellers["DE"]
    sold = {"deal_currency_code": "EUR", "po_number": "GB-1", "country": "DE"}
    deal = seller(london)(sold_by="GB", **sold)
    engine = joined(sellers)
    work(engine)
    london.crm("edit_deal", deal, {"sold_by": "DE"})
    work(engine)
    assert (len(posted(london)), posted(boston), posted(bonn)) == (1, {}, {})
    codes = sorted(task["code"] for task in engine.tasks())
    assert codes == ["already-invoiced", "reopened"]

    take_back(engine, london, deal)
    work(engine)
    work(engine)  # books of their own are worked side by side: one hears of it in the next round
    (task,) = engine.tasks()
    assert (task["code"], task["pair"]) == ("already-invoiced", "DE")
    engine.answer(task["id"], "create", who="ann", reason="sold by Bonn after all")
    work(engine)
    left = sum(one["net"] for one in london.invoices())
    left -= sum(one["net"] for one in london.books_truth()["credit_memos"])
    assert (left, posted(boston), totals([bonn])) == (0, {}, won(london))
    assert engine.tasks() == []


def invoice_of(world: World, order: str) -> str:
    (found,) = [one["id"] for one in world.invoices() if one["po_number"] == order]
    return found


# -- three CRMs into one set of books --------------------------------------------------------------


@pytest.fixture
def teams(tmp_path: Path, heard: list[Heard]) -> Iterator[dict[str, World]]:
    """One company whose three sales teams each have a CRM of their own."""
    with ExitStack() as opened:
        path = {name: tmp_path / name for name in ("hubspot", "salesforce", "dynamics365")}
        for each in path.values():
            each.mkdir()
        worlds: dict[str, World] = {
            "hubspot": opened.enter_context(open_world(path["hubspot"], heard=heard)),
            "salesforce": opened.enter_context(open_salesforce_world(path["salesforce"])),
            "dynamics365": opened.enter_context(open_dynamics_world(path["dynamics365"])),
        }
        first, *others = worlds.values()
        first.crm_rates = {"searches_per_sec": 1_000}
        for other in others:
            share_books(first, other)
        yield worlds


def test_three_crms_post_into_one_set_of_books_and_share_its_customers(teams):
    """The same customer buys of all three teams and is made once; no deal is twice or lost."""
    portal, org, organization = teams.values()
    sell = seller(portal)
    deals = {
        "H-1": sell(company=buy(portal, "Silver Timber"), po_number="H-1"),
        "H-2": sell(po_number="H-2", deal_currency_code="USD", country="US"),
    }
    account = org.org.account(Name="Silver Timber", BillingCountry="DE")
    sell = salesforce_seller(org)
    sold = {
        order: sell(account=account, PO_Number__c=order, price=price, quantity="3")
        for order, price in (("S-1", "33.33"), ("S-2", "0.07"))
    }
    account = organization.org.company(name="SILVER TIMBER", nly_countrycode="DE")
    sell = dynamics_seller(organization)
    closed = {"D-1": sell(company=account, nly_ponumber="D-1", price="10.01")}

    engine = joined(teams)
    work(engine)
    assert posted(portal) == {
        "H-1": ("EUR", "300.00", "357.00"),
        "H-2": ("USD", "300.00", "300.00"),
        "S-1": ("EUR", "99.99", "118.99"),
        "S-2": ("EUR", "0.21", "0.25"),
        "D-1": ("EUR", "20.02", "23.82"),
    }
    names = sorted(one["name"] for one in portal.books_truth()["customers"])
    assert names == ["Firma 2 GmbH", "Silver Timber"]
    assert totals([portal]) == {"EUR": Decimal("420.22"), "USD": Decimal("300.00")}
    assert engine.tasks() == []
    numbers = {one["po_number"]: one["doc_number"] for one in portal.invoices()}
    for world, told in ((portal, deals), (org, sold), (organization, closed)):
        assert {order: world.told(deal, "invoice_number") for order, deal in told.items()} == {
            order: numbers[order] for order in told
        }

    portal.books("receive_payment", invoices={invoice_of(portal, "S-1"): "118.99"})
    work(engine)
    assert org.told(sold["S-1"], "invoice_status") == "paid"
    assert [(one.pushed.parcels, one.told) for one in work(engine)] == [(0, 0)] * 3
    engine = joined(teams)
    assert [(one.pushed.parcels, one.told) for one in work(engine)] == [(0, 0)] * 3
    assert len(posted(portal)) == 5
