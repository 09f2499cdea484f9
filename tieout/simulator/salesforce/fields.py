"""Fields: what describe tells of them, which values they take, and how values look on the wire.

In memory a text, a date ("2026-03-31") and an instant ("2026-03-31T22:00:00.000+0000") are texts
as on the wire, so that they compare as they are; numbers are Decimal or int. Source: Object
Reference, "Field Types"; R38.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from tieout.simulator.jsonwire import Number
from tieout.simulator.salesforce.errors import RowError
from tieout.simulator.salesforce.ids import long_id

NUMBERS = frozenset({"double", "currency", "percent"})
TEXTS = frozenset({"string", "textarea", "email", "phone", "url", "picklist", "combobox"})
_SOAP = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "base64": "xsd:base64Binary",
    **dict.fromkeys(NUMBERS, "xsd:double"),
}
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PLAIN_FROM, _PLAIN_BELOW = Decimal("0.001"), Decimal(10) ** 7
_UNSORTABLE = frozenset({"base64"})
LONG_TEXT_CHARS = 256
"""From this length on a text area can be neither filtered nor sorted by."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a kind of record."""

    name: str
    type: str
    label: str = ""
    length: int = 0
    precision: int = 0
    scale: int = 0
    nillable: bool = True
    createable: bool = True
    updateable: bool = True
    calculated: bool = False
    unique: bool = False
    external_id: bool = False
    case_sensitive: bool = False
    restricted: bool = False
    options: tuple[tuple[str, str], ...] = ()
    """(value, label) of a picklist."""
    refers_to: tuple[str, ...] = ()
    relationship: str | None = None
    children: str | None = None
    """The name of the relationship in the other direction."""
    default: Any = None
    filters: bool = False
    """A long text that a query may filter by all the same."""

    @property
    def custom(self) -> bool:
        """Tell whether an administrator made it."""
        return self.name.endswith("__c")

    @property
    def filterable(self) -> bool:
        """Tell whether a query may filter and sort by it."""
        long = self.type == "textarea" and self.length >= LONG_TEXT_CHARS
        return (not long or self.filters) and self.type not in _UNSORTABLE

    def shown(self, *, may_edit: bool) -> dict[str, Any]:
        """Return the field as describe tells it to a user who may see it."""
        defaulted = self.default is not None or self.type == "boolean"
        return {
            "aggregatable": self.filterable,
            "autoNumber": False,
            "byteLength": self.length * 3,
            "calculated": self.calculated,
            "caseSensitive": self.case_sensitive,
            "createable": self.createable and may_edit,
            "custom": self.custom,
            "defaultValue": self.default if self.type == "boolean" else None,
            "defaultedOnCreate": defaulted,
            "deprecatedAndHidden": False,
            "digits": 9 if self.type == "int" else 0,
            "externalId": self.external_id,
            "filterable": self.filterable,
            "groupable": self.filterable and self.type not in NUMBERS,
            "htmlFormatted": False,
            "idLookup": self.external_id or self.type == "id",
            "inlineHelpText": None,
            "label": self.label or _label(self.name),
            "length": self.length,
            "name": self.name,
            "nameField": self.name == "Name",
            "namePointing": len(self.refers_to) > 1,
            "nillable": self.nillable,
            "permissionable": self.nillable and self.type != "id",
            "picklistValues": [
                {
                    "active": True,
                    "defaultValue": value == self.default,
                    "label": label,
                    "validFor": None,
                    "value": value,
                }
                for value, label in self.options
            ],
            "polymorphicForeignKey": len(self.refers_to) > 1,
            "precision": self.precision,
            "referenceTo": list(self.refers_to),
            "relationshipName": self.relationship,
            "restrictedPicklist": self.restricted,
            "scale": self.scale,
            "soapType": _SOAP.get(self.type, "xsd:string"),
            "sortable": self.filterable,
            "type": self.type,
            "unique": self.unique,
            "updateable": self.updateable and may_edit,
        }


def taken(field: Field, value: Any) -> Any:
    """Return what is stored when `value` is written; None clears.

    Numbers are rounded half up to the field's digits, as the vendor stores them.

    Raises:
        RowError: the value is of another type, too long, too large or no choice of the list.
    """
    if value is None or (value == "" and field.type != "boolean"):
        if field.type == "boolean":
            raise RowError(
                "INVALID_TYPE_ON_FIELD_IN_RECORD",
                f"{field.name}: value not of required type: {value}",
                [field.name],
            )
        return None
    if field.type in TEXTS:
        return _text(field, value)
    if field.type in NUMBERS or field.type == "int":
        return _number(field, value)
    return _TAKERS[field.type](field, value)


