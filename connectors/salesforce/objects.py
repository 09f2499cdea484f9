"""Objects that a company's settings name: payments, and any other, standard or custom.

``payment: Payment__c`` says that the records of kind payment are there; ``payment_deal`` names
their field that leads to the opportunity, and ``payment_date`` their day, which bounds the first
read. The same with ``object``. Their fields are called as Salesforce does, in small letters. Who
owns one is a person or a queue, whose fields a query of the object itself does not show: a
reference to one of several objects leads to a ``Name`` (Object Reference, "Name").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from connectors.salesforce import soql
from connectors.salesforce.facts import Facts, Kind, Relation
from tieout.model.contract import Opening
from tieout.model.errors import ConfigError

NAMED = ("payment", "object")
OPTIONS = frozenset(f"{kind}{part}" for kind in NAMED for part in ("", "_deal", "_date"))


def with_named(facts: Facts, opening: Opening) -> Facts:
    """Return the facts with the objects that the options name, each with a feed of its own.

    Raises:
        ConfigError: a name is none, or a mapping reads an object that is not named.
    """
    kinds = dict(facts.kinds)
    feeds = list(facts.capabilities.feeds)
    for name in NAMED:
        named = _named(kinds.pop(name), opening.options)
        if named is not None:
            kinds[name] = named
            feeds.append((name,))
        elif name in opening.reads:
            raise ConfigError(
                f"A mapping reads records of kind {name}, and no object is named for them.",
                remedy=f"Set `{name}: Name__c` and `{name}_deal: Opportunity__c` in the company's "
                "options.",
            )
    return replace(facts, kinds=kinds, capabilities=replace(facts.capabilities, feeds=tuple(feeds)))


def _named(kind: Kind, options: Mapping[str, Any]) -> Kind | None:
    given = {part: str(options.get(f"{kind.name}{part}") or "") for part in ("", "_deal", "_date")}
    for part, text in given.items():
        if text and (not soql.is_name(text) or "." in text):
            raise ConfigError(f"The option {kind.name}{part} takes Salesforce's name of it.")
    if not given[""]:
        return None
    if not given["_deal"]:
        raise ConfigError(
            f"The option {kind.name} needs {kind.name}_deal: the field that names the opportunity."
        )
    return replace(
        kind,
        object=given[""],
        since=given["_date"],
        relations={
            "deal": Relation(to="deal", reference=given["_deal"]),
            "owner": Relation(to="owner", reference="OwnerId", optional=True),
        },
    )
