"""When the periods of a line are: how many, how far apart, and from which day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from tieout.model.dates import held_day, months_after
from tieout.model.errors import ValueRefused

MONTHS_LIMIT: Final = 120  # between two periods: ten years


@dataclass(frozen=True, slots=True)
class Step:
    """How far one period is from the next."""

    months: int = 0
    days: int = 0

    def after(self, first: date, times: int) -> date:
        """Return the day so many steps later.

        Raises:
            ValueRefused: it is one that no set of books can hold.
        """
        day = months_after(first, self.months * times)
        try:
            return held_day(day + timedelta(self.days * times))
        except OverflowError as wrong:
            raise ValueRefused(f"{times} periods after {first} is outside all years.") from wrong


MONTH: Final = Step(months=1)
EVERY: Final[Mapping[str, Step]] = {
    "week": Step(days=7),
    "two-weeks": Step(days=14),
    "month": MONTH,
    "quarter": Step(months=3),
    "half-year": Step(months=6),
    "year": Step(months=12),
}
CALENDAR_MONTHS: Final[Mapping[str, int]] = {"month": 1, "quarter": 3, "half-year": 6, "year": 12}


def step_of(said: object) -> Step | None:
    """Return the step that a word or a whole number of months names; None where it names none."""
    if isinstance(said, str):
        return EVERY.get(said)
    if isinstance(said, bool) or not isinstance(said, int | Decimal):
        return None
    return Step(months=int(said)) if said == int(said) and 1 <= said <= MONTHS_LIMIT else None


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """The place of a document among a rule's: those that wait for a day stand after the others."""

    awaited: bool
    order: int  # the day's ordinal, or which period it is

    @property
    def day(self) -> date | None:
        """Its day; None where there is none, or none yet."""
        return None if self.awaited else date.fromordinal(self.order)


@dataclass(frozen=True, slots=True)
class Terms:
    """How one line is paid: ``first`` is the day of the first of ``count`` periods."""

    count: int
    step: Step
    first: date | None

    def place(self, times: int) -> Place:
        """Return the document in which a period stands, the first period being 0.

        Raises:
            ValueRefused: its day is one that no set of books can hold.
        """
        if self.first is None:
            return Place(awaited=True, order=times)
        return Place(awaited=False, order=self.step.after(self.first, times).toordinal())
