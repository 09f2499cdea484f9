"""Far away, under the vendors' limits, started anew, and grown to years of work."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from math import ceil
from pathlib import Path
from typing import Any

import worker

sys.path.insert(0, str(worker.ROOT / "tests"))
from large_ledger import fill
from rounds import (
    BEHIND_SECS,
    IDLE_ROUNDS,
    Measured,
    demand_posted,
    least_first,
    working,
)
from town import OVERLAP_SECS, Town, open_town
from vendors import Vendor

FAR_SECS = 0.1
STILL_AT = datetime(2026, 4, 1, 8, tzinfo=UTC)
BATCHES_A_MINUTE = 40
RECORDS_A_MINUTE = 1_660  # batches and single calls mixed (sdk.md, section 8)
STARTS = 5
GROWTH_DEALS = 300
SMALL_DOCUMENTS = 10_000


def far(folder: Path, deals: int, vendor: Vendor) -> list[Measured]:
    """Work a first round with systems that take a tenth of a second for each answer."""
    with open_town(folder, deals, vendor) as town, working(folder, town) as round_of:
        town.far_away(FAR_SECS)
        row = round_of(f"{deals} deals, 100 ms a call", least_first(town))
        demand_posted(town, deals)
    return [row]


def limits(folder: Path, deals: int, vendor: Vendor) -> list[Measured]:
    """Work a first round under the vendors' limits, in both ways to push, on simulated time.

    Beside each stands, as a row of its own, what the books' limits dictate.
    """
    rows: list[Measured] = []
    for mode in ("few_calls", "fast"):
        place = folder / mode
        place.mkdir()
        with open_town(place, deals, vendor, still_at=STILL_AT, limited=True) as town:
            books = {"mode": mode, "twin_days": 45}
            with working(place, town, crm_options={}, books_options=books) as round_of:
                row = round_of(f"limits on, {mode}", least_first(town))
            demand_posted(town, deals)
            rows += [row, _dictated(row, mode, town)]
    return rows


def start() -> list[Measured]:
    """Start the command line for its help; the least of some starts."""
    used = []
    for _ in range(STARTS):
        process = subprocess.Popen(
            [sys.executable, "-m", "tieout.app", "--help"],
            cwd=worker.ROOT,
            stdout=subprocess.DEVNULL,
        )
        _, code, spent = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(code)
        used.append(spent.ru_utime + spent.ru_stime)
    return [Measured("tieout --help", 0, None, 0, 0, min(used), 0, 0, 0)]


def growth(folder: Path, documents: int, vendor: Vendor) -> list[Measured]:
    """Work idle rounds on a small ledger, and on one that years of work have filled."""
    rows: list[Measured] = []
    with open_town(folder, GROWTH_DEALS, vendor, ahead_secs=-BEHIND_SECS) as town:
        with working(folder, town) as round_of:
            for name in ("first", "echo", "settled"):
                round_of(name, None)
                town.clock.advance(OVERLAP_SECS)
        whole = (folder / "ledger.db").read_bytes()
        for held in (SMALL_DOCUMENTS, documents):
            for file in folder.glob("ledger.db*"):
                file.unlink()
            (folder / "ledger.db").write_bytes(whole)
            connection = sqlite3.connect(folder / "ledger.db", isolation_level=None)
            fill(connection, held, crm=f"{vendor.system}:{vendor.company_id}")
            connection.close()
            rows.append(_idle(folder, town, f"no-op, {held} documents"))
    return rows


def _idle(folder: Path, town: Town, name: str) -> Measured:
    with working(folder, town) as round_of:
        round_of("the first of a process", None)
        town.clock.advance(OVERLAP_SECS)
        round_of("settled", None)
        idle = [round_of(name, town.vendor.watched + 1) for _ in range(IDLE_ROUNDS)]
    return sorted(idle, key=lambda row: row.cpu_secs)[IDLE_ROUNDS // 2]


def _dictated(row: Measured, mode: str, town: Town) -> Measured:
    """Return what the books' limits dictate for so many records, at their sustained rate."""
    batches = ceil(town.companies / 30) + ceil(town.deals / 30)
    minutes = {
        "few_calls": batches / BATCHES_A_MINUTE,
        "fast": (town.companies + town.deals) / RECORDS_A_MINUTE,
    }[mode]
    counts = ("calls", "crm_calls", "start_calls", "commits", "parcels")
    none: dict[str, Any] = dict.fromkeys(counts, 0)
    return replace(
        row,
        name=f"  dictated, {mode}",
        least=None,
        cpu_secs=0,
        wall_secs=0,
        passed_secs=60 * minutes,
        peak_mb=None,
        calls_by_name={},
        **none,
    )
