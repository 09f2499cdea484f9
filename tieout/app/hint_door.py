"""The hint door: a small HTTP server in the daemon, where systems say that something changed.

It answers before anything is done about it: a request is read whole, within a size and a time,
judged, and counted. TLS is the business of the proxy before it.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from tieout.app.companies import Site
from tieout.app.hearing import Heard, Hearing, tuning_of
from tieout.app.written import Listen
from tieout.model.errors import ConfigError
from tieout.model.hint import Knock
from tieout.model.ref import Ref

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

BODY_BYTES_LIMIT: Final = 1_048_576
BODY_SECS: Final = 5.0  # in which a request must have arrived; the vendors wait so long themselves
AT_ONCE_LIMIT: Final = 64  # connections; to others the server says 503
KEEP_ALIVE_SECS: Final = 5
START_SECS: Final = 10.0
STOP_SECS: Final = 5.0
PATH: Final = "/hints/{system}"

STATUS: Final = {
    Heard.TAKEN: 202,
    Heard.AGAIN: 200,  # a system that missed our answer must not ask for ever
    Heard.FORGED: 401,
    Heard.OLD: 401,
    Heard.MALFORMED: 400,
    Heard.UNKNOWN: 404,
    Heard.TOO_LARGE: 413,
    Heard.NOT_JSON: 415,
}

_log = logging.getLogger(__name__)


class HintsAtWork:
    """The door of the configuration as it is now, if it has one."""

    def __init__(self) -> None:
        self._hearing: Hearing | None = None
        self._door: HintDoor | None = None
        self._listen: Listen | None = None

    def take(self, site: Site) -> None:
        """Open, keep, move or close the door, as a configuration says.

        Raises:
            ConfigError: the address cannot be listened at, or a company cannot be heard.
        """
        hints = site.settings.hints
        if hints is None:
            self.close()
            return
        tuning = tuning_of(site)
        hearing = self._hearing or Hearing(tuning, time.monotonic)
        if self._door is None or hints.listen != self._listen:
            door = HintDoor(hearing, hints.listen.host, hints.listen.port, hints.url.url)
            self.close()
            self._door, self._listen = door, hints.listen
        hearing.tune(tuning)
        self._hearing, self._door.url = hearing, hints.url.url

    def due(self) -> Sequence[str]:
        """Return the pairs that a hint makes due now."""
        return self._hearing.due() if self._hearing else ()

    def named(self, pair: str) -> Sequence[Ref]:
        """Return the records of a pair's companies that hints named since its last round."""
        return self._hearing.named(pair) if self._hearing else ()

    def last(self, company: str) -> tuple[bool, datetime | None]:
        """Return whether a company is listened to, and when its last hint came."""
        if self._hearing is None:
            return False, None
        return self._hearing.listens(company), self._hearing.heard_at(company)

    def tell(self) -> None:
        """Log how many requests came to what since it was last told."""
        told = self._hearing.tally() if self._hearing else {}
        if told:
            fine = {Heard.TAKEN.value, Heard.AGAIN.value}
            quiet = all(name.rpartition(" ")[2] in fine for name in told)
            said = ", ".join(f"{name}: {count}" for name, count in sorted(told.items()))
            _log.log(logging.INFO if quiet else logging.WARNING, "hints: %s", said)

    def close(self) -> None:
        """Listen no more."""
        if self._door is not None:
            self._door.close()
        self._door = self._hearing = self._listen = None


class HintDoor:
    """An open door; it listens until it is closed."""

    def __init__(self, hearing: Hearing, host: str, port: int, url: str) -> None:
        """Listen at an address of this machine; ``url`` is the one that the systems call.

        Raises:
            ConfigError: the address cannot be listened at.
        """
        import uvicorn  # noqa: PLC0415 (imported when used)
        from starlette.applications import Starlette  # noqa: PLC0415 (imported when used)
        from starlette.routing import Route  # noqa: PLC0415 (imported when used)

        self._hearing = hearing
        self.url = url
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            listener = socket.create_server((host, port), family=family, backlog=AT_ONCE_LIMIT)
        except OSError as wrong:
            raise ConfigError(
                f"The hint door cannot listen at {host}:{port}: {wrong.strerror}.",
                remedy="Choose another address in `hints.listen`, or end what listens there.",
            ) from wrong
        self.port: int = listener.getsockname()[1]
        self._listener = listener
        self._server = uvicorn.Server(
            uvicorn.Config(
                Starlette(routes=[Route(PATH, self._answer, methods=["POST"])]),
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="critical",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                limit_concurrency=AT_ONCE_LIMIT,
                timeout_keep_alive=KEEP_ALIVE_SECS,
                timeout_graceful_shutdown=1,
            )
        )
        self._thread = threading.Thread(
            target=self._server.run, args=([listener],), name="hint door", daemon=True
        )
        self._thread.start()
        _log.info("hint door open", extra={"listen": f"{host}:{self.port}"})

    def close(self) -> None:
        """Listen no more; a request that is being answered has a second for it."""
        self._server.should_exit = True
        self._thread.join(STOP_SECS)
        self._listener.close()

    async def _answer(self, request: Request) -> Response:
        from starlette.requests import ClientDisconnect  # noqa: PLC0415 (imported when used)
        from starlette.responses import Response  # noqa: PLC0415 (imported when used)

        system = request.path_params["system"]
        if not _is_json(request.headers.get("content-type", "")):
            return Response(status_code=STATUS[self._counted(Heard.NOT_JSON)])
        try:
            async with asyncio.timeout(BODY_SECS):
                body = await _body(request)
        except (ClientDisconnect, TimeoutError):  # cut: perhaps nobody is there to read the answer
            return Response(status_code=STATUS[self._counted(Heard.MALFORMED)])
        if body is None:
            return Response(status_code=STATUS[self._counted(Heard.TOO_LARGE)])
        return Response(status_code=STATUS[self._heard(system, request, body)])

    def _heard(self, system: str, request: Request, body: bytes) -> Heard:
        query = f"?{request.url.query}" if request.url.query else ""
        headers = {name.lower(): value for name, value in request.headers.items()}
        url = f"{self.url}{request.url.path}{query}"
        return self._hearing.hear(system, Knock(request.method, url, headers, body))

    def _counted(self, heard: Heard) -> Heard:
        self._hearing.count("", heard)
        return heard


async def _body(request: Request) -> bytes | None:
    """Return the whole body; None as soon as it is too large."""
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length[:20]) > BODY_BYTES_LIMIT:
        return None
    held = bytearray()
    async for part in request.stream():
        held += part
        if len(held) > BODY_BYTES_LIMIT:
            return None
    return bytes(held)


def _is_json(content_type: str) -> bool:
    """Whether a body calls itself JSON, as ``application/json`` or some ``…+json``."""
    named = content_type.partition(";")[0].strip().lower()
    return named == "application/json" or (
        named.startswith("application/") and named.endswith("+json")
    )
