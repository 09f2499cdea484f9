"""Changing the tables themselves: new tables, columns and keys, in a solution.

Sources: learn.microsoft.com/power-apps/developer/data-platform/webapi/
create-update-entity-definitions-using-web-api, create-update-column-definitions-using-web-api,
create-update-entity-relationships-using-web-api; define-alternate-keys-entity.
"""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from tieout.simulator.dynamics365 import metadata
from tieout.simulator.dynamics365.call import Call, Reply
from tieout.simulator.dynamics365.describing import NAMESPACE, label_text
from tieout.simulator.dynamics365.records import Shelf
from tieout.simulator.dynamics365.refusals import Refusal, bad_payload, no_resource
from tieout.simulator.dynamics365.schema import (
    Column,
    Key,
    Table,
    choice,
    flag,
    lookup,
    money,
    owned,
    state,
    status,
    table,
)

MAX_KEYS = 10
"""How many alternate keys a table may have."""
MAX_KEY_COLUMNS = 16
FIRST_CUSTOM_TYPE_CODE = 10_000
_NAME = re.compile(r"[A-Za-z]\w{0,99}")
_KEYABLE = frozenset({"Decimal", "Integer", "String", "DateTime", "Lookup", "Picklist"})
_PREFIX = re.compile(r"([a-z][a-z0-9]{1,7})_")


def answer(call: Call) -> Reply:
    """Answer a write of metadata.

    Raises:
        Refusal: it is not taken.
    """
    call.demand("Create" if call.method == "POST" else "Write", CUSTOMIZATION)
    try:
        return _done(call)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise bad_payload(call.segments[-1].name, f"{type(error).__name__}: {error}") from error


def _done(call: Call) -> Reply:
    names = [one.name for one in call.segments]
    match call.method, names:
        case "POST", ["EntityDefinitions"]:
            return _create_table(call)
        case "POST", ["RelationshipDefinitions"]:
            return _create_lookup(call)
        case "POST", ["EntityDefinitions", "Attributes"]:
            return _create_column(call)
        case "POST", ["EntityDefinitions", "Keys"]:
            return _create_key(call)
        case "PUT", ["EntityDefinitions"]:
            return _update_table(call)
        case "DELETE", ["EntityDefinitions", "Attributes"]:
            return _delete_column(call)
        case "DELETE", ["EntityDefinitions", "Keys"]:
            return _delete_key(call)
    raise no_resource(names[-1])


def _create_column(call: Call) -> Reply:
    held = metadata.table_at(call, call.segments[0])
    told = call.json()
    _demand_solution(call)
    column, twins = _column(call, held, told)
    call.org.define(held.name, column)
    for twin in twins:
        call.org.define(held.name, twin)
    where = f"EntityDefinitions(LogicalName='{held.name}')/Attributes({column.id})"
    return Reply(status=204, headers={"OData-EntityId": f"{call.base}/{where}"})


def _column(call: Call, held: Table, told: Mapping[str, Any]) -> tuple[Column, list[Column]]:
    """Read a column's definition; money comes with its twin.

    Raises:
        Refusal: 400, its type, its name or a limit of it is not taken.
    """
    schema_name = _schema_name(call, told)
    name = schema_name.lower()
    if name in held.columns:
        raise Refusal(
            400,
            "0x80047013",
            f"An attribute with the specified name {name} already exists for the {held.name} "
            "entity.",
        )
    kind = str(told.get("@odata.type", "")).removeprefix("#").removeprefix(f"{NAMESPACE}.")
    title = label_text(told.get("DisplayName"))
    make = _MAKERS.get(kind)
    if make is None:
        raise bad_payload("Attributes", f"The type '{kind}' is not supported.")
    made = make(name, title, told)
    for one in made:
        suffix = one.name.removeprefix(name)
        one.schema_name = f"{schema_name}{suffix}"
    for one in made:
        one.secured = told.get("IsSecured") is True
    level = told.get("RequiredLevel")
    made[0].required = isinstance(level, dict) and level.get("Value") == "ApplicationRequired"
    return made[0], made[1:]


def _text(name: str, title: str, told: Mapping[str, Any]) -> list[Column]:
    longest = told.get("MaxLength", 100)
    if not isinstance(longest, int) or not 1 <= longest <= 4000:
        raise bad_payload("Attributes", f"MaxLength {longest} is outside of 1 to 4000.")
    return [Column(name, "String", title, max_length=longest)]


