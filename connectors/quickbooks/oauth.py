"""Intuit's consent: the page where a person agrees, and the tokens that are bought with it (R26).

An access token lives an hour, a refresh token 100 days after its last use, consent five years.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode

from tieout.credentials import Grant, granted
from tieout.model.errors import TieoutError, Unauthorized, Unavailable
from tieout.transport import Answer, Door, Route

SCOPE = "com.intuit.quickbooks.accounting"


@dataclass(frozen=True, slots=True)
class App:
    """Our registration with Intuit, and where it is used."""

    client_id: str
    client_secret: str = field(repr=False)
    authorise_url: str
    token_url: str


class OAuth:
    """Asks the token server, through a door of its own."""

    def __init__(
        self,
        app: Callable[[], App],
        *,
        now: Callable[[], datetime],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._app = app
        self._now = now
        self.door = Door("intuit", now=now, sleep=sleep, route=_route, judge=_judge, at_once=1)
        self._session = self.door.session()

    def authorise_url(self, state: str, redirect_uri: str) -> str:
        """Return the page where a person consents; ``state`` comes back with the answer."""
        app = self._app()
        asked = {
            "client_id": app.client_id,
            "response_type": "code",
            "scope": SCOPE,
            "redirect_uri": redirect_uri,
            "state": state,
        }
        return f"{app.authorise_url}?{urlencode(asked)}"

    def exchange(self, code: str, redirect_uri: str) -> Grant:
        """Buy tokens with the code of a redirect.

        Raises:
            Unauthorized: the code is used, too old or not ours.
            Unavailable: the token server did not answer.
        """
        return self._bought(
            {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        )

    def renew(self, refresh: str) -> Grant:
        """Buy the next tokens with a refresh token.

        Raises:
            Unauthorized: it is not accepted (any more).
            Unavailable: the token server did not answer; the token may be used again.
        """
        form = {"grant_type": "refresh_token", "refresh_token": refresh}
        return self._bought(form, refresh)

    def close(self) -> None:
        """Give back connections."""
        self.door.close()

    def _bought(self, form: Mapping[str, str], refresh: str | None = None) -> Grant:
        app = self._app()
        pair = base64.b64encode(f"{app.client_id}:{app.client_secret}".encode()).decode()
        headers = {
            "Authorization": f"Basic {pair}",
            "Accept": "application/json",
            "x-include-refresh-token-hard-expires-in": "true",  # tells the end of the five years
        }
        answer = self._session.posted(app.token_url, form, headers)
        return granted(
            answer.json,
            self._now(),
            refresh,
            refresh_secs="x_refresh_token_expires_in",
            hard_secs="x_refresh_token_hard_expires_in",
        )


def _route(method: str, path: str) -> Route:
    """A refresh that is not answered may be asked again with the same token: not a write."""
    return Route(f"{method} token", write=False) if path else Route(method, write=False)


def _judge(answer: Answer) -> TieoutError | None:
    """Return what the token server's refusal means; its words never hold a token."""
    if answer.status < 300:
        return None
    if answer.status >= 500 or answer.status == 429:
        return Unavailable(f"The token server answered with {answer.status}.")
    said = answer.json.get("error") if isinstance(answer.json, dict) else None
    if said == "invalid_client":
        return Unauthorized(  # a secret renewed at Intuit stops its own pair, and no daemon
            "Intuit does not know this client id and secret.",
            remedy="Check client_id and client_secret: sandbox and production have their own.",
        )
    return Unauthorized("Intuit does not accept this consent.", vendor_code=str(said or ""))
