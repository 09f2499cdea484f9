"""Measure Tieout as it stands: calls, commits, CPU, wall and memory, beside the aims.

    make bench [DEALS=1000] [ONLY=story,far,limits,start,growth] [PROFILE=1] [JSON=1]

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
from rounds import Measured, story

GROWN_DOCUMENTS = 1_000_000
FAR_DEALS = 1_000
HEADS = ("", "calls", "least", "ratio", "commits", "CPU s", "wall s", "passed s", "peak MB")
MS = 1_000


def main() -> None:
    """Measure what was asked for, each part in a folder of its own; print tables or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--deals", type=int, default=1_000)
    parser.add_argument("--only", default="story,far,limits,start", help="parts, with commas")
    parser.add_argument("--profile", action="store_true", help="where the first round's CPU goes")
    parser.add_argument("--json", action="store_true", dest="as_json")
    asked = parser.parse_args()
    deals, told = asked.deals, {}
    parts: dict[str, Callable[[Path], Sequence[Measured]]] = {
        "story": lambda folder: story(folder, deals, profile=asked.profile),
        "far": lambda folder: far(folder, FAR_DEALS),
        "limits": lambda folder: limits(folder, deals),
        "start": start,
        "growth": lambda folder: growth(folder, GROWN_DOCUMENTS),
    }
    for name in asked.only.split(","):
        with tempfile.TemporaryDirectory() as folder:
            told[name] = parts[name](Path(folder))
        if not asked.as_json:
            print("\n".join(_shown(name, told[name], deals)), flush=True)
    if asked.as_json:
        print(json.dumps({name: [asdict(row) for row in rows] for name, rows in told.items()}))


def _shown(name: str, rows: Sequence[Measured], deals: int) -> Iterator[str]:
    """Yield a part's table."""
    yield f"\n{name}" + (f": {deals} deals" if name in ("story", "limits") else "")
    yield "".join(f"{head:>10}" if n else f"{head:<34}" for n, head in enumerate(HEADS))
    for row in rows:
        least = "" if row.least is None else str(row.least)
        ratio = "" if not row.least else f"{row.calls / row.least:.2f}"
        cells = [str(row.calls), least, ratio, str(row.commits), f"{row.cpu_secs:.3f}"]
        cells += [f"{row.wall_secs:.2f}", f"{row.passed_secs:.1f}"]
        cells.append("" if row.peak_mb is None else f"{row.peak_mb:.0f}")
        yield f"{row.name:<34}" + "".join(f"{cell:>10}" for cell in cells)
    if name == "story":
        first = rows[0]
        yield f"first round, a deal: {MS * first.cpu_secs / deals:.2f} ms of CPU"
        yield from _profile(first)


def _profile(row: Measured) -> Iterator[str]:
    for title, counted in (row.profile or {}).items():
        yield f"\n{title}, % of the first round's CPU"
        yield from (f"{share:>7.1f}  {what}" for what, share in counted.items())


if __name__ == "__main__":
    main()
