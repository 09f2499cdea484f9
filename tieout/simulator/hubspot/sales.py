"""Filling a portal: as a real sales team leaves it, or evenly for measuring.

Both are decided by the portal's seed and their own, and nothing else but the arguments.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from tieout.simulator.hubspot.portal import HubSpotPortal
from tieout.simulator.hubspot.schema import instant_text
from tieout.simulator.hubspot.trade import (
    COUNTRIES,
    CUSTOM,
    ENDINGS,
    FIRST_WORDS,
    PEOPLE,
    PRODUCTS,
    SECOND_WORDS,
    SPECIAL_NAMES,
    TERMS,
    Country,
    priced,
)

CUTOVER = date(2026, 1, 1)
CLOSING_DAYS = 88
"""Deals are won on the cutover date and in so many days after it."""

Planted = tuple[dict[str, str], int, int]
"""Values, created, modified; times in epoch milliseconds."""

MINUTE_MS = 60_000
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Customer:
    """A company that buys, and the contact who buys for it."""

    company: int
    contact: int | None
    country: Country
    name: str


@dataclass(slots=True)
class _Sale:
    """One deal to come, before it has an id."""

    values: dict[str, str]
    customers: Sequence[Customer]
    primary: bool
    lines: list[dict[str, str]]
    payments: list[dict[str, str]]
    created: int
    modified: int
    amount_off: Decimal | None = None
    """What the salesperson's amount is off its lines; None: no amount was entered."""


