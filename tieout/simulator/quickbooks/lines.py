"""Rules of a sales document's lines: items, discounts, subtotals (R7, R8, R15)."""

from dataclasses import dataclass
from decimal import Decimal

from tieout.simulator.quickbooks import fields, refusals, tax, values
from tieout.simulator.quickbooks.company import QuickBooksCompany
from tieout.simulator.quickbooks.refusals import Json
from tieout.simulator.quickbooks.tax import TaxedLine
from tieout.simulator.quickbooks.values import ZERO, rounded

MAX_LINES = 750
MAX_DESCRIPTION = 4000

_DETAIL_TYPES = frozenset(
    {"SalesItemLineDetail", "DiscountLineDetail", "SubTotalLineDetail", "DescriptionOnly"}
)
_US_CODE_REFS = {code: {"value": code} for code in tax.US_CODES}
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Lines:
    """A document's lines as they are kept, and what taxes and totals are computed from."""

    shown: list[Json]
    taxed: list[TaxedLine]
    net: Decimal
    """Sum of the lines, less the discount."""
    tax_after_discount: bool


def read_lines(
    company: QuickBooksCompany, body: Json, calculation: str | None, currency: str
) -> Lines:
    """Check the lines of a document.

    Raises:
        Refused: 2020 no line or no amount, 6070 amount is not quantity times price, 6090 a
            discount without percent or amount, 6520 stock without a quantity, 2500, 610, 6000.
    """
    given = values.listed(body, "Line")
    if len(given) > MAX_LINES:
        raise refusals.business(f"A transaction can have at most {MAX_LINES} lines.")
    shown: list[Json] = []
    taxed: list[TaxedLine] = []
    discounts: list[Json] = []
    for line in given:
        fields.check_line_names(line, fields.LINE)
        match values.word(line, "DetailType", _DETAIL_TYPES, ""):
            case "SalesItemLineDetail":
                one, sold = _sales_line(company, line, calculation, currency)
                taxed.append(sold)
                shown.append(one)
            case "DescriptionOnly":
                shown.append({"DetailType": "DescriptionOnly", "DescriptionLineDetail": {}})
                _describe(shown[-1], line)
            case "DiscountLineDetail":
                discounts.append(line)
            case "SubTotalLineDetail":
                pass  # the books write their own
            case _:
                raise refusals.missing("Line.DetailType")
    _number_lines(shown, given)
    if not taxed:
        raise refusals.missing("Line")
    _number_lines(shown, given)
    return _totalled(company, body, shown, taxed, discounts, currency)


def voided_line(line: Json) -> Json:
    """Return a line whose amount and quantity are zero (R11)."""
    gone = {**line}
    if "Amount" in gone:
        gone["Amount"] = ZERO
    if "SalesItemLineDetail" in gone:
        detail = {**gone["SalesItemLineDetail"]}
        for name in ("Qty", "UnitPrice", "TaxInclusiveAmt"):
            if name in detail:
                detail[name] = ZERO
        gone["SalesItemLineDetail"] = detail
    return gone


