"""Shares always sum to the whole, and each is less than one step from its exact part."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieout.model.errors import ValueRefused
from tieout.model.money import Money, allocate, currency, total

currencies = st.sampled_from([currency(code) for code in ("JPY", "EUR", "KWD")])
moneys = st.builds(
    lambda steps, of: Money(Decimal(steps).scaleb(-of.exponent), of),
    st.integers(-(10**17), 10**17),
    currencies,
)
weights = st.lists(
    st.one_of(
        st.just(Decimal(0)),
        st.integers(1, 10).map(Decimal),
        st.decimals(0, 10**12, places=25),
        st.decimals(0, 10**16, places=2),
    ),
    min_size=1,
    max_size=30,
)


def euros(*amounts):
    return tuple(Money.of(amount, "EUR") for amount in amounts)


@given(moneys, weights)
def test_the_parts_sum_to_the_whole(whole, by):
    parts = allocate(whole, by)
    assert len(parts) == len(by)
    assert total(parts, whole.currency) == whole


@given(moneys, weights)
def test_each_part_is_less_than_one_step_from_its_exact_share(whole, by):
    of_all = sum(Fraction(weight) for weight in by)
    for part, weight in zip(allocate(whole, by), by, strict=True):
        share = Fraction(weight) / of_all if of_all else Fraction(1, len(by))
        exact = Fraction(whole.amount) * share
        assert abs(Fraction(part.amount) - exact) < Fraction(whole.currency.step)


@given(moneys, weights)
def test_an_amount_given_back_is_shared_like_the_amount(whole, by):
    assert allocate(-whole, by) == tuple(-part for part in allocate(whole, by))


@given(moneys, weights)
def test_no_part_has_the_other_sign_and_a_zero_weight_gets_nothing(whole, by):
    for part, weight in zip(allocate(whole, by), by, strict=True):
        assert part.amount * whole.amount >= 0
        if any(by) and not weight:
            assert not part


@given(moneys, st.lists(st.integers(0, 10**9).map(Decimal), min_size=1), st.integers(1, 1000))
def test_only_the_proportion_of_the_weights_counts(whole, by, times):
    assert allocate(whole, [weight * times for weight in by]) == allocate(whole, by)


@given(moneys, st.integers(1, 50))
def test_among_equals_the_earlier_get_the_odd_steps(whole, count):
    parts = allocate(abs(whole), [Decimal(1)] * count)
    assert list(parts) == sorted(parts, key=lambda part: -part.amount)
    assert parts[0].amount - parts[-1].amount <= whole.currency.step


@pytest.mark.parametrize(
    ("whole", "by", "parts"),
    [
        ("1.00", [1, 1, 1], ["0.34", "0.33", "0.33"]),
        ("-1.00", [1, 1, 1], ["-0.34", "-0.33", "-0.33"]),
        ("0.02", [1, 1, 1], ["0.01", "0.01", "0.00"]),
        ("0.05", [3, 7], ["0.02", "0.03"]),
        ("10.00", [0, 5, 0, 5], ["0.00", "5.00", "0.00", "5.00"]),
        ("1.00", [0, 0], ["0.50", "0.50"]),
        ("0.00", [1, 2], ["0.00", "0.00"]),
        ("5.00", [100, -50], ["10.00", "-5.00"]),
        ("-5.00", [-100, 50], ["-10.00", "5.00"]),
    ],
)
def test_examples(whole, by, parts):
    assert allocate(Money.of(whole, "EUR"), [Decimal(weight) for weight in by]) == euros(*parts)


def test_large_amounts_by_large_weights_lose_no_digit():
    """The product has more digits than Decimal's own 28."""
    whole = Money.of("999999999999999.99", "EUR")
    by = [Decimal("333333333333333.33"), Decimal("666666666666666.66")]
    assert allocate(whole, by) == euros("333333333333333.33", "666666666666666.66")


@pytest.mark.parametrize(
    ("by", "why"),
    [
        ([], r"^An amount cannot be shared among nobody\. "),
        ([Decimal("NaN")], "not a finite number"),
        ([Decimal("Infinity")], "not a finite number"),
        (
            [Decimal(1), Decimal(-1)],
            r"^Weights that sum to nothing give no proportion to share by\. ",
        ),
        ([Decimal("1E-90000")], "more than 60 decimals"),
    ],
)
def test_what_gives_no_proportion_is_refused(by, why):
    with pytest.raises(ValueRefused, match=why):
        allocate(Money.of(1, "EUR"), by)
