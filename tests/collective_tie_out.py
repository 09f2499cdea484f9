"""The judge of deals that go together: each deal's lines in the books, and what holds the rest.

A deal's lines are known by its order number, which its mapping writes before each.
"""

import sqlite3
from collections import defaultdict
from contextlib import closing
from decimal import Decimal

from simulated_world import World
from tie_out import is_in_scope, merged_into

Rest = tuple[Decimal, Decimal, Decimal]  # won, invoiced less credited, held or not yet due


def assert_each_ties_out(world: World) -> dict[str, Rest]:
    """Assert of each deal: won = invoiced - credited + held + not yet due; return the figures."""
    rests = tie_out_each(world)
    assert {deal: rest for deal, rest in rests.items() if rest[0] != rest[1] + rest[2]} == {}
    return rests


def tie_out_each(world: World) -> dict[str, Rest]:
    """Return of each deal what is won, what the books have of it, and what is held or not due."""
    crm, books = world.crm_truth(), world.books_truth()
    sums: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 3)
    for deal in crm["deals"]:
        if is_in_scope(deal):
            sums[deal["id"]][0] += Decimal(deal["net"])
    for kind, sign in (("invoices", 1), ("credit_memos", -1)):
        for one in books[kind]:
            if one["voided"] or one["deleted"]:
                continue
            for line in one["lines"]:
                deal = world.orders[line["description"].partition(",")[0]]
                sums[merged_into(crm, deal)][1] += sign * Decimal(line["amount"])
    for deal_id, net in _held(world):
        sums[merged_into(crm, deal_id)][2] += Decimal(net)
    return {deal: (won, invoiced, held) for deal, (won, invoiced, held) in sums.items()}


def _held(world: World) -> list[tuple[str, str]]:
    """Return what the tasks of each deal hold, and what goes with an invoice that is not there."""
    with closing(sqlite3.connect(world.path / "ledger.db")) as ledger:
        return [
            *ledger.execute(
                "SELECT source_id, net FROM task"
                " WHERE state = 'open' AND source_kind = 'deal' AND net IS NOT NULL"
            ),
            *ledger.execute(
                "SELECT d.source_id, d.net FROM collected c JOIN document d ON d.key = c.document"
                " JOIN document w ON w.key = c.collective"
                " WHERE c.held = 0 AND d.net IS NOT NULL"
                " AND w.state NOT IN ('posted', 'superseded') AND d.state IN ('collected', 'posted')"
            ),
        ]
