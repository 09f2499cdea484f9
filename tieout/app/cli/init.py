"""``tieout init``: a starter configuration."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from tieout.app.cli.verb import Answer, Caller, verb
from tieout.app.crms import CHOICES, USUAL, Crm, chosen
from tieout.app.starter import SETTINGS, settings_of, starter
from tieout.model.errors import ConfigError


@click.command(name="init")
@click.argument("directory", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--crm",
    default=USUAL,
    show_default=True,
    type=click.Choice(CHOICES),
    help="Which CRM its deals come from; all: a pair for each, into the same books.",
)
@verb
def command(caller: Caller, directory: Path | None, *, crm: str) -> Answer:
    """Write a starter configuration.

    DIRECTORY is where it goes (by default the configuration's directory, ./config). It points at
    the make-believe companies of `tieout simulate`; comments say what real accounts need. Nothing
    that is already there is replaced.

    Examples:
      tieout init
      tieout init --crm salesforce /etc/tieout

    JSON: {"directory", "files": [paths in it]}
    """
    into = directory or caller.directory
    files = copied(starter(), into, chosen(crm))
    simulate = "tieout simulate" if crm == USUAL else f"tieout simulate --crm {crm}"
    lines = [
        f"Wrote {len(files)} files to {into}:",
        *(f"  {file}" for file in files),
        "",
        f"Next: tieout check, then {simulate} in another terminal, then tieout run --once",
    ]
    return Answer({"directory": str(into), "files": files}, lines)


def copied(source: Path, into: Path, crms: Sequence[Crm] = chosen(USUAL)) -> list[str]:
    """Copy a configuration and return its files; what an interrupted copy left is completed.

    Its settings are those of ``crms``.

    Raises:
        ConfigError: it is there already, or another file of one of its names; nothing is copied.
    """
    wanted = {
        file.relative_to(source): file.read_bytes()
        for file in sorted(source.rglob("*"))
        if file.is_file() and file.suffix != ".pyc"
    }
    wanted[SETTINGS] = settings_of(crms)
    there = [file for file in wanted if (into / file).exists()]
    others = [file for file in there if (into / file).read_bytes() != wanted[file]]
    if others or len(there) == len(wanted):
        raise ConfigError(
            f"{into / (others or there)[0]} is there already; nothing was written.",
            remedy="Name another directory, or move the old one away.",
        )
    for file, content in wanted.items():
        if file not in there:
            _write(into / file, content)
    return [str(file) for file in wanted]


def _write(target: Path, content: bytes) -> None:
    """Write a file, which gets its name only when it is whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    part.write_bytes(content)
    part.replace(target)
