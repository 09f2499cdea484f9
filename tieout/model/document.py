"""The canonical business documents. Amounts are computed here, once, for every mapping and target.

A line's amount is quantity × unit price, less its discount, on the currency's grid; a document's
discount is shared among its lines in proportion, so that the lines always sum to the net. With
prices that include tax the amounts include it too, and the net is known when the books have
computed it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Decimal
from enum import StrEnum
from typing import TypeAlias

from tieout.model.canonical import Plain
from tieout.model.dates import Day
from tieout.model.errors import ValueRefused
from tieout.model.lookup import Match
from tieout.model.money import EXACT, Currency, Money, Rounding, allocate, decimal, total
from tieout.model.ref import Key, Ref

HUNDRED = Decimal(100)


class Prices(StrEnum):
    """Whether the prices contain the tax."""

    EXCLUSIVE = "exclusive"
    INCLUSIVE = "inclusive"


class TaxBy(StrEnum):
    """Who computes the tax."""

    BOOKS = "books"  # the books do; only the net is compared
    OURS = "ours"  # the mapping's amount is sent
    EXPECT = "expect"  # the books do, and the mapping's amount is compared within the tolerance


@dataclass(frozen=True, slots=True)
class Tax:
    """How a document is taxed.

    ``tolerance`` is in the document's currency: up to it a difference is posted and shown as a
    variance, above it becomes a task. ``amount`` is the whole tax, for OURS and EXPECT.
    """

    prices: Prices = Prices.EXCLUSIVE
    by: TaxBy = TaxBy.BOOKS
    tolerance: Decimal = Decimal(0)
    amount: Money | None = None


@dataclass(frozen=True, slots=True)
class Percent:
    """A discount in hundredths, 0 to 100."""

    rate: Decimal

    def __post_init__(self) -> None:
        if not 0 <= decimal(self.rate) <= HUNDRED:
            raise ValueRefused(f"A discount of {self.rate} % is not between 0 and 100.")


Discount: TypeAlias = Percent | Money


@dataclass(frozen=True, slots=True)
class Line:
    """One thing sold.

    ``amount`` is computed: quantity × unit price less discount, on the currency's grid.
    ``share`` is this line's part of the document's discount, set by the document.
    ``extra`` holds what only one target understands (``class``).
    """

    item: Match | None
    description: str
    quantity: Decimal
    unit_price: Decimal
    currency: Currency
    discount: Discount | None = None
    tax_code: str | None = None
    extra: Mapping[str, Plain] = field(default_factory=dict)
    source: Ref | None = None
    rounding: Rounding = Rounding.HALF_UP
    share: Money | None = None

    @property
    def before_document_discount(self) -> Money:
        """Quantity × unit price, less the line's own discount."""
        full = EXACT.multiply(self.quantity, self.unit_price)
        match self.discount:
            case None:
                return Money.rounded(full, self.currency, self.rounding)
            case Percent(rate):
                left = EXACT.multiply(full, HUNDRED - rate).scaleb(-2, EXACT)
                return Money.rounded(left, self.currency, self.rounding)
            case off:
                return Money.rounded(full, self.currency, self.rounding) - off

    @property
    def amount(self) -> Money:
        """What this line contributes to the document's net."""
        own = self.before_document_discount
        return own if self.share is None else own - self.share

    def net_unit_price(self, places: int) -> Decimal | None:
        """Return the price with the fewest decimals whose product with the quantity is the amount.

        Returns None when none with ``places`` decimals or fewer exists; the line must then be
        blocked (R8, pain 10).
        """
        return net_unit_price(self.quantity, self.unit_price, self.amount, places, self.rounding)


def net_unit_price(
    quantity: Decimal,
    unit_price: Decimal,
    amount: Money,
    places: int,
    rounding: Rounding = Rounding.HALF_UP,
) -> Decimal | None:
    """Return the price with the fewest decimals (≤ places) that makes this amount of this quantity.

    The undiscounted price is kept as it is where it already does.
    """

    def fits(price: Decimal) -> bool:
        product = EXACT.multiply(quantity, price)
        return Money.rounded(product, amount.currency, rounding) == amount

    if fits(unit_price) and unit_price == unit_price.quantize(_step(places), context=EXACT):
        return unit_price
    if not quantity:
        return None if amount else Decimal(0)
    exact = EXACT.divide(amount.amount, quantity)
    for decimals in range(places + 1):
        # The prices that fit lie close around the exact one, so if any does, a neighbour does.
        nearest = (ROUND_HALF_UP, ROUND_DOWN, ROUND_UP)
        for price in (exact.quantize(_step(decimals), way, EXACT) for way in nearest):
            if fits(price):
                return price
    return None


