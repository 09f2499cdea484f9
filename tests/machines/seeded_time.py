"""Time that only a story moves: the servers' instant, and how far our machine's clock is off it."""

import heapq
from collections.abc import Callable
from datetime import datetime, timedelta


class SeededTime:
    """One true time, which passes when somebody waits; what falls due meanwhile happens in order."""

    def __init__(self, start: datetime) -> None:
        self._present = start
        self._due: list[tuple[datetime, int, Callable[[], None]]] = []
        self._noted = 0
        self.ahead_secs = 0.0  # our clock less the servers'

    def theirs(self) -> datetime:
        """Return the servers' instant."""
        return self._present

    def ours(self) -> datetime:
        """Return the instant by our machine's clock, right or wrong."""
        return self._present + timedelta(seconds=self.ahead_secs)

    def wait(self, secs: float) -> None:
        """Let time pass, and everything happen that falls due in it."""
        until = self._present + timedelta(seconds=secs)
        while self._due and self._due[0][0] <= until:
            at, _, deed = heapq.heappop(self._due)
            self._present = max(self._present, at)
            deed()
        self._present = max(self._present, until)

    def later(self, secs: float, deed: Callable[[], None]) -> None:
        """Let something happen in so many seconds."""
        self._noted += 1
        due = self._present + timedelta(seconds=secs)
        heapq.heappush(self._due, (due, self._noted, deed))
