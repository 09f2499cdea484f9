"""Values of deals and their records that no invoice can hold: each is held with its amount."""

import unicodedata
from decimal import Decimal

import pytest
from catalogue_entries import entry
from simulated_world import NOBODY, buy
from spoiling import spoil

LINE = {"name": "Consulting", "hs_sku": "C-1", "quantity": "1", "price": "150.00"}


@entry("a deal without company")
def test_a_deal_without_company_names_what_is_missing_and_goes_on_with_it(foreign, held):
    world, deal = foreign.world, foreign.sold(company=NOBODY)
    task = held(deal, "missing-relation", "There is no company.")
    assert world.told(deal, "invoice_error") == "There is no company."
    assert task["remedy"] == "Add the company in the CRM."
    buyer = buy(world, "Neu GmbH")
    world.portal.link(("deals", "companies"), int(deal), int(buyer), primary=True)
    world.crm("edit_deal", deal, {"dealname": "Order with company"})
    world.round()
    assert (len(world.invoices()), world.codes()) == (2, [])


@entry("a deal without lines")
def test_a_deal_without_lines_is_held_with_its_own_amount(foreign, held):
    held(foreign.sold(lines=[], amount="990.00"), "no-lines", "no line", net="990")


@entry("a deal with 800 lines")
def test_a_deal_with_800_lines_is_held_with_the_books_limit(foreign, held):
    deal = foreign.sold(lines=[{**LINE, "price": "1.00"}] * 800, amount="800")
    held(deal, "too-many-lines", "800 lines", "750", net="800")


@entry("a negative price")
def test_a_total_below_nothing_is_held(foreign, held):
    spoil(foreign, "line_items", price="-150.00")
    deal = foreign.sold()
    task = held(deal, "negative-total", "-300.00 EUR", net="-300")
    assert "credit memo" in task["remedy"]


@entry("a negative price")
def test_a_line_below_nothing_is_taken_from_the_others(foreign):
    spoil(foreign, "line_items", price="-50.00", amount="-50.00")
    foreign.sold(lines=[LINE, LINE], amount="100.00")
    foreign.sold()
    foreign.world.round()
    assert foreign.world.codes() == []
    assert sorted(one["net"] for one in foreign.world.invoices()) == [100, 300]


@entry("an unknown currency")
@pytest.mark.parametrize(
    ("code", "currency"), [("XQZ", "XQZ"), ("€", "EUR"), ("eurx", "EUR"), ("EUR ", "EUR")]
)
def test_what_is_no_currency_is_named(foreign, held, code, currency):
    spoil(foreign, "deals", deal_currency_code=code)
    held(foreign.sold(), "value", f"{code!r} is not a currency.", currency=currency)


@entry("NaN or an amount with too many decimals")
@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e400", "1,000.00", "abc"])
def test_a_price_that_is_no_number_is_named_with_its_field(foreign, held, text):
    spoil(foreign, "line_items", price=text)
    deal = foreign.sold()
    task = held(deal, "formula", f"line.price is a text, not a number: {text!r}")
    assert task["detail"]["line"] > 0


@entry("NaN or an amount with too many decimals")
@pytest.mark.parametrize("text", ["NaN", "1e999999"])
def test_an_amount_that_is_no_number_is_named_with_its_field(foreign, held, text):
    spoil(foreign, "deals", amount=text)
    held(foreign.sold(), "formula", f"deal.amount is a text, not a number: {text!r}")


@entry("NaN or an amount with too many decimals")
def test_an_amount_with_too_many_decimals_is_held(foreign, held):
    spoil(foreign, "deals", amount="300.00000000001")
    held(foreign.sold(), "check", "The lines and the deal amount disagree.")


@entry("a close date in 0001 or 9999")
@pytest.mark.parametrize(
    "day", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "99999999999999999999", "0001-01-01"]
)
def test_a_day_that_no_books_hold_is_named_with_its_field(foreign, held, day):
    spoil(foreign, "deals", closedate=day)
    held(foreign.sold(), "formula", f"deal.close_date is a text, not a date: {day!r}")


@entry("a close date in 0001 or 9999")
def test_a_close_date_in_0001_that_the_crm_itself_keeps_is_told_when_it_moves(foreign):
    """The CRM is asked for deals since the cutover; a later edit shows it."""
    deal = foreign.sold(closedate="0001-01-01T00:00:00Z")
    foreign.sold()
    foreign.world.round()
    assert (len(foreign.world.invoices()), foreign.world.codes()) == (1, [])
    foreign.world.crm("edit_deal", deal, {"dealname": "Old"})
    foreign.world.round()
    assert foreign.world.codes() == ["formula"]
    assert "deal.close_date" in foreign.world.tasks()["formula"]["message"]


@entry("a number of 22 characters")
@pytest.mark.parametrize("number", ["1234567890123456789012", "9" * 22])
def test_a_number_of_22_digits_is_named_with_its_field(foreign, held, number):
    foreign.sold(lines=[{**LINE, "price": number}], amount="300")
    deal = next(iter(foreign.world.orders.values()))
    held(deal, "formula", f"line.price is a text, not a number: {number!r}")


@entry("a number of 22 characters")
def test_a_number_of_22_characters_is_exact_when_the_books_can_hold_it(foreign):
    foreign.sold(lines=[{**LINE, "price": "1.10000000000000000000"}], amount="1.10")
    foreign.world.round()
    assert (foreign.world.codes(), foreign.world.invoices()[0]["net"]) == ([], Decimal("1.10"))


@entry("an amount above the books' limit")
def test_an_amount_above_the_books_limit_is_held(foreign, held):
    deal = foreign.sold(lines=[{**LINE, "price": "100000000000.00"}], amount="100000000000.00")
    held(deal, "too-large", "100000000000.00", "99999999999", net="100000000000")


@entry("a customer named like a vendor")
def test_a_name_that_a_vendor_has_is_held_until_it_is_free(foreign, held):
    world = foreign.world
    for name in ("Nord AG", "Nord AG EUR"):
        vendor = world.books("create", kind="Vendor", body={"DisplayName": name})
    held(foreign.sold(company=buy(world, "Nord AG")), "name-taken", "Nord AG")
    world.books("edit", kind="Vendor", id=vendor["Id"], changes={"DisplayName": "Lieferungen"})
    world.round()
    assert (len(world.invoices()), world.codes()) == (2, [])


@entry("right-to-left and combining characters")
def test_every_script_is_carried_exactly(foreign):
    names = ["שלום \u202eעולם", "مرحبا بالعالم", "e\u0301\u0323tude", "👩\u200d👩\u200d👧 GmbH"]
    for name in names:
        foreign.sold(company=buy(foreign.world, name), dealname=name)
    foreign.world.round()
    assert foreign.world.codes() == []
    made = {one["name"] for one in foreign.world.books_truth()["customers"]}
    assert made == set(names)
    notes = [
        row.body["PrivateNote"] for row in foreign.world.company.tables["Invoice"].rows.values()
    ]
    assert [name for name in names if not any(name in note for note in notes)] == []


@entry("right-to-left and combining characters")
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_name_is_the_same_in_either_form_of_its_signs(foreign, form):
    for written in (form, "NFC", "NFD"):
        name = unicodedata.normalize(written, "Café Zoë GmbH")
        foreign.sold(company=buy(foreign.world, name))
    foreign.world.round(2)
    assert foreign.world.codes() == []
    [customer] = foreign.world.books_truth()["customers"]
    assert customer["name"] == unicodedata.normalize(form, "Café Zoë GmbH")
    assert len(foreign.world.invoices()) == 3
