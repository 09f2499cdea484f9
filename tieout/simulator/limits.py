"""Rate limits as vendors keep them: so many requests in any window, so many at once."""

from collections import deque

from tieout.simulator.clock import Now


class RollingWindow:
    """At most `limit` requests in any `seconds`; `time_scale` 10 makes ten seconds last one.

    A refused request does not count against the window. Time is the simulator's own: where that is
    moved, the windows move with it.
    """

    def __init__(
        self,
        limit: int,
        seconds: float,
        now: Now,
        *,
        time_scale: float = 1.0,
    ) -> None:
        self.limit = limit
        self.seconds = seconds
        self._length_secs = seconds / time_scale
        self._now = now
        self._taken: deque[float] = deque()

    def take(self) -> float:
        """Count one request: 0 if there was room, else the seconds until there will be."""
        present = self._now().timestamp()
        self._forget(present)
        if len(self._taken) < self.limit:
            self._taken.append(present)
            return 0.0
        return self._taken[0] + self._length_secs - present

    @property
    def remaining(self) -> int:
        """How many requests would be answered now."""
        self._forget(self._now().timestamp())
        return self.limit - len(self._taken)

    def _forget(self, present: float) -> None:
        taken = self._taken
        while taken and taken[0] <= present - self._length_secs:
            taken.popleft()


class AtOnce:
    """At most `limit` requests in flight."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.in_flight = 0

    def enter(self) -> bool:
        """Take a place if there is one; whoever got True must `leave`."""
        if self.in_flight >= self.limit:
            return False
        self.in_flight += 1
        return True

    def leave(self) -> None:
        """Give the place back."""
        self.in_flight -= 1
