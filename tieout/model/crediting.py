"""How much of an invoice a credit takes: by line, never more than is left, the last takes the rest.

Whatever was credited before is subtracted on each line, so several credits of one invoice always
sum to it and no rounding is lost or made (R44).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from tieout.model.canonical import Values, plain
from tieout.model.document import HUNDRED
from tieout.model.errors import ValueRefused
from tieout.model.money import EXACT, Currency, Money, allocate, decimal, total


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is to be credited; with none of these, all that is left.

    Attributes:
        part: so many hundredths of the whole invoice, above 0 and at most 100.
        line: of this line only, the first being 1; 0 is every line.
        amount: so much, before tax, in the invoice's currency.
        to: what shall be left of each line afterwards.
    """

    part: Decimal | None = None
    line: int = 0
    amount: Decimal | None = None
    to: tuple[Decimal, ...] | None = None

    def __post_init__(self) -> None:
        if self.part is not None and not 0 < self.part <= HUNDRED:
            raise ValueRefused(f"A part of {self.part} % is not above 0 and at most 100.")
        if self.amount is not None and self.amount <= 0:
            raise ValueRefused(f"A credit of {self.amount} gives nothing back.")
        if self.part is not None and (self.line or self.amount is not None):
            raise ValueRefused("A part is of the whole invoice: name neither line nor amount.")

    def plain(self) -> Values:
        """Return it as plain values, without what is not said."""
        said = {"part": self.part, "line": self.line or None, "amount": self.amount, "to": self.to}
        return {name: plain(value) for name, value in said.items() if value is not None}

    @classmethod
    def of(cls, values: Values) -> Extent:
        """Return what ``plain`` wrote."""
        part, amount, to = values.get("part"), values.get("amount"), values.get("to")
        line = values.get("line", 0)
        return cls(
            part=None if part is None else decimal(str(part)),
            line=int(str(line)),
            amount=None if amount is None else decimal(str(amount)),
            to=tuple(decimal(str(one)) for one in to) if isinstance(to, list | tuple) else None,
        )


def shares(
    lines: Sequence[Money], credited: Sequence[Money], extent: Extent, of: Currency
) -> tuple[Money, ...]:
    """Return what a credit takes of each line.

    Args:
        lines: the invoice's lines, before tax.
        credited: what earlier credits took of each.
        extent: how much is asked for.
        of: the invoice's currency.

    Raises:
        ValueRefused: nothing is left, more is asked for than is left, there is no such line, or an
            amount cannot be shared among lines of both signs.
    """
    rest = [line - taken for line, taken in zip(lines, credited, strict=True)]
    left = total(rest, of)
    if not left.amount > 0:
        raise ValueRefused("Nothing of it is left to credit.")
    if any(
        (one.amount < 0) != (line.amount < 0) for one, line in zip(rest, lines, strict=True) if one
    ):
        raise ValueRefused("More of a line was credited than it comes to now.")
    if extent.to is not None:
        return _down_to(rest, extent.to, of)
    if extent.line:
        return _of_line(rest, extent, of)
    if extent.part is not None:
        whole = total(lines, of).amount
        exact = EXACT.multiply(whole, extent.part).scaleb(-2, EXACT)
        return _spread(min(Money.rounded(exact, of), left), rest)
    if extent.amount is not None:
        return _spread(_at_most(Money(extent.amount, of), left), rest)
    return tuple(rest)


def _of_line(rest: Sequence[Money], extent: Extent, of: Currency) -> tuple[Money, ...]:
    if not 1 <= extent.line <= len(rest):
        raise ValueRefused(f"It has no line {extent.line}: its lines are 1 to {len(rest)}.")
    left = rest[extent.line - 1]
    if not left.amount > 0:
        raise ValueRefused(f"Nothing of line {extent.line} is left to credit.")
    taken = left if extent.amount is None else _at_most(Money(extent.amount, of), left)
    return tuple(taken if n == extent.line else Money.zero(of) for n in range(1, len(rest) + 1))


def _down_to(rest: Sequence[Money], to: Sequence[Decimal], of: Currency) -> tuple[Money, ...]:
    """Return what each line has too much, or a spread where the lines do not compare."""
    wanted = [Money.rounded(one, of) for one in to]
    if len(wanted) == len(rest) and all(
        0 <= less.amount <= more.amount for less, more in zip(wanted, rest, strict=True)
    ):
        taken = tuple(more - less for more, less in zip(rest, wanted, strict=True))
    else:
        taken = _spread(total(rest, of) - total(wanted, of), rest)
    if not total(taken, of).amount > 0:
        raise ValueRefused("The deal comes to no less than is left of its invoice.")
    return taken


def _at_most(asked: Money, left: Money) -> Money:
    if asked > left:
        raise ValueRefused(f"{asked} is more than the {left} that is left to credit.")
    return asked


def _spread(taken: Money, rest: Sequence[Money]) -> tuple[Money, ...]:
    if not taken.amount > 0:
        return tuple(Money.zero(taken.currency) for _ in rest)
    if any(one.amount < 0 for one in rest):
        raise ValueRefused("Its lines have both signs: name the line that is credited.")
    return allocate(taken, [one.amount for one in rest])
