"""What a token server's answer gives (RFC 6749, 5.1), in whichever words it tells the lives."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tieout.credentials.tokens import Grant
from tieout.model.errors import Unavailable

TOKEN_SECS_MAX = 10 * 365 * 86_400  # a life longer than that is not one
SECS_DIGITS = 10


def granted(
    said: Any, now: datetime, used: str | None, *, refresh_secs: str = "", hard_secs: str = ""
) -> Grant:
    """Return what was given; an answer without a refresh token leaves the one that was used.

    Args:
        said: the answer's JSON.
        now: when it came.
        used: the refresh token that it was asked with; None with a person's code.
        refresh_secs: the name of the refresh token's life, where the server tells it.
        hard_secs: the name of the consent's.

    Raises:
        Unavailable: it has no tokens.
    """
    told = said if isinstance(said, dict) else {}
    access, refresh = told.get("access_token"), told.get("refresh_token") or used
    if not isinstance(access, str) or not isinstance(refresh, str):
        raise Unavailable("The token server's answer has no tokens.")
    return Grant(
        access=access,
        refresh=refresh,
        issued_at=now,
        access_until=_after(now, told.get("expires_in")),
        refresh_until=_after(now, told.get(refresh_secs)),
        hard_until=_after(now, told.get(hard_secs)),
    )


def _after(now: datetime, secs: object) -> datetime | None:
    text = str(secs)  # some servers write the number as a text
    if not text.isdecimal() or len(text) > SECS_DIGITS or not 0 < int(text) < TOKEN_SECS_MAX:
        return None
    return now + timedelta(seconds=int(text))
