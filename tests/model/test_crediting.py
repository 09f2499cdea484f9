"""Credits of an invoice: by line, never more than is left, and together exactly all of it (R44)."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieout.model.crediting import Extent, shares
from tieout.model.errors import ValueRefused
from tieout.model.money import Money, currency, total

EUR = currency("EUR")
LINES = ("100.01", "99.99")


def money(*amounts):
    return tuple(Money.of(amount, "EUR") for amount in amounts)


def taken(extent, lines=LINES, credited=None):
    before = money(*(credited or ["0"] * len(lines)))
    return [str(one.amount) for one in shares(money(*lines), before, extent, EUR)]


def test_without_an_extent_all_that_is_left_is_taken():
    assert taken(Extent(), credited=["0.01", "99.99"]) == ["100.00", "0.00"]


@pytest.mark.parametrize(
    ("extent", "expected"),
    [
        (Extent(part=Decimal(50)), ["50.01", "49.99"]),
        (Extent(part=Decimal(100)), ["100.01", "99.99"]),
        (Extent(line=2), ["0.00", "99.99"]),
        (Extent(line=1, amount=Decimal("0.5")), ["0.50", "0.00"]),
        (Extent(amount=Decimal("0.01")), ["0.01", "0.00"]),
        (Extent(to=(Decimal(100), Decimal(0))), ["0.01", "99.99"]),
        (Extent(to=(Decimal(150),)), ["25.00", "25.00"]),
    ],
)
def test_what_each_line_gives(extent, expected):
    assert taken(extent) == expected


@pytest.mark.parametrize(
    ("extent", "why"),
    [
        (Extent(amount=Decimal("200.01")), r"more than the 200\.00 EUR"),
        (Extent(line=1, amount=Decimal("100.02")), r"more than the 100\.01 EUR"),
        (Extent(line=3), "no line 3"),
        (Extent(to=(Decimal(201),)), "no less than is left"),
        (Extent(amount=Decimal("0.001")), "more than the 2 decimals"),
    ],
)
def test_more_than_is_left_or_what_is_not_there_is_refused(extent, why):
    with pytest.raises(ValueRefused, match=why):
        taken(extent)


def test_what_is_credited_whole_is_credited_no_more():
    with pytest.raises(ValueRefused, match="Nothing of it is left"):
        taken(Extent(), credited=list(LINES))


def test_lines_of_both_signs_are_credited_whole_or_by_name():
    assert taken(Extent(), lines=["100", "-10"]) == ["100.00", "-10.00"]
    assert taken(Extent(line=1), lines=["100", "-10"]) == ["100.00", "0.00"]
    with pytest.raises(ValueRefused, match="both signs"):
        taken(Extent(part=Decimal(50)), lines=["100", "-10"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"part": Decimal(0)},
        {"part": Decimal("100.01")},
        {"amount": Decimal(0)},
        {"amount": Decimal(-1)},
        {"part": Decimal(10), "line": 1},
        {"part": Decimal(10), "amount": Decimal(1)},
    ],
)
def test_an_extent_that_means_nothing_is_refused(wrong):
    with pytest.raises(ValueRefused):
        Extent(**wrong)


@pytest.mark.parametrize(
    "extent",
    [
        Extent(),
        Extent(part=Decimal("33.3333")),
        Extent(line=2, amount=Decimal("0.10")),
        Extent(to=(Decimal("1.5"), Decimal(0))),
    ],
)
def test_an_extent_is_read_back_as_it_was_written(extent):
    assert Extent.of(extent.plain()) == extent


cents = st.integers(1, 10_000_000).map(lambda n: Decimal(n).scaleb(-2))
parts = st.decimals(min_value="0.0001", max_value=100, places=4)


@given(st.lists(cents, min_size=1, max_size=8), st.lists(parts, max_size=8))
def test_credits_sum_to_the_invoice_whatever_their_parts(lines, wanted):
    """No line is ever credited beyond itself, and the last credit takes what rounding left."""
    amounts = money(*lines)
    credited = [Money.zero(EUR) for _ in amounts]
    for part in [*wanted, None]:
        if total(credited, EUR) == total(amounts, EUR):
            break
        given_back = shares(amounts, credited, Extent(part=part), EUR)
        credited = [one + more for one, more in zip(credited, given_back, strict=True)]
        assert all(one <= line for one, line in zip(credited, amounts, strict=True))
    assert tuple(credited) == amounts
