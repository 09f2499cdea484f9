"""The kinds of records, their properties, and which values HubSpot takes for them.

Values are texts on the wire, whatever their type; a date is a calendar day, a datetime an instant
(R40). Sources: developers.hubspot.com/docs/api-reference, pages "Properties", "Deals", "Line
items", "Commerce payments"; R39-R41.
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
                {"value": value, "label": label, "displayOrder": place, "hidden": False}
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


def _kind(
    name: str,
    singular: str,
    type_id: str,
    *properties: Property,
    scope: str = "",
    modified: str = "hs_lastmodifieddate",
    created: str = "createdate",
    shown: tuple[str, ...] = (),
) -> Kind:
    system = (
        Property("hs_object_id", "Record ID", "number", "number", unique=True, read_only=True),
        Property(modified, "Last Modified Date", "datetime", "date", read_only=True),
        Property(created, "Create Date", "datetime", "date", read_only=True),
        Property("hs_merged_object_ids", "Merged record IDs", "enumeration", read_only=True),
    )
    return Kind(
        name,
        singular,
        type_id,
        scope or name,
        modified,
        created,
        (*shown, created, modified, "hs_object_id"),
        {prop.name: prop for prop in (*system, *properties)},
    )


def _text(name: str, label: str, **told: Any) -> Property:
    return Property(name, label, **told)


def _num(name: str, label: str, **told: Any) -> Property:
    return Property(name, label, "number", "number", **told)


def _when(name: str, label: str, **told: Any) -> Property:
    return Property(name, label, "datetime", "date", **told)


def _choice(name: str, label: str, *values: str, **told: Any) -> Property:
    options = tuple((value, value) for value in values)
    return Property(name, label, "enumeration", "select", options=options, **told)


def _flag(name: str, label: str, **told: Any) -> Property:
    return Property(name, label, "bool", "booleancheckbox", **told)


_OWNER = _choice("hubspot_owner_id", "Owner")

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        _kind(
            "deals",
            "deal",
            "0-3",
            _text("dealname", "Deal Name"),
            _num("amount", "Amount"),
            _choice("deal_currency_code", "Currency", *CURRENCIES),
            _when("closedate", "Close Date"),
            _choice("pipeline", "Pipeline"),
            _choice("dealstage", "Deal Stage"),
            _OWNER,
            _text("description", "Deal Description"),
            _when("notes_last_updated", "Last Activity Date", read_only=True),
            _choice("dealtype", "Deal Type", "newbusiness", "existingbusiness"),
            _when("hs_createdate", "Object create date/time", read_only=True),
            _flag("hs_is_closed_won", "Is Closed Won", read_only=True),
            _flag("hs_is_closed", "Is Deal Closed?", read_only=True),
            shown=("amount", "closedate", "dealname", "dealstage", "pipeline"),
        ),
        _kind(
            "line_items",
            "line_item",
            "0-8",
            _text("name", "Name"),
            _text("hs_sku", "SKU"),
            _text("description", "Description"),
            _num("quantity", "Quantity"),
            _num("price", "Unit price"),
            _num("discount", "Unit discount"),
            _num("hs_discount_percentage", "Unit discount percentage"),
            _choice("hs_line_item_currency_code", "Currency", *CURRENCIES),
            _num("hs_position_on_quote", "Position on quote"),
            _text("hs_product_id", "Product ID"),
            _text("hs_tax_rate_group_id", "Tax rate"),
            _text("recurringbillingfrequency", "Billing frequency"),
            _num("amount", "Net price", read_only=True),
            _num("hs_pre_discount_amount", "Pre discount amount", read_only=True),
            _num("hs_total_discount", "Total discount", read_only=True),
            shown=("quantity", "amount", "price"),
        ),
        _kind(
            "companies",
            "company",
            "0-2",
            _text("name", "Company name"),
            _text("domain", "Company Domain Name"),
            _text("address", "Street Address"),
            _text("city", "City"),
            _text("zip", "Postal Code"),
            _text("state", "State/Region"),
            _text("country", "Country/Region"),
            _text("hs_country_code", "Country/Region Code"),
            _text("phone", "Phone Number"),
            _OWNER,
            shown=("domain", "name"),
        ),
        _kind(
            "contacts",
            "contact",
            "0-1",
            _text("email", "Email", unique=True),
            _text("firstname", "First Name"),
            _text("lastname", "Last Name"),
            _text("phone", "Phone Number"),
            _text("company", "Company Name"),
            _OWNER,
            modified="lastmodifieddate",
            shown=("email", "firstname", "lastname"),
        ),
        _kind(
            "products",
            "product",
            "0-7",
            _text("name", "Name"),
            _text("hs_sku", "SKU"),
            _text("description", "Product description"),
            _num("price", "Unit price"),
            *(_num(f"hs_price_{code.lower()}", f"Unit Price {code}") for code in CURRENCIES),
            shown=("description", "name", "price"),
        ),
        _kind(
            "commerce_payments",
            "commerce_payment",
            "0-101",
            _num("hs_initial_amount", "Gross amount"),
            _num("hs_refunds_amount", "Refunded amount"),
            _num("hs_fees_amount", "Fees"),
            _choice("hs_currency_code", "Currency", *CURRENCIES),
            _when("hs_initiated_date", "Payment date"),
            _choice(
                "hs_latest_status",
                "Status",
                "succeeded",
                "processing",
                "failed",
                "refunded",
                "partially_refunded",
            ),
            _text("hs_payment_method_type", "Payment method"),
            _text("hs_customer_email", "Customer"),
            _text("hs_reference_number", "Reference number"),
            _text("hs_internal_comment", "Internal comment"),
            scope="commercepayments",
            created="hs_createdate",
        ),
        _kind(
            "invoices",
            "invoice",
            "0-53",
            _text("hs_number", "Invoice number"),
            _choice("hs_currency", "Currency", *CURRENCIES),
            _choice("hs_invoice_status", "Status", "draft", "open", "paid", "voided"),
            Property("hs_invoice_date", "Invoice date", "date", "date"),
            Property("hs_due_date", "Due date", "date", "date"),
            _num("hs_amount_billed", "Amount billed"),
            created="hs_createdate",
        ),
        _kind(
            "notes",
            "note",
            "0-46",
            _text("hs_note_body", "Note body"),
            _when("hs_timestamp", "Activity date"),
            _choice("hs_attachment_ids", "Attached content IDs"),
            _OWNER,
            scope="contacts",
            created="hs_createdate",
        ),
    )
}


def kind_of(word: str) -> Kind | None:
    """Find a kind by its plural, its singular or its type id (`0-3`), as paths may name it."""
    return KINDS.get(word) or _OTHER_NAMES.get(word)


_OTHER_NAMES = {name: kind for kind in KINDS.values() for name in (kind.singular, kind.type_id)}
