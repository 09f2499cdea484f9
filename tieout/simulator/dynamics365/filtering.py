"""The `$filter` of a query: read, checked against the table, and made into a test of a row.

Source: learn.microsoft.com/power-apps/developer/data-platform/webapi/query/filter-rows.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from tieout.simulator.dynamics365.org import DynamicsOrg
from tieout.simulator.dynamics365.records import Record
from tieout.simulator.dynamics365.refusals import (
    bad_query,
    no_property,
    no_secured_column,
    syntax_error,
)
from tieout.simulator.dynamics365.schema import LOOKUPS, TEXTS, Column, Table, Target
from tieout.simulator.dynamics365.values import GUID, as_instant

Test = Callable[[Record], bool]
Reader = Callable[[Record], Any]

MAX_DEPTH = 100
"""How deep brackets may nest."""
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*'|\"[^\"]*\")"
    r"|(?P<guid>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})"
    r"|(?P<instant>\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)?)"
    r"|(?P<day>\d{4}-\d\d-\d\d)"
    r"|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<word>[A-Za-z_][\w./]*)"
    r"|(?P<sign>[()\[\],=]))"
)
_OPERATORS = {"eq", "ne", "gt", "ge", "lt", "le"}
_KINDS = {"text": "Edm.String", "guid": "Edm.Guid", "number": "Edm.Int32"}
_LISTED = {"DateTime": "instant", "Boolean": "flag"}
"""Of what kind a value in In's list is read, by its column's type; numbers else."""
_IN = "Microsoft.Dynamics.CRM.In"


@dataclass(frozen=True, slots=True)
class Operand:
    """One side of a comparison: a column of the row, or a literal."""

    column: Column | None
    read: Reader | None
    kind: str = ""
    value: Any = None


def filter_of(org: DynamicsOrg, table: Table, text: str, *, secured: bool = True) -> Test:
    """Return the test that a `$filter` describes; `secured` columns may be closed to it.

    Raises:
        Refusal: 400 it cannot be read, or compares what the table does not have, 403 it asks for a
            secured column.
    """
    return _Parser(org, table, text, secured=secured).whole()


def row_value(column: Column, record: Record) -> Any:
    """Return what a row has in a column, the system's own columns too, ready to compare."""
    match column.name:
        case "createdon":
            return record.created
        case "modifiedon":
            return record.modified
        case "versionnumber":
            return record.version
    return record.values.get(column.name)


