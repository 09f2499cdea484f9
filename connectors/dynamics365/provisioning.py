"""What must exist in an organization before deals can be told anything: packed, and looked for.

A publisher and a solution of our own hold the columns and the alternate key. Change tracking is
only named: once a table has it, nobody can take it away, so a person decides (sdk.md 6).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from connectors.dynamics365.facts import Kind
from connectors.dynamics365.outcome import ENDING
from connectors.dynamics365.reading import Reading
from connectors.dynamics365.refusals import TRACKING_REMEDY
from connectors.dynamics365.wire import encoded, literal, row, rows
from tieout.model.canonical import Values
from tieout.model.change import Create
from tieout.model.contract import Request
from tieout.model.errors import InvalidField, Rejected, Unauthorized, Unsupported
from tieout.model.lookup import Absent, Answer, Found
from tieout.model.record import Record
from tieout.model.ref import Ref, Version

PUBLISHER, SOLUTION, COLUMN, KEY = "publisher", "solution", "column", "alternate_key"
PUBLISH, TRACKING, CHOICE = "publish", "change_tracking", "choice"
TABLE, LOOKUP = "table", "lookup"
MADE = frozenset({PUBLISHER, SOLUTION, TABLE, COLUMN, CHOICE, KEY, LOOKUP, PUBLISH, TRACKING})
LANGUAGE = 1033  # labels are in English, which every organization has
TEXT_LENGTH = 100
MEMO_LENGTH = 2_000
OPTIONS_FROM = 10_000  # an option's number is the publisher's prefix and four digits
_SET = {PUBLISHER: "publishers", SOLUTION: "solutions"}
_TYPES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "text": ("String", {"FormatName": {"Value": "Text"}}),
    "url": ("String", {"FormatName": {"Value": "Url"}}),
    "memo": ("Memo", {"Format": "TextArea"}),
    "money": ("Money", {"PrecisionSource": 2}),  # as many places as the currency has
    "number": ("Decimal", {"Precision": 2}),
    "date": ("DateTime", {"Format": "DateOnly", "DateTimeBehavior": {"Value": "DateOnly"}}),
    "instant": ("DateTime", {"Format": "DateAndTime", "DateTimeBehavior": {"Value": "UserLocal"}}),
    "flag": ("Boolean", {}),
    "choice": ("Picklist", {}),
}


def provisions(reading: Reading) -> Sequence[Create]:
    """Return what must exist, in the order in which it can be made.

    Raises:
        Unavailable: Dataverse does not answer.
    """
    wanted = (
        reading.facts.provisions if reading.outcomes is None else reading.facts.provisions_of_child
    )
    made: list[Create] = []
    for told in wanted:
        values = {name: held for name, held in told.items() if name != "kind"}
        made.append(Create(told["kind"], values))
        if told["kind"] == COLUMN and "choices" in told:
            lacking = _lacking(reading, values)
            if lacking:  # perhaps made by a run that died before it published them: it is shown
                reading.unpublished = True  # only what is (page "Retrieve published metadata")
                made.append(_publishing(wanted, values))
            made += lacking
    return made


def packed(reading: Reading, request: Request) -> tuple[str, Any]:
    """Return to where the call goes that makes one thing, and its body.

    Raises:
        InvalidField: a value that it cannot have.
        Unsupported: it is a person's to make.
    """
    values = request.change.values
    name = str(values["name"])
    match request.change.kind:
        case "publisher":
            return "publishers", {
                "publisherid": _publisher_id(name),
                "uniquename": name,
                "friendlyname": str(values["label"]),
                "customizationprefix": name,
                "customizationoptionvalueprefix": reading.facts.option_prefix,
            }
        case "solution":
            publisher = _publisher_id(str(values["publisher"]))
            return "solutions", {
                "uniquename": name,
                "friendlyname": str(values["label"]),
                "version": "1.0.0.0",
                "publisherid@odata.bind": f"/publishers({publisher})",
            }
        case "column":
            table = _kind(reading, values).table
            return f"{_definition(table)}/Attributes", _column(reading, values)
        case "choice":
            return "InsertOptionValue", {  # page "InsertOptionValue Action"
                "EntityLogicalName": _kind(reading, values).table,
                "AttributeLogicalName": str(values["column"]),
                "Value": values["value"],
                "Label": _label(str(values["label"])),
                "SolutionUniqueName": reading.facts.solution,
            }
        case "alternate_key":
            table = _kind(reading, values).table
            return f"{_definition(table)}/Keys", {
                "SchemaName": name,
                "DisplayName": _label(str(values["label"])),
                "KeyAttributes": [str(values["column"])],
            }
        case "table":
            return "EntityDefinitions", _table(name, str(values["label"]))
        case "lookup":
            return "RelationshipDefinitions", _relationship(reading, values)
        case "publish":
            table = _kind(reading, values).table
            inner = f"<entities><entity>{table}</entity></entities>"
            return "PublishXml", {"ParameterXml": f"<importexportxml>{inner}</importexportxml>"}
        case _:
            raise Unsupported(
                "Change tracking of a table can be switched on and never off again.",
                remedy=TRACKING_REMEDY,
            )


def named(reading: Reading, kind: str, values: Sequence[str]) -> Mapping[str, Answer]:
    """Find what was made by its name, with the kind of record it is for: ``deal.tieout_mark``."""
    reading.forget_descriptions()
    found: dict[str, Answer] = {}
    for value in values:
        about, _, name = value.partition(".")
        if _is_there(reading, kind, about, name):
            ref = Ref(reading.company, kind, value)
            shown = _shown(reading, about, name) if kind == COLUMN else {}
            record = Record(ref, Version("1"), {"object": about, "name": name, **shown})
            found[value] = Found(ref, "name", record=record)
        else:
            found[value] = Absent(reading.server_now())
    return found


def _shown(reading: Reading, about: str, name: str) -> Mapping[str, Any]:
    """Return of which types of ours a column may be, and its label."""
    told = reading.describing.columns(_kind(reading, {"object": about}))[name]
    type_ = told.get("AttributeType")
    label = ((told.get("DisplayName") or {}).get("UserLocalizedLabel") or {}).get("Label")
    return {
        "types": [ours for ours, (named_, _) in _TYPES.items() if named_ == type_],
        "bears": [label],
    }


def _is_there(reading: Reading, kind: str, about: str, name: str) -> bool:
    if kind in _SET:
        asked = encoded(f"uniquename eq {literal(name)}")
        path = f"{_SET[kind]}?$select=uniquename&$filter={asked}"
        return bool(reading.wire.get(path, understand=rows))
    of = _kind(reading, {"object": about})
    if of is reading.facts.outcome and kind != PUBLISH and not _is_defined(reading, of):
        return False
    if kind == TABLE:
        return True
    if kind == LOOKUP:
        return name.lower() in reading.describing.columns(of)
    if kind == COLUMN:
        return name in reading.describing.columns(of)
    if kind == CHOICE:
        column, _, value = name.partition(".")
        return value in reading.describing.choices(of).get(column, ())
    if kind == KEY:
        path = f"{_definition(of.table)}/Keys?$select=SchemaName,LogicalName"
        keys = reading.wire.get(path, understand=rows)
        return any(name in (key.get("SchemaName"), key.get("LogicalName")) for key in keys)
    if kind == PUBLISH:
        return not reading.unpublished
    path = f"{_definition(of.table)}?$select=LogicalName,ChangeTrackingEnabled"
    return bool(reading.wire.get(path, understand=row).get("ChangeTrackingEnabled"))


def _lacking(reading: Reading, values: Values) -> Sequence[Create]:
    """Return the options that a choice column lacks which is there."""
    of = _kind(reading, values)
    column = str(values["name"])
    try:
        if not _is_there(reading, COLUMN, str(values["object"]), column):
            return []
        there = reading.describing.choices(of).get(column, ())
    except (Rejected, Unauthorized):  # it says so of each column, too
        return []
    return [
        Create(
            CHOICE,
            {
                "object": values["object"],
                "name": f"{column}.{number}",
                "label": text,
                "column": column,
                "value": number,
            },
        )
        for number, text in _options(reading, values["choices"])
        if str(number) not in there
    ]


def _publishing(wanted: Sequence[Mapping[str, Any]], values: Values) -> Create:
    """Return what publishes the table of a column."""
    told = next(
        one for one in wanted if (one["kind"], one["object"]) == (PUBLISH, values["object"])
    )
    return Create(PUBLISH, {name: held for name, held in told.items() if name != "kind"})


def _is_defined(reading: Reading, of: Kind) -> bool:
    asked = encoded(f"LogicalName eq {literal(of.table)}")
    path = f"EntityDefinitions?$select=LogicalName&$filter={asked}"
    return bool(reading.wire.get(path, understand=rows))


def _table(name: str, label: str) -> Mapping[str, Any]:
    """Return a table's definition (page "Create and update table definitions")."""
    primary = {
        "@odata.type": "Microsoft.Dynamics.CRM.StringAttributeMetadata",
        "AttributeType": "String",
        "AttributeTypeName": {"Value": "StringType"},
        "SchemaName": f"{name.removesuffix(ENDING)}name",
        "IsPrimaryName": True,
        "MaxLength": TEXT_LENGTH,
        "FormatName": {"Value": "Text"},
        "RequiredLevel": {"Value": "None"},
        "DisplayName": _label("Invoice"),
    }
    return {
        "@odata.type": "Microsoft.Dynamics.CRM.EntityMetadata",
        "SchemaName": name,
        "DisplayName": _label(label),
        "DisplayCollectionName": _label(f"{label}s"),
        "OwnershipType": "OrganizationOwned",
        "IsActivity": False,
        "HasActivities": False,
        "HasNotes": False,
        "Attributes": [primary],
    }


