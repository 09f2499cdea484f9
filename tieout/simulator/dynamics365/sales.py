"""Filling an organization: as a real sales team leaves it, or evenly for measuring.

Both are decided by the organization's seed and their own, and nothing else but the arguments.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tieout.simulator.dynamics365 import money
from tieout.simulator.dynamics365.org import DynamicsOrg
from tieout.simulator.dynamics365.schema import Target
from tieout.simulator.dynamics365.shop import Shop, furnish
from tieout.simulator.hubspot.trade import (
    COUNTRIES,
    ENDINGS,
    FIRST_WORDS,
    PEOPLE,
    PRODUCTS,
    SECOND_WORDS,
    SPECIAL_NAMES,
    Country,
    priced,
)

CUTOVER = date(2026, 1, 1)
CLOSING_DAYS = 88
"""Opportunities are won on the cutover date and in so many days after it."""
TERMS = (1, 3, 4)
"""Payment terms of the accounts: net 30, 45 and 60 days."""
WIN_REASON, LOST_REASON = 3, 4
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Customer:
    """An account that buys, and the contact who buys for it."""

    account: Target
    contact: Target | None
    country: Country
    name: str


@dataclass(slots=True)
class _Sale:
    """One opportunity to come."""

    values: dict[str, Any]
    customer: Customer | None
    closed: date
    status: int = WIN_REASON
    to_person: bool = False
    """Whether the buyer is the contact, and no account."""
    lines: list[dict[str, Any]] = field(default_factory=list)
    amount_off: Decimal | None = Decimal(0)
    """What the salesperson's amount is off its lines; None: no amount was entered."""


