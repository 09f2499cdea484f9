"""Between Salesforce's rows and our values. Its JSON has types of its own; dates are texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeAlias

from connectors.salesforce.facts import Field
from tieout.model.canonical import Plain
from tieout.model.dates import parse_day, parse_instant
from tieout.model.errors import InvalidField, Unavailable, ValueRefused
from tieout.model.money import decimal
from tieout.model.record import Record
from tieout.model.ref import Ref, Version

MODIFIED = "SystemModstamp"  # moves with every change, a rollup's and an import's too (R36)
CREATED = "CreatedDate"

Reader: TypeAlias = Callable[[Any], Any]
NOT_TOLD = object()


def record_of(company: str, kind: str, fields: Sequence[Field], row: Mapping[str, Any]) -> Record:
    """Return a record as Salesforce told it.

    A field that it did not answer is absent, one that is empty there is None. A value that is not
    of its field's type becomes the text that it is: the mapping says what it thinks of it.

    Raises:
        Unavailable: the row has no id, or a value is none.
    """
    record_id, stamp = row.get("Id"), row.get(MODIFIED)
    if not isinstance(record_id, str) or not isinstance(stamp, str):
        raise Unavailable(f"Salesforce's answer shows a {kind} without id or time of change.")
    values: dict[str, Any] = {"id": record_id}
    for field in fields:
        told = held_at(row, field.path)
        if told is NOT_TOLD:
            continue
        if isinstance(told, list) or (isinstance(told, dict) and field.type != "text"):
            raise Unavailable(
                f"Salesforce's answer cannot be read: {field.field} is no single value.",
                record=f"{kind} {record_id}",
            )
        values[field.name] = _value(field.type, told)
    return Record(
        ref=Ref(company, kind, record_id),
        version=Version(stamp),
        fields=values,
        updated_at=parse_instant(stamp),
        created_at=parse_instant(str(row[CREATED])) if row.get(CREATED) else None,
    )


def written(field: Field | None, name: str, value: Plain) -> Any:
    """Return the JSON value that Salesforce takes for a plain one; null clears.

    Raises:
        InvalidField: the field is not ours to write, or the value has no form there.
    """
    if field is not None and (field.read_only or len(field.path) > 1):
        raise InvalidField(f"{name} cannot be written: Salesforce computes it or its people do.")
    if value is None or value == "":
        return None
    if not isinstance(value, bool | int | str):
        raise InvalidField(f"{name} takes one value, not a {type(value).__name__}.")
    if field is not None and field.type in ("money", "number") and isinstance(value, str):
        return decimal(value)
    return value


def text_of(value: object) -> str:
    """Return the text that a value is or stands for; empty where there is none."""
    if isinstance(value, str):
        return value
    if value is None or value is NOT_TOLD:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def held_at(row: Mapping[str, Any], path: Sequence[str]) -> Any:
    """Return what stands at a path, or ``NOT_TOLD``; a parent that is null has but nulls."""
    held: Any = row
    for step in path:
        if held is None:
            return None
        if not isinstance(held, Mapping) or step not in held:
            return NOT_TOLD
        held = held[step]
    return held


def _value(type_: str, told: Any) -> Any:
    if told is None or told == "":
        return None
    read = _READERS.get(type_)
    if read is None:
        return text_of(told)
    try:
        return read(told)
    except ValueRefused:
        return text_of(told)


def _number(told: Any) -> Decimal:
    """A double that is large is written with an exponent: 1.0E7."""
    return _decimal(text_of(told))


def _flag(told: Any) -> bool:
    """A flag is JSON's own, or a text where it comes as CSV."""
    if isinstance(told, bool):
        return told
    if told not in ("true", "false"):
        raise ValueRefused(f"{told!r} is neither true nor false.")
    return bool(told == "true")


def _day(told: Any) -> date:
    """A date is a calendar day, and no time zone touches it (R38)."""
    return parse_day(text_of(told))


def _instant(told: Any) -> datetime:
    return parse_instant(text_of(told))


_decimal = lru_cache(maxsize=4096)(decimal)  # quantities and prices repeat
_READERS: Mapping[str, Reader] = {
    "number": _number,
    "money": _number,
    "flag": _flag,
    "date": _day,
    "instant": _instant,
}