def _relationship(reading: Reading, values: Values) -> Mapping[str, Any]:
    """Return a lookup's definition (page "Create and update table relationships")."""
    one, many = _kind(reading, {"object": values["to"]}), _kind(reading, values)
    return {
        "@odata.type": "Microsoft.Dynamics.CRM.OneToManyRelationshipMetadata",
        "SchemaName": f"{many.table}_{one.table}",
        "ReferencedEntity": one.table,
        "ReferencingEntity": many.table,
        "Lookup": {
            "@odata.type": "Microsoft.Dynamics.CRM.LookupAttributeMetadata",
            "AttributeType": "Lookup",
            "AttributeTypeName": {"Value": "LookupType"},
            "SchemaName": str(values["name"]),
            "DisplayName": _label(str(values["label"])),
            "RequiredLevel": {"Value": "None"},
        },
    }


def _column(reading: Reading, values: Values) -> Mapping[str, Any]:
    """Return a column's definition (page "Create and update column definitions")."""
    type_ = str(values.get("type"))
    if type_ not in _TYPES:
        raise InvalidField(f"{type_} is no type of a column; there are {sorted(_TYPES)}.")
    named_, more = _TYPES[type_]
    body: dict[str, Any] = {
        "@odata.type": f"Microsoft.Dynamics.CRM.{named_}AttributeMetadata",
        "AttributeType": named_,
        "AttributeTypeName": {"Value": f"{named_}Type"},
        "SchemaName": str(values["name"]),
        "DisplayName": _label(str(values["label"])),
        "Description": _label(str(values.get("help") or "")),
        "RequiredLevel": {"Value": "None"},
        **more,
    }
    if named_ in ("String", "Memo"):
        default = MEMO_LENGTH if named_ == "Memo" else TEXT_LENGTH
        body["MaxLength"] = int(str(values.get("length") or default))
    if named_ == "Picklist":
        body["OptionSet"] = {
            "@odata.type": "Microsoft.Dynamics.CRM.OptionSetMetadata",
            "IsGlobal": False,
            "OptionSetType": "Picklist",
            "Options": [
                {"Value": number, "Label": _label(text)}
                for number, text in _options(reading, values.get("choices"))
            ],
        }
    return body


