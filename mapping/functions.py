"""The functions of a formula: this list is the whole language, and it is frozen.

Each docstring is the entry of the reference page: what it gives, then an example. A function gets
values that a record may really hold (None for a missing one) and refuses what it cannot use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import (
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)
from enum import StrEnum
from typing import Any, Final

from tieout.model.dates import parse_day
from tieout.model.errors import NextStep, TieoutError
from tieout.model.money import plain_text

# Enough for every product of two amounts; a result outside it is refused, never cut silently short.
EXACT: Final = Context(
    prec=40,
    rounding=ROUND_HALF_EVEN,
    Emin=-60,
    Emax=60,
    traps=[InvalidOperation, DivisionByZero, Overflow],
)
TEXT_CHARS_LIMIT = 20_000
SHOWN_CHARS = 60  # of a wrong value in a message
PLACES_LIMIT = 12


class Type(StrEnum):
    """What a value is, as far as it is known before a record is there."""

    ANY = "anything"
    NUMBER = "a number"
    TEXT = "a text"
    DATE = "a date"
    TRUTH = "true or false"
    INSTANT = "an instant"
    NOTHING = "nothing"
    COLUMN = "a column"


class FormulaError(TieoutError):
    """A formula cannot be computed from this record."""

    code = "formula"
    next_step = NextStep.ASK
    remedy = "Correct the record at its source, or the mapping in the line named."

    def __init__(self, what: str, *, file: str = "", line: int = 0, text: str = "") -> None:
        """Keep what is wrong, the formula's text and where it stands."""
        super().__init__(what)
        self.file, self.line, self.text = file, line, text


class ValueMissing(FormulaError):
    """A formula cannot be computed because this record lacks a value."""


@dataclass(frozen=True, slots=True)
class Function:
    """One function: its code, the types it takes (the last repeats, if it may) and gives."""

    call: Callable[..., Any]
    takes: tuple[Type, ...]
    gives: Type
    required: int
    repeats: bool = False

    @property
    def doc(self) -> str:
        """The reference entry."""
        return self.call.__doc__ or ""


def sum_column(column: object) -> Decimal:
    """The total of a column of numbers; 0 when there is no row.

    =sum(lines.amount)
    """
    total = Decimal(0)
    for value in _rows(column, "sum"):
        total = EXACT.add(total, _number(value, "sum"))
    return total


def round_half_up(number: object, places: object = 0) -> Decimal:
    """The number with so many decimals (0 when not said); a half goes away from zero.

    =round(deal.amount / 3, 2)
    """
    digits = int(_number(places, "round"))
    if digits != places or not 0 <= digits <= PLACES_LIMIT:
        raise FormulaError(f"round takes 0 to {PLACES_LIMIT} decimals, whole")
    step = Decimal(1).scaleb(-digits)
    exact = Decimal(_number(number, "round"))
    return EXACT.plus(exact.quantize(step, rounding=ROUND_HALF_UP, context=EXACT))


def join(separator: object, *parts: object) -> str:
    """The parts as one text, the separator between them; missing and empty parts are left out.

    =join(" ", "Deal", deal.id, deal.name)
    """
    between = _text(separator, "join")
    joined = between.join(said for said in map(text_of, parts) if said)
    if len(joined) > TEXT_CHARS_LIMIT:
        raise FormulaError(f"join makes a text longer than {TEXT_CHARS_LIMIT} characters")
    return joined


def lookup(named: str, table: Mapping[str, Any], *keys: object) -> Any:
    """The entry of a table under one key or more; a missing entry blocks the document and is named.

    =lookup("tax_codes", company.country, line.tax_category or "standard")
    """
    entry: Any = table
    for key in keys:
        if not isinstance(entry, Mapping) or text_of(key) not in entry:
            shown = " / ".join(text_of(key) or "(missing)" for key in keys)
            raise FormulaError(f"{named} has no entry for {shown}")
        entry = entry[text_of(key)]
    if isinstance(entry, Mapping):
        shown = " / ".join(map(text_of, keys))
        raise FormulaError(f"{named} has several entries for {shown}: it needs one more key")
    return entry


def date_of(text: object) -> date | None:
    """The calendar day of a text such as 2026-03-31; a date stays itself, missing stays missing.

    =date(deal.service_day)
    """
    if text is None or type(text) is date:
        return text
    return parse_day(_text(text, "date"))


def upper(text: object) -> str | None:
    """The text in capitals; missing stays missing.

    =upper(deal.currency)
    """
    return None if text is None else _text(text, "upper").upper()


def lower(text: object) -> str | None:
    """The text in small letters; missing stays missing.

    =lower(contact.email)
    """
    return None if text is None else _text(text, "lower").lower()


