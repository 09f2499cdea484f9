"""Quotes and invoices: what is read of them first, and what they bear beside their lines."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from connectors.hubspot.facts import facts
from connectors.hubspot.translation import Translator, written
from tieout.model.errors import InvalidField
from tieout.model.ref import Ref

DAY_MS = 86_400_000


def charge(hubspot, **properties):
    kind = facts().kinds["discount"]
    names = ("form", "value", "percent", "fixed")
    row = {"id": "1", "updatedAt": "2026-03-31T00:00:00Z", "properties": properties}
    read = Translator(
        hubspot.company, kind, [kind.fields[name] for name in names], lambda: "Europe/Oslo"
    ).record(row)
    return [read.fields.get(name) for name in names]


@pytest.mark.parametrize(
    ("form", "value", "shown"),
    [
        ("PERCENT", "12.5", ["PERCENT", Decimal("12.5"), Decimal("12.5"), 0]),
        ("FIXED", "10", ["FIXED", Decimal(10), 0, Decimal(10)]),
        ("FIXED", "", ["FIXED", None, 0, None]),
        ("HALF", "10", ["HALF", Decimal(10), None, None]),
        ("", "10", [None, Decimal(10), None, None]),
    ],
)
def test_a_charge_is_a_percent_or_an_amount_and_nothing_of_the_other(hubspot, form, value, shown):
    assert charge(hubspot, hs_type=form, hs_value=value) == shown


def test_a_charge_without_a_form_says_nothing_of_its_value(hubspot):
    assert charge(hubspot, hs_value="10") == [None, Decimal(10), None, None]


@pytest.mark.parametrize(
    ("kind", "name"), [("fee", "percent"), ("tax", "fixed"), ("line_item", "billing_term_months")]
)
def test_what_is_one_half_of_a_property_is_not_written(kind, name):
    with pytest.raises(InvalidField):
        written(facts().kinds[kind].fields[name], name, "1")


def test_charges_come_in_their_order_and_with_their_values(hubspot, portal):
    quote = portal.create("quotes", {"hs_title": "Q"}).id
    for place, form in (("2", "FIXED"), ("1", "PERCENT")):
        given = {"hs_type": form, "hs_value": "7", "hs_sort_order": place}
        portal.link(("quotes", "discounts"), quote, portal.create("discounts", given).id)
    (related,) = hubspot.related([Ref(hubspot.company, "quote", str(quote))], "discounts")
    found = [related.records[ref].fields for ref in related.refs]
    assert [(one["percent"], one["fixed"]) for one in found] == [(7, 0), (0, 7)]


def first_read(opened, kind, zone):
    session = opened(cutover_date=date(2026, 1, 1), time_zone=zone)
    [page] = session.changes((kind,), None)
    return [event.ref.id for event in page.events]


@pytest.mark.parametrize("zone", ["Europe/Oslo", "America/New_York", "Pacific/Auckland"])
def test_the_first_read_of_invoices_begins_with_the_day_of_the_cutover(opened, portal, zone):
    days = ("2025-12-31", "2026-01-01", "2026-01-02")
    made = [str(portal.create("invoices", {"hs_invoice_date": day}).id) for day in days]
    assert first_read(opened, "invoice", zone) == made[1:]


def test_the_first_read_of_quotes_begins_a_year_before_the_cutover(opened, portal):
    cutover = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 1000
    touched = [(cutover - days * DAY_MS) for days in (368, 365, -1)]
    made = portal.plant("quotes", [({"hs_title": "Q"}, at, at) for at in touched])
    assert first_read(opened, "quote", "Europe/Oslo") == [str(one) for one in made[1:]]
