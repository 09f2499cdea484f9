"""From the vendor's bodies to records in our names and types (docs/reference/values.md)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from connectors.quickbooks.facts import facts
from connectors.quickbooks.settings import (
    PREFERENCES_ID,
    Body,
    CustomField,
    Settings,
    TaxCode,
)
from tieout.model.dates import parse_day, parse_instant
from tieout.model.errors import Unavailable, ValueRefused
from tieout.model.money import decimal
from tieout.model.record import Event, Record, Seen
from tieout.model.ref import Ref, Version, find_marker

DELETED = "deleted"  # in either case
VOIDED = "Voided"  # what a void puts before the private note (R11)
ZERO = Decimal(0)
MOST_PLACES = 7  # of any number in the books, a unit price's (R8)

_MARKER_TEXT = re.compile(r"\s*\[TIEOUT:[0-9A-HJKMNP-TV-Z]{16}-\d{1,4}\]\s*\Z", re.IGNORECASE)
_ITEM_TYPES = {"Service": "service", "NonInventory": "non_inventory", "Inventory": "inventory"}
_WORD_START = re.compile(r"(?<!^)(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads bodies of one company, as it is set now."""

    company: str
    app_url: str
    settings: Settings

    def ref(self, kind: str, record_id: str) -> Ref:
        """Return the address of a record of this company."""
        return Ref(self.company, kind, record_id)

    def record(self, kind: str, body: Body) -> Record:
        """Return what a body shows.

        Raises:
            Unavailable: the body is not one of that kind.
        """
        try:
            return Record(
                ref=self.ref(kind, _needed(body, "Id")),
                version=Version(_needed(body, "SyncToken")),
                fields=_FIELDS[kind](self, body),
                updated_at=instant_of(body, "LastUpdatedTime"),
                created_at=instant_of(body, "CreateTime"),
            )
        except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as wrong:
            why = wrong.what if isinstance(wrong, ValueRefused) else repr(wrong)
            raise Unavailable(
                f"QuickBooks showed a record of kind {kind} that cannot be read: {why}",
                record=f"{kind} {body.get('Id', '?')}",
            ) from wrong

    def event(self, entity: str, body: Body) -> Event:
        """Return what a body in a feed says: its record, or that it is gone (R24).

        One that cannot be read is a bare sign of change: to be read by its address, on its own.

        Raises:
            Unavailable: it does not even say which record it is.
        """
        kind = facts().kind_of(entity)
        at = instant_of(body, "LastUpdatedTime")
        if is_deleted(body):
            return Event(self.ref(kind, str(body["Id"])), Seen.GONE, at=at)
        try:
            record = self.record(kind, body)
        except Unavailable:
            if not isinstance(body.get("Id"), str):
                raise
            return Event(self.ref(kind, body["Id"]), at=at)
        return Event(record.ref, record=record, at=at)

    def setting_records(self, kinds: frozenset[str]) -> Iterator[Record]:
        """Yield the records that the company's settings are, of these kinds."""
        if "preferences" in kinds:
            yield self._preferences()
        if "tax_code" in kinds:
            yield from map(self._tax_code, self.settings.tax_codes.values())
        if "custom_field" in kinds:
            yield from map(self._custom_field, self.settings.custom_fields)

    def url(self, kind: str, record_id: str) -> str:
        """Return the page where people see a transaction."""
        return f"{self.app_url.rstrip('/')}/app/{kind}?txnId={record_id}"

    def currency(self, body: Body) -> str:
        """Return a body's currency: the home one where it names none (R16)."""
        return _reference(body, "CurrencyRef") or self.settings.home_currency

    def _preferences(self) -> Record:
        held = self.settings
        return Record(
            self.ref("preferences", PREFERENCES_ID),
            Version(held.version),
            {
                "home_currency": held.home_currency,
                "country": held.country,
                "multi_currency": held.multi_currency,
                "currencies": None if held.currencies is None else list(held.currencies),
                "custom_numbers": held.custom_numbers,
                "closed_through": held.closed_through,
                "tax_codes_required": held.needs_tax_codes,
                "automated_tax": held.automated_tax,
                "auto_apply_credit": held.auto_apply_credit,
                "auto_apply_payments": held.auto_apply_payments,
            },
            updated_at=held.read_at,
        )

    def _tax_code(self, code: TaxCode) -> Record:
        return Record(
            self.ref("tax_code", code.id),
            Version(code.version),
            {
                "name": code.name,
                "active": code.active,
                "taxable": code.taxable,
                "rate": code.rate,
            },
            updated_at=self.settings.read_at,
        )

    def _custom_field(self, custom: CustomField) -> Record:
        return Record(
            self.ref("custom_field", custom.id),
            Version(self.settings.version),
            {"name": custom.name, "active": custom.active},
            updated_at=self.settings.read_at,
        )


def is_deleted(body: Body) -> bool:
    """Whether a body in a feed says that its record is gone (R24)."""
    return str(body.get("status")).lower() == DELETED


