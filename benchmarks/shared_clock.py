"""One time for several processes: a number in a file that all of them have mapped.

A running clock is this computer's, moved; a still one moves only when somebody sleeps, so that an
hour of a vendor's limits passes in no time and is counted to the second.
"""

from __future__ import annotations

import mmap
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

QUIET_SECS = 0.15  # so long nobody does anything before the clock moves on
POLL_SECS = 0.02
_AHEAD = struct.Struct("<d")


class SharedClock:
    """Tells the same instant in each process that opened the same file; one process moves it."""

    def __init__(self, file: Path, *, still_at: datetime | None = None) -> None:
        """Open a clock that was made with ``make``; ``still_at`` is where a still one stands."""
        with file.open("r+b") as opened:
            self._shared = mmap.mmap(opened.fileno(), _AHEAD.size)
        self._still_at = still_at
        self._stirring = threading.Condition()
        self._due_secs: list[float] = []  # how far the clock will be when each sleeper wakes
        self._calls = 0  # under way
        self._stirred_at = 0.0  # when somebody last did something, by this computer
        self._seen = threading.local()

    @staticmethod
    def make(file: Path, ahead_secs: float = 0.0) -> None:
        """Make the file, so many seconds ahead (behind, if negative) of where it runs from."""
        file.write_bytes(_AHEAD.pack(ahead_secs))

    def __call__(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        self._seen.ahead_secs = ahead_secs = self.ahead_secs
        return (self._still_at or datetime.now(UTC)) + timedelta(seconds=ahead_secs)

    @property
    def ahead_secs(self) -> float:
        """How far it was moved."""
        (found,) = _AHEAD.unpack_from(self._shared)
        return float(found)

    def advance(self, secs: float) -> None:
        """Move the present into the future."""
        self.set_ahead(self.ahead_secs + secs)

    def set_ahead(self, secs: float) -> None:
        """Stand so many seconds ahead."""
        _AHEAD.pack_into(self._shared, 0, secs)

    def sleep(self, secs: float) -> None:
        """Let time pass for a thread from when it last looked at the clock.

        Threads that sleep side by side sleep at the same time, and who is due first wakes first.
        The clock moves on only when nobody did anything for a while: what somebody who woke does
        may be to sleep less than the others.
        """
        due_secs = getattr(self._seen, "ahead_secs", self.ahead_secs) + secs
        with self._stirring:
            self._due_secs.append(due_secs)
            self._stirred_at = time.monotonic()
            while self.ahead_secs < due_secs:
                quiet_secs = time.monotonic() - self._stirred_at
                is_next = not self._calls and due_secs == min(self._due_secs)
                if is_next and quiet_secs >= QUIET_SECS:
                    self.set_ahead(due_secs)
                else:
                    self._stirring.wait(max(QUIET_SECS - quiet_secs, POLL_SECS))
            self._due_secs.remove(due_secs)
            self._stirred_at = time.monotonic()
            self._stirring.notify_all()

    @contextmanager
    def standing(self) -> Iterator[None]:
        """Stand still while a call is under way, or it would arrive long after it left."""
        with self._stirring:
            self._calls += 1
        try:
            yield
        finally:
            with self._stirring:
                self._calls -= 1
                self._stirred_at = time.monotonic()
