"""What a CRM plays in the demo: how its truth is read, what its people do, what goes wrong with it.

All CRMs play the same day, each deed as its vendor has it. A row says what differs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, TypeAlias

from tieout.app.demo.doors import Truth

Card: TypeAlias = Mapping[str, Any]
"""A deal as ``Part.read`` tells it."""
Deed: TypeAlias = Mapping[str, Any]
Fault: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Act:
    """Something that people do to some deals.

    Attributes:
        words: what they do; ``{n}`` stands for to how many.
        deeds: what that is at the company's door, for the deals that were taken.
        number: how many are taken, if there are so many.
        fits: which.
    """

    words: str
    deeds: Callable[[Sequence[Card]], Sequence[Deed]]
    number: int = 1
    fits: Callable[[Card], bool] = lambda _: True


@dataclass(frozen=True, slots=True)
class Part:
    """One CRM's part.

    Attributes:
        read: tells its truth in the words that all have in common: ``deals`` with ``id``, ``name``,
            ``po_number``, ``is_won``, ``archived``, ``currency``, ``amount``, ``net``,
            ``closed_on`` (a day, or None), ``company``, ``company_name``, ``modified``, ``lines``;
            ``currency`` of the company; ``merged``, each deal's id and the one it became;
            ``requests`` and ``throttled``.
        second_thoughts: what happens to deals that are invoiced.
        mending: what happens to deals that are held.
        won: how deals are won that were not.
        first, approved, second: what goes wrong on the way to it, in each of those rounds.
    """

    read: Callable[[Truth], Truth]
    second_thoughts: Sequence[Act]
    mending: Sequence[Act]
    won: Callable[[Sequence[Card]], Sequence[Deed]]
    first: Sequence[Fault]
    approved: Sequence[Fault]
    second: Sequence[Fault]


CENT: Final = Decimal("0.01")


def net(deal: Card) -> Decimal:
    """Return what a deal comes to, before tax."""
    return Decimal(deal["net"])


def is_in_euro(deal: Card) -> bool:
    """Whether a deal is in the books' own currency."""
    return bool(deal["currency"] == "EUR")


def one_more(line: Mapping[str, Any], quantity: str) -> str:
    """Return a line's quantity, raised by one."""
    return f"{Decimal(line[quantity] or 0) + 1:f}"


def group_name(deal: Card) -> str:
    """Return a new name of a deal's customer."""
    return f"{deal['company_name'].strip()} Group"
