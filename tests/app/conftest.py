"""A configuration's directory with one pair, to be written differently by each test."""

from collections.abc import Callable
from pathlib import Path

import pytest

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
