"""The daemon: every pair on its schedule, wishes as they come, and an end that loses nothing.

The scheduler (APScheduler) only says which pair is due. Pairs that post into the same books are
worked one after the other by one thread, their *lane*; those of other books in lanes of their own,
and each wish in a thread of its own, so that no company's outage keeps another waiting. What is due
twice is done once. When the configuration is read anew, nobody works.
"""

from __future__ import annotations

import logging
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Protocol

from tieout.model.errors import NextStep, TieoutError

if TYPE_CHECKING:
    from apscheduler.schedulers.base import BaseScheduler

LOOK_EVERY_SECS = 0.5  # for wishes, signals and what became due
HEARTBEAT_EVERY_SECS = 30.0
TURNS_LIMIT = 10_000  # more pairs than can be waiting
WISHES_IN_HAND = 32  # wishes at once; the others wait in the ledger
CLOCK_SET_SECS = 5.0  # a clock that moved so much against the time that passed was set

_log = logging.getLogger(__name__)


class Work(Protocol):
    """What the daemon works on: an open ledger with its engine, and the settings behind it.

    Threads call it at the same time, but for ``reread``.
    """

    def schedules(self) -> Mapping[str, int]:
        """Return each pair and how many seconds lie between its rounds."""
        ...

    def lane(self, pair: str) -> str:
        """Return what a pair takes turns for: its books."""
        ...

    def round(self, pair: str) -> None:
        """Work one pair; errors of one round are logged here, not raised."""
        ...

    def wishes(self) -> Sequence[int]:
        """Return the ids of the oldest open wishes."""
        ...

    def grant(self, wish: int) -> None:
        """Do what a command asked for, and write down what came of it."""
        ...

    def hinted(self) -> Sequence[str]:
        """Return the pairs that a hint makes due now."""
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

    def rest(self, secs: float) -> None:
        """Wait so many seconds, or until told to stop."""
        self.stop.wait(secs)

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


@dataclass(frozen=True, slots=True)
class Clocks:
    """How much time passed, and what time it is, both in seconds: the second can be set."""

    passed: Callable[[], float]
    shown: Callable[[], float]


def serve(work: Work, signals: Signals, *, stop_secs: float, clocks: Clocks) -> bool:
    """Work until told to stop; return whether what was in hand ended within ``stop_secs``.

    What did not end is left as it is: its unanswered calls are unknowns that the next start looks
    up, because each was written down before it was sent.

    Raises:
        TieoutError: something forbids to go on (next step stop), or is a mistake of ours.
    """
    hall = Hall(signals)
    with _scheduled(work, hall) as schedule:
        try:
            _oversee(work, hall, schedule, clocks)
        except Exception as wrong:  # noqa: BLE001 (it ends the daemon, unless it may go on)
            hall.met(wrong)
    if not hall.emptied(stop_secs):
        _log.warning("stopped before the round ended; the next start looks up what is unanswered")
    if hall.failed:
        raise hall.failed[0]
    return hall.emptied(0)


def _oversee(work: Work, hall: Hall, schedule: Schedule, clocks: Clocks) -> None:
    """Look for wishes and signals until told to stop; the lanes do the rounds."""
    beaten = float("-inf")
    offset = clocks.shown() - clocks.passed()
    while not hall.stopping:
        if clocks.passed() - beaten >= HEARTBEAT_EVERY_SECS:
            beaten = clocks.passed()
            _forgiving(work.beat, hall)
        moved = clocks.shown() - clocks.passed() - offset
        if abs(moved) >= CLOCK_SET_SECS:
            offset += moved
            _log.warning("this machine's clock was set by %+.0f seconds; every pair is due", moved)
            schedule.anew()  # what is due at an hour that comes again would wait for it
        if hall.signals.reread.is_set() and hall.closed():
            hall.signals.reread.clear()
            try:
                work.reread()
            finally:
                hall.open()
            schedule.anew()
        _forgiving(lambda: _hand_out_wishes(work, hall), hall)
        for pair in work.hinted():
            schedule.due(pair)
        hall.signals.stop.wait(LOOK_EVERY_SECS)


def _forgiving(deed: Callable[[], None], hall: Hall) -> None:
    """Do something; what may go on is logged, what forbids to go on ends the daemon."""
    try:
        deed()
    except Exception as wrong:  # noqa: BLE001 (it ends the daemon, unless it may go on)
        hall.met(wrong)


