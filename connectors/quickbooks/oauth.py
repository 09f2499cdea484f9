"""Intuit's consent: the page where a person agrees, and the tokens that are bought with it (R26).

An access token lives an hour, a refresh token 100 days after its last use, consent five years.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from tieout.credentials import Grant
from tieout.model.errors import TieoutError, Unauthorized, Unavailable
from tieout.transport import Answer, Door, Route

SCOPE = "com.intuit.quickbooks.accounting"
TOKEN_SECS_MAX = 10 * 365 * 86_400  # a life longer than that is not one
SECS_DIGITS = 10


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
        response = self._session.post(app.token_url, data=dict(form), headers=headers)
        answer: Answer = response.answer  # type: ignore[attr-defined]  # DoorSession adds it
        return _grant(answer.json, self._now(), refresh)


def _grant(said: Any, now: datetime, used: str | None) -> Grant:
    """Return what was given; an answer without a refresh token leaves the one that was used."""
    told = said if isinstance(said, Mapping) else {}
    access, refresh = told.get("access_token"), told.get("refresh_token") or used
    if not isinstance(access, str) or not isinstance(refresh, str):
        raise Unavailable("The token server's answer has no tokens.")
    return Grant(
        access=access,
        refresh=refresh,
        issued_at=now,
        access_until=_after(now, told.get("expires_in")),
        refresh_until=_after(now, told.get("x_refresh_token_expires_in")),
        hard_until=_after(now, told.get("x_refresh_token_hard_expires_in")),
    )


def _after(now: datetime, secs: object) -> datetime | None:
    text = str(secs)  # some servers write the number as a text
    if not text.isdecimal() or len(text) > SECS_DIGITS or not 0 < int(text) < TOKEN_SECS_MAX:
        return None
    return now + timedelta(seconds=int(text))


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
