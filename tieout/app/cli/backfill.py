"""``tieout backfill``: link what both sides already have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from tieout.app.cli.exits import Exit
from tieout.app.cli.verb import SHORT_HASH, Answer, Caller, money_text, table, verb

ROWS_LIMIT = 20  # of each list; more is for --all or --json
WORDS = {
    "certain": "certain",
    "likely": "likely",
    "questions": "several fit",
    "missing": "on this side only",
    "before_cutover": "before the cutover",
    "all": "in all",
}


@click.command(name="backfill")
@click.option("--pair", help="Only of this pair.")
@click.option("--no-look", is_flag=True, help="Show what is known without reading both sides.")
@click.option("--all", "everything", is_flag=True, help="Show every row.")
@click.option("--confirm", metavar="HASH", help="Link what the report of this hash shows.")
@click.option(
    "--link",
    "one",
    nargs=2,
    metavar="SOURCE ID",
    help="Link one deal, as deal:901 or by its key, to the invoice of this id in the books.",
)
@click.option("--reason", default="", help="Kept in the journal.")
@verb
def command(
    caller: Caller,
    *,
    pair: str | None,
    no_look: bool,
    everything: bool,
    confirm: str | None,
    one: tuple[str, str] | None,
    reason: str,
) -> Answer:
    """Link deals to the invoices that people have already made.

    Reads both sides and creates nothing. A link is certain when a number or reference finds exactly
    one invoice and nothing contradicts, or when customer, amount, currency and, within a week, the
    day agree and nothing else fits. It is likely when something differs, or the day lies up to
    twin_days apart. Where several fit, a person chooses. What is confirmed is linked in one step,
    as if Tieout had posted it; the CRM is told of it in the next round. It leaves with 1 while
    there is a link to confirm or to choose.

    Examples:
      tieout backfill
      tieout backfill --confirm 1f0c5a2b --reason "checked with finance"
      tieout backfill --link deal:901 145

    JSON: {"pairs": [{"pair", "cutover_date", "days", "hashes": {"certain", "shown"}, "certain":
    [{"key", "source", "title", "date", "net", "currency", "state", "by", "record": {"id", "number",
    "customer", "date", "net", "total", "currency"}, "differences"}], "likely", "questions": with
    "records", "missing": {"deals", "invoices"}, "figures"}]}, or {"linked": number}
    """
    from tieout.app.cli.asking import do, look  # noqa: PLC0415 (imported when used)

    if confirm and one:
        raise click.UsageError("--confirm takes what a report shows; --link takes one: give one.")
    if confirm:
        values = do(caller, "confirm_links", hash=confirm, reason=reason)
        return Answer(values, [f"{values['linked']} deals are linked to their invoices."])
    if one:
        values = do(caller, "link", ref=one[0], record=one[1], reason=reason)
        return Answer(values, [f"{one[0]} is linked to invoice {one[1]}."])
    values = (look if no_look else do)(caller, "backfill", pair=pair, look=not no_look)
    reports = values["pairs"]
    lines = [line for each in reports for line in _lines(each, everything=everything)]
    is_open = any(each["certain"] or each["likely"] or each["questions"] for each in reports)
    return Answer(values, lines, Exit.TROUBLE if is_open else Exit.DONE)


def _lines(report: Mapping[str, Any], *, everything: bool) -> Iterator[str]:
    limit = None if everything else ROWS_LIMIT
    yield click.style(f"{report['pair']}, from {report['cutover_date']} on", bold=True)
    yield from _figures(report["figures"])
    for name, title in (("certain", "Certain"), ("likely", "Likely")):
        yield from _titled(title, report[name], limit, _links(report[name][:limit]))
    yield from _titled("Several fit: choose one with --link", report["questions"], limit, [])
    for each in report["questions"][:limit]:
        yield f"  {each['source']}  {_sale(each)}"
        yield from (f"    {record['id']:>6}  {_invoice(record)}" for record in each["records"])
    deals, invoices = report["missing"]["deals"], report["missing"]["invoices"]
    rows = (f"  {each['source']}  {_sale(each)}" for each in deals[:limit])
    yield from _titled("Deals without an invoice: they will be invoiced", deals, limit, rows)
    rows = (f"  {each['id']:>6}  {_invoice(each)}" for each in invoices[:limit])
    yield from _titled("Invoices without a deal: they stay as they are", invoices, limit, rows)
    yield from _hashes(report)


def _figures(figures: Mapping[str, Any]) -> Iterator[str]:
    rows = [
        (side, WORDS[name], part["n"], ", ".join(money_text(s, c) for c, s in part["sums"].items()))
        for side, parts in figures.items()
        for name, part in parts.items()
        if part["n"] or name == "all"
    ]
    yield from table(("", "", "n", "net"), rows)


def _links(links: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    rows = [
        (
            each["source"],
            each["date"],
            money_text(each["net"], each["currency"]),
            each["record"]["number"] or each["record"]["id"],
            each["record"]["date"],
            money_text(each["record"]["net"], each["record"]["currency"]),
            each["by"],
            ", ".join(each["differences"]),
        )
        for each in links
    ]
    heads = ("deal", "day", "net", "invoice", "day", "net", "found by", "differs in")
    yield from (f"  {line}" for line in table(heads, rows))


def _titled(
    title: str, rows: Sequence[object], limit: int | None, lines: Iterator[str] | Sequence[str]
) -> Iterator[str]:
    if rows:
        yield ""
        yield click.style(f"{title}: {len(rows)}", bold=True)
        yield from lines
        if limit is not None and len(rows) > limit:
            yield f"  … and {len(rows) - limit} more (--all shows them)"


def _sale(deal: Mapping[str, Any]) -> str:
    return f"{deal['date'] or ''}  {money_text(deal['net'], deal['currency'])}  {deal['title']}"


def _invoice(record: Mapping[str, Any]) -> str:
    named = record["number"] or "no number"
    money = money_text(record["net"], record["currency"])
    return f"{named}  {record['date']}  {money}  {record['customer'] or ''}".rstrip()


def _hashes(report: Mapping[str, Any]) -> Iterator[str]:
    certain, shown = report["hashes"]["certain"], report["hashes"]["shown"]
    if certain or shown:
        yield ""
    if certain:
        short = certain[:SHORT_HASH]
        yield f"The certain ones are {short}: tieout backfill --confirm {short}"
    if shown and shown != certain:
        short = shown[:SHORT_HASH]
        yield f"With the likely ones {short}: tieout backfill --confirm {short}"
    if not (certain or shown or report["questions"]):
        yield "Nothing to link."
