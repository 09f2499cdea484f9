"""What the repository's own laws are judged by: its tracked files and its pyproject."""

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
