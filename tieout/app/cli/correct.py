"""``tieout correct``: what to do about a deal that changed after its invoice was posted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

import click

from tieout.app.cli.verb import SHORT_HASH, Answer, Caller, money_text, table, verb

WAYS = ("amend", "void", "credit", "ignore")


@click.command(name="correct")
@click.argument("ref")
@click.argument("way", required=False, type=click.Choice(WAYS))
@click.option("--part", metavar="PERCENT", help="Credit so many hundredths of the invoice.")
@click.option(
    "--line",
    type=click.IntRange(1),
    help="Credit this line only, by the number shown.",
)
@click.option("--amount", help="Credit this much, before tax.")
@click.option("--to-deal", is_flag=True, help="Credit what the invoice has more than its deal.")
@click.option("--reissue", is_flag=True, help="Then issue the invoice again, as the deal is now.")
@click.option("--day", metavar="YYYY-MM-DD", help="The day of the credit; today otherwise.")
@click.option("--reason", default="", help="Kept in the journal.")
@verb
def command(
    caller: Caller,
    *,
    ref: str,
    way: str | None,
    part: str | None,
    line: int | None,
    amount: str | None,
    to_deal: bool,
    reissue: bool,
    day: str | None,
    reason: str,
) -> Answer:
    """Show how an invoice differs from its deal, and correct it.

    REF is the deal, as deal:901; of a deal with several invoices one of them, as deal:901/rest.
    Where only one of them drifted the deal alone names it; where several did they are listed.

    Without WAY nothing is changed: it shows both sides, what is possible now and what each would
    be approved by. With one it is planned, and then approved as any plan: `tieout approve HASH`.

      amend   make the unpaid invoice say what the deal says now
      void    take it back: it stays in the books, worth nothing
      credit  give back all that is left of it, or a part, a line, an amount
      ignore  leave it as it is, with a reason, until it changes again

    Examples:
      tieout correct deal:901
      tieout correct deal:901 credit --line 2 --reason "two days were not worked"
      tieout correct deal:901 credit --reissue --reason "another customer"

    JSON: without WAY {"source", "part", "with": the invoice of several deals that it is in
    or null, "title", "state", "invoice", "lines": [{"line",
    "description", "amount", "left"}], "fields": [{"field", "posted", "deal", "books"}],
    "tasks", "credits", "corrections", "options"}, with one an option {"name", "extent", "day",
    "possible", "why", "settles", "hash", "net", "currency", "verb", "kind", "values", "before"},
    with ignore {"ignored": number of tasks}
    """
    from tieout.app.cli.asking import do  # noqa: PLC0415 (imported when used)

    if way is None:
        values = do(caller, "corrections", ref=ref)
        return Answer(values, list(_standing_lines(values)))
    _demand_use(way, said=bool(part or line or amount or to_deal or day), reissue=reissue)
    if not reason:
        raise click.UsageError("Say why: --reason is kept in the journal.")
    extent = {"part": part, "line": line, "amount": amount}
    values = do(
        caller,
        "correct",
        ref=ref,
        way=way,
        extent={name: held for name, held in extent.items() if held is not None},
        to_deal=to_deal,
        reissue=reissue,
        day=day,
        reason=reason,
        asking=uuid4().hex,
    )
    if way == "ignore":
        return Answer(values, [f"{ref} stays as it is, until it differs in another way."])
    short = str(values["hash"])[:SHORT_HASH]
    money = money_text(values["net"], values["currency"])
    lines = [
        f"{values['name']} of {money} is planned as {short}.",
        f"`tieout approve {short}` where it waits for a person; the next round sends it.",
    ]
    return Answer(values, lines)


def _demand_use(way: str, *, said: bool, reissue: bool) -> None:
    if said and way != "credit":
        raise click.UsageError(f"How much and of which day is for a credit: {way} takes all of it.")
    if reissue and way not in ("credit", "void"):
        raise click.UsageError(f"Only what is voided or credited is issued again, not by {way}.")


def _standing_lines(values: Mapping[str, Any]) -> Iterator[str]:
    invoice = values["invoice"]
    money = money_text(invoice["net"], invoice["currency"])
    left = money_text(invoice["left"], invoice["currency"])
    number = invoice["number"] or invoice["id"]
    yield click.style(f"{values['title']}: invoice {number} of {money}, {left} left", bold=True)
    rows = [
        [one["field"], *map(_said, (one["posted"], one["deal"], one["books"]))]
        for one in values["fields"]
    ]
    yield from table(("field", "invoiced", "deal now", "books now"), rows)
    lines = [
        [
            one["line"],
            one["description"],
            *(money_text(one[name], invoice["currency"]) for name in ("amount", "left")),
        ]
        for one in values["lines"]
    ]
    yield from table(("line in the books", "description", "amount", "left"), lines)
    for task in values["tasks"]:
        yield f"  task {task['code']}: {task['message']}"
    for done in values["corrections"]:
        yield f"  {done['title']}: {done['state']}"
    yield click.style("Possible now", bold=True)
    for option in values["options"]:
        yield f"  {_option_line(option)}"
    yield "  ignore: leave it as it is, with a reason"


def _option_line(option: Mapping[str, Any]) -> str:
    name = option["name"].replace("-to-deal", " --to-deal").replace("-and-reissue", " --reissue")
    if not option["possible"]:
        return f"{name}: not now. {option['why']}"
    money = money_text(option["net"], option["currency"])
    return f"{name}: {money}, plan {option['hash'][:SHORT_HASH]}"


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{value['quantity']} × {value['unit_price']} = {value['amount']}"
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return "" if value is None else str(value)
