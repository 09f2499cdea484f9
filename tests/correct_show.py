"""Every correction, from the drift of a deal to what is posted, with the books' totals around it.

``make correct-show`` runs it: for each, a deal is invoiced and changes, a correction is chosen, and
the round sends it. It ends with 1 where a deal does not tie out to the cent, a task is left open, or
anything was made twice.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
from simulated_world import World, buy, open_world, seller
from tie_out import tie_out

from sync_engine.standing import Choice, Way
from tieout.app.logs import configure
from tieout.model.crediting import Extent

LINES = (
    {"name": "Consulting", "hs_sku": "C-1", "quantity": "3", "price": "33.33"},
    {"name": "Licence", "hs_sku": "L-9", "quantity": "1", "price": "200.02"},
)
NET = "300.01"


@dataclass(frozen=True)
class Corrected:
    """One correction: what happened to the deal, what was chosen, and the books around it."""

    correction: str
    deal: str
    drift: str
    invoiced_before: str
    credited_before: str
    invoiced_after: str
    credited_after: str
    told: str
    difference: str
    tasks: Sequence[str]


Change = Callable[[World, str], None]


def lose(world: World, deal: str) -> None:
    """The customer steps back."""
    world.crm("lose", deal)


def sell_less(world: World, deal: str) -> None:
    """One piece less of the first line."""
    line = world.deal(deal)["lines"][0]["id"]
    world.crm("edit_line", line, {"quantity": "2"})
    world.crm("edit_deal", deal, {"amount": "266.68"})


def move_to_another(world: World, deal: str) -> None:
    """Another company takes the deal over."""
    other = buy(world, "Nachfolger GmbH")
    world.portal.link(("deals", "companies"), int(deal), int(other), primary=True)
    world.crm("edit_deal", deal, {"dealname": "Taken over"})


def pay_and_lose(world: World, deal: str) -> None:
    """It is paid, and the customer steps back."""
    invoice = next(one["id"] for one in world.invoices() if one["balance"])
    world.books("receive_payment", invoices={invoice: None})
    lose(world, deal)


def redate(world: World, deal: str) -> None:
    """Sales moves the day by one."""
    world.crm("edit_deal", deal, {"closedate": "2026-04-01T10:00:00Z"})


WHOLE = Choice(Way.CREDIT)
CORRECTIONS: tuple[tuple[str, Change, Sequence[Choice | str]], ...] = (
    ("amend", sell_less, [Choice(Way.AMEND)]),
    ("void", lose, [Choice(Way.VOID)]),
    ("credit, whole", lose, [WHOLE]),
    ("credit, a paid invoice", pay_and_lose, [WHOLE]),
    ("credit, down to the deal", sell_less, ["to-deal"]),
    (
        "credit, a part, a line, an amount, the rest",
        lose,
        [
            Choice(Way.CREDIT, Extent(part=Decimal("33.33"))),
            Choice(Way.CREDIT, Extent(line=2)),
            Choice(Way.CREDIT, Extent(amount=Decimal("0.01"))),
            WHOLE,
        ],
    ),
    ("void and reissue", move_to_another, [Choice(Way.VOID, reissue=True)]),
    ("credit and reissue", move_to_another, [Choice(Way.CREDIT, reissue=True)]),
    ("ignore", redate, ["ignore"]),
)


def show(path: Path) -> Iterator[Corrected]:
    """Yield each correction, in a world of its own."""
    for n, (name, change, choices) in enumerate(CORRECTIONS):
        place = path / str(n)
        place.mkdir()
        with open_world(place) as world:
            world.crm_rates = {"searches_per_sec": 1_000}
            yield _corrected(world, name, change, choices)


def _corrected(
    world: World, name: str, change: Change, choices: Sequence[Choice | str]
) -> Corrected:
    deal = seller(world)(lines=LINES, amount=NET)
    world.round()
    change(world, deal)
    world.round()
    assert world.working is not None
    engine, ref = world.working, f"deal:{deal}"
    drift = ", ".join(sorted({task["code"] for task in engine.tasks()}))
    before = _totals(world)
    for choice in choices:
        if choice == "ignore":
            engine.ignore_drift(ref, who="ann", reason="a day does not matter")
        elif isinstance(choice, Choice):
            engine.correct(ref, choice, who="ann", reason=name)
        else:
            down = Choice(Way.CREDIT, Extent(to=engine.deal_lines(ref)))
            engine.correct(ref, down, who="ann", reason=name)
        world.round(3)
    after = _totals(world)
    rests = tie_out(world, {}).values()
    off = sum((won - invoiced - held for won, invoiced, held in rests), Decimal(0))
    told = f"{world.told(deal, 'invoice_status')} {world.told(deal, 'invoice_balance') or ''}"
    return Corrected(
        name, change.__doc__ or "", drift, *before, *after, told.strip(), str(off), world.codes()
    )


def _totals(world: World) -> tuple[str, str]:
    """Return what is invoiced and what is credited, net, by what is really in the books."""
    memos = [one for one in world.books_truth()["credit_memos"] if not one["deleted"]]
    return (
        str(sum((one["net"] for one in world.invoices()), Decimal(0))),
        str(sum((one["net"] for one in memos), Decimal(0))),
    )


def is_right(shown: Sequence[Corrected]) -> bool:
    """Whether every deal ties out to the cent and nothing waits."""
    return all(Decimal(one.difference) == 0 and not one.tasks for one in shown)


def main() -> int:
    """Show every correction; as one JSON object with ``--json``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    configure("text", "error")
    with tempfile.TemporaryDirectory() as path:
        shown = list(show(Path(path)))
    plain: list[dict[str, Any]] = [asdict(one) for one in shown]
    if asked.json:
        click.echo(json.dumps({"corrections": plain, "right": is_right(shown)}))
    else:
        for one in shown:
            click.echo(
                f"{one.correction:45} {one.drift:16} invoiced {one.invoiced_before:>7} credited "
                f"{one.credited_before:>6} → invoiced {one.invoiced_after:>7} credited "
                f"{one.credited_after:>7}, the deal hears {one.told}; difference {one.difference}"
            )
        click.echo("Every deal ties out." if is_right(shown) else "A deal does NOT tie out.")
    return 0 if is_right(shown) else 1


if __name__ == "__main__":
    sys.exit(main())
