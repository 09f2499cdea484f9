"""Play seeds: ``python tests/machines/run.py --seeds 10000 --from 0 --jobs 2`` (``make machines``).

It prints JSON: how many seeds, steps and exchanges there were, faults and deeds by kind, kills,
restores, and each violation with its seed, which is also told at once; it ends with 1 if there is
one. ``--seed N --verbose`` replays one seed and tells its story.
"""

import argparse
import json
import logging
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import structlog
from machines.story import Told, tell


def main() -> int:
    """Play what the command line says, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=60)
    parser.add_argument("--from", type=int, default=0, dest="first")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--steps", type=int, help="the first steps only, of one seed")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--digests", action="store_true", help="of each seed's exchanges, too")
    asked = parser.parse_args()
    hush()
    began = time.monotonic()
    if asked.seed is not None:
        say = (lambda line: sys.stdout.write(line + "\n")) if asked.verbose else (lambda _: None)
        found = [tell(asked.seed, say, asked.steps)]
    else:
        seeds = range(asked.first, asked.first + asked.seeds)
        if asked.jobs == 1:
            found = list(_heard(map(tell, seeds)))
        else:
            with multiprocessing.get_context("fork").Pool(asked.jobs) as pool:
                found = list(_heard(pool.imap(tell, seeds, chunksize=5)))
    summed = sum_up(found, time.monotonic() - began)
    if asked.digests:
        summed["digests"] = [one.digest for one in found]
    sys.stdout.write(json.dumps(summed, indent=1) + "\n")
    return 1 if summed["violations"] else 0


def _heard(found: Iterable[Told]) -> Iterator[Told]:
    """Say each violation at once: a long run may be cut off."""
    for one in found:
        if one.violation:
            sys.stderr.write(f"seed {one.seed}, step {one.steps}: {one.violation[:200]}\n")
        yield one


def sum_up(found: list[Told], secs: float) -> dict[str, object]:
    """Return the figures of some stories."""
    faults: Counter[str] = Counter()
    deeds: Counter[str] = Counter()
    for one in found:
        faults += one.faults
        deeds += one.deeds
    return {
        "seeds": len(found),
        "steps": sum(one.steps for one in found),
        "exchanges": sum(one.exchanges for one in found),
        "kills": sum(one.kills for one in found),
        "restores": sum(one.restores for one in found),
        "faults": dict(sorted(faults.items())),
        "deeds": dict(sorted(deeds.items())),
        "secs": round(secs, 1),
        "violations": [
            {
                "seed": one.seed,
                "step": one.steps,
                "after": one.last_step,
                "why": one.violation[:400],
            }
            for one in found
            if one.violation
        ],
    }


def hush() -> None:
    """Let no log line stand among the figures."""
    logging.disable()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


if __name__ == "__main__":
    sys.exit(main())
