"""``tieout reconcile``: three sides, compared."""

from __future__ import annotations

import click

from tieout.app.cli.rounds import round_exit, round_lines
from tieout.app.cli.tasks import task_lines
from tieout.app.cli.verb import Answer, Caller, verb


@click.command(name="reconcile")
@click.argument("pair", required=False)
@verb
def command(caller: Caller, pair: str | None) -> Answer:
    """Compare what was approved with both systems now.

    Reads every posted deal and its invoice again and names the cause of each difference: changed in
    the CRM, changed in the books, voided, deleted, merged, number changed, paid elsewhere. Each is
    a task; nothing is overwritten. What the CRM refused to be told before, it is told again.

    Examples:
      tieout reconcile
      tieout reconcile main --json

    JSON: {"rounds": [as `tieout apply`], "drift": [as `tieout tasks`], "pairs": [{"pair",
    "unknowns", "tasks", "paused"}]}
    """
    from tieout.app.cli.asking import do  # noqa: PLC0415 (imported when used)

    values = do(caller, "reconcile", pair=pair)
    drift = list(task_lines(values["drift"])) or ["No difference."]
    return Answer(values, [*round_lines(values), "", *drift], round_exit(values))
