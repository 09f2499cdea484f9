"""``tieout apply``: send what is approved."""

from __future__ import annotations

import click

from tieout.app.cli.rounds import round_exit, round_lines
from tieout.app.cli.verb import Answer, Caller, verb


@click.command(name="apply")
@click.argument("hash_", metavar="[HASH]", required=False)
@verb
def command(caller: Caller, hash_: str | None) -> Answer:
    """Send what is approved.

    With HASH only if that very plan is approved and nothing about it moved since; otherwise it
    refuses and nothing is sent. A plan that moved is never sent, with or without.

    Examples:
      tieout apply
      tieout apply 5f2c81aa

    JSON: {"rounds": [{"pair", "events", "books_events", "unreadable", "drafted", "calls_sent",
    "done", "refused", "unknown", "told", "compared", "calls": {name: n}, "error"}], "pairs":
    [{"pair", "unknowns", "tasks", "paused"}]}
    """
    from tieout.app.cli.asking import do  # noqa: PLC0415 (imported when used)

    values = do(caller, "apply", hash=hash_)
    return Answer(values, list(round_lines(values)), round_exit(values))