def strip(text: object) -> str | None:
    """The text without spaces at its ends; missing stays missing.

    =strip(company.name)
    """
    return None if text is None else _text(text, "strip").strip()


def minimum(*numbers: object) -> Any:
    """The smallest of some numbers or dates, or of a column.

    =min(deal.amount, 1000)
    """
    return min(_several(numbers, "min"))


def maximum(*numbers: object) -> Any:
    """The largest of some numbers or dates, or of a column.

    =max(deal.amount - deal.paid, 0)
    """
    return max(_several(numbers, "max"))


def absolute(number: object) -> Decimal:
    """The number without its sign.

    =abs(deal.amount - books.total) < 0.05
    """
    return EXACT.abs(_number(number, "abs"))


def coalesce(*values: object) -> object:
    """The first value that is not missing. Unlike `or`, it takes 0 and an empty text for values.

    =coalesce(line.discount_percent, deal.discount_percent, 0)
    """
    return next((value for value in values if value is not None), None)


FUNCTIONS: Final[Mapping[str, Function]] = {
    "sum": Function(sum_column, (Type.COLUMN,), Type.NUMBER, 1),
    "round": Function(round_half_up, (Type.NUMBER, Type.NUMBER), Type.NUMBER, 1),
    "join": Function(join, (Type.TEXT, Type.ANY), Type.TEXT, 2, repeats=True),
    "lookup": Function(lookup, (Type.TEXT, Type.ANY), Type.ANY, 2, repeats=True),
    "date": Function(date_of, (Type.ANY,), Type.DATE, 1),
    "upper": Function(upper, (Type.TEXT,), Type.TEXT, 1),
    "lower": Function(lower, (Type.TEXT,), Type.TEXT, 1),
    "strip": Function(strip, (Type.TEXT,), Type.TEXT, 1),
    "min": Function(minimum, (Type.ANY,), Type.ANY, 1, repeats=True),
    "max": Function(maximum, (Type.ANY,), Type.ANY, 1, repeats=True),
    "abs": Function(absolute, (Type.NUMBER,), Type.NUMBER, 1),
    "coalesce": Function(coalesce, (Type.ANY,), Type.ANY, 1, repeats=True),
}


# -- what the operators stand for -------------------------------------------------------------


def plus(left: Any, right: Any) -> Any:
    """Numbers, or a date and whole days."""
    if type(left) is date:
        return left + _days(right)
    return EXACT.add(left, right)


def minus(left: Any, right: Any) -> Any:
    """Numbers, a date and whole days, or the days between two dates."""
    if type(left) is date:
        return Decimal((left - right).days) if type(right) is date else left - _days(right)
    return EXACT.subtract(left, right)


def typed(value: Any, name: str, wanted: str) -> Any:
    """The value of a field that is declared to be no text.

    A connector leaves a text that it cannot read as a text.

    Raises:
        FormulaError: it is such a text.
    """
    if type(value) is str:
        shown = value if len(value) <= SHOWN_CHARS else f"{value[:SHOWN_CHARS]}…"
        raise FormulaError(f"{name} is {Type.TEXT}, not {wanted}: {shown!r}")
    return value


def column(
    rows: Iterable[Mapping[str, Any]], field: str, name: str = "", wanted: str = ""
) -> list[Any]:
    """One field of every row; ``wanted`` is what it is declared to be where that is no text."""
    if not wanted:
        return [row[field] for row in rows]
    return [typed(row[field], f"{name}[{n}].{field}", wanted) for n, row in enumerate(rows)]


def text_of(value: object) -> str:
    """How a value is written in a text: no exponent, no trailing zeros; missing is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return plain_text(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def _days(value: object) -> timedelta:
    whole = int(_number(value, "a date"))
    if whole != value:
        raise FormulaError("a date moves by whole days")
    return timedelta(days=whole)


def _number(value: object, used_by: str) -> Decimal:
    if isinstance(value, Decimal) or (isinstance(value, int) and not isinstance(value, bool)):
        return Decimal(value)
    raise TypeError(f"{used_by} needs a number")


def _text(value: object, used_by: str) -> str:
    if isinstance(value, str):
        return value
    raise TypeError(f"{used_by} needs a text")


def _rows(value: object, used_by: str) -> list[Any]:
    if isinstance(value, list):
        return value
    raise TypeError(f"{used_by} needs a column")


def _several(values: tuple[object, ...], used_by: str) -> Iterable[Any]:
    given = _rows(values[0], used_by) if isinstance(values[0], list) else values
    if not given:
        raise FormulaError(f"{used_by} of nothing")
    if any(value is None for value in given):
        raise TypeError(f"{used_by} needs values")
    return given
