"""An object of the portal's own (custom object), which a company's settings name.

``object: p123_subscription``, its full name, or ``object: 2-3456``, its type id, says that the
records of kind object are there; ``object_date`` names the property that bounds the first read,
their making when left out. Their properties are called as HubSpot does. Companies, contacts, deals,
line items and payments are found by association, where its schema allows one.
"""

from __future__ import annotations

import re
from dataclasses import replace

from connectors.hubspot.facts import Facts, Kind, Relation
from tieout.model.contract import Opening
from tieout.model.errors import ConfigError

OBJECT = "object"
DATE = "object_date"
OPTIONS = frozenset({OBJECT, DATE})
MADE = "hs_createdate"
_NAME = re.compile(r"2-[1-9][0-9]*|p[0-9]*_[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_PROPERTY = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)


def with_named(facts: Facts, opening: Opening) -> Facts:
    """Return the facts with the object that the options name, which has a feed of its own.

    Raises:
        ConfigError: a name is none, or a mapping reads an object that is not named.
    """
    name = str(opening.options.get(OBJECT) or "")
    date = str(opening.options.get(DATE) or "")
    if name and not _NAME.fullmatch(name):
        raise ConfigError(
            f"The option {OBJECT} takes an object's full name or type id, not {name!r}.",
            remedy="Write it as p123456_subscription or 2-3456789, as HubSpot's settings show it.",
        )
    if date and not (name and _PROPERTY.fullmatch(date)):
        raise ConfigError(f"The option {DATE} takes the name of a property of the {OBJECT}.")
    if name:
        return _named(facts, name, date or MADE)
    if OBJECT in opening.reads:
        raise ConfigError(
            f"A mapping reads records of kind {OBJECT}, and no object is named for them.",
            remedy=f"Set `{OBJECT}: p123456_subscription` in the company's options.",
        )
    return replace(
        facts,
        kinds={kind: told for kind, told in facts.kinds.items() if kind != OBJECT},
        provisions=[one for one in facts.provisions if one["group"]["object"] != OBJECT],
        scopes=tuple(one for one in facts.scopes if one.of != OBJECT),
    )


def _named(facts: Facts, name: str, started: str) -> Facts:
    kinds = dict(facts.kinds)
    kinds[OBJECT] = replace(kinds[OBJECT], object=name, started=started)
    for relation in kinds[OBJECT].relations.values():
        if relation.to in kinds and not relation.property:
            kinds[relation.to] = _leading_back(kinds[relation.to])
    capabilities = replace(facts.capabilities, feeds=(*facts.capabilities.feeds, (OBJECT,)))
    return replace(facts, kinds=kinds, capabilities=capabilities)


def _leading_back(kind: Kind) -> Kind:
    """Return a kind from which the object's records are found."""
    if not kind.relations:
        return kind
    return replace(kind, relations={**kind.relations, OBJECT: Relation(to=OBJECT)})
