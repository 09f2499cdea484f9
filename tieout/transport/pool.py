"""The face that looks like a urllib3 pool manager, for hubspot-api-client's rest client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import urllib3

from tieout.transport.answer import Answer, Route
from tieout.transport.exactjson import BYTES_LIMIT

if TYPE_CHECKING:
    from tieout.transport.door import Door


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
        body: bytes | str | None = None,
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

    def close(self) -> None:
        """Give back all connections."""
        self._pool.clear()
