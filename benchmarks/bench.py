"""Measure Tieout as it stands: calls, commits, CPU, wall and memory, beside the aims.

    make bench [CRM=hubspot|salesforce|dynamics365|all] [DEALS=1000]
               [ONLY=story,far,limits,start,growth] [PROFILE=1] [JSON=1]

The CRM and the books are processes of their own behind real HTTP, and so is what is measured: its
CPU is all that its process used, user and system. It measures and asserts nothing; a run whose
books do not hold what was to be posted ends with an error and tells no figure.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from extremes import far, growth, limits, start
from rounds import FIRST, Measured, story
from vendors import VENDORS, Vendor

from tieout.app.crms import CHOICES, USUAL, chosen

GROWN_DOCUMENTS = 1_000_000
FAR_DEALS = 1_000
HEADS = ("", "calls", "least", "ratio", "CRM", "start")
HEADS_OF_COST = ("commits", "CPU s", "wall s", "passed s", "peak MB")
MS = 1_000
ONCE = "start"  # what does not depend on the CRM


def main() -> None:
    """Measure what was asked for, each part in a folder of its own; print tables or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--crm", choices=CHOICES, default=USUAL)
    parser.add_argument("--deals", type=int, default=1_000)
    parser.add_argument("--only", default="story,far,limits,start", help="parts, with commas")
    parser.add_argument("--profile", action="store_true", help="where the first round's CPU goes")
    parser.add_argument("--json", action="store_true", dest="as_json")
    asked = parser.parse_args()
    deals = asked.deals
    told: dict[str, list[Measured]] = {}
    parts: dict[str, Callable[[Path, Vendor], Sequence[Measured]]] = {
        "story": lambda folder, vendor: story(folder, deals, vendor, profile=asked.profile),
        "far": lambda folder, vendor: far(folder, FAR_DEALS, vendor),
        "limits": lambda folder, vendor: limits(folder, deals, vendor),
        ONCE: lambda _, __: start(),
        "growth": lambda folder, vendor: growth(folder, GROWN_DOCUMENTS, vendor),
    }
    vendors = [VENDORS[crm.system] for crm in chosen(asked.crm)]
    for name in asked.only.split(","):
        for vendor in vendors[:1] if name == ONCE else vendors:
            with tempfile.TemporaryDirectory() as folder:
                rows = parts[name](Path(folder), vendor)
            told.setdefault(name, []).extend(rows)
            if not asked.as_json:
                print("\n".join(_shown(name, rows, deals)), flush=True)
    if asked.as_json:
        print(json.dumps({name: [asdict(row) for row in rows] for name, rows in told.items()}))
    else:
        print("\n".join(_beside(told.get("story", ()), deals)))


def _shown(name: str, rows: Sequence[Measured], deals: int) -> Iterator[str]:
    """Yield a part's table."""
    of = [rows[0].crm] if rows[0].crm else []
    yield f"\n{', '.join([name, *of])}" + (
        f": {deals} deals" if name in ("story", "limits") else ""
    )
    heads = (*HEADS, *HEADS_OF_COST)
    yield "".join(f"{head:>9}" if n else f"{head:<32}" for n, head in enumerate(heads))
    for row in rows:
        least = "" if row.least is None else str(row.least)
        ratio = "" if not row.least else f"{row.calls / row.least:.2f}"
        cells = [str(row.calls), least, ratio, str(row.crm_calls), str(row.start_calls)]
        cells += [str(row.commits), f"{row.cpu_secs:.3f}"]
        cells += [f"{row.wall_secs:.2f}", f"{row.passed_secs:.1f}"]
        cells.append("" if row.peak_mb is None else f"{row.peak_mb:.0f}")
        yield f"{row.name:<32}" + "".join(f"{cell:>9}" for cell in cells)
    if name == "story":
        yield from _profile(rows[0])


def _beside(rows: Sequence[Measured], deals: int) -> Iterator[str]:
    """Yield of each CRM what a deal costs in its first round, beside the one that comes first."""
    firsts = [row for row in rows if row.name == FIRST]
    for row in firsts:
        own = row.crm_calls - row.start_calls
        yield (
            f"{row.crm:<12}{own:>6} calls of the CRM, and {row.start_calls} of a start;"
            f" {MS * row.cpu_secs / deals:.2f} ms of CPU a deal,"
            f" {row.cpu_secs / firsts[0].cpu_secs:.2f} times {firsts[0].crm}'s"
        )


def _profile(row: Measured) -> Iterator[str]:
    for title, counted in (row.profile or {}).items():
        yield f"\n{title}, % of the first round's CPU"
        yield from (f"{share:>7.1f}  {what}" for what, share in counted.items())


if __name__ == "__main__":
    main()
