"""The objects that a portal's people define (custom objects), and their schemas on the wire.

Source: github.com/HubSpot/HubSpot-public-api-spec-collection, 2026-03: Schemas; guide "Custom
objects": a full name is `p{portal}_{name}`, a type id begins with `2-`, and an object is
associated with the kinds that its schema names. That it may have a primary company is unconfirmed.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tieout.simulator.hubspot.call import Call, Reply
from tieout.simulator.hubspot.catalog import checked
from tieout.simulator.hubspot.errors import Refusal, bad_request
from tieout.simulator.hubspot.kinds import own_kind
from tieout.simulator.hubspot.links import PRIMARY, Pair
from tieout.simulator.hubspot.portal import HubSpotPortal
from tieout.simulator.hubspot.schema import Kind, Property, instant_text

FIRST_TYPE = 1_001
_NAME = re.compile("[a-zA-Z][a-zA-Z0-9_]*")


@dataclass(frozen=True, slots=True)
class OwnObject:
    """What a schema says beside the properties; ``name`` is the short one, which never changes."""

    name: str
    singular: str
    plural: str
    display: str
    """The property that people see as a record's name."""
    associated: tuple[str, ...]
    """The kinds with which its records can be associated."""
    created: int
    required: tuple[str, ...] = ()


def define(portal: HubSpotPortal, told: OwnObject, properties: Sequence[Property]) -> Kind:
    """Define an object; its kind is called by its full name.

    Raises:
        Refusal: the name is none or is taken, or a kind is not there.
    """
    full = f"p{portal.portal_id}_{told.name}"
    if not _NAME.fullmatch(told.name):
        raise bad_request(f"{told.name!r} is no name of an object")
    if full in portal.kinds:
        raise Refusal(409, "OBJECT_ALREADY_EXISTS", f"Object schema {full} already exists.")
    type_id = f"2-{FIRST_TYPE + len(portal.own_objects)}"
    kind = portal.admit(own_kind(full, f"p_{told.name}", type_id))
    portal.own_objects[full] = told
    portal.groups[full][f"{told.name}_information"] = told.singular
    for prop in properties:
        portal.define(full, prop)
    for other in dict.fromkeys(told.associated):
        pair = (full, _known(portal, other))
        portal.links.define(pair)
        if pair[1] == "companies":
            portal.links.define(pair, PRIMARY)
    return kind


def schemas(call: Call) -> Reply:
    """Answer `GET /crm-object-schemas/{version}/schemas`."""
    return Reply({"results": [shown(call.portal, full) for full in call.portal.own_objects]})


def one_schema(call: Call) -> Reply:
    """Answer `GET /crm-object-schemas/{version}/schemas/{kind}`."""
    return Reply(shown(call.portal, _own(call)))


def create_schema(call: Call) -> Reply:
    """Answer `POST /crm-object-schemas/{version}/schemas`."""
    body, portal = call.body, call.portal
    labels, name = body["labels"], body["name"]
    singular = str(labels.get("singular") or name)
    told = OwnObject(
        name,
        singular,
        str(labels.get("plural") or singular),
        str(body.get("primaryDisplayProperty") or body["properties"][0]["name"]),
        tuple(_known(portal, str(one)) for one in body.get("associatedObjects") or ()),
        portal.present(),
        tuple(map(str, body["requiredProperties"])),
    )
    group = {"groupName": f"{name}_information"}
    properties = [checked(group | one, {group["groupName"]}) for one in body["properties"]]
    return Reply(shown(portal, define(portal, told, properties).name), 201)


def shown(portal: HubSpotPortal, full: str) -> dict[str, Any]:
    """Return a schema as the wire shows it."""
    told, kind = portal.own_objects[full], portal.kinds[full]
    at = instant_text(told.created)
    return {
        "id": kind.type_id.removeprefix("2-"),
        "objectTypeId": kind.type_id,
        "fullyQualifiedName": full,
        "name": told.name,
        "labels": {"singular": told.singular, "plural": told.plural},
        "primaryDisplayProperty": told.display,
        "secondaryDisplayProperties": [],
        "requiredProperties": list(told.required),
        "searchableProperties": [],
        "properties": [prop.shown() for prop in portal.properties[full].values()],
        "associations": list(_associations(portal, full)),
        "allowsSensitiveProperties": False,
        "archived": False,
        "createdAt": at,
        "updatedAt": at,
    }


def restored(told: dict[str, Any]) -> OwnObject:
    """Return what `dataclasses.asdict` made a plain value of."""
    listed = {name: tuple(told[name]) for name in ("associated", "required")}
    return OwnObject(**{**told, **listed})


def _associations(portal: HubSpotPortal, full: str) -> Iterator[dict[str, str]]:
    pairs: list[Pair] = [pair for pair in portal.links.labels if full in pair]
    for here, there in pairs:
        for type_id, label in portal.links.labels[here, there].items():
            yield {
                "id": str(type_id),
                "fromObjectTypeId": portal.kinds[here].type_id,
                "toObjectTypeId": portal.kinds[there].type_id,
                "name": label or f"{portal.kinds[here].singular}_to_{portal.kinds[there].singular}",
            }


def _own(call: Call) -> str:
    full = call.kind().name
    if full not in call.portal.own_objects:
        raise bad_request(f"{call.words['kind']} is no object of this portal's own")
    return full


def _known(portal: HubSpotPortal, word: str) -> str:
    """Return a kind's name; a schema may write CONTACT."""
    kind = portal.kind_of(word) or portal.kind_of(word.lower())
    if kind is None:
        raise bad_request(f"Unable to infer object type from: {word}")
    return kind.name
