"""The standard kinds of records, as far as a sale, its customers and their set-up reach.

Source: Object Reference for the Salesforce Platform, the page of each object.
"""

from dataclasses import replace

from tieout.simulator.salesforce.around import files, people, rates, setup
from tieout.simulator.salesforce.fields import Field
from tieout.simulator.salesforce.kinds import (
    COMPUTED,
    READ_ONLY,
    Kind,
    choice,
    flag,
    kind,
    money,
    number,
    text,
    to,
)

STAGES: tuple[tuple[str, bool, bool, int], ...] = (
    ("Prospecting", False, False, 10),
    ("Proposal/Price Quote", False, False, 75),
    ("Negotiation/Review", False, False, 90),
    ("Closed Won", True, True, 100),
    ("Closed Lost", True, False, 0),
)
"""Stage, whether closed, whether won, probability."""
TYPES = ("New Customer", "Existing Customer - Upgrade", "Existing Customer - Renewal")
MULTI_CURRENCY = (
    "Account",
    "Contact",
    "Opportunity",
    "OpportunityLineItem",
    "Product2",
    "Pricebook2",
    "PricebookEntry",
    "User",
)
"""Kinds whose records name a currency where an org has several."""
_LONG = 32_000


def standard_kinds(*, currencies: tuple[str, ...], price_digits: int) -> dict[str, Kind]:
    """Return the kinds of an org; `currencies` is empty where it has only one."""
    made = [*_selling(price_digits), *_customers(), *people(), *setup(), *files()]
    if currencies:
        made += rates()
    kinds = {one.name: one for one in made}
    if currencies:
        for name in MULTI_CURRENCY:
            kinds[name].add(currency_field(currencies))
        line = kinds["OpportunityLineItem"]
        line.add(replace(line.fields["CurrencyIsoCode"], createable=False, updateable=False))
    return kinds


def currency_field(currencies: tuple[str, ...]) -> Field:
    """Return the field that names a record's currency."""
    return choice("CurrencyIsoCode", currencies, restricted=True, label="Currency ISO Code")


def _owner(*kinds: str) -> Field:
    return to("OwnerId", *kinds, nillable=False)


def _address(prefix: str) -> tuple[Field, ...]:
    return (
        Field(f"{prefix}Street", "textarea", length=255),
        text(f"{prefix}City", 40),
        text(f"{prefix}State", 80),
        text(f"{prefix}PostalCode", 20),
        text(f"{prefix}Country", 80),
        text(f"{prefix}CountryCode", 10),
    )


