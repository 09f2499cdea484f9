"""Both JSON doors: any bytes are read exactly or refused, any value is written exactly or refused."""

import json
import tracemalloc
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from searching import share

from tieout.model.errors import InvariantError, ValueRefused
from tieout.transport import dump_json, parse_json
from tieout.transport.exactjson import BYTES_LIMIT, DEPTH_LIMIT

BLANKS = st.text(" \n\r\t", max_size=2)
MARKS = st.sampled_from(
    rb"[ ] { } , : \" \ \u d83d \ude00 0 - 1 e . e9999999999999999999 NaN Infinity true null".split()
    + rb"""'' /* "a" "a": \xff""".split()
    + [b" ", b"\xff", b"\xef\xbb\xbf", b"\x00", b'"']
)
NUMBERS = st.from_regex(
    r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?", fullmatch=True
)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=8).map(json.dumps) | st.text(
    st.characters(codec="utf-8"), max_size=8
).map(lambda text: json.dumps(text, ensure_ascii=False))


def spaced(parts: list[str], brackets: str) -> st.SearchStrategy[str]:
    gaps = st.lists(BLANKS, min_size=len(parts) + 1, max_size=len(parts) + 1)
    return gaps.map(
        lambda gap: (
            brackets[0]
            + ",".join(gap[n] + part for n, part in enumerate(parts))
            + gap[-1]
            + brackets[1]
        )
    )


def nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    lists = st.lists(inner, max_size=4).flatmap(lambda parts: spaced(parts, "[]"))
    pairs = st.lists(
        st.tuples(TEXTS, BLANKS, inner), max_size=4, unique_by=lambda pair: json.loads(pair[0])
    )
    objects = pairs.flatmap(
        lambda held: spaced([f"{key}{blank}:{value}" for key, blank, value in held], "{}")
    )
    return lists | objects


JSON_TEXTS = st.recursive(
    st.sampled_from(["true", "false", "null"]) | NUMBERS | TEXTS, nested, max_leaves=12
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=12,
)


def spelled(value: object) -> object:
    """A value with its types and every digit told."""
    if isinstance(value, dict):
        return {key: spelled(held) for key, held in value.items()}
    if isinstance(value, list):
        return [spelled(held) for held in value]
    return (type(value).__name__, str(value))


def plain_of(body: bytes) -> object:
    return json.loads(body, parse_float=Decimal)


@share(300)
@given(JSON_TEXTS)
def test_a_json_text_is_read_as_pythons_own_reader_reads_it(text):
    body = text.encode()
    assert spelled(parse_json(body)) == spelled(plain_of(body))


@share(500)
@given(st.lists(MARKS, max_size=30).map(b"".join) | st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(body):
    """What is read, Python's own reader reads too, and it can be written and read again."""
    try:
        value = parse_json(body)
    except ValueRefused:
        return
    json.loads(body.decode("utf-8-sig"), parse_constant=pytest.fail)
    assert spelled(parse_json(dump_json(value))) == spelled(plain_of(dump_json(value)))


@share(200)
@given(JSON_TEXTS, st.data())
def test_a_text_with_a_few_bytes_changed_is_read_or_refused(text, data):
    body = bytearray(text.encode())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(body)))
        body[at : at + data.draw(st.integers(0, 2))] = data.draw(MARKS)
    try:
        value = parse_json(bytes(body))
    except ValueRefused:
        return
    dump_json(value)


@share(300)
@given(VALUES)
def test_a_value_is_written_exactly_or_refused(value):
    try:
        body = dump_json(value)
    except ValueRefused as refused:
        what = refused.what
    else:
        what = ""
    if what:
        assert "half a character" in what or "out of range" in what
        return
    assert parse_json(body) == value
    assert plain_of(body) == value
    assert dump_json(parse_json(body)) == dump_json(plain_of(body))


@share(100)
@given(
    VALUES.filter(lambda value: value is not None),
    st.sampled_from([1.5, b"x", Decimal("NaN"), Decimal("-Infinity"), object(), {1}]),
)
def test_what_has_no_exact_text_is_never_written(value, foreign):
    with pytest.raises(InvariantError):
        dump_json([foreign, value])
    with pytest.raises(InvariantError):
        dump_json({"a": {"b": foreign}})


@share(100)
@given(JSON_TEXTS, JSON_TEXTS, TEXTS)
def test_a_key_that_stands_twice_is_refused_at_any_depth(first, second, key):
    with pytest.raises(ValueRefused, match="twice"):
        parse_json(f'[{{"x":[{{{key}:{first},{key}:{second}}}]}}]'.encode())


@share(50)
@given(st.lists(st.sampled_from(["[%s]", '{"a[":%s}', '[0,%s,"]"]']), max_size=2 * DEPTH_LIMIT))
def test_the_depth_that_is_read_ends_at_its_limit(shells):
    text = "1"
    for shell in shells:
        text = shell % text
    if len(shells) <= DEPTH_LIMIT:
        assert parse_json(text.encode()) == json.loads(text)
    else:
        with pytest.raises(ValueRefused, match="nested"):
            parse_json(text.encode())


def test_a_text_of_more_than_the_limit_is_refused_before_it_is_read():
    body = b" " * (BYTES_LIMIT + 1)
    tracemalloc.start()
    with pytest.raises(ValueRefused, match="too long"):
        parse_json(body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000
