"""``tieout reissue``: a new invoice in place of one that was taken back."""

from __future__ import annotations

import click

from tieout.app.cli.verb import Answer, Caller, verb


@click.command(name="reissue")
@click.argument("ref")
@click.option("--reason", required=True, help="Kept in the journal.")
@verb
def command(caller: Caller, ref: str, reason: str) -> Answer:
    """Plan a new invoice in place of one that was taken back.

    Only what the books voided or deleted, or what was credited whole, is issued again. The new one
    is planned and approved like any other; nothing else ever makes a second invoice of one deal.
    Of a deal with several invoices one is named, as deal:901/rest.

    Examples:
      tieout reissue deal:901 --reason "voided by mistake"
      tieout reissue deal:901/rest --reason "voided by mistake"

    JSON: {"key": the new document's key}
    """
    from tieout.app.cli.asking import do  # noqa: PLC0415 (imported when used)

    values = do(caller, "reissue", ref=ref, reason=reason)
    return Answer(values, [f"{ref} will be planned anew as {values['key']}: see `tieout plan`."])
