"""What this company's administrator has added to its org: fields, kinds, products, sellers."""

from decimal import Decimal

from tieout.simulator.hubspot.trade import COUNTRIES, PEOPLE, PRODUCTS, priced
from tieout.simulator.salesforce.administering import grant
from tieout.simulator.salesforce.fields import Field
from tieout.simulator.salesforce.kinds import Kind, choice, kind, money, text, to
from tieout.simulator.salesforce.org import CURRENCIES, SalesforceOrg
from tieout.simulator.salesforce.standard import currency_field

UNLISTED = "Unlisted extra"
"""A product that nobody has given a code."""
_FIELDS: tuple[tuple[str, Field], ...] = (
    ("Opportunity", text("PO_Number__c", 80, label="Purchase order number")),
    ("Account", text("VAT_Number__c", 40, label="VAT number")),
    ("Account", text("Payment_Terms__c", 40, label="Payment terms")),
    (
        "OpportunityLineItem",
        choice("Tax_Category__c", ("standard", "reduced", "none"), label="Tax category"),
    ),
)


def furnish(org: SalesforceOrg) -> None:
    """Make what every population needs; once."""
    if "Payment__c" in org.kinds:
        return
    for name, field in _FIELDS:
        org.kinds[name].add(field)
        org.tables[name].reindex()
        grant(org, name, field.name)
    for made in (_payments(), _invoices()):
        if org.multi_currency:
            made.add(currency_field(CURRENCIES))
        org.define(made)
        for field in made.fields.values():
            if field.custom and field.nillable:
                grant(org, made.name, field.name)
    for place, (first, last) in enumerate(PEOPLE[:5]):
        org.hire(first, last, f"seller{place + 1}@nordlys.example", org.sellers_profile)
    _price_products(org)
    org.forget_sight()


def sellers(org: SalesforceOrg) -> list[str]:
    """Return the ids of the people who sell."""
    users = org.tables["User"].records.values()
    return [one["Id"] for one in users if one["ProfileId"] == org.sellers_profile]


def entries(org: SalesforceOrg) -> dict[tuple[str, str], str]:
    """Return the price book's entries by the product's name and the currency."""
    found = {}
    for one in org.tables["PricebookEntry"].records.values():
        currency = one.get("CurrencyIsoCode", org.company_currency)
        found[one["Name"], currency] = one["Id"]
    return found


def _price_products(org: SalesforceOrg) -> None:
    currencies = CURRENCIES if org.multi_currency else (org.company_currency,)
    countries = {one.currency: one for one in reversed(COUNTRIES)}
    for sku, name, euro in (*PRODUCTS, (None, UNLISTED, Decimal(75))):
        product = org.plant(
            "Product2", {"Name": name, "ProductCode": sku, "IsActive": True, "Family": "Services"}
        )
        for currency in currencies:
            entry = {
                "Name": name,
                "Pricebook2Id": org.standard_book,
                "Product2Id": product,
                "ProductCode": sku,
                "UnitPrice": priced(euro, countries[currency], currency),
                "IsActive": True,
            }
            if org.multi_currency:
                entry["CurrencyIsoCode"] = currency
            org.plant("PricebookEntry", entry)


def _payments() -> Kind:
    return kind(
        "Payment__c",
        "a00",
        (
            text("Name", 80),
            to("Opportunity__c", "Opportunity", children="Payments__r"),
            money("Amount__c", 3),
            money("Refunded__c", 3),
            Field("Paid_On__c", "date"),
            choice("Status__c", ("Received", "Pending", "Failed", "Refunded")),
            choice("Method__c", ("card", "ach", "bank_transfer")),
            text("Reference__c", 80),
            to("OwnerId", "Group", "User", nillable=False),
        ),
    )


def _invoices() -> Kind:
    return kind(
        "Invoice__c",
        "a01",
        (
            text("Name", 80),
            to("Opportunity__c", "Opportunity", children="Invoices__r"),
            to("Account__c", "Account", children="Invoices__r"),
            text("Number__c", 40, external_id=True, unique=True),
            money("Amount__c", 3),
            Field("Issued_On__c", "date"),
            choice("Status__c", ("Draft", "Issued", "Void")),
            to("OwnerId", "Group", "User", nillable=False),
        ),
    )
