"""What a customer owes, told to its company in the CRM: only when it is another than before."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from simulated_world import MAPPINGS, buy, open_world, seller

from tieout.simulator.clock import SimulatedClock

DAY_SECS = 86_400
TOLD = {
    "tieout_open_balance": "357",
    "tieout_overdue": "0",
    "tieout_aged_30": "357",
    "tieout_aged_60": "0",
    "tieout_aged_90": "0",
    "tieout_aged_over_90": "0",
    "tieout_oldest_open_invoice": "1001",
    "tieout_receivables_currency": "EUR",
}


@pytest.fixture
def world(tmp_path, heard):
    clock = SimulatedClock(datetime(2026, 4, 1, 8, tzinfo=UTC))
    with open_world(tmp_path, clock, heard=heard) as made:
        made.clock = clock
        made.crm_rates = {"searches_per_sec": 1_000}
        made.files = (telling(tmp_path),)
        yield made


@pytest.fixture
def sold(world):
    return seller(world)


def telling(folder):
    """The shipped mapping with what it holds ready for companies switched on."""
    name = "hubspot-deal-to-invoice.yaml"
    text = (MAPPINGS / name).read_text()
    assert text.count("  # company.") == 10
    file = folder / name
    file.write_text(text.replace("  # company.", "  company.").split("\ntests:")[0] + "\n")
    return file


@pytest.fixture
def buyer(world):
    return buy(world, "Firma GmbH")


def told(world, company):
    """What a company was told, but for what is empty."""
    held = world.portal.find("companies", int(company)).values
    return {name: value for name, value in held.items() if name.startswith("tieout_") and value}


def writes(done):
    return {name: n for name, n in done.calls.items() if "batch/update" in name}


def test_a_company_is_told_what_it_owes_and_hears_of_each_payment(world, sold, buyer, ties_out):
    sold(company=buyer)
    done = world.round()
    assert told(world, buyer) == TOLD
    assert writes(done) == {
        "hubspot.objects deals/batch/update": 1,
        "hubspot.objects companies/batch/update": 1,
    }
    world.books("receive_payment", invoices={"1": "57.00"}, day="2026-04-05")
    world.round()
    assert told(world, buyer) == {**TOLD, "tieout_open_balance": "300", "tieout_aged_30": "300"}
    ties_out(world)


def test_its_echo_and_a_round_in_which_nothing_moved_write_nothing(world, sold, buyer):
    sold(company=buyer)
    world.round()
    done = world.round()
    assert (done.drafted, done.told, writes(done)) == (0, 0, {})
    done = world.round()
    assert (done.drafted, done.told, writes(done)) == (0, 0, {})


def test_deals_of_one_company_are_told_to_it_once(world, sold, buyer):
    for _ in range(3):
        sold(company=buyer)
    done = world.round()
    assert told(world, buyer)["tieout_open_balance"] == "1071"
    assert done.told == 3 + 1


def test_an_invoice_ages_without_anything_moving(world, sold, buyer):
    """It was due on 30 April; nothing is written on the days between."""
    sold(company=buyer)
    world.round()
    seen = []
    for day in (date(2026, 4, 30), date(2026, 5, 1), date(2026, 5, 31), date(2026, 6, 30)):
        world.clock.advance((day - world.now().date()).days * DAY_SECS)
        done = world.round()
        seen.append((done.told, Decimal(told(world, buyer)["tieout_overdue"])))
    assert seen == [(0, 0), (1, 357), (1, 357), (1, 357)]
    shown = told(world, buyer)
    assert {shown[f"tieout_aged_{age}"] for age in ("30", "60", "over_90")} == {"0"}
    assert shown["tieout_aged_90"] == "357"


def test_an_invoice_that_a_person_made_for_a_known_customer_counts(world, sold, buyer):
    sold(company=buyer)
    world.round()
    customer = world.invoices()[0]["customer"]
    line = {"item": "1", "amount": "100.00", "tax_code": "1"}
    world.books("create_invoice", customer=customer, lines=[line])
    world.round()
    assert Decimal(told(world, buyer)["tieout_open_balance"]) == 357 + 119


def test_what_is_open_in_another_currency_stands_beside_it_in_words(world, sold, buyer):
    sold(company=buyer)
    sold(company=buyer, deal_currency_code="USD")
    world.round()
    shown = told(world, buyer)
    assert (shown["tieout_open_balance"], shown["tieout_receivables_currency"]) == ("357", "EUR")
    assert shown["tieout_other_balances"].endswith(" USD")


def test_a_mapping_that_tells_companies_nothing_writes_to_none(world, sold, buyer):
    world.files = (MAPPINGS / "hubspot-deal-to-invoice.yaml",)
    sold(company=buyer)
    done = world.round()
    assert writes(done) == {"hubspot.objects deals/batch/update": 1}
    assert told(world, buyer) == {}


LIMIT = "company.credit_limit: =receivables.credit_limit"
BY_TABLE = 'company.credit_limit: =lookup("credit_limits", company.country)'


@pytest.mark.parametrize(
    ("line", "limit"),
    [
        ("company.credit_limit: =receivables.credit_limit or 5000", "5000"),
        ("company.credit_limit: 2500.50", "2500.5"),
        (BY_TABLE, "9000"),
    ],
)
def test_a_credit_limit_that_the_books_lack_comes_from_the_mapping(world, sold, buyer, line, limit):
    """QuickBooks Online keeps none: the schema's ``CreditLimit`` is of the desktop product alone."""
    text = world.files[0].read_text()
    assert LIMIT in text
    table = "tables:\n  credit_limits: {DE: 9000, FR: 100}\n"
    world.files[0].write_text(text.replace(LIMIT, line).replace("tables:\n", table, 1))
    sold(company=buyer)
    world.round(2)
    assert world.portal.find("companies", int(buyer)).values["tieout_credit_limit"] == limit
    assert world.codes() == []
