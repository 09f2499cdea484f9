"""One time for several processes: a number in a file that all of them have mapped.

A running clock is this computer's, moved; a still one moves only when somebody sleeps, so that an
hour of a vendor's limits passes in no time and is counted to the second.
"""

from __future__ import annotations

import mmap
import struct
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

ARRIVAL_SECS = 0.3
_AHEAD = struct.Struct("<d")


class SharedClock:
    """Tells the same instant in each process that opened the same file; one process moves it."""

    def __init__(self, file: Path, *, still_at: datetime | None = None) -> None:
        """Open a clock that was made with ``make``; ``still_at`` is where a still one stands."""
        with file.open("r+b") as opened:
            self._shared = mmap.mmap(opened.fileno(), _AHEAD.size)
        self._still_at = still_at
        self._lock = threading.Lock()
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

        Threads that sleep side by side sleep at the same time: the clock moves on to the latest.
        Calls that are under way arrive first, or they would arrive long after they left.
        """
        begun_secs = getattr(self._seen, "ahead_secs", self.ahead_secs)
        time.sleep(ARRIVAL_SECS)
        with self._lock:
            self.set_ahead(max(self.ahead_secs, begun_secs + secs))
