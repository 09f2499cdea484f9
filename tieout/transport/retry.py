"""Asking again, for reads only: the one place that imports tenacity."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type

from tieout.model.errors import RateLimited, Unavailable

T = TypeVar("T")

ATTEMPTS = 4
BUDGET_SECS = 60.0
FIRST_PAUSE_SECS = 0.5


def retry_call(
    operation: Callable[[], T],
    *,
    attempts: int = ATTEMPTS,
    budget_secs: float = BUDGET_SECS,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Return what a read answers, asked again when it was not reached or throttled.

    The pause is the one that the vendor asked for, else 0.5 s, doubled each time; together the
    pauses never pass ``budget_secs``. Never for a write: a write that was not answered may have
    happened.

    Raises:
        Unavailable: the last attempt's, or RateLimited; any other error at once.
    """

    def stop(state: RetryCallState) -> bool:
        return state.attempt_number >= attempts or state.idle_for + _pause_secs(state) > budget_secs

    again = Retrying(
        retry=retry_if_exception_type((Unavailable, RateLimited)),
        wait=_pause_secs,
        stop=stop,
        sleep=sleep,
        reraise=True,
    )
    return again(operation)


def _pause_secs(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.after_secs if isinstance(error, RateLimited) else None
    return FIRST_PAUSE_SECS * 2.0 ** (state.attempt_number - 1) if asked is None else asked