def _hand_out_wishes(work: Work, hall: Hall) -> None:
    for wish in work.wishes():
        if wish in hall.in_hand or len(hall.in_hand) >= WISHES_IN_HAND:
            continue
        hall.in_hand.add(wish)
        hall.employ(partial(_grant, work, hall, wish), f"wish {wish}")


def _grant(work: Work, hall: Hall, wish: int) -> None:
    with hall.working() as may:
        if may:
            _forgiving(lambda: work.grant(wish), hall)
    hall.in_hand.discard(wish)


def _work_lane(work: Work, hall: Hall, turns: Turns) -> None:
    """Work the pairs of one lane as they become due, until told to stop."""
    while not hall.stopping:
        pair = turns.take(LOOK_EVERY_SECS)
        if pair is None:
            continue
        with hall.working() as may:
            if may:
                _forgiving(partial(work.round, pair), hall)


class Hall:
    """Who is at work, and what ends it: told to stop, or met what forbids to go on."""

    def __init__(self, signals: Signals) -> None:
        self.signals = signals
        self.failed: list[Exception] = []
        self.in_hand: set[int] = set()
        self._threads: list[threading.Thread] = []
        self._moved = threading.Condition()
        self._at_work = 0
        self._closed = False

    @property
    def stopping(self) -> bool:
        """Whether nothing new may be begun."""
        return self.signals.stop.is_set()

    def employ(self, does: Callable[[], None], name: str) -> None:
        """Let a thread do something; at the end it is waited for, but not for ever."""
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(target=does, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    @contextmanager
    def working(self) -> Iterator[bool]:
        """Be at work inside the block, once the hall is open; False when told to stop."""
        with self._moved:
            while self._closed and not self.stopping:
                self._moved.wait(LOOK_EVERY_SECS)
            self._at_work += 1
        try:
            yield not self.stopping
        finally:
            with self._moved:
                self._at_work -= 1

    def closed(self) -> bool:
        """Let nobody new begin; return whether nobody is at work any more."""
        with self._moved:
            self._closed = True
            return self._at_work == 0

    def open(self) -> None:
        """Let work begin again."""
        with self._moved:
            self._closed = False
            self._moved.notify_all()

    def met(self, wrong: Exception) -> None:
        """Log what may go on; keep what forbids it, and stop."""
        if isinstance(wrong, TieoutError) and wrong.next_step is not NextStep.STOP:
            _log.error("%s", wrong, extra={"code": wrong.code})
            return
        self.failed.append(wrong)
        self.signals.stop.set()

    def emptied(self, secs: float) -> bool:
        """Wait so long for all threads; return whether they have ended."""
        ends = time.monotonic() + secs
        for thread in self._threads:
            thread.join(max(0.0, ends - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)


class Turns:
    """Pairs that are due, each at most once, in the order in which they became so."""

    def __init__(self) -> None:
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


@contextmanager
def _scheduled(work: Work, hall: Hall) -> Iterator[Schedule]:
    """Let every pair become due on its schedule.

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
    schedule = Schedule(work, hall, scheduler)
    scheduler.start()
    try:
        schedule.anew()
        yield schedule
    finally:
        scheduler.shutdown(wait=False)


class Schedule:
    """Which pair is due when, each in the lane of its books."""

    def __init__(self, work: Work, hall: Hall, scheduler: BaseScheduler) -> None:
        self._work = work
        self._hall = hall
        self._scheduler = scheduler
        self._lanes: dict[str, Turns] = {}

    def anew(self) -> None:
        """Take the schedules as they are now; each pair is due at once."""
        self._scheduler.remove_all_jobs()
        for pair, secs in self._work.schedules().items():
            turns = self._lane(self._work.lane(pair))
            self._scheduler.add_job(turns.add, "interval", args=[pair], seconds=secs, id=pair)
            turns.add(pair)  # and now, not only after the first interval

    def due(self, pair: str) -> None:
        """Let a pair be worked before its time."""
        self._lane(self._work.lane(pair)).add(pair)

    def _lane(self, name: str) -> Turns:
        if name not in self._lanes:
            turns = self._lanes[name] = Turns()
            self._hall.employ(partial(_work_lane, self._work, self._hall, turns), f"lane {name}")
        return self._lanes[name]
