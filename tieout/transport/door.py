"""One company's door: time limits, rate limits, the log, the counters and the meaning of silence.

Nothing is ever sent twice here: no hidden retries, no redirects. What an answer means is judged
once, by the connector's ``judge``, before any vendor's library sees it.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tieout.model.errors import ConfigError, RateLimited, TieoutError
from tieout.transport.answer import Answer, Route, understood
from tieout.transport.failures import NETWORK_ERRORS, failure
from tieout.transport.limits import Gate, Limit, Quota
from tieout.transport.redaction import redact

if TYPE_CHECKING:
    from tieout.transport.pool import DoorPool
    from tieout.transport.session import DoorSession

CONNECT_SECS = 5.0
READ_SECS = 60.0
THROTTLED_SECS = 10.0  # the pause after a refusal that names none


def route_by_method(method: str, path: str) -> Route:
    """Return a route that only knows that GET and HEAD change nothing."""
    return Route(f"{method} {path}", write=method not in ("GET", "HEAD"))


def refuse_by_status(answer: Answer) -> TieoutError | None:
    """Return what every vendor's status means: 429 is a pause, 5xx says nothing."""
    if answer.status == 429:
        return RateLimited(after_secs=answer.retry_after_secs, trace_id=answer.trace_id)
    if answer.status >= 500:
        return answer.unclear(f"{answer.route.name} was answered with {answer.status}.")
    return None


