"""A configuration's directory with one pair, to be written differently by each test; and a place.

A place has the starter configuration, and its make-believe companies are served.
"""

import json
from collections.abc import Callable
from pathlib import Path

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
def said(place, monkeypatch, capsys):
    """Return a function that runs a verb and returns its exit code and its JSON."""
    here, _ = place
    monkeypatch.chdir(here)

    def run(*args: str):
        code = exit_code([*args, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run
