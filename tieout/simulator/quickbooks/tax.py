"""Sales tax as the books compute it (R13-R15).

United States: a line is TAX or NON. With automated tax the rate follows the state shipped to;
else the invoice's TxnTaxCodeRef names the code. A total that the caller states is kept.
Elsewhere: every line names its tax code, and GlobalTaxCalculation says whether the amounts
exclude the tax, include it, or know none. Under TaxInclusive a line's Amount is net, as everywhere
in the books; TaxInclusiveAmt is the gross, and is computed where it is not given.
"""

from dataclasses import dataclass
from decimal import Decimal

from tieout.simulator.quickbooks import refusals, values
from tieout.simulator.quickbooks.company import QuickBooksCompany
from tieout.simulator.quickbooks.refusals import Json
from tieout.simulator.quickbooks.values import ZERO, rounded

CALCULATIONS = frozenset({"TaxExcluded", "TaxInclusive", "NotApplicable"})
US_CODES = frozenset({"TAX", "NON"})
AUTOMATED_RATE = "automated"

_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class TaxedLine:
    """What the tax of a line depends on: its net, its code, and its gross if the caller knows."""

    net: Decimal
    code: str
    gross: Decimal | None = None


def line_code(company: QuickBooksCompany, calculation: str | None, detail: Json, item: Json) -> str:
    """Return the tax code of a line, by the country's rules; "" where there is none.

    Raises:
        Refused: 6100 neither TAX nor NON in the US, 6000 no code elsewhere, 2500, 610.
    """
    code = values.reference(detail, "TaxCodeRef")
    if company.is_us():
        if code is None:
            return "TAX" if company.automated_tax and item.get("Taxable") else "NON"
        if code not in US_CODES:
            raise refusals.Refused(
                "6100",
                "Invalid Line TaxCode in the request",
                f"Valid Line TaxCodes for US should be TAX or NON. Supplied value:{code}",
            )
        return code
    if code is not None:
        company.refer("TaxCode", code)
        return code
    if calculation == "NotApplicable":
        return ""
    raise refusals.business(
        "Make sure all your transactions have a tax rate before you save. "
        "Each line needs a TaxCodeRef."
    )


def calculation_of(company: QuickBooksCompany, body: Json) -> str | None:
    """Return GlobalTaxCalculation; None in the US, where it has no meaning.

    Raises:
        Refused: 6000 it is missing outside the US (R14), 2170 an unknown word.
    """
    if company.is_us():
        return None
    if body.get("GlobalTaxCalculation") is None:
        raise refusals.business(
            "GlobalTaxCalculation is required: TaxExcluded, TaxInclusive or NotApplicable."
        )
    return values.word(body, "GlobalTaxCalculation", CALCULATIONS, "TaxExcluded")


def detail_of(
    company: QuickBooksCompany,
    body: Json,
    calculation: str | None,
    currency: str,
    lines: list[TaxedLine],
) -> Json:
    """Return the TxnTaxDetail of a document: TotalTax and a TaxLine for each rate.

    Raises:
        Refused: 2500 or 610 the document's tax code, 2090 an amount.
    """
    if calculation == "NotApplicable":
        return {"TotalTax": ZERO}
    if company.is_us():
        return _us_detail(company, body, currency, lines)
    by_rate: dict[str, list[TaxedLine]] = {}
    for line in lines:
        for rate in _rates_of(company, line.code):
            by_rate.setdefault(rate, []).append(line)
    tax_lines = [
        _tax_line(company, rate, company.find("TaxRate", rate).body["RateValue"], found, currency)
        for rate, found in by_rate.items()
    ]
    return _detail(tax_lines)


def gross_of(company: QuickBooksCompany, line: TaxedLine, currency: str) -> Decimal:
    """Return a line's amount with its tax."""
    if line.gross is not None:
        return line.gross
    percents = (
        company.find("TaxRate", rate).body["RateValue"] for rate in _rates_of(company, line.code)
    )
    return line.net + sum(
        (rounded(line.net * percent / _HUNDRED, currency) for percent in percents), ZERO
    )


def _us_detail(
    company: QuickBooksCompany, body: Json, currency: str, lines: list[TaxedLine]
) -> Json:
    given = values.nested(body, "TxnTaxDetail")
    taxable = [line for line in lines if line.code == "TAX"]
    code = company.refer("TaxCode", values.reference(given, "TxnTaxCodeRef"))
    stated = values.money(given, "TotalTax", currency)
    percent, rate = _us_rate(company, body, code)
    if not taxable:
        return {"TotalTax": ZERO}
    tax_lines = [_tax_line(company, rate, percent, taxable, currency)] if percent else []
    detail = _detail(tax_lines)
    if stated is not None and stated != detail["TotalTax"] and _is_callers_own(given):
        detail = _overridden(detail, stated)
    if code is not None:
        detail["TxnTaxCodeRef"] = code
    return detail


def _us_rate(company: QuickBooksCompany, body: Json, code: Json | None) -> tuple[Decimal, str]:
    if company.automated_tax:
        place = values.nested(body, "ShipAddr") or values.nested(body, "BillAddr")
        state = values.text(place, "CountrySubDivisionCode", 255) or company.home_state
        return company.state_rates.get(state, ZERO), AUTOMATED_RATE
    if code is None:
        return ZERO, AUTOMATED_RATE
    rates = _rates_of(company, code["value"])
    percents = [company.find("TaxRate", rate).body["RateValue"] for rate in rates]
    return sum(percents, ZERO), rates[0] if rates else AUTOMATED_RATE


def _is_callers_own(given: Json) -> bool:
    """Tell a tax that the caller states from one that was computed here and is read back."""
    lines = values.listed(given, "TaxLine")
    return not lines or any(
        "OverrideDeltaAmount" in values.nested(line, "TaxLineDetail") for line in lines
    )


def _overridden(detail: Json, stated: Decimal) -> Json:
    for line in detail.get("TaxLine", []):
        line["TaxLineDetail"]["OverrideDeltaAmount"] = stated - detail["TotalTax"]
        line["Amount"] = stated
    return {**detail, "TotalTax": stated}


def _tax_line(
    company: QuickBooksCompany,
    rate: str,
    percent: Decimal,
    lines: list[TaxedLine],
    currency: str,
) -> Json:
    net = sum((line.net for line in lines), ZERO)
    inclusive = [line for line in lines if line.gross is not None]
    if len(inclusive) == len(lines):
        amount = sum((line.gross - line.net for line in lines if line.gross is not None), ZERO)
    elif company.tax_rounding == "by_line":
        amount = sum((rounded(line.net * percent / _HUNDRED, currency) for line in lines), ZERO)
    else:
        amount = rounded(net * percent / _HUNDRED, currency)
    return {
        "Amount": amount,
        "DetailType": "TaxLineDetail",
        "TaxLineDetail": {
            "TaxRateRef": {"value": rate},
            "PercentBased": True,
            "TaxPercent": percent,
            "NetAmountTaxable": net,
        },
    }


def _detail(tax_lines: list[Json]) -> Json:
    total = sum((line["Amount"] for line in tax_lines), ZERO)
    return {"TotalTax": total, "TaxLine": tax_lines} if tax_lines else {"TotalTax": total}


def _rates_of(company: QuickBooksCompany, code: str) -> list[str]:
    if not code:
        return []
    found = company.find("TaxCode", code).body.get("SalesTaxRateList", {})
    return [str(one["TaxRateRef"]["value"]) for one in found.get("TaxRateDetail", [])]
