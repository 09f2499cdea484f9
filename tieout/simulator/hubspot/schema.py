"""What a kind of records and its properties are, and which values HubSpot takes for them.

Values are texts on the wire, whatever their type; a date is a calendar day, a datetime an instant
(R40). Source: developers.hubspot.com/docs/api-reference, page "Properties".
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from tieout.simulator.hubspot.errors import Invalid

MAX_VALUE_CHARS = 65_536
CURRENCIES = ("EUR", "USD", "GBP", "NOK", "JPY", "KWD", "SEK", "DKK", "CHF", "CNY")
EXPONENTS = {"JPY": 0, "KWD": 3}
"""Digits after the point, where a currency has not two."""
FREQUENCIES = (
    "weekly",
    "biweekly",
    "monthly",
    "quarterly",
    "per_six_months",
    "annually",
    "per_two_years",
    "per_three_years",
    "per_four_years",
    "per_five_years",
)
QUOTE_STATUSES = (
    "DRAFT",
    "APPROVAL_NOT_NEEDED",
    "PENDING_APPROVAL",
    "APPROVED",
    "REJECTED",
)
"""APPROVAL_NOT_NEEDED and APPROVED are those of a quote that the buyer sees."""
STARTS = (
    "hs_recurring_billing_start_date",
    "hs_billing_start_delay_days",
    "hs_billing_start_delay_months",
)
"""Which property says when billing begins: the discriminator names it."""


@dataclass(frozen=True, slots=True)
class Property:
    """One property of a kind, as the properties API shows it."""

    name: str
    label: str
    type: str = "string"
    """string, number, bool, enumeration, date or datetime."""
    field_type: str = "text"
    group: str = "information"
    description: str = ""
    options: tuple[tuple[str, str], ...] = ()
    """(value, label) of an enumeration."""
    hidden: tuple[str, ...] = ()
    """Values of options that nobody is offered."""
    unique: bool = False
    read_only: bool = False
    built_in: bool = True

    def shown(self) -> dict[str, Any]:
        """Return the property as the wire shows it."""
        return {
            "name": self.name,
            "label": self.label,
            "type": self.type,
            "fieldType": self.field_type,
            "groupName": self.group,
            "description": self.description,
            "options": [
                {
                    "value": value,
                    "label": label,
                    "displayOrder": place,
                    "hidden": value in self.hidden,
                }
                for place, (value, label) in enumerate(self.options)
            ],
            "hasUniqueValue": self.unique,
            "hidden": False,
            "hubspotDefined": self.built_in,
            "calculated": self.read_only,
            "formField": False,
            "archived": False,
            "modificationMetadata": {
                "archivable": not self.built_in,
                "readOnlyDefinition": self.built_in,
                "readOnlyValue": self.read_only,
            },
        }


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of record: its names, its scope and its standard properties."""

    name: str
    """Plural, as in paths."""
    singular: str
    type_id: str
    scope: str
    """The middle word of its scopes, crm.objects.WORD.read."""
    modified: str
    created: str
    shown: tuple[str, ...]
    """Properties that are answered when none are asked for."""
    properties: Mapping[str, Property]


def instant_text(milliseconds: int) -> str:
    """Write an instant as HubSpot does: no fraction where it is zero, else three digits."""
    seconds, rest = divmod(milliseconds, 1000)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{rest:03d}Z" if rest else f"{text}Z"


@lru_cache(maxsize=65_536)
def milliseconds(text: str) -> int | None:
    """Read an instant given as epoch milliseconds or in ISO 8601; None if it is neither."""
    if text.lstrip("-").isdecimal():
        return int(text)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    elapsed = instant - datetime(1970, 1, 1, tzinfo=UTC)
    return (elapsed.days * 86_400 + elapsed.seconds) * 1000 + elapsed.microseconds // 1000


def stored(prop: Property, value: Any) -> str | Invalid:
    """Return the text that HubSpot keeps for a value that was sent, or why it is not taken.

    Numbers and booleans may be sent as such; an empty text clears the property.
    """
    text = _as_text(value)
    if len(text) > MAX_VALUE_CHARS:
        return _invalid(prop, "PROPERTY_VALUE_TOO_LONG", f"was over {MAX_VALUE_CHARS} characters")
    if text == "":
        return text
    match prop.type:
        case "number":
            return (
                text
                if _number(text) is not None
                else _invalid(prop, "INVALID_NUMBER", f"{text} was not a valid number.")
            )
        case "bool":
            return (
                text
                if text in {"true", "false"}
                else _invalid(prop, "INVALID_BOOLEAN", f"{text} was not a valid boolean.")
            )
        case "datetime":
            instant = milliseconds(text)
            return (
                instant_text(instant)
                if instant is not None
                else _invalid(prop, "INVALID_LONG", f"{text} was not a valid long.")
            )
        case "date":
            return _stored_date(prop, text)
        case "enumeration":
            allowed = [option for option, _ in prop.options]
            return (
                text
                if not allowed or text in allowed
                else _invalid(
                    prop, "INVALID_OPTION", f"{text} was not one of the allowed options: {allowed}"
                )
            )
        case _:
            return text


def comparable(prop: Property, text: str) -> Decimal | int | str | None:
    """Return a value by which searches compare and sort; None if the text is no such value."""
    match prop.type:
        case "number":
            return _number(text)
        case "date" | "datetime":
            return milliseconds(text)
        case _:
            return text.lower()


def custom(**told: Any) -> Property:
    """Return a property that an administrator made."""
    return replace(Property(**told), built_in=False)


def _stored_date(prop: Property, text: str) -> str | Invalid:
    """Return the day of a date: a date's instant must be midnight in UTC (R40)."""
    if text.lstrip("-").isdecimal():
        days, rest = divmod(int(text), 86_400_000)
        if rest:
            return _invalid(prop, "INVALID_DATE", f"{text} is at {rest} ms, not at midnight UTC.")
        return date.fromordinal(date(1970, 1, 1).toordinal() + days).isoformat()
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return _invalid(prop, "INVALID_DATE", f"{text} was not a valid date.")


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


@lru_cache(maxsize=65_536)
def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _invalid(prop: Property, error: str, message: str) -> Invalid:
    return Invalid(prop.name, error, message)
