"""A question "which record is this?" and its possible answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from tieout.model.canonical import Plain
from tieout.model.errors import TieoutError
from tieout.model.record import Record
from tieout.model.ref import Ref

MARKER = "marker"
BOUND = "bound"  # a binding that the ledger already holds


@dataclass(frozen=True, slots=True)
class Lookup:
    """One clue: ``by`` a field, which has this ``value``.

    ``line`` is the mapping's line that asked. ``since`` bounds a search by marker: no record of
    ours can have been created before it, by the server's clock (R48).
    """

    kind: str
    by: str
    value: str
    line: int = 0
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """The rules that find a record, the first that finds exactly one wins.

    Attributes:
        kind: customer, item.
        rules: the clues with a value, in the mapping's order.
        none: what to do when no rule finds any: ask, create, block, skip, default.
        many: what to do when a rule finds several: ask, block.
        default: the name of the record that stands in, for ``none: default``.
        create: the values that a new record would get, for ``create`` or a person's choice.
        source: the CRM record that a binding remembers.
        line: the mapping's line.
    """

    kind: str
    rules: tuple[Lookup, ...]
    none: str = "ask"
    many: str = "ask"
    default: str | None = None
    create: Mapping[str, Plain] = field(default_factory=dict)
    source: Ref | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """Exactly one record answers the question."""

    ref: Ref
    by: str = ""
    line: int = 0
    record: Record | None = None


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Several records answer the question; a person chooses."""

    refs: tuple[Ref, ...]
    by: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Absent:
    """The whole place was searched and nothing answers, as of an instant of the server's clock."""

    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class NotKnown:
    """The search was refused or not finished: this is never an absence."""

    error: TieoutError


Answer: TypeAlias = Found | Ambiguous | Absent | NotKnown
