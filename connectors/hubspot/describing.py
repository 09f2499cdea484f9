"""Which fields there are of a kind: ours, and those that HubSpot tells of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from connectors.hubspot import paths
from connectors.hubspot.facts import Field, Kind
from connectors.hubspot.objects import OBJECT
from connectors.hubspot.translation import TYPES
from connectors.hubspot.wire import rows
from tieout.model.capability import FieldInfo
from tieout.transport import understood

if TYPE_CHECKING:
    from connectors.hubspot.reading import Reading


def described(reading: Reading, kind: Kind) -> Mapping[str, FieldInfo]:
    """Ask for the fields of a kind, by the names that mappings use.

    Raises:
        TieoutError: it was refused or not answered.
    """
    told = _properties(reading, kind) if kind.relations else {}
    with understood(f"What HubSpot says of a {kind.name}'s properties"):
        return _infos(kind, told)


def _properties(reading: Reading, kind: Kind) -> Mapping[str, Mapping[str, Any]]:
    """Return what HubSpot says of a kind's properties; an own object's schema has them."""
    if kind.name == OBJECT:
        told = reading.get(
            paths.schema(reading.version, kind.object),
            paths.schema(paths.NUMBERED, kind.object),
            lambda answer: rows(answer, "name", "type", within="properties"),
        )
    else:
        told = reading.listed("properties", kind.object, "name", "type")
    return {str(row["name"]): row for row in told}


def _infos(kind: Kind, told: Mapping[str, Mapping[str, Any]]) -> Mapping[str, FieldInfo]:
    ours = {field.property: field for field in kind.fields.values()}
    infos = {
        "id": FieldInfo("id", "text", "Record ID", "hs_object_id", read_only=True, unique=True)
    }
    for field in kind.fields.values():
        if not told or field.property in told:
            infos[field.name] = _info(field, told.get(field.property, {}))
    for name, row in told.items():
        if name not in ours:
            infos[name] = _info(Field(name, name, TYPES.get(str(row["type"]), "text")), row)
    return infos


def _info(known: Field, told: Mapping[str, Any]) -> FieldInfo:
    options = told.get("options") or ()
    rights = told.get("modificationMetadata") or {}
    return FieldInfo(
        name=known.name,
        type=known.type,
        label=str(told.get("label") or ""),
        vendor_name=known.property,
        choices=tuple(str(one.get("value")) for one in options),
        read_only=known.read_only or bool(rights.get("readOnlyValue")),
        unique=bool(told.get("hasUniqueValue")),
        custom=bool(told) and not told.get("hubspotDefined", False),
    )
