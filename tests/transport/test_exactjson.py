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
    ],
)
def test_what_is_ambiguous_or_hostile_is_refused(body, why):
    with pytest.raises(ValueRefused, match=why):
        parse_json(body)


def test_a_number_with_a_fraction_keeps_every_digit():
    assert parse_json(b'{"a": 0.10, "b": 7}') == {"a": Decimal("0.10"), "b": 7}
    assert str(parse_json(b"0.10")) == "0.10"
