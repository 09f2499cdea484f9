"""What a connector claims: verbs and limits for each kind, feeds, batches and rates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tieout.model.change import Verb


@dataclass(frozen=True, slots=True)
class KindCapability:
    """What can be done with one kind of record.

    Attributes:
        verbs: what ``apply`` does; what is made with a file alone has none.
        marker: the field that carries our marker (in a CRM: a deal's own mark); empty when records
            of this kind carry none.
        found_by: how ``find`` can search: marker, created_since, name, number, id, email.
        limits: numbers by name: lengths of texts (``name``: 100), ``lines``, ``unit_price_places``.
        fields: our field names with their types (text, number, money, date, instant, flag).
        batch: how many changes go into one call.
        file_types: the files that ``apply_enclosing`` takes: an extension and its media type.
    """

    verbs: frozenset[Verb] = frozenset()
    marker: str = ""
    found_by: frozenset[str] = frozenset()
    limits: Mapping[str, int] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    batch: int = 1
    file_types: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, said: Mapping[str, Any], fields: Mapping[str, str]) -> KindCapability:
        """Return what a connector's file of facts says of one kind.

        Args:
            said: ``found_by``, and where they are not the plain ones ``verbs``, ``marker``,
                ``limits``, ``batch`` and ``file_types``.
            fields: the types of its fields, by our names.
        """
        return cls(
            verbs=frozenset(Verb(verb) for verb in said.get("verbs", ())),
            marker=said.get("marker", ""),
            found_by=frozenset(said["found_by"]),
            limits=said.get("limits", {}),
            fields=fields,
            batch=said.get("batch", 1),
            file_types=said.get("file_types", {}),
        )


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """One field that a mapping may use.

    Attributes:
        name: how mappings call it.
        type: text, number, money, date, instant, flag or choice.
        label: what people see in the system.
        vendor_name: the system's own name of it.
        choices: the values that a choice allows.
        read_only: the system computes it.
        unique: no two records share a value, so it can find a record.
        custom: somebody added it to this company.
    """

    name: str
    type: str
    label: str = ""
    vendor_name: str = ""
    choices: tuple[str, ...] = ()
    read_only: bool = False
    unique: bool = False
    custom: bool = False


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What one system, through one connector, can do.

    ``feeds`` are the groups of kinds that share one cursor: each is one question of ``changes``.
    ``quiet_secs`` is how long after an unanswered write the system may still be doing it.
    """

    system: str
    title: str
    kinds: Mapping[str, KindCapability]
    feeds: tuple[tuple[str, ...], ...] = ()
    quiet_secs: int = 150
    rates: Mapping[str, int] = field(default_factory=dict)

    def can(self, kind: str, verb: Verb) -> bool:
        """Whether changes of this kind and verb are supported."""
        known = self.kinds.get(kind)
        return known is not None and verb in known.verbs

    def limit(self, kind: str, name: str) -> int | None:
        """Return a limit by its name, None where the system states none."""
        known = self.kinds.get(kind)
        return None if known is None else known.limits.get(name)
