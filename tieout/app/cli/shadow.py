"""``tieout shadow``: what would have been invoiced beside what people invoiced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import click

from tieout.app.cli.verb import Answer, Caller, money_text, table, verb

ROWS_LIMIT = 10  # invoices shown with their differences; more is for --all or --json


@click.command(name="shadow")
@click.option("--pair", help="Only of this pair.")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Leave out what is older; the cutover when not given.",
)
@click.option("--no-look", is_flag=True, help="Show what is known without reading both sides.")
@click.option("--all", "everything", is_flag=True, help="Show every invoice, and every difference.")
@verb
def command(
    caller: Caller, *, pair: str | None, since: datetime | None, no_look: bool, everything: bool
) -> Answer:
    """Show what would have been invoiced beside what people invoiced.

    Beside each invoice that a person made stands the one that Tieout would have made of its deal,
    with every difference and the line of the mapping that made our value. A difference weighs when
    it changes what is owed, by whom, when or with which tax; the others are words. It reads, and
    sends nothing, of a pair in the shadow and of a live one.

    Examples:
      tieout shadow
      tieout shadow --since 2026-04-01 --all

    JSON: {"pairs": [{"pair", "since", "compared": [{"key", "source", "title", "date", "net",
    "currency", "state", "record", "held": [why ours would not have been posted], "differences":
    [{"field", "ours", "theirs", "weighs", "cause": [{"line", "says"}]}]}], "only_crm",
    "only_books", "figures"}]}
    """
    from tieout.app.cli.asking import do, look  # noqa: PLC0415 (imported when used)

    day = since.date().isoformat() if since else None
    values = (look if no_look else do)(caller, "shadow", pair=pair, since=day, look=not no_look)
    lines = [line for each in values["pairs"] for line in _lines(each, everything=everything)]
    return Answer(values, lines)


def _lines(report: Mapping[str, Any], *, everything: bool) -> Iterator[str]:
    figures = report["figures"]
    yield click.style(f"{report['pair']}, since {report['since']}", bold=True)
    yield from _sums(figures)
    yield (
        f"{figures['same']} the same, {figures['words_only']} in other words, "
        f"{figures['different']} with a difference that weighs; {figures['held']} would be held"
    )
    wanted = [each for each in report["compared"] if everything or _weighs(each)]
    limit = len(wanted) if everything else ROWS_LIMIT
    for each in wanted[:limit]:
        yield from _compared(each, everything=everything)
    if len(wanted) > limit:
        yield f"… and {len(wanted) - limit} more (--all shows them)"
    yield from _alone("Only in the CRM", report["only_crm"], limit, "source", "title")
    yield from _alone("Only in the books", report["only_books"], limit, "number", "customer")


def _sums(figures: Mapping[str, Any]) -> Iterator[str]:
    rows = [
        (side, name.replace("_", " "), part["n"], _money(part["sums"]))
        for side in ("ours", "theirs")
        for name, part in figures[side].items()
        if part["n"] or name == "all"
    ]
    yield from table(("", "", "n", "net"), rows)


def _money(sums: Mapping[str, str]) -> str:
    return ", ".join(money_text(amount, code) for code, amount in sums.items())


def _weighs(each: Mapping[str, Any]) -> bool:
    return bool(each["held"]) or any(one["weighs"] for one in each["differences"])


def _compared(each: Mapping[str, Any], *, everything: bool) -> Iterator[str]:
    record = each["record"]
    yield ""
    named = record["number"] or record["id"]
    yield click.style(f"invoice {named} of {record['date']}, {each['title']}", bold=True)
    yield from (f"  ours would be held: {why}" for why in each["held"])
    told: set[str] = set()  # one line may have made several values: it is said once
    for one in each["differences"]:
        if one["weighs"] or everything:
            yield f"  {one['field']}: ours {_said(one['ours'])}, theirs {_said(one['theirs'])}"
            causes = [cause["says"] for cause in one["cause"] if cause["says"] not in told]
            yield from (f"    {cause}" for cause in causes)
            told.update(causes)
    if not each["differences"]:
        yield "  the same"


def _said(value: object) -> str:
    return "nothing" if value is None else str(value)


def _alone(title: str, rows: Sequence[Mapping[str, Any]], limit: int, *names: str) -> Iterator[str]:
    if not rows:
        return
    yield ""
    yield click.style(f"{title}: {len(rows)}", bold=True)
    for each in rows[:limit]:
        said = "  ".join(str(each[name] or "") for name in names)
        yield f"  {each['date'] or ''}  {money_text(each['net'], each['currency'])}  {said}"
    if len(rows) > limit:
        yield f"  … and {len(rows) - limit} more (--all shows them)"