def _totalled(
    company: QuickBooksCompany,
    body: Json,
    shown: list[Json],
    taxed: list[TaxedLine],
    discounts: list[Json],
    currency: str,
) -> Lines:
    """Write the subtotal and the discount below the lines."""
    if len(discounts) > 1:
        raise refusals.business("A transaction can have only one discount line.")
    subtotal = sum((one.net for one in taxed), ZERO)
    shown.append({"Amount": subtotal, "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}})
    after = values.flag(body, "ApplyTaxAfterDiscount", default=not company.is_us())
    if not discounts:
        return Lines(shown, taxed, subtotal, after)
    discount = _discount_line(company, discounts[0], subtotal, currency)
    shown.append(discount)
    if after:
        taxed = _discounted(taxed, subtotal, discount["Amount"], currency)
    return Lines(shown, taxed, subtotal - discount["Amount"], after)


def _sales_line(
    company: QuickBooksCompany, line: Json, calculation: str | None, currency: str
) -> tuple[Json, TaxedLine]:
    amount = values.money(line, "Amount", currency)
    if amount is None:
        raise refusals.missing("Line.Amount")
    detail = values.nested(line, "SalesItemLineDetail")
    fields.check_line_names(detail, fields.SALES_DETAIL)
    item_id = values.reference(detail, "ItemRef")
    if item_id is None:
        raise refusals.missing("ItemRef")
    kept: Json = {"ItemRef": company.refer("Item", item_id)}
    item = company.find("Item", item_id).body
    _add_quantity(kept, detail, amount, item, currency)
    if "IncomeAccountRef" in item:
        kept["ItemAccountRef"] = item["IncomeAccountRef"]
    code = tax.line_code(company, calculation, detail, item)
    if code:
        kept["TaxCodeRef"] = _US_CODE_REFS.get(code) or company.refer("TaxCode", code)
    if (found := company.refer("Class", values.reference(detail, "ClassRef"))) is not None:
        kept["ClassRef"] = found
    if (served := values.day(detail, "ServiceDate")) is not None:
        kept["ServiceDate"] = served
    elif company.revenue_recognition:
        raise refusals.business("Each line needs a service date: revenue recognition is on.")
    sold = TaxedLine(amount, code)
    if calculation == "TaxInclusive":
        gross = values.money(detail, "TaxInclusiveAmt", currency)
        gross = tax.gross_of(company, TaxedLine(amount, code, gross), currency)
        kept["TaxInclusiveAmt"] = gross
        sold = TaxedLine(amount, code, gross)
    shown = {"Amount": amount, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": kept}
    _describe(shown, line)
    return shown, sold


def _add_quantity(kept: Json, detail: Json, amount: Decimal, item: Json, currency: str) -> None:
    quantity = values.price(detail, "Qty")
    unit_price = values.price(detail, "UnitPrice")
    if item["Type"] == "Inventory" and quantity is None:
        raise refusals.Refused(
            "6520", "Quantity missing", "A line with an inventory item must have Qty."
        )
    if unit_price is not None:
        kept["UnitPrice"] = unit_price
        if quantity is not None and rounded(quantity * unit_price, currency) != amount:
            raise refusals.amount_differs(amount)
    if quantity is not None:
        kept["Qty"] = quantity


def _describe(shown: Json, line: Json) -> None:
    if (found := values.text(line, "Description", MAX_DESCRIPTION)) is not None:
        shown["Description"] = found
    if (known := values.text(line, "Id", 20)) is not None:
        shown["Id"] = known


def _number_lines(shown: list[Json], given: list[Json]) -> None:
    """Give each line its number, and an id of its own if it brings none."""
    free = max((int(line["Id"]) for line in given if str(line.get("Id")).isdigit()), default=0)
    for number, line in enumerate(shown, start=1):
        line["LineNum"] = number
        if "Id" not in line:
            free += 1
            line["Id"] = str(free)


def _discount_line(
    company: QuickBooksCompany, line: Json, subtotal: Decimal, currency: str
) -> Json:
    detail = values.nested(line, "DiscountLineDetail")
    kept: Json = {"PercentBased": values.flag(detail, "PercentBased", default=False)}
    amount = values.money(line, "Amount", currency)
    if kept["PercentBased"]:
        percent = values.number(detail, "DiscountPercent")
        if percent is not None:
            kept["DiscountPercent"] = percent
            amount = rounded(subtotal * percent / _HUNDRED, currency)
        else:
            amount = None
    if amount is None:
        raise refusals.Refused(
            "6090",
            "Discount Line missing required info.",
            "Discount amount or percent should be provided.",
        )
    account = company.refer("Account", values.reference(detail, "DiscountAccountRef"))
    if account is not None:
        kept["DiscountAccountRef"] = account
    return {"Amount": amount, "DetailType": "DiscountLineDetail", "DiscountLineDetail": kept}


def _discounted(
    taxed: list[TaxedLine], subtotal: Decimal, discount: Decimal, currency: str
) -> list[TaxedLine]:
    """Spread the discount over the lines; the last takes the rest, so that no cent is lost."""
    if not subtotal:
        return taxed
    left = discount
    spread: list[TaxedLine] = []
    for line in taxed[:-1]:
        share = rounded(discount * line.net / subtotal, currency)
        left -= share
        spread.append(TaxedLine(line.net - share, line.code))
    return [*spread, TaxedLine(taxed[-1].net - left, taxed[-1].code)]
