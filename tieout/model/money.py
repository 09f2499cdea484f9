"""Money: a Decimal in a currency with its own exponent; named rounding; parts that sum.

Exponents are those of ISO 4217. An amount always lies on its currency's grid: a value with more
decimals is refused or rounded by name, never silently.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import (
    ROUND_DOWN,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Context,
    Decimal,
)
from decimal import InvalidOperation as DecimalInvalid
from enum import Enum
from functools import lru_cache

from tieout.model.errors import InvariantError, ValueRefused

MAX_DIGITS = 18  # before the point: more than any set of books holds
MAX_PLACES = 60  # after it, in a number that is not money: a rate, a quotient
EXACT = Context(prec=400)  # holds a product of several such numbers, so only grids round;
# used by name, so that a program's own decimal context changes no amount


class Rounding(Enum):
    """The ways to round that a configuration may name."""

    HALF_UP = ROUND_HALF_UP
    HALF_EVEN = ROUND_HALF_EVEN
    HALF_DOWN = ROUND_HALF_DOWN
    UP = ROUND_UP
    DOWN = ROUND_DOWN


@dataclass(frozen=True, slots=True)
class Currency:
    """An ISO 4217 code and the number of decimals that its amounts have."""

    code: str
    exponent: int

    @property
    def step(self) -> Decimal:
        """The smallest amount: 0.01 for EUR, 1 for JPY, 0.001 for KWD."""
        return _STEPS[self.exponent]


_STEPS = tuple(Decimal(1).scaleb(-n) for n in range(5))
_EXPONENTS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN "
        "BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS "
        "GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR "
        "LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD "
        "PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN "
        "SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR "
        "ZMW ZWG"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_CURRENCIES = {
    code: Currency(code, exponent)
    for exponent, codes in _EXPONENTS.items()
    for code in codes.split()
}


def currency(code: str) -> Currency:
    """Return the currency of an ISO 4217 code.

    Raises:
        ValueRefused: no such currency.
    """
    found = _CURRENCIES.get(code)
    if found is None:
        raise ValueRefused(
            f"{code!r} is not a currency.", remedy="Use an ISO 4217 code, as EUR, in capitals."
        )
    return found


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An exact amount on the grid of its currency.

    Raises:
        ValueRefused: not a finite number, too many decimals, or too many digits.
    """

    amount: Decimal
    currency: Currency

    def __post_init__(self) -> None:
        placed = _on_grid(_finite(self.amount), self.currency.exponent)
        if placed is None:
            of = self.currency
            raise ValueRefused(
                f"{self.amount} has more than the {of.exponent} decimals of {of.code}.",
                remedy="Correct the amount at its source, or round it in the mapping: =round(…, "
                f"{of.exponent}).",
            )
        object.__setattr__(self, "amount", placed)

    @classmethod
    def of(cls, amount: Decimal | int | str, code: str) -> Money:
        """Return exactly this amount; refuse one that the currency cannot hold."""
        return cls(decimal(amount), currency(code))

    @classmethod
    def rounded(cls, amount: Decimal, of: Currency, rounding: Rounding = Rounding.HALF_UP) -> Money:
        """Return the amount on the currency's grid, rounded by the named rule."""
        return cls(_finite(amount).quantize(of.step, rounding.value, EXACT), of)

    @classmethod
    def zero(cls, of: Currency) -> Money:
        """Return nothing, in a currency."""
        return cls(Decimal(0), of)

    def __add__(self, other: Money) -> Money:
        return Money(EXACT.add(self.amount, self._same(other).amount), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(EXACT.subtract(self.amount, self._same(other).amount), self.currency)

    def __neg__(self) -> Money:
        return Money(EXACT.minus(self.amount), self.currency)

    def __abs__(self) -> Money:
        return Money(EXACT.abs(self.amount), self.currency)

    def __bool__(self) -> bool:
        return bool(self.amount)

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._same(other).amount

    def __le__(self, other: Money) -> bool:
        return self.amount <= self._same(other).amount

    def __str__(self) -> str:
        return f"{self.amount} {self.currency.code}"

    def _same(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise InvariantError(
                f"{self.currency.code} and {other.currency.code} were put in one sum."
            )
        return other


def total(parts: Iterable[Money], of: Currency) -> Money:
    """Return the sum of the parts; zero in the currency when there are none."""
    whole = Money.zero(of)
    for part in parts:
        whole += part
    return whole


def allocate(whole: Money, weights: Sequence[Decimal]) -> tuple[Money, ...]:
    """Share an amount in proportion to weights; the parts always sum to the whole.

    Each part is cut to whole steps; what is left goes, one step at a time, to the parts that lost
    most, the earlier first (largest remainder). So each part is less than one step from exact.
    With all weights zero the shares are equal. Weights of both signs give shares of both signs.

    Raises:
        ValueRefused: no weights, one that is not a number, or weights that cancel each other.
    """
    if not weights:
        raise ValueRefused("An amount cannot be shared among nobody.")
    shares = _integers(weights) if any(weights) else [1] * len(weights)
    of_all = sum(shares)
    if not of_all:
        raise ValueRefused("Weights that sum to nothing give no proportion to share by.")
    if of_all < 0:
        of_all, shares = -of_all, [-share for share in shares]
    exponent = whole.currency.exponent
    steps = int(EXACT.scaleb(whole.amount, exponent))
    sign = -1 if steps < 0 else 1  # an amount given back is shared like the amount itself
    cut = [divmod(abs(steps) * share, of_all) for share in shares]
    left = abs(steps) - sum(part for part, _ in cut)
    by_loss = sorted(range(len(cut)), key=lambda n: (-cut[n][1], n))
    luckier = frozenset(by_loss[:left])
    return tuple(
        Money(EXACT.scaleb(Decimal(sign * (part + (n in luckier))), -exponent), whole.currency)
        for n, (part, _) in enumerate(cut)
    )


def decimal(value: Decimal | int | str) -> Decimal:
    """Return the exact decimal of a number or a text.

    Raises:
        ValueRefused: not a finite number, or more digits or decimals than a number may have.
    """
    if isinstance(value, bool | float):
        raise ValueRefused(f"{value!r} is not an exact number.")
    try:
        exact = _finite(Decimal(value))
    except DecimalInvalid as wrong:
        raise ValueRefused(f"{str(value)[:40]!r} is not a number.") from wrong
    if _places(exact) > MAX_PLACES:
        raise ValueRefused(f"{exact:.3E} has more than {MAX_PLACES} decimals.")
    return exact


def plain_text(value: Decimal) -> str:
    """Return the one spelling of a decimal: no exponent, no trailing zeros, no minus zero.

    Raises:
        ValueRefused: not a finite number, or a text of absurd length.
    """
    if not value:
        return "0"
    if not value.is_finite() or max(value.adjusted(), _places(value)) > MAX_PLACES:
        raise ValueRefused(f"{value:.3E} cannot be written out.")
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _integers(numbers: Sequence[Decimal]) -> list[int]:
    """Return whole numbers in the same proportion."""
    places = max(0, *(_places(decimal(number)) for number in numbers))
    return [int(EXACT.scaleb(number, places)) for number in numbers]


def _places(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def _finite(value: Decimal) -> Decimal:
    if not value.is_finite():
        raise ValueRefused(f"{value} is not a finite number.")
    if value and value.adjusted() >= MAX_DIGITS:
        raise ValueRefused(f"{value:.3E} is larger than any set of books holds.")
    return value


@lru_cache(maxsize=4096)
def _on_grid(amount: Decimal, exponent: int) -> Decimal | None:
    """Return the amount with exactly so many decimals, None where it has more."""
    placed = amount.quantize(_STEPS[exponent], ROUND_DOWN, EXACT)
    return EXACT.plus(placed) if placed == amount else None  # never minus zero
