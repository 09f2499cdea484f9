"""receivables: what a customer owes by the books' mirror, and when that ages. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from mapping.drafting import Receivables

AGES_DAYS = (30, 60, 90)  # after the due date; what is older is the rest
NEVER = "9999-12-31"  # nothing that is open will age
_NOTHING = Decimal(0)


def receivables_of(
    invoices: Iterable[Mapping[str, Any]],
    today: date,
    *,
    preferred: Iterable[str | None],
    credit_limits: Mapping[str, Decimal],
) -> Receivables:
    """Return what a record of the CRM owes, over all the customers that it is in the books.

    Args:
        invoices: the books' fields of the open invoices, each with its ``currency``.
        today: the day in the business time zone.
        preferred: the currencies to tell it in, the first that something is open in; else the
            first of the alphabet, and the first preferred where nothing is open.
        credit_limits: by currency.
    """
    by_currency: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for invoice in invoices:
        by_currency[str(invoice["currency"])].append(invoice)
    wishes = [one for one in preferred if one]
    choice = next((one for one in wishes if one in by_currency), None)
    currency = choice or min(by_currency, default=wishes[0] if wishes else None)
    shown = by_currency.pop(currency, []) if currency else []
    ages = [_NOTHING] * (len(AGES_DAYS) + 1)
    for invoice in shown:
        late_days = _late_days(invoice, today)
        ages[sum(late_days > limit for limit in AGES_DAYS)] += invoice["balance"]
    oldest = min(shown, key=lambda one: (_due(one) or date.max, one["date"]), default=None)
    others = [f"{_open(held)} {code}" for code, held in sorted(by_currency.items()) if _open(held)]
    return Receivables(
        currency,
        _open(shown),
        _open(one for one in shown if _late_days(one, today) > 0),
        aged_30=ages[0],
        aged_60=ages[1],
        aged_90=ages[2],
        aged_over_90=ages[3],
        credit_limit=credit_limits.get(currency) if currency else None,
        oldest_open_invoice=None if oldest is None else oldest.get("number"),
        other_currencies=", ".join(others) or None,
    )


def next_look(invoices: Iterable[Mapping[str, Any]], today: date) -> str:
    """Return the next day on which what is open is another by itself; ``NEVER`` if on none."""
    dues = [due for due in map(_due, invoices) if due is not None]
    days = [due + timedelta(days=limit + 1) for due in dues for limit in (0, *AGES_DAYS)]
    return min((day.isoformat() for day in days if day > today), default=NEVER)


def _open(invoices: Iterable[Mapping[str, Any]]) -> Decimal:
    return sum((one["balance"] for one in invoices), _NOTHING)


def _late_days(invoice: Mapping[str, Any], today: date) -> int:
    due = _due(invoice)
    return 0 if due is None else (today - due).days


def _due(invoice: Mapping[str, Any]) -> date | None:
    due: date | None = invoice.get("due_date") or invoice.get("date")
    return due
