"""A formula is exact, fast and closed: what is not on the list is refused when the file loads."""

import time
import tracemalloc
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.formula import (
    CHARS_LIMIT,
    DEPTH_LIMIT,
    NODES_LIMIT,
    Formula,
    Shape,
    compile_cell,
)
from mapping.functions import FUNCTIONS, FormulaError, Type
from mapping.mistake import Mistakes
from mapping.yaml12 import Node

NAMES = {
    "deal": Shape(
        {
            "id": Type.TEXT,
            "amount": Type.NUMBER,
            "discount": Type.NUMBER,
            "close_date": Type.DATE,
            "name": Type.TEXT,
            "is_won": Type.TRUTH,
            "anything": Type.ANY,
        }
    ),
    "company": Shape(),
    "contact": Shape({"id": Type.TEXT, "email": Type.TEXT}),
    "lines": Shape({"amount": Type.NUMBER, "sku": Type.TEXT}, many=True),
    "cutover_date": Type.DATE,
    "status": Type.TEXT,
}
SCOPE = {
    "deal": {
        "id": "901",
        "amount": Decimal("1900.00"),
        "discount": None,
        "close_date": date(2026, 3, 31),
        "name": " Rollout ",
        "is_won": True,
        "anything": "text",
    },
    "company": {"id": "31", "country": "DE", "currency": None},
    "contact": {"id": None, "email": None},
    "lines": [{"amount": Decimal("1500.00"), "sku": "C"}, {"amount": Decimal(400), "sku": None}],
    "cutover_date": date(2026, 1, 1),
    "status": "paid",
}
TABLES = {
    "tax": {"DE": {"standard": "S19"}, "FR": {}},
    "classes": {"default": "Services", "7": Decimal(19)},
}


def compiled(text: str, **more: object) -> Formula:
    return compile_cell(Node(text, "m.yaml", 7), NAMES, TABLES, **more)


def value(text: str) -> object:
    return compiled(text).evaluate(SCOPE)


def refusal(text: str, **more: object) -> str:
    with pytest.raises(Mistakes) as caught:
        compiled(text, **more)
    return str(caught.value)


