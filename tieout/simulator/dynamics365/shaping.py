"""What a query shows of a row: `$select`, `$expand`, and the annotations that were asked for."""

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tieout.simulator.dynamics365.filtering import Test, filter_of, names_in, row_value
from tieout.simulator.dynamics365.ordering import order_of, sorted_rows
from tieout.simulator.dynamics365.org import DynamicsOrg
from tieout.simulator.dynamics365.paging import top_of
from tieout.simulator.dynamics365.records import Record
from tieout.simulator.dynamics365.refusals import bad_query, no_property
from tieout.simulator.dynamics365.schema import Column, Table, Target
from tieout.simulator.dynamics365.values import annotations, shown

MAX_EXPANDS = 15
"""How many navigation properties one query may expand."""
_OPTIONS = frozenset({"$select", "$filter", "$orderby", "$top", "$expand"})


@dataclass(frozen=True, slots=True)
class Expand:
    """One navigation property to follow, and what to show of what is there."""

    name: str
    shape: "Shape"
    column: Column | None = None
    """Of a single-valued one: the lookup. None: collection-valued."""
    owner: str = ""
    """The table that is expanded."""
    back: str = ""
    """Of a collection-valued one: the many side's lookup column."""
    test: Test | None = None
    order: str = ""
    top: int | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """Which columns of a table are shown, and what is expanded."""

    table: Table
    columns: Sequence[Column]
    selected: Sequence[str]
    """As `$select` named them; empty: all."""
    expands: Sequence[Expand] = ()
    noted: Sequence[str] = ()
    """Patterns of the annotations that were asked for."""
    secured: bool = True
    """Whether secured columns show their values."""


def shape_of(
    org: DynamicsOrg,
    table: Table,
    query: Mapping[str, str],
    noted: Sequence[str],
    *,
    secured: bool = True,
) -> Shape:
    """Read `$select` and `$expand`; without `secured`, secured columns will be shown empty.

    Raises:
        Refusal: 400, a name that is no column or no navigation property.
    """
    selected = names_in(query.get("$select", ""))
    columns: list[Column] = []
    for name in selected:
        column = table.by_wire(name)
        if column is None:
            raise no_property(name, table.name)
        columns.append(column)
    if not selected:
        columns = list(table.columns.values())
    wanted = names_in(query.get("$expand", ""))
    if len(wanted) > MAX_EXPANDS:
        raise bad_query(f"No more than {MAX_EXPANDS} $expand options are allowed.")
    expands = [_expand(org, table, one, noted) for one in wanted]
    return Shape(table, columns, selected, expands, noted, secured)


def row_of(org: DynamicsOrg, shape: Shape, record: Record) -> dict[str, Any]:
    """Return a row as the wire shows it."""
    row: dict[str, Any] = {"@odata.etag": f'W/"{record.version}"'}
    for column in shape.columns:
        hidden = column.secured and not shape.secured
        value = None if hidden else row_value(column, record)
        row[column.wire] = shown(column, value)
        if shape.noted:
            told = annotations(org, column, value, record.values)
            row |= {
                name: one
                for name, one in told.items()
                if any(fnmatch.fnmatchcase(name.partition("@")[2], want) for want in shape.noted)
            }
    row[shape.table.id_column] = record.id
    for expand in shape.expands:
        row[expand.name] = _followed(org, expand, record)
    return row


def context_of(base: str, shape: Shape, *, single: bool = False) -> str:
    """Return the `@odata.context` of an answer."""
    names = ",".join([*shape.selected, *(f"{one.name}()" for one in shape.expands)])
    listed = f"({names})" if names else ""
    return f"{base}/$metadata#{shape.table.entity_set}{listed}{'/$entity' if single else ''}"


def noted_in(preferences: Mapping[str, str]) -> list[str]:
    """Return the patterns of `odata.include-annotations`."""
    return [one for one in preferences.get("odata.include-annotations", "").split(",") if one]


def _expand(org: DynamicsOrg, table: Table, text: str, noted: Sequence[str]) -> Expand:
    name, bracket, rest = text.partition("(")
    options = nested_options(rest[:-1]) if bracket else {}
    single = table.by_navigation(name)
    if single is not None:
        column, target = single
        if options.keys() - {"$select", "$expand"}:
            raise bad_query(f"Only $select and $expand are supported in $expand of {name}.")
        shape = shape_of(org, org.tables[target], options, noted)
        return Expand(name, shape, column, table.name)
    many = table.collections.get(name)
    if many is None:
        raise no_property(name, table.name)
    other, back = many
    far = org.tables[other]
    shape = shape_of(org, far, options, noted)
    test = filter_of(org, far, options["$filter"]) if "$filter" in options else None
    order = options.get("$orderby", "")
    order_of(far, order)
    top = top_of(options["$top"]) if "$top" in options else None
    return Expand(name, shape, None, table.name, back, test, order, top)


def nested_options(text: str) -> dict[str, str]:
    """Read the options in the brackets of an expanded property: `$select=a;$top=1`.

    Raises:
        Refusal: 400, one is not known there.
    """
    options: dict[str, str] = {}
    for part in _split_options(text):
        name, _, value = part.partition("=")
        if name not in _OPTIONS:
            raise bad_query(f"The query option '{name}' is not supported in $expand.")
        options[name] = value
    return options


def _split_options(text: str) -> list[str]:
    parts, depth, start, quoted = [], 0, 0, False
    for place, sign in enumerate(text):
        if sign == "'":
            quoted = not quoted
        elif not quoted and sign == "(":
            depth += 1
        elif not quoted and sign == ")":
            depth -= 1
        elif not quoted and sign == ";" and depth == 0:
            parts.append(text[start:place])
            start = place + 1
    parts.append(text[start:])
    return [part for part in parts if part]


def _followed(org: DynamicsOrg, expand: Expand, record: Record) -> Any:
    if expand.column is not None:
        target = record.values.get(expand.column.name)
        if not isinstance(target, Target) or target.table != expand.shape.table.name:
            return None
        found = org.find(target.table, target.id)
        return None if found is None else row_of(org, expand.shape, found)
    table = expand.shape.table
    rows = list(org.shelves[table.name].pointing(expand.back, Target(expand.owner, record.id)))
    if expand.test is not None:
        rows = list(filter(expand.test, rows))
    rows = sorted_rows(table, expand.order, rows)
    if expand.top is not None:
        rows = rows[: expand.top]
    return [row_of(org, expand.shape, one) for one in rows]
