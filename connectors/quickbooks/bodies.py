"""From the values of a change to the vendor's bodies: minimal, exact, nothing invented.

A body holds what its change says and no more: no exchange rate, no empty text, no number that the
books give themselves (R6, R16, sdk.md 4).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

from connectors.quickbooks.facts import facts
from connectors.quickbooks.settings import Settings
from tieout.model.canonical import Values
from tieout.model.change import Change, Create, Update, Void
from tieout.model.document import net_unit_price
from tieout.model.errors import InvalidField, Unsupported
from tieout.model.money import Money, currency, decimal

PRIVATE_NOTE_CHARS = 4000  # R2
NOTES_CHARS = 2000  # R2
PRICE_PLACES = 7
NEXT_NUMBER = "AUTO_GENERATE"  # of the books' own sequence, where none would leave it empty (R6)
HUNDRED = Decimal(100)
TAX_NUMBER_COUNTRIES = frozenset({"IN", "CA", "GB", "AU"})  # R48

_CALCULATIONS = {
    "exclusive": "TaxExcluded",
    "inclusive": "TaxInclusive",
    "untaxed": "NotApplicable",
}
_INVOICE_WORDS = frozenset(
    {
        "class",
        "currency",
        "custom_fields",
        "customer",
        "date",
        "department",
        "due_date",
        "email",
        "lines",
        "memo",
        "message",
        "number",
        "prices",
        "project",
        "tax",
        "terms",
    }
)
_CREDIT_WORDS = _INVOICE_WORDS - {"due_date", "terms"}
_ITEM_TYPES = {"service": "Service", "non_inventory": "NonInventory"}
_TXN_TYPES = {"invoice": "Invoice", "credit_memo": "CreditMemo"}
_ADDRESS = {
    "line1": "Line1",
    "line2": "Line2",
    "city": "City",
    "region": "CountrySubDivisionCode",
    "postal_code": "PostalCode",
    "country": "Country",
}

JsonBody: TypeAlias = dict[str, Any]


def body_of(change: Change, key: str, settings: Settings) -> JsonBody:
    """Return the body that makes a change; the marker of its key is the last word of its memo.

    Raises:
        InvalidField: a value that the books cannot take (preflight should have seen it).
        Unsupported: a kind that is not written.
    """
    if isinstance(change, Void):
        return _void(change)
    shape = _SHAPES.get(change.kind)
    if shape is None:
        raise Unsupported(f"QuickBooks' connector does not write records of kind {change.kind}.")
    writing = _Writing(f"[TIEOUT:{key}]", settings, new=isinstance(change, Create))
    body = shape(change.values, writing)
    if isinstance(change, Update):
        return {
            "Id": change.ref.id,
            "SyncToken": str(change.version),
            "sparse": True,
            **body,
        }
    return body


@dataclass(frozen=True, slots=True)
class _Writing:
    """How bodies are written: with which marker, for which company, and whether they are new."""

    marker: str
    settings: Settings
    new: bool

    def add_note(self, body: JsonBody, name: str, memo: object, chars: int) -> None:
        """Write the memo and, as its last word, the marker: neither is ever cut.

        An update that says nothing of the memo leaves it, and so the marker, as it is.

        Raises:
            InvalidField: there is no room for both.
        """
        if memo is None and not self.new:
            return
        text = str(memo or "").rstrip()
        note = f"{text} {self.marker}" if text else self.marker
        if len(note) > chars:
            raise InvalidField(f"A note of {len(text)} characters leaves no room for our marker.")
        body[name] = note


def _void(change: Void) -> JsonBody:
    """A void names its record and version only; a payment's is an update (see ``parcels``)."""
    body: JsonBody = {"Id": change.ref.id, "SyncToken": str(change.version)}
    return {**body, "sparse": True} if change.kind == "payment" else body


def _invoice(values: Values, writing: _Writing) -> JsonBody:
    """An invoice's class stands on it and on each line that has none of its own.

    A company tracks classes by transaction or by line, and ignores the other place without an
    error (help.rutter.com, "class tracking in QuickBooks Online").
    """
    if unknown := values.keys() - _INVOICE_WORDS:
        raise InvalidField(f"QuickBooks' invoices have no {', '.join(sorted(unknown))} here.")
    return _sale(values, writing, next_number=NEXT_NUMBER)


