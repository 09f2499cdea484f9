"""What must exist in a portal before its records can be told anything: listed, packed, looked for.

Groups and properties are made; a property that an earlier version made is given the choices that it
lacks. What is sent then replaces its whole list, so those that are there go along as they are (page
"Update a property").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.hubspot.reading import Reading
from connectors.hubspot.translation import VENDOR_TYPES
from tieout.model.canonical import Values
from tieout.model.change import Create
from tieout.model.contract import Request
from tieout.model.errors import InvalidField, Rejected, Unauthorized, Unsupported
from tieout.model.lookup import Absent, Answer, Found
from tieout.model.record import Record
from tieout.model.ref import Ref, Version

PROPERTY = "property"
GROUP = "property_group"
CHOICES = "choices"
KINDS = (GROUP, PROPERTY, CHOICES)  # in the order of making
OPTION = ("value", "label", "displayOrder", "hidden", "description")  # what may be sent of one


def provisions(reading: Reading) -> Sequence[Create]:
    """Return what must exist, in the order in which it can be made.

    Raises:
        Unavailable: HubSpot does not answer.
    """
    wanted: list[Create] = []
    for told in reading.facts.provisions:
        group = told["group"]
        named = {"object": group["object"], "group": group["name"]}
        wanted.append(Create(GROUP, group))
        wanted += (Create(PROPERTY, {**named, **one}) for one in told["properties"])
    return [*wanted, *_lacking(reading)]


def creation(reading: Reading, request: Request) -> tuple[str, Mapping[str, Any]]:
    """Return the call that makes one thing, and its body (pages "Properties"). Pure.

    Raises:
        InvalidField: a name or a type that no call can carry.
    """
    kind, values = request.change.kind, request.change.values
    owner = reading.facts.kinds.get(str(values.get("object")))
    if owner is None or not owner.relations:
        raise InvalidField("It names no kind of record to belong to.", record=request.about)
    path = reading.path("properties", owner.object)
    body: dict[str, Any] = {"name": str(values["name"]), "label": str(values["label"])}
    if kind == GROUP:
        return f"POST {path}/groups", body
    if kind == CHOICES:
        return f"PATCH {path}/{values['name']}", {"options": _with(values)}
    vendor_type, field_type = _vendor_type(values.get("type"))
    body |= {
        "type": vendor_type,
        "fieldType": field_type,
        "groupName": str(values["group"]),
        "description": str(values.get("help") or ""),
        "hasUniqueValue": bool(values.get("unique")),
        "options": list(_options(values.get("choices"))),
    }
    return f"POST {path}", body


def named(reading: Reading, kind: str, values: Sequence[str]) -> Mapping[str, Answer]:
    """Find groups, properties, or all of a property's choices: by the name ``deal.tieout_mark``.

    Raises:
        TieoutError: HubSpot refuses to say, or does not answer.
    """
    known: dict[str, Answer] = {}
    for owner in {value.partition(".")[0] for value in values}:
        target = reading.facts.kinds.get(owner)
        if target is None or not target.relations:
            raise Unsupported(f"{owner} is no kind of record that has properties.")
        ending = "/groups" if kind == GROUP else ""
        listed = reading.listed("properties", f"{target.object}{ending}", "name")
        there = {f"{owner}.{row['name']}": row for row in listed}
        if kind == CHOICES:
            lacking = {f"{owner}.{one['name']}" for one, _ in _wanting(reading, owner, there)}
            there = {name: row for name, row in there.items() if name not in lacking}
        for value in values:
            if value in there:
                ref = Ref(reading.company, kind, value)
                fields = {"object": owner, **_shown(there[value])}
                known[value] = Found(ref, "name", record=Record(ref, Version("1"), fields))
            elif value.partition(".")[0] == owner:
                known[value] = Absent(reading.server_now())
    return known


def _lacking(reading: Reading) -> Iterator[Create]:
    """Yield the choices that properties lack which are there."""
    for told in reading.facts.provisions:
        owner = told["group"]["object"]
        if not any("choices" in one for one in told["properties"]):
            continue
        target = reading.facts.kinds[owner]
        try:
            listed = reading.listed("properties", target.object, "name")
        except (Rejected, Unauthorized):  # it says so of each property, too
            continue
        there = {f"{owner}.{row['name']}": row for row in listed}
        for values, row in _wanting(reading, owner, there):
            kept = [
                {name: option[name] for name in OPTION if name in option} for option in _told(row)
            ]
            yield Create(CHOICES, {**values, "kept": kept})


def _wanting(
    reading: Reading, owner: str, there: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[Values, Mapping[str, Any]]]:
    """Yield each property of a kind that lacks choices: with those, and as HubSpot shows it."""
    for told in reading.facts.provisions:
        for one in told["properties"] if told["group"]["object"] == owner else ():
            row = there.get(f"{owner}.{one['name']}")
            if row is None or "choices" not in one:
                continue
            held = {str(option["value"]) for option in _told(row)}
            lacking = [choice for choice in one["choices"] if choice not in held]
            if lacking:
                named_ = {"object": owner, "name": one["name"], "label": one["label"]}
                yield {**named_, "choices": lacking}, row


def _told(row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    held = row.get("options")
    options = held if isinstance(held, list) else []
    return [one for one in options if isinstance(one, Mapping) and "value" in one]


def _with(values: Values) -> list[Mapping[str, Any]]:
    held = values.get("kept")
    kept = [one for one in held if isinstance(one, Mapping)] if isinstance(held, list) else []
    if not kept:
        raise InvalidField("The choices that it has are not known.")
    places = [place for one in kept if isinstance(place := one.get("displayOrder"), int)]
    return [*kept, *_options(values.get("choices"), max([len(kept) - 1, *places]) + 1)]


def _options(choices: object, first: int = 0) -> Iterator[dict[str, Any]]:
    for place, choice in enumerate(choices if isinstance(choices, list | tuple) else (), first):
        yield {"value": str(choice), "label": str(choice), "displayOrder": place, "hidden": False}


def _vendor_type(name: object) -> tuple[str, str]:
    found = VENDOR_TYPES.get(str(name))
    if found is None:
        raise InvalidField(f"{name} is no type of a property; there are {sorted(VENDOR_TYPES)}.")
    return found


def _shown(row: Mapping[str, object]) -> Mapping[str, object]:
    return {
        "name": row["name"],
        "label": row.get("label"),
        "type": row.get("type"),
        "types": [ours for ours, (name, _) in VENDOR_TYPES.items() if name == row.get("type")],
        "unique": bool(row.get("hasUniqueValue")),
        "bears": [row.get("label"), row.get("description"), row.get("groupName")],
    }
