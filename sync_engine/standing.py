"""standing: how a posted invoice stands, and what people may choose to do about it.

The nouns of ``correcting``: each is a value, made from the ledger by ``corrections``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from tieout.model.canonical import Values, plain
from tieout.model.capability import Capabilities
from tieout.model.change import Plan
from tieout.model.crediting import Extent
from tieout.model.dates import parse_day
from tieout.model.money import Money, allocate, currency, total
from tieout.model.record import Fields, Record
from tieout.model.ref import Key, Ref

GAP_LIMIT = 10  # numbers in a row that are missing of a document's corrections
LINES_MOVED = "Lines of it were added, taken out or moved in the books."
AGAIN = " again"  # in the name of a correction after which its invoice is issued again
APPLIED = "applied"  # in a plan's values: as much of a credit as its invoice has open


def lines_of(invoice: Fields) -> tuple[Money, ...]:
    """Return what each line of an invoice that names an item comes to, before tax.

    A discount of the whole, which is a line without an item, is shared among them.
    """
    sold = [line["amount"] for line in invoice["lines"] if line["item"]]
    unit = currency(invoice["currency"])
    net = Money(invoice["net"], unit)
    if sum(sold, Decimal(0)) == net.amount or not any(sold):
        return tuple(Money(one, unit) for one in sold)
    return allocate(net, sold)


def taken_of(credit: Credit, lines: Sequence[Money]) -> tuple[Money, ...]:
    """Return what a credit took of each line of its invoice.

    As it was made; where a person changed it or the invoice since, its net in proportion.

    Raises:
        ValueRefused: the lines cancel each other, so they give no proportion.
    """
    unit = lines[0].currency
    net = Money(credit.net, unit)
    made = tuple(Money(share, unit) for share in credit.shares)
    if len(made) == len(lines) and total(made, unit) == net:
        return made
    return allocate(net, [line.amount for line in lines])


def taken_so_far(standing: Standing) -> tuple[Money, ...]:
    """Return what the credits of an invoice took together of each line.

    Raises:
        ValueRefused: the lines cancel each other, so they give no proportion.
    """
    lines = standing.lines
    unit = currency(standing.invoice.fields["currency"])
    of_each = [taken_of(credit, lines) for credit in standing.credits]
    return tuple(total((one[n] for one in of_each), unit) for n in range(len(lines)))


class Way(StrEnum):
    """What a correction does."""

    AMEND = "amend"
    VOID = "void"
    CREDIT = "credit"
    APPLY = "apply"  # follows each credit by itself


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person chose, and the day that a credit is of."""

    way: Way
    extent: Extent = field(default_factory=Extent)
    reissue: bool = False
    day: date | None = None

    @property
    def name(self) -> str:
        """What people call it."""
        to_deal = "" if self.extent.to is None else "-to-deal"
        return f"{self.way}{to_deal}{'-and-reissue' if self.reissue else ''}"

    def plain(self) -> Values:
        """Return it as plain values."""
        return {
            "way": self.way.value,
            "reissue": self.reissue,
            "day": plain(self.day),
            "extent": self.extent.plain(),
        }

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Choice:
        """Return what ``plain`` wrote."""
        day = values["day"]
        return cls(
            Way(values["way"]),
            Extent.of(values["extent"]),
            reissue=bool(values["reissue"]),
            day=None if day is None else parse_day(day),
        )


