"""What the company itself is set to: country, currencies, numbering, tax codes and their rates."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeAlias

from tieout.model.dates import parse_day
from tieout.model.money import decimal

Body: TypeAlias = Mapping[str, Any]

PREFERENCES_ID = "1"
STATE_CHARS = 16
NO_TIME = datetime.min.replace(tzinfo=UTC)
CUSTOM_FIELDS_MAX = 3  # that this API shows (R7)
UNITED_STATES = "US"
_ITS_NAMES = frozenset({"US", "USA", "UNITED STATES", "UNITED STATES OF AMERICA"})
US_TAX_CODES = ("TAX", "NON")  # a line's only codes there (R13)


@dataclass(frozen=True, slots=True)
class TaxCode:
    """A tax code; ``rate`` in percent, None where the books compute it."""

    id: str
    name: str
    active: bool
    taxable: bool
    rate: Decimal | None
    version: str


@dataclass(frozen=True, slots=True)
class CustomField:
    """A custom field of sales forms by its DefinitionId."""

    id: str
    name: str
    active: bool


@dataclass(frozen=True, slots=True)
class Settings:
    """The company's settings as of ``read_at``, by the server's clock."""

    read_at: datetime
    name: str
    country: str
    home_currency: str
    multi_currency: bool
    custom_numbers: bool
    closed_through: date | None
    uses_tax: bool
    automated_tax: bool
    auto_apply_credit: bool
    auto_apply_payments: bool
    version: str
    tax_codes: Mapping[str, TaxCode] = field(default_factory=dict)
    custom_fields: tuple[CustomField, ...] = ()
    currencies: tuple[str, ...] | None = None

    @property
    def state(self) -> str:
        """Return a short name of all that they say, whenever it was read."""
        said = repr(replace(self, read_at=NO_TIME))
        return hashlib.sha256(said.encode()).hexdigest()[:STATE_CHARS]

    @property
    def needs_tax_codes(self) -> bool:
        """Whether each line must name a tax code (R14)."""
        return self.uses_tax and not self.is_us

    @property
    def is_us(self) -> bool:
        """Whether sales tax works the American way (R13, R14)."""
        return self.country == UNITED_STATES


def settings_of(
    company: Body,
    preferences: Body,
    tax_codes: Sequence[Body],
    tax_rates: Sequence[Body],
    read_at: datetime,
    company_currencies: Sequence[Body] | None = None,
) -> Settings:
    """Return the settings that the answers show: CompanyInfo, Preferences, TaxCode, TaxRate.

    CompanyCurrency lists the foreign currencies; None where the books do not tell it.
    """
    sales = _part(preferences, "SalesFormsPrefs")
    currencies = _part(preferences, "CurrencyPrefs")
    taxes = _part(preferences, "TaxPrefs")
    closed = _part(preferences, "AccountingInfoPrefs").get("BookCloseDate")
    country = str(company.get("Country") or UNITED_STATES).strip()
    country = UNITED_STATES if country.upper() in _ITS_NAMES else country
    home_currency = str(_part(currencies, "HomeCurrency").get("value") or "USD")
    return Settings(
        read_at=read_at,
        name=str(company.get("CompanyName") or ""),
        country=country,
        home_currency=home_currency,
        currencies=_active_currencies(company_currencies, home_currency),
        multi_currency=_flag(currencies.get("MultiCurrencyEnabled")),
        custom_numbers=_flag(sales.get("CustomTxnNumbers")),
        closed_through=parse_day(closed[:10]) if closed else None,
        uses_tax=_flag(taxes.get("UsingSalesTax", True)),
        automated_tax=_flag(taxes.get("PartnerTaxEnabled")),
        auto_apply_credit=_flag(sales.get("AutoApplyCredit")),
        auto_apply_payments=_flag(sales.get("AutoApplyPayments")),
        version=str(preferences.get("SyncToken") or "0"),
        tax_codes={code.id: code for code in _tax_codes(tax_codes, tax_rates, country)},
        custom_fields=tuple(_custom_fields(sales)),
    )


def _active_currencies(listed: Sequence[Body] | None, home: str) -> tuple[str, ...] | None:
    if listed is None:
        return None
    active = {str(body["Code"]) for body in listed if _flag(body.get("Active", True))}
    return tuple(sorted(active | {home}))


def _tax_codes(codes: Sequence[Body], rates: Sequence[Body], country: str) -> Iterator[TaxCode]:
    percents = {str(rate["Id"]): decimal(rate.get("RateValue") or 0) for rate in rates}
    for body in codes:
        yield TaxCode(
            id=str(body["Id"]),
            name=str(body.get("Name") or ""),
            active=_flag(body.get("Active", True)),
            taxable=_flag(body.get("Taxable", True)),
            rate=_rate(body, percents),
            version=str(body.get("SyncToken") or "0"),
        )
    if country == UNITED_STATES:
        known = {str(body["Id"]) for body in codes}
        for code in US_TAX_CODES:
            if code not in known:
                yield TaxCode(
                    code, code, active=True, taxable=code == "TAX", rate=None, version="0"
                )


def _rate(code: Body, percents: Mapping[str, Decimal]) -> Decimal | None:
    """The sum of a code's sales rates, as the books add them; None if one is not known."""
    details = _part(code, "SalesTaxRateList").get("TaxRateDetail")
    if not details:
        return None if _flag(code.get("Taxable", True)) else Decimal(0)
    found = [percents.get(str(_part(detail, "TaxRateRef").get("value"))) for detail in details]
    known = [percent for percent in found if percent is not None]
    return sum(known, Decimal(0)) if len(known) == len(found) else None


def _custom_fields(sales: Body) -> Iterator[CustomField]:
    """Read the names and switches that SalesFormsPrefs keeps as ``…SalesCustomName1``."""
    flat = {
        str(entry.get("Name", "")).rpartition(".")[2]: entry
        for group in sales.get("CustomField") or ()
        for entry in group.get("CustomField") or ()
    }
    for number in range(1, CUSTOM_FIELDS_MAX + 1):
        name = flat.get(f"SalesCustomName{number}", {}).get("StringValue")
        if name:
            used = flat.get(f"UseSalesCustom{number}", {}).get("BooleanValue", True)
            yield CustomField(str(number), str(name), _flag(used))


def _part(body: Body, name: str) -> Body:
    found = body.get(name)
    return found if isinstance(found, Mapping) else {}


def _flag(value: object) -> bool:
    return value is True or value == "true"