class Door:
    """The way to one company of one system. Threads may share it.

    Args:
        system: the system's name, for the log.
        limits: the vendor's limits by name.
        at_once: how many calls may be in flight.
        route: what a method and path mean: name, write or read, which limits.
        judge: the error that an answer stands for, None when its body is the answer.
        learn: what an answer's headers say of the limits.
        trace_header: the header that holds the vendor's id of the exchange.
        throttled_secs: the pause after a refusal for rate that names none.
        now: our clock, timezone-aware.
        sleep: waits so many seconds.
    """

    def __init__(
        self,
        system: str,
        *,
        now: Callable[[], datetime],
        sleep: Callable[[float], None] = time.sleep,
        limits: Mapping[str, Limit] | None = None,
        at_once: int = 8,
        route: Callable[[str, str], Route] = route_by_method,
        judge: Callable[[Answer], TieoutError | None] = refuse_by_status,
        learn: Callable[[Mapping[str, str]], Mapping[str, Quota]] | None = None,
        trace_header: str = "",
        connect_secs: float = CONNECT_SECS,
        read_secs: float = READ_SECS,
        throttled_secs: float = THROTTLED_SECS,
    ) -> None:
        self.system = system
        self.at_once = at_once
        self.connect_secs = connect_secs
        self.read_secs = read_secs
        self.sleep = sleep
        self.skew_secs: float | None = None  # the server's clock minus ours, at the last answer
        self._now = now
        self._gate = Gate(limits or {}, at_once, now, sleep)
        self._route = route
        self._judge = judge
        self._learn = learn
        self._trace_header = trace_header
        self._throttled_secs = throttled_secs
        self._counted: Counter[tuple[str, str]] = Counter()
        self._counting = threading.Lock()
        self._faces: list[DoorPool | DoorSession] = []

    def pool(self) -> DoorPool:
        """Return a face that looks like a urllib3 pool manager."""
        from tieout.transport.pool import DoorPool  # noqa: PLC0415 - only the face that is used

        face = DoorPool(self)
        self._faces.append(face)
        return face

    def session(self, access_token: Callable[[], str] | None = None) -> DoorSession:
        """Return a face that is a requests session; ``access_token`` is asked for each call."""
        from tieout.transport.session import DoorSession  # noqa: PLC0415 - requests is heavy

        face = DoorSession(self, access_token)
        self._faces.append(face)
        return face

    def exchange(
        self,
        method: str,
        url: str,
        send: Callable[[Route], Answer],
        route: Route | None = None,
    ) -> Answer:
        """Pass one call through: wait for its turn, send it once, understand what came.

        ``route`` is what the call is, where its path does not tell.

        Raises:
            Unavailable: it was never sent, or a read had no usable answer.
            OutcomeUnknown: a write was sent and had no well-formed answer.
            RateLimited: the limits, ours or the vendor's, say later.
            ConfigError: the address is plain http and not on this machine.
            TieoutError: whatever ``judge`` makes of the answer.
        """
        address = refuse_plain_http(url)
        route = route or self._route(method, urlsplit(url).path)
        with self._gate.passing(route.limits):
            started_at = self._now()
            try:
                answer = send(route)
            except NETWORK_ERRORS as wrong:
                error = failure(wrong, route, address)
                self._note(method, route, "none", started_at, type(wrong).__name__)
                raise error from wrong
        self._note(method, route, str(answer.status), started_at, answer.trace_id)
        return self._judged(answer)

    @property
    def calls(self) -> Mapping[str, int]:
        """How many calls were made, by the route's name."""
        counted: Counter[str] = Counter()
        with self._counting:
            for (name, _), times in self._counted.items():
                counted[name] += times
        return dict(counted)

    @property
    def statuses(self) -> Mapping[str, int]:
        """How many calls were answered how; ``none`` had no answer."""
        counted: Counter[str] = Counter()
        with self._counting:
            for (_, status), times in self._counted.items():
                counted[status] += times
        return dict(counted)

    @property
    def waited_secs(self) -> float:
        """How long calls waited for the limits, all together."""
        return self._gate.waited_secs

    def answered(
        self, route: Route, status: int, headers: Mapping[str, str], body: bytes, reason: str
    ) -> Answer:
        """Build the answer that a face has read."""
        trace_id = headers.get(self._trace_header, "") if self._trace_header else ""
        trace_id = str(redact(trace_id))  # a server may put there what it was sent
        return Answer(route, status, headers, body, reason, self._now(), trace_id)

    def close(self) -> None:
        """Give back all connections."""
        for face in self._faces:
            face.close()
        self._faces.clear()

    def _judged(self, answer: Answer) -> Answer:
        if answer.served_at is not None:
            self.skew_secs = (answer.served_at - answer.received_at).total_seconds()
        if self._learn is not None:
            self._gate.learn(self._learn(answer.headers))
        name, trace_id = answer.route.name, answer.trace_id
        with understood(f"The answer of {name}", write=answer.route.write, trace_id=trace_id):
            error = self._judge(answer)
        if error is None:
            return answer
        if isinstance(error, RateLimited):
            after_secs = error.after_secs
            self._gate.hold(self._throttled_secs if after_secs is None else after_secs)
        raise error

    def _note(
        self, method: str, route: Route, status: str, started_at: datetime, trace_id: str
    ) -> None:
        with self._counting:
            self._counted[route.name, status] += 1
        _log().debug(
            "exchange",
            system=self.system,
            call=route.name,
            method=method,
            status=status,
            ms=round((self._now() - started_at).total_seconds() * 1000),
            trace=trace_id,
        )


@lru_cache(maxsize=64)
def _address_of(scheme: str, host: str, netloc: str) -> str:
    if scheme != "https" and not (scheme == "http" and _is_loopback(host)):
        raise ConfigError(
            f"{scheme or 'no scheme'}://{host} is not encrypted.",
            remedy="Use https; plain http is accepted for this machine only (127.0.0.1).",
        )
    return f"{scheme}://{netloc.rpartition('@')[2]}"


def refuse_plain_http(url: str) -> str:
    """Return the scheme and host of an address that may be spoken to.

    Raises:
        ConfigError: it is not https, and not http to this machine.
    """
    parts = urlsplit(url)
    return _address_of(parts.scheme.lower(), parts.hostname or "", parts.netloc)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@lru_cache(maxsize=1)
def _log() -> Any:
    import structlog  # noqa: PLC0415 - only when something is sent

    return structlog.get_logger("tieout.transport")
