"""The facts of ``hubspot.yaml`` as frozen values, read once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from ruamel.yaml import YAML

from tieout.model.capability import Capabilities, KindCapability
from tieout.model.enclosed import PRINT
from tieout.model.naming import NameRule, Names, names_of, options_of

SYSTEM = "hubspot"
MODIFIED = "hs_lastmodifieddate"
MERGED_IDS = "hs_merged_object_ids"
FORM = "hs_type"  # of a discount, a fee or a tax: PERCENT or FIXED


@dataclass(frozen=True, slots=True)
class Field:
    """One field: our name, the vendor's property, and how its text is read.

    ``from_instant``: HubSpot keeps an instant and it is its day; ``from_period``: HubSpot keeps an
    ISO 8601 period and it is its months. ``only`` says of what form (``FORM``) it is the value; of
    the other form it is 0. None of these can be written.
    """

    name: str
    property: str
    type: str = "text"
    from_instant: bool = False
    from_period: bool = False
    only: str = ""
    read_only: bool = False
    never_empty: bool = False


@dataclass(frozen=True, slots=True)
class Relation:
    """How a role is found: by association, or by a property that holds the other's id.

    ``through`` is the kind that stands between, which holds the ids of what is found.
    """

    to: str
    primary: int | None = None
    order: str = ""
    property: str = ""
    through: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of record.

    ``modified`` is the property of its time of change, ``started`` the one that bounds the first
    read, so many days before the cutover; without it the first read of a kind takes nothing.
    """

    name: str
    object: str
    fields: Mapping[str, Field]
    relations: Mapping[str, Relation]
    modified: str
    started: str
    started_days_before: int = 0

    def property_of(self, name: str) -> str:
        """Return the vendor's property of a field; a name that is not ours is the vendor's."""
        known = self.fields.get(name)
        return name if known is None else known.property


@dataclass(frozen=True, slots=True)
class Scope:
    """A scope, and the kind whose reading or writing needs it; neither where nothing shows it.

    ``of`` names the kind that it is for, where that is needed only with the kind, and ``also`` a
    second that needs it; ``optional`` is what a portal may lack, or a person not give, and the rest
    goes on.
    """

    scope: str
    purpose: str
    reads: str = ""
    writes: str = ""
    of: str = ""
    also: str = ""
    optional: bool = False

    @property
    def kind(self) -> str:
        """The kind that it is for; empty where it is for all."""
        return self.reads or self.writes or self.of


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the file says."""

    capabilities: Capabilities
    kinds: Mapping[str, Kind]
    errors: Mapping[str, str]
    version: str
    api: str
    app: str
    authorise: str
    app_calls_per_ten_secs: int
    provisions: Sequence[Mapping[str, Any]]
    scopes: tuple[Scope, ...]

    @property
    def rates(self) -> Mapping[str, int]:
        """The limits by name."""
        return self.capabilities.rates


NAMES_KEPT = 8  # facts of so many companies' names are kept
OURS = Names("tieout", "tieout")
NAMING = NameRule(  # page "Properties"
    system="HubSpot",
    default="tieout",
    prefix="[a-z](?:_?[a-z0-9])*",
    prefix_words="small letters, digits and single underscores, and begins with a letter",
    name="[a-z][a-z0-9_]*",
    name_words="small letters, digits and underscores, and begins with a letter",
    longest=100,
    reserved=("hs_",),
)


@lru_cache(maxsize=NAMES_KEPT)
def facts(names: Names = OURS) -> Facts:
    """Return the facts of the file beside this module, our fields called as a company chose."""
    text = files("connectors.hubspot").joinpath("hubspot.yaml").read_text(encoding="utf-8")
    said = names.renamed(YAML(typ="safe", pure=True).load(text))
    return Facts(
        capabilities=Capabilities(
            system=said["system"],
            title=said["title"],
            kinds={
                **{name: _capability(kind) for name, kind in said["kinds"].items()},
                PRINT: KindCapability.of(said[PRINT], said[PRINT]["fields"]),
            },
            feeds=tuple(tuple(feed) for feed in said["feeds"]),
            quiet_secs=said["quiet_secs"],
            rates=said["rates"],
        ),
        kinds={name: _kind(name, kind) for name, kind in said["kinds"].items()},
        errors=said["errors"],
        version=str(said["version"]),
        api=said["api"],
        app=said["app"],
        authorise=said["authorise"],
        app_calls_per_ten_secs=said["app_calls_per_ten_secs"],
        provisions=said["provisions"],
        scopes=tuple(Scope(**told) for told in said["rights"]),
    )


def chosen_names(options: Mapping[str, Any]) -> Names:
    """Return what a company calls our fields.

    Raises:
        ConfigError: a name that HubSpot would not take.
    """
    every = [field for kind in facts().kinds.values() for field in kind.fields.values()]
    taken = {field.property for field in every} - set(our_fields().values())
    return names_of(options, our_fields(), taken, NAMING)


def naming_options() -> frozenset[str]:
    """Return the options by which our fields are named."""
    return options_of(our_fields())


def our_fields(names: Names = OURS) -> Mapping[str, str]:
    """Return HubSpot's names of our fields, by ours."""
    made = {one["name"] for told in facts(names).provisions for one in told["properties"]}
    return {
        field.name: field.property
        for kind in facts(names).kinds.values()
        for field in kind.fields.values()
        if field.property in made
    }


def _capability(said: Mapping[str, Any]) -> KindCapability:
    types = {name: field.get("type", "text") for name, field in said["fields"].items()}
    return KindCapability.of(said, types)


def _kind(name: str, said: Mapping[str, Any]) -> Kind:
    return Kind(
        name=name,
        object=said["object"],
        fields={ours: _field(ours, field) for ours, field in said["fields"].items()},
        relations={role: Relation(**told) for role, told in said.get("relations", {}).items()},
        modified=said.get("modified", MODIFIED),
        started=said.get("started", ""),
        started_days_before=said.get("started_days_before", 0),
    )


def _field(name: str, said: Mapping[str, Any]) -> Field:
    return Field(
        name=name,
        property=said["property"],
        type=said.get("type", "text"),
        from_instant=said.get("from") == "instant",
        from_period=said.get("from") == "period",
        only=said.get("only", ""),
        read_only=said.get("read_only", False),
        never_empty=said.get("never_empty", False),
    )