def _credit_memo(values: Values, writing: _Writing) -> JsonBody:
    """A credit memo is written as an invoice is: its amounts are positive, what is given back.

    It takes nothing of an invoice by itself: a payment of nothing that names both does (Intuit,
    reference of Payment; docs.breadwinner.com, "Applying Credit to an Invoice"). The number is left
    to the books, or is ours: AUTO_GENERATE is not known for it (R6).
    """
    if unknown := values.keys() - _CREDIT_WORDS:
        raise InvalidField(f"QuickBooks' credit memos have no {', '.join(sorted(unknown))} here.")
    return _sale(values, writing, next_number=None)


def _sale(values: Values, writing: _Writing, *, next_number: str | None) -> JsonBody:
    """Return the body of an invoice or credit memo.

    ``next_number`` asks for the next of the books' sequence, where none would be given.
    """
    body = _pick(
        values,
        {
            "customer": ("CustomerRef", _reference),
            "date": ("TxnDate", str),
            "due_date": ("DueDate", str),
            "terms": ("SalesTermRef", _reference),
            "number": ("DocNumber", str),
            "email": ("BillEmail", _email),
            "message": ("CustomerMemo", _reference),
            "project": ("ProjectRef", _reference),
            "department": ("DepartmentRef", _reference),
            "class": ("ClassRef", _reference),
        },
    )
    _add_currency(body, values, writing.settings)
    writing.add_note(body, "PrivateNote", values.get("memo"), PRIVATE_NOTE_CHARS)
    settings = writing.settings
    if writing.new and settings.custom_numbers and next_number is not None:
        body.setdefault("DocNumber", next_number)
    prices = str(values.get("prices") or "exclusive")
    if not settings.is_us and (writing.new or "prices" in values or "lines" in values):
        body["GlobalTaxCalculation"] = _known(_CALCULATIONS, prices, "prices")
    if settings.is_us and prices == "inclusive":
        raise InvalidField("Prices that include tax are not known in the United States.")
    if "tax" in values:
        body["TxnTaxDetail"] = {"TotalTax": _number(values["tax"])}
    if "lines" in values:
        code = str(values.get("currency") or settings.home_currency)
        body["Line"] = [
            _line({"class": values.get("class"), **line}, number, prices, code, settings)
            for number, line in enumerate(_maps(values["lines"]), start=1)
        ]
    if "custom_fields" in values:
        body["CustomField"] = list(_custom_fields(values["custom_fields"]))
    return body


def _line(
    line: Mapping[str, Any], number: int, prices: str, code: str, settings: Settings
) -> JsonBody:
    """One line sold. ``Amount`` is net everywhere; what includes tax goes beside it (R14)."""
    sold = _pick(
        line,
        {
            "item": ("ItemRef", _reference),
            "quantity": ("Qty", _number),
            "unit_price": ("UnitPrice", _number),
            "tax_code": ("TaxCodeRef", _reference),
            "class": ("ClassRef", _reference),
            "service_date": ("ServiceDate", str),
        },
    )
    if settings.is_us and prices == "untaxed":
        sold.setdefault("TaxCodeRef", _reference("NON"))
    amount = _number(line["amount"])
    if prices == "inclusive":
        gross = Money(amount, currency(code))
        net = _net_of(gross, line.get("tax_code"), settings)
        quantity = sold.get("Qty")
        sold["TaxInclusiveAmt"] = amount
        amount = net.amount
        if quantity is not None:
            sold["UnitPrice"] = _net_price(quantity, sold.get("UnitPrice"), net)
    body: JsonBody = {"LineNum": number}
    if line.get("description"):
        body["Description"] = line["description"]
    body["Amount"] = amount
    body["DetailType"] = "SalesItemLineDetail"
    body["SalesItemLineDetail"] = sold
    return body


def _net_of(gross: Money, tax_code: str | None, settings: Settings) -> Money:
    """Return an amount without the tax of its code."""
    known = settings.tax_codes.get(str(tax_code))
    if known is None or known.rate is None:
        raise InvalidField(
            f"The rate of tax code {tax_code} is not known, so its tax cannot be taken out.",
            remedy="Use prices without tax in the mapping, or another tax code.",
        )
    return Money.rounded(gross.amount * HUNDRED / (HUNDRED + known.rate), gross.currency)


def _net_price(quantity: Decimal, price: Decimal | None, net: Money) -> Decimal:
    found = net_unit_price(quantity, price or net.amount, net, PRICE_PLACES)
    if found is None:
        raise InvalidField(f"No price of {PRICE_PLACES} decimals times {quantity} makes {net}.")
    return found