class _Parser:
    """Reads one filter from left to right."""

    def __init__(self, org: DynamicsOrg, table: Table, text: str, *, secured: bool) -> None:
        self._secured = secured
        self._org = org
        self._table = table
        self._text = text
        self._tokens = self._split()
        self._place = 0
        self._depth = 0

    def whole(self) -> Test:
        test = self._either()
        if self._place < len(self._tokens):
            raise syntax_error(self._tokens[self._place][2], self._text)
        return test

    def _split(self) -> list[tuple[str, str, int]]:
        tokens, place, text = [], 0, self._text.rstrip()
        while place < len(text):
            match = _TOKEN.match(text, place)
            if match is None or match.lastgroup is None:
                raise syntax_error(place, self._text)
            tokens.append((match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
            place = match.end()
        return tokens

    def _either(self) -> Test:
        tests = [self._both()]
        while self._skip("word", "or"):
            tests.append(self._both())
        return tests[0] if len(tests) == 1 else lambda row: any(test(row) for test in tests)

    def _both(self) -> Test:
        tests = [self._one()]
        while self._skip("word", "and"):
            tests.append(self._one())
        return tests[0] if len(tests) == 1 else lambda row: all(test(row) for test in tests)

    def _one(self) -> Test:
        if self._skip("word", "not"):
            denied = self._one()
            return lambda row: not denied(row)
        if self._skip("sign", "("):
            self._depth += 1
            if self._depth > MAX_DEPTH:
                raise bad_query("The node count limit was exceeded.")
            test = self._either()
            self._demand("sign", ")")
            self._depth -= 1
            return test
        if self._peek(1) == "(" and self._tokens[self._place][0] == "word":
            return self._function()
        return self._comparison()

    def _function(self) -> Test:
        _, name, at = self._next()
        self._demand("sign", "(")
        if name == _IN:
            return self._in()
        if name not in {"contains", "startswith", "endswith"}:
            raise bad_query(f"An unknown function with name '{name}' was found at {at}.")
        column, read = self._property()
        self._demand("sign", ",")
        wanted = self._literal().value
        self._demand("sign", ")")
        if column.type not in TEXTS or not isinstance(wanted, str):
            raise bad_query(
                f"No function signature for the function with name '{name}' matches the specified "
                "arguments."
            )
        return _text_test(name, read, wanted.casefold())

    def _in(self) -> Test:
        """Read `PropertyName='name',PropertyValues=['a',"b"]`: a list of either quotes."""
        self._demand("word", "PropertyName")
        self._demand("sign", "=")
        name = self._literal().value
        column = self._table.columns.get(str(name)) or self._table.by_wire(str(name))
        if column is None:
            raise no_property(str(name), self._table.name)
        self._demand("sign", ",")
        self._demand("word", "PropertyValues")
        self._demand("sign", "=")
        self._demand("sign", "[")
        wanted = {self._listed(column)}
        while self._skip("sign", ","):
            wanted.add(self._listed(column))
        self._demand("sign", "]")
        self._demand("sign", ")")
        return lambda row: _plain(row_value(column, row)) in wanted

    def _listed(self, column: Column) -> Any:
        """Read one value of In's list: a text, whatever the column's type."""
        text = str(self._literal().value)
        kind = "text" if column.type in TEXTS else _LISTED.get(column.type, "number")
        value: Any = text.lower() == "true" if kind == "flag" else text
        try:
            return _folded(_converted(column, kind, value))
        except (ValueError, ArithmeticError) as error:
            raise bad_query(f"The value '{text}' is not of the type of {column.name}.") from error

    def _comparison(self) -> Test:
        left = self._operand()
        kind, operator, at = self._next()
        if kind != "word" or operator not in _OPERATORS:
            raise syntax_error(at, self._text)
        right = self._operand()
        if left.column is None and right.column is not None:
            left, right = right, left
            operator = {"gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}.get(operator, operator)
        if left.column is None or left.read is None:
            raise bad_query("A comparison needs a property.")
        if right.read is not None:
            return _compared(left.read, operator, right.read)
        wanted = _folded(self._fitting(left.column, right, operator))
        return _compared(left.read, operator, lambda _: wanted)

    def _operand(self) -> Operand:
        kind, word, at = self._peek_whole()
        if kind == "word" and word not in {"null", "true", "false"}:
            column, read = self._property()
            return Operand(column, read)
        if kind == "sign":
            raise syntax_error(at, self._text)
        return self._literal()

    def _property(self) -> tuple[Column, Reader]:
        """Read a column's name, or that of one on the one side of a lookup (`a/b`)."""
        kind, word, at = self._next()
        if kind != "word":
            raise syntax_error(at, self._text)
        first, _, rest = word.partition("/")
        if not rest:
            column = self._table.by_wire(first)
            if column is None:
                raise no_property(first, self._table.name)
            if column.secured and not self._secured:
                raise no_secured_column("query")
            return column, lambda row: _plain(row_value(column, row))
        led = self._table.by_navigation(first)
        if led is None:
            raise no_property(first, self._table.name)
        via, target = led
        far = self._org.tables[target].by_wire(rest)
        if far is None:
            raise no_property(rest, target)

        def read(row: Record) -> Any:
            pointed = row.values.get(via.name)
            if not isinstance(pointed, Target) or pointed.table != target:
                return None
            found = self._org.find(target, pointed.id)
            return None if found is None else _plain(row_value(far, found))

        return far, read

    def _literal(self) -> Operand:
        kind, word, at = self._next()
        match kind:
            case "text":
                inner = word[1:-1]
                plain = inner.replace("''", "'") if word[0] == "'" else inner
                return Operand(None, None, kind, plain)
            case "number":
                return Operand(None, None, kind, Decimal(word))
            case "guid":
                return Operand(None, None, kind, word.lower())
            case "day" | "instant":
                return Operand(None, None, kind, word)
        if word in {"true", "false"}:
            return Operand(None, None, "flag", word == "true")
        if word == "null":
            return Operand(None, None, "null")
        raise syntax_error(at, self._text)

    def _fitting(self, column: Column, literal: Operand, operator: str) -> Any:
        if literal.kind == "null":
            return None
        try:
            return _converted(column, literal.kind, literal.value)
        except (ValueError, ArithmeticError) as error:
            names = {"eq": "Equal", "ne": "NotEqual", "gt": "GreaterThan", "lt": "LessThan"}
            raise bad_query(
                "A binary operator with incompatible types was detected. Found operand types "
                f"'{_edm(column)}' and '{_KINDS.get(literal.kind, 'Edm.String')}' for operator "
                f"kind '{names.get(operator, operator)}'."
            ) from error

    def _skip(self, kind: str, word: str) -> bool:
        if self._place < len(self._tokens) and self._tokens[self._place][:2] == (kind, word):
            self._place += 1
            return True
        return False

    def _demand(self, kind: str, word: str) -> None:
        if not self._skip(kind, word):
            at = self._peek_whole()[2]
            raise syntax_error(at, self._text)

    def _peek(self, ahead: int) -> str:
        place = self._place + ahead
        return self._tokens[place][1] if place < len(self._tokens) else ""

    def _peek_whole(self) -> tuple[str, str, int]:
        if self._place >= len(self._tokens):
            raise syntax_error(len(self._text), self._text)
        return self._tokens[self._place]

    def _next(self) -> tuple[str, str, int]:
        token = self._peek_whole()
        self._place += 1
        return token


def _converted(column: Column, kind: str, value: Any) -> Any:
    """Return a literal as the column keeps it.

    Raises:
        ValueError: it is of another type.
    """
    if column.type in LOOKUPS or column.type == "Uniqueidentifier":
        if not isinstance(value, str) or GUID.fullmatch(value) is None:
            raise ValueError(value)
        return value.lower()
    if column.type in TEXTS:
        if kind != "text":
            raise ValueError(value)
        return value
    if column.type == "DateTime":
        if kind not in {"day", "instant"}:
            raise ValueError(value)
        if column.day_only:
            return date.fromisoformat(value[:10]).isoformat()
        return as_instant(value).strftime("%Y-%m-%dT%H:%M:%SZ")
    if kind != ("flag" if column.type == "Boolean" else "number"):
        raise ValueError(value)
    return value if kind == "flag" else Decimal(value)


def _edm(column: Column) -> str:
    if column.type in LOOKUPS or column.type == "Uniqueidentifier":
        return "Edm.Guid"
    if column.type in TEXTS:
        return "Edm.String"
    if column.type == "Boolean":
        return "Edm.Boolean"
    if column.type == "DateTime":
        return "Edm.Date" if column.day_only else "Edm.DateTimeOffset"
    return "Edm.Decimal" if column.type in {"Money", "Decimal"} else "Edm.Int32"


def _plain(value: Any) -> Any:
    return _folded(value.id if isinstance(value, Target) else value)


def _folded(value: Any) -> Any:
    """Texts are compared without case, as the vendor's database does."""
    return value.casefold() if isinstance(value, str) else value


def _text_test(name: str, read: Reader, wanted: str) -> Test:
    def test(row: Record) -> bool:
        value = read(row)
        if not isinstance(value, str):
            return False
        match name:
            case "contains":
                return wanted in value
            case "startswith":
                return value.startswith(wanted)
            case _:
                return value.endswith(wanted)

    return test


def _compared(left: Reader, operator: str, right: Reader) -> Test:
    match operator:
        case "eq":
            return lambda row: left(row) == right(row)
        case "ne":
            return lambda row: left(row) != right(row)
    chosen = _ORDERS[operator]

    def test(row: Record) -> bool:
        one, other = left(row), right(row)
        return one is not None and other is not None and chosen(one, other)

    return test


_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "gt": lambda one, other: bool(one > other),
    "ge": lambda one, other: bool(one >= other),
    "lt": lambda one, other: bool(one < other),
    "le": lambda one, other: bool(one <= other),
}


def names_in(text: str) -> Sequence[str]:
    """Split a list of names at the commas outside of brackets and quotes."""
    parts, depth, start, quoted = [], 0, 0, False
    for place, sign in enumerate(text):
        if sign == "'":
            quoted = not quoted
        elif quoted:
            continue
        elif sign == "(":
            depth += 1
        elif sign == ")":
            depth -= 1
        elif sign == "," and depth == 0:
            parts.append(text[start:place].strip())
            start = place + 1
    parts.append(text[start:].strip())
    return [part for part in parts if part]
