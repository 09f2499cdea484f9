"""The measured process: the product and nothing else, between two addresses.

``python worker.py WHERE`` with ``WHERE`` as JSON (``Where``). Each line of its input is an order,
each line of its output an answer, both JSON: ``{"profile": false}`` works one round.
"""

from __future__ import annotations

import json
import logging
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import structlog
from sampling import sampled
from shared_clock import SharedClock
from urllib3.connectionpool import HTTPConnectionPool

from connectors.quickbooks import QuickBooks
from mapping.compiler import load
from sync_engine.approvals.policy import parse_policy
from sync_engine.engine import Engine
from sync_engine.ledger.sqlite import Ledger
from sync_engine.pair import Pair
from sync_engine.pipeline import Hands
from tieout.app.provisioning import provide
from tieout.credentials import StaticToken
from tieout.model.contract import Opening

PAIR = "main"
KIB = 1024
ROOT = Path(__file__).parents[1]
MAPPINGS = ROOT / "config" / "mappings"
ZONE = "Europe/Oslo"


@dataclass(frozen=True, slots=True)
class Where:
    """What the process works on."""

    system: str
    mappings: list[str]
    crm_url: str
    crm_id: str
    crm_token: str
    books_url: str
    books_id: str
    books_token: str
    ledger: str
    cutover: str
    clock: str
    still_at: str | None = None
    crm_options: dict[str, Any] = field(default_factory=dict)
    books_options: dict[str, Any] = field(default_factory=dict)


def main() -> None:
    """Open everything, say so, and work rounds until the input ends."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),  # answers have the output alone
    )
    where = Where(**json.loads(sys.argv[1]))
    still_at = datetime.fromisoformat(where.still_at) if where.still_at else None
    clock = SharedClock(Path(where.clock), still_at=still_at)
    if still_at is not None:
        _stand_while_calling(clock)
    with open_engine(where, clock) as engine:
        _say({"ready": True})
        for line in sys.stdin:
            _say(_round(engine, clock, **json.loads(line)))


@contextmanager
def open_engine(where: Where, clock: SharedClock) -> Iterator[Engine]:
    """Give an engine as the composition root would, on the clock that all processes share."""
    crm_class = _connector(where.system)
    known = {kind: dict(found.fields) for kind, found in _facts(crm_class, clock).items()}
    mappings = tuple(load(MAPPINGS / f"{name}.yaml", known) for name in where.mappings)
    reads: dict[str, frozenset[str]] = {}
    for mapping in mappings:
        for kind, fields in mapping.reads.items():
            reads[kind] = reads.get(kind, frozenset()) | fields
    reads["deal"] |= {"mark"}
    cutover = date.fromisoformat(where.cutover)
    with ExitStack() as opened:
        crm = opened.enter_context(
            closing(
                crm_class.open(
                    Opening(where.crm_id, reads, cutover, ZONE, where.crm_options),
                    urls={"api": where.crm_url},
                    credentials=StaticToken(f"file:{where.crm_token}"),
                    now=clock,
                    sleep=clock.sleep,
                )
            )
        )
        books = opened.enter_context(
            closing(
                QuickBooks.open(
                    Opening(where.books_id, {}, cutover, options=where.books_options),
                    urls={"api": where.books_url},
                    credentials=StaticToken(f"file:{where.books_token}"),
                    now=clock,
                    sleep=clock.sleep,
                )
            )
        )
        list(provide(crm))
        ledger = opened.enter_context(Ledger.open(Path(where.ledger), clock))
        policy = parse_policy("automatic")
        pair = Pair(PAIR, crm, books, mappings, policy, cutover, unsafe_documents=10_000_000)
        yield Engine(ledger, {PAIR: pair}, Hands(clock, clock.sleep))


def _round(engine: Engine, clock: SharedClock, *, profile: bool = False) -> dict[str, Any]:
    """Work one round; return what it did and what it cost this process."""
    commits, ahead_secs = engine.ledger.commits, clock.ahead_secs
    before, began_secs = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    with sampled() if profile else nullcontext() as samples:
        done = engine.round(PAIR)
    wall_secs, after = time.perf_counter() - began_secs, resource.getrusage(resource.RUSAGE_SELF)
    if done.error is not None:
        raise done.error
    return {
        **done.plain(),
        "commits": engine.ledger.commits - commits,
        "cpu_secs": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "wall_secs": wall_secs,
        "passed_secs": clock.ahead_secs - ahead_secs,
        "peak_mb": after.ru_maxrss / KIB,
        "profile": None if samples is None else samples.shown(),
    }


def _stand_while_calling(clock: SharedClock) -> None:
    """Let the clock stand while a call is under way, in either door: both use urllib3."""
    ask = HTTPConnectionPool.urlopen

    def asked(*args: Any, **named: Any) -> Any:
        with clock.standing():
            return ask(*args, **named)

    HTTPConnectionPool.urlopen = asked


def _connector(system: str) -> Any:
    """Import the one connector that is measured, as the composition root finds it."""
    return entry_points(group="tieout.connectors")[system].load()


def _facts(crm_class: Any, clock: SharedClock) -> Any:
    unused = StaticToken("env:UNUSED")
    with closing(
        crm_class.open(Opening("0"), urls={}, credentials=unused, now=clock, sleep=clock.sleep)
    ) as crm:
        return crm.capabilities.kinds


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def order_of(where: Where) -> list[str]:
    """Return the command that starts such a process."""
    return [sys.executable, __file__, json.dumps(asdict(where))]


if __name__ == "__main__":
    main()
