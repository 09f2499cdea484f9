"""A share of the org's daily calls that Tieout never passes."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from tieout.model.errors import QuotaExhausted
from tieout.transport import Quota

QUOTA_LOOK_SECS = 900  # so long after the share was used up one call looks again

_USAGE = re.compile(r"(?<![\w-])api-usage=(\d+)/(\d+)", re.ASCII)


class Spent:
    """How many of the org's daily calls are used, as each answer says (header Sforce-Limit-Info).

    The count is the whole org's over the last 24 hours, whoever called. At ``share_percent`` of it
    Tieout stops, so that the rest is left to others; now and then one call looks whether it fell.
    """

    def __init__(self, share_percent: int, now: Callable[[], datetime]) -> None:
        self._share_percent = share_percent
        self._now = now
        self._lock = threading.Lock()
        self._used = self._most = 0
        self._looked_at: datetime | None = None

    def learn(self, headers: Mapping[str, str]) -> Mapping[str, Quota]:
        """Take over what an answer says; the door's own limits are not concerned."""
        said = _USAGE.search(headers.get("sforce-limit-info") or "")
        if said is not None:
            with self._lock:
                self._used, self._most = int(said[1]), int(said[2])
                self._looked_at = self._now()
        return {}

    def demand_left(self) -> None:
        """Let a call through while the share lasts.

        Raises:
            QuotaExhausted: it is used up; nothing was sent.
        """
        with self._lock:
            most = self._most * self._share_percent // 100
            if self._looked_at is None or self._used < most:
                return
            if self._now() - self._looked_at >= timedelta(seconds=QUOTA_LOOK_SECS):
                self._looked_at = self._now()  # one looks, the others wait for what it learns
                return
            used, whole = self._used, self._most
        raise QuotaExhausted(
            f"{used} of the org's {whole} daily API calls are used, and Tieout's share ends at "
            f"{self._share_percent} percent; nothing was sent.",
            remedy="Run `tieout resume PAIR` when the count of the last 24 hours has fallen, or "
            "raise `share` in the company's options; the queue is kept.",
        )
