"""``tieout reject``: no, and why."""

from __future__ import annotations

import click

from tieout.app.cli.verb import Answer, Caller, verb


@click.command(name="reject")
@click.argument("hash_", metavar="HASH")
@click.option("--reason", required=True, help="Kept in the journal with the decision.")
@verb
def command(caller: Caller, hash_: str, reason: str) -> Answer:
    """Reject a plan by its hash.

    It is not sent. When its source changes it is planned anew, under another hash.

    Example:
      tieout reject 5f2c81aa --reason "the customer disputes it"

    JSON: {"rejected": number of documents}
    """
    from tieout.app.cli.asking import do  # noqa: PLC0415 (imported when used)

    values = do(caller, "reject", hash=hash_, reason=reason)
    return Answer(values, [f"Rejected {values['rejected']}."])