def _memo(name: str, title: str, told: Mapping[str, Any]) -> list[Column]:
    return [Column(name, "Memo", title, max_length=int(told.get("MaxLength", 2000)))]


def _money(name: str, title: str, told: Mapping[str, Any]) -> list[Column]:
    own, twin = money(name, title, precision_source=int(told.get("PrecisionSource", 2)))
    own.precision = int(told.get("Precision", 2))
    return [own, twin]


def _moment(name: str, title: str, told: Mapping[str, Any]) -> list[Column]:
    return [Column(name, "DateTime", title, day_only=told.get("Format") == "DateOnly")]


def _flag(name: str, title: str, _: Mapping[str, Any]) -> list[Column]:
    return [flag(name, title)]


def _decimal(name: str, title: str, told: Mapping[str, Any]) -> list[Column]:
    return [Column(name, "Decimal", title, precision=int(told.get("Precision", 2)))]


def _whole(name: str, title: str, _: Mapping[str, Any]) -> list[Column]:
    return [Column(name, "Integer", title)]


def _choice(name: str, title: str, told: Mapping[str, Any]) -> list[Column]:
    given = told.get("OptionSet")
    options = given.get("Options") if isinstance(given, dict) else None
    if not isinstance(options, list):
        raise bad_payload("Attributes", "OptionSet has no Options.")
    pairs = [(int(one["Value"]), label_text(one.get("Label"))) for one in options]
    return [choice(name, title, *pairs)]


_MAKERS: Mapping[str, Callable[[str, str, Mapping[str, Any]], list[Column]]] = {
    "StringAttributeMetadata": _text,
    "MemoAttributeMetadata": _memo,
    "MoneyAttributeMetadata": _money,
    "DateTimeAttributeMetadata": _moment,
    "BooleanAttributeMetadata": _flag,
    "DecimalAttributeMetadata": _decimal,
    "IntegerAttributeMetadata": _whole,
    "PicklistAttributeMetadata": _choice,
}


def _create_key(call: Call) -> Reply:
    held = metadata.table_at(call, call.segments[0])
    told = call.json()
    _demand_solution(call)
    name = _schema_name(call, told)
    columns = told.get("KeyAttributes")
    if not isinstance(columns, list) or not 1 <= len(columns) <= MAX_KEY_COLUMNS:
        raise bad_payload("Keys", f"KeyAttributes names 1 to {MAX_KEY_COLUMNS} columns.")
    for one in columns:
        column = held.columns.get(str(one))
        if column is None or column.type not in _KEYABLE:
            raise Refusal(400, "0x80040203", f"Attribute {one} cannot be part of an entity key.")
    if name in held.keys:
        said = f"An entity key with the name {name} already exists on entity {held.name}."
        raise Refusal(400, "0x80060893", said)
    if any(set(one.columns) == set(columns) for one in held.keys.values()):
        said = "An entity key with the selected attributes already exists on entity."
        raise Refusal(400, "0x80060894", said)
    if len(held.keys) >= MAX_KEYS:
        raise Refusal(400, "0x80040203", f"An entity cannot have more than {MAX_KEYS} keys.")
    active = call.org.now() + timedelta(seconds=call.org.key_index_secs)
    key = Key(name, tuple(columns), active.strftime("%Y-%m-%dT%H:%M:%SZ"))
    call.org.add_key(held.name, key)
    where = f"EntityDefinitions(LogicalName='{held.name}')/Keys({key.id})"
    return Reply(status=204, headers={"OData-EntityId": f"{call.base}/{where}"})


def _create_table(call: Call) -> Reply:
    told = call.json()
    _demand_solution(call)
    schema_name = _schema_name(call, told)
    name = schema_name.lower()
    if name in call.org.tables:
        raise Refusal(400, "0x80047010", f"An object with the specified name {name} already exists")
    primary = [
        one
        for one in told.get("Attributes", ())
        if isinstance(one, dict) and one.get("IsPrimaryName")
    ]
    if len(primary) != 1:
        raise bad_payload("EntityDefinitions", "One attribute has to be the primary name.")
    named = str(primary[0].get("SchemaName", "")).lower()
    made = table(name, f"{name}s", _next_type_code(call), owned(), named=named)
    made.columns |= {one.name: one for one in (state((0, "Active"), (1, "Inactive")),)}
    made.columns |= {one.name: one for one in (status((1, "Active"), (2, "Inactive")),)}
    made.custom, made.schema_name, made.id = True, schema_name, call.org.new_id()
    made.tracked = bool(told.get("ChangeTrackingEnabled", False))
    call.org.tables[name] = made
    call.org.shelves[name] = Shelf()
    for one in told["Attributes"]:
        column, twins = _column(call, made, one)
        for each in (column, *twins):
            call.org.define(name, each)
    for column in made.columns.values():
        column.id = column.id or call.org.new_id()
    where = f"{call.base}/EntityDefinitions({made.id})"
    return Reply(status=204, headers={"OData-EntityId": where})


