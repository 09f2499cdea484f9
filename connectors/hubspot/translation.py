"""Between HubSpot's texts and our values.

A property travels as a text, null or empty; a number or a flag that comes as JSON's own is read as
the text that it stands for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeAlias

from connectors.hubspot.facts import FORM, Field, Kind
from tieout.model.canonical import Plain
from tieout.model.dates import day_of, parse_day, parse_instant
from tieout.model.errors import InvalidField, Unavailable, ValueRefused
from tieout.model.money import decimal
from tieout.model.record import Record
from tieout.model.ref import Ref, Version

Reader: TypeAlias = Callable[[str], Any]

TYPES: Mapping[str, str] = {  # the vendor's types in our words
    "string": "text",
    "phone_number": "text",
    "enumeration": "choice",
    "number": "number",
    "bool": "flag",
    "date": "date",
    "datetime": "instant",
    "currency_number": "money",
}
FORMS = ("PERCENT", "FIXED")
VENDOR_TYPES: Mapping[str, tuple[str, str]] = {  # ours as the vendor's type and fieldType
    "text": ("string", "text"),
    "url": ("string", "text"),
    "number": ("number", "number"),
    "money": ("number", "number"),
    "date": ("date", "date"),
    "instant": ("datetime", "date"),
    "choice": ("enumeration", "select"),
    "flag": ("bool", "booleancheckbox"),
}


class Translator:
    """Reads the records of one kind."""

    def __init__(
        self, company: str, kind: Kind, fields: Sequence[Field], zone: Callable[[], str]
    ) -> None:
        self._company = company
        self._kind = kind.name
        self._zone = zone
        self._never_empty = [field.property for field in fields if field.never_empty]
        self._plan = [(field.name, field.property, self._reader(field)) for field in fields]
        self._of_form = {field.name: field.only for field in fields if field.only}

    def record(self, told: Mapping[str, Any]) -> Record:
        """Return a record as HubSpot told it.

        A property that it did not answer is absent, one that is empty there is None. A text that
        is not of its property's type stays a text: the mapping says what it thinks of it.

        Raises:
            Unavailable: its properties are none, one is no single value, or one that is never empty
                was not answered: then nothing is known of it.
        """
        record_id, updated = str(told["id"]), str(told["updatedAt"])
        held = self._properties(told, record_id)
        values: dict[str, Any] = {"id": record_id}
        for name, property_, read in self._plan:
            if property_ not in held:
                continue
            if isinstance(held[property_], dict | list):
                raise self._misread(record_id, f"{property_} is no single value")
            text = text_of(held[property_])
            if not text:
                values[name] = None
            elif read is None:
                values[name] = text
            else:
                try:
                    values[name] = read(text)
                except ValueRefused:
                    values[name] = text
        for name in self._of_form.keys() & values.keys():
            values[name] = self._in_form(values[name], self._of_form[name], text_of(held.get(FORM)))
        return Record(
            ref=Ref(self._company, self._kind, record_id),
            version=Version(updated),
            fields=values,
            updated_at=_instant_or_none(updated),
            created_at=_instant_or_none(text_of(told.get("createdAt"))),
        )

    def _in_form(self, value: Any, only: str, form: str) -> Any:
        """The value where it is of this form, and nothing of it where it is of the other (H18)."""
        if form not in FORMS:
            return None
        return value if form == only else Decimal(0)

    def _properties(self, told: Mapping[str, Any], record_id: str) -> Mapping[str, Any]:
        held = told.get("properties")
        if not isinstance(held, Mapping):
            raise self._misread(record_id, "it has no properties")
        lacking = next((name for name in self._never_empty if name not in held), None)
        if lacking is not None:
            raise self._misread(record_id, f"{lacking} was asked for and not answered")
        return held

    def _misread(self, record_id: str, why: str) -> Unavailable:
        return Unavailable(
            f"HubSpot's answer cannot be read: {why}.", record=f"{self._kind} {record_id}"
        )

    def _reader(self, field: Field) -> Reader | None:
        """Return what reads a field's text; None keeps it."""
        if field.type == "date" and field.from_instant:
            return self._day_there
        return _months if field.from_period else _READERS.get(field.type)

    def _day_there(self, text: str) -> date:
        """The day of an instant in the business time zone; a text that is a day already is it."""
        if _DAY.fullmatch(text):
            return parse_day(text)
        return day_of(_instant(text), self._zone())


def text_of(value: object) -> str:
    """Return the text that a property's value is or stands for; empty where there is none."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def written(field: Field | None, name: str, value: Plain) -> str:
    """Return the text that HubSpot takes for a plain value; an empty text clears.

    Raises:
        InvalidField: the field is not ours to write, or the value has no text there.
    """
    if field is not None and (
        field.read_only or field.from_instant or field.from_period or field.only
    ):
        raise InvalidField(f"{name} cannot be written: HubSpot computes it or its people do.")
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | str):
        return str(value)
    raise InvalidField(f"{name} takes one value, not a {type(value).__name__}.")


def milliseconds(instant: datetime) -> str:
    """Return an instant as the milliseconds since 1970 that a search's filter takes."""
    passed = instant - datetime(1970, 1, 1, tzinfo=UTC)
    return str((passed.days * 86_400 + passed.seconds) * 1000 + passed.microseconds // 1000)


def _flag(text: str) -> bool:
    said = text.lower()
    if said not in ("true", "false"):
        raise ValueRefused(f"{text!r} is neither true nor false.")
    return said == "true"


def _day(text: str) -> date:
    """A date property is a calendar day; older answers show it as midnight in UTC (R40)."""
    return _instant(text).date() if text.lstrip("-").isdecimal() else parse_day(text[:10])


def _instant(text: str) -> datetime:
    """An instant as milliseconds or ISO 8601; one without an offset is in UTC (R40)."""
    if not text.lstrip("-").isdecimal():
        return parse_instant(text if _OFFSET.search(text) else f"{text}Z")
    try:
        return datetime.fromtimestamp(int(text) // 1000, UTC)
    except (OverflowError, ValueError, OSError) as wrong:
        raise ValueRefused(f"{text} is not an instant.") from wrong


def _months(text: str) -> Decimal:
    """The months of an ISO 8601 period; one of weeks or days has no whole number of them.

    HubSpot's term of a line accepts PnYnMnD and PnW (page "Line items").
    """
    found = _PERIOD.fullmatch(text)
    months = found and int(found[1] or 0) * 12 + int(found[2] or 0)
    if not months:
        raise ValueRefused(f"{text!r} is no period of whole months.")
    return Decimal(months)


def _instant_or_none(text: str) -> datetime | None:
    try:
        return _instant(text) if text else None
    except ValueRefused:
        return None


_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_PERIOD = re.compile(r"P(?:(\d{1,4})Y)?(?:(\d{1,5})M)?(?:0+D)?", re.ASCII)
_OFFSET = re.compile(r"(Z|[+-]\d{2}:?\d{2})\Z", re.ASCII)
_number = lru_cache(maxsize=4096)(decimal)  # quantities and prices repeat
_READERS: Mapping[str, Reader] = {
    "number": _number,
    "money": _number,
    "flag": _flag,
    "date": _day,
    "instant": _instant,
}
