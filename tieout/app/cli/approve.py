"""``tieout approve``: yes, to exactly this."""

from __future__ import annotations

import click

from tieout.app.cli.verb import Answer, Caller, verb


@click.command(name="approve")
@click.argument("hash_", metavar="HASH")
@click.option("--reason", default="", help="Kept in the journal with the decision.")
@verb
def command(caller: Caller, hash_: str, reason: str) -> Answer:
    """Approve a plan, or a whole sheet, by its hash.

    The hash covers all that would be told to the books; a plan whose world moves has another, and
    its approval falls. What it needs, a new customer or item, is approved with it. Eight letters
    are enough.

    Examples:
      tieout approve 5f2c81aa
      tieout approve 5f2c81aa --reason "seen with sales"

    JSON: {"approved": number of documents}
    """
    from tieout.app.cli.asking import do  # noqa: PLC0415 (imported when used)

    values = do(caller, "approve", hash=hash_, reason=reason)
    lines = [f"Approved {values['approved']}; `tieout apply` or the next round sends it."]
    return Answer(values, lines)
