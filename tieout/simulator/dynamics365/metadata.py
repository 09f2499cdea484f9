"""`EntityDefinitions`: what tables there are, and their columns, keys and choices.

Source: learn.microsoft.com/power-apps/developer/data-platform/webapi/query-metadata-web-api.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from tieout.simulator.dynamics365 import customizing
from tieout.simulator.dynamics365.call import Call, Reply, Segment
from tieout.simulator.dynamics365.describing import (
    ATTRIBUTE,
    NAMESPACE,
    column_told,
    key_told,
    option_set,
    table_told,
    type_name,
)
from tieout.simulator.dynamics365.filtering import names_in
from tieout.simulator.dynamics365.refusals import Refusal, bad_query, no_property, no_resource
from tieout.simulator.dynamics365.schema import CHOICES, Column, Table
from tieout.simulator.dynamics365.shaping import nested_options

ROOTS = frozenset({"EntityDefinitions", "RelationshipDefinitions"})
_NAMED = re.compile(r"LogicalName='([^']+)'")
_CLAUSE = re.compile(r"([\w/]+) (eq|ne) (?:[\w.]+)?('(?:[^']*)'|true|false|null|\d+)")
_EXPANDS = ("OptionSet", "GlobalOptionSet")


def answer(call: Call) -> Reply:
    """Answer what concerns metadata.

    Raises:
        Refusal: it is not taken.
    """
    if call.method != "GET":
        return customizing.answer(call)
    call.demand("Read", _ENTITY)
    first, rest = call.segments[0], list(call.segments[1:])
    if first.name != "EntityDefinitions":
        raise no_resource(first.name)
    if first.inside is None:
        return _tables(call)
    table = table_at(call, first)
    if not rest:
        return _one(call, "EntityMetadata", _table_row(call, table, call.query))
    match rest[0].name:
        case "Attributes":
            return _attributes(call, table, rest)
        case "Keys":
            keys = [key_told(call.org, table, one) for one in table.keys.values()]
            return _many(call, "Keys", "EntityKeyMetadata", keys)
    raise no_resource(rest[0].name)


def table_at(call: Call, segment: Segment) -> Table:
    """Return the table that `EntityDefinitions(…)` names, by logical name or id.

    Raises:
        Refusal: 404, there is none.
    """
    inside = unquote(segment.inside or "")
    named = _NAMED.fullmatch(inside)
    for table in call.org.tables.values():
        if inside.lower() == table.id or (named is not None and named[1] == table.name):
            return table
    wanted = named[1] if named else inside
    raise Refusal(
        404, "0x80060888", f"Could not find an entity with name {wanted} and id {wanted}."
    )


def column_at(table: Table, segment: Segment) -> Column:
    """Return the column that `Attributes(…)` names, by logical name or id.

    Raises:
        Refusal: 404, there is none.
    """
    inside = unquote(segment.inside or "")
    named = _NAMED.fullmatch(inside)
    for column in table.columns.values():
        if inside.lower() == column.id or (named is not None and named[1] == column.name):
            return column
    wanted = named[1] if named else inside
    raise Refusal(
        404,
        "0x80060888",
        f"Could not find an attribute with specified name {wanted} for entity {table.name}.",
    )


def _tables(call: Call) -> Reply:
    rows = [table_told(one) for one in call.org.tables.values()]
    rows = _filtered(rows, call.query.get("$filter", ""))
    names = {row["LogicalName"] for row in rows}
    tables = [one for one in call.org.tables.values() if one.name in names]
    told = [_table_row(call, one, call.query) for one in tables]
    return Reply({"@odata.context": f"{call.base}/$metadata#EntityDefinitions", "value": told})


def _table_row(call: Call, table: Table, query: Mapping[str, str]) -> dict[str, Any]:
    row = _selected(table_told(table), query, "EntityMetadata", None)
    for one in names_in(query.get("$expand", "")):
        name, bracket, inner = one.partition("(")
        options = nested_options(inner[:-1]) if bracket else {}
        if name == "Attributes":
            row[name] = _columns(table, list(table.columns.values()), options, ATTRIBUTE)
        elif name == "Keys":
            keys = [key_told(call.org, table, key) for key in table.keys.values()]
            row[name] = [_selected(key, options, "EntityKeyMetadata", None) for key in keys]
        else:
            raise no_property(name, "EntityMetadata")
    return row


def _attributes(call: Call, table: Table, rest: Sequence[Segment]) -> Reply:
    """Answer `…/Attributes`, one of them, and either seen as a derived type."""
    kind = rest[-1].name.removeprefix(f"{NAMESPACE}.") if len(rest) > 1 else ""
    if rest[0].inside is not None:
        column = column_at(table, rest[0])
        if kind and kind != type_name(column):
            raise no_resource(rest[-1].name)
        known = None if kind else ATTRIBUTE
        return _one(call, "AttributeMetadata", _column(table, column, call.query, known))
    columns = [one for one in table.columns.values() if not kind or type_name(one) == kind]
    known = None if kind else ATTRIBUTE
    told = _columns(table, columns, call.query, known)
    return _many(call, "Attributes", kind or "AttributeMetadata", told, ready=True)


def _columns(
    table: Table,
    columns: Iterable[Column],
    query: Mapping[str, str],
    known: Iterable[str] | None,
) -> list[dict[str, Any]]:
    held = {column.name: column for column in columns}
    rows = _filtered([column_told(table, one) for one in held.values()], query.get("$filter", ""))
    return [_column(table, held[row["LogicalName"]], query, known) for row in rows]


def _column(
    table: Table, column: Column, query: Mapping[str, str], known: Iterable[str] | None
) -> dict[str, Any]:
    row = _selected(column_told(table, column), query, type_name(column), known)
    for one in names_in(query.get("$expand", "")):
        name = one.partition("(")[0]
        if name not in _EXPANDS or column.type not in CHOICES or known is not None:
            raise no_property(name, "AttributeMetadata")
        row[name] = option_set(table, column) if name == "OptionSet" else None
    return row


def _selected(
    row: dict[str, Any], query: Mapping[str, str], kind: str, known: Iterable[str] | None
) -> dict[str, Any]:
    """Return the properties that were selected; `known` are those that may be."""
    wanted = names_in(query.get("$select", ""))
    for name in wanted:
        if name not in (row if known is None else known):
            raise no_property(name, kind if known is None else "AttributeMetadata")
    if not wanted:
        return row
    kept = {"@odata.type", "MetadataId", *wanted}
    return {name: value for name, value in row.items() if name in kept}


def _filtered(rows: list[dict[str, Any]], text: str) -> list[dict[str, Any]]:
    """Keep the rows of a flat filter: `X eq 'a' or X eq 'b'`, or the same with `and`."""
    if not text:
        return rows
    text = text.strip().removeprefix("(").removesuffix(")")
    joined = " or " if " or " in text else " and "
    tests = [_clause(one) for one in text.split(joined)]
    every = any if joined == " or " else all
    return [row for row in rows if every(test(row) for test in tests)]


def _clause(text: str) -> Callable[[Mapping[str, Any]], bool]:
    match = _CLAUSE.fullmatch(text.strip().strip("()"))
    if match is None:
        raise bad_query(f"Syntax error at position 0 in '{text}'.")
    path, operator, literal = match.groups()
    wanted: Any = {"true": True, "false": False, "null": None}.get(literal, literal.strip("'"))

    def test(row: Mapping[str, Any]) -> bool:
        value: Any = row
        for step in path.split("/"):
            if not isinstance(value, Mapping) or step not in value:
                raise no_property(step, "EntityMetadata")
            value = value[step]
        same = value == wanted or (str(value) == wanted and not isinstance(value, bool))
        return same == (operator == "eq")

    return test


def _one(call: Call, kind: str, row: dict[str, Any]) -> Reply:
    return Reply({"@odata.context": f"{call.base}/$metadata#{kind}/$entity", **row})


def _many(
    call: Call, what: str, kind: str, rows: list[dict[str, Any]], *, ready: bool = False
) -> Reply:
    told = rows if ready else [_selected(one, call.query, kind, None) for one in rows]
    context = f"{call.base}/$metadata#EntityDefinitions/{what}"
    return Reply({"@odata.context": context, "value": told})


_ENTITY = Table("entity", "EntityDefinitions", "entityid", "name", 9800, {})
"""Whose privilege (prvReadEntity) reading metadata needs."""
