"""Money lies on the grid of its currency, exactly; what does not is refused or rounded by name."""

import decimal as stdlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieout.model.errors import InvariantError, ValueRefused
from tieout.model.money import (
    MAX_DIGITS,
    MAX_PLACES,
    Money,
    Rounding,
    allocate,
    currency,
    decimal,
    plain_text,
    total,
)

EUR, JPY, KWD, CLF = (currency(code) for code in ("EUR", "JPY", "KWD", "CLF"))
currencies = st.sampled_from([EUR, JPY, KWD, CLF])
numbers = st.integers(0, 30).flatmap(lambda places: st.decimals(-(10**12), 10**12, places=places))
moneys = st.builds(
    lambda steps, of: Money(Decimal(steps).scaleb(-of.exponent), of),
    st.integers(-(10**14), 10**14),
    currencies,
)


@pytest.mark.parametrize(
    ("code", "step"), [("JPY", "1"), ("EUR", "0.01"), ("KWD", "0.001"), ("CLF", "0.0001")]
)
def test_each_currency_has_its_own_smallest_amount(code, step):
    assert currency(code).step == Decimal(step)


@pytest.mark.parametrize("code", ["", "eur", "EURO", "XXX", "€"])
def test_a_word_that_is_no_currency_is_refused(code):
    with pytest.raises(ValueRefused) as refused:
        currency(code)
    assert refused.value.what == f"{code!r} is not a currency."
    assert refused.value.next == "Use an ISO 4217 code, as EUR, in capitals."


@pytest.mark.parametrize(
    ("amount", "code", "text"),
    [
        ("10", "EUR", "10.00 EUR"),
        (10, "EUR", "10.00 EUR"),
        (Decimal("1E+3"), "JPY", "1000 JPY"),
        ("-0.00", "EUR", "0.00 EUR"),
        ("1.500000", "KWD", "1.500 KWD"),
    ],
)
def test_an_amount_is_shown_with_its_currency_s_decimals(amount, code, text):
    assert str(Money.of(amount, code)) == text


@pytest.mark.parametrize(
    ("amount", "code"), [("0.5", "JPY"), ("10.001", "EUR"), ("0.0001", "KWD"), ("1E-40", "EUR")]
)
def test_more_decimals_than_the_currency_has_are_refused_not_rounded(amount, code):
    with pytest.raises(ValueRefused, match=r"has more than the \d decimals"):
        Money.of(amount, code)


