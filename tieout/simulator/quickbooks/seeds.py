"""A company to begin with: accounts, items, taxes, terms, classes, and people if wanted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from tieout.simulator.quickbooks import writing
from tieout.simulator.quickbooks.company import QuickBooksCompany
from tieout.simulator.quickbooks.payments import UNDEPOSITED
from tieout.simulator.quickbooks.refusals import Json


@dataclass(frozen=True, slots=True)
class SoldItem:
    """An item to sell."""

    name: str
    sku: str
    price: Decimal


ITEMS = (
    SoldItem("Services", "", Decimal(0)),
    SoldItem("Consulting", "C-1", Decimal(150)),
    SoldItem("Licence", "L-9", Decimal(500)),
    SoldItem("Support", "S-2", Decimal("49.90")),
    SoldItem("Training", "T-3", Decimal(1200)),
)
TERMS = {"Due on receipt": 0, "Net 10": 10, "Net 15": 15, "Net 30": 30, "Net 60": 60}
CLASSES = ("Services", "Subscriptions")
METHODS = {
    "Cash": "NON_CREDIT_CARD",
    "Check": "NON_CREDIT_CARD",
    "Bank transfer": "NON_CREDIT_CARD",
    "Credit card": "CREDIT_CARD",
}
TAX_CODES: dict[str, dict[str, Decimal]] = {
    "US": {},
    "DE": {"S19": Decimal(19), "S7": Decimal(7), "Z": Decimal(0)},
    "NO": {"S25": Decimal(25), "S15": Decimal(15), "Z": Decimal(0)},
    "GB": {"20.0% S": Decimal(20), "5.0% R": Decimal(5), "0.0% Z": Decimal(0)},
    "CA": {"GST": Decimal(5), "HST ON": Decimal(13), "Zero-rated": Decimal(0)},
    "AU": {"GST": Decimal(10), "GST free": Decimal(0)},
    "IN": {"18.0% IGST": Decimal(18), "5.0% IGST": Decimal(5), "0% IGST": Decimal(0)},
}
"""Name of a code to its percent; a country that is not here gets Germany's names."""

RATES = {
    "USD": Decimal("0.92"),
    "EUR": Decimal("1.09"),
    "GBP": Decimal("1.27"),
    "NOK": Decimal("0.094"),
    "JPY": Decimal("0.0067"),
    "KWD": Decimal("2.98"),
    "CHF": Decimal("1.13"),
    "CAD": Decimal("0.73"),
}
"""Home units for one foreign; made up, and the same for every home."""

_ACCOUNTS: tuple[tuple[str, str, str], ...] = (
    ("Checking", "Bank", "Checking"),
    (UNDEPOSITED, "Other Current Asset", "UndepositedFunds"),
    ("Accounts Receivable (A/R)", "Accounts Receivable", "AccountsReceivable"),
    ("Sales of Product Income", "Income", "SalesOfProductIncome"),
    ("Services", "Income", "ServiceFeeIncome"),
    ("Discounts given", "Income", "DiscountsRefundsGiven"),
    ("Sales Tax Payable", "Other Current Liability", "GlobalTaxPayable"),
)
_FIRST = ("Amy", "Bill", "Zoë", "Jörg", "Ngọc", "Siobhán", "王", "Paulsen", "O'Hara", "Diego")
_LAST = ("Bird Sanctuary", "& Sons", "GmbH", "Ltd", "Möbel", "贸易", "Windsurf Shop", "Labs")


def seed_company(
    company: QuickBooksCompany,
    *,
    items: Sequence[SoldItem] = ITEMS,
    currencies: Mapping[str, Decimal] | None = None,
    customers: int = 0,
    vendors: int = 0,
) -> QuickBooksCompany:
    """Furnish an empty company and return it; the same seed makes the same people.

    `currencies` are the foreign ones with their rates, where the company has many.
    """
    for name, account_type, sub_type in _ACCOUNTS:
        body = {"Name": name, "AccountType": account_type, "AccountSubType": sub_type}
        writing.create(company, "Account", body)
    if company.multicurrency:
        _add_currencies(company, RATES if currencies is None else currencies)
    _add_taxes(company)
    _add_items(company, items)
    for name, days in TERMS.items():
        writing.create(company, "Term", {"Name": name, "DueDays": days})
    for name in CLASSES:
        writing.create(company, "Class", {"Name": name})
    for name, kind in METHODS.items():
        writing.create(company, "PaymentMethod", {"Name": name, "Type": kind})
    people = Random(company.seed)  # noqa: S311 - repeatable names
    for number in range(1, customers + 1):
        writing.create(company, "Customer", _person(people, f"{number}", company))
    for number in range(1, vendors + 1):
        writing.create(company, "Vendor", _person(people, f"V{number}", company))
    return company


def account_named(company: QuickBooksCompany, name: str) -> Json:
    """Return the reference to an account.

    Raises:
        LookupError: no account has this name.
    """
    for record in company.tables["Account"].having("name", name.casefold()):
        return record.ref
    raise LookupError(f"no account {name!r}")


def _add_currencies(company: QuickBooksCompany, rates: Mapping[str, Decimal]) -> None:
    for code, rate in rates.items():
        if code != company.home_currency:
            writing.create(company, "CompanyCurrency", {"Code": code})
            company.set_rate(code, rate)


def _add_taxes(company: QuickBooksCompany) -> None:
    """Add codes and rates past the API, which can only read them."""
    if company.is_us():
        for code, taxable in (("TAX", True), ("NON", False)):
            body = {"Name": code, "Active": True, "Taxable": taxable, "TaxGroup": False}
            company.add("TaxCode", body, one=code)
        return
    codes = TAX_CODES.get(company.country, TAX_CODES["DE"])
    for name, percent in codes.items():
        rate = company.add(
            "TaxRate",
            {
                "Name": f"{name} (sales)",
                "Active": True,
                "RateValue": percent,
                "AgencyRef": {"value": "1"},
            },
        )
        detail = {"TaxRateRef": rate.ref, "TaxTypeApplicable": "TaxOnAmount", "TaxOrder": 0}
        company.add(
            "TaxCode",
            {
                "Name": name,
                "Description": name,
                "Active": True,
                "Taxable": True,
                "TaxGroup": True,
                "SalesTaxRateList": {"TaxRateDetail": [detail]},
                "PurchaseTaxRateList": {"TaxRateDetail": []},
            },
        )


def _add_items(company: QuickBooksCompany, items: Sequence[SoldItem]) -> None:
    income = account_named(company, "Services")
    for item in items:
        body: Json = {
            "Name": item.name,
            "Type": "Service",
            "UnitPrice": item.price,
            "IncomeAccountRef": income,
        }
        if item.sku:
            body["Sku"] = item.sku
        writing.create(company, "Item", body)


def _person(people: Random, number: str, company: QuickBooksCompany) -> Json:
    name = f"{people.choice(_FIRST)} {people.choice(_LAST)} {number}"
    return {
        "DisplayName": name,
        "CompanyName": name,
        "PrimaryEmailAddr": {"Address": f"ap{number.lower()}@customer.example"},
        "CurrencyRef": {"value": company.home_currency},
    }