def instant_of(body: Body, name: str) -> datetime | None:
    """Return an instant of a body's MetaData; None where it is not told or not readable."""
    said = _part(body, "MetaData").get(name)
    try:
        return parse_instant(str(said)) if said else None
    except ValueRefused:
        return None


def _customer(reader: Reader, body: Body) -> dict[str, Any]:
    return {
        "name": _needed(body, "DisplayName"),
        "company_name": _text(body, "CompanyName"),
        "email": _text(_part(body, "PrimaryEmailAddr"), "Address"),
        "currency": reader.currency(body),
        "phone": _text(_part(body, "PrimaryPhone"), "FreeFormNumber"),
        "tax_number": _text(body, "PrimaryTaxIdentifier"),
        "active": _active(body),
        "terms": _reference(body, "SalesTermRef"),
        "balance": _amount(body, "Balance"),
        "marker": _marker(_text(body, "Notes")),
    }


def _person(_reader: Reader, body: Body) -> dict[str, Any]:
    return {"name": _needed(body, "DisplayName"), "active": _active(body)}


def _item(_reader: Reader, body: Body) -> dict[str, Any]:
    said = body.get("Type")
    return {
        "name": _needed(body, "Name"),
        "sku": _text(body, "Sku"),
        "description": _text(body, "Description"),
        "active": _active(body),
        "type": _ITEM_TYPES.get(str(said), _snake(str(said)) if said else None),
        "income_account": _reference(body, "IncomeAccountRef"),
        "unit_price": _amount_or_none(body, "UnitPrice"),
        "taxable": body.get("Taxable") is True,
    }


def _invoice(reader: Reader, body: Body) -> dict[str, Any]:
    return {
        **_sale(reader, body),
        "due_date": _day(body.get("DueDate")),
        "terms": _reference(body, "SalesTermRef"),
        "balance": _needed_amount(body, "Balance"),
        "message": _text(_part(body, "CustomerMemo"), "value"),
        "email": _text(_part(body, "BillEmail"), "Address"),
        "project": _reference(body, "ProjectRef"),
        "department": _reference(body, "DepartmentRef"),
        "custom_fields": _custom_texts(body),
        "lines": list(_lines(body)),
        "url": reader.url("invoice", str(body["Id"])),
    }


def _credit_memo(reader: Reader, body: Body) -> dict[str, Any]:
    left = "RemainingCredit" if "RemainingCredit" in body else "Balance"
    return {
        **_sale(reader, body),
        "balance": _amount(body, left),
        "message": _text(_part(body, "CustomerMemo"), "value"),
        "email": _text(_part(body, "BillEmail"), "Address"),
        "custom_fields": _custom_texts(body),
        "lines": list(_lines(body)),
    }


def _custom_texts(body: Body) -> dict[str, str]:
    return {
        str(custom["DefinitionId"]): str(custom["StringValue"])
        for custom in body.get("CustomField") or ()
        if custom.get("StringValue") and custom.get("DefinitionId")
    }


def _sale(reader: Reader, body: Body) -> dict[str, Any]:
    total = _needed_amount(body, "TotalAmt")
    tax = _tax(body, total)
    return {
        "number": _text(body, "DocNumber"),
        "customer": _reference(body, "CustomerRef"),
        "currency": reader.currency(body),
        "date": _day(body["TxnDate"]),
        "net": total - tax,
        "tax": tax,
        "total": total,
        **_note(body, total),
    }


def _tax(body: Body, total: Decimal) -> Decimal:
    """Return what a sale bears of tax; where no detail is shown, what its lines do not make."""
    detail = body.get("TxnTaxDetail")
    lines = list(_lines(body))
    if isinstance(detail, Mapping) or not lines:
        return _amount(_part(body, "TxnTaxDetail"), "TotalTax")
    return total - sum((line["amount"] for line in lines), ZERO)


def _payment(reader: Reader, body: Body) -> dict[str, Any]:
    total = _needed_amount(body, "TotalAmt")
    return {
        "customer": _reference(body, "CustomerRef"),
        "currency": reader.currency(body),
        "date": _day(body["TxnDate"]),
        "total": total,
        "unapplied": _amount(body, "UnappliedAmt"),
        "method": _reference(body, "PaymentMethodRef"),
        "deposit_to": _reference(body, "DepositToAccountRef"),
        "reference": _text(body, "PaymentRefNum"),
        **_note(body, total),
        "allocations": list(_allocations(body)),
    }


def _term(_reader: Reader, body: Body) -> dict[str, Any]:
    days = body.get("DueDays")
    return {**_named(_reader, body), "due_days": None if days is None else int(days)}


def _account(reader: Reader, body: Body) -> dict[str, Any]:
    said = body.get("AccountType")
    return {
        **_named(reader, body),
        "type": _snake(str(said).replace(" ", "")) if said else None,
        "currency": reader.currency(body),
    }


def _named(_reader: Reader, body: Body) -> dict[str, Any]:
    return {"name": _needed(body, "Name"), "active": _active(body)}


