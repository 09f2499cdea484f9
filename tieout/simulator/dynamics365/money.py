"""Money: rates, twins in the organization's money, and the sums that the server computes.

A twin is the amount divided by the record's exchange rate
(learn.microsoft.com/power-apps/developer/data-platform/transaction-currency-currency-entity).
How a line and an opportunity add up: learn.microsoft.com/dynamics365/sales/developer/
opportunity-quote-salesorder-invoice-entities, system pricing.
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from tieout.simulator.dynamics365.records import Record
from tieout.simulator.dynamics365.refusals import out_of_range
from tieout.simulator.dynamics365.schema import MONEY_LIMIT, Column, Target
from tieout.simulator.dynamics365.tables import LOST, OPEN, STATUS_OF, WON

if TYPE_CHECKING:
    from tieout.simulator.dynamics365.org import DynamicsOrg

PARENTS: Mapping[str, tuple[str, str]] = {
    "opportunityproduct": ("opportunity", "opportunityid"),
    "invoicedetail": ("invoice", "invoiceid"),
}
"""Of the tables of lines: the table that they sum up to, and the lookup to it."""
_LINES_OF = {parent: (lines, column) for lines, (parent, column) in PARENTS.items()}
_ZERO = Decimal(0)
MOST_DIGITS = 10
"""The most decimals that a currency or a column keeps."""
_QUANTA = [Decimal(1).scaleb(-digits) for digits in range(MOST_DIGITS + 1)]
_PRECISIONS = {"JPY": 0, "KRW": 0, "KWD": 3, "BHD": 3}
_SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "NOK": "kr", "KWD": "د.ك"}
_NAMES = {
    "EUR": "Euro",
    "USD": "US Dollar",
    "GBP": "Pound Sterling",
    "JPY": "Yen",
    "NOK": "Norwegian Krone",
    "KWD": "Kuwaiti Dinar",
}


def add_currency(org: "DynamicsOrg", code: str, rate: str) -> Record:
    """Let the organization deal in a currency, `rate` units of which are one of its own."""
    return org.create(
        "transactioncurrency",
        {
            "isocurrencycode": code,
            "currencyname": _NAMES.get(code, code),
            "currencysymbol": _SYMBOLS.get(code, code),
            "currencyprecision": _PRECISIONS.get(code, 2),
            "exchangerate": Decimal(rate),
            "statecode": 0,
            "statuscode": 1,
        },
    )


def completed(
    org: "DynamicsOrg", table: str, record_id: str, values: dict[str, Any]
) -> dict[str, Any]:
    """Return a record's values with all that the server derives from them."""
    _derive_names(table, values)
    if "exchangerate" in org.tables[table].columns and table != "transactioncurrency":
        _set_rate(org, table, values)
    _round(org, table, values)
    if table in PARENTS:
        _add_up_line(org, table, values)
    if table in _LINES_OF:
        _add_up(org, table, record_id, values)
    if table == "opportunity":
        _derive_state(values)
    if table in _LINES_OF:
        _derive_customer(values)
    _round(org, table, values)
    _twin(org, table, values)
    return values


def roll_up(org: "DynamicsOrg", table: str, record: Record) -> None:
    """After a line moved, let its parent add up again."""
    parent = record.values.get(PARENTS[table][1]) if table in PARENTS else None
    if isinstance(parent, Target):
        sum_up(org, parent.table, parent.id)


def sum_up(org: "DynamicsOrg", table: str, record_id: str, at: str = "") -> None:
    """Let a parent add up; its version moves only if a sum did."""
    parent = org.find(table, record_id)
    if parent is None:
        return
    summed = completed(org, table, record_id, dict(parent.values))
    if summed != parent.values:
        org.shelves[table].change(parent, summed)
        org.touch(parent, at)


def currency_of(org: "DynamicsOrg", values: Mapping[str, Any]) -> Record | None:
    """Return the currency of a record's values."""
    target = values.get("transactioncurrencyid")
    return org.find(target.table, target.id) if isinstance(target, Target) else None


def digits_of(org: "DynamicsOrg", column: Column, currency: Record | None) -> int:
    """Return how many decimals a money column keeps."""
    match column.precision_source:
        case 0:
            return column.precision
        case 1:
            return org.pricing_decimals
    return _base_digits(org) if currency is None else int(currency.values["currencyprecision"])


def rounded(amount: Decimal, digits: int) -> Decimal:
    """Round half up to so many decimals."""
    return amount.quantize(_QUANTA[digits], ROUND_HALF_UP)


def _base_digits(org: "DynamicsOrg") -> int:
    return _PRECISIONS.get(org.base_currency, 2)


def _derive_names(table: str, values: dict[str, Any]) -> None:
    if table == "contact":
        names = [values[part] for part in ("firstname", "lastname") if part in values]
        if names:
            values["fullname"] = " ".join(names)
    elif table == "annotation":
        body = values.get("documentbody")
        values["isdocument"] = body is not None
        values["filesize"] = 0 if body is None else len(body) * 3 // 4 - body[-2:].count("=")