def _create_lookup(call: Call) -> Reply:
    """Make a lookup by its one-to-many relationship."""
    told = call.json()
    _demand_solution(call)
    one, many = (str(told.get(f"Referenc{end}Entity", "")) for end in ("ed", "ing"))
    given = told.get("Lookup")
    if one not in call.org.tables or many not in call.org.tables or not isinstance(given, dict):
        raise bad_payload("RelationshipDefinitions", "The relationship names no two tables.")
    schema_name = _schema_name(call, given)
    name = schema_name.lower()
    held = call.org.tables[many]
    if name in held.columns:
        said = f"An attribute with the specified name {name} already exists for the {many} entity."
        raise Refusal(400, "0x80047013", said)
    column = lookup(name, one, label=label_text(given.get("DisplayName")))
    column.schema_name = schema_name
    call.org.define(many, column)
    relationship = str(told.get("SchemaName", f"{many}_{one}"))
    first = call.org.tables[one]
    first.collections = {**first.collections, relationship: (many, name)}
    where = f"{call.base}/RelationshipDefinitions({call.org.new_id()})"
    return Reply(status=204, headers={"OData-EntityId": where})


def _update_table(call: Call) -> Reply:
    """Replace a table's definition: here only change tracking, which cannot be taken back."""
    held = metadata.table_at(call, call.segments[0])
    wanted = call.json().get("ChangeTrackingEnabled")
    if held.tracked and wanted is False:
        said = "Change tracking can't be disabled once it is enabled."
        raise Refusal(400, "0x80040203", said)
    held.tracked = held.tracked or wanted is True
    return Reply(status=204)


def _delete_column(call: Call) -> Reply:
    held = metadata.table_at(call, call.segments[0])
    column = metadata.column_at(held, call.segments[1])
    if not column.custom:
        said = f"The attribute {column.name} is not custom and cannot be deleted."
        raise Refusal(400, "0x80040203", said)
    if any(column.name in key.columns for key in held.keys.values()):
        said = f"The attribute {column.name} is part of an entity key and cannot be deleted."
        raise Refusal(400, "0x8004f01f", said)
    call.org.undefine(held.name, column.name)
    return Reply(status=204)


def _delete_key(call: Call) -> Reply:
    held = metadata.table_at(call, call.segments[0])
    inside = (call.segments[1].inside or "").lower()
    for key in held.keys.values():
        if inside in {key.id, f"logicalname='{key.name.lower()}'"}:
            call.org.drop_key(held.name, key.name)
            return Reply(status=204)
    raise no_resource("Keys")


def _schema_name(call: Call, told: Mapping[str, Any]) -> str:
    """Return a new component's SchemaName: it begins with a publisher's prefix.

    Raises:
        Refusal: 400, it does not.
    """
    name = str(told.get("SchemaName", ""))
    prefix = _PREFIX.match(name.lower())
    known = {
        one.values.get("customizationprefix")
        for one in call.org.shelves["publisher"].records.values()
    }
    if _NAME.fullmatch(name) is None or prefix is None or prefix[1] not in known:
        raise Refusal(
            400,
            "0x80040203",
            f"The name {name} is not valid: it has to begin with a customization prefix.",
        )
    return name


def _demand_solution(call: Call) -> None:
    demand_solution(call, call.headers.get("mscrm.solutionuniquename"))


def demand_solution(call: Call, name: object) -> None:
    """Refuse a solution that is not there; without a name nothing is said of one.

    Raises:
        Refusal: 400, there is none of that name.
    """
    if name is None:
        return
    solutions = call.org.shelves["solution"].records.values()
    if not any(one.values.get("uniquename") == name for one in solutions):
        raise Refusal(400, "0x80040203", f"The solution {name} does not exist.")


def _next_type_code(call: Call) -> int:
    custom = sum(1 for one in call.org.tables.values() if one.custom)
    return FIRST_CUSTOM_TYPE_CODE + custom


CUSTOMIZATION = Table("customization", "", "", "name", 0, {}, schema_name="Customizations")
