"""The formula compiler: any text is compiled or refused; what is compiled is what its tree says."""

import sys
import tracemalloc
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import assume, example, given
from hypothesis import strategies as st
from searching import share

from mapping.formula import NODES_LIMIT, Formula, Shape, compile_cell
from mapping.functions import FUNCTIONS, FormulaError, Type
from mapping.mistake import Mistakes
from mapping.yaml12 import Node

DEAL = {
    "id": Type.TEXT,
    "amount": Type.NUMBER,
    "discount": Type.NUMBER,
    "close_date": Type.DATE,
    "name": Type.TEXT,
    "is_won": Type.TRUTH,
    "anything": Type.ANY,
}
NAMES = {
    "deal": Shape(DEAL),
    "company": Shape(),
    "lines": Shape({"amount": Type.NUMBER, "sku": Type.TEXT}, many=True),
    "cutover_date": Type.DATE,
    "status": Type.TEXT,
}
TABLES: Mapping[str, Any] = {
    "tax": {"DE": {"standard": "S19"}, "FR": {}},
    "size": {"A": Decimal(1), "B": Decimal("2.5")},
}
WORDS = (
    "deal . amount deal.amount deal.discount deal.name deal.close_date deal.anything deal.nothing company company.country "
    "lines lines.amount lines.sku cutover_date status ( ) [ ] { } , : ; + - * / // % ** @ << >> & | ^ ~ == != < <= > >= = := -> "
    "and or not in is if else for lambda await yield async True False None true null 0 1 12 0.5 1e5 0x1F 1_000 1j 007 "
    "'a' \"b\" b'c' f'{a}' r'd' '' ''' # \\ ` $ ? ! _ __class__ __import__ é ª ١ sum( round( join( lookup( 'tax' 'size' date( upper( "
    "min( max( abs( coalesce( strip( *a **b ... \n \r \t \x0c \x00 \ud800 ﬁ"
)  # fmt: skip
TOKENS = WORDS.split(" ")
CALLS_LIMIT = 60 * NODES_LIMIT  # functions that one evaluation may enter, with the few rows of here
MEMORY_LIMIT_BYTES = 8 * 1024 * 1024

SMALL = st.decimals(-999, 999, places=2)
VALUES = st.none() | SMALL | st.text("ab Ä", max_size=5) | st.booleans() | st.dates()
SCOPES = st.fixed_dictionaries(
    {
        "deal": st.fixed_dictionaries(
            {
                "id": st.just("901"),
                "amount": SMALL | st.none() | st.just("a text"),
                "discount": SMALL | st.none(),
                "close_date": st.dates() | st.none(),
                "name": st.text("aB é", max_size=4) | st.none(),
                "is_won": st.booleans() | st.none(),
                "anything": VALUES,
            }
        ),
        "company": st.just({"id": "31", "country": "DE"}) | st.just({"id": None, "country": None}),
        "lines": st.lists(
            st.fixed_dictionaries({"amount": SMALL, "sku": st.none() | st.just("C-1")}), max_size=3
        ),
        "cutover_date": st.dates(),
        "status": st.just("paid"),
    }
)


def compiled(text: str) -> Formula | None:
    """A formula, or None where it is refused with its place."""
    try:
        return compile_cell(Node(text, "m.yaml", 7), NAMES, TABLES)
    except Mistakes as wrong:
        said = str(wrong)
    assert said
    assert all(line.startswith("m.yaml:7: ") for line in said.split("\n"))
    return None


class Seen(dict[str, Any]):
    """A record that notes which of its fields were read."""

    def __init__(self, name: str, fields: Mapping[str, Any], noted: set[tuple[str, ...]]) -> None:
        super().__init__(fields)
        self._name, self._noted = name, noted

    def __getitem__(self, field: str) -> Any:
        self._noted.add((self._name, field))
        return super().__getitem__(field)