def _payment(values: Values, writing: _Writing) -> JsonBody:
    body = _pick(
        values,
        {
            "customer": ("CustomerRef", _reference),
            "date": ("TxnDate", str),
            "amount": ("TotalAmt", _number),
            "method": ("PaymentMethodRef", _reference),
            "deposit_to": ("DepositToAccountRef", _reference),
            "reference": ("PaymentRefNum", _payment_reference),
        },
    )
    _add_currency(body, values, writing.settings)
    writing.add_note(body, "PrivateNote", values.get("memo"), PRIVATE_NOTE_CHARS)
    if "allocations" in values:
        body["Line"] = [
            {
                "Amount": _number(part["amount"]),
                "LinkedTxn": [
                    {
                        "TxnId": str(part["id"]),
                        "TxnType": _known(_TXN_TYPES, str(part["kind"]), "allocation"),
                    }
                ],
            }
            for part in _maps(values["allocations"])
        ]
    return body


def _customer(values: Values, writing: _Writing) -> JsonBody:
    body = _pick(
        values,
        {
            "name": ("DisplayName", str),
            "company_name": ("CompanyName", str),
            "email": ("PrimaryEmailAddr", _email),
            "phone": ("PrimaryPhone", lambda number: {"FreeFormNumber": number}),
            "address": ("BillAddr", _address),
            "terms": ("SalesTermRef", _reference),
            "parent": ("ParentRef", _reference),
        },
    )
    if "parent" in values:
        body["Job"] = True  # a sub-customer (R4)
    if "tax_number" in values and writing.settings.country in TAX_NUMBER_COUNTRIES:
        body["PrimaryTaxIdentifier"] = values["tax_number"]
    if writing.new:
        _add_currency(body, values, writing.settings)  # it can never be changed (R16)
    writing.add_note(body, "Notes", values.get("notes"), NOTES_CHARS)
    return body


def _item(values: Values, writing: _Writing) -> JsonBody:
    body = _pick(
        values,
        {
            "name": ("Name", str),
            "sku": ("Sku", str),
            "description": ("Description", str),
            "type": ("Type", lambda kind: _known(_ITEM_TYPES, str(kind), "type")),
            "income_account": ("IncomeAccountRef", _reference),
            "unit_price": ("UnitPrice", _number),
            "taxable": ("Taxable", bool),
        },
    )
    if writing.new:
        body.setdefault("Type", "Service")
    return body


_SHAPES: Mapping[str, Callable[[Values, _Writing], JsonBody]] = {
    "customer": _customer,
    "item": _item,
    "invoice": _invoice,
    "payment": _payment,
    "credit_memo": _credit_memo,
}


def _pick(
    values: Mapping[str, Any], names: Mapping[str, tuple[str, Callable[[Any], Any]]]
) -> JsonBody:
    """Return the vendor's fields for those of our names that have a value."""
    return {
        vendor_name: convert(values[name])
        for name, (vendor_name, convert) in names.items()
        if values.get(name) is not None
    }


def _add_currency(body: JsonBody, values: Values, settings: Settings) -> None:
    """Name the currency only where there are several (R16)."""
    said = values.get("currency")
    if said is None:
        return
    if settings.multi_currency:
        body["CurrencyRef"] = _reference(said)
    elif said != settings.home_currency:
        raise InvalidField(
            f"These books know {settings.home_currency} only, not {said}.",
            remedy="Switch on multiple currencies in QuickBooks (it cannot be switched off).",
        )


def _custom_fields(values: Any) -> Iterator[JsonBody]:
    for definition_id, text in values.items():
        yield {"DefinitionId": definition_id, "Type": "StringType", "StringValue": text}


def _reference(value: object) -> JsonBody:
    return {"value": str(value)}


def _email(address: object) -> JsonBody:
    return {"Address": str(address)}


def _address(parts: Mapping[str, Any]) -> JsonBody:
    return {_ADDRESS[name]: part for name, part in parts.items() if part and name in _ADDRESS}


def _payment_reference(value: object) -> str:
    text = str(value)
    limit = facts().described["payment"]["limits"]["reference"]
    if len(text) > limit:
        raise InvalidField(f"The payment reference {text!r} is longer than {limit} characters.")
    return text


def _known(words: Mapping[str, str], word: str, name: str) -> str:
    found = words.get(word)
    if found is None:
        raise InvalidField(f"{name} is {word!r}, not one of {', '.join(words)}.")
    return found


def _number(value: Any) -> Decimal:
    return decimal(value)


def _maps(value: Any) -> Sequence[Mapping[str, Any]]:
    return list(value)