def failure(text: str) -> str:
    with pytest.raises(FormulaError) as caught:
        value(text)
    assert (caught.value.file, caught.value.line) == ("m.yaml", 7)
    return caught.value.what


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("=deal.amount * 1.2", Decimal("2280.000")),
        ("=0.1 + 0.2", Decimal("0.3")),
        ("=1 / 4", Decimal("0.25")),
        ("=-deal.amount", Decimal("-1900.00")),
        ("=deal.amount - 1 * 2", Decimal("1898.00")),
        ("=sum(lines.amount) == deal.amount", True),
        ("=round(2.345, 2)", Decimal("2.35")),
        ("=round(-2.345, 2)", Decimal("-2.35")),
        ("=round(2.5)", Decimal(3)),
        (
            '=join(" ", "HubSpot deal", deal.id, strip(deal.name), contact.email)',
            "HubSpot deal 901 Rollout",
        ),
        ('=join("-", 1.50, 10, deal.is_won, deal.close_date)', "1.5-10-true-2026-03-31"),
        ('=lookup("tax", company.country, contact.email or "standard")', "S19"),
        ('=lookup("classes", 7)', Decimal(19)),
        ('=date("2026-02-28") + 1', date(2026, 3, 1)),
        ("=deal.close_date + 30", date(2026, 4, 30)),
        ("=deal.close_date - 31", date(2026, 2, 28)),
        ("=deal.close_date - cutover_date", Decimal(89)),
        ("=date(deal.close_date)", date(2026, 3, 31)),
        ("=upper(strip(deal.name))", "ROLLOUT"),
        ("=lower(deal.name)", " rollout "),
        ("=upper(contact.email)", None),
        ("=min(deal.amount, 1000)", Decimal(1000)),
        ("=max(lines.amount)", Decimal("1500.00")),
        ("=abs(0 - 5)", Decimal(5)),
        ("=coalesce(deal.discount, 0)", Decimal(0)),
        ("=deal.discount or 0", Decimal(0)),
        ("=contact.email", None),
        ("=contact is None", True),
        ("=company is not None", True),
        ("=contact.email is None and not deal.discount", True),
        ('=company.country in ("DE", "AT")', True),
        ('=company.country not in ["NO"]', True),
        ('="ollo" in deal.name', True),
        ('="C" in lines.sku', True),
        ("=1 if deal.is_won else 2", Decimal(1)),
        ("=1 < deal.amount <= 1900", True),
        ("=deal.is_won and deal.close_date >= cutover_date", True),
        ('=deal.name == "a # b"', False),
        ("=status", "paid"),
        ("= ( deal.amount\n + 1 )", Decimal("1901.00")),
        ("plain text", "plain text"),
        (5, Decimal(5)),
        (None, None),
        (True, True),
    ],
)
def test_a_cell_gives_the_exact_value(text: str, expected: object) -> None:
    given_value = value(text)
    assert (given_value, type(given_value)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("=deal.discount * 2", "deal.discount is missing"),
        ("=deal.discount / company.currency", "deal.discount and company.currency are missing"),
        ("=deal.amount / 0", "a division by zero"),
        ("=deal.anything * 2", "values of different kinds are put together"),
        ("=deal.anything + deal.anything", "values of different kinds are put together"),
        ("=round(deal.anything, 2)", "round needs a number"),
        ("=round(1.5, 0.5)", "round takes 0 to 12 decimals, whole"),
        ("=round(1.5, 13)", "round takes 0 to 12 decimals, whole"),
        ("=upper(company.nothing)", "company.nothing is missing"),
        ("=upper(deal.amount or company.id)", "upper needs a text"),
        ("=sum(company.id)", "sum needs a column"),
        ("=sum(lines.sku)", "lines.sku is missing"),
        ("=deal.close_date + 0.5", "a date moves by whole days"),
        ("=deal.close_date + 99999999", "a number or date that no books can hold"),
        ('=date("2026-02-30")', "'2026-02-30' is not a day of the calendar."),
        ('=lookup("tax", "NO", "standard")', "tax has no entry for NO / standard"),
        ('=lookup("tax", contact.email)', "tax has no entry for (missing)"),
        ('=lookup("tax", "DE")', "tax has several entries for DE: it needs one more key"),
        ('=lookup("classes", "default", "x")', "classes has no entry for default / x"),
        ("=min(contact.email, 5)", "contact.email is missing"),
        ("=" + "*".join(["99999999999999999999"] * 9), "a number or date that no books can hold"),
    ],
)
def test_what_cannot_be_computed_is_said_in_words(text: str, said: str) -> None:
    assert failure(text) == said


def test_an_empty_column_has_no_smallest() -> None:
    with pytest.raises(FormulaError, match="min of nothing"):
        compiled("=min(lines.amount)").evaluate({**SCOPE, "lines": []})


