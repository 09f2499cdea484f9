"""The benchmark measures each CRM: it runs, and its books hold what was to be posted."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BENCH = ROOT / "benchmarks" / "bench.py"
ROUNDS = [
    "first",
    "echo of our own writes",
    "no-op, resident",
    "1 % newly won",
    "1 % edited after",
    "no-op, cold start of `run --once`",
]
RUN_SECS = 300


@pytest.mark.slow
@pytest.mark.parametrize("crm", ["hubspot", "salesforce", "dynamics365"])
def test_it_measures_the_rounds_of_a_company_with_each_crm(crm: str) -> None:
    """It ends with an error where an invoice lacks: see ``demand_posted``."""
    order = [sys.executable, str(BENCH), "--crm", crm, "--deals", "20", "--only", "story", "--json"]
    said = subprocess.run(order, capture_output=True, check=True, timeout=RUN_SECS, cwd=ROOT)
    rows = json.loads(said.stdout)["story"]
    assert [row["name"] for row in rows] == ROUNDS
    assert {row["crm"] for row in rows} == {crm}
    first, idle = rows[0], rows[2]
    of_the_books_settings = first["calls_by_name"]["quickbooks.read batch"]
    assert first["calls"] == first["least"] + first["start_calls"] + of_the_books_settings
    assert idle["calls"] == idle["least"] == 5
