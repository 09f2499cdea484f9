"""Several sources, one document: which period each falls into, and the document of all of them.

Each source is drafted alone first, so that every rule and check of the mapping holds for it and its
reasons are its own. What comes out is put together here: a source's lines stay as they are and
stand side by side, so that the whole is their sum by how it is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final, TypeVar

from mapping.functions import Type
from mapping.given import Given
from mapping.making import REFUSED, Work
from mapping.rules import GroupRule
from tieout.model.dates import months_after
from tieout.model.document import Invoice, Tax
from tieout.model.money import total
from tieout.model.ref import Key, Ref

_MONTHS_OF_YEAR: Final = 12
_NAMES: Final[Mapping[int, str]] = {1: "{year}-{n:02}", 3: "{year}-Q{n}", 6: "{year}-H{n}"}
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Period:
    """The days whose sources go together.

    Attributes:
        name: a part of the document's name: 2026-03, 2026-Q1, 2026-H1 or 2026.
        first: its first day.
        last: its last day; the document is not posted before the day after.
    """

    name: str
    first: date
    last: date

    @property
    def due(self) -> date:
        """The day from which on the document may be posted."""
        return self.last + timedelta(days=1)

    @property
    def shown(self) -> dict[str, Any]:
        """What the formulas of a document's head see as ``group``."""
        return {"name": self.name, "first_day": self.first, "last_day": self.last}


def period_of(day: date, every_months: int) -> Period:
    """Return the period of so many months that a day falls into; the year begins one.

    Raises:
        ValueRefused: it would end after the last day that there is.
    """
    n = (day.month - 1) // every_months
    first = date(day.year, n * every_months + 1, 1)
    last = months_after(first, every_months) - timedelta(days=1)
    name = _NAMES.get(every_months, "{year}").format(year=day.year, n=n + 1)
    return Period(name, first, last)


def day_of_source(work: Work, rule: GroupRule) -> date | None:
    """Return the day that decides which period a source falls into; None, and found, without."""
    day = work.value("group.date", rule.date, wanted=Type.DATE)
    if day is REFUSED:
        return None
    if day is None:
        work.lacking("group.date", rule.date, {})
        return None
    assert isinstance(day, date)
    return day


def customer_in(given: Given, rule: GroupRule) -> Ref | None:
    """Return the record whose sources go together, of a source that could not be drafted."""
    found = given.related.get(rule.role, ())
    return given.primary.get(rule.role) or (found[0].ref if len(found) == 1 else None)


def collective(documents: Sequence[Invoice], key: Key, source: Ref, part: str) -> Invoice:
    """Return one invoice of several, in the given order. Pure.

    Lines follow one another. It is of the latest date, and due no earlier than any of them. What
    else the head says is kept where all say the same, and left out where they do not.

    Args:
        documents: what each source makes alone, in one currency and for one customer.
        key: its name.
        source: the record that they have in common.
        part: the period and currency.
    """
    first = documents[0]
    due = [one.due_date for one in documents if one.due_date is not None]
    return replace(
        first,
        key=key,
        source=source,
        part=part,
        date=max(one.date for one in documents),
        due_date=max(due) if len(due) == len(documents) else None,
        lines=tuple(line for one in documents for line in one.lines),
        discount=None,
        tax=_tax(documents),
        terms=_agreed(documents, lambda one: one.terms, None),
        purchase_order=None,  # of each source; its own document has it
        memo=_agreed(documents, lambda one: one.memo, ""),
        message=_agreed(documents, lambda one: one.message, ""),
        email=_agreed(documents, lambda one: one.email, None),
        project=_agreed(documents, lambda one: one.project, None),
        number=_agreed(documents, lambda one: one.number, None),
        custom_fields=_agreed_of([one.custom_fields for one in documents]),
        made_before={},
        target=_agreed_of([one.target for one in documents]),
        title=part,
    )


def _tax(documents: Sequence[Invoice]) -> Tax:
    taxes = [one.tax for one in documents]
    amounts = [tax.amount for tax in taxes if tax.amount is not None]
    whole = total(amounts, documents[0].currency) if len(amounts) == len(taxes) else None
    return replace(taxes[0], tolerance=max(tax.tolerance for tax in taxes), amount=whole)


def _agreed(documents: Sequence[Invoice], of: Callable[[Invoice], _T], otherwise: _T) -> _T:
    said = of(documents[0])
    return said if all(of(one) == said for one in documents) else otherwise


def _agreed_of(blocks: Sequence[Mapping[str, _T]]) -> dict[str, _T]:
    first, *others = blocks
    return {
        name: value
        for name, value in first.items()
        if all(name in one and one[name] == value for one in others)
    }
