"""Brook's forms of values and ours: cents as text, milliseconds, days."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tieout.model import errors
from tieout.model.dates import day_of, parse_day, parse_instant
from tieout.model.money import decimal

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TYPES = {
    "text": "text",
    "flag": "flag",
    "cents": "money",
    "count": "number",
    "millis": "instant",
    "day": "date",
}
"""What the contract calls each of Brook's forms."""


def read(form: str, told: Any, zone: str) -> Any:
    """Return Brook's value as ours; raises ValueRefused where it is none of its form."""
    if told is None:
        return None
    if form == "text":
        return str(told)
    if form == "flag" and isinstance(told, bool):
        return told
    if form == "cents" and isinstance(told, str):
        return decimal(told).scaleb(-2)
    if form == "count":
        return decimal(told)
    if form in ("millis", "day") and isinstance(told, int) and not isinstance(told, bool):
        return instant(told) if form == "millis" else day_of(instant(told), zone)
    raise errors.ValueRefused(f"{told!r} is not of Brook's form {form}.")


def written(form: str, value: Any) -> Any:
    """Return a plain value of a change as Brook takes it; raises InvalidField where it cannot."""
    if value is None:
        return None
    try:
        return _WRITTEN[form](value)
    except errors.ValueRefused as wrong:
        raise errors.InvalidField(f"{value!r} cannot be written to Brook. {wrong}") from wrong


def instant(millis: int) -> datetime:
    """Return the instant of so many milliseconds since 1970, exactly."""
    try:
        return EPOCH + timedelta(milliseconds=millis)
    except OverflowError as wrong:
        raise errors.ValueRefused(f"{millis} is no instant.") from wrong


def millis(moment: datetime) -> int:
    """Return the whole milliseconds since 1970."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def _cents(value: str) -> str:
    cents = decimal(value).scaleb(2)
    if cents != cents.to_integral_value():
        raise errors.ValueRefused("It is not of whole cents.")
    return str(cents.quantize(Decimal(1)))


_WRITTEN: Mapping[str, Callable[[Any], Any]] = {
    "text": str,
    "flag": bool,
    "cents": _cents,
    "millis": lambda value: millis(parse_instant(value)),
    "day": lambda value: millis(parse_instant(f"{parse_day(value)}T12:00:00Z")),
}
