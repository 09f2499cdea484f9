"""Associations: their type ids, and who is linked with whom.

Type ids are HubSpot's own (R39; developers.hubspot.com/docs/api-reference, page "Associations").
The pairs that concern payments and invoices are unconfirmed beside 387 and 391.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PRIMARY = "Primary"
HUBSPOT_DEFINED = "HUBSPOT_DEFINED"

LABELS: Mapping[tuple[str, str], Mapping[int, str | None]] = {
    ("deals", "companies"): {341: None, 5: PRIMARY},
    ("companies", "deals"): {342: None, 6: PRIMARY},
    ("deals", "contacts"): {3: None},
    ("contacts", "deals"): {4: None},
    ("deals", "line_items"): {19: None},
    ("line_items", "deals"): {20: None},
    ("contacts", "companies"): {279: None, 1: PRIMARY},
    ("companies", "contacts"): {280: None, 2: PRIMARY},
    ("commerce_payments", "contacts"): {387: None},
    ("contacts", "commerce_payments"): {388: None},
    ("commerce_payments", "companies"): {389: None},
    ("companies", "commerce_payments"): {390: None},
    ("commerce_payments", "deals"): {391: None},
    ("deals", "commerce_payments"): {392: None},
    ("invoices", "deals"): {175: None},
    ("deals", "invoices"): {176: None},
    ("invoices", "contacts"): {177: None},
    ("contacts", "invoices"): {178: None},
    ("invoices", "companies"): {179: None},
    ("companies", "invoices"): {180: None},
    ("notes", "deals"): {214: None},
    ("deals", "notes"): {213: None},
}
"""Type id and label of every pair; the first is the one without a label."""

ONE_PARENT = ("line_items", "deals")
"""A line item belongs to one parent (R39)."""

Pair = tuple[str, str]


def default_type(pair: Pair) -> int:
    """Return the type that says nothing but that the two belong together."""
    return next(iter(LABELS[pair]))


def primary_type(pair: Pair) -> int | None:
    """Return the type of the primary one, where a pair knows it."""
    return next((type_id for type_id, label in LABELS[pair].items() if label == PRIMARY), None)


def types_shown(pair: Pair, type_ids: tuple[int, ...]) -> list[dict[str, Any]]:
    """Return an association's types as the wire shows them."""
    labels = LABELS[pair]
    return [
        {"category": HUBSPOT_DEFINED, "typeId": type_id, "label": labels[type_id]}
        for type_id in type_ids
    ]


@dataclass(slots=True)
class Links:
    """Who is linked with whom, kept in both directions, in the order of linking."""

    targets: dict[Pair, dict[int, dict[int, tuple[int, ...]]]] = field(
        default_factory=lambda: {pair: {} for pair in LABELS}
    )

    def of(self, pair: Pair, source: int) -> Mapping[int, tuple[int, ...]]:
        """Return target id -> type ids, of one record."""
        return self.targets[pair].get(source, {})

    def link(self, pair: Pair, source: int, target: int, *, primary: bool = False) -> None:
        """Link two records both ways; a new primary takes that label from the former one."""
        back = (pair[1], pair[0])
        if primary:
            self._demote(pair, source)
        for one, here, there in ((pair, source, target), (back, target, source)):
            types = {default_type(one), *self.of(one, here).get(there, ())}
            label = primary_type(one) if primary else None
            if label is not None:
                types.add(label)
            ordered = _TYPES.setdefault(tuple(sorted(types)), tuple(sorted(types)))
            self.targets[one].setdefault(here, {})[there] = ordered

    def unlink(self, pair: Pair, source: int, target: int) -> None:
        """Part two records; nothing if they were not linked."""
        self.targets[pair].get(source, {}).pop(target, None)
        self.targets[pair[1], pair[0]].get(target, {}).pop(source, None)

    def move(self, kind: str, old: int, new: int) -> None:
        """Give another record all the links of one that a merge swallows."""
        for pair in LABELS:
            if pair[0] != kind:
                continue
            label = primary_type(pair)
            has_primary = any(label in types for types in self.of(pair, new).values())
            for target, types in list(self.of(pair, old).items()):
                self.unlink(pair, old, target)
                self.link(pair, new, target, primary=label in types and not has_primary)

    def _demote(self, pair: Pair, source: int) -> None:
        """Leave no primary among a record's targets."""
        back = (pair[1], pair[0])
        for target in self.of(pair, source):
            for one, here, there in ((pair, source, target), (back, target, source)):
                label = primary_type(one)
                kept = tuple(known for known in self.targets[one][here][there] if known != label)
                self.targets[one][here][there] = kept


_TYPES: dict[tuple[int, ...], tuple[int, ...]] = {}
"""One tuple for each combination, shared by a hundred thousand links."""
