"""The `$orderby` of a query."""

from collections.abc import Callable, Iterable
from typing import Any

from tieout.simulator.dynamics365.filtering import names_in, row_value
from tieout.simulator.dynamics365.records import Record
from tieout.simulator.dynamics365.refusals import bad_query, no_property
from tieout.simulator.dynamics365.schema import Column, Table, Target


def order_of(table: Table, text: str) -> list[tuple[Column, bool]]:
    """Read `a,b desc`: each column, and whether it goes down.

    Raises:
        Refusal: 400, a name is no column, a direction is none.
    """
    order = []
    for part in names_in(text):
        name, _, direction = part.partition(" ")
        column = table.by_wire(name)
        if column is None:
            raise no_property(name, table.name)
        if direction.strip() not in {"", "asc", "desc"}:
            raise bad_query(f"Syntax error in '{text}'.")
        order.append((column, direction.strip() == "desc"))
    return order


def sorted_rows(table: Table, text: str, rows: Iterable[Record]) -> list[Record]:
    """Return rows in the order asked for, then by id; empty values come first."""
    ordered = sorted(rows, key=lambda one: one.id)
    for column, descending in reversed(order_of(table, text)):
        ordered.sort(key=_by(column), reverse=descending)
    return ordered


def _by(column: Column) -> Callable[[Record], tuple[bool, Any]]:
    return lambda record: _rank(row_value(column, record))


def _rank(value: Any) -> tuple[bool, Any]:
    if value is None:
        return False, 0
    if isinstance(value, Target):
        return True, value.id
    return True, value.casefold() if isinstance(value, str) else value