def _set_rate(org: "DynamicsOrg", table: str, values: dict[str, Any]) -> None:
    """Take the currency from the parent or the organization where none is given, and its rate."""
    if "transactioncurrencyid" not in values:
        parent = values.get(PARENTS[table][1]) if table in PARENTS else None
        held = org.find(parent.table, parent.id) if isinstance(parent, Target) else None
        inherited = None if held is None else held.values.get("transactioncurrencyid")
        if inherited is not None:
            values["transactioncurrencyid"] = inherited
    currency = currency_of(org, values)
    if currency is None:
        values.pop("exchangerate", None)
    else:
        values["exchangerate"] = currency.values["exchangerate"]


def _add_up_line(org: "DynamicsOrg", table: str, values: dict[str, Any]) -> None:
    parent = values.get(PARENTS[table][1])
    held = org.find(parent.table, parent.id) if isinstance(parent, Target) else None
    if table == "opportunityproduct":
        values["opportunitystatecode"] = OPEN if held is None else held.values.get("statecode", 0)
    product = values.get("productid")
    if isinstance(product, Target) and not values.get("isproductoverridden"):
        values["productname"] = org.label(product)
    elif values.get("productdescription"):
        values["productname"] = values["productdescription"]
    price, quantity = values.get("priceperunit"), values.get("quantity")
    if price is None or quantity is None:
        values["pricingerrorcode"] = 5 if price is None else 4
        for name in ("baseamount", "extendedamount"):
            values.pop(name, None)
        return
    currency = currency_of(org, values)
    digits = _base_digits(org) if currency is None else int(currency.values["currencyprecision"])
    less = values.get("volumediscountamount", _ZERO)
    base = (price - less) * quantity
    if abs(base) > MONEY_LIMIT:
        raise out_of_range("baseamount", table)
    base = rounded(base, digits)
    values["pricingerrorcode"] = 0
    values["baseamount"] = base
    values["extendedamount"] = (
        base - values.get("manualdiscountamount", _ZERO) + values.get("tax", _ZERO)
    )


def _add_up(org: "DynamicsOrg", table: str, record_id: str, values: dict[str, Any]) -> None:
    """Sum the lines: details before tax, less the discounts, plus freight and tax."""
    lines_table, column = _LINES_OF[table]
    target = Target(table, record_id)
    lines = [one.values for one in org.shelves[lines_table].pointing(column, target)]
    taxes = sum((one.get("tax", _ZERO) for one in lines), _ZERO)
    details = sum((one.get("extendedamount", _ZERO) for one in lines), _ZERO) - taxes
    percent = values.get("discountpercentage", _ZERO)
    currency = currency_of(org, values)
    digits = _base_digits(org) if currency is None else int(currency.values["currencyprecision"])
    discount = values.get("discountamount", _ZERO) + rounded(details * percent / 100, digits)
    freight = values.get("freightamount", _ZERO)
    values |= {
        "totallineitemamount": details,
        "totallineitemdiscountamount": sum(
            (one.get("manualdiscountamount", _ZERO) for one in lines), _ZERO
        ),
        "totaldiscountamount": discount,
        "totalamountlessfreight": details - discount,
        "totaltax": taxes,
        "totalamount": details - discount + freight + taxes,
        "pricingerrorcode": 1 if any(one.get("pricingerrorcode") for one in lines) else 0,
    }
    if table == "opportunity" and values.get("isrevenuesystemcalculated"):
        values["estimatedvalue"] = values["totalamount"]


def _derive_state(values: dict[str, Any]) -> None:
    values.setdefault("isrevenuesystemcalculated", False)
    values.setdefault("statuscode", 1)
    values["statecode"] = STATUS_OF.get(values["statuscode"], values.get("statecode", OPEN))
    if values["statecode"] not in {WON, LOST}:
        values.pop("actualvalue", None)
        values.pop("actualclosedate", None)


def _derive_customer(values: dict[str, Any]) -> None:
    customer = values.get("customerid")
    for kind in ("account", "contact"):
        values.pop(f"{kind}id", None)
        if isinstance(customer, Target) and customer.table == kind:
            values[f"{kind}id"] = customer


def _round(org: "DynamicsOrg", table: str, values: dict[str, Any]) -> None:
    currency = currency_of(org, values)
    columns = org.tables[table].columns
    for name, value in values.items():
        column = columns.get(name)
        if column is not None and column.type == "Money" and not column.base_of:
            values[name] = rounded(value, digits_of(org, column, currency))


def _twin(org: "DynamicsOrg", table: str, values: dict[str, Any]) -> None:
    """Compute every twin anew; without a currency there is none."""
    columns = org.tables[table].columns
    amounts = []
    for name in list(values):
        column = columns.get(name)
        if column is not None and column.base_of:
            del values[name]
        elif column is not None and column.type == "Money" and f"{name}_base" in columns:
            amounts.append(column)
    currency = currency_of(org, values)
    if currency is None:
        return
    rate, base_digits = currency.values["exchangerate"], _base_digits(org)
    for column in amounts:
        digits = org.pricing_decimals if column.precision_source == 1 else base_digits
        values[f"{column.name}_base"] = rounded(values[column.name] / rate, digits)
