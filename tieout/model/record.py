"""What a system showed: Record, Event, Page, and the answers to fetch and related."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias

from tieout.model.errors import TieoutError
from tieout.model.ref import Cursor, Ref, Version

Fields: TypeAlias = Mapping[str, Any]  # our names; str, Decimal, int, bool, date, datetime, None


@dataclass(frozen=True, slots=True)
class Record:
    """One record as its system showed it, in our names and types.

    ``updated_at`` is by the system's own clock. ``fields`` holds what was asked for; a field that
    the system did not answer is absent, one that is empty there is None.
    """

    ref: Ref
    version: Version
    fields: Fields
    updated_at: datetime | None = None
    created_at: datetime | None = None


class Seen(StrEnum):
    """What a sign of change says."""

    CHANGED = "changed"
    GONE = "gone"  # the system says so itself: a tombstone, never a failed read (pain 13)
    MERGED = "merged"


@dataclass(frozen=True, slots=True)
class Event:
    """A sign that a record changed; it carries the record where that was free."""

    ref: Ref
    seen: Seen = Seen.CHANGED
    record: Record | None = None
    merged_into: Ref | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Events, and the cursor to store in the same commit.

    ``as_of`` is the server's clock when it answered: what changed before it and is not in this feed
    up to the cursor did not change.
    """

    events: tuple[Event, ...]
    cursor: Cursor
    as_of: datetime
    last: bool = False


@dataclass(frozen=True, slots=True)
class Gone:
    """The system says that the record was deleted or archived."""

    ref: Ref
    evidence: str


@dataclass(frozen=True, slots=True)
class MergedInto:
    """The record lives on under another id."""

    ref: Ref
    into: Record


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The record could not be read: this says nothing about whether it exists."""

    ref: Ref
    error: TieoutError


Fetched: TypeAlias = Record | Gone | MergedInto | Unreadable


@dataclass(frozen=True, slots=True)
class Related:
    """The whole set of records that stand in a role to one record, in the system's order.

    ``primary`` is the one that the system itself calls so. With an ``error`` the set is not known:
    never read that as an empty set.
    """

    ref: Ref
    role: str
    refs: tuple[Ref, ...] = ()
    primary: Ref | None = None
    records: Mapping[Ref, Record] = field(default_factory=dict)
    error: TieoutError | None = None
