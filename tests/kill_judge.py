"""The judge of killed processes: what is really there on both sides, and whether the journal holds.

Nothing of ours is believed: invoices are counted by their purchase order numbers, payments by their
references, customers by their names, and the CRM's deals are compared with the books' invoices. An
invoice that was credited whole is none; a credit is known by its memo.
"""

from collections import Counter
from dataclasses import dataclass, fields
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

from simulated_world import World, real_now

from sync_engine.ledger.journal import verify
from sync_engine.ledger.sqlite import Ledger

JOURNAL_LINES = 1_000_000


@dataclass(frozen=True)
class Judged:
    """What is really there, against what should be."""

    deals: int = 0
    payments: int = 0
    duplicates: int = 0
    lost: int = 0
    customers_twice: int = 0
    untold: int = 0
    unknowns_met: int = 0
    tasks: tuple[str, ...] = ()
    journal_holds: bool = True

    @property
    def clean(self) -> bool:
        """Whether nothing was lost or done twice, all were told, and nothing waits."""
        wrong = (self.duplicates, self.lost, self.customers_twice, self.untold, self.tasks)
        return self.journal_holds and not any(wrong)

    def __add__(self, other: Self) -> Self:
        names = [each.name for each in fields(self) if each.name != "journal_holds"]
        sums = {name: getattr(self, name) + getattr(other, name) for name in names}
        return type(self)(**sums, journal_holds=self.journal_holds and other.journal_holds)


def judge(world: World, ledger_path: Path, payments: int) -> Judged:
    """Ask both systems what is really there, and the ledger whether its journal holds."""
    books, deals = world.books_truth(), world.crm_truth()["deals"]
    credited = Counter[str]()
    for memo in _live(books["credit_memos"]):
        credited[memo["po_number"]] += memo["net"]
    invoices = [one for one in world.invoices() if one["net"] != credited[one["po_number"]]]
    orders = Counter(one["po_number"] for one in invoices)
    payments_made = _live(books["payments"])
    received = Counter(one["reference"] for one in payments_made if one["total"])
    given_back = Counter(
        one["private_note"]
        for one in (*_live(books["credit_memos"]), *payments_made)
        if not one.get("reference")
    )
    names = Counter(one["name"] for one in books["customers"])
    won = [one for one in deals if one["is_won"]]
    wanted = {one["po_number"] for one in won}
    by_order = {one["po_number"]: one for one in invoices}
    with Ledger.open(ledger_path, real_now) as ledger:
        holds = verify(ledger).ok
        tasks = [row["code"] for row in ledger.all("tasks_open", pair=None, limit=100)]
        lines = ledger.all("journal_after", n=0, limit=JOURNAL_LINES)
    return Judged(
        deals=len(wanted),
        payments=payments,
        duplicates=sum(n - 1 for n in (*orders.values(), *received.values(), *given_back.values())),
        lost=len(wanted ^ orders.keys()) + abs(payments - len(received)),
        customers_twice=sum(n - 1 for n in names.values()),
        untold=sum(not _is_told(deal, by_order.get(deal["po_number"])) for deal in won),
        unknowns_met=sum(line["what"] == "looked" for line in lines),
        tasks=tuple(tasks),
        journal_holds=holds,
    )


def _live(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in records if not one["voided"] and not one["deleted"]]


def _is_told(deal: dict[str, Any], invoice: dict[str, Any] | None) -> bool:
    """Whether the CRM's deal says what the books' invoice is."""
    told = deal["custom"]
    if invoice is None or told.get("tieout_invoice_number") != invoice["doc_number"]:
        return False
    open_amount = Decimal(invoice["balance"])
    status = "part-paid" if open_amount < Decimal(invoice["total"]) else "invoiced"
    return (
        told.get("tieout_invoice_status") == (status if open_amount else "paid")
        and Decimal(told["tieout_invoice_total"]) == Decimal(invoice["total"])
        and Decimal(told["tieout_invoice_balance"]) == open_amount
    )
