"""What must exist in an org before its deals can be told anything: fields, and the right to them.

A field that the Tooling API makes is seen by nobody; so a permission set grants each to the user
that Tieout works as, and to people their administrator grants it, best to read (pages "CustomField"
and "FieldPermissions").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.salesforce import soql
from connectors.salesforce.composite import composite_parts, part_of
from connectors.salesforce.facts import Kind
from connectors.salesforce.reading import Reading
from connectors.salesforce.refusals import refusal
from tieout.model.change import Create
from tieout.model.contract import Request
from tieout.model.errors import InvalidField
from tieout.model.lookup import Absent, Answer, Found
from tieout.model.record import Record
from tieout.model.ref import Ref, Version
from tieout.transport import Answer as Told
from tieout.transport import dump_json

PROPERTY = "property"
PERMISSION_SET = "permission_set"
FIELD_PERMISSION = "field_permission"
READ_PERMISSION = "read_permission"
READERS = "readers"
ASSIGNMENT = "permission_assignment"
KINDS = (
    PROPERTY,
    PERMISSION_SET,
    FIELD_PERMISSION,
    READ_PERMISSION,
    ASSIGNMENT,
)  # in the order of making

MADE = "made"
_SET = "set"
_USER = "user"
_TYPES: Mapping[str, Mapping[str, Any]] = {  # ours as the vendor's metadata
    "text": {"type": "Text", "length": 255},
    "long_text": {"type": "LongTextArea", "length": 4_000, "visibleLines": 3},
    "url": {"type": "Url"},
    "number": {"type": "Number", "precision": 18, "scale": 3},
    "money": {"type": "Currency", "precision": 18, "scale": 3},
    "date": {"type": "Date"},
    "instant": {"type": "DateTime"},
}
_DESCRIBED: Mapping[str, str] = {  # and as ``describe`` calls them
    "text": "string",
    "long_text": "textarea",
    "url": "url",
    "number": "double",
    "money": "currency",
    "date": "date",
    "instant": "datetime",
}


def provisions(reading: Reading) -> Sequence[Create]:
    """Return what must exist, in the order in which it can be made.

    Raises:
        TieoutError: Salesforce does not say who its user is.
    """
    wanted = reading.facts.provisions
    granted, readers = wanted[PERMISSION_SET], wanted[READERS]
    named = str(reading.wire.user_info()["preferred_username"])
    return [
        *(Create(PROPERTY, one) for one in wanted["properties"]),
        Create(PERMISSION_SET, {"object": "user", **granted}),
        Create(PERMISSION_SET, {"object": "user", **readers}),
        *_permissions(FIELD_PERMISSION, "read and edit", granted, wanted["properties"]),
        *_permissions(READ_PERMISSION, "read", readers, wanted["properties"]),
        Create(
            ASSIGNMENT,
            {
                "object": "user",
                "name": named,
                "label": f"{granted['label']} for {named}",
                "permission_set": granted["name"],
            },
        ),
    ]


def _permissions(
    kind: str, what: str, granted: Mapping[str, Any], fields: Sequence[Mapping[str, Any]]
) -> Iterator[Create]:
    for one in fields:
        named = {"object": one["object"], "name": one["name"]}
        label = f"{one['label']}: {what}"
        yield Create(kind, {**named, "label": label, "permission_set": granted["name"]})


def creation(reading: Reading, request: Request) -> tuple[str, bytes]:
    """Return the call that makes one thing, and its body. Pure.

    Raises:
        InvalidField: a name or a type that no call can carry.
    """
    values = request.change.values
    name = str(values.get("name") or "")
    match request.change.kind:
        case "property":
            return "POST tooling/sobjects/CustomField", _field(reading, request)
        case "permission_set":
            body = {"Name": name, "Label": str(values.get("label") or name)}
            return "POST sobjects/PermissionSet", dump_json(body)
        case "field_permission" | "read_permission":
            kind = _owner(reading, request)
            rights: dict[str, Any] = {
                "ParentId": "@{set.records[0].Id}",
                "SobjectType": kind.object,
                "Field": f"{kind.object}.{name}",
                "PermissionsRead": True,
                "PermissionsEdit": request.change.kind == FIELD_PERMISSION,
            }
            return _after_looking(reading, request, "FieldPermissions", rights, {})
        case _:
            user = f"SELECT Id FROM User WHERE {soql.within('Username', [name])}"  # noqa: S608 - SOQL, its values are escaped
            body = {
                "AssigneeId": "@{user.records[0].Id}",
                "PermissionSetId": "@{set.records[0].Id}",
            }
            return _after_looking(reading, request, "PermissionSetAssignment", body, {_USER: user})


def made(path: str, answer: Told) -> str:
    """Return the id of what a creation made.

    Raises:
        TieoutError: it was refused, or the answer does not say that it was done.
    """
    body = answer.json
    if path == "composite":
        body = part_of(composite_parts(answer), MADE, answer)
    if not isinstance(body, Mapping) or not isinstance(body.get("success"), bool):
        raise answer.unclear("Salesforce did not say what it made.")
    if not body["success"]:
        raise refusal(body.get("errors"), trace_id=answer.trace_id)
    return soql.whole_id(str(body["id"]))


def named(reading: Reading, kind: str, values: Sequence[str]) -> Mapping[str, Answer]:
    """Find what was made, each named with what it is of: ``deal.Tieout_Mark__c``.

    Raises:
        TieoutError: Salesforce refuses to say, or does not answer.
    """
    known: dict[str, Answer] = {}
    for owner in dict.fromkeys(value.partition(".")[0] for value in values):
        names = [value.partition(".")[2] for value in values if value.partition(".")[0] == owner]
        there = _there(reading, kind, owner, names)
        for name in names:
            value = f"{owner}.{name}"
            if name.casefold() in there:
                ref = Ref(reading.company, kind, there[name.casefold()])
                fields = {"object": owner, "name": name, **_shown(reading, kind, owner, name)}
                known[value] = Found(ref, "name", record=Record(ref, Version("1"), fields))
            else:
                known[value] = Absent(reading.server_now())
    return known


def _shown(reading: Reading, kind: str, owner: str, name: str) -> Mapping[str, Any]:
    """Return what the org says of a field: a type of ours, whether it is unique, what it bears.

    Nothing is said of what the user is not shown, as what was just made.
    """
    row = reading.schema.row(reading.facts.kinds[owner], name) if kind == PROPERTY else {}
    if not row:
        return {}
    return {
        "types": [ours for ours in _TYPES if _DESCRIBED[ours] == row.get("type")],
        "unique": bool(row.get("unique")),
        "bears": [row.get("label"), row.get("inlineHelpText")],
    }


def _there(reading: Reading, kind: str, owner: str, names: Sequence[str]) -> Mapping[str, str]:
    """Return those of some names that are there, in small letters, with their ids."""
    given = reading.facts.provisions[PERMISSION_SET]["name"]
    object_ = reading.facts.kinds[owner].object if owner in reading.facts.kinds else owner
    match kind:
        case "property":
            plain = [name.removesuffix("__c") for name in names]
            rows = reading.wire.tooling(
                "SELECT Id, DeveloperName FROM CustomField WHERE "  # noqa: S608 - SOQL, its values are escaped
                f"{soql.within('TableEnumOrId', [object_])} AND "
                f"{soql.within('DeveloperName', plain)}"
            )
            found = [(f"{row['DeveloperName']}__c", row) for row in rows]
        case "permission_set":
            where = soql.within("Name", names)
            rows = reading.wire.whole(f"SELECT Id, Name FROM PermissionSet WHERE {where}")  # noqa: S608 - the same
            found = [(str(row["Name"]), row) for row in rows]
        case "field_permission" | "read_permission":
            right = "Edit" if kind == FIELD_PERMISSION else "Read"
            set_ = given if kind == FIELD_PERMISSION else reading.facts.provisions[READERS]["name"]
            rows = reading.wire.whole(
                f"SELECT Id, Field FROM FieldPermissions WHERE Permissions{right} = true AND "  # noqa: S608 - the same
                f"{soql.within('Parent.Name', [set_])} AND {soql.within('SobjectType', [object_])}"
            )
            found = [(str(row["Field"]).partition(".")[2], row) for row in rows]
        case _:
            rows = reading.wire.whole(
                "SELECT Id, Assignee.Username FROM PermissionSetAssignment WHERE "  # noqa: S608 - the same
                f"{soql.within('PermissionSet.Name', [given])} AND "
                f"{soql.within('Assignee.Username', names)}"
            )
            found = [(str(row["Assignee"]["Username"]), row) for row in rows]
    return {name.casefold(): soql.whole_id(str(row["Id"])) for name, row in found}


def _field(reading: Reading, request: Request) -> bytes:
    values = request.change.values
    kind = _owner(reading, request)
    form = _TYPES.get(str(values.get("type")))
    if form is None:
        raise InvalidField(
            f"{values.get('type')} is no type of a field; there are {sorted(_TYPES)}.",
            record=request.about,
        )
    metadata: dict[str, Any] = {**form, "label": str(values.get("label") or values["name"])}
    if values.get("length"):
        metadata["length"] = values["length"]
    if values.get("help"):
        metadata["inlineHelpText"] = str(values["help"])
    if values.get("unique"):
        metadata |= {"unique": True, "externalId": True, "caseSensitive": False}
    full = f"{kind.object}.{values['name']}"
    return dump_json({"FullName": full, "Metadata": metadata})


def _owner(reading: Reading, request: Request) -> Kind:
    kind = reading.facts.kinds.get(str(request.change.values.get("object")))
    if kind is None:
        raise InvalidField("It names no kind of record to belong to.", record=request.about)
    return kind


def _after_looking(
    reading: Reading,
    request: Request,
    object_: str,
    body: Mapping[str, Any],
    asked: Mapping[str, str],
) -> tuple[str, bytes]:
    """Return a call that makes a record which names others by what its own queries find."""
    held = request.change.values.get("permission_set")
    held = held or reading.facts.provisions[PERMISSION_SET]["name"]
    where = soql.within("Name", [str(held)])
    queries = {_SET: f"SELECT Id FROM PermissionSet WHERE {where}", **asked}  # noqa: S608 - SOQL, its values are escaped
    parts: list[Mapping[str, Any]] = [
        {"method": "GET", "url": reading.wire.query_path(statement), "referenceId": name}
        for name, statement in queries.items()
    ]
    parts.append(
        {
            "method": "POST",
            "url": reading.wire.data_path(f"sobjects/{object_}"),
            "referenceId": MADE,
            "body": body,
        }
    )
    return "POST composite", dump_json({"allOrNone": False, "compositeRequest": parts})
