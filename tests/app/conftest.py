"""A configuration's directory with one pair, to be written differently by each test; and a place.

A place has the starter configuration, and its make-believe companies are served.
"""

import json
import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import click
import pytest

from tieout.app import simulated
from tieout.app.cli import exit_code
from tieout.app.cli.exits import Exit

CONFIGURATION = """\
companies:
  crm:
    system: hubspot
    id: "123"
    token: env:HUBSPOT_TOKEN
    time_zone: Europe/Oslo
  books:
    system: quickbooks
    id: "913"
pairs:
  main:
    from: crm
    to: books
    mappings: [deals]
    cutover_date: 2026-01-01
"""


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a configuration's directory that loads; messages name it as ``config``."""
    made = tmp_path / "config"
    (made / "mappings").mkdir(parents=True)
    (made / "mappings" / "deals.yaml").write_text("mapping: deals\n")
    (made / "tieout.yaml").write_text(CONFIGURATION)
    monkeypatch.chdir(tmp_path)
    return made


@pytest.fixture
def changed(directory: Path) -> Callable[[str, str], Path]:
    """Return a function that writes one text of the configuration differently."""

    def change(old: str, new: str) -> Path:
        file = directory / "tieout.yaml"
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))
        return directory

    return change


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Return a directory with a starter configuration whose companies are served, worked once."""
    here = tmp_path_factory.mktemp("place")
    assert exit_code(["init", str(here / "config")]) == Exit.DONE
    # Each command is a process with buckets of its own, so the vendors' limits are off here.
    with simulated.town(deals=24, hubspot_port=0, quickbooks_port=0, limited=False) as town:
        file = here / "config" / "tieout.yaml"
        text = file.read_text().replace("http://127.0.0.1:8801", town.hubspot.url)
        file.write_text(text.replace("http://127.0.0.1:8802", town.quickbooks.url))
        exit_code(["run", "--once", "--wait", "--config", str(here / "config")])
        yield here, town


@pytest.fixture
def spoken(capsys):
    """Return a function that runs a verb and returns its exit code and its JSON.

    Whatever is asked here: the answer has the names that the verb's help says, and no others.
    """

    def run(*args: str):
        code = exit_code([*args, "--json"])
        told = json.loads(capsys.readouterr().out)
        assert set(told) in [{"error"}, *promised(args)], args
        return code, told

    return run


def promised(args: tuple[str, ...]) -> list[set[str]]:
    """The outermost names of each JSON object that a verb's help describes."""
    command = import_module(f"tieout.app.cli.{args[0].replace('-', '_')}").command
    if isinstance(command, click.Group) and len(args) > 1 and args[1] in command.commands:
        command = command.commands[args[1]]
    shape = str(command.help).partition("JSON")[2]
    objects: list[set[str]] = []
    depth = 0
    for sign in re.findall(r'[{}\[\]]|"\w+"', shape):
        depth += (sign in "{[") - (sign in "}]")
        if (sign, depth) == ("{", 1):
            objects.append(set())
        if depth == 1 and sign[0] == '"':
            objects[-1].add(sign.strip('"'))
    return objects


@pytest.fixture
def said(place, monkeypatch, spoken):
    """Return ``spoken``, in the place."""
    monkeypatch.chdir(place[0])
    return spoken
