"""Records of one table, found by id and by alternate key, and what was deleted of it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tieout.simulator.dynamics365.schema import Target


@dataclass(slots=True)
class Record:
    """One row: values by column name; a column without a value is left out."""

    id: str
    values: dict[str, Any]
    created: str
    modified: str
    version: int


@dataclass(frozen=True, slots=True)
class Gone:
    """A deleted row, as a change feed tells of it."""

    id: str
    version: int
    at: str


@dataclass(slots=True)
class Shelf:
    """The rows of a table."""

    records: dict[str, Record] = field(default_factory=dict)
    gone: list[Gone] = field(default_factory=list)
    _held: dict[tuple[str, ...], dict[tuple[Any, ...], str]] = field(default_factory=dict)
    """By the columns of a key: which row has which values."""
    _followed: dict[str, dict[Target, dict[str, None]]] = field(default_factory=dict)
    """By lookup column: which rows point at which record."""

    def follow(self, column: str) -> None:
        """Index a lookup column of a table without rows."""
        self._followed[column] = {}

    @property
    def watched(self) -> list[tuple[str, ...]]:
        """The columns of each key."""
        return list(self._held)

    @property
    def followed(self) -> list[str]:
        """The lookup columns that are indexed."""
        return list(self._followed)

    def take_over(self, other: "Shelf", records: Iterable[Record]) -> None:
        """Hold these rows of another shelf, and its deletions, under the same indexes."""
        self.gone = list(other.gone)
        self._held = {columns: {} for columns in other.watched}
        self._followed = {column: {} for column in other.followed}
        for record in records:
            self.keep(record)

    def watch(self, columns: Sequence[str]) -> bool:
        """Index a key's columns; False if two rows have the same values already."""
        held: dict[tuple[Any, ...], str] = {}
        for record in self.records.values():
            values = _key_values(columns, record.values)
            if values is None:
                continue
            if values in held:
                return False
            held[values] = record.id
        self._held[tuple(columns)] = held
        return True

    def unwatch(self, columns: Sequence[str]) -> None:
        """Forget a key's index."""
        self._held.pop(tuple(columns), None)

    def holder(self, columns: Sequence[str], values: Mapping[str, Any]) -> str | None:
        """Return the id of the row with these values of a key's columns."""
        wanted = _key_values(columns, values)
        return None if wanted is None else self._held.get(tuple(columns), {}).get(wanted)

    def conflict(self, record_id: str, values: Mapping[str, Any]) -> Sequence[str] | None:
        """Return the columns of the first key whose values another row holds already."""
        for columns in self._held:
            holder = self.holder(columns, values)
            if holder is not None and holder != record_id:
                return columns
        return None

    def keep(self, record: Record) -> None:
        """Store a new row."""
        self.records[record.id] = record
        self._index(record)

    def change(self, record: Record, values: dict[str, Any]) -> None:
        """Give a row other values; its indexes follow."""
        if any(record.values.get(one) != values.get(one) for one in self._indexed()):
            self._forget(record)
            record.values = values
            self._index(record)
        else:
            record.values = values

    def remove(self, record: Record, version: int, at: str) -> None:
        """Delete a row, and remember that it was there."""
        self._forget(record)
        del self.records[record.id]
        self.gone.append(Gone(record.id, version, at))

    def pointing(self, column: str, target: Target) -> Iterator[Record]:
        """Yield the rows whose lookup points at a record, oldest first."""
        if column in self._followed:
            ids = self._followed[column].get(target, {})
            return iter([self.records[one] for one in ids])
        return (one for one in self.records.values() if one.values.get(column) == target)

    def _indexed(self) -> Iterator[str]:
        for columns in self._held:
            yield from columns
        yield from self._followed

    def _index(self, record: Record) -> None:
        for columns, held in self._held.items():
            values = _key_values(columns, record.values)
            if values is not None:
                held[values] = record.id
        for column, pointing in self._followed.items():
            target = record.values.get(column)
            if target is not None:
                pointing.setdefault(target, {})[record.id] = None

    def _forget(self, record: Record) -> None:
        for columns, held in self._held.items():
            values = _key_values(columns, record.values)
            if values is not None and held.get(values) == record.id:
                del held[values]
        for column, pointing in self._followed.items():
            target = record.values.get(column)
            if target is not None:
                pointing[target].pop(record.id, None)


def _key_values(columns: Sequence[str], values: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """Return what a row has in a key's columns; None where one is empty, which holds nothing.

    Texts are compared without case, as the vendor's database does.
    """
    found = [values.get(name) for name in columns]
    if any(one is None for one in found):
        return None
    return tuple(one.casefold() if isinstance(one, str) else one for one in found)
