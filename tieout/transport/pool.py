"""The face that looks like a urllib3 pool manager, for hubspot-api-client's rest client."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import urllib3

from tieout.transport.answer import Answer, Route
from tieout.transport.exactjson import BYTES_LIMIT

if TYPE_CHECKING:
    from tieout.transport.door import Door


PIECE_BYTES = 64 * 1024  # of a file, in memory at once
UNPACKED = {"Accept-Encoding": "identity"}  # a file's bytes come as they are


class DoorPool:
    """Sends with urllib3 through a door; each answer is whole before anybody sees it."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._pool = urllib3.PoolManager(maxsize=door.at_once)

    def request(
        self,
        method: str,
        url: str,
        *,
        body: bytes | str | Iterable[bytes] | None = None,
        fields: Any = None,
        headers: dict[str, str] | None = None,
        **_wishes: Any,  # what a library asks for itself (timeout, preload_content) is the door's
    ) -> Answer:
        """Send one request, once. Errors are those of ``Door.exchange``."""

        def send(route: Route) -> Answer:
            response = self._pool.request(
                method,
                url,
                body=body,
                fields=fields or None,
                headers=headers,
                retries=False,
                redirect=False,
                preload_content=False,
                timeout=urllib3.Timeout(
                    connect=self._door.connect_secs, read=route.read_secs or self._door.read_secs
                ),
            )
            try:
                whole = response.read(BYTES_LIMIT + 1)
            finally:
                response.release_conn()
            reason = response.reason or ""
            return self._door.answered(route, response.status, response.headers, whole, reason)

        return self._door.exchange(method, url, send)

    def download(
        self,
        url: str,
        take: Callable[[bytes], object],
        route: Route,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Get a file, a piece at a time; without headers by an address that is its own permission.

        ``take`` gets the pieces of a good answer in their order, and the answer has no body then.
        Errors are those of ``Door.exchange``; what ``take`` raises passes through.
        """

        def send(route: Route) -> Answer:
            response = self._pool.request(
                "GET",
                url,
                headers={**(headers or {}), **UNPACKED},
                retries=False,
                redirect=False,
                preload_content=False,
                timeout=urllib3.Timeout(
                    connect=self._door.connect_secs, read=route.read_secs or self._door.read_secs
                ),
            )
            try:
                whole = given_out(response, take)
            except BaseException:
                response.close()  # what is left of it would be the next answer's beginning
                raise
            response.release_conn()
            reason = response.reason or ""
            return self._door.answered(route, response.status, response.headers, whole, reason)

        return self._door.exchange("GET", url, send, route)

    def close(self) -> None:
        """Give back all connections."""
        self._pool.clear()


def given_out(response: urllib3.BaseHTTPResponse, take: Callable[[bytes], object]) -> bytes:
    """Give a good answer's body to ``take``, a piece at a time; return the body of any other."""
    if response.status != HTTPStatus.OK:
        return response.read(BYTES_LIMIT + 1)
    for piece in response.stream(PIECE_BYTES, decode_content=False):
        take(piece)
    return b""