def _selling(price_digits: int) -> list[Kind]:
    sums = {"digits": max(2, min(price_digits, 3))}
    opportunity = kind(
        "Opportunity",
        "006",
        (
            to("AccountId", "Account", children="Opportunities"),
            to("RecordTypeId", "RecordType"),
            text("Name", 120, nillable=False),
            Field("Description", "textarea", length=_LONG),
            choice("StageName", [name for name, *_ in STAGES], nillable=False),
            money("Amount", **sums),
            Field("Probability", "percent", precision=3),
            money("ExpectedRevenue", **sums, **COMPUTED),
            number("TotalOpportunityQuantity", 18, 2),
            Field("CloseDate", "date", nillable=False),
            choice("Type", TYPES),
            text("NextStep"),
            choice("LeadSource", ("Web", "Partner", "Other")),
            flag("IsClosed", **COMPUTED),
            flag("IsWon", **COMPUTED),
            choice("ForecastCategoryName", ("Pipeline", "Closed", "Omitted")),
            flag("HasOpportunityLineItem", **COMPUTED),
            to("Pricebook2Id", "Pricebook2"),
            to("ContactId", "Contact", updateable=False),
            _owner("User"),
        ),
        plural="Opportunities",
    )
    line = kind(
        "OpportunityLineItem",
        "00k",
        (
            to(
                "OpportunityId",
                "Opportunity",
                children="OpportunityLineItems",
                nillable=False,
                updateable=False,
            ),
            Field("SortOrder", "int", precision=9),
            to("PricebookEntryId", "PricebookEntry", updateable=False),
            to("Product2Id", "Product2", updateable=False),
            text("ProductCode", **COMPUTED),
            text("Name", 376, **COMPUTED),
            number("Quantity", 12, 2, nillable=False),
            Field("Discount", "percent", precision=5, scale=2),
            money("Subtotal", **sums, **COMPUTED),
            money("TotalPrice", **sums),
            money("UnitPrice", price_digits),
            money("ListPrice", price_digits, **COMPUTED),
            Field("ServiceDate", "date"),
            text("Description"),
            flag("HasQuantitySchedule", **COMPUTED),
            flag("HasRevenueSchedule", **COMPUTED),
            flag("HasSchedule", **COMPUTED),
        ),
        label="Opportunity Product",
    )
    product = kind(
        "Product2",
        "01t",
        (
            text("Name", nillable=False),
            text("ProductCode"),
            Field("Description", "textarea", length=4000),
            flag("IsActive"),
            choice("Family", ("Services", "Licences", "Goods")),
            text("StockKeepingUnit", 180),
        ),
        label="Product",
    )
    book = kind(
        "Pricebook2",
        "01s",
        (text("Name", nillable=False), flag("IsActive"), flag("IsStandard", **READ_ONLY)),
        label="Price Book",
    )
    entry = kind(
        "PricebookEntry",
        "01u",
        (
            text("Name", **COMPUTED),
            to("Pricebook2Id", "Pricebook2", nillable=False, children="PricebookEntries"),
            to("Product2Id", "Product2", nillable=False, children="PricebookEntries"),
            money("UnitPrice", price_digits, nillable=False),
            flag("IsActive"),
            flag("UseStandardPrice"),
            text("ProductCode", **COMPUTED),
        ),
        label="Price Book Entry",
        plural="Price Book Entries",
    )
    return [opportunity, line, product, book, entry]


def _customers() -> list[Kind]:
    account = kind(
        "Account",
        "001",
        (
            to("MasterRecordId", "Account", **READ_ONLY),
            text("Name", nillable=False),
            choice("Type", ("Customer", "Prospect", "Partner")),
            to("RecordTypeId", "RecordType"),
            to("ParentId", "Account", children="ChildAccounts"),
            *_address("Billing"),
            *_address("Shipping"),
            Field("Phone", "phone", length=40),
            Field("Website", "url", length=255),
            text("AccountNumber", 40),
            choice("Industry", ("Energy", "Media", "Retail", "Technology")),
            money("AnnualRevenue", 0),
            Field("NumberOfEmployees", "int", precision=8),
            Field("Description", "textarea", length=_LONG),
            _owner("User"),
        ),
        mergeable=True,
    )
    contact = kind(
        "Contact",
        "003",
        (
            to("MasterRecordId", "Contact", **READ_ONLY),
            to("AccountId", "Account", children="Contacts"),
            text("LastName", 80, nillable=False),
            text("FirstName", 40),
            text("Name", 121, **COMPUTED),
            Field("Email", "email", length=80),
            Field("Phone", "phone", length=40),
            text("Title", 128),
            *_address("Mailing"),
            _owner("User"),
        ),
        mergeable=True,
    )
    role = kind(
        "OpportunityContactRole",
        "00K",
        (
            to(
                "OpportunityId",
                "Opportunity",
                children="OpportunityContactRoles",
                nillable=False,
                updateable=False,
            ),
            to("ContactId", "Contact", children="OpportunityContactRoles", nillable=False),
            choice("Role", ("Decision Maker", "Accounts Payable", "Other")),
            flag("IsPrimary"),
        ),
        label="Opportunity Contact Role",
    )
    task = kind(
        "Task",
        "00T",
        (
            text("Subject"),
            choice("Status", ("Not Started", "Completed"), default="Not Started"),
            to("WhatId", "Account", "Opportunity", children="Tasks"),
            to("WhoId", "Contact", children="Tasks"),
            Field("ActivityDate", "date"),
            _owner("Group", "User"),
        ),
    )
    return [account, contact, role, task]
