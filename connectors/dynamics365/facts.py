"""The facts of ``dynamics365.yaml`` as frozen values, read once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from ruamel.yaml import YAML

from tieout.model.capability import Capabilities, KindCapability
from tieout.model.change import Verb
from tieout.model.enclosed import PRINT
from tieout.model.naming import NameRule, Names, names_of, options_of

SYSTEM = "dynamics365"
MASTER = "_masterid_value"  # where an account or contact lives on that was merged (R49)
LABEL = "_label"  # what a field of an option's text ends with
SHOWN = "@OData.Community.Display.V1.FormattedValue"  # what people see for a value
ETAG = "@odata.etag"
MARK = "mark"
CURRENCY = "currency"
OWNER = "owner"


@dataclass(frozen=True, slots=True)
class Field:
    """One field: our name, the value's name in an answer, and how it is read."""

    name: str
    column: str
    type: str = "text"
    equals: int | None = None
    differs: int | None = None
    words: Mapping[str, str] | None = None
    code_of: str = ""
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Relation:
    """How a role is found: by a lookup of the record, or by that of the others.

    Attributes:
        to: the others' kind.
        by: fields of the record that name the other, the first that is not empty.
        of: the logical name of the others' lookup that names the record.
        order: the others' fields by which they stand, blanks last.
        only: a flag that the others must have, by its column.
        unmarked: a text of the others in which our marker must not stand, by its column.
    """

    to: str
    by: tuple[str, ...] = ()
    of: str = ""
    order: tuple[str, ...] = ()
    only: str = ""
    unmarked: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """What the first read takes: records with this flag, of this day or later."""

    won: str
    day: str


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of record."""

    name: str
    table: str
    set: str
    id: str
    fields: Mapping[str, Field]
    relations: Mapping[str, Relation]
    scope: Scope | None
    merges: bool

    def column_of(self, name: str) -> str:
        """Return a field's value in an answer; a name that is not ours is the vendor's."""
        known = self.fields.get(name)
        return name if known is None else known.column


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the file says."""

    capabilities: Capabilities
    kinds: Mapping[str, Kind]
    errors: Mapping[str, str]
    expired: frozenset[str]
    no_such_column: frozenset[str]
    untracked: frozenset[str]
    solution: str
    option_prefix: int
    rights: Sequence[Mapping[str, Any]]
    provisions: Sequence[Mapping[str, Any]]
    provisions_of_child: Sequence[Mapping[str, Any]]
    outcome: Kind
    version: str
    authority: str

    @property
    def rates(self) -> Mapping[str, int]:
        """The limits by name."""
        return self.capabilities.rates


NAMES_KEPT = 8  # facts of so many companies' names are kept
OURS = Names("tieout", "tieout")
NAMING = NameRule(  # table reference "Publisher", CustomizationPrefix
    system="Dynamics 365",
    default="tieout",
    prefix="(?!mscrm)[a-z][a-z0-9]{1,7}",
    prefix_words="2 to 8 small letters and digits, begins with a letter and not with mscrm: it is "
    "the prefix of a publisher",
    name="[a-z][a-z0-9_]*[a-z0-9]",
    name_words="small letters, digits and underscores, and begins with a letter",
    longest=50,
    keeps_prefix=True,
)


@lru_cache(maxsize=NAMES_KEPT)
def facts(names: Names = OURS) -> Facts:
    """Return the facts of the file beside this module, our columns called as a company chose."""
    text = files("connectors.dynamics365").joinpath("dynamics365.yaml").read_text(encoding="utf-8")
    said = names.renamed(YAML(typ="safe", pure=True).load(text))
    return Facts(
        capabilities=Capabilities(
            system=said["system"],
            title=said["title"],
            kinds={
                **{name: _capability(kind) for name, kind in said["kinds"].items()},
                **{name: _made(kind) for name, kind in said["made"].items()},
                PRINT: KindCapability.of(said[PRINT], said[PRINT]["fields"]),
            },
            feeds=tuple(tuple(feed) for feed in said["feeds"]),
            quiet_secs=said["quiet_secs"],
            rates=said["rates"],
        ),
        kinds={name: _kind(name, kind) for name, kind in said["kinds"].items()},
        errors=said["errors"],
        expired=frozenset(said["expired"]),
        no_such_column=frozenset(said["no_such_column"]),
        untracked=frozenset(said["untracked"]),
        solution=said["solution"],
        option_prefix=said["option_prefix"],
        rights=said["rights"],
        provisions=[
            *said["provisions"],
            *said["provisions_of_accounts"],
            *said["provisions_of_tracking"],
        ],
        provisions_of_child=_of_child(said),
        outcome=_outcome(said),
        version=str(said["version"]),
        authority=said["authority"],
    )


