"""The facts of ``salesforce.yaml`` as frozen values, read once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Any

from ruamel.yaml import YAML

from tieout.model.capability import Capabilities, KindCapability
from tieout.model.naming import NameRule, Names, names_of, options_of

SYSTEM = "salesforce"
CURRENCY = "CurrencyIsoCode"  # only in orgs of several currencies
MASTER = "MasterRecordId"  # of a record that was merged into another


@dataclass(frozen=True, slots=True)
class Field:
    """One field: our name, the vendor's (with its parent, ``Product2.Name``), and its type.

    ``provisioned``: Tieout makes it, so it may be missing before that.
    """

    name: str
    field: str
    type: str = "text"
    read_only: bool = False
    provisioned: bool = False

    @property
    def path(self) -> tuple[str, ...]:
        """The keys that lead to it in a row."""
        return tuple(self.field.split("."))


@dataclass(frozen=True, slots=True)
class Relation:
    """How a role is found: by our reference field, by theirs, by a junction, or by equal values.

    Attributes:
        to: the kind in that role.
        reference: our field that holds its id; its fields can be read along under ``parent``.
        optional: not each object has that field, so it is asked for where the org shows it.
        parent: the name of that relationship.
        child: its field that holds our id, in ``order``.
        through: the junction's object, with ``child`` its field for us and ``other`` for it.
        primary: the junction's flag of the one that Salesforce itself calls so.
        unmarked: a field beyond the junction in which our marker must not stand.
        equals: our field whose value ``child`` has, where no id leads there.
        within: their first day and the day after their last, between which our ``day`` lies.
    """

    to: str
    reference: str = ""
    optional: bool = False
    parent: str = ""
    child: str = ""
    order: str = "Id"
    through: str = ""
    other: str = ""
    primary: str = ""
    unmarked: str = ""
    equals: str = ""
    within: tuple[str, ...] = ()
    day: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of record. ``merges`` says that its records can be merged (R49).

    ``elsewhere`` names the kinds that stand in its place where a reference leads to one of several
    objects, by the first three letters of an id, which are the object's (SOQL and SOSL Reference,
    "Understanding Relationship Fields and Polymorphic Fields"; Object Reference, "Group").
    """

    name: str
    object: str
    fields: Mapping[str, Field]
    relations: Mapping[str, Relation]
    first_read: str = ""
    since: str = ""
    merges: bool = False
    elsewhere: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the file says."""

    capabilities: Capabilities
    kinds: Mapping[str, Kind]
    errors: Mapping[str, str]
    version: str
    login: str
    provisions: Mapping[str, Any]

    @property
    def rates(self) -> Mapping[str, int]:
        """The limits by name."""
        return self.capabilities.rates


NAMES_KEPT = 8  # facts of so many companies' names are kept
OURS = Names("Tieout", "Tieout")
NAMING = NameRule(  # Metadata API Developer Guide, "CustomField"; Salesforce Help, "Custom Fields"
    system="Salesforce",
    default="Tieout",
    prefix="[A-Za-z](?:_?[A-Za-z0-9])*",
    prefix_words="letters, digits and single underscores, and begins with a letter",
    name="[A-Za-z](?:_?[A-Za-z0-9])*",
    name_words="letters, digits and single underscores, and begins with a letter",
    longest=40,
    suffix="__c",
)


@lru_cache(maxsize=NAMES_KEPT)
def facts(names: Names = OURS) -> Facts:
    """Return the facts of the file beside this module, our fields called as a company chose."""
    text = files("connectors.salesforce").joinpath("salesforce.yaml").read_text(encoding="utf-8")
    said = names.renamed(YAML(typ="safe", pure=True).load(text))
    return Facts(
        capabilities=Capabilities(
            system=said["system"],
            title=said["title"],
            kinds={name: _capability(kind) for name, kind in said["kinds"].items()},
            feeds=tuple(tuple(feed) for feed in said["feeds"]),
            quiet_secs=said["quiet_secs"],
            rates=said["rates"],
        ),
        kinds={name: _kind(name, kind) for name, kind in said["kinds"].items() if "object" in kind},
        errors=said["errors"],
        version=str(said["version"]),
        login=said["login"],
        provisions=said["provisions"],
    )


def chosen_names(options: Mapping[str, Any]) -> Names:
    """Return what a company calls our fields.

    Raises:
        ConfigError: a name that Salesforce would not take.
    """
    every = [field for kind in facts().kinds.values() for field in kind.fields.values()]
    taken = {field.field for field in every if not field.provisioned}
    return names_of(options, our_fields(), taken, NAMING)


def naming_options() -> frozenset[str]:
    """Return the options by which our fields are named."""
    return options_of(our_fields())


def our_fields(names: Names = OURS) -> Mapping[str, str]:
    """Return Salesforce's names of our fields, by ours."""
    return {
        field.name: field.field
        for kind in facts(names).kinds.values()
        for field in kind.fields.values()
        if field.provisioned
    }


def our_objects(known: Facts) -> Sequence[tuple[str, Mapping[str, Any]]]:
    """Return what provisioning makes of fields, each with the object that it is of."""
    return [(known.kinds[one["object"]].object, one) for one in known.provisions["properties"]]


def _capability(said: Mapping[str, Any]) -> KindCapability:
    types = {name: field.get("type", "text") for name, field in said["fields"].items()}
    return KindCapability.of(said, types)


def _kind(name: str, said: Mapping[str, Any]) -> Kind:
    return Kind(
        name=name,
        object=said["object"],
        fields={ours: Field(ours, **told) for ours, told in said["fields"].items()},
        relations={
            role: Relation(**{**told, "within": tuple(told.get("within", ()))})
            for role, told in said.get("relations", {}).items()
        },
        first_read=said.get("first_read", ""),
        since=said.get("since", ""),
        merges=said.get("merges", False),
        elsewhere=said.get("elsewhere", {}),
    )
