"""``tieout resync``: one record, anew."""

from __future__ import annotations

import click

from tieout.app.cli.rounds import round_exit, round_lines
from tieout.app.cli.verb import Answer, Caller, verb


@click.command(name="resync")
@click.argument("ref")
@verb
def command(caller: Caller, ref: str) -> Answer:
    """Read one record anew and plan it again.

    REF is its kind and id, as deal:901; naming one part of it reads all of it. All that travels
    with it is read as well, and its pair is worked once. What is posted already is compared, never
    sent again.

    Example:
      tieout resync deal:901

    JSON: {"rounds": [as `tieout apply`], "pairs": [{"pair", "unknowns", "tasks", "paused"}]}
    """
    from tieout.app.cli.asking import do  # noqa: PLC0415 (imported when used)

    values = do(caller, "resync", ref=ref)
    return Answer(values, list(round_lines(values)), round_exit(values))
