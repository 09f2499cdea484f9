"""The page that says how to write a connector can be followed: its files, put together, are green."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from wheels import wheel_of

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "howto" / "write-a-connector.md"
FILE = re.compile(r"^```\w+ (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_connector_of_the_page_keeps_the_contract(tmp_path):
    write_files(tmp_path)
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "tests"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
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
    from tieout.conformance import ConnectorConformance

    named = set(re.findall(r"`(test_\w+)`", PAGE.read_text(encoding="utf-8")))
    assert named - set(dir(ConnectorConformance)) == set()


def write_files(here):
    """Write the files that the page shows."""
    for name, text in FILE.findall(PAGE.read_text(encoding="utf-8")):
        path = here / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