def shown(value: Any) -> Any:
    """Return a stored value as JSON has it.

    A number is written as a double is: with a fraction always, and from ten million on, or below
    a thousandth, with an exponent (help.salesforce.com 000385889).
    """
    if isinstance(value, Decimal):
        plain = value.normalize()
        if plain and not _PLAIN_FROM <= abs(plain) < _PLAIN_BELOW:
            return Number(_scientific(plain))
        whole = plain == plain.to_integral_value()
        return plain.quantize(Decimal("0.0")) if whole else plain
    return value


def _scientific(plain: Decimal) -> str:
    sign, digits, _ = plain.as_tuple()
    first, rest = digits[0], "".join(map(str, digits[1:])) or "0"
    return f"{'-' if sign else ''}{first}.{rest}E{plain.adjusted()}"


def instant_text(instant: datetime) -> str:
    """Return an instant as the wire has it, in whole seconds."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def instant_of(text: str) -> datetime:
    """Read an instant in ISO 8601 with its offset.

    Raises:
        ValueError: it is none, or has no offset.
    """
    read = datetime.fromisoformat(text)
    if read.tzinfo is None:
        raise ValueError(f"{text} has no offset")
    return read.astimezone(UTC)


def _text(field: Field, value: Any) -> str:
    if isinstance(value, bool | dict | list):
        raise _wrong_type(field, value)
    text = str(value)
    if len(text) > field.length and field.length:
        raise RowError(
            "STRING_TOO_LONG",
            f"{field.label or _label(field.name)}: data value too large: {text[:255]} "
            f"(max length={field.length})",
            [field.name],
        )
    if field.restricted and text not in dict(field.options):
        raise RowError(
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            f"{field.label or _label(field.name)}: bad value for restricted picklist field: {text}",
            [field.name],
        )
    if field.type == "email" and not _EMAIL.fullmatch(text):
        raise RowError(
            "INVALID_EMAIL_ADDRESS",
            f"{field.label or _label(field.name)}: invalid email address: {text}",
            [field.name],
        )
    return text


def _number(field: Field, value: Any) -> Decimal | int:
    if isinstance(value, bool | dict | list):
        raise _wrong_type(field, value)
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise _wrong_type(field, value) from error
    if not number.is_finite():
        raise _wrong_type(field, value)
    if field.type == "int":
        if number != number.to_integral_value():
            raise _wrong_type(field, value)
        return int(number)
    if abs(number) >= Decimal(10) ** (field.precision - field.scale):
        raise RowError(
            "NUMBER_OUTSIDE_VALID_RANGE",
            f"{field.label or _label(field.name)}: value outside of valid range on numeric field: "
            f"{value}",
            [field.name],
        )
    return number.quantize(Decimal(1).scaleb(-field.scale), ROUND_HALF_UP)


def _boolean(field: Field, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() in {"true", "false", "1", "0"}:
        return str(value).lower() in {"true", "1"}
    raise _wrong_type(field, value)


def _date(field: Field, value: Any) -> str:
    try:
        return date.fromisoformat(str(value)[:10]).isoformat()
    except ValueError as error:
        raise _wrong_type(field, value) from error


def _datetime(field: Field, value: Any) -> str:
    try:
        return instant_text(instant_of(str(value)))
    except ValueError as error:
        raise _wrong_type(field, value) from error


def _reference(field: Field, value: Any) -> str:
    found = long_id(value) if isinstance(value, str) else None
    if found is None:
        raise RowError(
            "MALFORMED_ID",
            f"{field.label or _label(field.name)}: id value of incorrect type: {value}",
            [field.name],
        )
    return found


class Blob(bytes):
    """A file's bytes as a part of a multipart request brings them."""


def _base64(field: Field, value: Any) -> str | Blob:
    if not isinstance(value, str | Blob):
        raise _wrong_type(field, value)
    return value


def _wrong_type(field: Field, value: Any) -> RowError:
    if field.type in {"date", "datetime"}:
        return RowError(
            "JSON_PARSER_ERROR",
            f"Cannot deserialize instance of {field.type} from VALUE_STRING value {value}",
            [field.name],
        )
    return RowError(
        "INVALID_TYPE_ON_FIELD_IN_RECORD",
        f"{field.name}: value not of required type: {value}",
        [field.name],
    )


def _label(name: str) -> str:
    plain = name.removesuffix("__c").removesuffix("Id") or name
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", plain).replace("_", " ")


_TAKERS: Mapping[str, Any] = {
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "reference": _reference,
    "id": _reference,
    "base64": _base64,
}