def _outcome(said: Mapping[str, Any]) -> Kind:
    """Return the table of outcomes: it has the deal's fields of ours, but the mark."""
    made = _made_columns(said) - {said["kinds"]["deal"]["fields"][MARK]["column"]}
    ours = {
        name: field
        for name, field in _fields(said["kinds"]["deal"]["fields"]).items()
        if field.column.removesuffix(SHOWN) in made
    }
    table = said["outcome"]
    return Kind("outcome", table["table"], table["set"], table["id"], ours, {}, None, merges=False)


def _of_child(said: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return what is made where outcomes have a table: it, its columns, and no mark of a deal."""
    first, rest = said["provisions"][:2], said["provisions"][2:]
    mark = said["kinds"]["deal"]["fields"][MARK]["column"]
    columns = [
        {**told, "object": "outcome"}
        for told in rest
        if told["kind"] in ("column", "publish") and told["name"] != mark
    ]
    return [
        *first,
        *said["provisions_of_outcome"],
        *columns,
        *said["provisions_of_accounts"],
        *said["provisions_of_tracking"],
    ]


def chosen_names(options: Mapping[str, Any]) -> Names:
    """Return what a company calls our columns.

    Raises:
        ConfigError: a name that Dataverse would not take.
    """
    every = [field for kind in facts().kinds.values() for field in kind.fields.values()]
    taken = {field.column for field in every} - set(our_fields().values())
    return names_of(options, our_fields(), taken, NAMING)


def naming_options() -> frozenset[str]:
    """Return the options by which our columns are named."""
    return options_of(our_fields())


def our_fields(names: Names = OURS) -> Mapping[str, str]:
    """Return Dataverse's names of our columns, by ours."""
    known = facts(names)
    made = {one["name"] for one in known.provisions if one["kind"] == "column"}
    return {
        field.name: field.column
        for kind in known.kinds.values()
        for field in kind.fields.values()
        if field.column in made
    }


def _made_columns(said: Mapping[str, Any]) -> set[str]:
    return {told["name"] for told in said["provisions"] if told["kind"] == "column"}


def _capability(said: Mapping[str, Any]) -> KindCapability:
    types = {name: field.type for name, field in _fields(said["fields"]).items()}
    return KindCapability.of(said, types)


def _made(said: Mapping[str, Any]) -> KindCapability:
    """Return what can be done with what only ``provision`` makes: it is made, and found by name."""
    return KindCapability(
        verbs=frozenset({Verb.CREATE}), found_by=frozenset({"name"}), fields=said["fields"]
    )


def _kind(name: str, said: Mapping[str, Any]) -> Kind:
    scope = said.get("scope")
    return Kind(
        name=name,
        table=said["table"],
        set=said["set"],
        id=said["id"],
        fields=_fields(said["fields"]),
        relations={role: _relation(told) for role, told in said.get("relations", {}).items()},
        scope=None if scope is None else Scope(**scope),
        merges=said.get("merges", False),
    )


def _relation(said: Mapping[str, Any]) -> Relation:
    return Relation(
        to=said["to"],
        by=tuple(said.get("by", ())),
        of=said.get("from", ""),
        order=tuple(said.get("order", ())),
        only=said.get("only", ""),
        unmarked=said.get("unmarked", ""),
    )


def _fields(said: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Field]:
    """Return the fields, and beside each choice of theirs the text that people see for it."""
    fields = {name: _field(name, field) for name, field in said.items()}
    labels = [
        Field(f"{field.name}{LABEL}", f"{field.column}{SHOWN}", read_only=True)
        for field in fields.values()
        if field.type == "choice" and field.words is None
    ]
    return {**fields, **{field.name: field for field in labels}}


def _field(name: str, said: Mapping[str, Any]) -> Field:
    words = said.get("words")
    return Field(
        name=name,
        column=said["column"],
        type=said.get("type", "text"),
        equals=said.get("is"),
        differs=said.get("not"),
        words=None if words is None else {str(value): word for value, word in words.items()},
        code_of=said.get("code_of", ""),
        read_only=said.get("read_only", False),
    )
