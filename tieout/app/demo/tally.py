"""The tie-out: won = invoiced + held, for each deal and currency, net of tax. Pure.

Each side is counted from its own source: what is won from the CRMs' truth, what is invoiced from
the books' truth, joined by the purchase order number and not by our marker (by the deal that the
memo names, where a customer gave no order), and what is held from the open tasks of our ledger.
The difference is what remains, and is derived from none of them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, TypeAlias

from tieout.app.demo.doors import Truth
from tieout.model.errors import ValueRefused
from tieout.model.money import currency

MERGES_LIMIT = 100  # a deal is merged into a deal that was merged, and so on

Amounts: TypeAlias = dict[tuple[str, str], Decimal]
"""By deal and currency."""
Task: TypeAlias = Mapping[str, Any]


@dataclass(slots=True)
class Row:
    """One currency."""

    won: Decimal = Decimal(0)
    invoiced: Decimal = Decimal(0)
    held: Decimal = Decimal(0)
    books_net: Decimal = Decimal(0)
    books_tax: Decimal = Decimal(0)
    books_open: Decimal = Decimal(0)

    @property
    def difference(self) -> Decimal:
        """What neither an invoice nor a task explains."""
        return self.won - self.invoiced - self.held


@dataclass(slots=True)
class Reason:
    """Why deals are held: how many, and how much in each currency, signed."""

    deals: int = 0
    amounts: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))


@dataclass(frozen=True, slots=True)
class Tally:
    """The tie-out.

    Attributes:
        rows: by currency.
        reasons: by the code of the task that names the amount.
        differing: deals and currencies with a difference, whatever the others make of the sum.
        held_deals: deals that an open task names.
        posted: live invoices that were not made by hand.
        duplicates: purchase order numbers with more than one of those.
        lost: won deals in scope with neither a live invoice nor an open task.
    """

    rows: Mapping[str, Row]
    reasons: Mapping[str, Reason]
    differing: Mapping[tuple[str, str], Decimal]
    held_deals: int
    posted: int
    duplicates: Sequence[str]
    lost: Sequence[str]

    @property
    def holds(self) -> bool:
        """Whether all ties out: to the cent, deal by deal, nothing twice, nothing lost."""
        return not (self.differing or self.duplicates or self.lost)


def tally(
    crm: Truth, books: Truth, tasks: Sequence[Task], orders: Mapping[str, str], *, cutover: date
) -> Tally:
    """Count all sides.

    Args:
        crm: the CRMs' truth, as their parts read it.
        books: the books' truth.
        tasks: the open tasks of our ledger.
        orders: each purchase order number and the deal that first carried it.
        cutover: the first day that is in scope, by the CRM's own reckoning.
    """
    own = str(crm["currency"])
    won = {deal["id"]: deal for deal in won_deals(crm, cutover)}
    ids = {deal["id"] for deal in crm["deals"]}
    live = [
        {**one, "order": one["po_number"] or _deal_named(one, ids)}
        for one in books["invoices"]
        if not one["voided"] and not one["deleted"]
    ]
    merged = crm["merged"]
    owners = {order: _now(deal, merged) for order, deal in orders.items()}
    of_deals = [task for task in tasks if task["source_kind"] == "deal"]
    named = {_now(str(task["source_id"]), merged) for task in of_deals}
    sides = (
        _sum((deal["id"], deal["currency"] or own, deal["net"]) for deal in won.values()),
        _sum(
            (owners.get(one["order"], one["order"]), one["currency"], one["net"])
            for one in live
            if one["order"]
        ),
        _sum(
            (_now(str(task["source_id"]), merged), task["currency"] or own, task["net"] or 0)
            for task in of_deals
        ),
    )
    ours = Counter(one["order"] for one in live if one["order"] and not one["by_hand"])
    invoiced_deals = {owners.get(one["order"], one["order"]) for one in live}
    return Tally(
        rows=_rows(*sides, live),
        reasons=_reasons(of_deals, own),
        differing=_differing(*sides),
        held_deals=len(named),
        posted=ours.total(),
        duplicates=sorted(order for order, n in ours.items() if n > 1),
        lost=sorted(set(won) - named - invoiced_deals),
    )


def won_deals(crm: Truth, cutover: date) -> Iterator[Mapping[str, Any]]:
    """Yield the deals that are won and in scope: not archived, closed on the cutover or later."""
    for deal in crm["deals"]:
        counts = deal["is_won"] and not deal["archived"] and deal["closed_on"]
        if counts and date.fromisoformat(deal["closed_on"]) >= cutover:
            yield deal


def shown(amount: Decimal, code: str) -> str:
    """Return an amount with its currency's decimals; with more where it has more."""
    try:
        on_grid = amount.quantize(currency(code).step)
    except ValueRefused:
        return f"{amount:f}"
    return f"{on_grid + 0:f}" if on_grid == amount else f"{amount:f}"


def _deal_named(invoice: Mapping[str, Any], ids: set[str]) -> str | None:
    """Return the deal that an invoice's memo names, None where it names none."""
    words = str(invoice["private_note"] or "").split()
    return next((word for word in words if word in ids), None)


def _sum(amounts: Iterator[tuple[str, str, Any]]) -> Amounts:
    sums: Amounts = defaultdict(Decimal)
    for deal, code, amount in amounts:
        sums[deal, code] += Decimal(amount)
    return sums


def _rows(
    won: Amounts, invoiced: Amounts, held: Amounts, live: Sequence[Mapping[str, Any]]
) -> dict[str, Row]:
    rows: dict[str, Row] = defaultdict(Row)
    for name, amounts in (("won", won), ("invoiced", invoiced), ("held", held)):
        for (_, code), amount in amounts.items():
            setattr(rows[code], name, getattr(rows[code], name) + amount)
    for one in live:
        row = rows[one["currency"]]
        row.books_net += Decimal(one["net"])
        row.books_tax += Decimal(one["tax"])
        row.books_open += Decimal(one["balance"])
    return dict(sorted(rows.items()))


def _differing(won: Amounts, invoiced: Amounts, held: Amounts) -> dict[tuple[str, str], Decimal]:
    found = {}
    for place in sorted({*won, *invoiced, *held}):
        rest = won.get(place, 0) - invoiced.get(place, Decimal(0)) - held.get(place, Decimal(0))
        if rest:
            found[place] = rest
    return found


def _reasons(tasks: Sequence[Task], own: str) -> dict[str, Reason]:
    reasons: dict[str, Reason] = defaultdict(Reason)
    told: set[str] = set()
    for task in sorted(tasks, key=lambda each: not Decimal(each["net"] or 0)):
        amount = Decimal(task["net"] or 0)
        if not amount and task["source_id"] in told:
            continue  # another task of this deal names its whole amount
        told.add(task["source_id"])
        reason = reasons[task["code"]]
        reason.deals += 1
        reason.amounts[task["currency"] or own] += amount
    return dict(sorted(reasons.items(), key=lambda each: (-each[1].deals, each[0])))


def _now(deal: str, merged: Mapping[str, str]) -> str:
    """Follow a deal's id to the one that it was merged into."""
    for _ in range(MERGES_LIMIT):
        if deal not in merged:
            break
        deal = merged[deal]
    return deal
