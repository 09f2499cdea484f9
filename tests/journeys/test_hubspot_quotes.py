"""Quotes and invoices of HubSpot's own become invoices in the books, each once, beside no deal."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from simulated_world import MAPPINGS, ZONE, World

from tieout.simulator.hubspot import quoting

QUOTES = MAPPINGS / "hubspot-quote-to-invoice.yaml"
INVOICES = MAPPINGS / "hubspot-invoice-to-invoice.yaml"
PAYMENTS = MAPPINGS / "hubspot-payment-to-payment.yaml"
MAKE = ("    none: ask # ask", "    none: create\n    create: { name: =company.name }\n    # ask")
LINE = {"name": "Consulting", "hs_sku": "C-1", "quantity": "10", "price": "150.00"}
HALF = {"discounts": [{"hs_label": "Half", "hs_type": "PERCENT", "hs_value": "50"}]}


@pytest.fixture
def maps(world: World, tmp_path: Path):
    """Return a function that lets the pair work by these files; unknown customers are made."""

    def give(*files: Path, changes: Sequence[tuple[str, str]] = ()) -> None:
        given = []
        for file in files:
            text = file.read_text("utf-8").partition("\ntests:")[0]
            for old, new in (MAKE, *changes):
                text = text.replace(old, new)
            copy = tmp_path / file.name
            copy.write_text(text, "utf-8")
            given.append(copy)
        world.files = tuple(given)

    return give


def nets(world: World) -> list[str]:
    return [str(one["net"]) for one in world.invoices()]


def play(world: World, deed: str, *told: object) -> str:
    with world.portal.lock:
        return getattr(quoting, deed)(world.portal, *told)


def agreed(world: World, deal: str, charges=None) -> str:
    quote = play(world, "quote", deal, {"hs_esign_enabled": "true"}, charges)
    play(world, "publish_quote", quote)
    play(world, "sign_quote", quote)
    return quote


def test_a_quote_is_invoiced_when_it_is_signed_and_only_once(world, sold, maps):
    maps(QUOTES)
    deal = sold(lines=[LINE], dealstage="contractsent")
    quote = play(world, "quote", deal, {"hs_esign_enabled": "true", "hs_quote_number": "Q-1"})
    world.round()
    play(world, "publish_quote", quote)
    world.round()
    assert (nets(world), world.codes()) == ([], [])
    play(world, "sign_quote", quote)
    world.round(3)
    assert (nets(world), world.codes()) == (["1500.00"], [])
    [one] = world.invoices()
    assert one["date"] == world.now().astimezone(ZoneInfo(ZONE)).date().isoformat()
    assert "HubSpot quote Q-1" in one["private_note"]
    assert world.told(deal, "invoice_status") == "invoiced"
    assert world.told(deal, "invoice_number") == one["doc_number"]


def test_a_quote_s_own_lines_and_discounts_count_and_not_its_deal_s(world, sold, maps):
    maps(QUOTES)
    deal = sold(lines=[LINE])
    agreed(world, deal, HALF)
    line = world.deal(deal)["lines"][0]["id"]
    world.crm("edit_line", line, {"price": "999.00"})
    world.round()
    assert (nets(world), world.codes()) == (["750.00"], [])


def test_two_signed_quotes_of_one_deal_are_two_contracts(world, sold, maps):
    maps(QUOTES)
    deal = sold(lines=[LINE])
    agreed(world, deal)
    agreed(world, deal, HALF)
    world.round(2)
    assert (sorted(nets(world)), world.codes()) == (["1500.00", "750.00"], [])


def test_a_quote_with_a_fee_waits_until_the_fee_is_a_line(world, sold, maps):
    maps(QUOTES)
    fee = {"fees": [{"hs_label": "Shipping", "hs_type": "FIXED", "hs_value": "50"}]}
    quote = agreed(world, sold(lines=[LINE]), fee)
    world.round()
    assert (nets(world), set(world.codes())) == ([], {"check"})
    portal = world.portal
    [held] = portal.links.of(("quotes", "fees"), int(quote))
    with portal.lock:
        portal.archive("fees", portal.find("fees", held))
        made = portal.create("line_items", {"name": "Shipping", "quantity": "1", "price": "50"})
        portal.link(("quotes", "line_items"), int(quote), made.id)
    play(world, "publish_quote", quote)
    world.round(2)
    assert (nets(world), world.codes()) == (["1550.00"], [])


def test_a_line_that_is_added_to_a_quote_is_noticed_beside_a_mapping_of_deals(world, sold, maps):
    only = ("=deal.is_won and deal.close_date", '=deal.pipeline == "renewals" and deal.close_date')
    maps(QUOTES, MAPPINGS / "hubspot-deal-to-invoice.yaml", changes=[only])
    quote = agreed(world, sold(lines=[LINE]))
    deal = sold(lines=[LINE], pipeline="renewals", dealstage="115002002", amount="1500")
    world.approve = "by_hand"
    world.round()
    portal = world.portal
    with portal.lock:
        made = portal.create("line_items", {"name": "More", "quantity": "1", "price": "7"})
        portal.link(("quotes", "line_items"), int(quote), made.id)
    world.crm("add_line", deal, {"name": "Else", "price": "5"})
    world.round(2)
    said = {
        row["net"] for row in world.working.plan((f"quote:{quote}", f"deal:{deal}"), look=False)
    }
    assert said >= {"1507.00", "1505.00"}


def test_an_invoice_of_hubspot_s_is_posted_with_its_number_and_days(world, sold, maps):
    world.settings["numbers_ours"] = True
    world.company.custom_txn_numbers = True
    maps(INVOICES)
    deal = sold(lines=[LINE])
    dates = {"hs_invoice_date": "2026-04-01", "hs_due_date": "2026-04-20"}
    invoice = play(world, "bill", deal, dates, HALF)
    world.round()
    assert nets(world) == []
    play(world, "open_invoice", invoice)
    world.round(3)
    assert (nets(world), world.codes()) == (["750.00"], [])
    [one] = world.invoices()
    assert (one["doc_number"], one["date"], one["due_date"]) == (
        "INV-1001",
        "2026-04-01",
        "2026-04-20",
    )
    assert world.told(deal, "invoice_number") == "INV-1001"


def test_an_invoice_that_was_dated_on_the_cutover_is_of_the_first_read(world, sold, maps):
    maps(INVOICES)
    for day in ("2025-12-31", "2026-01-01"):
        invoice = play(world, "bill", sold(lines=[LINE]), {"hs_invoice_date": day})
        play(world, "open_invoice", invoice)
    world.round()
    assert [one["date"] for one in world.invoices()] == ["2026-01-01"]


def test_a_payment_of_an_invoice_is_posted_against_it(world, sold, maps):
    of_invoice = (
        ("  deal: payment.deal\n", "  invoice: payment.invoice\n  deal: payment.deal?\n"),
        ("=invoice_of(deal)", "=invoice_of(invoice)"),
    )
    maps(INVOICES, PAYMENTS, changes=of_invoice)
    deal = sold(lines=[LINE])
    invoice = play(world, "bill", deal)
    play(world, "open_invoice", invoice)
    payment = world.crm(
        "add_payment", deal, {"hs_initial_amount": "500", "hs_latest_status": "succeeded"}
    )
    with world.portal.lock:
        world.portal.link(("invoices", "commerce_payments"), int(invoice), int(payment))
    play(world, "pay_invoice", invoice, "500")
    world.round(3)
    assert world.codes() == []
    [one] = world.invoices()
    assert one["net"] - Decimal(500) + one["tax"] == one["balance"]


def test_an_invoice_that_is_voided_in_hubspot_after_it_was_posted_is_drift(world, sold, maps):
    maps(INVOICES)
    invoice = play(world, "bill", sold(lines=[LINE]))
    play(world, "open_invoice", invoice)
    world.round()
    assert nets(world) == ["1500.00"]
    play(world, "void_invoice", invoice)
    world.round(2)
    assert nets(world) == ["1500.00"]
    assert world.codes() == ["reopened"]
