"""What the repository's own laws are judged by: its tracked files and its pyproject."""

import importlib.util
import tomllib

import pytest
import wheels
from wheels import ROOT

SHIPPED = ("tieout", "connectors", "mapping", "sync_engine")


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def shipped():
    """The four packages of the wheel."""
    return SHIPPED


@pytest.fixture(scope="session")
def pyproject():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.fixture(scope="session")
def tracked():
    """Every file that git keeps, as a path relative to the root."""
    return wheels.tracked()


@pytest.fixture(scope="session")
def generate(root):
    """The module that writes the pages that are made from the code."""
    spec = importlib.util.spec_from_file_location("generate", root / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
