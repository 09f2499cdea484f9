"""Quotes and invoices of the HubSpot portal: their own lines, their charges, their states."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tieout.simulator.hubspot import deeds, load, quoting, save
from tieout.simulator.hubspot.errors import Refusal
from tieout.simulator.hubspot.pricing import TaxRate, whole_of

QUOTE = ("hs_quote_amount", "hs_esign_num_signers_required", "hs_esign_num_signers_completed")
INVOICE = ("hs_number", "hs_invoice_status", "hs_amount_billed", "hs_balance_due")


@pytest.fixture
def deal(crm):
    made = crm.create("deals", dealname="Rollout", deal_currency_code="EUR")
    deeds.add_line(crm.portal, made, {"name": "Consulting", "quantity": "3", "price": "33.33"})
    return made


def values(crm, kind, record, names):
    told = crm.read(kind, record, *names)
    return [told[name] for name in names]


def test_h18_a_quote_has_lines_of_its_own(crm, deal):
    quote = quoting.quote(crm.portal, deal)
    [its] = crm.portal.links.of(("quotes", "line_items"), int(quote))
    [deals] = crm.portal.links.of(("deals", "line_items"), int(deal))
    assert its != deals
    assert crm.read("line_items", its, "name", "amount")["amount"] == "99.99"
    assert crm.read("quotes", quote, "hs_title", "hs_currency")["hs_currency"] == "EUR"


def test_r39_a_line_of_a_quote_is_no_line_of_a_deal(crm, deal):
    quote = quoting.quote(crm.portal, deal)
    [line] = crm.portal.links.of(("quotes", "line_items"), int(quote))
    for pair in (("line_items", "deals"), ("line_items", "invoices")):
        other = crm.create(pair[1], **({} if pair[1] == "deals" else {"hs_currency": "EUR"}))
        with pytest.raises(Refusal, match="already belongs"):
            crm.portal.link(pair, line, int(other))
        with pytest.raises(Refusal, match="already belongs"):
            crm.portal.link(pair[::-1], int(other), line)
    crm.portal.link(("quotes", "line_items"), int(quote), line)  # the same one again


def test_h18_discounts_come_before_fees_and_fees_before_taxes():
    lines = [{"amount": "99.99", "hs_tax_amount": "1.00"}, {"amount": "0.06"}]
    charges = {
        "discounts": [{"hs_type": "PERCENT", "hs_value": "50"}],
        "fees": [{"hs_type": "FIXED", "hs_value": "10"}],
        "taxes": [{"hs_type": "PERCENT", "hs_value": "20"}, {"hs_type": "FIXED", "hs_value": "1"}],
    }
    # 100.05 less 50.03, and 10, is 60.02; 12.00 and 1 of tax, and the line's own 1.00
    assert whole_of(lines, charges, "EUR") == Decimal("74.02")
    third = {**charges, "discounts": [{"hs_type": "PERCENT", "hs_value": "33"}], "taxes": []}
    assert whole_of([{"amount": "999"}], third, "JPY") == 999 - 330 + 10


def test_h19_a_quote_is_published_signed_and_paid(crm, deal):
    charges = {"discounts": [{"hs_label": "Half", "hs_type": "PERCENT", "hs_value": "50"}]}
    quote = quoting.quote(crm.portal, deal, {"hs_esign_enabled": "true"}, charges)
    assert values(crm, "quotes", quote, (*QUOTE, "hs_status")) == [None, None, None, "DRAFT"]
    quoting.publish_quote(crm.portal, quote, "APPROVED")
    assert values(crm, "quotes", quote, (*QUOTE, "hs_status")) == ["49.99", "1", "0", "APPROVED"]
    quoting.sign_quote(crm.portal, quote)
    assert values(crm, "quotes", quote, QUOTE) == ["49.99", "1", "1"]
    [signed] = values(crm, "quotes", quote, ("hs_esign_date",))
    assert signed.startswith("2026-03-31T12:00:00")
    quoting.pay_quote(crm.portal, quote)
    status, paid = values(crm, "quotes", quote, ("hs_payment_status", "hs_payment_date"))
    assert (status, paid[:19]) == ("PAID", "2026-03-31T12:00:00")


def test_h19_a_status_of_another_word_is_refused(crm, deal):
    quote = quoting.quote(crm.portal, deal)
    with pytest.raises(Refusal, match="allowed options"):
        quoting.publish_quote(crm.portal, quote, "WON")


def test_h19_an_invoice_has_a_number_once_it_is_open_and_a_balance_until_it_is_paid(crm, deal):
    one, other = quoting.bill(crm.portal, deal), quoting.bill(crm.portal, deal)
    assert values(crm, "invoices", one, INVOICE) == [None, "draft", None, None]
    quoting.open_invoice(crm.portal, one)
    quoting.open_invoice(crm.portal, other)
    assert values(crm, "invoices", one, INVOICE) == ["INV-1001", "open", "99.99", "99.99"]
    assert values(crm, "invoices", one, ("hs_invoice_date",)) == ["2026-03-31"]
    quoting.pay_invoice(crm.portal, one, "50")
    assert values(crm, "invoices", one, INVOICE[1:]) == ["open", "99.99", "49.99"]
    quoting.pay_invoice(crm.portal, one, "49.99")
    assert values(crm, "invoices", one, INVOICE[1:]) == ["paid", "99.99", "0.00"]
    quoting.void_invoice(crm.portal, other)
    assert values(crm, "invoices", other, INVOICE) == ["INV-1002", "voided", "99.99", "0.00"]


def test_h19_a_deed_is_played_by_its_name(crm, deal):
    status, answer = crm.post("/__deeds", {"deed": "quote", "deal": deal})
    assert status == 200
    [made] = answer["done"]
    assert crm.portal.find("quotes", made) is not None


def test_tax_rates_and_quotes_are_saved_with_the_portal(crm, deal, tmp_path):
    crm.portal.tax_rates["4401"] = TaxRate("VAT 25", Decimal("25.5"))
    quote = quoting.quote(crm.portal, deal)
    save(crm.portal, tmp_path / "portal.json")
    again = load(tmp_path / "portal.json", lambda: datetime(2026, 4, 1, tzinfo=UTC))
    assert again.tax_rates == crm.portal.tax_rates
    found = again.find("quotes", quote)
    assert found is not None
    assert again.links.of(("quotes", "line_items"), int(quote))