def sell(portal: HubSpotPortal, deals: int = 500, seed: int = 0, cutover: date = CUTOVER) -> None:
    """Leave `deals` won deals on or after the cutover, and the mess that comes with them.

    About a quarter more are open, lost, won before the cutover or archived. Among the won ones
    some lack a company, lines, a currency or a contact, have two companies and no primary one,
    lines that do not add up, zero quantities, either kind of discount, amounts with too many
    digits, and payments that are partial, too large, unfinished, failed or refunded. Some
    companies are written twice, in other case or spacing.
    """
    dice = _dice(portal, "sell", seed)
    _furnish(portal)
    customers = _customers(portal, dice, max(len(SPECIAL_NAMES), deals // 4), twins=True)
    calendar = _Calendar(portal, cutover)
    sales = [_won(portal, dice, calendar, customers, place) for place in range(deals)]
    sales += [_other(portal, dice, calendar, customers, deals + n) for n in range(deals // 4)]
    deal_ids = _plant_sales(portal, sales)
    for place in range(deals, deals + deals // 4, 25):
        archived = portal.find("deals", deal_ids[place])
        if archived is not None:
            portal.archive("deals", archived)
    portal.indexes["deals"].settle(portal.present() + DAY_MS)


def sell_uniform(
    portal: HubSpotPortal,
    deals: int,
    lines: int = 3,
    companies: int | None = None,
    seed: int = 0,
    cutover: date = CUTOVER,
) -> None:
    """Leave equal won deals in the portal's own money: nothing is missing, all adds up."""
    dice = _dice(portal, "uniform", seed)
    _furnish(portal)
    count = companies if companies is not None else max(deals // 3, 1)
    customers = _customers(portal, dice, count, twins=False)
    calendar = _Calendar(portal, cutover)
    sales = []
    for place in range(deals):
        customer = customers[place % count]
        closed = calendar.closing(dice)
        sales.append(
            _Sale(
                _deal_values(portal, place, customer, portal.company_currency, closed),
                [customer],
                primary=True,
                lines=[
                    _line(dice, customer, portal.company_currency, n, messy=False)
                    for n in range(lines)
                ],
                payments=[],
                created=closed - DAY_MS,
                modified=closed,
                amount_off=Decimal(0),
            )
        )
    _plant_sales(portal, sales)


class _Calendar:
    """Closing instants: in working hours, near midnight, and at midnight UTC (R40)."""

    def __init__(self, portal: HubSpotPortal, cutover: date) -> None:
        zone = ZoneInfo(portal.time_zone)
        self._days = [
            _milliseconds(datetime.combine(cutover + timedelta(days=n), time(), zone))
            for n in range(CLOSING_DAYS + 1)
        ]
        self._cutover_utc = _milliseconds(datetime.combine(cutover, time(), UTC))

    def closing(self, dice: random.Random) -> int:
        day = dice.randrange(CLOSING_DAYS)
        chance = dice.random()
        if chance < 0.15:  # written by another integration: a bare day
            return self._cutover_utc + (day + 1) * DAY_MS
        if chance < 0.22:
            return self._days[day] + 15 * MINUTE_MS
        if chance < 0.30:
            return self._days[day + 1] - 30 * MINUTE_MS
        return self._days[day] + dice.randrange(9 * 60, 17 * 60) * MINUTE_MS

    def before_cutover(self, dice: random.Random) -> int:
        return self._days[0] - dice.randrange(1, 60 * 24 * 60) * MINUTE_MS


def _won(
    portal: HubSpotPortal,
    dice: random.Random,
    calendar: _Calendar,
    customers: Sequence[Customer],
    place: int,
) -> _Sale:
    customer = dice.choice(customers)
    currency = customer.country.currency
    if dice.random() < 0.04:  # a customer's second money
        currency = "EUR" if currency != "EUR" else "USD"
    closed = calendar.closing(dice)
    values = _deal_values(portal, place, customer, currency, closed)
    if dice.random() < 0.2:
        _move(portal, values, pipeline=1, won=True)
    sale = _Sale(
        values,
        [customer],
        primary=True,
        lines=[
            _line(dice, customer, currency, n, messy=True)
            for n in range(dice.choice((1, 1, 2, 2, 3, 3, 4, 6)))
        ],
        payments=[],
        created=closed - dice.randrange(2, 60) * DAY_MS,
        modified=closed + dice.randrange(1, 60) * MINUTE_MS,
        amount_off=Decimal(0),
    )
    _spoil(dice, sale, customers)
    if dice.random() < 0.18 and sale.lines and "deal_currency_code" in values:
        sale.payments = _payments(dice, currency, closed)
    return sale


def _spoil(dice: random.Random, sale: _Sale, customers: Sequence[Customer]) -> None:
    """Leave one thing wrong in some of the deals."""
    chance = dice.random()
    if chance < 0.012:
        sale.customers = []
    elif chance < 0.024:
        sale.lines = []
    elif chance < 0.036:
        del sale.values["deal_currency_code"]
        for line in sale.lines:
            line.pop("hs_line_item_currency_code")
    elif chance < 0.062:
        sale.amount_off = Decimal(dice.choice(("-100", "50", "1", "0.001")))
    elif chance < 0.074:
        sale.amount_off = None
    elif chance < 0.080:
        sale.lines[0]["price"] = "33.33333"
    elif chance < 0.090:
        sale.customers, sale.primary = [*sale.customers, dice.choice(customers)], False


def _other(
    portal: HubSpotPortal,
    dice: random.Random,
    calendar: _Calendar,
    customers: Sequence[Customer],
    place: int,
) -> _Sale:
    """Return a deal that must not be invoiced: open, lost, or won too early."""
    sale = _won(portal, dice, calendar, customers, place)
    match place % 5:
        case 0 | 1:
            _move(portal, sale.values, pipeline=place % 2, won=False)
        case 2 | 3:
            pipeline = portal.pipelines[place % 2]
            lost = next(stage for stage in pipeline.stages if stage.closed and not stage.won)
            sale.values |= {"pipeline": pipeline.id, "dealstage": lost.id}
        case _:
            closed = calendar.before_cutover(dice)
            sale.values["closedate"] = instant_text(closed)
            sale.created, sale.modified = closed - DAY_MS, closed
    sale.payments = []
    return sale


def _move(portal: HubSpotPortal, values: dict[str, str], *, pipeline: int, won: bool) -> None:
    chosen = portal.pipelines[pipeline]
    stage = chosen.won_stage if won else chosen.stages[0]
    values |= {"pipeline": chosen.id, "dealstage": stage.id}


def _deal_values(
    portal: HubSpotPortal, place: int, customer: Customer, currency: str, closed: int
) -> dict[str, str]:
    sales = portal.pipelines[0]
    return {
        "dealname": f"{customer.name.strip()} – order {place + 1}",
        "deal_currency_code": currency,
        "closedate": instant_text(closed),
        "pipeline": sales.id,
        "dealstage": sales.won_stage.id,
        "hubspot_owner_id": portal.owners[place % len(portal.owners)]["id"],
        "po_number": f"PO-{place + 1:06d}",
    }


def _line(
    dice: random.Random, customer: Customer, currency: str, place: int, *, messy: bool
) -> dict[str, str]:
    sku, name, euro = PRODUCTS[dice.randrange(len(PRODUCTS) - 1)] if messy else PRODUCTS[place % 7]
    quantity = str(dice.choice((1, 1, 2, 3, 5, 10, 12)))
    values = {
        "name": name,
        "hs_sku": sku,
        "quantity": quantity,
        "price": f"{priced(euro, customer.country, currency):f}",
        "hs_line_item_currency_code": currency,
        "hs_position_on_quote": str(place),
        "tax_category": "standard",
    }
    if sku.startswith("D"):
        values["quantity"] = str(int(quantity) * 100)
    if messy:
        _spoil_line(dice, values)
    return values


def _spoil_line(dice: random.Random, values: dict[str, str]) -> None:
    chance = dice.random()
    if chance < 0.2:
        values["hs_discount_percentage"] = dice.choice(("10", "12.5", "33", "100"))
    elif chance < 0.28:
        share = Decimal(values["price"]) / 10
        values["discount"] = f"{share.quantize(Decimal(values['price'])):f}"
    if dice.random() < 0.05:
        values["quantity"] = "0"
    elif values["hs_sku"] == "C-100" and dice.random() < 0.4:
        values["quantity"] = dice.choice(("7.5", "0.25", "1.333"))
    if dice.random() < 0.3:
        del values["hs_position_on_quote"]
    if dice.random() < 0.05:
        del values["hs_sku"]
    if dice.random() < 0.15:
        values["tax_category"] = "reduced"
    if dice.random() < 0.25:
        values["description"] = f"{values['name']} – agreed with the buyer's office"


def _payments(dice: random.Random, currency: str, closed: int) -> list[dict[str, str]]:
    """Return payments whose amounts are shares of the deal's, as texts still to be scaled."""
    kinds = (("1.0",), ("0.5",), ("0.3", "0.7"), ("0.25", "0.25"), ("1.5",))
    payments = []
    for share in dice.choice(kinds):
        status = dice.choices(
            ("succeeded", "processing", "failed", "refunded"), weights=(85, 5, 5, 5)
        )[0]
        paid = closed + dice.randrange(1, 20 * 24 * 60) * MINUTE_MS
        payments.append(
            {
                "hs_initial_amount": share,
                "hs_currency_code": currency,
                "hs_initiated_date": instant_text(paid),
                "hs_latest_status": status,
                "hs_payment_method_type": dice.choice(("card", "ach", "bank_transfer")),
            }
        )
    return payments


def _plant_sales(portal: HubSpotPortal, sales: Sequence[_Sale]) -> list[int]:
    """Store deals, lines and payments, and link them; returns the deals' ids in order."""
    present = portal.present()
    sales_lines: list[Planted] = [
        (line, sale.created, min(sale.modified, present)) for sale in sales for line in sale.lines
    ]
    line_ids = iter(portal.plant("line_items", sales_lines))
    lines_of = [[next(line_ids) for _ in sale.lines] for sale in sales]
    shelf = portal.shelves["line_items"].records
    payments: list[tuple[int, Planted]] = []
    deals: list[Planted] = []
    for place, sale in enumerate(sales):
        net = sum((Decimal(shelf[one].values["amount"]) for one in lines_of[place]), Decimal(0))
        if sale.amount_off is not None:
            sale.values["amount"] = f"{net + sale.amount_off if sale.lines else Decimal(990):f}"
        deals.append((sale.values, sale.created, min(sale.modified, present)))
        for number, payment in enumerate(sale.payments):
            share = Decimal(payment["hs_initial_amount"])
            payment["hs_initial_amount"] = f"{(net * share).quantize(net):f}"
            if payment["hs_latest_status"] == "refunded":
                payment["hs_refunds_amount"] = payment["hs_initial_amount"]
            payment["hs_reference_number"] = f"PAY-{place + 1:06d}-{number + 1}"
            payments.append((place, (payment, sale.modified, min(sale.modified, present))))
    deal_ids = portal.plant("deals", deals)
    payment_ids = portal.plant("commerce_payments", [planted for _, planted in payments])
    link = portal.links.link
    for deal_id, sale, its_lines in zip(deal_ids, sales, lines_of, strict=True):
        for line_id in its_lines:
            link(("deals", "line_items"), deal_id, line_id)
        for customer in sale.customers:
            link(("deals", "companies"), deal_id, customer.company, primary=sale.primary)
            if customer.contact is not None:
                link(("deals", "contacts"), deal_id, customer.contact)
    for payment_id, (place, _) in zip(payment_ids, payments, strict=True):
        link(("commerce_payments", "deals"), payment_id, deal_ids[place])
    return deal_ids


def _customers(
    portal: HubSpotPortal, dice: random.Random, count: int, *, twins: bool
) -> list[Customer]:
    created = portal.present() - 400 * DAY_MS
    by_code = {country.code: country for country in COUNTRIES}
    named: list[tuple[str, Country]] = []
    for place in range(count):
        if twins and place < len(SPECIAL_NAMES):
            name, code = SPECIAL_NAMES[place]
            named.append((name, by_code[code]))
        elif twins and place % 20 == 19:
            former, country = named[dice.randrange(len(named))]
            twin = dice.choice((former.upper(), f"{former} ", former.replace(" ", "  ")))
            named.append((twin, country))
        else:
            country = dice.choice(COUNTRIES) if twins else COUNTRIES[0]
            words = f"{FIRST_WORDS[place % 9]} {SECOND_WORDS[place // 9 % 8]} {place + 1}"
            named.append((f"{words} {ENDINGS.get(country.code, 'Co.')}", country))
    companies = portal.plant(
        "companies",
        [(_company(dice, name, at, n), created, created) for n, (name, at) in enumerate(named)],
    )
    contacts: list[Planted] = []
    for place in range(count):
        first, last = PEOPLE[place % len(PEOPLE)]
        person = {"firstname": first, "lastname": last}
        if not twins or dice.random() > 0.04:
            person["email"] = f"ap{place + 1}@customer{place + 1}.example"
        contacts.append((person, created, created))
    people = portal.plant("contacts", contacts)
    for company, person_id in zip(companies, people, strict=True):
        portal.links.link(("contacts", "companies"), person_id, company, primary=True)
    return [
        Customer(company, None if twins and dice.random() < 0.08 else person_id, country, name)
        for company, person_id, (name, country) in zip(companies, people, named, strict=True)
    ]


def _company(dice: random.Random, name: str, country: Country, place: int) -> dict[str, str]:
    values = {
        "name": name,
        "domain": f"customer{place + 1}.example",
        "address": f"{dice.randrange(1, 200)} Market Street",
        "city": country.city,
        "zip": f"{dice.randrange(10_000, 99_999)}",
        "country": country.name,
        "hs_country_code": country.code,
        "vat_number": "".join(
            str(dice.randrange(10)) if sign == "#" else sign for sign in country.tax_number
        ),
        "payment_terms": TERMS[place % len(TERMS)],
    }
    if place % 7 == 6:
        del values["payment_terms"]
    if place % 11 == 10:
        del values["vat_number"]
    return values


def _furnish(portal: HubSpotPortal) -> None:
    """Make what every population needs: properties, owners, products; once."""
    for kind, prop in CUSTOM:
        if prop.name not in portal.properties[kind]:
            portal.define(kind, prop)
    if portal.owners:
        return
    present = portal.present()
    for place, (first, last) in enumerate(PEOPLE[:5]):
        email = f"seller{place + 1}@nordlys.example"
        portal.hire(str(71_000_001 + place), email, firstName=first, lastName=last)
    portal.plant(
        "products",
        [
            ({"hs_sku": sku, "name": name, "price": f"{price:f}"}, present, present)
            for sku, name, price in PRODUCTS
        ],
    )


def _dice(portal: HubSpotPortal, name: str, seed: int) -> random.Random:
    return random.Random(f"{name}:{portal.seed}:{seed}")  # noqa: S311 - repeatable, not secret


def _milliseconds(instant: datetime) -> int:
    return int(instant.timestamp()) * 1000