@pytest.mark.parametrize("amount", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_what_is_no_finite_number_is_refused(amount):
    with pytest.raises(ValueRefused, match="is not a finite number"):
        Money.of(amount, "EUR")
    with pytest.raises(ValueRefused, match="is not a finite number"):
        Money(Decimal(amount), EUR)
    with pytest.raises(ValueRefused, match="is not a finite number"):
        Money.rounded(Decimal(amount), EUR)


@pytest.mark.parametrize(
    "text", ["", "ten", "1,000.00", "1.0.0", "0x10", "=1+1", "9" * 50_000 + "x"]
)
def test_a_text_that_is_no_number_is_refused_by_how_it_begins(text):
    with pytest.raises(ValueRefused) as refused:
        decimal(text)
    assert refused.value.what == f"{text[:40]!r} is not a number."


@pytest.mark.parametrize("value", [0.1, 1.0, True, False])
def test_floats_and_flags_are_no_exact_numbers(value):
    with pytest.raises(ValueRefused, match="is not an exact number"):
        decimal(value)


@pytest.mark.parametrize("text", ["1" + "0" * MAX_DIGITS, "1E+400000", "9" * 100_000])
def test_a_number_larger_than_any_books_is_refused(text):
    with pytest.raises(ValueRefused, match="larger than any set of books"):
        decimal(text)


@pytest.mark.parametrize("text", ["1E-61", "1E-400000", "0." + "3" * 100_000])
def test_a_number_with_absurdly_many_decimals_is_refused(text):
    with pytest.raises(ValueRefused, match=f"more than {MAX_PLACES} decimals"):
        decimal(text)


def test_a_number_may_have_sixty_decimals():
    assert MAX_PLACES == 60
    assert plain_text(decimal("1E-60")) == f"0.{'0' * 59}1"


def test_the_largest_amount_has_eighteen_digits_before_the_point():
    assert MAX_DIGITS == 18
    largest = "9" * MAX_DIGITS
    assert str(Money.of(f"{largest}.99", "EUR")) == f"{largest}.99 EUR"
    with pytest.raises(ValueRefused, match="larger than any set of books"):
        Money.of(largest, "EUR") + Money.of(largest, "EUR")


@pytest.mark.parametrize(
    ("rounding", "up", "down"),
    [
        (Rounding.HALF_UP, "0.13", "-0.13"),
        (Rounding.HALF_EVEN, "0.12", "-0.12"),
        (Rounding.HALF_DOWN, "0.12", "-0.12"),
        (Rounding.UP, "0.13", "-0.13"),
        (Rounding.DOWN, "0.12", "-0.12"),
    ],
)
def test_a_half_is_rounded_by_the_named_rule_alike_on_both_sides_of_zero(rounding, up, down):
    assert Money.rounded(Decimal("0.125"), EUR, rounding) == Money.of(up, "EUR")
    assert Money.rounded(Decimal("-0.125"), EUR, rounding) == Money.of(down, "EUR")


def test_rounding_is_half_up_where_nothing_is_named():
    assert Money.rounded(Decimal("2.5"), JPY) == Money.of(3, "JPY")


@given(numbers, currencies, st.sampled_from(Rounding))
def test_a_rounded_amount_is_less_than_one_step_away_and_stays_when_rounded_again(
    number, of, rounding
):
    once = Money.rounded(number, of, rounding)
    with stdlib.localcontext(prec=200):
        assert abs(once.amount - number) < of.step
    assert Money.rounded(once.amount, of, rounding) == once


@given(numbers, currencies)
def test_half_rules_round_to_the_nearest(number, of):
    for rounding in (Rounding.HALF_UP, Rounding.HALF_EVEN, Rounding.HALF_DOWN):
        with stdlib.localcontext(prec=200):
            assert abs(Money.rounded(number, of, rounding).amount - number) <= of.step / 2


@given(numbers, currencies)
def test_up_is_away_from_zero_and_down_towards_it(number, of):
    up, down = (abs(Money.rounded(number, of, way).amount) for way in (Rounding.UP, Rounding.DOWN))
    assert down <= abs(number) <= up


def test_a_program_s_own_decimal_context_changes_no_amount():
    with stdlib.localcontext(stdlib.Context(prec=3)):
        money = Money.rounded(Decimal("123456.785"), EUR)
        assert str(money) == "123456.79 EUR"
        assert str(money + money) == "246913.58 EUR"
        assert str(money - Money.of("0.01", "EUR")) == "123456.78 EUR"
        assert str(abs(-money)) == "123456.79 EUR"
        assert str(-money) == "-123456.79 EUR"
        assert [str(part) for part in allocate(money, [Decimal(1), Decimal(0)])] == [
            "123456.79 EUR",
            "0.00 EUR",
        ]


def test_many_decimals_are_rounded_once_not_twice():
    """A product has more digits than Decimal's own 28; a hair below a half stays below it."""
    below = Decimal("0.00" + "4" + "9" * 40)
    assert Money.rounded(below, EUR) == Money.zero(EUR)


@given(st.data())
def test_sums_and_differences_are_exact_and_undo_each_other(data):
    one = data.draw(moneys)
    steps = data.draw(st.integers(-(10**14), 10**14))
    other = Money(Decimal(steps).scaleb(-one.currency.exponent), one.currency)
    assert (one + other) - other == one
    assert one + other == other + one
    assert one - other == -(other - one)
    assert one + -one == Money.zero(one.currency)
    assert (one < other) == (one.amount < other.amount)
    assert (one <= other) == (one.amount <= other.amount)
    assert (one > other) == (one.amount > other.amount)


@given(moneys)
def test_an_amount_is_its_sign_and_its_size(money):
    assert abs(money).amount == abs(money.amount)
    assert bool(money) == (money.amount != 0)
    assert Money.of(str(money.amount), money.currency.code) == money


@given(st.lists(st.integers(-(10**9), 10**9)), currencies)
def test_a_total_is_the_sum_of_its_parts(counts, of):
    parts = [Money(Decimal(count).scaleb(-of.exponent), of) for count in counts]
    assert total(parts, of) == Money(Decimal(sum(counts)).scaleb(-of.exponent), of)


@pytest.mark.parametrize("put", ["__add__", "__sub__", "__lt__", "__le__"])
def test_two_currencies_are_never_put_together(put):
    with pytest.raises(InvariantError, match="EUR and JPY"):
        getattr(Money.of(1, "EUR"), put)(Money.of(1, "JPY"))
    assert Money.of(1, "EUR") != Money.of(1, "USD")


@given(numbers, st.integers(0, 5))
def test_a_number_has_one_spelling_however_it_was_written(number, zeros):
    text = plain_text(number)
    assert Decimal(text) == number
    assert "E" not in text
    assert text != "-0"
    with stdlib.localcontext(prec=200):
        assert plain_text(number * Decimal("1." + "0" * zeros)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("10", "10"),
        ("10.00", "10"),
        ("1E+1", "10"),
        ("-0.0", "0"),
        ("0E-90", "0"),
        ("0.10", "0.1"),
        ("100", "100"),
        ("-2.50", "-2.5"),
    ],
)
def test_plain_text_has_no_exponent_and_no_idle_zeros(value, text):
    assert plain_text(Decimal(value)) == text


@pytest.mark.parametrize("value", ["NaN", "sNaN", "-Infinity", "1E+400000", "1E-400000"])
def test_what_would_be_no_number_or_an_endless_text_is_not_written(value):
    with pytest.raises(ValueRefused, match="cannot be written out"):
        plain_text(Decimal(value))
