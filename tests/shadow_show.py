"""A fortnight in the shadow, its comparison beside the truth, and the first day live.

``make shadow-show`` runs it. People win deals and invoice them by hand, each day one round looks on;
then what differs is compared with how each invoice was really written, what both sides have is
linked, and the pair goes live. It ends with 1 where anything is told otherwise than it is, or
anything was posted in the shadow, or is posted twice after it.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
from backfill_show import Shown, is_duplicated, untied
from simulated_world import World, buy, open_world, seller
from tie_out import tie_out

from tieout.app.logs import configure
from tieout.simulator.clock import SimulatedClock

BEGINS = datetime(2026, 4, 1, 8, tzinfo=UTC)
DEALS_A_DAY = 4
WHO = "ann"
HABITS: Mapping[str, frozenset[str]] = {  # how an invoice is written, and what then differs
    "alike": frozenset(),
    "late": frozenset({"date"}),
    "mistyped": frozenset({"net", "total", "lines[0].amount"}),
    "mistaxed": frozenset({"total", "lines[0].tax_code"}),
}
CYCLE = (*("alike",) * 5, "late", "alike", "mistyped", "alike", "mistaxed", "never", "alike")
NEVER = "never"  # a deal that nobody invoices


@dataclass
class Fortnight:
    """What people did: the invoice of each deal and how it was written; what has no other side."""

    invoice_of: dict[str, str] = field(default_factory=dict)
    habits: dict[str, str] = field(default_factory=dict)
    deals: list[str] = field(default_factory=list)
    invoices: list[str] = field(default_factory=list)


@dataclass
class People:
    """A salesperson and an accountant, who do not know that somebody looks on."""

    world: World
    sell: Callable[..., str]
    done: Fortnight = field(default_factory=Fortnight)
    count: itertools.count[int] = field(default_factory=itertools.count)
    habit: itertools.cycle[str] = field(default_factory=lambda: itertools.cycle(CYCLE))

    def work(self, day: date) -> None:
        """Win some deals and invoice most of them; now and then invoice something else."""
        for _ in range(DEALS_A_DAY):
            self._sell_one(day, next(self.habit))
        if day.day % 3 == 0:
            n = next(self.count)
            customer = self._customer(f"Laufkunde {n}")
            self.done.invoices.append(self._invoice(customer, Decimal(7000 + n), day, None))

    def _sell_one(self, day: date, habit: str) -> None:
        n = next(self.count)
        name, net, order = f"Kunde {n} GmbH", Decimal(1000) + Decimal(n) * Decimal("1.37"), f"A-{n}"
        deal = self.sell(
            company=buy(self.world, name),
            price=str(net),
            quantity="1",
            closedate=f"{day.isoformat()}T10:00:00Z",
            po_number=order,
        )
        if habit == NEVER:
            self.done.deals.append(deal)
            return
        invoice = self._invoice(
            self._customer(name),
            net - 10 if habit == "mistyped" else net,
            day + timedelta(days=2) if habit == "late" else day,
            order,
            "S7" if habit == "mistaxed" else "S19",
        )
        self.done.invoice_of[deal], self.done.habits[deal] = invoice, habit

    def _customer(self, name: str) -> str:
        body = {"DisplayName": name, "CurrencyRef": {"value": "EUR"}}
        return str(self.world.books("create", kind="Customer", body=body)["Id"])

    def _invoice(
        self, customer: str, net: Decimal, day: date, order: str | None, code: str = "S19"
    ) -> str:
        codes = {one["name"]: one["id"] for one in self.world.books_truth()["tax_codes"]}
        made = self.world.books(
            "create_invoice",
            customer=customer,
            lines=[{"item": "1", "amount": str(net), "tax_code": codes[code]}],
            po_number=order,
            day=day.isoformat(),
        )
        terms = {"SalesTermRef": {"value": self._net_30()}}
        self.world.books("edit", id=made["Id"], changes=terms)
        return str(made["Id"])

    def _net_30(self) -> str:
        rows = self.world.company.tables["Term"].rows.values()
        return next(str(row.id) for row in rows if row.body["Name"] == "Net 30")


def show(world: World, clock: SimulatedClock, days: int) -> Shown:
    """Live so many days in the shadow, compare, link, go live; return what is told and the truth."""
    shown = Shown()
    engine = world.restart(shadow=True, unsafe_documents=10_000)
    people = People(world, seller(world))
    for _ in range(days):
        people.work(clock().date())
        clock.advance(3_600)
        world.round()
        clock.advance(23 * 3_600)
    past = people.done
    books = world.books_truth()["invoices"]
    shown.compare("invoices that the shadow made", sum(not one["by_hand"] for one in books), 0)
    told = [deal["id"] for deal in world.crm_truth()["deals"] if _is_told(deal)]
    shown.compare("deals that the shadow told anything", len(told), 0)
    report = engine.shadow("main")
    shown.figures = {side: report["figures"][side] for side in ("ours", "theirs")}
    _compare(shown, past, report, len(books))
    links = engine.backfill("main")
    linked = engine.confirm_links(links["hashes"]["shown"], who=WHO, reason="a fortnight")
    shown.compare("links confirmed", linked, len(past.habits))
    engine.go_live("main", who=WHO, reason="a fortnight without a surprise")
    world.round(2)
    shown.compare("invoices after going live", len(world.invoices()), len(books) + len(past.deals))
    shown.compare("duplicates", is_duplicated(world), 0)
    rests = tie_out(world, {invoice: deal for deal, invoice in past.invoice_of.items()})
    off = [deal for deal, (won, made, held) in rests.items() if won != made + held]
    shown.compare("deals that do not tie out", len(off), 0)
    return shown


def _is_told(deal: Mapping[str, Any]) -> bool:
    return any(said for name, said in deal["custom"].items() if name.startswith("tieout_"))


def _compare(shown: Shown, past: Fortnight, report: Mapping[str, Any], invoices: int) -> None:
    compared = {one["source"].partition(":")[2]: one for one in report["compared"]}
    shown.compare("invoices compared", len(compared), len(past.habits))
    for habit, differs in HABITS.items():
        true = {deal for deal, how in past.habits.items() if how == habit}
        said = {
            deal
            for deal, one in compared.items()
            if {each["field"] for each in one["differences"] if each["weighs"]} == differs
        }
        shown.compare(f"written {habit}, and told so", len(said & true), len(true))
        shown.compare(f"told to be {habit}, and not", len(said - true), 0)
    causes = [
        each["field"]
        for one in compared.values()
        for each in one["differences"]
        if not each["cause"]
    ]
    shown.compare("differences without a cause", len(causes), 0)
    shown.compare("deals only in the crm", len(report["only_crm"]), len(past.deals))
    shown.compare("invoices only in the books", len(report["only_books"]), len(past.invoices))
    shown.compare("invoices in all", report["figures"]["theirs"]["all"]["n"], invoices)
    for side in shown.figures.values():
        shown.compare("currencies whose parts do not sum", len(untied(side)), 0)


def main(words: Sequence[str]) -> int:
    """Play it in full and print every figure beside the truth."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--days", type=int, default=14)
    asked.add_argument("--json", action="store_true")
    given = asked.parse_args(words)
    configure(level="error")
    clock = SimulatedClock(BEGINS)
    with tempfile.TemporaryDirectory() as path, open_world(Path(path), clock) as world:
        world.crm_rates = {"searches_per_sec": 1_000}
        shown = show(world, clock, given.days)
    click.echo(json.dumps(shown.plain()) if given.json else "\n".join(shown.text()))
    return 0 if shown.is_true else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