class Scope(dict[str, Any]):
    """A scope that notes which of its names and fields were read."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.noted: set[tuple[str, ...]] = set()
        super().__init__({name: self._watched(name, value) for name, value in values.items()})

    def _watched(self, name: str, value: Any) -> Any:
        if isinstance(value, list):
            return [Seen(name, row, self.noted) for row in value]
        return Seen(name, value, self.noted) if isinstance(value, Mapping) else value

    def __getitem__(self, name: str) -> Any:
        if not isinstance(NAMES[name], Shape):
            self.noted.add((name,))
        return super().__getitem__(name)


def evaluated(formula: Formula, values: Mapping[str, Any]) -> object:
    """The value, or FormulaError where it says that it cannot be computed; what it costs is bounded."""
    scope = Scope(values)
    tracemalloc.start()
    try:
        result, calls = _counted(lambda: formula.run(scope))
    except Exception:  # noqa: BLE001 (evaluate says below what it was, or lets it through)
        result, calls = None, 0
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert calls < CALLS_LIMIT
    assert peak < MEMORY_LIMIT_BYTES
    assert scope.noted <= set(formula.paths)
    try:
        again = formula.evaluate(Scope(values))
    except FormulaError as wrong:
        place = (wrong.file, wrong.line, bool(wrong.what))
    else:
        place = None
    if place is not None:
        assert place == ("m.yaml", 7, True)
        return FormulaError
    assert (again, type(again)) == (result, type(result))
    return again


def _counted(run: Callable[[], object]) -> tuple[object, int]:
    calls = 0

    def count(_frame: object, event: str, _arg: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        result = run()
    finally:
        sys.setprofile(None)
    return result, calls


@share(600)
@given(st.lists(st.sampled_from(TOKENS), max_size=25), st.sampled_from(["", " "]), SCOPES)
@example(["deal.amount", "*", "9" * 1500], " ", {"deal": {"amount": Decimal(2)}})
@example(
    ["join(status,", *["'" + "x" * 60 + "'", ","] * 25, "status)"], "", {"status": "s" * 9_000}
)
def test_any_tokens_are_compiled_or_refused_and_cost_little(tokens, between, values):
    formula = compiled("=" + between.join(tokens))
    if formula is not None:
        evaluated(formula, values)


@share(100)
@given(st.text(max_size=60))
def test_any_text_is_compiled_or_refused(text):
    compiled(f"={text}")


# -- trees, their text, and what they come to, told by the simplest interpreter ------------------


class Wrong(Exception):
    """The tree cannot be computed from these values."""


Tree = tuple[Any, ...]  # a head, then its parts
NUMBER_FIELDS = st.sampled_from([("field", "deal", "amount"), ("field", "deal", "discount")])
NUMBER_LEAVES = NUMBER_FIELDS | st.from_regex(r"(0|[1-9][0-9]{0,3})(\.[0-9]{1,3})?", fullmatch=True).map(
    lambda text: ("number", text)
) | st.just(("sum",))  # fmt: skip
TEXT_LEAVES = st.text("abÄ -", max_size=4).map(lambda text: ("text", text)) | st.sampled_from(
    [("field", "deal", "name"), ("field", "company", "country"), ("name", "status")]
)
DATE_LEAVES = st.sampled_from([("field", "deal", "close_date"), ("name", "cutover_date")]) | st.dates(
    date(2000, 1, 1), date(2099, 12, 31)
).map(
    lambda day: ("day", day)
)  # fmt: skip
TRUTH_LEAVES = st.sampled_from([("field", "deal", "is_won"), ("truth", True), ("truth", False)])


def _numbers(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    divisor = st.sampled_from(["2", "4", "5", "8", "10", "0"]).map(lambda text: ("number", text))
    return (
        st.tuples(st.sampled_from("+-*"), inner, inner)
        | st.tuples(st.just("/"), inner, divisor)
        | st.tuples(st.sampled_from(["neg", "abs"]), inner)
        | st.tuples(st.sampled_from(["min", "max", "coalesce", "or", "and"]), inner, inner)
        | st.tuples(st.just("round"), inner, st.integers(0, 4))
        | st.tuples(st.just("if"), truths(inner), inner, inner)
        | st.tuples(st.just("days"), DATE_LEAVES, DATE_LEAVES)
    )


def truths(numbers: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    orders = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
    return (
        TRUTH_LEAVES
        | st.tuples(st.just("chain"), numbers, orders, numbers, orders, numbers)
        | st.tuples(st.just("in"), numbers, numbers, numbers)
        | st.tuples(st.just("in"), TEXT_LEAVES, TEXT_LEAVES, TEXT_LEAVES)
        | st.tuples(st.just("missing"), NUMBER_FIELDS)
        | st.tuples(st.just("not"), TRUTH_LEAVES)
    )


NUMBERS = st.recursive(NUMBER_LEAVES, _numbers, max_leaves=8)
TEXTS = st.recursive(
    TEXT_LEAVES,
    lambda inner: (
        st.tuples(st.sampled_from(["upper", "lower", "strip"]), inner)
        | st.tuples(st.just("join"), inner, inner, NUMBERS)
        | st.tuples(st.just("join"), inner, DATE_LEAVES, TRUTH_LEAVES)
        | st.tuples(st.just("or"), inner, inner)
        | st.tuples(
            st.just("lookup"), st.sampled_from([("text", "A"), ("text", "B"), ("name", "status")])
        )
    ),
    max_leaves=5,
)
TREES = NUMBERS | TEXTS | truths(NUMBERS) | st.tuples(st.just("day+"), DATE_LEAVES, NUMBER_LEAVES)


def text_of(tree: Tree) -> str:
    """How a person writes the tree, each part in brackets."""
    match tree:
        case ("number", text):
            return str(text)
        case ("text", text):
            return f'"{text}"'
        case ("truth", flag):
            return str(flag)
        case ("day", day):
            return f'date("{day}")'
        case ("name", name):
            return str(name)
        case ("field", name, field):
            return f"{name}.{field}"
        case ("sum",):
            return "sum(lines.amount)"
        case ("round", part, places):
            return f"round({text_of(part)}, {places})"
        case ("if", test, then, other):
            return f"({text_of(then)} if {text_of(test)} else {text_of(other)})"
        case ("chain", a, first, b, second, c):
            return f"({text_of(a)} {first} {text_of(b)} {second} {text_of(c)})"
        case ("in", a, b, c):
            return f"({text_of(a)} in ({text_of(b)}, {text_of(c)}))"
        case ("missing", part):
            return f"({text_of(part)} is None)"
        case ("lookup", part):
            return f'lookup("size", {text_of(part)})'
        case ("not" | "neg" as head, part):
            return f"({'not' if head == 'not' else '-'} {text_of(part)})"
        case ("+" | "-" | "*" | "/" | "or" | "and" | "days" | "day+" as head, a, b):
            return f"({text_of(a)} {({'days': '-', 'day+': '+'}).get(head, head)} {text_of(b)})"
        case (head, *parts):
            return f"{head}({', '.join(map(text_of, parts))})"
    raise AssertionError(tree)


def told(tree: Tree, scope: Mapping[str, Any]) -> Any:
    """What the tree comes to; numbers are fractions, so that nothing is rounded."""
    match tree:
        case ("number", text):
            return Fraction(text)
        case ("text", held) | ("truth", held) | ("day", held):
            return held
        case ("name", name):
            return scope[name]
        case ("field", name, field):
            return _field(scope[name][field], DEAL.get(field))
        case ("sum",):
            return sum((Fraction(row["amount"]) for row in scope["lines"]), Fraction(0))
        case ("if", test, then, other):
            return told(then if told(test, scope) else other, scope)
        case ("or", a, b):
            return told(a, scope) or told(b, scope)
        case ("and", a, b):
            return told(a, scope) and told(b, scope)
        case ("chain", a, first, b, second, c):
            left, middle = told(a, scope), told(b, scope)
            return _ordered(left, first, middle) and _ordered(middle, second, told(c, scope))
        case (head, *parts):
            given_parts = [told(part, scope) if isinstance(part, tuple) else part for part in parts]
            return SIMPLE[head](*given_parts)
    raise AssertionError(tree)


def _field(value: Any, kind: Type | None) -> Any:
    if isinstance(value, str) and kind in (Type.NUMBER, Type.DATE, Type.TRUTH):
        raise Wrong
    return Fraction(value) if isinstance(value, Decimal) else value


def _ordered(a: Any, sign: str, b: Any) -> bool:
    if sign in ("==", "!="):
        return (a == b) is (sign == "==")
    if a is None or b is None:
        raise Wrong
    return bool({"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[sign])


def _numeric(compute: Callable[..., Fraction]) -> Callable[..., Fraction]:
    def checked(*values: Any) -> Fraction:
        if any(value is None for value in values):
            raise Wrong
        return _exact(compute(*values))

    return checked


def _exact(value: Fraction) -> Fraction:
    """A number of as many digits as formulas keep; a longer one is not compared."""
    digits = Decimal(10) ** 30 * Decimal(value.numerator) / Decimal(value.denominator)
    assume(digits == int(digits) and len(str(abs(value.numerator))) < 12)
    return value


def _divided(a: Fraction, b: Fraction) -> Fraction:
    if not b:
        raise Wrong
    return a / b


def _rounded(number: Fraction, places: int) -> Fraction:
    size = Fraction(int(abs(number) * 10**places + Fraction(1, 2)), 10**places)
    return -size if number < 0 else size


def _moved(day: date | None, days: Fraction | None) -> date:
    if day is None or days is None or days.denominator != 1:
        raise Wrong
    try:
        return day + timedelta(days=int(days))
    except OverflowError:
        raise Wrong from None


def _days(a: date | None, b: date | None) -> Fraction:
    if a is None or b is None:
        raise Wrong
    return Fraction((a - b).days)


def _worded(text: Any, change: Callable[[str], str]) -> str | None:
    if not isinstance(text, str | None):
        raise Wrong
    return None if text is None else change(text)


def _joined(between: Any, *parts: Any) -> str:
    if not isinstance(between, str):
        raise Wrong
    return between.join(said for said in map(_said, parts) if said)


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Fraction):
        text = f"{Decimal(value.numerator) / Decimal(value.denominator):f}"
        return "0" if not value else text.rstrip("0").rstrip(".") if "." in text else text
    return "" if value is None else str(value)


def _size(key: str) -> Fraction:
    if key not in TABLES["size"]:
        raise Wrong
    return Fraction(TABLES["size"][key])


SIMPLE: Mapping[str, Callable[..., Any]] = {
    "+": _numeric(lambda a, b: a + b),
    "-": _numeric(lambda a, b: a - b),
    "*": _numeric(lambda a, b: a * b),
    "/": _numeric(_divided),
    "neg": _numeric(lambda a: -a),
    "abs": _numeric(abs),
    "min": _numeric(min),
    "max": _numeric(max),
    "round": _numeric(_rounded),
    "coalesce": lambda a, b: b if a is None else a,
    "not": lambda a: not a,
    "in": lambda a, b, c: a in (b, c),
    "missing": lambda a: a is None,
    "upper": lambda a: _worded(a, str.upper),
    "lower": lambda a: _worded(a, str.lower),
    "strip": lambda a: _worded(a, str.strip),
    "join": _joined,
    "lookup": _size,
    "days": _days,
    "day+": _moved,
}


@share(800)
@given(TREES, SCOPES)
def test_a_formula_comes_to_what_its_tree_says(tree, scope):
    formula = compiled(f"={text_of(tree)}")
    assume(formula is not None)  # a type that is known to be wrong is refused beforehand
    try:
        expected = told(tree, scope)
    except Wrong:
        expected = FormulaError
    result = evaluated(formula, scope)
    shown = Fraction(result) if isinstance(result, Decimal) else result
    assert (shown, type(shown)) == (expected, type(expected))


def test_every_function_is_in_the_trees_or_known_to_be_left_out():
    heads = set(SIMPLE) | {"sum", "date"}
    assert set(FUNCTIONS) <= heads
