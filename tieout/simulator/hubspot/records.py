"""Records as a portal keeps them: immutable versions, and an index for each unique property."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tieout.simulator.hubspot.schema import Kind, instant_text


@dataclass(frozen=True, slots=True)
class Record:
    """One version of a record; a change makes another one. Times are epoch milliseconds."""

    id: int
    values: Mapping[str, str]
    created: int
    modified: int
    archived: int | None = None
    merged: tuple[int, ...] = ()
    """Every earlier id that this record has swallowed (R41)."""
    history: tuple[tuple[int, str, str], ...] = ()
    """(time, property, value), oldest first, of the properties that were ever changed."""


def value_of(kind: Kind, record: Record, name: str) -> str | None:
    """Return a property's text, the system's own included; None if it has no value."""
    value = record.values.get(name)
    if value is not None:
        return value
    if name == "hs_object_id":
        return str(record.id)
    if name == kind.modified:
        return instant_text(record.modified)
    if name in {kind.created, "hs_createdate"}:
        return instant_text(record.created)
    if name == "hs_merged_object_ids" and record.merged:
        return ";".join(map(str, record.merged))
    return None


class Shelf:
    """All records of one kind, archived ones too."""

    def __init__(self, first_id: int) -> None:
        self.next_id = first_id
        self.records: dict[int, Record] = {}
        self.redirects: dict[int, int] = {}
        """Where an id has gone by a merge, at once to its present place."""
        self.unique: dict[str, dict[str, int]] = {}

    def take_id(self) -> int:
        """Return an id that was never used."""
        taken = self.next_id
        self.next_id += 1
        return taken

    def keep(self, record: Record) -> None:
        """Store a version and what it holds of unique values."""
        former = self.records.get(record.id)
        self.records[record.id] = record
        for name, holders in self.unique.items():
            if former is not None:
                _release(holders, former.values.get(name), record.id)
            value = record.values.get(name)
            if value is not None and record.archived is None:
                holders[fold(name, value)] = record.id

    def drop(self, record_id: int) -> None:
        """Forget a record that a merge has swallowed."""
        gone = self.records.pop(record_id)
        for name, holders in self.unique.items():
            _release(holders, gone.values.get(name), record_id)

    def find(self, record_id: int) -> Record | None:
        """Find a record by its id or by one that was merged into it; archived or not."""
        return self.records.get(self.redirects.get(record_id, record_id))

    def holder(self, name: str, value: str) -> Record | None:
        """Find who holds a unique property's value."""
        record_id = self.unique[name].get(fold(name, value))
        return None if record_id is None else self.records[record_id]

    def make_unique(self, name: str) -> None:
        """Watch a property whose values no two records may share."""
        self.unique[name] = {
            fold(name, record.values[name]): record.id
            for record in self.live()
            if name in record.values
        }

    def live(self) -> Iterator[Record]:
        """Yield the records that are not archived, oldest first."""
        return (record for record in self.records.values() if record.archived is None)

    def redirect(self, old_ids: Iterable[int], new_id: int) -> None:
        """Send old ids, and all that were sent to them, to the record that swallowed them."""
        old = set(old_ids)
        for source, target in self.redirects.items():
            if target in old:
                self.redirects[source] = new_id
        self.redirects.update(dict.fromkeys(old, new_id))


def fold(name: str, value: str) -> str:
    """Return a unique value as HubSpot compares it: e-mail addresses without case."""
    return value.lower() if name == "email" else value


def _release(holders: dict[str, int], value: str | None, record_id: int) -> None:
    if value is not None and holders.get(value) == record_id:
        del holders[value]
    elif value is not None and holders.get(value.lower()) == record_id:
        del holders[value.lower()]
