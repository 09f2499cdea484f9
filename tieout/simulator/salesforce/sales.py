"""Filling an org: as a real sales team leaves it, or evenly for measuring.

Both are decided by the org's seed and their own, and nothing else but the arguments.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tieout.simulator.hubspot.trade import (
    COUNTRIES,
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
from tieout.simulator.salesforce.fields import instant_text
from tieout.simulator.salesforce.furnishing import UNLISTED, entries, furnish, sellers
from tieout.simulator.salesforce.org import SalesforceOrg
from tieout.simulator.salesforce.selling import settle_line, settle_opportunity
from tieout.simulator.salesforce.standard import TYPES
from tieout.simulator.salesforce.tables import Values

CUTOVER = date(2026, 1, 1)
CLOSING_DAYS = 88
"""Deals are won on the cutover date and in so many days after it."""


@dataclass(frozen=True, slots=True)
class Customer:
    """An account that buys, and the contact who buys for it."""

    account: str
    contact: str | None
    country: Country
    name: str


@dataclass(slots=True)
class _Sale:
    """One opportunity to come, before it has an id."""

    values: Values
    customer: Customer | None
    lines: list[Values]
    payments: list[Values]
    created: datetime
    modified: datetime


def sell(org: SalesforceOrg, deals: int = 500, seed: int = 0, cutover: date = CUTOVER) -> None:
    """Leave `deals` won opportunities on or after the cutover, and the mess that comes with them.

    About a quarter more are open, lost, won before the cutover or deleted. Among the won ones some
    lack an account, products, an amount, a contact or a purchase order, have either kind of
    discount, prices with too many digits, products without a code, lines without an order, and
    payments that are partial, too large, unfinished, failed or refunded. Some accounts are written
    twice, in other case or spacing.
    """
    dice = _dice(org, "sell", seed)
    furnish(org)
    customers = _customers(org, dice, max(len(SPECIAL_NAMES), deals // 4), twins=True)
    known = entries(org)
    sales = [_won(org, dice, cutover, customers, known, place) for place in range(deals)]
    sales += [_other(org, dice, cutover, customers, known, deals + n) for n in range(deals // 4)]
    made = [_plant(org, sale, place) for place, sale in enumerate(sales)]
    for place in range(deals, deals + deals // 4, 25):
        deleted = org.tables["Opportunity"].records[made[place]]
        org.put("Opportunity", {**deleted, "IsDeleted": True})
        org.bin[deleted["Id"]] = ("Opportunity", org.now())


def sell_uniform(
    org: SalesforceOrg,
    deals: int,
    lines: int = 3,
    companies: int | None = None,
    seed: int = 0,
    cutover: date = CUTOVER,
) -> None:
    """Leave equal won opportunities in the org's own money: nothing is missing, all adds up."""
    dice = _dice(org, "uniform", seed)
    furnish(org)
    count = companies if companies is not None else max(deals // 3, 1)
    customers = _customers(org, dice, count, twins=False)
    known = entries(org)
    for place in range(deals):
        customer = customers[place % count]
        day, modified = _closing(org, dice, cutover)
        currency = org.company_currency
        values = _deal_values(org, place, customer, currency, day)
        own = [_line(dice, customer, currency, known, n, messy=False) for n in range(lines)]
        created = modified - timedelta(days=1)
        _plant(org, _Sale(values, customer, own, [], created, modified), place)


def _won(
    org: SalesforceOrg,
    dice: random.Random,
    cutover: date,
    customers: Sequence[Customer],
    known: dict[tuple[str, str], str],
    place: int,
) -> _Sale:
    customer = dice.choice(customers)
    currency = customer.country.currency
    if dice.random() < 0.04:  # a customer's second money
        currency = "EUR" if currency != "EUR" else "USD"
    if not org.multi_currency:
        currency = org.company_currency
    day, modified = _closing(org, dice, cutover)
    sale = _Sale(
        _deal_values(org, place, customer, currency, day),
        customer,
        [
            _line(dice, customer, currency, known, n, messy=True)
            for n in range(dice.choice((1, 1, 2, 2, 3, 3, 4, 6)))
        ],
        [],
        modified - timedelta(days=dice.randrange(2, 60)),
        modified,
    )
    _spoil(dice, sale)
    if dice.random() < 0.18 and sale.lines:
        sale.payments = _payments(dice, day)
    return sale


def _spoil(dice: random.Random, sale: _Sale) -> None:
    """Leave one thing wrong in some of the deals."""
    chance = dice.random()
    if chance < 0.012:
        sale.customer = None
    elif chance < 0.024:
        sale.lines = []
        sale.values["Amount"] = Decimal(990)
    elif chance < 0.036:
        sale.lines = []
    elif chance < 0.048:
        del sale.values["PO_Number__c"]
    elif chance < 0.056 and sale.lines:
        sale.lines[0]["UnitPrice"] = Decimal("33.33333")


def _other(
    org: SalesforceOrg,
    dice: random.Random,
    cutover: date,
    customers: Sequence[Customer],
    known: dict[tuple[str, str], str],
    place: int,
) -> _Sale:
    """Return a deal that must not be invoiced: open, lost, or won too early."""
    sale = _won(org, dice, cutover, customers, known, place)
    match place % 5:
        case 0 | 1:
            sale.values["StageName"] = "Negotiation/Review"
        case 2 | 3:
            sale.values["StageName"] = "Closed Lost"
        case _:
            early = cutover - timedelta(days=dice.randrange(1, 60))
            sale.values["CloseDate"] = early.isoformat()
            sale.modified = _noon(org, early)
            sale.created = sale.modified - timedelta(days=1)
    sale.payments = []
    return sale


def _deal_values(
    org: SalesforceOrg, place: int, customer: Customer, currency: str, day: date
) -> Values:
    people = sellers(org)
    values: Values = {
        "Name": f"{customer.name.strip()} – order {place + 1}",
        "CloseDate": day.isoformat(),
        "StageName": "Closed Won",
        "Type": TYPES[place % len(TYPES)],
        "OwnerId": people[place % len(people)],
        "Pricebook2Id": org.standard_book,
        "PO_Number__c": f"PO-S{place + 1:06d}",  # unlike another CRM's
        "HasOpportunityLineItem": False,
    }
    if org.multi_currency:
        values["CurrencyIsoCode"] = currency
    return values


def _line(
    dice: random.Random,
    customer: Customer,
    currency: str,
    known: dict[tuple[str, str], str],
    place: int,
    *,
    messy: bool,
) -> Values:
    sku, name, euro = PRODUCTS[dice.randrange(len(PRODUCTS) - 1)] if messy else PRODUCTS[place % 7]
    price = priced(euro, customer.country, currency)
    quantity = Decimal(dice.choice((1, 1, 2, 3, 5, 10, 12)))
    values: Values = {
        "PricebookEntryId": known[name, currency],
        "Quantity": quantity * 100 if sku.startswith("D") else quantity,
        "UnitPrice": price,
        "SortOrder": place + 1,
        "Tax_Category__c": "standard",
    }
    if messy:
        _spoil_line(dice, values, known, currency, sku)
    return values


def _spoil_line(
    dice: random.Random,
    values: Values,
    known: dict[tuple[str, str], str],
    currency: str,
    sku: str,
) -> None:
    chance = dice.random()
    if chance < 0.2:
        values["Discount"] = Decimal(dice.choice(("10", "12.5", "33", "100")))
    elif chance < 0.28:
        price = values["UnitPrice"]
        values["UnitPrice"] = (price * Decimal("0.9")).quantize(price)
    if sku == "C-100" and dice.random() < 0.4:
        values["Quantity"] = Decimal(dice.choice(("7.5", "0.25", "1.33")))
    if dice.random() < 0.3:
        del values["SortOrder"]
    if dice.random() < 0.05:
        values["PricebookEntryId"] = known[UNLISTED, currency]
    if dice.random() < 0.15:
        values["Tax_Category__c"] = "reduced"
    if dice.random() < 0.25:
        values["Description"] = "As agreed with the buyer's office"


def _payments(dice: random.Random, day: date) -> list[Values]:
    """Return payments whose amounts are shares of the deal's, still to be scaled."""
    kinds = (("1.0",), ("0.5",), ("0.3", "0.7"), ("0.25", "0.25"), ("1.5",))
    payments: list[Values] = []
    for share in dice.choice(kinds):
        status = dice.choices(("Received", "Pending", "Failed", "Refunded"), (85, 5, 5, 5))[0]
        payments.append(
            {
                "Amount__c": Decimal(share),
                "Paid_On__c": (day + timedelta(days=dice.randrange(1, 20))).isoformat(),
                "Status__c": status,
                "Method__c": dice.choice(("card", "ach", "bank_transfer")),
            }
        )
    return payments


def _plant(org: SalesforceOrg, sale: _Sale, place: int) -> str:
    """Store one opportunity with its lines and payments; returns its id."""
    present = org.now()
    created, modified = (instant_text(min(at, present)) for at in (sale.created, sale.modified))
    customer = sale.customer
    values = {**sale.values, "Id": org.tables["Opportunity"].take_id()}
    if customer is not None:
        values |= {"AccountId": customer.account, "ContactId": customer.contact}
    settle_opportunity(org, values, {"StageName": values["StageName"]})
    values |= {"CreatedDate": created, "LastModifiedDate": modified}
    org.plant("Opportunity", values, modified)
    total = quantity = Decimal(0)
    for line in sale.lines:
        made = {**line, "OpportunityId": values["Id"]}
        settle_line(org, made, dict(line), None)
        org.plant("OpportunityLineItem", made, created)
        total += made["TotalPrice"]
        quantity += made["Quantity"]
    if sale.lines:
        values |= {
            "Amount": total,
            "TotalOpportunityQuantity": quantity,
            "HasOpportunityLineItem": True,
        }
        org.plant("Opportunity", values, modified)
    if customer is not None and customer.contact is not None:
        role = {"OpportunityId": values["Id"], "ContactId": customer.contact, "IsPrimary": True}
        org.plant("OpportunityContactRole", {**role, "Role": "Decision Maker"}, created)
    _plant_payments(org, sale, values, total, place, modified)
    return str(values["Id"])


def _plant_payments(
    org: SalesforceOrg, sale: _Sale, deal: Values, total: Decimal, place: int, at: str
) -> None:
    for number, payment in enumerate(sale.payments):
        amount = (total * payment["Amount__c"]).quantize(total)
        made: dict[str, Any] = {
            **payment,
            "Name": f"PAY-{place + 1:06d}-{number + 1}",
            "Reference__c": f"PAY-{place + 1:06d}-{number + 1}",
            "Opportunity__c": deal["Id"],
            "Amount__c": amount,
            "OwnerId": deal["OwnerId"],
        }
        if payment["Status__c"] == "Refunded":
            made["Refunded__c"] = amount
        if org.multi_currency:
            made["CurrencyIsoCode"] = deal["CurrencyIsoCode"]
        org.plant("Payment__c", made, at)


def _customers(
    org: SalesforceOrg, dice: random.Random, count: int, *, twins: bool
) -> list[Customer]:
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
    return [
        _customer(org, dice, name, country, place, twins=twins)
        for place, (name, country) in enumerate(named)
    ]


def _customer(
    org: SalesforceOrg,
    dice: random.Random,
    name: str,
    country: Country,
    place: int,
    *,
    twins: bool,
) -> Customer:
    created = instant_text(org.now() - timedelta(days=400))
    people = sellers(org)
    owner = {"OwnerId": people[place % len(people)]}
    if org.multi_currency:
        owner["CurrencyIsoCode"] = country.currency
    account = org.plant("Account", {**_account(dice, name, country, place), **owner}, created)
    if twins and dice.random() < 0.08:
        return Customer(account, None, country, name)
    first, last = PEOPLE[place % len(PEOPLE)]
    person = {"FirstName": first, "LastName": last, "Name": f"{first} {last}"}
    if not twins or dice.random() > 0.04:
        person["Email"] = f"ap{place + 1}@customer{place + 1}.example"
    contact = org.plant("Contact", {**person, **owner, "AccountId": account}, created)
    return Customer(account, contact, country, name)


def _account(dice: random.Random, name: str, country: Country, place: int) -> Values:
    values: Values = {
        "Name": name,
        "Website": f"https://customer{place + 1}.example",
        "Type": "Customer",
        "BillingStreet": f"{dice.randrange(1, 200)} Market Street",
        "BillingCity": country.city,
        "BillingPostalCode": f"{dice.randrange(10_000, 99_999)}",
        "BillingCountry": country.name,
        "BillingCountryCode": country.code,
        "VAT_Number__c": "".join(
            str(dice.randrange(10)) if sign == "#" else sign for sign in country.tax_number
        ),
        "Payment_Terms__c": TERMS[place % len(TERMS)],
    }
    if place % 7 == 6:
        del values["Payment_Terms__c"]
    if place % 11 == 10:
        del values["VAT_Number__c"]
    return values


def _closing(org: SalesforceOrg, dice: random.Random, cutover: date) -> tuple[date, datetime]:
    """Return a day to close on, and when the deal was last touched: in the hours after."""
    day = cutover + timedelta(days=dice.randrange(CLOSING_DAYS))
    return day, _noon(org, day) + timedelta(minutes=dice.randrange(1, 600))


def _noon(org: SalesforceOrg, day: date) -> datetime:
    return datetime.combine(day, time(12), ZoneInfo(org.time_zone))


def _dice(org: SalesforceOrg, name: str, seed: int) -> random.Random:
    return random.Random(f"{name}:{org.seed}:{seed}")  # noqa: S311 - repeatable, not secret
