"""``tieout init``: a starter configuration."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from tieout.app.cli.verb import Answer, Caller, verb
from tieout.app.starter import starter
from tieout.model.errors import ConfigError


@click.command(name="init")
@click.argument("directory", required=False, type=click.Path(path_type=Path, file_okay=False))
@verb
def command(caller: Caller, directory: Path | None) -> Answer:
    """Write a starter configuration.

    DIRECTORY is where it goes (by default the configuration's directory, ./config). It points at
    the make-believe companies of `tieout simulate`; comments say what real accounts need. Nothing
    that is already there is replaced.

    Examples:
      tieout init
      tieout init /etc/tieout

    JSON: {"directory", "files": [paths in it]}
    """
    into = directory or caller.directory
    files = copied(starter(), into)
    lines = [
        f"Wrote {len(files)} files to {into}:",
        *(f"  {file}" for file in files),
        "",
        "Next: tieout check, then tieout simulate in another terminal, then tieout run --once",
    ]
    return Answer({"directory": str(into), "files": files}, lines)


def copied(source: Path, into: Path) -> list[str]:
    """Copy a configuration and return its files; what an interrupted copy left is completed.

    Raises:
        ConfigError: it is there already, or another file of one of its names; nothing is copied.
    """
    files = sorted(
        file.relative_to(source)
        for file in source.rglob("*")
        if file.is_file() and file.suffix != ".pyc"
    )
    there = [file for file in files if (into / file).exists()]
    others = [file for file in there if (into / file).read_bytes() != (source / file).read_bytes()]
    if others or len(there) == len(files):
        raise ConfigError(
            f"{into / (others or there)[0]} is there already; nothing was written.",
            remedy="Name another directory, or move the old one away.",
        )
    for file in files:
        if file not in there:
            _copy(source / file, into / file)
    return [str(file) for file in files]


def _copy(source: Path, target: Path) -> None:
    """Copy a file, which gets its name only when it is whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    shutil.copyfile(source, part)
    part.replace(target)
