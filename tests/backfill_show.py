"""Backfill over books with a past, from the first look to the first round, beside the truth.

``make backfill-show`` runs it: 300 invoices by hand of which 40 have no deal, and 25 deals without
one. It ends with 1 where the report and the truth differ, or anything is invoiced twice.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
from past import Past, make_past
from simulated_world import World, open_world
from tie_out import tie_out

from tieout.app.logs import configure

WHO = "ann"
REASON = "checked with finance"


@dataclass
class Shown:
    """What the report says and what is so, line by line; and what came of it."""

    lines: list[tuple[str, int, int]] = field(default_factory=list)
    figures: Mapping[str, Any] = field(default_factory=dict)

    def compare(self, name: str, said: int, true: int) -> None:
        """Put one figure beside the truth."""
        self.lines.append((name, said, true))

    @property
    def is_true(self) -> bool:
        """Whether every figure is what is so."""
        return all(said == true for _, said, true in self.lines)

    def plain(self) -> dict[str, Any]:
        """Return it as plain values."""
        rows = [{"what": name, "report": said, "truth": true} for name, said, true in self.lines]
        return {"true": self.is_true, "figures": rows, "sums": self.figures}

    def text(self) -> Iterator[str]:
        """Yield it as lines for people."""
        yield f"{'':<36}{'report':>8}{'truth':>8}"
        for name, said, true in self.lines:
            yield f"{name:<36}{said:>8}{true:>8}{'' if said == true else '  DIFFERS'}"
        for side, parts in self.figures.items():
            for name, part in parts.items():
                sums = ", ".join(f"{amount} {code}" for code, amount in part["sums"].items())
                yield f"{side:<9} {name:<15}{part['n']:>5}  {sums}".rstrip()


def show(world: World, past: Past) -> Shown:
    """Look, confirm, choose and work two rounds; return the report beside the truth."""
    shown = Shown()
    engine = world.restart(unsafe_documents=10_000)
    engine.look()
    report = engine.backfill("main")
    shown.figures = report["figures"]
    _compare_report(shown, past, report, len(world.invoices()))
    before = len(world.invoices())
    linked = engine.confirm_links(report["hashes"]["shown"], who=WHO, reason=REASON)
    for one in report["questions"]:
        deal = _deal_of(one)
        engine.link(one["source"], past.invoice_of[deal], who=WHO, reason=REASON)
    shown.compare("links confirmed or chosen", linked + len(report["questions"]), len(past.habits))
    shown.compare("invoices that this made", len(world.invoices()) - before, 0)
    world.round(2)
    shown.compare("invoices after two rounds", len(world.invoices()), before + len(past.deals))
    shown.compare("duplicates", is_duplicated(world), 0)
    rests = tie_out(world, {invoice: deal for deal, invoice in past.invoice_of.items()})
    off = [deal for deal, (won, made, held) in rests.items() if won != made + held]
    shown.compare("deals that do not tie out", len(off), 0)
    return shown


def _compare_report(shown: Shown, past: Past, report: Mapping[str, Any], invoices: int) -> None:
    links = [*report["certain"], *report["likely"]]
    wrong = [one for one in links if past.invoice_of.get(_deal_of(one)) != one["record"]["id"]]
    written = past.written()
    shown.compare("invoices by hand", report["figures"]["invoices"]["all"]["n"], invoices)
    shown.compare(
        "deals", report["figures"]["deals"]["all"]["n"], len(past.habits) + len(past.deals)
    )
    shown.compare("certain", len(report["certain"]), written["order"] + written["plain"])
    shown.compare("likely", len(report["likely"]), written["mistyped"] + written["late"])
    shown.compare("asked about", len(report["questions"]), written["same"])
    shown.compare("wrong links", len(wrong), 0)
    missing = report["missing"]
    shown.compare("deals without invoice", len(missing["deals"]), len(past.deals))
    shown.compare("invoices without deal", len(missing["invoices"]), len(past.invoices))
    shown.compare(
        "of them really without",
        len({one["id"] for one in missing["invoices"]} & set(past.invoices))
        + len({_deal_of(one) for one in missing["deals"]} & set(past.deals)),
        len(past.invoices) + len(past.deals),
    )
    for side in report["figures"].values():
        shown.compare("currencies whose parts do not sum", len(untied(side)), 0)


def is_duplicated(world: World) -> int:
    """Return how many order numbers stand on more than one living invoice."""
    return len(world.books_truth()["duplicates"])


def untied(side: Mapping[str, Any]) -> list[str]:
    """Return the currencies in which the parts of one side do not sum to all of it."""
    whole = side["all"]["sums"]
    parts = [part["sums"] for name, part in side.items() if name != "all"]
    return [
        code
        for code, amount in whole.items()
        if sum(Decimal(part.get(code, "0")) for part in parts) != Decimal(amount)
    ]


def _deal_of(one: Mapping[str, Any]) -> str:
    return str(one["source"].partition(":")[2])


def main(words: Sequence[str]) -> int:
    """Play it in full and print every figure beside the truth."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--invoices", type=int, default=300)
    asked.add_argument("--without-deal", type=int, default=40)
    asked.add_argument("--deals-without-invoice", type=int, default=25)
    asked.add_argument("--json", action="store_true")
    given = asked.parse_args(words)
    configure(level="error")
    with tempfile.TemporaryDirectory() as path, open_world(Path(path)) as world:
        world.crm_rates = {"searches_per_sec": 1_000}
        past = make_past(
            world,
            invoices=given.invoices,
            without_deal=given.without_deal,
            deals_without_invoice=given.deals_without_invoice,
        )
        shown = show(world, past)
    click.echo(json.dumps(shown.plain()) if given.json else "\n".join(shown.text()))
    return 0 if shown.is_true else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
