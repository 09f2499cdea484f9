"""``tieout provision``: the CRM's fields that Tieout writes to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from tieout.app.cli.exits import Exit
from tieout.app.cli.verb import Answer, Caller, table, verb

if TYPE_CHECKING:
    from tieout.model.contract import Right


@click.command(name="provision")
@click.argument("company", required=False)
@click.option("--dry", is_flag=True, help="Only say what is missing.")
@verb
def command(caller: Caller, company: str | None, *, dry: bool) -> Answer:
    """Make the CRM's fields that Tieout writes to.

    COMPANY is its name in tieout.yaml; without it, every company that a pair reads from. What is
    there already stays; a choice that a list lacks is added to it. Where the token may not change
    fields, it prints what an administrator must make by hand; then it leaves with 1.

    Examples:
      tieout provision --dry
      tieout provision crm

    JSON: {"companies": {name: [{"kind", "name", "label", "type", "state", "why"}]}, "advice":
    {name: [{"right", "purpose", "held", "said"}]}}; "state" is "there", "made" or "by hand";
    "advice" is what people see to who may see and change the fields
    """
    from tieout.app import companies, provisioning, rights  # noqa: PLC0415 (imported when used)
    from tieout.model.contract import Advises  # noqa: PLC0415 (imported when used)

    site = companies.Site(caller.directory, caller.settings())
    names = [company] if company else sorted({p.source for p in site.settings.pairs.values()})
    values, rows, by_hand = {}, [], []
    advised: dict[str, Sequence[Right]] = {}
    for name in names:
        with companies.session(site, name) as connector:
            provided = list(provisioning.provide(connector, dry=dry))
            advised[name] = connector.advice() if isinstance(connector, Advises) else ()
        rows += [(name, p.values["name"], p.values["label"], p.state) for p in provided]
        by_hand += [each for each in provided if each.state == "by hand"]
        values[name] = [
            {
                "kind": each.kind,
                "name": each.values["name"],
                "label": each.values["label"],
                "type": each.values.get("type"),
                "state": each.state,
                "why": each.why,
            }
            for each in provided
        ]
    lines = table(("company", "field", "label", ""), rows)
    if by_hand:
        lines += ["", "To be made by an administrator, or by this command without --dry:"]
        lines += [f"  {each.instruction}" for each in by_hand]
        lines += sorted({f"  because: {each.why}" for each in by_hand if each.why})
    for name, rights_ in advised.items():
        lines += ["", f"By hand, for {name}:"] if rights_ else []
        lines += [f"  {one.name} ({one.purpose}): {one.said}" for one in rights_]
    advice = {name: [rights.plain(one) for one in told] for name, told in advised.items()}
    return Answer(
        {"companies": values, "advice": advice}, lines, Exit.TROUBLE if by_hand else Exit.DONE
    )
