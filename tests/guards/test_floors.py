"""Who may import whom. Each rule of pyproject is broken once, in a scratch copy, to see it hold."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PLANTS = {
    # rule: (where the line is planted, the line that the rule forbids)
    "floors": ("tieout.transport", "import tieout.credentials"),
    "the engine meets connectors only through the contract": (
        "sync_engine",
        "import connectors.hubspot",
    ),
    "connectors do not know each other": ("connectors.hubspot", "import connectors.quickbooks"),
    "a simulator knows the vendor's rules, not our code": (
        "tieout.simulator",
        "import tieout.model",
    ),
    "the model is pure": ("tieout.model", "import sqlite3"),
    "only the engine opens the ledger": ("tieout.app", "import sync_engine.ledger"),
}


@pytest.fixture(scope="module")
def house(tmp_path_factory, root, shipped, pyproject):
    """A copy of the shipped packages with their rules."""
    floors = pyproject["tool"]["importlinter"]["contracts"][0]
    layers = [module for layer in floors["layers"] for module in layer.split(" | ")]
    copy = tmp_path_factory.mktemp("house")
    shutil.copy(root / "pyproject.toml", copy)
    for package in shipped:
        shutil.copytree(
            root / package, copy / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    for module in layers:  # a floor that has no room yet
        place = copy.joinpath(*module.split("."))
        if not place.exists() and not place.with_suffix(".py").exists():
            place.with_suffix(".py").touch()
    return copy


@pytest.fixture
def scratch(house, tmp_path):
    return Path(shutil.copytree(house, tmp_path / "house"))


def verdicts(house):
    """Run import-linter over a copy; return each rule's verdict by its name."""
    ran = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=house,
        env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    said = dict(re.findall(r"^(.+?) (KEPT|BROKEN)\b", ran.stdout, re.MULTILINE))
    assert said, ran.stdout + ran.stderr
    return said


def plant(house, module, line):
    place = house.joinpath(*module.split("."))
    if place.is_dir():
        (place / "planted.py").write_text(f"{line}\n")
    else:
        place = place.with_suffix(".py")
        place.write_text(f"{place.read_text()}\n{line}\n")


def test_every_rule_of_pyproject_is_proven_here(pyproject):
    rules = [rule["name"] for rule in pyproject["tool"]["importlinter"]["contracts"]]
    assert sorted(rules) == sorted(PLANTS)


def test_as_it_stands_every_rule_is_kept(scratch):
    assert verdicts(scratch) == dict.fromkeys(PLANTS, "KEPT")


@pytest.mark.parametrize("rule", PLANTS)
def test_a_planted_import_breaks_its_rule_and_no_other(scratch, rule):
    plant(scratch, *PLANTS[rule])
    assert verdicts(scratch) == {**dict.fromkeys(PLANTS, "KEPT"), rule: "BROKEN"}


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("tieout.model", "import tieout.transport"),
        ("tieout.transport", "import connectors.hubspot"),
        ("connectors.hubspot", "import mapping.formula"),
        ("connectors.quickbooks", "import sync_engine.push"),
        ("mapping", "import sync_engine.push"),
        ("sync_engine", "import tieout.app"),
        ("sync_engine", "import tieout.simulator"),
    ],
)
def test_each_floor_refuses_the_one_above(scratch, module, line):
    plant(scratch, module, line)
    assert verdicts(scratch)["floors"] == "BROKEN"
