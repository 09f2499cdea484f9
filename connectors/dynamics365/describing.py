"""Which columns a table has, custom ones included, and what their options are called."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.dynamics365.facts import SHOWN, Facts, Field, Kind
from connectors.dynamics365.translation import LOOKUPS, TYPES
from connectors.dynamics365.wire import Wire, rows
from tieout.model.capability import FieldInfo
from tieout.model.errors import TieoutError, Unsupported
from tieout.transport import understood

_COLUMNS = (
    "Attributes?$select=LogicalName,AttributeType,AttributeOf,DisplayName,IsValidForRead,"
    "IsValidForUpdate,IsCustomAttribute,IsSecured"
)
_CHOICES = ("PicklistAttributeMetadata", "StateAttributeMetadata", "StatusAttributeMetadata")


class Describing:
    """What an organization says of its tables; each is asked once."""

    def __init__(self, wire: Wire, facts: Facts) -> None:
        self._wire = wire
        self._facts = facts
        self._columns: dict[str, Mapping[str, Mapping[str, Any]]] = {}
        self._described: dict[str, Mapping[str, FieldInfo]] = {}
        self._once = threading.RLock()

    def columns(self, kind: Kind) -> Mapping[str, Mapping[str, Any]]:
        """Return the columns of a table by their logical names.

        Raises:
            TieoutError: it was refused or not answered.
        """
        with self._once:
            if kind.name not in self._columns:
                listed = self._wire.get(f"{_table(kind)}/{_COLUMNS}", understand=rows)
                self._columns[kind.name] = {
                    str(told["LogicalName"]): told
                    for told in listed
                    if not told.get("AttributeOf") and told.get("IsValidForRead") is not False
                }
            return self._columns[kind.name]

    def field(self, kind: Kind, name: str) -> Field:
        """Return a field that the facts do not name; a name that is no column stays one."""
        told = self.columns(kind).get(name)
        if told is None:
            return Field(name, name)
        type_ = str(told.get("AttributeType"))
        column = f"_{name}_value" if type_ in LOOKUPS else name
        return Field(name, column, TYPES.get(type_, "text"))

    def describe(self, name: str) -> Mapping[str, FieldInfo]:
        """Return the fields of a kind by the names that mappings use.

        Raises:
            Unsupported: there is no table of that kind.
            TieoutError: it was refused or not answered.
        """
        kind = self._facts.kinds.get(name)
        if kind is None:
            raise Unsupported(f"Dynamics has no table of kind {name}.")
        with self._once:
            if name not in self._described:
                told = self.columns(kind)
                with understood(f"What Dataverse says of the columns of {kind.table}"):
                    choices = self._choices(kind)
                    unique = self._unique(kind)
                    self._described[name] = dict(_infos(kind, told, choices, unique))
            return self._described[name]

    def forget(self) -> None:
        """Ask anew which columns there are: one was made."""
        with self._once:
            self._columns.clear()
            self._described.clear()

    def choices(self, kind: Kind) -> Mapping[str, tuple[str, ...]]:
        """Return the values of each choice column's options, as text.

        Raises:
            TieoutError: it was refused or not answered.
        """
        with understood(f"What Dataverse says of the options of {kind.table}"):
            return self._choices(kind)

    def unique(self, kind: Kind) -> frozenset[str]:
        """Return the columns that are an alternate key alone."""
        return self._unique(kind)

    def _unique(self, kind: Kind) -> frozenset[str]:
        listed = self._wire.get(
            f"{_table(kind)}/Keys?$select=LogicalName,KeyAttributes,EntityKeyIndexStatus",
            understand=rows,
        )
        keys: list[Sequence[str]] = [told.get("KeyAttributes") or () for told in listed]
        return frozenset(str(held[0]) for held in keys if len(held) == 1)

    def _choices(self, kind: Kind) -> Mapping[str, tuple[str, ...]]:
        """Return the values of each option set, as text."""
        expanded = "$select=LogicalName&$expand=OptionSet($select=Options)"
        paths = [
            f"{_table(kind)}/Attributes/Microsoft.Dynamics.CRM.{one}?{expanded}" for one in _CHOICES
        ]
        found: dict[str, tuple[str, ...]] = {}
        for answer in self._wire.answers(paths, understand=rows):
            if isinstance(answer, TieoutError):
                raise answer
            for told in answer:
                options = (told.get("OptionSet") or {}).get("Options") or ()
                values = tuple(str(one.get("Value")) for one in options)
                found[str(told["LogicalName"])] = values
        return found


def _infos(
    kind: Kind,
    told: Mapping[str, Mapping[str, Any]],
    choices: Mapping[str, tuple[str, ...]],
    unique: frozenset[str],
) -> Iterator[tuple[str, FieldInfo]]:
    yield "id", FieldInfo("id", "text", "Record ID", kind.id, read_only=True, unique=True)
    named: set[str] = set()
    for field in kind.fields.values():
        column = _logical(field.column)
        named.add(column)
        if column in told:
            yield field.name, _info(field, column, told[column], choices, unique)
    for column, row in told.items():
        if column not in named and column != kind.id:
            type_ = str(row.get("AttributeType"))
            known = Field(column, column, TYPES.get(type_, "text"))
            yield column, _info(known, column, row, choices, unique)


def _info(
    field: Field,
    column: str,
    told: Mapping[str, Any],
    choices: Mapping[str, tuple[str, ...]],
    unique: frozenset[str],
) -> FieldInfo:
    label = ((told.get("DisplayName") or {}).get("UserLocalizedLabel") or {}).get("Label")
    words = field.words or {}
    values = choices.get(column, ()) if field.type == "choice" else ()
    return FieldInfo(
        name=field.name,
        type=field.type,
        label=str(label or ""),
        vendor_name=column,
        choices=tuple(words.get(one, one) for one in values),
        read_only=field.read_only or told.get("IsValidForUpdate") is False,
        unique=column in unique,
        custom=bool(told.get("IsCustomAttribute")),
    )


def _logical(column: str) -> str:
    """Return the column that a value in an answer is of: a lookup's is written _name_value."""
    plain = column.removesuffix(SHOWN)
    return plain[1:].removesuffix("_value") if plain.startswith("_") else plain


def _table(kind: Kind) -> str:
    return f"EntityDefinitions(LogicalName='{kind.table}')"
