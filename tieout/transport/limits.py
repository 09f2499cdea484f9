"""The vendors' limits, kept by us: so many calls in any window, so many at once.

A window rolls: at no instant do the last ``per_secs`` hold more calls than allowed, so that a
vendor that counts in fixed windows, rolling ones or buckets never has to refuse.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from tieout.model.errors import RateLimited

SLACK_SECS = 0.05  # two calls a window apart may reach the server closer together than they left
WAIT_LIMIT_SECS = 120.0  # a longer pause is the engine's to take, in a later round
TURNS_LIMIT = 10_000  # how often a waiting call may be overtaken


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``calls`` in any ``per_secs``."""

    calls: int
    per_secs: float


@dataclass(frozen=True, slots=True)
class Quota:
    """What an answer's headers say of a limit. ``remaining`` counts others' calls too."""

    calls: int | None = None
    per_secs: float | None = None
    remaining: int | None = None


class Gate:
    """Lets calls through as the limits allow, from any number of threads."""

    def __init__(
        self,
        limits: Mapping[str, Limit],
        at_once: int,
        now: Callable[[], datetime],
        sleep: Callable[[float], None],
    ) -> None:
        self._windows = {name: _Window(limit) for name, limit in limits.items()}
        self._places = threading.BoundedSemaphore(at_once)
        self._lock = threading.Lock()
        self._now = now
        self._sleep = sleep
        self._held_from = self._held_until = 0.0
        self.waited_secs = 0.0

    @contextmanager
    def passing(self, names: Sequence[str]) -> Iterator[None]:
        """Hold one call's place, after waiting for it.

        Raises:
            RateLimited: the place comes free only after WAIT_LIMIT_SECS.
        """
        with self._places:
            self._await_turn(names)
            yield

    def hold(self, secs: float) -> None:
        """Let nothing through for so long: the vendor asked for a pause."""
        with self._lock:
            present = self._clock_secs()
            self._held_until = max(present + self._held_secs(present), present + secs)
            self._held_from = present

    def learn(self, quotas: Mapping[str, Quota]) -> None:
        """Take over what the vendor says of its limits and of what others used."""
        with self._lock:
            present = self._clock_secs()
            for name, quota in quotas.items():
                window = self._windows.get(name)
                if window is None and quota.calls and quota.per_secs:
                    window = self._windows[name] = _Window(Limit(quota.calls, quota.per_secs))
                if window is not None:
                    window.learn(quota, present)

    def _await_turn(self, names: Sequence[str]) -> None:
        for _ in range(TURNS_LIMIT):
            with self._lock:
                wait_secs = self._turn(names)
            if not wait_secs:
                return
            if wait_secs > WAIT_LIMIT_SECS:
                break
            self.waited_secs += wait_secs
            self._sleep(wait_secs)
        raise RateLimited("The limit is used up for now; nothing was sent.", after_secs=wait_secs)

    def _turn(self, names: Sequence[str]) -> float:
        present = self._clock_secs()
        windows = [self._windows[name] for name in names if name in self._windows]
        wait_secs = max(
            0.0, self._held_secs(present), *(window.wait_secs(present) for window in windows)
        )
        if not wait_secs:
            for window in windows:
                window.taken.append(present)
        return wait_secs

    def _held_secs(self, present: float) -> float:
        """Return what is left of the pause; where our clock was set back meanwhile, none is."""
        return max(0.0, self._held_until - present) if present >= self._held_from else 0.0

    def _clock_secs(self) -> float:
        return self._now().timestamp()


class _Window:
    """The calls of the last ``per_secs``, oldest first, in seconds of our clock."""

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self.taken: deque[float] = deque()

    def wait_secs(self, present: float) -> float:
        length_secs = self.limit.per_secs + SLACK_SECS
        while self.taken and not present - length_secs < self.taken[0] <= present:
            self.taken.popleft()  # too old, or our clock was set back
        over = len(self.taken) - self.limit.calls
        return self.taken[over] + length_secs - present if over >= 0 else 0.0

    def learn(self, quota: Quota, present: float) -> None:
        self.limit = Limit(quota.calls or self.limit.calls, quota.per_secs or self.limit.per_secs)
        if quota.remaining is None:
            return
        self.wait_secs(present)
        used_by_others = self.limit.calls - quota.remaining - len(self.taken)
        self.taken.extend([present] * max(0, used_by_others))
