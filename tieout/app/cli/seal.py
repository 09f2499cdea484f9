"""``tieout seal``: all tokens are sealed anew with a new key."""

from __future__ import annotations

import click

from tieout.app.cli.verb import Answer, Caller, verb


@click.command(name="seal")
@verb
def command(caller: Caller) -> Answer:
    """Seal all tokens anew with a new key.

    For when the old key may have been seen, or on a schedule. Without TIEOUT_KEY a fresh key is
    made in the file beside the tokens; with it, put the new key first and keep the old one behind a
    comma until this has run. A daemon may go on working meanwhile; one that has TIEOUT_KEY needs
    the new key too.

    Example:
      tieout seal

    JSON: {"sealed": [company as system:id]}
    """
    from tieout.credentials import SealedTokens  # noqa: PLC0415 (imported when used)

    tokens = SealedTokens(caller.settings().tokens)
    companies = tokens.companies()
    if companies:
        tokens.rotate_key()
    lines = [f"{company} is sealed with the new key" for company in companies]
    return Answer({"sealed": list(companies)}, lines or ["No company has sealed tokens."])
