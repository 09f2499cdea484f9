"""Kinds of records (sObjects): their fields, and what a caller may do with them at all."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tieout.simulator.salesforce.fields import Field


@dataclass(slots=True)
class Kind:
    """One kind of record; its fields may be added to and taken away."""

    name: str
    prefix: str
    fields: dict[str, Field]
    label: str
    plural: str
    deletable: bool = True
    mergeable: bool = False
    setup: bool = False
    """Part of the Setup area: its records are not mixed with others in one call."""
    tooling: bool = False
    """Known to the Tooling API only."""
    record_types: list[dict[str, Any]] = field(default_factory=list)
    by_name: dict[str, Field] = field(default_factory=dict)
    """Fields by lower-case name, as queries find them."""
    by_relationship: dict[str, Field] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.index()

    @property
    def custom(self) -> bool:
        """Tell whether an administrator made it."""
        return self.name.endswith("__c")

    def index(self) -> None:
        """Bring the look-ups up to date with `fields`."""
        self.by_name = {name.lower(): one for name, one in self.fields.items()}
        self.by_relationship = {
            one.relationship.lower(): one for one in self.fields.values() if one.relationship
        }

    def add(self, *fields: Field) -> None:
        """Add fields."""
        self.fields.update({one.name: one for one in fields})
        self.index()

    def remove(self, name: str) -> None:
        """Take a field away."""
        del self.fields[name]
        self.index()


def kind(
    name: str,
    prefix: str,
    fields: Iterable[Field],
    *,
    label: str = "",
    plural: str = "",
    **more: Any,
) -> Kind:
    """Return a kind with the fields that every kind has, and its own."""
    label = label or name.removesuffix("__c").replace("_", " ")
    held = {one.name: one for one in (*_AUDIT, *fields)}
    return Kind(name, prefix, held, label, plural or f"{label}s", **more)


def text(name: str, length: int = 255, **more: Any) -> Field:
    """Return a field of text."""
    return Field(name, "string", length=length, **more)


def choice(name: str, options: Sequence[str], **more: Any) -> Field:
    """Return a picklist; its labels are its values."""
    return Field(name, "picklist", length=255, options=tuple((one, one) for one in options), **more)


def money(name: str, digits: int = 2, **more: Any) -> Field:
    """Return a field of money."""
    return Field(name, "currency", precision=18, scale=digits, **more)


def number(name: str, precision: int = 18, scale: int = 0, **more: Any) -> Field:
    """Return a field of a number."""
    return Field(name, "double", precision=precision, scale=scale, **more)


def flag(name: str, *, default: bool = False, **more: Any) -> Field:
    """Return a checkbox."""
    return Field(name, "boolean", nillable=False, default=default, **more)


def to(name: str, *kinds: str, children: str | None = None, **more: Any) -> Field:
    """Return a reference to a record of one of the kinds."""
    relationship = more.pop("relationship", None)
    if relationship is None:
        relationship = f"{name[:-3]}__r" if name.endswith("__c") else name.removesuffix("Id")
    return Field(
        name,
        "reference",
        length=18,
        refers_to=kinds,
        relationship=relationship,
        children=children,
        **more,
    )


READ_ONLY: Mapping[str, Any] = {"createable": False, "updateable": False}
COMPUTED: Mapping[str, Any] = {**READ_ONLY, "calculated": True}

_AUDIT = (
    Field("Id", "id", length=18, nillable=False, **READ_ONLY),
    flag("IsDeleted", **READ_ONLY),
    Field("CreatedDate", "datetime", nillable=False, **READ_ONLY),
    to("CreatedById", "User", nillable=False, **READ_ONLY),
    Field("LastModifiedDate", "datetime", nillable=False, **READ_ONLY),
    to("LastModifiedById", "User", nillable=False, **READ_ONLY),
    Field("SystemModstamp", "datetime", nillable=False, **READ_ONLY),
)
SYSTEM_FIELDS = frozenset(one.name for one in _AUDIT)
