"""``tieout plan``: what would be sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from tieout.app.cli.exits import Exit
from tieout.app.cli.verb import SHORT_HASH, Answer, Caller, beyond, money_text, table, verb

ROWS_LIMIT = 40  # more is for --all or --json
UNMOVED = "Waits for a document that is held."


@click.command(name="plan")
@click.argument("refs", nargs=-1)
@click.option("--no-look", is_flag=True, help="Show what is known without reading both sides.")
@click.option("--all", "everything", is_flag=True, help="Show every row.")
@verb
def command(caller: Caller, refs: tuple[str, ...], *, no_look: bool, everything: bool) -> Answer:
    """Show what would be created, changed or voided.

    Reads both sides and plans, and sends nothing. REFS choose sources, as deal:901. Each plan has a
    hash, and so has the sheet of all that wait: `tieout approve HASH` approves exactly that. It
    leaves with 2 when there is something to send or to approve, with 1 when something is in the
    way of it.

    Examples:
      tieout plan
      tieout plan deal:901 --json

    JSON: {"plans": [{"title", "kind", "source", "part", "state", "goes": whether it is sent once
    approved, "reason", "not_due": whether a part waits for its day, "hash", "net", "currency",
    "verb", "values", "needs", "findings": [{"code", "severity", "message", "remedy", "line"}],
    "tasks": [{"code", "message"}], "goes_with": the document of several deals or null}],
    "left_out": number of plans that one answer does not hold, "sheets": {pair: hash or null},
    "shadow": [pairs that only watch]}
    """
    from tieout.app.cli.asking import do, look  # noqa: PLC0415 (imported when used)

    asked = {"refs": list(refs), "look": not no_look}
    values = (look if no_look else do)(caller, "plan", **asked)
    plans = values["plans"]
    going = [plan for plan in plans if plan["goes"]]
    later = [plan for plan in plans if plan["not_due"]]
    along = [plan for plan in plans if plan["goes_with"]]
    known = [*going, *later, *along]
    held = [plan for plan in plans if plan not in known]
    limit = len(plans) if everything else ROWS_LIMIT
    lines = [*_going(going, limit), *_held(held, limit), *_later(later, limit), *_along(along)]
    lines += _sheets(values["sheets"])
    said = f"{len(going)} to send, {len(held)} held"
    lines += [f"{said}, {len(later)} not due" if later else said] if plans else ["Nothing to do."]
    lines += [f"{name} is in the shadow: nothing of it is sent" for name in values["shadow"]]
    lines += beyond(values["left_out"])
    code = Exit.CHANGES if going else Exit.TROUBLE if held else Exit.DONE
    return Answer(values, lines, code)


def _going(plans: Sequence[Mapping[str, Any]], limit: int) -> Iterator[str]:
    rows = [
        (
            (plan["hash"] or "")[:SHORT_HASH],
            plan["verb"],
            plan["kind"],
            plan["title"],
            money_text(plan["net"], plan["currency"]),
            plan["state"],
        )
        for plan in plans[:limit]
    ]
    yield from table(("plan", "", "", "what", "net", "state"), rows)
    yield from _rest(plans, limit)
    for plan in plans[:limit]:
        for finding in plan["findings"]:
            yield f"  {plan['title']}: {finding['message']}"


def _held(plans: Sequence[Mapping[str, Any]], limit: int) -> Iterator[str]:
    if plans:
        yield ""
        yield click.style("Held:", bold=True)
    for plan in plans[:limit]:
        yield f"  {plan['title']}  {money_text(plan['net'], plan['currency'])}".rstrip()
        told = [each["message"] for each in plan["findings"]] or [
            each["message"] for each in plan["tasks"]
        ]
        yield from (f"    {message}" for message in dict.fromkeys(told or [UNMOVED]))
    yield from _rest(plans, limit)


def _later(plans: Sequence[Mapping[str, Any]], limit: int) -> Iterator[str]:
    if plans:
        yield ""
        yield click.style("Not due yet:", bold=True)
    for plan in plans[:limit]:
        day = plan["reason"].partition(":")[2] or "its day is not known"
        yield f"  {plan['title']}  {money_text(plan['net'], plan['currency'])}  {day}"
    yield from _rest(plans, limit)


def _along(plans: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for plan in plans:
        money = money_text(plan["net"], plan["currency"])
        yield f"{plan['title']}  {money}  goes with {plan['goes_with']}"


def _rest(plans: Sequence[object], limit: int) -> Iterator[str]:
    if len(plans) > limit:
        yield f"  … and {len(plans) - limit} more (--all shows them)"


def _sheets(sheets: Mapping[str, str | None]) -> Iterator[str]:
    for pair, sheet in sheets.items():
        if sheet:
            short = sheet[:SHORT_HASH]
            yield f"Everything of {pair} that waits is sheet {short}: tieout approve {short}"