def test_a_joined_text_has_a_limit() -> None:
    scope = {**SCOPE, "deal": {**SCOPE["deal"], "name": "x" * 15_000}}
    with pytest.raises(FormulaError, match="longer than 20000"):
        compiled('=join("", deal.name, deal.name)').evaluate(scope)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("=deal.amuont", "no field 'amuont' in deal; did you mean amount?"),
        ("=contact.zzz", "no field 'zzz' in contact; there is: email, id"),
        ("=dael.amount", "nothing is named 'dael'; did you mean deal?"),
        ("=true", "true is not a word of formulas; write True"),
        ("=sum", "sum is a function; write sum(…)"),
        ("=deal", "deal is a record; name a field of it, as deal.id"),
        ("=lines.amount", "a column is many values"),
        ("=deal.amount.x", "deal.amount.x has a dot too many"),
        ("=status.x", "status.x has a dot too many"),
        ("=deal.name * 2", "* needs a number, not a text"),
        ("=None + 2", "+ needs a number, not nothing"),
        ("=lines.amount + 1", "+ needs a number, not a column"),
        ("=deal.close_date + deal.name", "a date + a text"),
        ("=deal.id == 901", "a text is compared with a number; they are never equal"),
        ("=deal.is_won is True", "`is` only asks for None"),
        ('="a" is None', "a constant is compared with None"),
        ("=deal.id in 5", "`in` looks into a number"),
        ("=round()", "round takes 1 to 2 values, not 0"),
        ("=join(1)", "join takes 2 or more values, not 1"),
        ("=upper(deal.amount)", "upper needs a text, not a number"),
        ("=sum(deal.amount)", "sum needs a column, not a number"),
        ("=-deal.name", "- needs a number, not a text"),
        ("=len(deal.name)", "no function 'len'"),
        ('=replace(deal.name, "a", "b")', "no function 'replace'; write x if y else z"),
        ("=lookup(deal.name, 1)", "lookup names its table as a text"),
        ('=lookup("taxes", 1)', "no table 'taxes'; did you mean tax?"),
        ("=1e5", "1e5 is not a plain number"),
        ("=0x10", "0x10 is not a plain number"),
        ("=1_000", "1_000 is not a plain number"),
        ("=2 % 3", "the operator Mod is not part of a formula"),
        ("=~1", "UnaryOp is not part of a formula"),
        ("=deal.name[0]", "[…] is not part of a formula"),
        ("=deal.amount # + 5", "a formula has no # outside of a text"),
        ("=b'x'", "b'x' is not a plain number"),
        ("=...", "... is not a plain number"),
        ("=round(deal.amount", "is not a formula"),
        ("=1if True else 2", "is not a formula"),
        ("=", "is not a formula"),
        ("=round(x=1)", "round takes plain values only"),
        ("=round(*lines)", "round takes plain values only"),
        ("=sum(lines.amount)(1)", "no function 'that'"),
        ("=(1).x", "a dot follows a name only"),
        ("=1\0", "is not a formula"),
        ('="a\\x00"', "a formula has no backslash"),
    ],
)
def test_what_is_not_in_the_grammar_is_refused_with_its_line(text: str, said: str) -> None:
    shown = refusal(text)
    assert shown.startswith("m.yaml:7: ")
    assert said in shown


def test_two_mistakes_of_one_formula_are_both_shown() -> None:
    assert refusal("=deal.amuont + dael.x").count("m.yaml:7") == 2


def test_a_cell_of_another_type_than_wanted_is_refused() -> None:
    assert (
        refusal("=deal.amount", wanted=Type.DATE)
        == "m.yaml:7: =deal.amount is a number, not a date"
    )
    assert refusal(901, wanted=Type.TEXT) == "m.yaml:7: 901 is a number, not a text; quote it"
    assert compiled("=deal.anything", wanted=Type.DATE).gives is Type.ANY


def test_a_list_is_no_cell() -> None:
    assert refusal(()) == "m.yaml:7: one value is needed here, not a list or mapping"


@pytest.mark.parametrize(
    "hostile",
    [
        "__import__('os').system('id')",
        "().__class__.__bases__[0].__subclasses__()",
        "open('/etc/passwd').read()",
        "deal.__class__.__mro__",
        "company.__class__",
        "deal.name.upper()",
        "9**9**9",
        "'a' * 1000000000",
        "'a'" + " * 99" * 60,
        "[x for x in lines]",
        "(lambda: 1)()",
        "f'{deal}'",
        "exec('1')",
        "(x := 1)",
        "{**deal}",
        "(" * 900 + "1" + ")" * 900,
        "-" * 1900 + "1",
        "not " * 400 + "1",
        "deal" + ".a" * 900,
        "1" + "+1" * 400,
        "1 if 1 else " * 100 + "1",
        "'" + "x" * CHARS_LIMIT + "'",
    ],
)
def test_hostile_formulas_are_refused_when_the_file_loads(hostile: str) -> None:
    began = time.perf_counter()
    tracemalloc.start()
    try:
        assert refusal("=" + hostile).startswith("m.yaml:7: ")
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
    assert time.perf_counter() - began < 2


