"""``tieout demo``: watch it work."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import click

from tieout.app.cli.exits import Exit
from tieout.app.cli.verb import Caller, verb
from tieout.app.crms import CHOICES, USUAL


@click.command(name="demo")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), required=False)
@click.option(
    "--crm",
    default=USUAL,
    show_default=True,
    type=click.Choice(CHOICES),
    help="Which CRM; all: three of them into the same books.",
)
@click.option(
    "--deals",
    default=500,
    show_default=True,
    type=click.IntRange(20, 20_000),
    help="How many are won in each CRM; a quarter more that are not come with them.",
)
@click.option("--fresh", is_flag=True, help="Forget what an earlier demo left, and start over.")
@click.option("--any-ports", is_flag=True, help="Serve on free ports instead of the usual ones.")
@verb
def command(
    caller: Caller, directory: Path | None, *, crm: str, deals: int, fresh: bool, any_ports: bool
) -> Exit:
    """Watch it work on make-believe companies.

    DIRECTORY keeps the configuration, the ledger and the companies: ./demo, or ./demo-salesforce
    and so on with other CRMs. Again, it goes on where it was, and finds nothing to do. It leaves
    with 0 when all ties out.

    Examples:
      tieout demo
      tieout demo --crm salesforce
      tieout demo --crm all --fresh --json

    JSON: {"won", "invoiced", "held", "difference": {currency: amount}, "posted", "held_count",
    "second_run_changes", "api_calls", "duplicates", "lost"}
    """
    from rich.console import Console  # noqa: PLC0415 (imported when used)

    from tieout.app import logs  # noqa: PLC0415 (imported when used)
    from tieout.app.daemon import Signals  # noqa: PLC0415 (imported when used)
    from tieout.app.demo.play import play  # noqa: PLC0415 (imported when used)
    from tieout.app.demo.stage import Home  # noqa: PLC0415 (imported when used)
    from tieout.app.demo.telling import PIPE_COLUMNS, Teller  # noqa: PLC0415 (imported when used)

    logs.configure(level="error")
    console = Console(stderr=caller.as_json, highlight=False)
    if not console.is_terminal:
        console.width = PIPE_COLUMNS
    signals = Signals()
    with signals.heard():
        outcome = play(
            Home(directory or Path("demo" if crm == USUAL else f"demo-{crm}")),
            Teller(console),
            crm=crm,
            deals=deals,
            program=_program(),
            fresh=fresh,
            any_ports=any_ports,
            stopping=signals.stop.is_set,
        )
    if caller.as_json:
        click.echo(json.dumps(outcome.plain(), ensure_ascii=False))
    return Exit.DONE if outcome.is_good else Exit.TROUBLE


def _program() -> str:
    """Return how this program was started, where its name alone would not be found."""
    typed = sys.argv[0]
    found = shutil.which("tieout") is not None or Path(typed).name != "tieout"
    return "tieout" if found else typed
