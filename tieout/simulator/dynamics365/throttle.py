"""The service protection limits: requests and execution time in five minutes, and at once.

Source: learn.microsoft.com/power-apps/developer/data-platform/api-limits.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tieout.simulator.clock import Now
from tieout.simulator.dynamics365.refusals import Refusal
from tieout.simulator.limits import AtOnce, RollingWindow

PENALTY_SECS = 5
"""How much longer one waits for each request that comes before the wait is over."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one user may ask of one web server."""

    requests: int = 6_000
    execution_secs: float = 1_200
    window_secs: float = 300
    at_once: int = 52
    seconds_per_operation: float = 0.0
    """What each operation is taken to have cost; 0: nothing ever runs out of execution time."""
    time_scale: float = 1.0
    """10 makes the window of five minutes last thirty seconds."""
    on: bool = True


class Throttle:
    """What one user has asked lately."""

    def __init__(self, limits: Limits, now: Now) -> None:
        self.limits = limits
        self._now = now
        self._window = RollingWindow(
            limits.requests, limits.window_secs, now, time_scale=limits.time_scale
        )
        self._spent: deque[tuple[float, float]] = deque()
        self._blocked: tuple[float, Callable[[float], Refusal]] | None = None
        self.running = AtOnce(limits.at_once)

    def take(self) -> None:
        """Count one request.

        Raises:
            Refusal: 429, with the limit that was reached.
        """
        if not self.limits.on:
            return
        self._refuse_impatient()
        if self.remaining_secs <= 0:
            raise self._block(time_spent, self._until_free())
        wait = self._window.take()
        if wait:
            raise self._block(partial(too_many, self.limits.requests), wait)

    def spend(self, operations: int) -> None:
        """Count the execution time of a request's operations."""
        cost = operations * self.limits.seconds_per_operation
        if cost:
            self._spent.append((self._now().timestamp(), cost))

    @property
    def remaining(self) -> int:
        """How many requests would be answered now."""
        return self._window.remaining

    @property
    def remaining_secs(self) -> float:
        """How much execution time is left."""
        oldest = self._now().timestamp() - self._length_secs
        while self._spent and self._spent[0][0] <= oldest:
            self._spent.popleft()
        return self.limits.execution_secs - sum(cost for _, cost in self._spent)

    def _block(self, refuse: Callable[[float], Refusal], wait_secs: float) -> Refusal:
        """Answer nothing until the wait is over."""
        self._blocked = (self._now().timestamp() + wait_secs, refuse)
        return refuse(wait_secs)

    def _refuse_impatient(self) -> None:
        """Refuse who asks before the wait is over, and let that one wait longer."""
        if self._blocked is None:
            return
        ends, refuse = self._blocked
        present = self._now().timestamp()
        if ends <= present:
            self._blocked = None
            return
        longer = ends - present + PENALTY_SECS / self.limits.time_scale
        raise self._block(refuse, min(longer, self._length_secs))

    @property
    def _length_secs(self) -> float:
        return self.limits.window_secs / self.limits.time_scale

    def _until_free(self) -> float:
        return self._spent[0][0] + self._length_secs - self._now().timestamp()


def too_many(limit: int, wait_secs: float) -> Refusal:
    """Return the 429 of too many requests."""
    said = f"Number of requests exceeded the limit of {limit} over time window of 300 seconds."
    return _refused("0x80072322", said, wait_secs)


def time_spent(wait_secs: float) -> Refusal:
    """Return the 429 of too much execution time."""
    return _refused(
        "0x80072321",
        "Combined execution time of incoming requests exceeded limit of 1,200,000 milliseconds "
        "over time window of 300 seconds. Decrease number of concurrent requests or reduce the "
        "duration of requests and try again later.",
        wait_secs,
    )


def too_many_at_once(limit: int) -> Refusal:
    """Return the 429 of too many requests at once."""
    said = f"Number of concurrent requests exceeded the limit of {limit}."
    return _refused("0x80072326", said, 1)


def _refused(code: str, message: str, wait_secs: float) -> Refusal:
    return Refusal(429, code, message, {"Retry-After": str(max(1, round(wait_secs + 0.5)))})