def test_what_runs_knows_no_builtin() -> None:
    assert compiled("=deal.amount * 2").run.__globals__["__builtins__"] == {}


def test_a_text_is_never_repeated_by_a_number_from_a_record() -> None:
    for numbers in ({"a": "x", "b": 10**9}, {"a": "x", "b": True}, {"a": [1], "b": 10**9}):
        with pytest.raises(FormulaError):
            compiled("=company.a * company.b").evaluate({**SCOPE, "company": numbers})


def test_a_float_never_comes_out() -> None:
    assert compiled("=company.a / company.b").evaluate({"company": {"a": 1, "b": 4}}) == Decimal(
        "0.25"
    )
    with pytest.raises(FormulaError):
        compiled("=company.a + 1").evaluate({"company": {"a": 1.5}})


def test_limits_are_as_named() -> None:
    assert value("=" + "+".join(["1"] * DEPTH_LIMIT)) == Decimal(DEPTH_LIMIT)
    assert value("=" + "-" * DEPTH_LIMIT + "1") == Decimal(1)
    assert "nested deeper" in refusal("=" + "-" * (DEPTH_LIMIT + 1) + "1")
    assert "more than 300 parts" in refusal("=" + "+".join(["1"] * NODES_LIMIT))


def test_a_formula_tells_what_it_reads() -> None:
    formula = compiled("=deal.amount * 2 if contact.email else status")
    assert set(formula.paths) == {("contact", "email"), ("deal", "amount"), ("status",)}
    assert formula.sources(SCOPE)["deal.amount"] == Decimal("1900.00")


def test_every_function_has_an_entry_and_an_example() -> None:
    for name, function in FUNCTIONS.items():
        assert f"={name}(" in function.doc


NEAR_FORMULAS = st.lists(
    st.sampled_from(
        [
            *"()+-*/<>=.,'\"[]{}:#@!~ ",
            "deal.amount",
            "deal",
            "lines.amount",
            "company.x",
            "1",
            "2.5",
            "9" * 30,
            " and ",
            " or ",
            " not ",
            " if ",
            " else ",
            " in ",
            " is None",
            "lambda",
            "**",
            "==",
            *(f"{name}(" for name in FUNCTIONS),
            "None",
            "True",
            "__class__",
            "'tax'",
            "ß",
            "\n",
            "\\",
        ]
    ),
    max_size=40,
).map("".join)


@settings(max_examples=400, deadline=1000)
@given(NEAR_FORMULAS | st.text(max_size=200))
def test_only_known_errors_ever_come_out(text: str) -> None:
    try:
        formula = compiled("=" + text)
    except Mistakes:
        return
    try:
        result = formula.evaluate(SCOPE)
    except FormulaError:
        return
    assert isinstance(result, Decimal | str | bool | date | list | tuple | None)


CELLS = (
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text() | st.dates() | st.floats()
)


@settings(max_examples=200, deadline=1000)
@given(CELLS, CELLS, st.sampled_from(["+", "-", "*", "/", "<", "==", " in "]))
def test_no_value_in_a_record_breaks_a_formula(a: object, b: object, sign: str) -> None:
    formula = compiled(f"=company.a {sign} company.b")
    try:
        result = formula.evaluate({"company": {"a": a, "b": b}})
    except FormulaError:
        return
    assert isinstance(result, Decimal | bool | date)


def test_a_formula_of_several_lines_is_shown_in_one() -> None:
    said = refusal("=deal.amount\n  deal.amount +")
    assert said.startswith("m.yaml:7: =deal.amount deal.amount + is not a formula: ")
    assert "\n" not in said
