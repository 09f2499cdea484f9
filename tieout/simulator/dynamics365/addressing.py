"""Which record a path names: by its id, or by the values of an alternate key.

Source: learn.microsoft.com/power-apps/developer/data-platform/use-alternate-key-reference-record.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from tieout.simulator.dynamics365.call import Call, split_path
from tieout.simulator.dynamics365.filtering import names_in
from tieout.simulator.dynamics365.org import DynamicsOrg
from tieout.simulator.dynamics365.records import Record
from tieout.simulator.dynamics365.refusals import (
    Refusal,
    bad_query,
    no_record,
    no_record_by_key,
    no_resource,
)
from tieout.simulator.dynamics365.schema import CHOICES, LOOKUPS, Key, Table, Target
from tieout.simulator.dynamics365.values import GUID, taken

FORBIDDEN_IN_KEYS = frozenset('/<>*%&:\\?+#"')
"""What a key's value may not hold in a path, encoded or not; as a parameter (`@p`) it may."""


def record_at(call: Call, table: Table) -> Record:
    """Return the record that the first segment names.

    Raises:
        Refusal: 404 it does not exist, 400 it names no key.
    """
    found, values = found_at(call, table)
    if found is None:
        if values:
            raise no_record_by_key(table.name)
        raise no_record(table.name, str(call.segments[0].inside).lower())
    return found


def found_at(call: Call, table: Table) -> tuple[Record | None, Mapping[str, Any]]:
    """Return the record that the first segment names, if it is there, and its key's values.

    Raises:
        Refusal: 400, it names no id and no key.
    """
    inside = call.segments[0].inside or ""
    if GUID.fullmatch(inside):
        return call.org.find(table.name, inside.lower()), {}
    values = _key_values(table, inside, call.query)
    key = key_of(call.org, table, values)
    holder = call.org.shelves[table.name].holder(key.columns, values)
    return (None if holder is None else call.org.find(table.name, holder)), values


def key_of(org: DynamicsOrg, table: Table, values: Mapping[str, Any]) -> Key:
    """Return the alternate key of these columns.

    Raises:
        Refusal: 400, there is none, or its index is not built yet.
    """
    for key in table.keys.values():
        if set(key.columns) == values.keys() and key.status(org.present()) == "Active":
            return key
    said = f"The specified key attributes are not a defined key for the {table.name} entity"
    raise Refusal(400, "0x80060890", said)


def bound(call: Call, text: str) -> Target:
    """Return the record that an `@odata.bind` names.

    Raises:
        Refusal: 400 it is no address, 404 there is no such record.
    """
    if text.startswith("$"):
        if text[1:] not in call.references:
            said = f"Content-ID Reference: '{text}' does not exist in the batch context."
            raise bad_query(said)
        text = call.references[text[1:]]
    path = text.removeprefix(call.base).lstrip("/")
    segments = split_path(path)
    table = call.org.by_set(segments[0].name)
    if table is None or segments[0].inside is None:
        raise no_resource(segments[0].name)
    inside = segments[0].inside
    if GUID.fullmatch(inside):
        if call.org.find(table.name, inside.lower()) is None:
            raise no_record(table.name, inside.lower())
        return Target(table.name, inside.lower())
    values = _key_values(table, inside, {})
    key = key_of(call.org, table, values)
    holder = call.org.shelves[table.name].holder(key.columns, values)
    if holder is None:
        raise no_record_by_key(table.name)
    return Target(table.name, holder)


def _key_values(table: Table, inside: str, query: Mapping[str, str]) -> dict[str, Any]:
    """Read `a='x',b=1`, or `a=@p` with `@p` among the query options."""
    values: dict[str, Any] = {}
    for part in names_in(inside):
        name, equals, literal = part.partition("=")
        column = table.by_wire(unquote(name))
        if not equals or column is None:
            raise bad_query("Bad Request - Error in query syntax.")
        text = query.get(literal, "") if literal.startswith("@") else unquote(literal)
        if not literal.startswith("@") and FORBIDDEN_IN_KEYS & set(text):
            raise bad_query("Bad Request - Error in query syntax.")
        quoted = len(text) >= 2 and text[0] == text[-1] == "'"
        if quoted:
            values[column.name] = taken(table, column, text[1:-1].replace("''", "'"))
        elif column.type in LOOKUPS and GUID.fullmatch(text):
            values[column.name] = Target(column.targets[0], text.lower())
        elif (column.type in CHOICES or column.type == "Integer") and text.isdecimal():
            values[column.name] = int(text)
        else:
            raise bad_query("Bad Request - Error in query syntax.")
    if not values:
        raise bad_query("Bad Request - Error in query syntax.")
    return values
