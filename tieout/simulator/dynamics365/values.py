"""Values as they are written, kept and shown, by the type of their column.

Kept: texts, Decimals, ints, bools, targets; a day as YYYY-MM-DD and an instant as the wire has it.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tieout.simulator.dynamics365.refusals import (
    Refusal,
    bad_payload,
    no_option,
    out_of_range,
    too_long,
)
from tieout.simulator.dynamics365.schema import (
    CHOICES,
    LOOKUPS,
    MONEY_LIMIT,
    Column,
    Table,
    Target,
)

if TYPE_CHECKING:
    from tieout.simulator.dynamics365.org import DynamicsOrg

GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
INT_LIMIT = 2_147_483_647
FIRST_YEAR = 1753
"""Earlier instants are refused."""
DECIMAL_LIMIT = 100_000_000_000
MONEY_DIGITS = 4
"""With how many decimals the wire shows money: the database's own, whatever the currency's."""
FORMATTED = "OData.Community.Display.V1.FormattedValue"
LOGICAL_NAME = "Microsoft.Dynamics.CRM.lookuplogicalname"
NAVIGATION = "Microsoft.Dynamics.CRM.associatednavigationproperty"
_EDM = {
    "Money": "Edm.Decimal",
    "Decimal": "Edm.Decimal",
    "Integer": "Edm.Int32",
    "BigInt": "Edm.Int64",
    "Boolean": "Edm.Boolean",
    "Picklist": "Edm.Int32",
    "State": "Edm.Int32",
    "Status": "Edm.Int32",
}


def taken(table: Table, column: Column, value: Any) -> Any:
    """Return a written value as it is kept; None takes a value away.

    Raises:
        Refusal: 400, of another type, too long, out of range, no option of the column.
    """
    if value is None:
        return None
    if column.type in CHOICES:
        return _option(table, column, value)
    return _TAKERS[column.type](table, column, value)


def shown(column: Column, value: Any) -> Any:
    """Return a kept value as the wire shows it."""
    if value is None:
        return None
    if column.type in LOOKUPS:
        return value.id
    if column.type == "Money":
        return value if -value.as_tuple().exponent >= MONEY_DIGITS else _four(value)
    return value


def annotations(
    org: "DynamicsOrg", column: Column, value: Any, values: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what is told beside a value: its label, and whither a lookup leads."""
    wire = column.wire
    if value is None:
        return {}
    if isinstance(value, Target):
        return {
            f"{wire}@{FORMATTED}": org.label(value),
            f"{wire}@{NAVIGATION}": column.navigation(value.table),
            f"{wire}@{LOGICAL_NAME}": value.table,
        }
    label = formatted(org, column, value, values)
    return {} if label is None else {f"{wire}@{FORMATTED}": label}


def formatted(
    org: "DynamicsOrg", column: Column, value: Any, values: Mapping[str, Any]
) -> str | None:
    """Return a value as the user interface writes it, in English; None where it is itself."""
    if column.type in CHOICES:
        return column.options.get(value) or None
    match column.type:
        case "Boolean":
            return "Yes" if value else "No"
        case "Money":
            return f"{_symbol(org, column, values)}{value:,.2f}"
        case "Decimal":
            return f"{value:,.{min(column.precision, 5)}f}"
        case "Integer" | "BigInt":
            return f"{value:,}"
        case "DateTime":
            moment = datetime.fromisoformat(value)
            on = f"{moment.month}/{moment.day}/{moment.year}"
            return on if column.day_only else f"{on} {moment:%I:%M %p}".replace(" 0", " ")
    return None


def as_instant(text: str) -> datetime:
    """Read an instant of the wire; without an offset it is UTC.

    Raises:
        ValueError: it is none.
    """
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _text(table: Table, column: Column, value: Any) -> str | None:
    if not isinstance(value, str):
        raise _unconvertible(table, column, value)
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise _unconvertible(table, column, ascii(value)) from error
    if len(value) > column.max_length:
        raise too_long(column.name, table.name, column.max_length)
    return value or None


def _option(table: Table, column: Column, value: Any) -> int:
    number = _whole(table, column, value)
    if number not in column.options:
        accepted = ",".join(str(one) for one in column.options)
        raise no_option(number, column.name, table.name, accepted)
    return number


def _whole(table: Table, column: Column, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _unconvertible(table, column, value)
    return value


def _decimal(table: Table, column: Column, value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise _unconvertible(table, column, value)
    amount = Decimal(value)
    if abs(amount) > (MONEY_LIMIT if column.type == "Money" else DECIMAL_LIMIT):
        raise out_of_range(column.name, table.name)
    if column.type == "Decimal":
        return round(amount, column.precision)
    return amount


def _integer(table: Table, column: Column, value: Any) -> int:
    number = _whole(table, column, value)
    if column.type == "Integer" and abs(number) > INT_LIMIT:
        raise out_of_range(column.name, table.name)
    return number


def _flag(table: Table, column: Column, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _unconvertible(table, column, value)
    return value


def _guid(table: Table, column: Column, value: Any) -> str:
    if not isinstance(value, str) or GUID.fullmatch(value) is None:
        raise _unconvertible(table, column, value)
    return value.lower()


def _moment(table: Table, column: Column, value: Any) -> str:
    if not isinstance(value, str):
        raise _unconvertible(table, column, value)
    try:
        if column.day_only:
            return date.fromisoformat(value).isoformat()
        moment = as_instant(value)
        if moment.year < FIRST_YEAR:
            raise Refusal(
                400,
                "0x80040239",
                "DateTime is less than minimum value supported by CrmDateTime. Actual value: "
                f"{value}, Minimum value supported: 01/01/1753 00:00:00",
            )
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError) as error:
        raise _unconvertible(table, column, value) from error


def _unconvertible(table: Table, column: Column, value: Any) -> Refusal:
    kind = _EDM.get(column.type, "Edm.String")
    if column.type == "DateTime":
        kind = "Edm.Date" if column.day_only else "Edm.DateTimeOffset"
    if column.type == "Uniqueidentifier":
        kind = "Edm.Guid"
    return bad_payload(
        table.entity_set,
        f"Microsoft.OData.ODataException: Cannot convert the literal '{value}' to the expected "
        f"type '{kind}'.",
    )


def _four(value: Decimal) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-MONEY_DIGITS))


def _symbol(org: "DynamicsOrg", column: Column, values: Mapping[str, Any]) -> str:
    target = values.get("transactioncurrencyid")
    if column.base_of or not isinstance(target, Target):
        return str(org.currency(org.base_currency).values["currencysymbol"])
    currency = org.find(target.table, target.id)
    return "" if currency is None else str(currency.values["currencysymbol"])


_TAKERS: Mapping[str, Callable[[Table, Column, Any], Any]] = {
    "String": _text,
    "Memo": _text,
    "Money": _decimal,
    "Decimal": _decimal,
    "Integer": _integer,
    "BigInt": _integer,
    "Boolean": _flag,
    "DateTime": _moment,
    "Uniqueidentifier": _guid,
}
"""How a value is taken, by the type of its column; lookups are written by @odata.bind."""
