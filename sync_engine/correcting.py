"""correcting: which corrections of a posted invoice the books would take now, each as a plan. Pure.

Amend and void only what nobody paid and no period has closed over; credit everything else, dated in
an open period (R11, R32, R44). What the books would refuse is no plan but a reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import chain
from typing import Any

from sync_engine.amending import moved, overwriting, uncleared
from sync_engine.standing import (
    APPLIED,
    LINES_MOVED,
    Choice,
    Credit,
    Option,
    Standing,
    Way,
    correction_key,
    taken_of,
)
from tieout.model.canonical import Plain, Values, plain
from tieout.model.change import Change, Create, Plan, Update, Verb, Void
from tieout.model.crediting import Extent, shares
from tieout.model.dates import parse_day
from tieout.model.errors import ValueRefused
from tieout.model.money import Money, currency, total
from tieout.model.ref import Key

CREDIT_DAYS_AHEAD = 366  # that a credit may be dated after the first day it could be of
NUMBER_CHARS = 21  # of a credit's number, where the books state no other length


def options(standing: Standing) -> Iterator[Option]:
    """Yield the corrections that people are shown, possible or not, the gentlest first."""
    yield option(standing, Choice(Way.AMEND))
    yield option(standing, Choice(Way.VOID))
    less = standing.now_net is not None and 0 < standing.now_net < standing.rest
    if less and not standing.inclusive:
        yield option(standing, Choice(Way.CREDIT, Extent(to=standing.now_lines)))
    yield option(standing, Choice(Way.CREDIT))
    if standing.now_net is not None:
        yield option(standing, Choice(Way.CREDIT, reissue=True))


def option(standing: Standing, choice: Choice) -> Option:
    """Return one correction as a plan, or the first reason why the books would refuse it."""
    if choice.way is Way.CREDIT and choice.day is None:
        choice = replace(choice, day=_first_day(standing))
    why = next(_refusals(standing, choice), "")
    if why:
        return Option(choice, why=why)
    match choice.way:
        case Way.AMEND:
            return _amend(standing, choice)
        case Way.VOID:
            return _void(standing, choice)
        case _:
            return _credit(standing, choice)


def _first_day(standing: Standing) -> date:
    """Return the first day from today on that lies in an open period, and not before the invoice.

    A credit of a closed period is dated in an open one (R32).
    """
    closed = standing.preferences.get("closed_through")
    opened = standing.today if closed is None else closed + timedelta(days=1)
    invoiced: date = standing.invoice.fields["date"]
    return max(standing.today, opened, invoiced)


def _refusals(standing: Standing, choice: Choice) -> Iterator[str]:
    """Yield why the books would refuse, or we do not propose, a correction."""
    kind, verb = {
        Way.AMEND: ("invoice", Verb.UPDATE),
        Way.VOID: ("invoice", Verb.VOID),
    }.get(choice.way, ("credit_memo", Verb.CREATE))
    if not standing.live:
        yield "It is voided or deleted in the books: there is nothing to correct."
    if standing.in_flight:
        yield "Something of it was sent and has no answer yet."
    if not standing.capabilities.can(kind, verb):
        yield f"{standing.capabilities.title} cannot {verb} a {kind.replace('_', ' ')} for us."
    if choice.way is Way.AMEND and standing.several:
        yield "It is of several deals: credit what one has too much, or void it and issue it again."
    if choice.way is Way.CREDIT and standing.several and standing.gift is not None:
        yield "A credit that a person wrote covers some of it, and no deal is named: do it by hand."
    if choice.reissue and standing.now_net is None:
        yield "The deal is not won as it stands, so there is nothing to issue again."
    if choice.way is Way.CREDIT:
        yield from _uncreditable(standing, choice)
    else:
        yield from _untouchable(standing)


def _untouchable(standing: Standing) -> Iterator[str]:
    """Yield why the invoice itself cannot be touched any more (R11, R32)."""
    fields = standing.invoice.fields
    closed = standing.preferences.get("closed_through")
    if closed is not None and fields["date"] <= closed:
        yield f"It is of {fields['date']}, and the books are closed through {closed}: credit it."
    if standing.credits:
        yield "It was credited already: credit what is left of it."
    covered = fields["total"] - fields["balance"]
    if covered:
        yield f"{covered} {fields['currency']} of it is paid or credited: credit it."


def _uncreditable(standing: Standing, choice: Choice) -> Iterator[str]:
    posted, now = standing.invoice.fields["currency"], standing.now_currency
    if choice.extent.to is not None and now not in (None, posted):
        yield f"The deal is in {now} now, and its invoice in {posted}: credit it and reissue it."
    if standing.several and choice.extent.to is not None and not standing.now_lines:
        yield f"{LINES_MOVED} Which are whose is not known."
    if standing.inactive:
        named = ", ".join(standing.inactive)
        yield f"Inactive in the books: {named}. Make it active to credit the invoice."
    closed = standing.preferences.get("closed_through")
    day = choice.day or standing.today
    if closed is not None and day <= closed:
        yield f"The books are closed through {closed}, and the credit would be of {day}."
    if day < standing.invoice.fields["date"]:
        yield f"The credit would be of {day}, before its invoice."
    first = _first_day(standing)
    if day - first > timedelta(days=CREDIT_DAYS_AHEAD):
        yield (
            f"The credit would be of {day}, more than {CREDIT_DAYS_AHEAD} days after {first}, the "
            "first day it may be of."
        )
    if choice.reissue:
        yield from _of_a_gift(standing, choice)


# -- amend and void -----------------------------------------------------------------------------


def _amend(standing: Standing, choice: Choice) -> Option:
    fields, wanted = standing.invoice.fields, standing.wanted
    if wanted is None:
        return Option(choice, why=standing.why_not)
    for name, words in (("customer", "another customer"), ("currency", "another currency")):
        if wanted.get(name) != fields.get(name):
            return Option(choice, why=f"It would be {words}'s: credit it and issue it again.")
    closed = standing.preferences.get("closed_through")
    if closed is not None and parse_day(str(wanted["date"])) <= closed:
        return Option(choice, why=f"Its new date {wanted['date']} lies in a closed period.")
    why = next(chain(overwriting(standing, wanted), uncleared(standing, wanted)), "")
    if why:
        return Option(choice, why=why)
    values = moved(standing, wanted)
    if not values:
        return Option(choice, why="The deal says nothing else than its invoice does.")
    before = {name: plain(fields.get(name)) for name in values if name in fields}
    change = Update(standing.invoice.ref, standing.invoice.version, values, before)
    net = Money(standing.now_net or Decimal(0), currency(fields["currency"]))
    return Option(choice, _planned(standing, choice, change, net), settles=True)


def _void(standing: Standing, choice: Choice) -> Option:
    fields = standing.invoice.fields
    before = {name: plain(fields.get(name)) for name in ("number", "net", "total")}
    change = Void(standing.invoice.ref, standing.invoice.version, before)
    net = Money(fields["net"], currency(fields["currency"]))
    plan = _planned(standing, choice, change, net)
    return Option(choice, plan, settles=standing.now_net is None or choice.reissue)


# -- credits ------------------------------------------------------------------------------------


def _credit(standing: Standing, choice: Choice) -> Option:
    fields = standing.invoice.fields
    unit = currency(fields["currency"])
    lines = standing.lines
    earlier = _earlier(standing, choice)
    try:
        each = [taken_of(credit, lines) for credit in earlier]
        taken = [total((one[n] for one in each), unit) for n in range(len(lines))]
        parts = shares(lines, taken, choice.extent, unit)
    except ValueRefused as why:
        return Option(choice, why=" ".join([why.what, *_of_a_gift(standing, choice)]))
    net = total(parts, unit)
    left = standing.rest - net.amount
    if choice.reissue and left:
        return Option(choice, why=f"{left} {unit.code} of it would go on beside the next invoice.")
    values = _credit_values(standing, choice, parts, taken)
    change = Create("credit_memo", values)
    key = _key(standing, Way.CREDIT, reissue=choice.reissue)
    along = application(standing, choice, key)
    first_and_whole = not earlier and net.amount == fields["net"]
    plan = replace(
        _planned(standing, choice, change, net),
        expected=Money(fields["total"], unit) if first_and_whole else None,
        along=(along.hash,),
    )
    return Option(
        choice,
        plan,
        along,
        tuple(one.amount for one in parts),
        settles=choice.reissue or settles(standing, left),
    )


def _earlier(standing: Standing, choice: Choice) -> list[Credit]:
    """Return the credits that leave less to give back.

    One that a person wrote may be a gift of its own: whoever names an amount has seen it.
    """
    gift = standing.gift
    counts = gift is not None and choice.extent.amount is None
    return [*standing.credits, *([gift] if gift is not None and counts else [])]


def _of_a_gift(standing: Standing, choice: Choice) -> Iterator[str]:
    if standing.gift is not None and choice.extent.amount is None:
        yield (
            f"{standing.gift.total} {standing.invoice.fields['currency']} of it is covered by a "
            "credit that a person wrote: name an amount to credit it all the same."
        )


def settles(standing: Standing, left: Decimal) -> bool:
    """Whether what a credit leaves is what the source comes to; with tax in it only nothing is.

    What a person gave settles nothing by itself: the difference stays a task.
    """
    if standing.gift is not None:
        return False
    if left and standing.now_currency != standing.invoice.fields["currency"]:
        return False
    return left == (standing.now_net or 0) and not (left and standing.inclusive)


def _credit_values(
    standing: Standing, choice: Choice, parts: Sequence[Money], taken: Sequence[Money]
) -> Values:
    fields = standing.invoice.fields
    sold = [line for line in fields["lines"] if line["item"]]
    taxed = any(line["tax_code"] for line in sold)
    values: dict[str, Plain] = {
        "customer": fields["customer"],
        "date": plain(choice.day),
        "currency": fields["currency"],
        "prices": "exclusive" if taxed else "untaxed",
        "memo": f"Credit of invoice {fields.get('number') or standing.invoice.ref.id}",
        "lines": [
            _credit_line(line, part, whole=part.amount == line["amount"] and not before)
            for line, part, before in zip(sold, parts, taken, strict=True)
            if part
        ],
        "custom_fields": fields.get("custom_fields") or None,
        "department": fields.get("department"),
        "project": fields.get("project"),
        "number": _number(standing),
        "tax": _rest_of_tax(standing, parts),
    }
    return {name: value for name, value in values.items() if value is not None}


def _credit_line(line: Mapping[str, Any], part: Money, *, whole: bool) -> Values:
    """Return what is given back of a line: all of it with its quantity, else one of the part."""
    kept = whole and line["quantity"] is not None and line["unit_price"] is not None
    values = {
        "item": line["item"],
        "description": line["description"],
        "quantity": line["quantity"] if kept else Decimal(1),
        "unit_price": line["unit_price"] if kept else part.amount,
        "amount": part.amount,
        "tax_code": line["tax_code"],
    }
    return {name: plain(value) for name, value in values.items() if value not in (None, "")}


def _number(standing: Standing) -> str | None:
    """Return the invoice's number and which credit it is, where the books give none (R6)."""
    number = standing.invoice.fields.get("number")
    if not standing.preferences.get("custom_numbers") or not number:
        return None
    ours = f"{number}-C{standing.numbers.get(Way.CREDIT, 0) + 1}"
    most = standing.capabilities.limit("credit_memo", "number") or NUMBER_CHARS
    return ours if len(ours) <= most else None


