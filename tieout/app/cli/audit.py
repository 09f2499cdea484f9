"""``tieout audit``: proof that nobody changed the journal."""

from __future__ import annotations

import re

import click

from tieout.app.cli.exits import Exit
from tieout.app.cli.verb import Answer, Caller, verb

_HASH = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)


@click.group(name="audit")
def command() -> None:
    """Prove that the journal is whole."""


@command.command(name="verify")
@click.option("--against", metavar="HASH", help="A head's hash, noted earlier: it must be there.")
@verb
def verify(caller: Caller, against: str | None) -> Answer:
    """Recompute every line's hash; find one changed, missing, re-ordered or cut-off line.

    The head's hash is in `tieout status`, in each day's log and in each backup. Keep one elsewhere:
    with --against it also proves that nobody wrote the journal anew.

    Examples:
      tieout audit verify
      tieout audit verify --against 5f2c…

    JSON: {"ok", "lines", "head", "first_broken": number or null, "why"}
    """
    if against is not None and not _HASH.fullmatch(against.strip()):
        raise click.BadParameter(  # an empty variable in a script must not pass as a proof
            "write the whole hash, 64 letters, as `tieout status` shows it",
            param_hint="'--against'",
        )
    from tieout.app.wiring import verify_journal  # noqa: PLC0415 (imported when used)

    verdict = verify_journal(caller.settings(), against)
    values = {
        "ok": verdict.ok,
        "lines": verdict.lines,
        "head": verdict.head.hash,
        "first_broken": verdict.first_broken,
        "why": verdict.why,
    }
    if verdict.ok:
        said = f"{verdict.lines} lines hold; the head is {verdict.head.hash}"
        return Answer(values, [said])
    lines = [
        f"The journal does not hold: {verdict.why}",
        "  next: Keep the file as evidence, and restore the last backup that verifies.",
    ]
    return Answer(values, lines, Exit.TROUBLE)
