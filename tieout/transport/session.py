"""The face that is a requests session, for python-quickbooks and simple-salesforce."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter

from tieout.transport.answer import Answer, Route
from tieout.transport.exactjson import BYTES_LIMIT
from tieout.transport.pool import UNPACKED, given_out

if TYPE_CHECKING:
    from tieout.transport.door import Door


class DoorSession(requests.Session):
    """Sends with requests through a door. The response carries the whole ``Answer``.

    The environment's proxies and netrc are not used: netrc would replace our Authorization.
    """

    def __init__(self, door: Door, access_token: Callable[[], str] | None = None) -> None:
        super().__init__()
        self._door = door
        self._access_token = access_token
        self.trust_env = False
        for scheme in ("https://", "http://"):
            self.mount(scheme, HTTPAdapter(max_retries=0, pool_maxsize=door.at_once))

    @property
    def access_token(self) -> str:
        """The token of this moment; python-quickbooks asks for it before each call."""
        return "" if self._access_token is None else self._access_token()

    def posted(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        """Post a form, once, as OAuth's token servers want it. Errors are those of ``send``."""
        response = self.post(url, data=dict(form), headers=dict(headers))
        answer: Answer = response.answer  # type: ignore[attr-defined]  # ``send`` put it there
        return answer

    def send(self, request: requests.PreparedRequest, **wishes: Any) -> requests.Response:
        """Send one request, once. Errors are those of ``Door.exchange``."""
        response: requests.Response | None = None

        def send(route: Route) -> Answer:
            nonlocal response
            response = self._sent(request, route, wishes)
            headers, reason = response.headers, response.reason or ""
            return self._door.answered(
                route, response.status_code, headers, response.content, reason
            )

        answer = self._door.exchange(str(request.method), str(request.url), send)
        assert response is not None, "an exchange that returns has sent"
        response.answer = answer  # type: ignore[attr-defined]  # python-quickbooks passes it on
        return response

    def download(
        self, url: str, take: Callable[[bytes], object], route: Route, headers: Mapping[str, str]
    ) -> Answer:
        """Get a file, a piece at a time.

        ``take`` gets the pieces of a good answer in their order, and the answer has no body then.
        Errors are those of ``Door.exchange``; what ``take`` raises passes through.
        """
        request = self.prepare_request(requests.Request("GET", url, {**headers, **UNPACKED}))

        def send(route: Route) -> Answer:
            timeout = (self._door.connect_secs, route.read_secs or self._door.read_secs)
            ours: dict[str, Any] = {"timeout": timeout, "allow_redirects": False, "stream": True}
            response = requests.Session.send(self, request, **ours)
            try:
                whole = given_out(response.raw, take)
            finally:
                response.close()
            reason = response.reason or ""
            return self._door.answered(route, response.status_code, response.headers, whole, reason)

        return self._door.exchange("GET", url, send, route)

    def _sent(
        self, request: requests.PreparedRequest, route: Route, wishes: dict[str, Any]
    ) -> requests.Response:
        timeout = (self._door.connect_secs, route.read_secs or self._door.read_secs)
        ours = {"timeout": timeout, "allow_redirects": False, "stream": True}
        response = super().send(request, **{**wishes, **ours})
        try:
            response._content = response.raw.read(BYTES_LIMIT + 1, decode_content=True)  # noqa: SLF001 - the body as requests itself keeps it, but with a limit
            # requests sets this itself once it has read a body; its types do not tell of it.
            response._content_consumed = True  # type: ignore[attr-defined]  # noqa: SLF001
        finally:
            response.close()
        return response