def _step(places: int) -> Decimal:
    return Decimal(1).scaleb(-places)


@dataclass(frozen=True, slots=True)
class Invoice:
    """What a customer owes for what was sold.

    ``lines`` already carry their share of the document's discount: build with ``Invoice.of``.
    ``made_before`` names an invoice that a person has made of it: by id, number or reference.
    ``expected_sum`` is what the source itself says it should come to, for the check of lines.
    """

    key: Key
    source: Ref
    mapping: str
    customer: Match
    date: Day
    currency: Currency
    lines: tuple[Line, ...]
    due_date: Day | None = None
    terms: str | None = None
    discount: Discount | None = None
    tax: Tax = Tax()
    purchase_order: str | None = None
    memo: str = ""
    message: str = ""
    email: str | None = None
    project: str | None = None
    custom_fields: Mapping[str, str] = field(default_factory=dict)
    made_before: Mapping[str, str] = field(default_factory=dict)
    target: Mapping[str, Plain] = field(default_factory=dict)
    title: str = ""
    part: str = ""
    number: str | None = None

    kind = "invoice"

    @classmethod
    def of(
        cls, *, lines: tuple[Line, ...], discount: Discount | None = None, **rest: object
    ) -> Invoice:
        """Build an invoice and share its discount among its lines."""
        shared = share_discount(lines, discount)
        # The other fields are the constructor's: naming all of them here again would let them part.
        return cls(lines=shared, discount=discount, **rest)  # type: ignore[arg-type]

    @property
    def net(self) -> Money:
        """The sum of the lines; without tax when prices are exclusive."""
        return total((line.amount for line in self.lines), self.currency)


@dataclass(frozen=True, slots=True)
class CreditMemo:
    """What a customer no longer owes: the lines of an invoice, in whole or part."""

    key: Key
    source: Ref
    mapping: str
    customer: Match
    date: Day
    currency: Currency
    lines: tuple[Line, ...]
    tax: Tax = Tax()
    memo: str = ""
    invoice: Key | None = None
    target: Mapping[str, Plain] = field(default_factory=dict)
    title: str = ""
    part: str = ""

    kind = "credit_memo"

    @property
    def net(self) -> Money:
        """The sum of the lines; positive, as an amount given back."""
        return total((line.amount for line in self.lines), self.currency)


@dataclass(frozen=True, slots=True)
class Payment:
    """Money received from a customer, against an invoice of ours.

    ``pays`` is the source of the invoice that it pays (a deal); the plan finds the invoice's key.
    """

    key: Key
    source: Ref
    mapping: str
    pays: Ref
    amount: Money
    date: Day
    method: str | None = None
    deposit_to: str | None = None
    reference: str | None = None
    memo: str = ""
    title: str = ""
    part: str = ""

    kind = "payment"

    @property
    def currency(self) -> Currency:
        """The currency of the amount."""
        return self.amount.currency

    @property
    def net(self) -> Money:
        """The amount: a payment has no tax of its own."""
        return self.amount


Document: TypeAlias = Invoice | CreditMemo | Payment  # Bill and Expense stand beside these later


def share_discount(lines: tuple[Line, ...], discount: Discount | None) -> tuple[Line, ...]:
    """Return the lines, each with its share of a discount on the whole document.

    A share is in proportion to the line's amount and has its sign: 10 % off the document is 10 %
    off each line, also off one that takes something back.

    Raises:
        ValueRefused: the discount is larger than what it is taken from.
    """
    if discount is None or not lines:
        return lines
    of = lines[0].currency
    sums = [line.before_document_discount for line in lines]
    whole = total(sums, of)
    if isinstance(discount, Percent):
        exact = EXACT.multiply(whole.amount, discount.rate).scaleb(-2, EXACT)
        off = Money.rounded(exact, of, lines[0].rounding)
    elif discount > whole:
        raise ValueRefused(f"A discount of {discount} is larger than the {whole} it reduces.")
    else:
        off = discount
    if not off:
        return lines
    shares = allocate(off, [part.amount for part in sums])
    return tuple(replace(line, share=share) for line, share in zip(lines, shares, strict=True))
