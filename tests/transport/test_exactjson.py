"""One JSON codec: exact both ways, and nothing ambiguous is read."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieout.model.errors import InvariantError, ValueRefused
from tieout.transport import dump_json, parse_json
from tieout.transport.exactjson import DEPTH_LIMIT

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.decimals(allow_nan=False, allow_infinity=False, places=4)
    | st.text(st.characters(codec="utf-8"))
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=20,
)


@given(values)
def test_what_is_written_is_read_back(value):
    assert parse_json(dump_json(value)) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("10.50"), b"10.50"),
        (Decimal("1E+3"), b"1000"),
        (Decimal("12345678901234567.89"), b"12345678901234567.89"),
        (
            {"b": 1, "a": [None, True, "\u00e6\n\u2028"]},
            '{"b":1,"a":[null,true,"æ\\n\u2028"]}'.encode(),
        ),
    ],
)
def test_a_value_has_its_exact_text(value, text):
    assert dump_json(value) == text
    assert json.loads(text) is not None


@pytest.mark.parametrize("value", [1.5, {"a": object()}, b"bytes", Decimal("NaN")])
def test_what_is_not_exact_is_not_written(value):
    with pytest.raises(InvariantError):
        dump_json(value)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"<html>", "Not JSON"),
        (b"", "Not JSON"),
        (b'{"a": 1', "Not JSON"),
        (b'"\xff"', "Not JSON"),
        (b'{"a": 1, "b": {"id": 1, "id": 2}}', "'id' twice"),
        (b'{"a": NaN}', "NaN"),
        (b"-Infinity", "Infinity"),
        (b"9" * 5000, "Not JSON"),
        (b"[" * (DEPTH_LIMIT + 2) + b"]" * (DEPTH_LIMIT + 2), "deeper than"),
        (b"[" * 100_000, "too deeply"),
        (b"1e99999999999999999999", "too large"),
        (b"[1e401]", "out of range"),
        (b"1e-401", "out of range"),
    ],
)
def test_what_is_ambiguous_or_hostile_is_refused(body, why):
    with pytest.raises(ValueRefused, match=why):
        parse_json(body)


def test_a_number_with_a_fraction_keeps_every_digit():
    assert parse_json(b'{"a": 0.10, "b": 7}') == {"a": Decimal("0.10"), "b": 7}
    assert str(parse_json(b"0.10")) == "0.10"


def test_half_a_character_holds_up_no_page():
    """A system that cuts a text after so many units leaves half a surrogate pair in its JSON."""
    body = rb'{"name": "Rollout \ud83d", "\udc00": ["\ud83d\ude00"]}'
    expected = {"name": "Rollout \N{REPLACEMENT CHARACTER}", "\N{REPLACEMENT CHARACTER}": ["😀"]}
    assert parse_json(body) == expected


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (Decimal("1E+999999999"), "out of range"),
        (10**4_000, "too large"),
        ("\ud83d", "half a character"),
        ({"\ud83d": 1}, "half a character"),
    ],
)
def test_a_value_without_a_text_is_not_written(value, why):
    with pytest.raises(ValueRefused, match=why):
        dump_json(value)


def test_what_is_no_json_at_all_is_a_mistake_of_ours():
    endless = []
    endless.append(endless)
    with pytest.raises(InvariantError, match="The key 1"):
        dump_json({1: 2})
    with pytest.raises(InvariantError, match="holds itself"):
        dump_json(endless)