def _rest_of_tax(standing: Standing, parts: Sequence[Money]) -> str | None:
    """Return what the credit that takes the rest bears of tax, where the books take our word (R13).

    Elsewhere they compute it, and a step that rounding left stays open on the invoice.
    """
    fields = standing.invoice.fields
    is_last = sum((part.amount for part in parts), Decimal(0)) == standing.rest
    if not is_last or standing.preferences.get("country") != "US":
        return None
    left = fields["tax"] - sum((credit.tax for credit in standing.credits), Decimal(0))
    return str(plain(max(left, Decimal(0))))


def application(standing: Standing, choice: Choice, credit: Key) -> Plan:
    """Return the payment of nothing that uses a credit on its invoice, as far as that is open.

    Intuit, reference of Payment: its lines link a CreditMemo and an Invoice, each with its amount.
    """
    fields = standing.invoice.fields
    applied: Plain = {APPLIED: str(credit)}
    parts: list[Plain] = [
        {"kind": "credit_memo", "id": {"key": str(credit)}, "amount": applied},
        {"kind": "invoice", "id": standing.invoice.ref.id, "amount": applied},
    ]
    change = Create(
        "payment",
        {
            "customer": fields["customer"],
            "date": plain(choice.day),
            "currency": fields["currency"],
            "amount": "0",
            "memo": f"Credit on invoice {fields.get('number') or standing.invoice.ref.id}",
            "allocations": parts,
        },
    )
    key = _key(standing, Way.APPLY, of=credit)
    name, version = standing.mapping
    return Plan(
        key=str(key),
        mapping=name,
        mapping_version=version,
        change=change,
        title=f"credit applied: {standing.title}",
        needs=(str(credit),),
        source=standing.source,
    )


# -- plans --------------------------------------------------------------------------------------


def _key(standing: Standing, way: Way, *, of: Key | None = None, reissue: bool = False) -> Key:
    number = 1 if of else standing.numbers.get(way, 0) + 1
    books = standing.invoice.ref.company
    return correction_key(standing.key, standing.source, books, way, number, of=of, reissue=reissue)


def _planned(standing: Standing, choice: Choice, change: Change, net: Money) -> Plan:
    name, version = standing.mapping
    return Plan(
        key=str(_key(standing, choice.way, reissue=choice.reissue)),
        mapping=name,
        mapping_version=version,
        change=change,
        title=f"{choice.name}: {standing.title}",
        net=net,
        source=standing.source,
    )
