"""Business dates and instants, kept apart.

A business date is a calendar day and never passes through a datetime; an instant is timezone-aware
and in UTC. The only bridge from an instant to a day is ``day_of``, with a named business time zone.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from typing import TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tieout.model.errors import ValueRefused

Day: TypeAlias = date  # for fields that are themselves called date

EARLIEST = date(1970, 1, 2)
LATEST = date(9998, 12, 30)
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})\Z", re.ASCII)


def parse_day(text: str) -> date:
    """Return the calendar day of ``2026-03-31``.

    Raises:
        ValueRefused: not a day of that form, or one that no set of books can hold.
    """
    form = _DAY.match(text)
    if form is None:
        raise ValueRefused(f"{text[:40]!r} is not a date; write it as 2026-03-31.")
    try:
        day = date(int(form[1]), int(form[2]), int(form[3]))
    except ValueError as wrong:
        raise ValueRefused(f"{text!r} is not a day of the calendar.") from wrong
    return held_day(day)


def day_of(instant: datetime, zone: str) -> date:
    """Return the calendar day that an instant has in a business time zone.

    Raises:
        ValueRefused: the zone is unknown, the instant has no time zone, or the day is one that no
            set of books can hold.
    """
    if instant.tzinfo is None:
        raise ValueRefused(f"{instant} has no time zone, so its day is not known.")
    local = _in_zone(instant, time_zone(zone))
    return held_day(date(local.year, local.month, local.day))


@lru_cache(maxsize=64)
def time_zone(name: str) -> ZoneInfo:
    """Return a time zone by its IANA name.

    Raises:
        ValueRefused: no such zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as wrong:
        raise ValueRefused(
            f"{name!r} is not a time zone.", remedy="Use a name as Europe/Oslo."
        ) from wrong


def parse_instant(text: str) -> datetime:
    """Return the UTC instant of an ISO 8601 text with an offset.

    Raises:
        ValueRefused: not such a text.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as wrong:
        raise ValueRefused(f"{text[:40]!r} is not an instant.") from wrong
    if instant.tzinfo is None:
        raise ValueRefused(f"{text[:40]!r} has no offset from UTC.")
    return _in_zone(instant, UTC)


def instant_text(instant: datetime) -> str:
    """Return an instant as ISO 8601 in UTC with milliseconds: sorts as it reads."""
    if instant.tzinfo is None:
        raise ValueRefused(f"{instant} has no time zone.")
    utc = _in_zone(instant, UTC)
    return utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def held_day(day: date) -> date:
    """Return a day that a set of books can hold.

    Raises:
        ValueRefused: it is outside the years that they do.
    """
    if not EARLIEST <= day <= LATEST:
        raise ValueRefused(f"{day} is outside the years that books hold.")
    return day


def months_after(day: date, months: int) -> date:
    """Return the day so many months later: the same of its month, or that month's last.

    Raises:
        ValueRefused: the day is one that no set of books can hold.
    """
    years, month = divmod(day.month - 1 + months, 12)
    if not EARLIEST.year <= day.year + years <= LATEST.year:
        raise ValueRefused(f"{months} months after {day} is outside the years that books hold.")
    last = monthrange(day.year + years, month + 1)[1]
    return held_day(date(day.year + years, month + 1, min(day.day, last)))


def _in_zone(instant: datetime, zone: tzinfo) -> datetime:
    try:
        return instant.astimezone(zone)
    except OverflowError as wrong:
        raise ValueRefused(f"{instant} is outside the years that books hold.") from wrong