def sell(org: DynamicsOrg, deals: int = 500, seed: int = 0, cutover: date = CUTOVER) -> None:
    """Leave `deals` won opportunities on or after the cutover, and the mess that comes with them.

    About a quarter more are open, lost, won before the cutover or deleted. Among the won ones some
    lack a customer, lines, a currency or a contact, are sold to a person, have amounts of a
    person's own that do not add up, zero quantities, discounts of the line or of the whole,
    freight, and prices with too many digits. Some accounts are written twice, in other case or
    spacing.
    """
    dice = _dice(org, "sell", seed)
    shop = furnish(org)
    customers = _customers(org, dice, max(len(SPECIAL_NAMES), deals // 4), shop, twins=True)
    for place in range(deals):
        _plant(org, _won(dice, shop, customers, place, cutover))
    for place in range(deals, deals + deals // 4):
        sale = _other(dice, shop, customers, place, cutover)
        made = _plant(org, sale)
        if (place - deals) % 25 == 0:
            org.delete("opportunity", org.record("opportunity", made))


def sell_uniform(
    org: DynamicsOrg,
    deals: int,
    lines: int = 3,
    companies: int | None = None,
    seed: int = 0,
    cutover: date = CUTOVER,
) -> None:
    """Leave equal won opportunities in the organization's own money: nothing is missing."""
    dice = _dice(org, "uniform", seed)
    shop = furnish(org)
    count = companies if companies is not None else max(deals // 3, 1)
    customers = _customers(org, dice, count, shop, twins=False)
    for place in range(deals):
        customer = customers[place % count]
        closed = cutover + timedelta(days=dice.randrange(CLOSING_DAYS))
        sale = _Sale(_values(shop, place, customer, org.base_currency), customer, closed)
        sale.lines = [
            _line(dice, shop, customer, org.base_currency, n, messy=False) for n in range(lines)
        ]
        _plant(org, sale)


def _won(
    dice: random.Random, shop: Shop, customers: Sequence[Customer], place: int, cutover: date
) -> _Sale:
    customer = dice.choice(customers)
    currency = customer.country.currency
    if dice.random() < 0.04:  # a customer's second money
        currency = "EUR" if currency != "EUR" else "USD"
    closed = cutover + timedelta(days=dice.randrange(CLOSING_DAYS))
    sale = _Sale(_values(shop, place, customer, currency), customer, closed)
    sale.lines = [
        _line(dice, shop, customer, currency, n, messy=True)
        for n in range(dice.choice((1, 1, 2, 2, 3, 3, 4, 6)))
    ]
    _spoil(dice, sale)
    return sale


def _spoil(dice: random.Random, sale: _Sale) -> None:
    """Leave one thing wrong in some of the opportunities, and a discount or freight in others."""
    chance = dice.random()
    if chance < 0.012:
        sale.customer = None
    elif chance < 0.024:
        sale.lines = []
    elif chance < 0.036:
        for values in (sale.values, *sale.lines):
            values.pop("transactioncurrencyid")
    elif chance < 0.062:
        sale.amount_off = Decimal(dice.choice(("-100", "50", "1", "0.01")))
    elif chance < 0.074:
        sale.amount_off = None
    elif chance < 0.080:
        sale.lines[0]["priceperunit"] = Decimal("33.33333")
    elif chance < 0.090:
        sale.to_person = True
    _more_to_sum(dice, sale)


def _more_to_sum(dice: random.Random, sale: _Sale) -> None:
    chance = dice.random()
    if chance < 0.04:
        sale.values["discountpercentage"] = Decimal(dice.choice(("5", "7.5", "33.33")))
    elif chance < 0.07:
        sale.values["discountamount"] = Decimal(1)
    elif chance < 0.09:
        sale.values["freightamount"] = Decimal(12)


def _other(
    dice: random.Random, shop: Shop, customers: Sequence[Customer], place: int, cutover: date
) -> _Sale:
    """Return an opportunity that must not be invoiced: open, lost, or won too early."""
    sale = _won(dice, shop, customers, place, cutover)
    match place % 5:
        case 0 | 1:
            sale.status = 1
        case 2 | 3:
            sale.status = LOST_REASON
        case _:
            sale.closed = cutover - timedelta(days=dice.randrange(1, 60))
    return sale


def _values(shop: Shop, place: int, customer: Customer, currency: str) -> dict[str, Any]:
    return {
        "name": f"{customer.name.strip()} – order {place + 1}",
        "transactioncurrencyid": shop.currencies[currency],
        "pricelevelid": shop.price_lists[currency],
        "nly_ponumber": f"PO-D{place + 1:06d}",  # unlike another CRM's
    }


def _line(
    dice: random.Random,
    shop: Shop,
    customer: Customer,
    currency: str,
    place: int,
    *,
    messy: bool,
) -> dict[str, Any]:
    sku, name, euro = PRODUCTS[dice.randrange(len(PRODUCTS) - 1)] if messy else PRODUCTS[place % 7]
    quantity = Decimal(dice.choice((1, 1, 2, 3, 5, 10, 12)))
    values: dict[str, Any] = {
        "productid": shop.products[sku],
        "uomid": shop.unit,
        "isproductoverridden": False,
        "ispriceoverridden": True,
        "priceperunit": priced(euro, customer.country, currency),
        "quantity": quantity * (100 if sku.startswith("D") else 1),
        "transactioncurrencyid": shop.currencies[currency],
        "sequencenumber": place + 1,
        "lineitemnumber": place + 1,
        "nly_taxcategory": 1,
    }
    if messy:
        _spoil_line(dice, values, sku, name)
    return values


def _spoil_line(dice: random.Random, values: dict[str, Any], sku: str, name: str) -> None:
    chance = dice.random()
    worth = values["priceperunit"] * values["quantity"]
    if chance < 0.2:
        percent = Decimal(dice.choice(("10", "12.5", "33", "100")))
        values["manualdiscountamount"] = _cents(worth * percent / _HUNDRED)
    elif chance < 0.28:
        values["manualdiscountamount"] = _cents(worth / 10)
    if dice.random() < 0.05:
        values["quantity"] = Decimal(0)
        values.pop("manualdiscountamount", None)
    elif sku == "C-100" and dice.random() < 0.4:
        values["quantity"] = Decimal(dice.choice(("7.5", "0.25", "1.333")))
        values.pop("manualdiscountamount", None)
    if dice.random() < 0.3:
        del values["sequencenumber"]
    if dice.random() < 0.05:  # a write-in product
        del values["productid"]
        values |= {"isproductoverridden": True, "productdescription": name}
    if dice.random() < 0.15:
        values["nly_taxcategory"] = 2
    if dice.random() < 0.25:
        values["description"] = f"{name} – agreed with the buyer's office"


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def _plant(org: DynamicsOrg, sale: _Sale) -> str:
    """Store an opportunity with its lines, and close it; returns its id."""
    customer = sale.customer
    values = {**sale.values, "estimatedclosedate": sale.closed.isoformat()}
    if customer is not None:
        if customer.contact is not None:
            values["parentcontactid"] = customer.contact
        if sale.to_person and customer.contact is not None:
            values["customerid"] = customer.contact
        else:
            values |= {"customerid": customer.account, "parentaccountid": customer.account}
    values["isrevenuesystemcalculated"] = bool(sale.lines) and sale.amount_off == 0
    values["ownerid"] = Target("systemuser", org.user_id)
    at = f"{sale.closed.isoformat()}T09:00:00Z"
    target = Target("opportunity", org.new_id())
    for line in sale.lines:
        planted = {**line, "opportunityid": target}
        org.create("opportunityproduct", planted, at=at, sums=False)
    values["statuscode"] = sale.status
    total = money.completed(org, "opportunity", target.id, dict(values))["totalamount"]
    if sale.amount_off is not None and (sale.amount_off or not sale.lines):
        values["estimatedvalue"] = total + sale.amount_off if sale.lines else Decimal(990)
    if sale.status == WIN_REASON and (sale.lines or "estimatedvalue" in values):
        values["actualvalue"] = total if sale.lines else values["estimatedvalue"]
    if sale.status != 1:
        values["actualclosedate"] = sale.closed.isoformat()
    made = org.create("opportunity", values, record_id=target.id, at=at)
    for planted_line in org.shelves["opportunityproduct"].pointing("opportunityid", target):
        planted_line.values["opportunitystatecode"] = made.values["statecode"]
    return made.id


def _customers(
    org: DynamicsOrg, dice: random.Random, count: int, shop: Shop, *, twins: bool
) -> list[Customer]:
    customers = []
    named = _names(dice, count, twins=twins)
    for place, (name, country) in enumerate(named):
        first, last = PEOPLE[place % len(PEOPLE)]
        account = org.create("account", _account(dice, shop, name, country, place))
        person: dict[str, Any] = {"firstname": first, "lastname": last, "statuscode": 1}
        if not twins or dice.random() > 0.04:
            person["emailaddress1"] = f"ap{place + 1}@customer{place + 1}.example"
        at = Target("account", account.id)
        contact = org.create("contact", {**person, "statecode": 0, "parentcustomerid": at})
        buyer = Target("contact", contact.id)
        org.update("account", account, {"primarycontactid": buyer})
        bought = None if twins and dice.random() < 0.08 else buyer
        customers.append(Customer(at, bought, country, name))
    return customers


def _names(dice: random.Random, count: int, *, twins: bool) -> list[tuple[str, Country]]:
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
    return named


def _account(
    dice: random.Random, shop: Shop, name: str, country: Country, place: int
) -> dict[str, Any]:
    values: dict[str, Any] = {
        "name": name,
        "accountnumber": f"A-{place + 1:05d}",
        "websiteurl": f"https://customer{place + 1}.example",
        "address1_line1": f"{dice.randrange(1, 200)} Market Street",
        "address1_city": country.city,
        "address1_postalcode": f"{dice.randrange(10_000, 99_999)}",
        "address1_country": country.name,
        "nly_countrycode": country.code,
        "nly_vatnumber": "".join(
            str(dice.randrange(10)) if sign == "#" else sign for sign in country.tax_number
        ),
        "paymenttermscode": TERMS[place % len(TERMS)],
        "transactioncurrencyid": shop.currencies[country.currency],
        "statecode": 0,
        "statuscode": 1,
    }
    if place % 7 == 6:
        del values["paymenttermscode"]
    if place % 11 == 10:
        del values["nly_vatnumber"]
    return values


def _dice(org: DynamicsOrg, name: str, seed: int) -> random.Random:
    return random.Random(f"{name}:{org.seed}:{seed}")  # noqa: S311 - repeatable, not secret
