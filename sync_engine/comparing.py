"""comparing: an invoice that a person made beside the one that Tieout would have made. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

ZERO = Decimal(0)
WEIGHING: Final = frozenset(
    {"customer", "date", "due_date", "terms", "currency", "net", "total", "lines"}
)
"""Fields of an invoice whose difference changes what is owed, by whom, when; others are words."""
WEIGHING_OF_A_LINE: Final = frozenset({"item", "amount", "tax_code"})
OF_A_LINE: Final = ("item", "description", "quantity", "unit_price", "amount", "tax_code")


@dataclass(frozen=True, slots=True)
class Line:
    """One line, with names in place of the books' ids."""

    item: str | None = None
    description: str | None = None
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    amount: Decimal = ZERO
    tax_code: str | None = None


@dataclass(frozen=True, slots=True)
class Paper:
    """An invoice as it is compared.

    ``values`` has the single fields by their name, those of ``custom_fields`` as
    ``custom_fields.NAME``; a field that our side does not set is not in it.
    """

    values: Mapping[str, Any]
    lines: Sequence[Line] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Unlike:
    """One field that the two say differently; ``field`` is called as the mapping's trace calls it.

    ``weighs`` says that it changes what is owed, by whom, when or with which tax.
    """

    field: str
    ours: Any
    theirs: Any
    weighs: bool


def unlike(ours: Paper, theirs: Paper) -> Iterator[Unlike]:
    """Yield every difference of two papers, of the fields that ours sets."""
    for name, value in ours.values.items():
        other = theirs.values.get(name)
        if value != other and (value or other):
            yield Unlike(name, value, other, name in WEIGHING)
    if len(ours.lines) == len(theirs.lines):
        for n, (line, other_line) in enumerate(zip(ours.lines, theirs.lines, strict=True)):
            yield from _unlike_lines(f"lines[{n}]", line, other_line)
        return
    yield Unlike("lines", len(ours.lines), len(theirs.lines), weighs=False)
    own, other_sums = nets_by_code(ours.lines), nets_by_code(theirs.lines)
    for code in sorted({*own, *other_sums}):
        if own.get(code) != other_sums.get(code):
            yield Unlike(f"lines.{code}", own.get(code), other_sums.get(code), weighs=True)


def nets_by_code(lines: Sequence[Line]) -> dict[str, Decimal]:
    """Return what the lines of each tax code come to; one without a code is called ``no tax``."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        sums[line.tax_code or "no tax"] += line.amount
    return dict(sums)


def gross_of(
    lines: Sequence[Line],
    rate_of: Callable[[str], Decimal | None],
    rounded: Callable[[Decimal], Decimal],
) -> Decimal | None:
    """Return what lines without tax come to with it, each code's tax rounded; None if a rate lacks.

    So do the books reckon where they are asked to; theirs is the last word.
    """
    whole = ZERO
    for code, net in nets_by_code(lines).items():
        rate = rate_of(code)
        if rate is None:
            return None
        whole += net + rounded(net * rate / 100)
    return whole


def _unlike_lines(at: str, line: Line, other: Line) -> Iterator[Unlike]:
    for name in OF_A_LINE:
        value, theirs = getattr(line, name), getattr(other, name)
        if value != theirs and (value or theirs):
            yield Unlike(f"{at}.{name}", value, theirs, name in WEIGHING_OF_A_LINE)
