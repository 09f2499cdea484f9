"""``tieout resume``: a stopped pair goes on."""

from __future__ import annotations

import click

from tieout.app.cli.verb import Answer, Caller, verb


@click.command(name="resume")
@click.argument("pair")
@click.option("--reason", required=True, help="Kept in the journal.")
@verb
def command(caller: Caller, pair: str, reason: str) -> Answer:
    """Let a stopped pair go on.

    A pair stops when going on could make a second invoice, or when a company does not let us in.
    `tieout status` says why; mend that first.

    Example:
      tieout resume main --reason "the other installation is switched off"

    JSON: {"resumed": pair}
    """
    from tieout.app.cli.asking import do  # noqa: PLC0415 (imported when used)

    values = do(caller, "resume", pair=pair, reason=reason)
    return Answer(values, [f"{pair} goes on with its next round."])
