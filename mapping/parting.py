"""A source that makes several documents: which lines each takes, and how much; they always sum.

The whole is made first, as if it were one document, so that every rule and check of the mapping
holds for it. Then it is cut: lines that a part takes are taken whole, and what is left is shared by
``money.allocate``, so that the parts sum to the whole by how they are made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from mapping.formula import Formula
from mapping.functions import Type, text_of
from mapping.making import REFUSED, Work
from mapping.periods import EVERY, MONTH, MONTHS_LIMIT, Place, Terms, step_of
from mapping.rules import InvoiceRules, PartRule, Takes
from tieout.model.change import Severity
from tieout.model.dates import months_after
from tieout.model.document import HUNDRED, Invoice, Line, share_discount
from tieout.model.errors import ValueRefused
from tieout.model.money import Currency, Money, allocate, total
from tieout.model.ref import Key

PARTS_LIMIT = 120  # of one source: ten years of months
ONE: Final = Decimal(1)
_TAKES_LINES: Final = (Takes.LINES, Takes.BY)
_REMEDY: Final = "Correct the part in the line named, or the deal: the parts must sum to it."


@dataclass(frozen=True, slots=True)
class Part:
    """One document of several.

    Attributes:
        name: its part in the key: the rule's name, and the period or value after a colon.
        rule: the row that makes it.
        lines: what it takes of the whole.
        day: its date, None where it has none of its own or none yet.
        title: what is written before the text of its lines.
        value: what its lines are grouped by.
        n: which of ``count`` documents of its rule it is, from 1.
        tax: its share of the whole's tax, where the mapping knows that.
    """

    name: str
    rule: PartRule
    lines: tuple[Line, ...]
    day: date | None = None
    title: str = ""
    value: str | None = None
    n: int = 1
    count: int = 1
    tax: Money | None = None

    @property
    def net(self) -> Money:
        """What its lines come to."""
        return total((line.amount for line in self.lines), self.lines[0].currency)

    @property
    def is_awaited(self) -> bool:
        """Whether the day that it has is not known yet: a milestone that was not reached."""
        return self.rule.date is not None and self.day is None

    @property
    def shown(self) -> dict[str, Any]:
        """What the formulas of its head see as ``part``."""
        return {
            "name": self.rule.name,
            "title": self.title,
            "value": self.value,
            "date": self.day,
            "n": Decimal(self.n),
            "count": Decimal(self.count),
        }


def split(work: Work, key: Key) -> tuple[Part, ...]:
    """Return the parts of a source, in the mapping's order, and check the whole.

    None where the whole cannot be made, where it cannot be split to the cent, or where a check
    blocks it: what was found is in ``work`` then.
    """
    rules = work.mapping.document
    assert isinstance(rules, InvoiceRules)
    lines = _whole(work, rules)
    parts = _parts(work, lines) if lines else []
    if not parts:
        return ()
    whole = _with_head(work, rules, key, parts[0], lines)
    if whole is not None:
        work.check(whole)
        parts = _with_tax(parts, whole)
    return tuple(parts)


def part_document(work: Work, key: Key, part: Part) -> Invoice | None:
    """Return the document of a part; None while its day is not known."""
    rules = work.mapping.document
    assert isinstance(rules, InvoiceRules)
    if part.is_awaited:
        return None
    made = _with_head(work, rules, key, part, part.lines)
    if made is None:
        return None
    tax = replace(made.tax, amount=part.tax)
    return replace(made, part=part.name, date=part.day or made.date, tax=tax)


def _whole(work: Work, rules: InvoiceRules) -> tuple[Line, ...]:
    """Return every line with its share of the discount on the whole."""
    cell = rules.cells["currency"]
    code = work.value("currency", cell)
    unit = None if code is REFUSED else work.currency(code, cell)
    if unit is None:
        return ()
    lines = list(work.lines(rules.lines, unit))
    whole = tuple(line for line in lines if line is not None)
    if len(whole) < len(lines):
        return ()
    if not whole:
        message, remedy = "There is nothing to invoice: no line.", "Add the lines in the CRM."
        work.find("no-lines", Severity.BLOCK, message, remedy, rules.lines.line)
        return ()
    try:
        return share_discount(whole, work.discount("discount", rules.discount, work.scope, unit))
    except ValueRefused as refused:
        work.refused(refused, rules.lines.line)
        return ()


def _with_head(
    work: Work, rules: InvoiceRules, key: Key, part: Part, lines: tuple[Line, ...]
) -> Invoice | None:
    work.scope["part"] = part.shown
    return work.invoice(rules, key, lines)


def _with_tax(parts: Sequence[Part], whole: Invoice) -> list[Part]:
    if whole.tax.amount is None:
        return list(parts)
    shares = allocate(whole.tax.amount, [part.net.amount for part in parts])
    return [replace(part, tax=share) for part, share in zip(parts, shares, strict=True)]


# -- cutting ------------------------------------------------------------------------------------


def _parts(work: Work, lines: tuple[Line, ...]) -> list[Part]:
    rules = work.mapping.parts
    made: dict[PartRule, list[Part]] = {}
    left = lines
    for rule in rules:
        if rule.takes in _TAKES_LINES:
            made[rule], left = _grouped(work, rule, left)
    sharing = [rule for rule in rules if rule.takes not in _TAKES_LINES]
    if left and not sharing:
        names = ", ".join(line.description or "a line without text" for line in left)
        _refuse(work, f"No part takes {names}: {_sum(left)} is left.", rules[0])
        return []
    if left:
        shared = _shared(work, sharing, left)
        if shared is None:
            return []
        made |= shared
    parts = [part for rule in rules for part in made.get(rule, ())]
    if len(parts) > PARTS_LIMIT:
        message = f"{len(parts)} parts are more than the {PARTS_LIMIT} that one source has."
        _refuse(work, message, rules[0])
        return []
    return [_named(work, part) for part in parts]


def _grouped(
    work: Work, rule: PartRule, lines: tuple[Line, ...]
) -> tuple[list[Part], tuple[Line, ...]]:
    """Return the parts of a rule that takes lines whole, and the lines that it leaves."""
    taken: dict[str, list[Line]] = {}
    left: list[Line] = []
    rows = _rows(work)
    for line in lines:
        value = _asked(work, rule, line, rows)
        if value in (None, REFUSED, "", False):
            left.append(line)
        else:
            taken.setdefault("" if rule.takes is Takes.LINES else text_of(value), []).append(line)
    day = _day(work, rule)
    parts = [
        Part(
            f"{rule.name}:{value}" if value else rule.name,
            rule,
            tuple(some),
            day=day,
            value=value or None,
            n=n,
            count=len(taken),
        )
        for n, (value, some) in enumerate(taken.items(), 1)
    ]
    return parts, tuple(left)


def _shared(
    work: Work, rules: Sequence[PartRule], lines: tuple[Line, ...]
) -> dict[PartRule, list[Part]] | None:
    """Return the parts that share lines among them; None, and found, where they do not sum."""
    amounts = _amounts(work, rules, _sum(lines))
    if amounts is None:
        return None
    made: dict[PartRule, list[Part]] = {}
    for rule, amount in zip(rules, amounts, strict=True):
        try:
            shares = allocate(amount, [line.amount.amount for line in lines])
        except ValueRefused as refused:
            _refuse(work, refused.what, rule)
            return None
        some = [_cut(line, share) for line, share in zip(lines, shares, strict=True) if share]
        if rule.takes is Takes.PERIODS:
            periods = _periods(work, rule, some)
            if periods is None:
                return None
            made[rule] = periods
        elif some:
            made[rule] = [Part(rule.name, rule, tuple(some), day=_day(work, rule))]
    return made


def _amounts(work: Work, rules: Sequence[PartRule], pool: Money) -> list[Money] | None:
    """Return what each rule takes of an amount: percents, then fixed amounts, then the rest.

    None, and found, where that is not the whole amount.
    """
    percents: dict[PartRule, Decimal] = {}
    fixed: dict[PartRule, Money] = {}
    rest: PartRule | None = None
    for rule in rules:
        if rule.takes in (Takes.REST, Takes.PERIODS):
            rest = rule
            continue
        value = work.optional(f"parts.{rule.name}.{rule.takes}", rule.value)
        if value is None:
            message = f"There is no {rule.takes} of the part {rule.name}."
            _refuse(work, message, rule)
            return None
        if rule.takes is Takes.PERCENT:
            percents[rule] = value
            continue
        try:
            fixed[rule] = Money(value, pool.currency)
        except ValueRefused as refused:
            work.refused(refused, rule.line)
            return None
    unshared = HUNDRED - sum(percents.values(), Decimal(0))
    if unshared < 0 or any(value < 0 for value in percents.values()):
        _refuse(work, f"The percents of the parts come to {HUNDRED - unshared}, not 100.", rules[0])
        return None
    *shares, left = allocate(pool, [*percents.values(), unshared])
    left -= total(fixed.values(), pool.currency)
    if left and (rest is None or (left.amount < 0) != (pool.amount < 0)):
        _refuse(work, f"The parts come to {pool - left}, and the deal to {pool}.", rules[0])
        return None
    taken = {**dict(zip(percents, shares, strict=True)), **fixed}
    return [taken.get(rule, left) for rule in rules]


def _periods(work: Work, rule: PartRule, lines: Sequence[Line]) -> list[Part] | None:
    """Return a document for each day; a line is in as many of them as it has periods."""
    taken: dict[Place, list[Line]] = {}
    rows = _rows(work)
    try:
        for line in lines:
            terms = _terms(work, rule, line, rows)
            if terms is None:
                return None
            for n, share in enumerate(allocate(line.amount, [ONE] * terms.count)):
                some = taken.setdefault(terms.place(n), [])
                if share:
                    some.append(_cut(line, share))
    except ValueRefused as refused:
        _refuse(work, refused.what, rule)
        return None
    made = [(n, place, some) for n, (place, some) in enumerate(sorted(taken.items()), 1) if some]
    return [
        Part(f"{rule.name}:{n}", rule, tuple(some), day=place.day, n=n, count=made[-1][0])
        for n, place, some in made
    ]


def _terms(work: Work, rule: PartRule, line: Line, rows: dict[str, dict[str, Any]]) -> Terms | None:
    """Return how one line is paid; None, and found, where that cannot be said."""
    count = _asked(work, rule, line, rows, Type.NUMBER)
    every = _cell(work, rule, line, rows, ("every", rule.every, Type.ANY))
    first = _cell(work, rule, line, rows, ("date", rule.date, Type.DATE))
    delay = _cell(work, rule, line, rows, ("delay_months", rule.delay_months, Type.NUMBER))
    if REFUSED in (count, every, first, delay):
        return None
    if count is None or count != int(count) or not 1 <= count <= PARTS_LIMIT:
        said = "missing" if count is None else text_of(count)
        message = f"The number of periods of {rule.name} is {said}, not 1 to {PARTS_LIMIT}."
        _refuse(work, message, rule)
        return None
    step = MONTH if rule.every is None else step_of(every)
    if step is None:
        said = "nothing" if every is None else text_of(every)
        words = ", ".join(EVERY)
        message = f"The periods of {rule.name} are apart by {said}, not {words} or whole months."
        _refuse(work, message, rule)
        return None
    if delay is not None and (delay != int(delay) or not 0 <= delay <= MONTHS_LIMIT):
        message = f"{rule.name} begins {text_of(delay)} months later, not 0 to {MONTHS_LIMIT}."
        _refuse(work, message, rule)
        return None
    if first is not None and delay:
        first = months_after(first, int(delay))
    return Terms(int(count), step, first)


def _cut(line: Line, amount: Money) -> Line:
    """Return a line that is a share of another; one that is all of it keeps quantity and price."""
    if amount == line.amount:
        return line
    return replace(line, quantity=ONE, unit_price=amount.amount, discount=None, share=None)


def _named(work: Work, part: Part) -> Part:
    """Return a part with its title, which stands before the text of each line."""
    if part.rule.title is None:
        return part
    scope = {**work.scope, "part": part.shown}
    said = work.value(f"parts.{part.rule.name}.title", part.rule.title, scope)
    title = "" if said is REFUSED else text_of(said)
    lines = tuple(
        replace(line, description=": ".join(filter(None, (title, line.description))))
        for line in part.lines
    )
    return replace(part, title=title, lines=lines)


def _rows(work: Work) -> dict[str, dict[str, Any]]:
    rules = work.mapping.document
    assert isinstance(rules, InvoiceRules)
    return {row["id"]: row for row in work.scope[rules.lines.rows]}


def _asked(
    work: Work, rule: PartRule, line: Line, rows: dict[str, dict[str, Any]], wanted: Type = Type.ANY
) -> Any:
    """Return what a rule takes of one line, or whether it takes it."""
    return _cell(work, rule, line, rows, (rule.takes, rule.value, wanted))


def _cell(
    work: Work,
    rule: PartRule,
    line: Line,
    rows: dict[str, dict[str, Any]],
    cell: tuple[str, Formula | None, Type],
) -> Any:
    """Return what one cell of a rule says of a line; None where the rule has no such cell."""
    rules = work.mapping.document
    assert isinstance(rules, InvoiceRules)
    assert line.source is not None
    name, formula, wanted = cell
    if formula is None:
        return None
    scope = {**work.scope, rules.lines.each: rows[line.source.id]}
    return work.value(f"parts.{rule.name}.{name}", formula, scope, line.source, wanted)


def _day(work: Work, rule: PartRule) -> date | None:
    if rule.date is None:
        return None
    value = work.value(f"parts.{rule.name}.date", rule.date, wanted=Type.DATE)
    return None if value is REFUSED else value


def _sum(lines: Sequence[Line]) -> Money:
    unit: Currency = lines[0].currency
    return total((line.amount for line in lines), unit)


def _refuse(work: Work, message: str, rule: PartRule) -> None:
    work.find("parts-do-not-sum", Severity.BLOCK, message, _REMEDY, rule.line)
