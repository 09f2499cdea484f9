"""A document's amounts are computed once: lines less their discounts, on the grid, to a net."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieout.model.document import (
    CreditMemo,
    Invoice,
    Line,
    Payment,
    Percent,
    net_unit_price,
    share_discount,
)
from tieout.model.errors import InvariantError, ValueRefused
from tieout.model.lookup import Match
from tieout.model.money import Money, Rounding, currency, total
from tieout.model.ref import Key, Ref

EUR, JPY, KWD = (currency(code) for code in ("EUR", "JPY", "KWD"))
DEAL = Ref("hubspot:123", "deal", "901")
CUSTOMER = Match("customer", ())

currencies = st.sampled_from([JPY, EUR, KWD])
quantities = st.decimals(-1000, 1000, places=3)
prices = st.decimals(0, 100_000, places=4)
rates = st.decimals(0, 100, places=3)
roundings = st.sampled_from(Rounding)


def line(price, quantity=1, of=EUR, **more):
    return Line(None, "", Decimal(quantity), Decimal(price), of, **more)


def lines_in(of, lowest=-1000):
    one = st.builds(lambda q, p: line(p, q, of), st.decimals(lowest, 1000, places=3), prices)
    return st.lists(one, min_size=1, max_size=12).map(tuple)


some_lines = currencies.flatmap(lines_in)
sold_lines = currencies.flatmap(lambda of: lines_in(of, lowest=0))


def invoice(*lines, discount=None, of=EUR):
    return Invoice.of(
        key=Key("0123456789ABCDEF"),
        source=DEAL,
        mapping="deal-to-invoice",
        customer=CUSTOMER,
        date=date(2026, 3, 31),
        currency=of,
        lines=lines,
        discount=discount,
    )


# -- one line ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sold", "amount"),
    [
        (line("150.00", 10), "1500.00"),
        (line("500.00", discount=Percent(Decimal(20))), "400.00"),
        (line("500.00", discount=Money.of("20.00", "EUR")), "480.00"),
        (line("99.00", 0), "0.00"),
        (line("99.00", discount=Percent(Decimal(100))), "0.00"),
        (line("0.333", 3), "1.00"),
        (line("0.125"), "0.13"),
        (line("0.125", rounding=Rounding.HALF_EVEN), "0.12"),
        (line("10.00", -2), "-20.00"),
        (line("0.05", discount=Percent(Decimal(50))), "0.03"),
    ],
)
def test_a_line_is_quantity_times_price_less_its_discount(sold, amount):
    assert sold.amount == Money.of(amount, "EUR")


@pytest.mark.parametrize(("of", "amount"), [(JPY, "33"), (EUR, "33.33"), (KWD, "33.333")])
def test_a_line_lies_on_the_grid_of_its_currency(of, amount):
    assert line("33.3333", of=of).amount == Money.of(amount, of.code)


@given(quantities, prices, rates, currencies, roundings)
def test_a_percent_is_taken_exactly_and_rounded_once(quantity, price, rate, of, rounding):
    sold = line(price, quantity, of, discount=Percent(rate), rounding=rounding)
    exact = Fraction(quantity) * Fraction(price) * (100 - Fraction(rate)) / 100
    assert abs(Fraction(sold.amount.amount) - exact) < Fraction(of.step)
    if rounding not in (Rounding.UP, Rounding.DOWN):
        assert abs(Fraction(sold.amount.amount) - exact) <= Fraction(of.step) / 2


def test_long_factors_are_multiplied_without_losing_a_digit():
    """Both have 20 decimals, the product 40; it is a hair below a half cent."""
    sold = line("0.00499999999999999999", "1.00000000000000000001")
    assert sold.amount == Money.zero(EUR)


@pytest.mark.parametrize("rate", ["-0.01", "100.01", "NaN", "1E+30"])
def test_a_percent_is_between_nothing_and_all(rate):
    with pytest.raises(ValueRefused):
        Percent(Decimal(rate))


def test_a_discount_in_another_currency_is_a_mistake():
    with pytest.raises(InvariantError, match="EUR and JPY"):
        _ = line("10.00", discount=Money.of(5, "JPY")).amount


# -- the price that the books are told --------------------------------------------------------


@given(quantities, prices, rates, currencies, roundings, st.integers(0, 7))
def test_a_net_price_gives_the_amount_and_none_with_fewer_decimals_does(
    quantity, price, rate, of, rounding, places
):
    sold = line(price, quantity, of, discount=Percent(rate), rounding=rounding)
    told = sold.net_unit_price(places)
    if told is None:
        return
    assert Money.rounded(quantity * told, of, rounding) == sold.amount
    assert told == told.quantize(Decimal(1).scaleb(-places))
    if told != price and quantity:
        fewer = -told.as_tuple().exponent - 1
        assert net_unit_price(quantity, Decimal("1E+9"), sold.amount, fewer, rounding) is None


@given(
    st.integers(1, 60).map(Decimal),
    st.integers(-2000, 2000),
    st.sampled_from([JPY, EUR]),
    roundings,
    st.integers(0, 2),
)
def test_a_net_price_is_found_whenever_there_is_one(quantity, steps, of, rounding, places):
    """Compared with trying every price around the exact one."""
    amount = Money(Decimal(steps).scaleb(-of.exponent), of)
    grid = Decimal(1).scaleb(-places)
    near = int(amount.amount / quantity / grid)
    there_is = any(
        Money.rounded(quantity * step * grid, of, rounding) == amount
        for step in range(near - 3, near + 4)
    )
    found = net_unit_price(quantity, Decimal("1E+9"), amount, places, rounding)
    assert (found is not None) == there_is


@pytest.mark.parametrize(
    ("quantity", "price", "amount", "places", "told"),
    [
        ("10", "150.00", "1500.00", 7, "150.00"),  # kept as it is
        ("1", "500.00", "400.00", 7, "400"),  # fewest decimals
        ("3", "4.00", "10.00", 7, "3.333"),
        ("3", "4.00", "10.00", 2, None),  # 3 × 3.33 is 9.99
        ("7", "1.00", "6.50", 7, "0.929"),
        ("1000000", "1.00", "0.01", 7, None),  # it would need eight decimals
        ("0", "99.00", "0.00", 7, "99.00"),
        ("0", "99.00", "1.00", 7, None),  # no price makes something of nothing
        ("0", "0.123456789", "0.00", 7, "0"),
        ("-2", "10.00", "-15.00", 7, "7.5"),
        ("1", "0.123456789", "0.12", 7, "0.12"),  # more decimals than are allowed
    ],
)
def test_net_price_examples(quantity, price, amount, places, told):
    found = net_unit_price(
        Decimal(quantity), Decimal(price), Money.of(amount, "EUR"), places, Rounding.HALF_UP
    )
    assert found == (None if told is None else Decimal(told))


@pytest.mark.parametrize("rounding", Rounding)
def test_a_net_price_exists_under_every_rule_of_rounding(rounding):
    """Ten shared by three is no price of its own, but 3.333… rounded either way fits one rule."""
    found = net_unit_price(Decimal(3), Decimal(4), Money.of("10.00", "EUR"), 7, rounding)
    assert Money.rounded(3 * found, EUR, rounding) == Money.of("10.00", "EUR")


# -- the whole document -----------------------------------------------------------------------


@given(some_lines)
def test_without_a_discount_the_net_is_the_sum_of_the_lines(lines):
    of = lines[0].currency
    assert invoice(*lines, of=of).net == total([each.amount for each in lines], of)


@given(some_lines, rates)
def test_a_document_s_percent_comes_off_its_sum_exactly(lines, rate):
    of = lines[0].currency
    sums = total([each.amount for each in lines], of)
    off = Money.rounded(sums.amount * rate / 100, of)
    assert invoice(*lines, discount=Percent(rate), of=of).net == sums - off


@given(sold_lines, rates)
def test_a_document_s_percent_takes_the_same_part_of_each_line(lines, rate):
    for before, after in zip(lines, share_discount(lines, Percent(rate)), strict=True):
        exact = before.amount.amount * (100 - rate) / 100
        assert abs(after.amount.amount - exact) < 2 * before.currency.step


def test_a_percent_gives_back_its_part_of_a_line_that_takes_back():
    sold = invoice(line("100.00"), line("50.00", -1), discount=Percent(Decimal(10)))
    assert [each.amount for each in sold.lines] == [Money.of(90, "EUR"), Money.of(-45, "EUR")]


def test_a_percent_of_a_document_that_gives_back_gives_back_less():
    taken = invoice(line("100.00", -1), discount=Percent(Decimal(10)))
    assert taken.net == Money.of("-90.00", "EUR")


@given(sold_lines, st.decimals(0, 1, places=4))
def test_a_document_s_amount_comes_off_to_the_last_step(lines, part):
    of = lines[0].currency
    sums = total([each.amount for each in lines], of)
    off = Money.rounded(sums.amount * part, of, Rounding.DOWN)
    after = invoice(*lines, discount=off, of=of)
    assert after.net == sums - off
    assert all(each.amount.amount >= 0 for each in after.lines)


@given(sold_lines)
def test_a_discount_larger_than_the_document_is_refused(lines):
    of = lines[0].currency
    sums = total([each.amount for each in lines], of)
    with pytest.raises(ValueRefused, match="is larger than the"):
        share_discount(lines, sums + Money(of.step, of))


@pytest.mark.parametrize(
    ("of", "off", "shares"),
    [
        (EUR, "1.00", ["0.34", "0.33", "0.33"]),
        (JPY, "1", ["1", "0", "0"]),
        (KWD, "1.000", ["0.334", "0.333", "0.333"]),
    ],
)
def test_the_odd_step_of_a_discount_goes_to_the_earlier_line(of, off, shares):
    three = tuple(line("50", of=of) for _ in range(3))
    after = share_discount(three, Money.of(off, of.code))
    assert [each.share for each in after] == [Money.of(share, of.code) for share in shares]


def test_a_line_s_discount_comes_off_before_the_document_s():
    both = invoice(
        line("100.00", discount=Percent(Decimal(50))),
        line("50.00", discount=Money.of("10.00", "EUR")),
        discount=Percent(Decimal(10)),
    )
    assert [each.before_document_discount.amount for each in both.lines] == [50, 40]
    assert [each.amount.amount for each in both.lines] == [45, 36]
    assert both.net == Money.of("81.00", "EUR")


def test_the_books_are_told_prices_net_of_every_discount():
    sold = invoice(line("100.00", 3), line("50.00"), discount=Money.of("10.00", "EUR"))
    told = [each.net_unit_price(7) for each in sold.lines]
    assert told == [Decimal("97.143"), Decimal("48.57")]
    assert sum(each.amount.amount for each in sold.lines) == 340


def test_a_discount_of_nothing_or_on_nothing_changes_nothing():
    two = (line("1.00"), line("1.00", -1))
    assert share_discount(two, None) == two
    assert share_discount(two, Percent(Decimal(0))) == two
    assert share_discount((), Percent(Decimal(10))) == ()


def test_lines_in_two_currencies_make_no_document():
    with pytest.raises(InvariantError, match="EUR and JPY"):
        _ = invoice(line("1.00"), line("1", of=JPY)).net


def test_a_credit_memo_s_net_is_positive_as_an_amount_given_back():
    given_back = CreditMemo(
        key=Key("0123456789ABCDEF"),
        source=DEAL,
        mapping="deal-to-credit",
        customer=CUSTOMER,
        date=date(2026, 3, 31),
        currency=EUR,
        lines=(line("10.00"), line("5.00", 2)),
    )
    assert (given_back.kind, given_back.net) == ("credit_memo", Money.of("20.00", "EUR"))


def test_a_payment_s_net_is_its_amount():
    paid = Payment(
        key=Key("0123456789ABCDEF"),
        source=DEAL,
        mapping="payment-to-payment",
        pays=DEAL,
        amount=Money.of("1000", "JPY"),
        date=date(2026, 3, 31),
    )
    assert (paid.kind, paid.currency, paid.net) == ("payment", JPY, Money.of("1000", "JPY"))
