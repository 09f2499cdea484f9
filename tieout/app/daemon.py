"""The daemon: every pair on its schedule, wishes as they come, and an end that loses nothing.

The scheduler (APScheduler) only says which pair is due; one worker does rounds and wishes, one
after the other, on the ledger that this process owns for life. What is due twice is done once.
"""

from __future__ import annotations

import logging
import queue
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Protocol

from tieout.model.errors import NextStep, TieoutError

WISHES_EVERY_SECS = 0.5
HEARTBEAT_EVERY_SECS = 30.0
TURNS_LIMIT = 10_000  # more pairs than can be waiting

_log = logging.getLogger(__name__)


class Work(Protocol):
    """What the daemon works on: an open ledger with its engine, and the settings behind it."""

    def schedules(self) -> Mapping[str, int]:
        """Return each pair and how many seconds lie between its rounds."""
        ...

    def round(self, pair: str) -> None:
        """Work one pair; errors of one round are logged here, not raised."""
        ...

    def grant_wishes(self) -> int:
        """Do what commands asked for; return how many."""
        ...

    def beat(self) -> None:
        """Write down that the daemon lives."""
        ...

    def reread(self) -> None:
        """Read the configuration anew; keep the old one when it is wrong."""
        ...


@dataclass(slots=True)
class Signals:
    """What the process was told from outside."""

    stop: threading.Event = field(default_factory=threading.Event)
    reread: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Hear SIGTERM and SIGINT as stop, SIGHUP as re-read, inside the block."""

        def stop(_signum: int, _frame: FrameType | None) -> None:
            self.stop.set()

        def reread(_signum: int, _frame: FrameType | None) -> None:
            self.reread.set()

        meanings = {signal.SIGTERM: stop, signal.SIGINT: stop, signal.SIGHUP: reread}
        before = {signum: signal.signal(signum, does) for signum, does in meanings.items()}
        try:
            yield
        finally:
            for signum, did in before.items():
                signal.signal(signum, did)


def serve(work: Work, signals: Signals, *, stop_secs: float, now_secs: Callable[[], float]) -> bool:
    """Work until told to stop; return whether the last round ended within ``stop_secs``.

    What did not end is left as it is: its unanswered calls are unknowns that the next start looks
    up, because each was written down before it was sent.

    Raises:
        TieoutError: something forbids to go on (next step stop), or is a mistake of ours.
    """
    turns = Turns()
    failed: list[Exception] = []
    worker = threading.Thread(
        target=_work, args=(work, turns, signals, now_secs, failed), name="rounds", daemon=True
    )
    with _scheduled(work, turns) as schedule:
        worker.start()
        while worker.is_alive() and not signals.stop.wait(WISHES_EVERY_SECS):
            if turns.reschedule.is_set():
                turns.reschedule.clear()
                schedule()
    worker.join(stop_secs)
    if failed:
        raise failed[0]
    if worker.is_alive():
        _log.warning("stopped before the round ended; the next start looks up what is unanswered")
    return not worker.is_alive()


class Turns:
    """Pairs that are due, each at most once, in the order in which they became so."""

    def __init__(self) -> None:
        self.reschedule = threading.Event()
        self._due: queue.Queue[str] = queue.Queue(TURNS_LIMIT)
        self._waiting: set[str] = set()
        self._lock = threading.Lock()

    def add(self, pair: str) -> None:
        """Let a pair be worked; one that waits already waits once."""
        with self._lock:
            if pair not in self._waiting:
                self._waiting.add(pair)
                self._due.put_nowait(pair)

    def take(self, wait_secs: float) -> str | None:
        """Return the next pair, None when none became due in time."""
        try:
            pair = self._due.get(timeout=wait_secs)
        except queue.Empty:
            return None
        with self._lock:
            self._waiting.discard(pair)
        return pair


def _work(
    work: Work,
    turns: Turns,
    signals: Signals,
    now_secs: Callable[[], float],
    failed: list[Exception],
) -> None:
    """Do what is due until told to stop; what forbids to go on ends the daemon."""
    beaten = float("-inf")
    while not signals.stop.is_set():
        try:
            if now_secs() - beaten >= HEARTBEAT_EVERY_SECS:
                work.beat()
                beaten = now_secs()
            if signals.reread.is_set():
                signals.reread.clear()
                work.reread()
                turns.reschedule.set()
            work.grant_wishes()
            pair = turns.take(WISHES_EVERY_SECS)
            if pair is not None and not signals.stop.is_set():
                work.round(pair)
        except Exception as wrong:  # noqa: BLE001 (it ends the daemon, unless it may go on)
            if not isinstance(wrong, TieoutError) or wrong.next_step is NextStep.STOP:
                failed.append(wrong)
                return
            _log.error("%s", wrong, extra={"code": wrong.code})
            signals.stop.wait(WISHES_EVERY_SECS)


@contextmanager
def _scheduled(work: Work, turns: Turns) -> Iterator[Callable[[], None]]:
    """Let every pair become due on its schedule; the given function takes the schedules anew.

    Late runs are run once, not skipped: without a misfire grace time APScheduler drops what is
    a second late (sdk facts, section 10).
    """
    from apscheduler.events import EVENT_JOB_ERROR  # noqa: PLC0415 (imported when used)
    from apscheduler.schedulers.background import BackgroundScheduler  # noqa: PLC0415

    scheduler = BackgroundScheduler(
        timezone="UTC",
        job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
    )
    scheduler.add_listener(lambda event: _log.error("schedule: %s", event), EVENT_JOB_ERROR)

    def schedule() -> None:
        scheduler.remove_all_jobs()
        for pair, secs in work.schedules().items():
            scheduler.add_job(turns.add, "interval", args=[pair], seconds=secs, id=pair)
            turns.add(pair)  # and now, not only after the first interval

    scheduler.start()
    try:
        schedule()
        yield schedule
    finally:
        scheduler.shutdown(wait=False)
