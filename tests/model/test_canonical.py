"""The same meaning has the same text and hash; any other meaning has another."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tieout.model.canonical import canonical, digest, plain
from tieout.model.errors import InvariantError, ValueRefused
from tieout.model.money import Money

texts = st.text(st.characters(), max_size=20)  # half surrogates included
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    texts,
    st.decimals(-(10**9), 10**9, places=3),
    st.dates(),
)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(texts, inner, max_size=5)),
    max_leaves=15,
)


class Colour(StrEnum):
    RED = "red"


@pytest.mark.parametrize("spelling", ["10", "10.0", "10.00", "1E+1", "+10", "010"])
def test_ten_is_one_number_however_it_is_written(spelling):
    assert canonical({"amount": Decimal(spelling)}) == '{"amount":"10"}'


@given(st.dictionaries(texts, values, min_size=2, max_size=6), st.randoms())
def test_the_order_of_keys_has_no_meaning(value, random):
    shuffled = list(value.items())
    random.shuffle(shuffled)
    assert digest(dict(shuffled)) == digest(value)


@given(values)
def test_a_value_is_the_same_after_it_was_stored_and_read(value):
    stored = canonical(value)
    assert canonical(json.loads(stored)) == stored
    assert digest(json.loads(stored)) == digest(value)


@given(values, values)
def test_two_values_have_one_hash_only_if_their_plain_forms_are_equal(one, other):
    same = canonical(one) == canonical(other)
    assert (digest(one) == digest(other)) == same
    assert same == (repr_of(one) == repr_of(other))


def repr_of(value):
    """Another road to the meaning, not by JSON: flags and numbers are told apart."""
    value = plain(value)
    if isinstance(value, dict):
        return ("map", tuple(sorted((key, repr_of(held)) for key, held in value.items())))
    if isinstance(value, list):
        return ("list", tuple(repr_of(held) for held in value))
    return (type(value).__name__, value)


@given(st.dictionaries(texts, values, min_size=1, max_size=5), values, st.data())
def test_a_change_of_any_one_value_or_name_changes_the_hash(value, other, data):
    name = data.draw(st.sampled_from(sorted(value)))
    assume(canonical(value[name]) != canonical(other))
    assert digest({**value, name: other}) != digest(value)
    assert digest({key: held for key, held in value.items() if key != name}) != digest(value)
    assume(f"{name}x" not in value)
    renamed = {(f"{name}x" if key == name else key): held for key, held in value.items()}
    assert digest(renamed) != digest(value)


@given(st.lists(values, min_size=2, max_size=5))
def test_the_order_of_a_list_has_meaning(several):
    turned = several[::-1]
    assume([canonical(each) for each in several] != [canonical(each) for each in turned])
    assert digest(several) != digest(turned)


def test_each_kind_of_value_has_its_plain_form():
    assert plain(
        {
            "money": Money.of("10.50", "EUR"),
            "day": date(2026, 3, 31),
            "instant": datetime(2026, 3, 31, 14, tzinfo=ZoneInfo("Europe/Oslo")),
            "parts": (1, True, None, "a"),
            "colour": Colour.RED,
        }
    ) == {
        "money": {"amount": "10.5", "currency": "EUR"},
        "day": "2026-03-31",
        "instant": "2026-03-31T12:00:00.000Z",
        "parts": [1, True, None, "a"],
        "colour": "red",
    }


def test_letters_are_written_as_themselves_and_nothing_is_spaced():
    assert canonical({"b": ["Bär", "王"], "a": None}) == '{"a":null,"b":["Bär","王"]}'


def test_one_instant_has_one_text_in_every_zone():
    utc = datetime(2026, 3, 31, 12, tzinfo=UTC)
    assert digest(utc) == digest(utc.astimezone(ZoneInfo("Asia/Tokyo")))


def test_a_flag_a_count_and_a_text_are_three_meanings():
    assert len({digest(value) for value in (True, 1, "1", "true", None, "", [], {})}) == 8


@pytest.mark.parametrize(
    "value", [1.5, b"ab", bytearray(b"ab"), {1, 2}, object(), {1: "a"}, {None: 1}]
)
def test_what_has_no_plain_form_is_a_mistake_of_ours(value):
    with pytest.raises(InvariantError, match=r"has no plain form|is not a text"):
        plain([value])


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("-Infinity"), datetime(2026, 1, 1)])  # noqa: DTZ001  # this is what is refused
def test_a_value_that_means_nothing_is_refused(value):
    with pytest.raises(ValueRefused):
        canonical(value)


def test_the_hash_never_changes_between_releases():
    """Approvals and keys are stored: another spelling would orphan them."""
    assert digest({"b": Decimal("1.50"), "a": [date(2026, 3, 31), "Bär"]}) == (
        "97cd7109a90d31bb52b595bac7ae4e019fa7c5fcc0a480747d5c98f826dbb90a"
    )
