"""What follows ``=``: Python's own grammar, cut to a closed list, compiled once to plain code.

Names and dots are look-ups in dicts, never attributes; numbers are Decimals, never floats; nothing
can loop, call a method or reach a builtin. What is not on the list is refused when the file is
loaded, with the line. A value that a record lacks is a ``FormulaError`` that names it.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, DivisionByZero
from typing import Any, Final, NoReturn, TypeAlias

from mapping.functions import (
    EXACT,
    FUNCTIONS,
    FormulaError,
    Type,
    ValueMissing,
    column,
    minus,
    plus,
    typed,
)
from mapping.mistake import Mistake, Mistakes, nearest
from mapping.yaml12 import Node
from tieout.model.errors import ValueRefused

CHARS_LIMIT = 2_000
NODES_LIMIT = 300
DEPTH_LIMIT = 60


@dataclass(frozen=True, slots=True)
class Shape:
    """A name that holds fields: a record, or (``many``) rows whose fields are columns.

    ``fields`` None means that any field may be asked for.
    """

    fields: Mapping[str, Type] | None = None
    many: bool = False


Names: TypeAlias = Mapping[str, Type | Shape]
Scope: TypeAlias = Mapping[str, Any]  # name -> value, dict of fields, or list of such dicts
Path: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Formula:
    """One compiled cell. A constant is a formula that needs nothing."""

    text: str
    file: str
    line: int
    gives: Type
    paths: tuple[Path, ...]  # what it asks for: ("deal", "amount")
    run: Callable[[Scope], Any]

    @property
    def is_constant(self) -> bool:
        """Whether the cell says the value itself."""
        return not self.text.startswith("=")

    def evaluate(self, scope: Scope) -> Any:
        """Return the value for one record.

        Raises:
            FormulaError: a value is missing, of the wrong type or out of range, named.
        """
        try:
            return self.run(scope)
        except FormulaError as wrong:
            raise self.error(wrong.what) from wrong
        except ValueRefused as wrong:
            raise self.error(wrong.what) from wrong
        except (TypeError, KeyError) as wrong:
            lacking = self._lacking(scope)
            if lacking:
                raise self.error(lacking, ValueMissing) from wrong
            raise self.error(_unusable(wrong)) from wrong
        except DivisionByZero as wrong:
            raise self.error("a division by zero") from wrong
        except (ArithmeticError, ValueError) as wrong:
            raise self.error("a number or date that no books can hold") from wrong

    def error(self, what: str, kind: type[FormulaError] = FormulaError) -> FormulaError:
        """An error in this cell."""
        return kind(what, file=self.file, line=self.line, text=self.text)

    def sources(self, scope: Scope) -> dict[str, Any]:
        """What the formula saw: each path and its value."""
        return {".".join(path): _value_at(scope, path) for path in self.paths}

    def _lacking(self, scope: Scope) -> str:
        lacking = [name for name, value in self.sources(scope).items() if _is_missing(value)]
        verb = "is" if len(lacking) == 1 else "are"
        return f"{' and '.join(lacking)} {verb} missing" if lacking else ""


def compile_cell(
    node: Node, names: Names, tables: Mapping[str, Any] | None = None, wanted: Type = Type.ANY
) -> Formula:
    """Return the compiled formula of a cell, or the constant that it holds.

    Args:
        node: the cell; a formula is a text that starts with ``=``.
        names: what may be asked for, and its type.
        tables: what ``lookup`` may be asked, as nested dicts with text keys.
        wanted: the type that the value must have, when it is known beforehand.

    Raises:
        Mistakes: it is not in the grammar, names what is not there, or gives another type.
    """
    if isinstance(node.value, str) and node.value.startswith("="):
        formula = _Compiler(node, names, tables or {}).formula()
    elif node.entries is not None or node.items is not None:
        raise Mistakes([node.mistake("one value is needed here, not a list or mapping")])
    else:
        formula = _constant(node)
    if not fits(formula.gives, wanted):
        hint = "quote it" if wanted is Type.TEXT and formula.is_constant else ""
        raise Mistakes([node.mistake(f"{formula.text} is {formula.gives}, not {wanted}", hint)])
    return formula


def fits(given: Type, wanted: Type) -> bool:
    """Whether a value of one type may stand where another is wanted; what is unknown may."""
    return given is wanted or Type.ANY in (given, wanted) or given is Type.NOTHING


def type_of(value: object) -> Type:
    """Return the type of a scalar."""
    if isinstance(value, bool):
        return Type.TRUTH
    if isinstance(value, int | Decimal):
        return Type.NUMBER
    if isinstance(value, datetime):
        return Type.INSTANT
    if isinstance(value, date):
        return Type.DATE
    return Type.NOTHING if value is None else Type.TEXT


def _constant(node: Node) -> Formula:
    value = node.value
    if isinstance(value, int) and not isinstance(value, bool):
        value = Decimal(value)
    return Formula(str(node.value), node.file, node.line, type_of(value), (), lambda _scope: value)


# -- compiling --------------------------------------------------------------------------------

_CHOOSING: Final = frozenset({"case", "choose", "iif", "replace", "switch"})  # by other names
_CHECKED: Final = frozenset({Type.NUMBER, Type.DATE, Type.TRUTH})
"""Types that a text never stands for: a flag that is a text would be true whatever it says."""
_PLAIN_NUMBER = re.compile(r"\d+(\.\d+)?", re.ASCII)
_SCOPE: Final = "_"  # a formula cannot write a name that starts with _
_GLOBALS: Final[Mapping[str, Any]] = {
    "__builtins__": {},
    "_plus": plus,
    "_minus": minus,
    "_times": EXACT.multiply,
    "_over": EXACT.divide,
    "_negative": EXACT.minus,
    "_column": column,
    "_typed": typed,
    **{f"_{name}": function.call for name, function in FUNCTIONS.items()},
}
_OPERATORS: Final = {
    ast.Add: ("+", "_plus"),
    ast.Sub: ("-", "_minus"),
    ast.Mult: ("*", "_times"),
    ast.Div: ("/", "_over"),
}
_COMPARISONS: Final = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_REFUSED: Final = {
    ast.Lambda: "lambda",
    ast.ListComp: "a loop",
    ast.SetComp: "a loop",
    ast.DictComp: "a loop",
    ast.GeneratorExp: "a loop",
    ast.NamedExpr: ":=",
    ast.JoinedStr: "an f-text (use join)",
    ast.Subscript: "[…]",
    ast.Dict: "{…}",
    ast.Set: "{…}",
    ast.Await: "await",
    ast.Starred: "*",
}
_QUOTE_HINT: Final = (
    "put a formula that holds `: `, ` #` or, inside {…} and […], a comma in single quotes: '=…'"
)


class _Compiler:
    """Turns one checked formula into a function of its scope."""

    def __init__(self, node: Node, names: Names, tables: Mapping[str, Any]) -> None:
        self.node = node
        self.text = str(node.value)
        self.names = names
        self.tables = tables
        self.bound: dict[str, Any] = {}  # numbers and tables, under names no formula can write
        self.paths: dict[Path, None] = {}
        self.mistakes: list[Mistake] = []

    def formula(self) -> Formula:
        body, gives = self.value(self.parsed().body, 0)
        if self.mistakes:
            raise Mistakes(self.mistakes)
        if gives is Type.COLUMN:
            self.refuse("a column is many values", "use sum, min, max or join over single values")
        return Formula(
            self.text, self.node.file, self.node.line, gives, tuple(self.paths), self.code(body)
        )

    def parsed(self) -> ast.Expression:
        source = self.text[1:].replace("\n", " ").strip()
        if len(source) > CHARS_LIMIT:
            self.refuse(f"a formula longer than {CHARS_LIMIT} characters", "use a table")
        if "\\" in source:
            self.refuse("a formula has no backslash")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # what Python would only frown at is refused
                tree = ast.parse(source, mode="eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError) as wrong:
            self.refuse(f"{_short(self.text)} is not a formula: {_syntax(wrong)}", _QUOTE_HINT)
        nodes = list(ast.walk(tree))
        if len(nodes) > NODES_LIMIT:
            self.refuse(f"a formula of more than {NODES_LIMIT} parts", "use a table")
        quoted = [node.value for node in nodes if isinstance(node, ast.Constant)]
        if source.count("#") != sum(held.count("#") for held in quoted if isinstance(held, str)):
            self.refuse("a formula has no # outside of a text")
        self.source = source
        return tree

    def code(self, body: ast.expr) -> Callable[[Scope], Any]:
        only = ast.arguments(
            posonlyargs=[], args=[ast.arg(_SCOPE)], kwonlyargs=[], kw_defaults=[], defaults=[]
        )
        tree = ast.fix_missing_locations(ast.Expression(ast.Lambda(args=only, body=body)))
        compiled = compile(tree, f"{self.node.where} {_short(self.text)}", "eval")
        made: Callable[[Scope], Any] = eval(  # noqa: S307 (built above from the closed list only)
            compiled, {**_GLOBALS, **self.bound}
        )
        return made

    def value(  # noqa: C901 (one case for each part of the grammar)
        self, node: ast.expr, depth: int
    ) -> tuple[ast.expr, Type]:
        """Return the code and type of one part; a mistake is kept and stands as None."""
        if depth > DEPTH_LIMIT:
            self.refuse(f"a formula nested deeper than {DEPTH_LIMIT}")
        match node:
            case ast.Constant(value=value):
                return self.literal(node, value)
            case ast.Name() | ast.Attribute():
                return self.named(node)
            case ast.BinOp(left=left, op=op, right=right):
                return self.arithmetic(op, [left, right], depth)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                code, _ = self.value(operand, depth + 1)
                return ast.UnaryOp(ast.Not(), code), Type.TRUTH
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                code, kind = self.value(operand, depth + 1)
                self.demand(kind, Type.NUMBER, "-")
                return _call("_negative", code), Type.NUMBER
            case ast.BoolOp(op=op, values=values):
                parts = [self.value(part, depth + 1) for part in values]
                return ast.BoolOp(op, [code for code, _ in parts]), _common(parts)
            case ast.IfExp(test=test, body=then, orelse=other):
                asked, _ = self.value(test, depth + 1)
                parts = [self.value(then, depth + 1), self.value(other, depth + 1)]
                return ast.IfExp(asked, parts[0][0], parts[1][0]), _common(parts)
            case ast.Compare():
                return self.comparison(node, depth)
            case ast.Call():
                return self.called(node, depth)
        what = _REFUSED.get(type(node), type(node).__name__)
        return self.wrong(f"{what} is not part of a formula")

    def literal(self, node: ast.Constant, value: object) -> tuple[ast.expr, Type]:
        if value is None or isinstance(value, bool | str):
            return ast.Constant(value), type_of(value)
        written = ast.get_source_segment(self.source, node) or ""
        if not _PLAIN_NUMBER.fullmatch(written):
            return self.wrong(f"{written[:40]} is not a plain number", "write 0.5 or 12")
        return self.held(Decimal(written)), Type.NUMBER

    def held(self, value: object) -> ast.expr:
        name = f"_held{len(self.bound)}"
        self.bound[name] = value
        return _load(name)

    def named(self, node: ast.expr) -> tuple[ast.expr, Type]:
        path = _path(node)
        if path is None:
            return self.wrong("a dot follows a name only", "dots name fields: deal.amount")
        hidden = next((part for part in path if part.startswith("_")), None)
        if hidden:
            return self.wrong(f"{hidden} is not a name of a formula")
        return self.looked_up(path)

    def looked_up(self, path: Path) -> tuple[ast.expr, Type]:
        name = path[0]
        known = self.names.get(name)
        if known is None:
            return self.unknown_name(name)
        if len(path) > 2 or (len(path) == 2 and not isinstance(known, Shape)):
            return self.wrong(f"{'.'.join(path)} has a dot too many", "write record.field")
        code = ast.Subscript(_load(_SCOPE), ast.Constant(name), ast.Load())
        if not isinstance(known, Shape):
            self.paths.setdefault(path)
            return code, known
        if len(path) == 1:
            return self.wrong(f"{name} is a record", f"name a field of it, as {name}.id")
        field = path[1]
        if known.fields is not None and field not in known.fields:
            return self.wrong(f"no field {field!r} in {name}", nearest(field, known.fields))
        self.paths.setdefault(path)
        kind = Type.ANY if known.fields is None else known.fields[field]
        if known.many:
            named = [ast.Constant(name), ast.Constant(kind.value)] if kind in _CHECKED else []
            return _call("_column", code, ast.Constant(field), *named), Type.COLUMN
        value = ast.Subscript(code, ast.Constant(field), ast.Load())
        if kind in _CHECKED:
            return _call(
                "_typed", value, ast.Constant(".".join(path)), ast.Constant(kind.value)
            ), kind
        return value, kind

    def unknown_name(self, name: str) -> tuple[ast.expr, Type]:
        words = {"true": "True", "false": "False", "null": "None", "none": "None"}
        if name in words:
            return self.wrong(f"{name} is not a word of formulas", f"write {words[name]}")
        if name in FUNCTIONS:
            return self.wrong(f"{name} is a function", f"write {name}(…)")
        return self.wrong(f"nothing is named {name!r}", nearest(name, self.names))

    def arithmetic(
        self, op: ast.operator, sides: Sequence[ast.expr], depth: int
    ) -> tuple[ast.expr, Type]:
        if type(op) not in _OPERATORS:
            return self.wrong(f"the operator {type(op).__name__} is not part of a formula")
        sign, function = _OPERATORS[type(op)]
        (left, first), (right, second) = (self.value(side, depth + 1) for side in sides)
        if Type.DATE in (first, second) and sign in "+-":
            return _call(function, left, right), self.of_dates(sign, first, second)
        for kind in (first, second):
            self.demand(kind, Type.NUMBER, sign)
        gives = Type.ANY if sign in "+-" and first is Type.ANY else Type.NUMBER
        return _call(function, left, right), gives

    def of_dates(self, sign: str, first: Type, second: Type) -> Type:
        if first is Type.DATE and fits(second, Type.NUMBER):
            return Type.ANY if second is Type.ANY else Type.DATE
        if sign == "-" and fits(first, Type.DATE):
            return Type.NUMBER
        self.wrong(f"{first} {sign} {second}", "a date and whole days, or the days between dates")
        return Type.ANY

    def comparison(self, node: ast.Compare, depth: int) -> tuple[ast.expr, Type]:
        left, kind = self.compared(node.left, depth)
        sides: list[ast.expr] = []
        for op, side in zip(node.ops, node.comparators, strict=True):
            if isinstance(op, ast.Is | ast.IsNot):
                if not (isinstance(side, ast.Constant) and side.value is None):
                    self.wrong("`is` only asks for None", "use == to compare")
                if isinstance(left, ast.Constant):
                    self.wrong("a constant is compared with None")
                sides.append(ast.Constant(None))
                continue
            if isinstance(op, ast.In | ast.NotIn):
                sides.append(self.choices(side, depth))
                continue
            code, other = self.compared(side, depth)
            if not isinstance(op, _COMPARISONS):  # pragma: no cover (a later Python's)
                self.wrong("a comparison that is not part of a formula")
            if not (fits(kind, other) or other is Type.NOTHING):
                self.wrong(f"{kind} is compared with {other}", "they are never equal")
            sides.append(code)
            kind = other
        return ast.Compare(left, node.ops, sides), Type.TRUTH

    def compared(self, node: ast.expr, depth: int) -> tuple[ast.expr, Type]:
        """A record may be compared with None: it is missing when its id is."""
        shape = self.names.get(node.id) if isinstance(node, ast.Name) else None
        if isinstance(node, ast.Name) and isinstance(shape, Shape) and not shape.many:
            return self.looked_up((node.id, "id"))[0], Type.ANY
        return self.value(node, depth + 1)

    def choices(self, node: ast.expr, depth: int) -> ast.expr:
        if isinstance(node, ast.Tuple | ast.List):
            return ast.Tuple([self.value(one, depth + 1)[0] for one in node.elts], ast.Load())
        code, kind = self.value(node, depth + 1)
        if kind not in (Type.TEXT, Type.ANY, Type.COLUMN):
            self.wrong(f"`in` looks into {kind}", 'write x in ("a", "b")')
        return code

    def called(self, node: ast.Call, depth: int) -> tuple[ast.expr, Type]:
        if isinstance(node.func, ast.Attribute):
            method = node.func.attr
            hint = f"write {method}(…)" if method in FUNCTIONS else ""
            return self.wrong(f".{method}(…) is not part of a formula", hint)
        if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS:
            name = node.func.id if isinstance(node.func, ast.Name) else "that"
            hint = "write x if y else z" if name in _CHOOSING else nearest(name, FUNCTIONS)
            return self.wrong(f"no function {_short(name)!r}", hint)
        name = node.func.id
        if node.keywords or any(isinstance(arg, ast.Starred) for arg in node.args):
            return self.wrong(f"{name} takes plain values only", f"write {name}(a, b)")
        function, count = FUNCTIONS[name], len(node.args)
        if count < function.required or (count > len(function.takes) and not function.repeats):
            most = "or more" if function.repeats else f"to {len(function.takes)}"
            return self.wrong(f"{name} takes {function.required} {most} values, not {count}")
        if name == "lookup":
            return self.lookup(node.args, depth)
        codes = []
        for n, arg in enumerate(node.args):
            code, kind = self.value(arg, depth + 1)
            takes = function.takes[min(n, len(function.takes) - 1)]
            columns = kind is Type.COLUMN and (takes is Type.ANY and name in ("min", "max"))
            if not columns:
                self.demand(kind, takes, name)
            codes.append(code)
        return _call(f"_{name}", *codes), function.gives

    def lookup(self, args: Sequence[ast.expr], depth: int) -> tuple[ast.expr, Type]:
        named = args[0].value if isinstance(args[0], ast.Constant) else None
        if not isinstance(named, str):
            return self.wrong("lookup names its table as a text", 'write lookup("table", key)')
        table = self.tables.get(named)
        if not isinstance(table, Mapping):
            return self.wrong(f"no table {named!r}", nearest(named, self.tables))
        keys = [self.value(arg, depth + 1)[0] for arg in args[1:]]
        kinds = {type_of(leaf) for leaf in _leaves(table)}
        gives = kinds.pop() if len(kinds) == 1 else Type.ANY
        return _call("_lookup", ast.Constant(named), self.held(table), *keys), gives

    def demand(self, kind: Type, wanted: Type, used_by: str) -> None:
        many = kind is Type.COLUMN and wanted is not Type.COLUMN
        missing = kind is Type.NOTHING and wanted is Type.NUMBER
        if many or missing or not fits(kind, wanted):
            self.wrong(f"{used_by} needs {wanted}, not {kind}")

    def wrong(self, what: str, hint: str = "") -> tuple[ast.expr, Type]:
        self.mistakes.append(self.node.mistake(what, hint))
        return ast.Constant(None), Type.ANY

    def refuse(self, what: str, hint: str = "") -> NoReturn:
        self.wrong(what, hint)
        raise Mistakes(self.mistakes)


def _load(name: str) -> ast.expr:
    return ast.Name(name, ast.Load())


def _call(name: str, *args: ast.expr) -> ast.expr:
    return ast.Call(_load(name), list(args), [])


def _path(node: ast.expr) -> Path | None:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return (node.id, *reversed(parts)) if isinstance(node, ast.Name) else None


def _common(parts: Sequence[tuple[ast.expr, Type]]) -> Type:
    kinds = {kind for _, kind in parts} - {Type.NOTHING}
    return kinds.pop() if len(kinds) == 1 else Type.ANY


def _leaves(table: Mapping[str, Any]) -> list[Any]:
    leaves: list[Any] = []
    for entry in table.values():
        leaves.extend(_leaves(entry) if isinstance(entry, Mapping) else [entry])
    return leaves


def _value_at(scope: Scope, path: Path) -> Any:
    value: Any = scope
    for part in path:
        if isinstance(value, list):
            value = [row.get(part) for row in value]
        else:
            value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, list) and any(held is None for held in value))


def _unusable(wrong: Exception) -> str:
    said = str(wrong)
    return said if " needs " in said else "values of different kinds are put together"


def _syntax(wrong: BaseException) -> str:
    at = wrong.offset if isinstance(wrong, SyntaxError) else None
    said = wrong.msg if isinstance(wrong, SyntaxError) else "it cannot be read"
    return f"{said} (column {at + 1})" if at else said


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else f"{text[:60]}…"
