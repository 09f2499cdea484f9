"""Tokens that open a portal, and how much they may ask."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Token:
    """A service key, a private app's token, or one that an OAuth app got."""

    scopes: frozenset[str] | None = None
    """None: every scope."""
    expires_at: datetime | None = None
    revoked: bool = False
    app: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one token, and one portal's search, may ask (sdk facts: 190 per 10 s, 5 per s).

    An OAuth app has 110 in each account (page "API usage guidelines").
    """

    burst: int = 190
    app_burst: int = 110
    burst_secs: int = 10
    search: int = 5
    daily: int = 650_000
    time_scale: float = 1.0
    """10 makes a window of ten seconds last one."""
    on: bool = True