def _attachment(_: Reader, body: Body) -> dict[str, Any]:
    key = find_marker(body.get("Note"))
    on = [_part(one, "EntityRef") for one in body.get("AttachableRef") or ()]
    size = body.get("Size")
    return {
        "name": body.get("FileName"),
        "media_type": body.get("ContentType"),
        "size_bytes": None if size is None else decimal(size),
        "note": _MARKER_TEXT.sub("", str(body.get("Note") or "")),
        "marker": None if key is None else str(key),
        "invoice": next((str(one["value"]) for one in on if one.get("type") == "Invoice"), None),
    }


_FIELDS: Mapping[str, Callable[[Reader, Body], dict[str, Any]]] = {
    "customer": _customer,
    "vendor": _person,
    "employee": _person,
    "item": _item,
    "invoice": _invoice,
    "payment": _payment,
    "credit_memo": _credit_memo,
    "refund": _sale,
    "term": _term,
    "class": _named,
    "department": _named,
    "payment_method": _named,
    "account": _account,
    "attachment": _attachment,
}


def _lines(body: Body) -> Iterator[dict[str, Any]]:
    """Yield the lines that make up the net: what was sold, those in bundles too, and discounts."""
    for line in body.get("Line") or ():
        sold = line.get("SalesItemLineDetail")
        if line.get("DetailType") == "GroupLineDetail":
            yield from _lines(_part(line, "GroupLineDetail"))
        elif line.get("DetailType") == "DiscountLineDetail":
            yield _line(line, {}, -_amount(line, "Amount"))
        elif isinstance(sold, Mapping):
            yield _line(line, sold, _amount(line, "Amount"))


def _line(line: Body, sold: Body, amount: Decimal) -> dict[str, Any]:
    return {
        "item": _reference(sold, "ItemRef"),
        "description": _text(line, "Description"),
        "quantity": _amount_or_none(sold, "Qty"),
        "unit_price": _amount_or_none(sold, "UnitPrice"),
        "amount": amount,
        "tax_code": _reference(sold, "TaxCodeRef"),
    }


def _allocations(body: Body) -> Iterator[dict[str, Any]]:
    """Yield what a payment's lines take from which transaction (R17, R50)."""
    for line in body.get("Line") or ():
        for linked in line.get("LinkedTxn") or ():
            yield {
                "kind": _snake(str(linked["TxnType"])),
                "id": str(linked["TxnId"]),
                "amount": _amount(line, "Amount"),
            }


def _note(body: Body, total: Decimal) -> dict[str, Any]:
    note = _text(body, "PrivateNote")
    return {
        "memo": _MARKER_TEXT.sub("", note) if note else note,
        "marker": _marker(note),
        "voided": bool(note) and str(note).startswith(VOIDED) and total == ZERO,
    }


def _marker(note: str | None) -> str | None:
    key = find_marker(note)
    return None if key is None else str(key)


def _snake(words: str) -> str:
    return _WORD_START.sub("_", words).lower()


def _active(body: Body) -> bool:
    return str(body.get("Active")).lower() != "false"


def _part(body: Body, name: str) -> Body:
    found = body.get(name)
    return found if isinstance(found, Mapping) else {}


def _reference(body: Body, name: str) -> str | None:
    return _text(_part(body, name), "value") or None


def _text(body: Body, name: str) -> str | None:
    """Return a text, or a number as one.

    Raises:
        ValueRefused: it is neither.
    """
    held = body.get(name)
    if held is None or isinstance(held, str):
        return held
    if isinstance(held, bool) or not isinstance(held, int | Decimal):
        raise ValueRefused(f"{name} is no text but {str(held)[:40]!r}.")
    return str(held)


def _needed(body: Body, name: str) -> str:
    """Return a text that a record cannot be without.

    Raises:
        ValueRefused: it has none.
    """
    held = _text(body, name)
    if held is None:
        raise ValueRefused(f"{name} is missing.")
    return held


def _amount(body: Body, name: str) -> Decimal:
    return _amount_or_none(body, name) or ZERO


def _needed_amount(body: Body, name: str) -> Decimal:
    """Return an amount that the books always tell; one that is not told is not nothing.

    Raises:
        ValueRefused: it is missing.
    """
    amount = _amount_or_none(body, name)
    if amount is None:
        raise ValueRefused(f"{name} is missing.")
    return amount


def _amount_or_none(body: Body, name: str) -> Decimal | None:
    """Return a number, without the noise of one that went through binary fractions.

    Raises:
        ValueRefused: it is something else.
    """
    value = body.get(name)
    if value is None or value == "":
        return None
    try:
        exact = decimal(value)
    except (TypeError, ValueError) as wrong:
        raise ValueRefused(f"{name} is not a number.") from wrong
    near = round(exact, MOST_PLACES)
    return exact if near == exact else near.normalize() + ZERO


def _day(text: str | None) -> date | None:
    return parse_day(text[:10]) if text else None
