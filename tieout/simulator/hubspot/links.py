"""Associations: their type ids, and who is linked with whom.

Type ids are HubSpot's own (R39; developers.hubspot.com/docs/api-reference, page "Associations").
The pairs that concern payments and invoices are unconfirmed beside 387 and 391, and so are those
that lead back from what a quote or an invoice has.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

PRIMARY = "Primary"
HUBSPOT_DEFINED = "HUBSPOT_DEFINED"
USER_DEFINED = "USER_DEFINED"
FIRST_OWN_TYPE = 1_001
"""Of the types that a portal's people make: the labels, and their objects' associations."""

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
    ("quotes", "deals"): {64: None},
    ("deals", "quotes"): {63: None},
    ("quotes", "line_items"): {67: None},
    ("line_items", "quotes"): {68: None},
    ("quotes", "contacts"): {69: None},
    ("contacts", "quotes"): {70: None},
    ("quotes", "companies"): {71: None},
    ("companies", "quotes"): {72: None},
    ("quotes", "discounts"): {362: None},
    ("discounts", "quotes"): {363: None},
    ("quotes", "fees"): {364: None},
    ("fees", "quotes"): {365: None},
    ("quotes", "taxes"): {366: None},
    ("taxes", "quotes"): {367: None},
    ("invoices", "line_items"): {409: None},
    ("line_items", "invoices"): {410: None},
    ("invoices", "discounts"): {411: None},
    ("discounts", "invoices"): {412: None},
    ("invoices", "fees"): {413: None},
    ("fees", "invoices"): {414: None},
    ("invoices", "taxes"): {415: None},
    ("taxes", "invoices"): {416: None},
    ("invoices", "commerce_payments"): {417: None},
    ("commerce_payments", "invoices"): {418: None},
    ("notes", "deals"): {214: None},
    ("deals", "notes"): {213: None},
}
"""Type id and label of every pair; the first is the one without a label."""

PARENTS = ("deals", "quotes", "invoices")
"""A line item belongs to one of these, and to no second one of any kind (R39)."""

Pair = tuple[str, str]
OwnType = tuple[str, str, int, str | None, int]
"""From kind, to kind, type id, label, and the type id from the other side."""


@dataclass(slots=True)
class Links:
    """Who is linked with whom, kept in both directions, in the order of linking.

    `labels` has the type ids and labels of every pair of this portal, `inverse` the type id by
    which the same label is called from the other side.
    """

    labels: dict[Pair, dict[int, str | None]] = field(
        default_factory=lambda: {pair: dict(known) for pair, known in LABELS.items()}
    )
    inverse: dict[int, int] = field(default_factory=dict)
    targets: dict[Pair, dict[int, dict[int, tuple[int, ...]]]] = field(
        default_factory=lambda: {pair: {} for pair in LABELS}
    )

    def of(self, pair: Pair, source: int) -> Mapping[int, tuple[int, ...]]:
        """Return target id -> type ids, of one record."""
        return self.targets[pair].get(source, {})

    def default_type(self, pair: Pair) -> int:
        """Return the type that says nothing but that the two belong together."""
        return next(iter(self.labels[pair]))

    def primary_type(self, pair: Pair) -> int | None:
        """Return the type of the primary one, where a pair knows it."""
        return next((one for one, label in self.labels[pair].items() if label == PRIMARY), None)

    def types_shown(self, pair: Pair, type_ids: Iterable[int]) -> list[dict[str, Any]]:
        """Return an association's types as the wire shows them."""
        known, hubspots = self.labels[pair], LABELS.get(pair, {})
        return [
            {
                "category": USER_DEFINED if own else HUBSPOT_DEFINED,
                "typeId": type_id,
                "label": known[type_id],
            }
            for type_id in type_ids
            for own in [type_id not in hubspots and known[type_id] != PRIMARY]
        ]

    def define(self, pair: Pair, label: str | None = None, back: str | None = None) -> int:
        """Let a pair have a type of the portal's own, from both sides; the first has no label."""
        first = FIRST_OWN_TYPE + 2 * len(self.inverse)
        for one, named, type_id in ((pair, label, first), (pair[::-1], back or label, first + 1)):
            self.labels.setdefault(one, {})[type_id] = named
            self.targets.setdefault(one, {})
        self.inverse |= {first: first + 1, first + 1: first}
        return first

    def own_types(self) -> list[OwnType]:
        """Return what `define` made, as plain values."""
        return [
            (*pair, type_id, label, self.inverse[type_id])
            for pair, known in self.labels.items()
            for type_id, label in known.items()
            if type_id in self.inverse
        ]

    def restore(self, told: Iterable[OwnType]) -> None:
        """Have these types, which `own_types` told, in place of those that `define` made."""
        for known in self.labels.values():
            for type_id in self.inverse.keys() & known.keys():
                del known[type_id]
        self.inverse.clear()
        for here, there, type_id, label, other in told:
            self.labels.setdefault((here, there), {})[type_id] = label
            self.targets.setdefault((here, there), {})
            self.inverse[type_id] = other

    def link(
        self,
        pair: Pair,
        source: int,
        target: int,
        *,
        primary: bool = False,
        types: Iterable[int] = (),
    ) -> None:
        """Link two records both ways; a new primary takes that label from the former one."""
        back = (pair[1], pair[0])
        known = self.labels[pair]
        own = [one for one in types if one in self.inverse and known[one] != PRIMARY]
        if primary:
            self._demote(pair, source)
        for one, here, there, named in (
            (pair, source, target, own),
            (back, target, source, [self.inverse[each] for each in own]),
        ):
            held = {self.default_type(one), *self.of(one, here).get(there, ()), *named}
            label = self.primary_type(one) if primary else None
            if label is not None:
                held.add(label)
            ordered = _TYPES.setdefault(tuple(sorted(held)), tuple(sorted(held)))
            self.targets[one].setdefault(here, {})[there] = ordered

    def taken(self, pair: Pair, source: int, target: int) -> int | None:
        """Return the line item of two records to be linked that has another parent; else None."""
        for child, parent, (kind, other) in ((source, target, pair), (target, source, pair[::-1])):
            if kind == "line_items" and other in PARENTS:
                held = {(one, each) for one in PARENTS for each in self.of((kind, one), child)}
                if held - {(other, parent)}:
                    return child
        return None

    def unlink(self, pair: Pair, source: int, target: int) -> None:
        """Part two records; nothing if they were not linked."""
        self.targets[pair].get(source, {}).pop(target, None)
        self.targets[pair[1], pair[0]].get(target, {}).pop(source, None)

    def move(self, kind: str, old: int, new: int) -> None:
        """Give another record all the links of one that a merge swallows."""
        for pair in self.labels:
            if pair[0] != kind:
                continue
            label = self.primary_type(pair)
            has_primary = any(label in types for types in self.of(pair, new).values())
            for target, types in list(self.of(pair, old).items()):
                self.unlink(pair, old, target)
                first = label in types and not has_primary
                self.link(pair, new, target, primary=first, types=types)

    def _demote(self, pair: Pair, source: int) -> None:
        """Leave no primary among a record's targets."""
        back = (pair[1], pair[0])
        for target in self.of(pair, source):
            for one, here, there in ((pair, source, target), (back, target, source)):
                label = self.primary_type(one)
                kept = tuple(known for known in self.targets[one][here][there] if known != label)
                self.targets[one][here][there] = kept


_TYPES: dict[tuple[int, ...], tuple[int, ...]] = {}
"""One tuple for each combination, shared by a hundred thousand links."""
