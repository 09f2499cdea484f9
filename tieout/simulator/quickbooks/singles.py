"""What a company has one of: its preferences, its address card, a currency's rate of a day."""

from collections.abc import Mapping
from decimal import Decimal

from tieout.simulator.quickbooks import refusals, values
from tieout.simulator.quickbooks.company import QuickBooksCompany
from tieout.simulator.quickbooks.refusals import Json

KINDS = frozenset({"Preferences", "CompanyInfo", "ExchangeRate"})


def asked(
    company: QuickBooksCompany, kind: str, given: Mapping[str, tuple[str, ...]]
) -> list[Json]:
    """Return what a query for one of `KINDS` finds; `given` are the values it compares with."""
    if kind == "Preferences":
        return [preferences(company)]
    if kind == "CompanyInfo":
        return [company_info(company)]
    day = given.get("AsOfDate", (company.today(),))[0]
    codes = given.get("SourceCurrencyCode", tuple(company.rates))
    return [exchange_rate(company, code, day) for code in codes if code in company.rates]


def preferences(company: QuickBooksCompany) -> Json:
    """Return the settings that decide how documents are written (R6, R13, R16, R18)."""
    names = [
        {
            "CustomField": [
                {
                    "Name": f"SalesFormsPrefs.UseSalesCustom{number}",
                    "Type": "BooleanType",
                    "BooleanValue": number <= len(company.custom_fields),
                }
                for number in (1, 2, 3)
            ]
        },
        {
            "CustomField": [
                {
                    "Name": f"SalesFormsPrefs.SalesCustomName{number}",
                    "Type": "StringType",
                    "StringValue": name,
                }
                for number, name in enumerate(company.custom_fields, start=1)
            ]
        },
    ]
    accounting: Json = {
        "FirstMonthOfFiscalYear": "January",
        "UseAccountNumbers": False,
        "TrackDepartments": False,
        "ClassTrackingPerTxn": False,
        "ClassTrackingPerTxnLine": company.class_tracking,
        "CustomerTerminology": "Customers",
    }
    if company.book_close_date is not None:
        accounting["BookCloseDate"] = company.book_close_date.isoformat()
    return {
        "AccountingInfoPrefs": accounting,
        "SalesFormsPrefs": {
            "CustomTxnNumbers": company.custom_txn_numbers,
            "AllowServiceDate": True,
            "AllowDiscount": True,
            "AllowDeposit": False,
            "AllowShipping": False,
            "AutoApplyCredit": company.auto_apply_credit,
            "AutoApplyPayments": company.auto_apply_payments,
            "CustomField": names,
        },
        "TaxPrefs": {
            "UsingSalesTax": True,
            "PartnerTaxEnabled": company.is_us() and company.automated_tax,
        },
        "CurrencyPrefs": {
            "MultiCurrencyEnabled": company.multicurrency,
            "HomeCurrency": {"value": company.home_currency},
        },
        "domain": "QBO",
        "sparse": False,
        "Id": "1",
        "SyncToken": str(company.preferences_token),
        "MetaData": {
            "CreateTime": company.stamp(company.born),
            "LastUpdatedTime": company.stamp(company.preferences_updated),
        },
    }


def company_info(company: QuickBooksCompany) -> Json:
    """Return who the company is and where."""
    return {
        "CompanyName": company.name,
        "LegalName": company.name,
        "Country": company.country,
        "CompanyAddr": {
            "Id": "1",
            "Line1": "1 Market Street",
            "Country": company.country,
            "CountrySubDivisionCode": company.home_state if company.is_us() else "",
        },
        "FiscalYearStartMonth": "January",
        "SupportedLanguages": "en",
        "NameValue": [{"Name": "OfferingSku", "Value": "QuickBooks Online Plus"}],
        "domain": "QBO",
        "sparse": False,
        "Id": "1",
        "SyncToken": "0",
        "MetaData": {
            "CreateTime": company.stamp(company.born),
            "LastUpdatedTime": company.stamp(company.born),
        },
    }


def exchange_rate(company: QuickBooksCompany, code: str, day: str) -> Json:
    """Return home units for one of `code` on a day (R16).

    Raises:
        Refused: 2500 not a currency of the company.
    """
    if not company.knows_currency(code):
        raise refusals.bad_reference("CompanyCurrency", code)
    return {
        "SourceCurrencyCode": code,
        "TargetCurrencyCode": company.home_currency,
        "Rate": company.rate(code, day),
        "AsOfDate": day,
        "domain": "QBO",
        "sparse": False,
        "MetaData": {"LastUpdatedTime": company.stamp(company.born)},
    }


def set_exchange_rate(company: QuickBooksCompany, body: Json) -> Json:
    """Set a currency's rate from a day on.

    Raises:
        Refused: 2020 no currency or rate, 2090 not a positive number, 2500 an unknown currency.
    """
    code = values.text(body, "SourceCurrencyCode", 3)
    rate = values.number(body, "Rate")
    if code is None or rate is None:
        raise refusals.missing("SourceCurrencyCode" if code is None else "Rate")
    if rate <= Decimal(0):
        raise refusals.invalid_number("Rate", rate)
    if not company.knows_currency(code):
        raise refusals.bad_reference("CompanyCurrency", code)
    day = values.day(body, "AsOfDate") or company.today()
    company.set_rate(code, rate, day)
    return exchange_rate(company, code, day)
