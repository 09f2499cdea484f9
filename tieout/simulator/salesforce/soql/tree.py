"""What a SOQL query says, once it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from tieout.simulator.salesforce.errors import Refusal


@dataclass(frozen=True, slots=True)
class Column:
    """A field or a path to one, as it was written, and where."""

    path: tuple[str, ...]
    at: int


@dataclass(frozen=True, slots=True)
class TypeOf:
    """Fields of a polymorphic relationship, by the kind that it leads to."""

    relationship: str
    at: int
    when: tuple[tuple[str, tuple[Column, ...]], ...]
    otherwise: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Literal:
    """A value: its type as it was written (string, number, date, ...), and what it is."""

    type: str
    value: Any
    at: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """A field beside one value."""

    column: Column
    operator: str
    value: Literal


@dataclass(frozen=True, slots=True)
class Membership:
    """A field among values, or among what another query finds."""

    column: Column
    negated: bool
    among: tuple[Literal, ...] | Query


@dataclass(frozen=True, slots=True)
class Not:
    """What does not hold."""

    term: Condition


@dataclass(frozen=True, slots=True)
class All:
    """What all holds."""

    terms: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """Of which one holds."""

    terms: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """A field to sort by."""

    column: Column
    descending: bool = False
    nulls_last: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query; `counts` is SELECT COUNT()."""

    text: str
    select: tuple[Selected, ...]
    source: str
    source_at: int
    where: Condition | None = None
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0
    counts: bool = False


Condition: TypeAlias = Comparison | Membership | Not | All | Either
Selected: TypeAlias = Column | TypeOf | Query

_BEFORE_CHARS = 60
_AFTER_CHARS = 40


def wrong(code: str, query: str, at: int, message: str) -> Refusal:
    """Return the refusal of a query, pointing at the place as the vendor does."""
    start = max(0, at - _BEFORE_CHARS)
    shown = query[start : at + _AFTER_CHARS].replace("\n", " ")
    pointer = " " * (at - start) + "^"
    row = query.count("\n", 0, at) + 1
    column = at - (query.rfind("\n", 0, at) + 1) + 1
    return Refusal(
        400, code, f"\n{shown}\n{pointer}\nERROR at Row:{row}:Column:{column}\n{message}"
    )


def malformed(query: str, at: int, message: str) -> Refusal:
    """Return the refusal of what cannot be read."""
    return wrong("MALFORMED_QUERY", query, at, message)
