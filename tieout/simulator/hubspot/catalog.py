"""What a portal is made of: its account, properties and their groups, pipelines and owners.

Source: developers.hubspot.com/docs/api-reference, pages "Account information", "Properties",
"Pipelines", "Owners".
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from tieout.simulator.hubspot.call import Call, Reply, batch, start, whole
from tieout.simulator.hubspot.errors import Refusal, bad_request, not_found
from tieout.simulator.hubspot.schema import CURRENCIES, Property, custom

OWNERS_PAGE = 500
MAX_UNIQUE = 10
"""Properties with unique values that one kind may have."""
_NAME = re.compile("[a-z][a-z0-9_]*")
_FIELD_TYPES: Mapping[str, frozenset[str]] = {
    "string": frozenset({"text", "textarea", "html", "phonenumber", "file"}),
    "number": frozenset({"number", "calculation_equation"}),
    "bool": frozenset({"booleancheckbox"}),
    "enumeration": frozenset({"select", "radio", "checkbox", "booleancheckbox"}),
    "date": frozenset({"date"}),
    "datetime": frozenset({"date"}),
}


def account(call: Call) -> Reply:
    """Answer `GET /account-info/{version}/details`."""
    portal = call.portal
    offset = portal.now().astimezone(ZoneInfo(portal.time_zone)).utcoffset()
    seconds = int(offset.total_seconds()) if offset is not None else 0
    hours, minutes = divmod(abs(seconds) // 60, 60)
    return Reply(
        {
            "portalId": portal.portal_id,
            "accountType": "STANDARD",
            "timeZone": portal.time_zone,
            "companyCurrency": portal.company_currency,
            "additionalCurrencies": [
                code for code in CURRENCIES if code != portal.company_currency
            ],
            "utcOffset": f"{'-' if seconds < 0 else '+'}{hours:02d}:{minutes:02d}",
            "utcOffsetMilliseconds": seconds * 1000,
            "uiDomain": "app.hubspot.com",
            "dataHostingLocation": "eu1",
        }
    )


def properties(call: Call) -> Reply:
    """Answer `GET /crm/properties/{version}/{kind}`."""
    return Reply({"results": [one.shown() for one in _all(call).values()]})


def one_property(call: Call) -> Reply:
    """Answer `GET /crm/properties/{version}/{kind}/{name}`."""
    prop = _all(call).get(call.words["name"])
    if prop is None:
        raise not_found(f"Property {call.words['name']} does not exist")
    return Reply(prop.shown())


def create_property(call: Call) -> Reply:
    """Answer `POST /crm/properties/{version}/{kind}`: 409 if it is there."""
    return Reply(_define(call, call.body).shown(), 201)


def change_property(call: Call) -> Reply:
    """Answer `PATCH /crm/properties/{version}/{kind}/{name}`: what is given is overwritten.

    Options are the whole list; the values of records stay, also of an option that is gone.
    """
    prop = _all(call).get(call.words["name"])
    if prop is None:
        raise not_found(f"Property {call.words['name']} does not exist")
    if prop.built_in:
        raise bad_request(f"The definition of {prop.name} is read-only")
    told: Mapping[str, Any] = call.body
    changed = replace(
        prop,
        label=str(told.get("label", prop.label)),
        description=str(told.get("description", prop.description)),
    )
    if "options" in told:
        options = _options(told)
        if len({value for value, _ in options}) < len(options):
            raise bad_request("Property option values must be unique")
        if len({label.casefold() for _, label in options}) < len(options):
            raise bad_request("Property option labels must be unique")
        hidden = tuple(str(one["value"]) for one in told["options"] if one.get("hidden"))
        changed = replace(changed, options=options, hidden=hidden)
    return Reply(call.portal.define(call.kind().name, changed).shown())


def create_properties(call: Call) -> Reply:
    """Answer `POST /crm/properties/{version}/{kind}/batch/create`: each on its own."""
    made: list[Any] = []
    errors: list[Mapping[str, Any]] = []
    for one in call.inputs():
        try:
            made.append(_define(call, one).shown())
        except Refusal as refusal:
            errors.append(refusal.batch_error(None))
    return batch(call, made, errors, 201)


def groups(call: Call) -> Reply:
    """Answer `GET /crm/properties/{version}/{kind}/groups`."""
    return Reply(
        {
            "results": [
                {"name": name, "label": label, "displayOrder": -1, "archived": False}
                for name, label in call.portal.groups[call.kind().name].items()
            ]
        }
    )


def create_group(call: Call) -> Reply:
    """Answer `POST /crm/properties/{version}/{kind}/groups`: 409 if it is there."""
    known = call.portal.groups[call.kind().name]
    name = str(call.body.get("name", "")) if isinstance(call.body, dict) else ""
    if not _NAME.fullmatch(name):
        raise bad_request(f"{name!r} is no name for a group")
    if name in known:
        raise Refusal(409, "OBJECT_ALREADY_EXISTS", f"Group named {name} already exists.")
    known[name] = str(call.body.get("label") or name)
    group = {"name": name, "label": known[name], "displayOrder": -1, "archived": False}
    return Reply(group, 201)


def pipelines(call: Call) -> Reply:
    """Answer `GET /crm/pipelines/{version}/deals`."""
    if call.kind().name != "deals":
        return Reply({"results": []})
    told = enumerate(call.portal.pipelines)
    return Reply({"results": [pipeline.shown(place) for place, pipeline in told]})


def owners(call: Call) -> Reply:
    """Answer `GET /crm/owners/{version}`; by e-mail if one is given."""
    limit = whole(call, "limit", 100, OWNERS_PAGE)
    email = call.query.get("email")
    after = start(call)
    told = [one for one in call.portal.owners if not email or one["email"] == email]
    content: dict[str, Any] = {"results": told[after : after + limit]}
    if after + limit < len(told):
        content["paging"] = {"next": {"after": str(after + limit)}}
    return Reply(content)


def one_owner(call: Call) -> Reply:
    """Answer `GET /crm/owners/{version}/{id}`."""
    owner = next((one for one in call.portal.owners if one["id"] == call.words["id"]), None)
    if owner is None:
        raise not_found(f"Owner {call.words['id']} does not exist")
    return Reply(owner)


def _all(call: Call) -> dict[str, Property]:
    return call.portal.properties[call.kind().name]


def _define(call: Call, told: Any) -> Property:
    kind = call.kind()
    prop = checked(told, call.portal.groups[kind.name])
    unique = call.portal.shelves[kind.name].unique
    if prop.unique and len(unique) >= MAX_UNIQUE:
        raise bad_request(f"{kind.name} already has {MAX_UNIQUE} unique properties")
    if prop.name in _all(call):
        raise Refusal(
            409, "OBJECT_ALREADY_EXISTS", f"A property named '{prop.name}' already exists."
        )
    return call.portal.define(kind.name, prop)


def checked(told: Any, groups: Collection[str]) -> Property:
    """Return the property that a definition means.

    Raises:
        Refusal: 400, it is none, or is in none of the groups.
    """
    if not isinstance(told, dict):
        raise bad_request("Invalid input JSON")
    name, kind_of_value = str(told.get("name", "")), str(told.get("type", ""))
    if not _NAME.fullmatch(name):
        raise bad_request(
            f"Property name {name!r} must be lower-case letters, digits and underscores, "
            "and begin with a letter"
        )
    if told.get("fieldType") not in _FIELD_TYPES.get(kind_of_value, frozenset()):
        raise bad_request(f"{told.get('fieldType')} is no fieldType of type {kind_of_value}")
    if told.get("groupName") not in groups:
        raise bad_request(f"Property group {told.get('groupName')} does not exist")
    unique = bool(told.get("hasUniqueValue"))
    if unique and kind_of_value not in {"string", "number"}:
        raise bad_request("Only texts and numbers can have unique values")
    return custom(
        name=name,
        label=str(told.get("label") or name),
        type=kind_of_value,
        field_type=told["fieldType"],
        group=told["groupName"],
        description=str(told.get("description") or ""),
        options=_options(told),
        unique=unique,
    )


def _options(told: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (str(option["value"]), str(option.get("label", option["value"])))
        for option in told.get("options") or ()
    )
