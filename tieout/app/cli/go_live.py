"""``tieout go-live``: a pair that only watched posts from now on."""

from __future__ import annotations

import click

from tieout.app.cli.verb import Answer, Caller, verb


@click.command(name="go-live")
@click.argument("pair")
@click.option("--reason", required=True, help="Kept in the journal.")
@click.option(
    "--leave-open",
    is_flag=True,
    help="Go live although links wait; what looks like a twin stays asked about.",
)
@verb
def command(caller: Caller, pair: str, *, reason: str, leave_open: bool) -> Answer:
    """Let a pair that only watched post from now on.

    One step, with who and why in the journal; nothing else ends the shadow. It refuses while a deal
    has, or may have, an invoice made by hand that it is not linked to: see `tieout backfill`. The
    next round plans everything anew, asks for approval as the pair's policy says, and posts.

    Example:
      tieout go-live main --reason "a fortnight without a difference that weighs"

    JSON: {"live": pair, "left_open": number of links that nobody has confirmed}
    """
    from tieout.app.cli.asking import do  # noqa: PLC0415 (imported when used)

    values = do(caller, "go_live", pair=pair, reason=reason, leave_open=leave_open)
    lines = [
        f"{pair} posts from its next round on.",
        "Take `mode: shadow` out of tieout.yaml: it is over.",
    ]
    if values["left_open"]:
        lines.append(f"{values['left_open']} links are left open: `tieout tasks`")
    return Answer(values, lines)