@dataclass(frozen=True, slots=True)
class Credit:
    """A living credit of an invoice: its figures, and what it took of each line."""

    net: Decimal
    tax: Decimal
    total: Decimal
    shares: tuple[Decimal, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """How a posted invoice stands, as far as its corrections depend on it.

    Attributes:
        key: the invoice's key.
        source: the record of the CRM that it comes from.
        mapping: the mapping's name and the version its author gave it.
        title: what people call it.
        invoice: the books' record.
        live: whether it is neither voided nor deleted.
        in_flight: whether something of it was sent and not answered.
        inactive: which of its records no new document may name: ``customer 58``, ``item 7``.
        credits: its living credits.
        gift: what credits that people wrote cover of it; None where there is none.
        wanted: the values that the source would be invoiced with now; None where it cannot be.
        why_not: why it cannot be.
        sent: the values that it was posted with, later amendments included; None of an adopted one.
        answered: the fields that the books answered to that; of an adopted one, those of then.
        agreed: what each line of the source came to when an invoice was adopted; else None.
        now_net: what the source comes to now; None where it counts no more.
        now_lines: the same, by line.
        now_currency: the currency of those; None where it counts no more.
        inclusive: whether those contain the tax, so that they compare with the totals.
        preferences: what the books say of themselves.
        capabilities: what their connector can do.
        today: the day in the business time zone.
        numbers: which number of each way was sent last.
        several: whether it is of several sources, so that it is amended by no one of them.
    """

    key: Key
    source: Ref
    mapping: tuple[str, int]
    title: str
    invoice: Record
    live: bool
    in_flight: bool
    inactive: tuple[str, ...]
    credits: tuple[Credit, ...]
    gift: Credit | None
    wanted: Values | None
    why_not: str
    sent: Values | None
    answered: Fields
    agreed: tuple[Decimal, ...] | None
    now_net: Decimal | None
    now_lines: tuple[Decimal, ...]
    now_currency: str | None
    inclusive: bool
    preferences: Mapping[str, Any]
    capabilities: Capabilities
    today: date
    numbers: Mapping[Way, int]
    several: bool = False

    @property
    def lines(self) -> tuple[Money, ...]:
        """What each line that names an item comes to, discounts of the whole shared among them."""
        return lines_of(self.invoice.fields)

    @property
    def credited(self) -> Decimal:
        """What its credits took, before tax."""
        return sum((credit.net for credit in self.credits), Decimal(0))

    @property
    def rest(self) -> Decimal:
        """What is left of it, before tax."""
        left: Decimal = self.invoice.fields["net"] - self.credited
        return left


@dataclass(frozen=True, slots=True)
class Option:
    """One correction: its plan, with what follows it, or why the books would refuse it.

    Attributes:
        choice: what would be chosen.
        plan: what would be approved; None where it is not possible.
        along: the plan that is approved with it: a credit's application to its invoice.
        shares: what a credit takes of each line.
        settles: whether invoice and credits come to what the source comes to, afterwards.
        why: why it is not possible.
    """

    choice: Choice
    plan: Plan | None = None
    along: Plan | None = None
    shares: tuple[Decimal, ...] = ()
    settles: bool = False
    why: str = ""


def correction_key(
    corrects: Key,
    source: Ref,
    books: str,
    way: Way,
    number: int,
    *,
    of: Key | None = None,
    reissue: bool = False,
) -> Key:
    """Return the key of a correction: of which document, in which way, and the how manieth.

    The same on every machine and after a ledger was lost, so that its marker finds it again.
    ``of`` is the correction that this one follows. One that is made for its invoice to be issued
    again has a key of its own, so that its marker says that too.
    """
    part = f"{of or corrects} {way} {number}{AGAIN if reissue else ''}"
    return Key.of(source, mapping="correction", document=way.value, target_company=books, part=part)


def last_number(
    corrects: Key, source: Ref, books: str, way: Way, is_there: Callable[[Key], bool]
) -> int:
    """Return the number of the last correction of a document that is there, 0 where none is.

    Between two of them up to ``GAP_LIMIT`` may be missing: a lost ledger never saw those that
    people deleted in the books.
    """
    last = number = 0
    while number - last <= GAP_LIMIT:
        number += 1
        if any(map(is_there, keys_of(corrects, source, books, way, number))):
            last = number
    return last


def keys_of(corrects: Key, source: Ref, books: str, way: Way, number: int) -> tuple[Key, Key]:
    """Return the keys that one number may have: without and with an invoice to be issued again."""
    plainly, again = (
        correction_key(corrects, source, books, way, number, reissue=reissue)
        for reissue in (False, True)
    )
    return plainly, again
