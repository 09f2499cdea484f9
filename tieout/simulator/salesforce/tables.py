"""Records of one kind, found by id, by a unique field and by what they refer to."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tieout.simulator.salesforce.ids import id_of
from tieout.simulator.salesforce.kinds import Kind

Values = dict[str, Any]
_WIDE = frozenset({"CreatedById", "LastModifiedById", "OwnerId", "RecordTypeId"})
"""References to so few records that an index of them would find too many."""


class Table:
    """The records of a kind, deleted ones too until they are purged."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.records: dict[str, Values] = {}
        self.next_number = 1
        self._unique: dict[str, dict[str, str]] = {}
        self._children: dict[str, dict[str, dict[str, None]]] = {}
        self.reindex()

    def take_id(self) -> str:
        """Return the next id."""
        number, self.next_number = self.next_number, self.next_number + 1
        return id_of(self.kind.prefix, number)

    def keep(self, values: Values) -> Values | None:
        """Store a record in the place of its former self, which is returned."""
        former = self.records.get(values["Id"])
        if former is not None:
            self._forget(former)
        self.records[values["Id"]] = values
        self._note(values)
        return former

    def drop(self, record_id: str) -> None:
        """Remove a record for good."""
        self._forget(self.records.pop(record_id))

    def alive(self) -> Iterator[Values]:
        """Return every record that is not deleted."""
        return (one for one in self.records.values() if not one.get("IsDeleted"))

    def holder(self, field: str, value: Any) -> Values | None:
        """Return the record, not deleted, that holds a unique value."""
        found = self._unique.get(field, {}).get(self._folded(field, value))
        return None if found is None else self.records[found]

    def having(self, field: str, targets: Iterable[str]) -> list[Values]:
        """Return the records that refer to any of the targets by this field, oldest first."""
        index = self._children.get(field, {})
        return [self.records[one] for target in targets for one in index.get(target, ())]

    def indexes(self, field: str) -> bool:
        """Tell whether `having` knows the field."""
        return field in self._children

    def reindex(self) -> None:
        """Make the indexes anew, after fields came or went."""
        fields = self.kind.fields.values()
        self._unique = {one.name: {} for one in fields if one.unique or one.external_id}
        self._children = {
            one.name: defaultdict(dict)
            for one in fields
            if one.type == "reference" and one.name not in _WIDE
        }
        for values in self.records.values():
            self._note(values)

    def _note(self, values: Mapping[str, Any]) -> None:
        for name, targets in self._children.items():
            if values.get(name) is not None:
                targets[values[name]][values["Id"]] = None
        if not values.get("IsDeleted"):
            for name, holders in self._unique.items():
                if values.get(name) is not None:
                    holders[self._folded(name, values[name])] = values["Id"]

    def _forget(self, values: Mapping[str, Any]) -> None:
        for name, targets in self._children.items():
            if values.get(name) is not None:
                targets[values[name]].pop(values["Id"], None)
        for name, holders in self._unique.items():
            if values.get(name) is not None:
                folded = self._folded(name, values[name])
                if holders.get(folded) == values["Id"]:
                    del holders[folded]

    def _folded(self, field: str, value: Any) -> str:
        known = self.kind.fields.get(field)
        return str(value) if known and known.case_sensitive else str(value).casefold()
