"""The command line: one verb, one file, each imported when it is used."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from tieout.app.cli.exits import Exit
from tieout.app.cli.verbs import root


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(exit_code(args))


def exit_code(args: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; nothing leaves it as a traceback."""
    arguments = list(sys.argv[1:] if args is None else args)
    as_json = "--json" in arguments
    color = False if os.environ.get("NO_COLOR") else None
    try:
        answer = root.main(arguments, prog_name="tieout", standalone_mode=False, color=color)
    except click.ClickException as wrong:
        from tieout.app.cli.trouble import refuse  # noqa: PLC0415 (imported when used)

        return refuse(wrong, as_json=as_json)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return Exit.INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads any more
        return Exit.TROUBLE
    except Exception as wrong:  # noqa: BLE001 (the last door: every error is told, none as a dump)
        from tieout.app.cli.trouble import tell  # noqa: PLC0415 (imported when used)

        return tell(wrong, as_json=as_json)
    return int(answer or Exit.DONE)
