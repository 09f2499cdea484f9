"""Between Dataverse's JSON and our values.

A lookup is shown as its id, an option as its number; what people see for them comes as an
annotation beside the value (page "Query data using the Web API").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeAlias

from connectors.dynamics365.facts import ETAG, SHOWN, Field, Kind
from tieout.model.canonical import Plain
from tieout.model.dates import day_of, parse_day, parse_instant
from tieout.model.errors import InvalidField, TieoutError, Unavailable, ValueRefused
from tieout.model.money import decimal
from tieout.model.record import Record
from tieout.model.ref import Ref, Version

MODIFIED = "modifiedon"
CREATED = "createdon"

Reader: TypeAlias = Callable[[Any], Any]

TYPES: Mapping[str, str] = {  # AttributeType in our words
    "String": "text",
    "Memo": "text",
    "Picklist": "choice",
    "State": "choice",
    "Status": "choice",
    "Money": "money",
    "Decimal": "number",
    "Double": "number",
    "Integer": "number",
    "BigInt": "number",
    "Boolean": "flag",
    "DateTime": "instant",
    "Uniqueidentifier": "text",
    "Lookup": "text",
    "Customer": "text",
    "Owner": "text",
}
LOOKUPS = frozenset({"Lookup", "Customer", "Owner"})


class Translator:
    """Reads the records of one kind.

    Args:
        company: the organization as it stands in every Ref.
        kind: of what.
        fields: which of its fields.
        zone: the business time zone, asked for when an instant must become a day.
        code: the ISO code of a currency's id.
    """

    def __init__(
        self,
        company: str,
        kind: Kind,
        fields: Sequence[Field],
        zone: Callable[[], str],
        code: Callable[[str], str],
    ) -> None:
        self._company = company
        self._kind = kind
        self._zone = zone
        self._code = code
        self._plan = [(field, self._reader(field)) for field in fields]

    def record(self, told: Mapping[str, Any]) -> Record:
        """Return a record as Dataverse told it.

        A value that it did not answer is absent, one that is empty there is None. A value that is
        not of its field's type stays as it is, as text: the mapping says what it thinks of it.

        Raises:
            Unavailable: it has no id or version, or a currency that the organization does not list.
            InvalidField: an option whose text is wanted has none.
        """
        record_id, etag = told.get(self._kind.id), told.get(ETAG)
        if not isinstance(record_id, str) or not isinstance(etag, str):
            raise Unavailable(f"Dataverse shows a {self._kind.name} without its id or version.")
        values: dict[str, Any] = {"id": record_id}
        for field, read in self._plan:
            if field.column.endswith(SHOWN):
                values[field.name] = self._label(field, told, record_id)
                continue
            if field.column not in told:
                continue
            held = told[field.column]
            if isinstance(held, dict | list):
                raise Unavailable(
                    f"{field.column} is no single value.", record=f"{self._kind.name} {record_id}"
                )
            values[field.name] = None if held in (None, "") else _read(read, held)
        return Record(
            ref=Ref(self._company, self._kind.name, record_id),
            version=Version(etag),
            fields=values,
            updated_at=_instant_or_none(told.get(MODIFIED)),
            created_at=_instant_or_none(told.get(CREATED)),
        )

    def _label(self, field: Field, told: Mapping[str, Any], record_id: str) -> str | None:
        """Return the text of an option; a value that nobody gave a text is a mistake over there."""
        column = field.column.removesuffix(SHOWN)
        if told.get(column) is None:
            return None
        shown = told.get(field.column)
        if isinstance(shown, str) and shown:
            return shown
        raise InvalidField(
            f"{column} is {told[column]}, and this option has no label in Dynamics 365.",
            record=f"{self._kind.name} {record_id}",
            remedy="Give the option a label in Power Apps, or use the value itself in the mapping.",
        )

    def _reader(self, field: Field) -> Reader:
        if field.code_of:
            return self._code
        if field.equals is not None:
            return lambda held: held == field.equals
        if field.differs is not None:
            return lambda held: held != field.differs
        if field.words is not None:
            words = field.words
            return lambda held: words.get(str(held), str(held))
        if field.type == "date":
            return self._day
        return _READERS.get(field.type, _text)

    def _day(self, held: Any) -> date:
        """A day is a day; an instant is one in the business time zone."""
        text = str(held)
        if _DAY.fullmatch(text):
            return parse_day(text)
        return day_of(parse_instant(text), self._zone())


def written(field: Field | None, name: str, value: Plain) -> Any:
    """Return the JSON value that Dataverse takes for a plain value; null and an empty text clear.

    Raises:
        InvalidField: the field is not ours to write, or the value is none that it can have.
    """
    if field is not None and (field.read_only or field.code_of or field.column.startswith("_")):
        raise InvalidField(f"{name} cannot be written: Dynamics computes it or its people do.")
    if value is None or value == "":
        return None  # no column holds an empty text: it is without a value
    if isinstance(value, bool):
        return value
    if not isinstance(value, int | str):
        raise InvalidField(f"{name} takes one value, not a {type(value).__name__}.")
    kind = "" if field is None else field.type
    if kind in ("money", "number"):
        try:
            return decimal(value)
        except ValueRefused as wrong:
            raise InvalidField(f"{name} takes a number, not {str(value)[:40]!r}.") from wrong
    if kind == "choice" and field is not None:
        return _option(field, name, str(value))
    return value


def _option(field: Field, name: str, value: str) -> int:
    named = {word: number for number, word in (field.words or {}).items()}
    number = named.get(value, value)
    if not number.lstrip("-").isdecimal():
        raise InvalidField(f"{name} has no option {value[:40]!r}.")
    return int(number)


def _read(read: Reader, held: Any) -> Any:
    try:
        return read(held)
    except TieoutError as wrong:
        if not isinstance(wrong, ValueRefused):
            raise
        return _text(held)


def _text(held: Any) -> str:
    if isinstance(held, str):
        return held
    if isinstance(held, bool):
        return "true" if held else "false"
    return format(held, "f") if isinstance(held, Decimal) else str(held)


def _flag(held: Any) -> bool:
    if not isinstance(held, bool):
        raise ValueRefused(f"{held!r} is neither true nor false.")
    return held


def _instant(held: Any) -> datetime:
    return parse_instant(str(held))


def _instant_or_none(held: object) -> datetime | None:
    try:
        return parse_instant(held) if isinstance(held, str) else None
    except ValueRefused:
        return None


_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_number = lru_cache(maxsize=4096)(decimal)  # quantities and prices repeat
_READERS: Mapping[str, Reader] = {
    "number": _number,
    "money": _number,
    "flag": _flag,
    "instant": _instant,
}
