"""The judge of killed processes: what is really there on both sides, and whether the journal holds.

Nothing of ours is believed: invoices are counted and added up by their purchase order numbers,
payments by their references, customers by their names, files by their bytes and the invoice they
hang on, and the CRM's deals are compared with the books' invoices. An invoice that was credited
whole is none; a credit is known by its memo.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

from kill_crms import Crm, Deal
from simulated_world import real_now

from sync_engine.ledger.journal import verify
from sync_engine.ledger.sqlite import Ledger

JOURNAL_LINES = 1_000_000

Record = dict[str, Any]


@dataclass(frozen=True)
class File:
    """A file that was put on a deal."""

    deal: str
    sha256: str


@dataclass(frozen=True)
class Judged:
    """What is really there, against what should be."""

    deals: int = 0
    payments: int = 0
    files: int = 0
    given_back: int = 0
    """Invoices that were voided, and credits."""
    duplicates: int = 0
    lost: int = 0
    off: int = 0
    """Deals whose invoices less credits are not what they are worth, to the cent."""
    customers_twice: int = 0
    untold: int = 0
    unknowns_met: int = 0
    tasks: tuple[str, ...] = ()
    journal_holds: bool = True

    @property
    def clean(self) -> bool:
        """Whether nothing was lost or done twice, all were told, and nothing waits."""
        wrong = (self.duplicates, self.lost, self.off, self.customers_twice, self.untold)
        return self.journal_holds and not any(wrong) and not self.tasks

    def __add__(self, other: Self) -> Self:
        names = [each.name for each in fields(self) if each.name != "journal_holds"]
        sums = {name: getattr(self, name) + getattr(other, name) for name in names}
        return type(self)(**sums, journal_holds=self.journal_holds and other.journal_holds)


def judge(
    crm: Crm, ledger_path: Path, payments: int, *, each: int = 1, files: Sequence[File] = ()
) -> Judged:
    """Ask both systems what is really there, and the ledger whether its journal holds.

    Args:
        crm: the CRM, with the books beside it.
        ledger_path: the ledger's file.
        payments: how many payments were made, each with a reference of its own.
        each: how many invoices a won deal has.
        files: what was put on deals; of a won one it hangs on an invoice that stands, and on
            each once.
    """
    books, deals = crm.world.books_truth(), crm.deals()
    memos, payments_made = _live(books["credit_memos"]), _live(books["payments"])
    standing = _standing(_live(books["invoices"]), memos)
    received = Counter(one["reference"] for one in payments_made if one["total"])
    notes = Counter(
        one["private_note"] for one in (*memos, *payments_made) if not one.get("reference")
    )
    wanted = Counter({deal.order: each for deal in deals if deal.is_won})
    orders = Counter(one["po_number"] for one in standing)
    attached = Counter(_attached(books))
    names = Counter(one["name"] for one in books["customers"])
    by_order = defaultdict(list)
    for one in standing:
        by_order[one["po_number"]].append(one)
    with Ledger.open(ledger_path, real_now) as ledger:
        holds = verify(ledger).ok
        tasks = [row["code"] for row in ledger.all("tasks_open", pair=None, limit=100)]
        lines = ledger.all("journal_after", n=0, limit=JOURNAL_LINES)
    return Judged(
        deals=sum(deal.is_won for deal in deals),
        payments=payments,
        files=len(files),
        given_back=len(memos) + sum(one["voided"] for one in books["invoices"]),
        duplicates=(orders - wanted).total()
        + len(_strays(deals, files, books))
        + sum(n - 1 for n in (*received.values(), *notes.values(), *attached.values())),
        lost=(wanted - orders).total()
        + sum(not _hangs(deals, file, standing, attached) for file in files)
        + abs(payments - len(received)),
        off=_off(deals, _live(books["invoices"]), memos),
        customers_twice=sum(n - 1 for n in names.values()),
        untold=sum(
            not _is_told(deal, by_order[deal.order])
            if deal.is_won
            else deal.told["status"] != _end_of(deal, books["invoices"])
            for deal in deals
        ),
        unknowns_met=sum(line["what"] == "looked" for line in lines),
        tasks=tuple(tasks),
        journal_holds=holds,
    )


def _live(records: Iterable[Record]) -> list[Record]:
    return [one for one in records if not one["voided"] and not one["deleted"]]


def _standing(invoices: Iterable[Record], memos: Iterable[Record]) -> list[Record]:
    """Return the invoices that were not given back whole."""
    whole = Counter(_sale(memo) for memo in memos)
    standing = []
    for invoice in invoices:
        if whole[_sale(invoice)]:
            whole[_sale(invoice)] -= 1
        else:
            standing.append(invoice)
    return standing


def _sale(record: Record) -> tuple[Any, ...]:
    return record["po_number"], record["customer"], record["net"]


def _off(deals: Iterable[Deal], invoices: Iterable[Record], memos: Iterable[Record]) -> int:
    """Count the deals whose invoices less credits are not what they are worth."""
    nets: defaultdict[str, Decimal] = defaultdict(Decimal)
    for one in invoices:
        nets[one["po_number"]] += one["net"]
    for one in memos:
        nets[one["po_number"]] -= one["net"]
    for deal in deals:
        nets[deal.order] -= deal.net if deal.is_won else Decimal(0)
    return sum(net != 0 for net in nets.values())


def _attached(books: Record) -> Iterable[tuple[str, str]]:
    """Yield which bytes hang on which invoice; on anything else, they hang on none."""
    for one in books["attachments"]:
        if not one["deleted"]:
            for kind, record_id in one["on"]:
                yield record_id if kind == "Invoice" else kind, one["sha256"]


def _hangs(
    deals: Iterable[Deal],
    file: File,
    standing: Iterable[Record],
    attached: Counter[tuple[str, str]],
) -> bool:
    """Whether a file hangs on an invoice that stands; of a lost deal nobody asks."""
    deal = next(one for one in deals if one.id == file.deal)
    own = [one["id"] for one in standing if one["po_number"] == deal.order]
    return not deal.is_won or any(attached[invoice, file.sha256] for invoice in own)


def _strays(deals: Iterable[Deal], files: Iterable[File], books: Record) -> set[tuple[str, str]]:
    """Return what hangs on an invoice whose deal has no such file."""
    orders = {one["id"]: one["po_number"] for one in books["invoices"]}
    of_deal = {deal.id: deal.order for deal in deals}
    wanted = {(of_deal[file.deal], file.sha256) for file in files}
    return {
        (invoice, sha256)
        for invoice, sha256 in _attached(books)
        if (orders.get(invoice), sha256) not in wanted
    }


def _is_told(deal: Deal, invoices: Sequence[Record]) -> bool:
    """Whether a won deal says what the books' invoices are, together."""
    told = deal.told
    if set(told["number"].split(", ")) != {one["doc_number"] for one in invoices}:
        return False
    total = sum((one["total"] for one in invoices), Decimal(0))
    balance = sum((one["balance"] for one in invoices), Decimal(0))
    status = "part-paid" if balance < total else "invoiced"
    return (
        told["status"] == (status if balance else "paid")
        and Decimal(told["total"]) == total
        and Decimal(told["balance"]) == balance
    )


def _end_of(deal: Deal, invoices: Iterable[Record]) -> str:
    """Return what a deal that is lost has to say of its invoice: it was credited, or voided."""
    own = [one for one in invoices if one["po_number"] == deal.order]
    if not own:
        return ""
    return "credited" if _live(own) else "voided"