def _options(reading: Reading, choices: object) -> Sequence[tuple[int, str]]:
    if isinstance(choices, Mapping):
        return [(int(number), str(text)) for number, text in choices.items()]
    first = reading.facts.option_prefix * OPTIONS_FROM
    held = choices if isinstance(choices, list | tuple) else ()
    return [(first + place, str(text)) for place, text in enumerate(held)]


def _kind(reading: Reading, values: Values) -> Kind:
    known = {**reading.facts.kinds, reading.facts.outcome.name: reading.facts.outcome}
    kind = known.get(str(values.get("object")))
    if kind is None:
        raise InvalidField("It names no kind of record to belong to.")
    return kind


def _label(text: str) -> Mapping[str, Any]:
    return {
        "@odata.type": "Microsoft.Dynamics.CRM.Label",
        "LocalizedLabels": [
            {
                "@odata.type": "Microsoft.Dynamics.CRM.LocalizedLabel",
                "Label": text,
                "LanguageCode": LANGUAGE,
            }
        ],
    }


def _publisher_id(name: str) -> str:
    """Return the id of a publisher of ours: chosen by its name, so that others can name it."""
    return str(uuid5(NAMESPACE_URL, f"https://tieout.invalid/publisher/{name}"))


def _definition(table: str) -> str:
    return f"EntityDefinitions(LogicalName='{table}')"
