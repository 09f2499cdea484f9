"""The page that says how to write a connector can be followed: its files, put together, are green."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from wheels import wheel_of

from tieout.conformance import Bench, ConnectorConformance

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "howto" / "write-a-connector.md"
BROOK = ROOT / "tests" / "plugin" / "brook"
PIECE = re.compile(r"^```\w+ of (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
GIVEN = {  # what a bench has and nobody says otherwise
    "asked",
    "change",
    "claimed",
    "claims",
    "fed_kinds",
    "feed_of",
    "kinds_with",
    "mark_of",
    "now",
    "number",
    "planted",
    "request",
    "rotate_token",
    "sleep",
    "told_roles",
    "unreachable",
    "wire",
}
FILE = re.compile(r"^```\w+ (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_connector_of_the_page_keeps_the_contract(tmp_path):
    write_files(tmp_path)
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "tests"],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(
                [str(tmp_path), str(ROOT), os.environ.get("PYTHONPATH", "")]
            ),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.slow
def test_the_wheel_of_the_page_holds_its_facts_and_makes_it_known(tmp_path):
    write_files(tmp_path)
    with zipfile.ZipFile(wheel_of(tmp_path, tmp_path / "dist")) as wheel:
        info = "acme_tieout-0.1.0.dist-info"
        packed = [name for name in wheel.namelist() if not name.startswith(info)]
        assert sorted(packed) == ["acme_tieout/__init__.py", "acme_tieout/acme.yaml"]
        known = wheel.read(f"{info}/entry_points.txt").decode()
    assert "[tieout.connectors]\nacme = acme_tieout:Acme" in known


def test_every_test_that_the_page_names_is_in_the_suite():
    named = set(re.findall(r"`(test_\w+)`", PAGE.read_text(encoding="utf-8")))
    assert named - set(dir(ConnectorConformance)) == set()


def test_what_the_page_shows_of_brook_stands_in_brook():
    pieces = PIECE.findall(PAGE.read_text(encoding="utf-8"))
    other = [name for name, text in pieces if text not in (BROOK / name).read_text("utf-8")]
    assert (len(pieces), other) == (8, [])


def test_the_page_names_all_that_a_bench_can_say():
    _, table = PAGE.read_text(encoding="utf-8").split("## What a bench says")
    said = {name for name in vars(Bench) if not name.startswith("_")} - GIVEN
    assert {name for name in said if not re.search(rf"`{name}\b", table)} == set()


def write_files(here):
    """Write the files that the page shows."""
    for name, text in FILE.findall(PAGE.read_text(encoding="utf-8")):
        path = here / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
