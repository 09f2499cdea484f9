"""Hints: a request in which a system says by itself that something changed, and what proves it."""

from __future__ import annotations

import hmac
import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from tieout.model.errors import HintRefused, RefusedFor

EVENTS_LIMIT: Final = 1_000  # of one request that are read; the next round finds the others


@dataclass(frozen=True, slots=True)
class Knock:
    """A request at the hint door, as it came.

    ``url`` is the address as the other system called it; names of ``headers`` are in small letters.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes

    def header(self, name: str) -> str:
        """Return a header's value, empty when it is absent."""
        return self.headers.get(name, "")


def demand_signature(given: str, secret: str, signed: bytes) -> None:
    """Refuse what is not signed with the secret: base64 of its HMAC-SHA256.

    Takes as long whichever letter is wrong.

    Raises:
        HintRefused: the signature is missing or another.
    """
    expected = b64encode(hmac.new(secret.encode(), signed, sha256).digest())
    demand_same(given, expected.decode())


def demand_same(given: str, expected: str) -> None:
    """Refuse a proof that is not exactly the expected one, in constant time.

    Raises:
        HintRefused: it is missing or another.
    """
    if not hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode()):
        raise HintRefused(why=RefusedFor.FORGED)


def demand_fresh(at: datetime, now: datetime, window: timedelta) -> None:
    """Refuse a time that is too far from ours, on either side.

    Raises:
        HintRefused: it is.
    """
    if abs(now - at) > window:
        raise HintRefused(why=RefusedFor.OLD)


def listed(held: Any) -> Sequence[Mapping[str, Any]]:
    """Return the objects of a JSON list, at most ``EVENTS_LIMIT`` of them.

    Raises:
        HintRefused: it is no list of objects.
    """
    if not isinstance(held, list) or not all(isinstance(one, dict) for one in held):
        raise HintRefused("The hint is no list of events.")
    return held[:EVENTS_LIMIT]


def parsed(body: bytes) -> Any:
    """Return the JSON of a body; no amount is ever taken from it.

    Raises:
        HintRefused: it is no JSON.
    """
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as wrong:
        raise HintRefused("The hint is no JSON.") from wrong


def instant_of_millis(held: Any) -> datetime:
    """Return the instant that is so many milliseconds after 1970 began.

    Raises:
        HintRefused: it is no such number.
    """
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(held))
    except (TypeError, ValueError, OverflowError) as wrong:
        raise HintRefused("The hint's time is none.") from wrong


def instant_of_text(held: Any) -> datetime:
    """Return an instant that is written with its offset, as 2026-05-31T21:31:25.179Z.

    Raises:
        HintRefused: it is none.
    """
    try:
        at = datetime.fromisoformat(str(held))
    except ValueError as wrong:
        raise HintRefused("The hint's time is none.") from wrong
    if at.tzinfo is None:
        raise HintRefused("The hint's time has no offset.")
    return at.astimezone(UTC)
