"""``tieout ledger``: backups, and the way back."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from tieout.app.cli.verb import Answer, Caller, verb

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group(name="ledger")
def command() -> None:
    """Back up or restore the ledger.

    A backup carries no tokens, and a restore brings none back.
    """


@command.command(name="backup")
@click.argument("target", type=_FILE)
@verb
def backup(caller: Caller, target: Path) -> Answer:
    """Copy the ledger to TARGET, with TARGET.json beside it; also while the daemon runs.

    Example:
      tieout ledger backup /backups/ledger-2026-03-31.db

    JSON: {"target", "head", "lines", "schema_version", "at", "sha256"}
    """
    from tieout.app.wiring import back_up  # noqa: PLC0415 (imported when used)

    manifest = back_up(caller.settings(), target)
    values = {"target": str(target), **asdict(manifest)}
    said = f"Wrote {target}: {manifest.lines} journal lines, head {manifest.head}"
    return Answer(values, [said])


@command.command(name="restore")
@click.argument("source", type=_FILE)
@verb
def restore(caller: Caller, source: Path) -> Answer:
    """Put the backup SOURCE in the ledger's place; what stood there is kept beside it.

    Stop the daemon first. The next round reads the books from an hour before the backup's last
    line and adopts what was posted since, before it creates anything.

    Example:
      tieout ledger restore /backups/ledger-2026-03-31.db

    JSON: {"ledger", "kept": path or null}
    """
    from tieout.app import wiring  # noqa: PLC0415 (imported when used)

    settings = caller.settings()
    kept = wiring.restore(settings, source, caller.who)
    values = {"ledger": str(settings.ledger), "kept": str(kept) if kept else None}
    lines = [f"Restored {settings.ledger} from {source}"]
    if kept:
        lines.append(f"What stood there is kept as {kept}")
    return Answer(values, lines)
