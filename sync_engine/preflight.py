"""preflight: what the books would refuse, found before anybody approves it (R47). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from tieout.model.canonical import Plain
from tieout.model.capability import Capabilities
from tieout.model.change import Finding, Severity, Verb
from tieout.model.document import Document, Invoice, Payment
from tieout.model.ref import Ref
from tieout.model.words import control_signs

NAME = "name"
PERIOD_CLOSED = "period-closed"
NUMBERING = "numbering"
CURRENCY = "currency"
NO_TAX_CODE = "no-tax-code"
SET_IN_THE_BOOKS = (PERIOD_CLOSED, NUMBERING, CURRENCY, NO_TAX_CODE)  # no feed tells (R24)


def preflight(
    document: Document,
    values: Mapping[str, Plain],
    preferences: Mapping[str, Any],
    capabilities: Capabilities,
    *,
    numbers_ours: bool = False,
) -> tuple[Finding, ...]:
    """Return every reason why the books would refuse these values.

    Args:
        document: what was drafted.
        values: its values, resolved.
        preferences: what the books say of themselves; see docs/reference/values.md.
        capabilities: what the connector claims, with its limits.
        numbers_ours: whether the configuration has us number the invoices.
    """
    checks = [_verb(document, capabilities), _period(document, preferences)]
    checks.append(_currency(document, preferences))
    if isinstance(document, Invoice):
        checks.append(_invoice(document, values, preferences, capabilities))
        checks.append(_number(document, preferences) if numbers_ours else iter(()))
    if isinstance(document, Payment):
        checks.append(_payment(document, capabilities))
    return tuple(finding for found in checks for finding in found)


def preflight_new(
    kind: str, values: Mapping[str, Plain], source: Ref, capabilities: Capabilities
) -> tuple[Finding, ...]:
    """Return every reason why the books would refuse a new customer or item."""
    found = [*_lengths(kind, values, source, capabilities)]
    name = str(values.get(NAME) or "")
    wrong = sorted({*control_signs(name), *(sign for sign in name if sign in ":\t\n\r")})
    if wrong:
        shown = ", ".join(repr(sign) for sign in wrong)
        found.append(
            _block("name-characters", f"The name {name!r} has {shown}.", "Rename it (R1).", source)
        )
    email = values.get("email")
    if isinstance(email, str) and not _is_one_address(email):
        found.append(
            _block(
                "email",
                f"{email!r} is not one e-mail address.",
                "Leave one address with @ and a dot in the CRM (R3).",
                source,
            )
        )
    return tuple(found)


def _verb(document: Document, capabilities: Capabilities) -> Iterator[Finding]:
    if not capabilities.can(document.kind, Verb.CREATE):
        yield _block(
            "unsupported",
            f"{capabilities.title} cannot take a {document.kind.replace('_', ' ')} from Tieout.",
            "See docs/reference/capabilities.md for what it can take.",
            document.source,
        )


def _period(document: Document, preferences: Mapping[str, Any]) -> Iterator[Finding]:
    closed_through = preferences.get("closed_through")
    if closed_through is not None and document.date <= closed_through:
        yield _block(
            PERIOD_CLOSED,
            f"The books are closed through {closed_through}, and this is of {document.date}.",
            "Ask finance to reopen the period, or change the date at its source.",
            document.source,
        )


def _currency(document: Document, preferences: Mapping[str, Any]) -> Iterator[Finding]:
    home = preferences.get("home_currency")
    code = document.currency.code
    if home is not None and code != home and not preferences.get("multi_currency", False):
        yield _block(
            CURRENCY,
            f"It is in {code}, and the books keep {home} only.",
            "Switch on multicurrency in the books (for ever, R16), or invoice it elsewhere.",
            document.source,
        )
    active = preferences.get("currencies")
    if active and code not in active:
        yield _block(
            CURRENCY,
            f"It is in {code}, which is not among the currencies of the books.",
            f"Add {code} to the currencies of the books.",
            document.source,
        )


def _invoice(
    invoice: Invoice,
    values: Mapping[str, Plain],
    preferences: Mapping[str, Any],
    capabilities: Capabilities,
) -> Iterator[Finding]:
    if not invoice.lines:
        yield _block(
            "no-lines", "There is no line to invoice.", "Add lines in the CRM.", invoice.source
        )
    limit = capabilities.limit("invoice", "lines")
    if limit is not None and len(invoice.lines) > limit:
        yield _block(
            "too-many-lines",
            f"It has {len(invoice.lines)} lines; the books take {limit} (R7).",
            "Split the deal, or group its lines in the mapping.",
            invoice.source,
        )
    if invoice.net.amount < 0:
        yield _block(
            "negative-total",
            f"It comes to {invoice.net}; an invoice cannot be negative.",
            "Post a credit memo by hand, or correct the lines in the CRM.",
            invoice.source,
        )
    yield from _largest(invoice, invoice.net.amount, capabilities)
    yield from _places(invoice, [line.amount.amount for line in invoice.lines], capabilities)
    yield from _tax_codes(invoice, preferences)
    yield from _lengths("invoice", values, invoice.source, capabilities)
    lines = values.get("lines")
    for line in lines if isinstance(lines, list) else ():
        yield from _lengths("invoice", line, invoice.source, capabilities)


def _number(invoice: Invoice, preferences: Mapping[str, Any]) -> Iterator[Finding]:
    """Books that number by themselves take a number of ours too, and take it twice (R6)."""
    if preferences.get("custom_numbers") is False:
        yield _block(
            NUMBERING,
            "These books number their invoices themselves, and the configuration says that we do.",
            "Write `numbers: books` for this company, or let the books take custom numbers.",
            invoice.source,
        )
    elif not invoice.number:
        yield _block(
            "no-number",
            "It has no number, and the configuration says that we number the invoices.",
            "Give `number` in the mapping and its value in the CRM, or write `numbers: books`.",
            invoice.source,
        )


def _tax_codes(invoice: Invoice, preferences: Mapping[str, Any]) -> Iterator[Finding]:
    if not preferences.get("tax_codes_required", False):
        return
    for n, line in enumerate(invoice.lines, 1):
        if not line.tax_code:
            yield _block(
                NO_TAX_CODE,
                f"Line {n} has no tax code, and these books demand one on every line (R14).",
                "Give lines.tax_code in the mapping, or its entry in the table.",
                line.source or invoice.source,
            )


def _payment(payment: Payment, capabilities: Capabilities) -> Iterator[Finding]:
    if payment.amount.amount <= 0:
        yield _block(
            "payment-amount",
            f"A payment of {payment.amount} is none.",
            "Record refunds in the books; Tieout reads them from there.",
            payment.source,
        )
    yield from _largest(payment, payment.amount.amount, capabilities)
    yield from _places(payment, [payment.amount.amount], capabilities)
    limit = capabilities.limit("payment", "reference")
    if limit is not None and len(payment.reference or "") > limit:
        yield _block(
            "too-long",
            f"The reference has {len(payment.reference or '')} characters; the books take {limit}.",
            "Shorten it in the CRM or in the mapping.",
            payment.source,
        )


def _largest(document: Document, amount: Decimal, capabilities: Capabilities) -> Iterator[Finding]:
    largest = capabilities.limit(document.kind, "amount")
    if largest is not None and abs(amount) > largest:
        yield _block(
            "too-large",
            f"{amount} is above the {largest} that the books take.",
            "Split it at its source.",
            document.source,
        )


def _places(
    document: Document, amounts: Sequence[Decimal], capabilities: Capabilities
) -> Iterator[Finding]:
    """A currency may have more decimals than the books keep: three in KWD."""
    places = capabilities.limit(document.kind, "amount_places")
    if places is None:
        return
    finer = next((one for one in amounts if one != round(one, places)), None)
    if finer is not None:
        yield _block(
            "too-many-decimals",
            f"{finer} {document.currency.code} has more decimals than the {places} of the books.",
            "Round the price at its source or in the mapping, or post it by hand.",
            document.source,
        )


def _lengths(
    kind: str, values: Mapping[str, Any], source: Ref, capabilities: Capabilities
) -> Iterator[Finding]:
    """Compare each text with the limit that the books state for its name (R2).

    A sign that is no text (the bell, an escape) is in no set of books: JSON takes it, XML does not.
    """
    custom = values.get("custom_fields") or {}
    texts = [(name, value, capabilities.limit(kind, name)) for name, value in values.items()]
    texts += [
        ("custom field", words, capabilities.limit(kind, "custom_text"))
        for words in custom.values()
    ]
    for name, value, limit in texts:
        signs = control_signs(value) if isinstance(value, str) and name != NAME else []
        if signs:
            yield _block(
                "control-signs",
                f"Its {name.replace('_', ' ')} has signs that are no text: "
                f"{', '.join(map(repr, signs))}.",
                "Type that text anew in the CRM.",
                source,
            )
        if limit is not None and isinstance(value, str) and len(value) > limit:
            yield _block(
                "too-long",
                f"Its {name.replace('_', ' ')} has {len(value)} signs; the books take {limit}.",
                "Shorten it in the CRM or in the mapping.",
                source,
            )
    most = capabilities.limit(kind, "custom_fields")
    if most is not None and len(custom) > most:
        yield _block(
            "too-many-custom-fields",
            f"It has {len(custom)} custom fields; the books take {most} (R7).",
            "Leave some out in the mapping.",
            source,
        )


def _is_one_address(email: str) -> bool:
    name, _, host = email.partition("@")
    return bool(name) and "." in host and not set(email) & set(" ,;")


def _block(code: str, message: str, remedy: str, record: Ref | None) -> Finding:
    return Finding(code, Severity.BLOCK, message, remedy, record)
