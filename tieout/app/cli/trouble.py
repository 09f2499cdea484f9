"""How an error is told: what, to which record, and what to do next; a traceback only in the log."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import click

from tieout.app import logs
from tieout.app.cli.exits import Exit
from tieout.app.cli.verb import json_text, printable
from tieout.app.outcome import error_values
from tieout.model.errors import NextStep, TieoutError

_EXITS = {NextStep.PAUSE: Exit.PAUSED, NextStep.LOOK: Exit.UNKNOWNS}


def refuse(wrong: click.ClickException, *, as_json: bool) -> int:
    """Print what the command line itself refuses, before any verb; return the exit code."""
    is_usage = isinstance(wrong, click.UsageError)
    if as_json:
        _print_error({"code": "usage" if is_usage else "trouble", "what": wrong.format_message()})
    else:
        wrong.show()
    return Exit.USAGE if is_usage else Exit.TROUBLE


def tell(wrong: Exception, *, as_json: bool) -> int:
    """Print an error for people or, with ``--json``, as one object; return the exit code."""
    if isinstance(wrong, TieoutError):
        if as_json:
            _print_error(error_values(wrong))
        else:
            click.echo(printable(words(wrong)), err=True)
        return _EXITS.get(wrong.next_step, Exit.TROUBLE)
    log = logging.getLogger("tieout")
    if not logging.getLogger().handlers:
        logs.configure()
    if isinstance(wrong, OSError):
        log.debug("refused", exc_info=wrong)
        code, message = "system", f"The system refuses it: {wrong}."
    else:
        log.critical("unexpected %s", type(wrong).__name__, exc_info=wrong)
        code, message = "unexpected", _unforeseen(wrong)
    if as_json:
        _print_error({"code": code, "what": message})
    else:
        click.echo(message, err=True)
    return Exit.TROUBLE


def _unforeseen(wrong: Exception) -> str:
    return (
        f"Tieout met something that it does not know ({type(wrong).__name__}). "
        "The log has its traceback; nothing was sent after it. Please report it."
    )


def _print_error(error: Mapping[str, Any]) -> None:
    line = json_text({"error": error})
    try:
        click.echo(line)
    except OSError:  # standard output is what refuses: a full disk behind a redirection
        click.echo(line, err=True)


def words(wrong: TieoutError) -> str:
    """Return an error for people: one line what, then what was said and what to do next."""
    subject = f"{wrong.record}: " if wrong.record else ""
    lines = [f"{click.style(wrong.code, fg='red', bold=True)}: {subject}{wrong.what}"]
    if wrong.code == "mistakes":
        lines = wrong.what.splitlines()
    if wrong.vendor_words or wrong.vendor_code:
        code = f" [{wrong.vendor_code}]" if wrong.vendor_code else ""
        lines.append(f"  it said: {wrong.vendor_words}{code}")
    if wrong.trace_id:
        lines.append(f"  its trace: {wrong.trace_id}")
    lines.append(f"  next: {wrong.next}")
    return "\n".join(lines)
