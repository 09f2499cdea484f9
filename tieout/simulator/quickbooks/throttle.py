"""How much a company may be asked: by the second, by the minute, at once and by the month.

R23; R28: reads are metered by the calendar month, writes are not. A batch's queries count each.
"""

from dataclasses import dataclass, field
from datetime import datetime

from tieout.simulator.clock import Now
from tieout.simulator.limits import AtOnce, RollingWindow

WINDOW_GRACE = 0.98
"""A window is this share of its name, so that a client that paces itself exactly is not refused
for the network's jitter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a company may be asked (R23); None is without limit."""

    per_minute: int | None = 500
    per_second: int | None = 10
    at_once: int | None = 10
    batches_per_minute: int | None = 40
    reads_per_month: int | None = 500_000
    time_scale: float = 1.0
    """10 makes a minute last six seconds: a demo is throttled as often, and not as long."""
    retry_after: bool = False
    spelling: str = "alternate"
    """Of a 429: Fault, fault, or alternate."""


NO_LIMITS = Limits(
    per_minute=None,
    per_second=None,
    at_once=None,
    batches_per_minute=None,
    reads_per_month=None,
)


class Throttle:
    """One company's limits at work."""

    def __init__(self, limits: Limits, now: Now) -> None:
        def window(limit: int | None, seconds: float) -> RollingWindow | None:
            if limit is None:
                return None
            return RollingWindow(limit, seconds * WINDOW_GRACE, now, time_scale=limits.time_scale)

        self.minute = window(limits.per_minute, 60)
        self.second = window(limits.per_second, 1)
        self.batch_minute = window(limits.batches_per_minute, 60)
        self.at_once = AtOnce(limits.at_once if limits.at_once is not None else 1_000_000)
        self.meter = Meter(limits.reads_per_month)

    def wait_secs(self, *, is_batch: bool) -> float:
        """Count a request: 0 if it may pass, else the seconds until one may."""
        windows = [self.minute, self.second, self.batch_minute if is_batch else None]
        known = [one for one in windows if one is not None]
        if any(one.remaining == 0 for one in known):
            return max(one.take() for one in known if one.remaining == 0)
        for one in known:
            one.take()
        return 0.0


@dataclass(slots=True)
class Meter:
    """The reads of a calendar month (R28)."""

    limit: int | None
    counted: int = field(init=False, default=0)
    _month: tuple[int, int] = field(init=False, default=(0, 0))

    def take(self, reads: int, present: datetime) -> bool:
        """Count some reads; False if the month's are used up."""
        month = (present.year, present.month)
        if month != self._month:
            self._month, self.counted = month, 0
        if reads and self.limit is not None and self.counted + reads > self.limit:
            return False
        self.counted += reads
        return True
