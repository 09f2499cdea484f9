"""The facts of ``quickbooks.yaml`` as frozen values, read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from ruamel.yaml import YAML

from tieout.model.capability import Capabilities, FieldInfo, KindCapability
from tieout.model.change import Verb


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of record: the vendor's name of it, and how it is read.

    ``listed`` records are never deleted, only made inactive (R5); ``dated`` ones are transactions;
    the rest are settings, or files on a record. ``fed`` says that change data capture tells of it
    (R24), ``may_lack`` that a company need not have it.
    """

    name: str
    entity: str
    listed: bool
    dated: bool
    fed: bool
    may_lack: bool
    is_setting: bool
    found_by: frozenset[str]


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a fault with this code, and these words in it, is to us: an error's code."""

    code: str
    says: str
    error: str


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the file says."""

    title: str
    quiet_secs: int
    rates: Mapping[str, int]
    kinds: Mapping[str, Kind]
    meanings: tuple[Meaning, ...]
    fields: Mapping[str, Mapping[str, FieldInfo]]
    described: Mapping[str, Mapping[str, Any]]

    def kind_of(self, entity: str) -> str:
        """Return our word for one of the vendor's entities that feeds and queries show."""
        return _kinds_by_entity()[entity]

    def capabilities(self, *, batch: int, rates: Mapping[str, int]) -> Capabilities:
        """Return what this connector claims, with batches of this size."""
        return Capabilities(
            system="quickbooks",
            title=self.title,
            kinds={
                name: KindCapability(
                    verbs=frozenset(Verb(verb) for verb in said.get("verbs", ())),
                    marker=said.get("marker", ""),
                    found_by=frozenset(said.get("found_by", ())),
                    limits=said.get("limits", {}),
                    fields={field.name: field.type for field in self.fields[name].values()},
                    batch=batch if said.get("verbs") else 1,
                    file_types=said.get("file_types", {}),
                )
                for name, said in self.described.items()
            },
            feeds=(tuple(one.name for one in self.kinds.values() if one.fed or one.is_setting),),
            quiet_secs=self.quiet_secs,
            rates=rates,
        )


@lru_cache(maxsize=1)
def facts() -> Facts:
    """Return the facts of the file beside this module."""
    text = files("connectors.quickbooks").joinpath("quickbooks.yaml").read_text(encoding="utf-8")
    said = YAML(typ="safe", pure=True).load(text)
    return Facts(
        title=said["title"],
        quiet_secs=said["quiet_secs"],
        rates=said["rates"],
        kinds={name: _kind(name, kind) for name, kind in said["kinds"].items()},
        meanings=tuple(
            Meaning(row["code"], row.get("says", ""), row["error"]) for row in said["errors"]
        ),
        fields={name: _fields(kind) for name, kind in said["kinds"].items()},
        described=said["kinds"],
    )


def _fields(said: Mapping[str, Any]) -> Mapping[str, FieldInfo]:
    """Read each field's type and the vendor's name of it: ``money TotalAmt``."""
    return {
        name: FieldInfo(name, told.split(" ", 1)[0], vendor_name=told.split(" ", 1)[1])
        for name, told in said["fields"].items()
    }


def _kind(name: str, said: Mapping[str, Any]) -> Kind:
    return Kind(
        name=name,
        entity=said["entity"],
        listed=said["group"] == "list",
        dated=said["group"] == "transaction",
        fed=bool(said.get("feed")),
        may_lack=bool(said.get("may_lack")),
        is_setting=said["group"] == "setting",
        found_by=frozenset(said.get("found_by", ())),
    )


@lru_cache(maxsize=1)
def _kinds_by_entity() -> Mapping[str, str]:
    return {kind.entity: kind.name for kind in facts().kinds.values() if kind.fed}
