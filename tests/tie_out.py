"""The judge of every story: deal by deal, won = invoiced - credited + held + not yet due.

It reads what is really there on both sides, joins the two by the purchase order number and takes
from our ledger only what its open tasks name, and what waits for its day. Deals that share a number, and those that were merged,
are judged together. A credit that a person wrote by hand is a gift, and no correction of a deal.
"""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from simulated_world import CUTOVER, ZONE, World

from tieout.model.ref import find_marker

Rest = tuple[Decimal, Decimal, Decimal]  # won, invoiced less credited, held
Deal = tuple[str, str]  # its id and currency


def assert_ties_out(
    world: World, *, linked: dict[str, str] | None = None, amount: str = "net"
) -> None:
    """Assert that nothing is won and neither invoiced nor held, or the other way round.

    Args:
        world: both sides and the ledger.
        linked: invoices without a number that a person has linked, and their deals.
        amount: which figure of an invoice compares with the deal's: its total where prices
            include the tax.
    """
    rests = tie_out(world, linked or {}, amount)
    wrong = {deal: rest for deal, rest in rests.items() if rest[0] != rest[1] + rest[2]}
    assert wrong == {}
    ours = (one for one in world.invoices() if not one["by_hand"])
    keys = Counter(key for one in ours if (key := find_marker(one["private_note"])))
    assert [str(key) for key, count in keys.items() if count > 1] == []  # once for a deal and part


def tie_out(world: World, linked: dict[str, str], amount: str = "net") -> dict[Deal, Rest]:
    """Return of each deal what is won, invoiced less credited, and what our open tasks hold."""
    crm, books = world.crm_truth(), world.books_truth()
    home = books["home_currency"]
    owner = {order: merged_into(crm, deal) for order, deal in world.orders.items()}
    heads: dict[str, str] = {}
    for deal in crm["deals"]:
        heads[deal["id"]] = owner.setdefault(deal["po_number"] or deal["id"], deal["id"])

    def head(deal: str) -> str:
        return heads.get(merged_into(crm, deal), deal)

    sums: dict[Deal, list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 3)
    for deal in crm["deals"]:
        if is_in_scope(deal):
            sums[head(deal["id"]), deal["currency"] or home][0] += Decimal(deal["net"])
    for one in books["invoices"]:
        of = linked.get(one["id"]) or owner.get(one["po_number"] or "")
        if of is not None and not one["voided"] and not one["deleted"]:
            sums[head(of), one["currency"]][1] += Decimal(one[amount])
    for one in books["credit_memos"]:
        of = owner.get(one["po_number"] or "")
        if of is not None and not (one["voided"] or one["deleted"] or one["by_hand"]):
            sums[head(of), one["currency"]][1] -= Decimal(one[amount])
    for deal_id, currency, net in _held(world):
        sums[head(deal_id), currency or home][2] += Decimal(net)
    return {deal: (won, invoiced, held) for deal, (won, invoiced, held) in sums.items()}


def merged_into(crm: Any, deal: str) -> str:
    """Return the deal that this one is part of now, itself where it was not merged."""
    while deal in crm["merged"]:
        deal = crm["merged"][deal]
    return deal


def is_in_scope(deal: Any) -> bool:
    """Whether a deal is won, not archived, and closed since the cutover in the portal's zone."""
    if not deal["is_won"] or deal["archived"] or not deal["close_date"]:
        return False
    closed = datetime.fromisoformat(deal["close_date"]).astimezone(ZoneInfo(ZONE))
    return closed.date() >= CUTOVER


def _held(world: World) -> Iterator[tuple[str, str | None, str]]:
    with closing(sqlite3.connect(world.path / "ledger.db")) as ledger:
        yield from ledger.execute(
            "SELECT source_id, currency, net FROM task"
            " WHERE state = 'open' AND source_kind = 'deal' AND net IS NOT NULL"
        ).fetchall()
        yield from ledger.execute(
            "SELECT source_id, currency, net FROM document"
            " WHERE kind = 'invoice' AND state = 'planned' AND reason LIKE 'not-due%'"
        ).fetchall()
