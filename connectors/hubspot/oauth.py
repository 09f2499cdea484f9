"""The consent to an OAuth app: the page where a person installs it, and the tokens it buys.

An access token lives half an hour; a refresh token until the app is uninstalled, and the answer to
a refresh names it, or another in its place. Pages "Manage OAuth access tokens with the 2026-03 API"
and its migration guide: ``/oauth/v1`` ends on 16 February 2027, every parameter stands in the body.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode

from connectors.hubspot.facts import SYSTEM, Scope
from tieout.credentials import Grant, granted
from tieout.model.errors import TieoutError, Unauthorized, Unavailable
from tieout.transport import Answer, Door, Route

BASE_SCOPE = "oauth"  # every app has it
HUB = "hub_id"
_OF_THE_APP = frozenset({"invalid_client", "BAD_CLIENT_ID", "BAD_CLIENT_SECRET"})


@dataclass(frozen=True, slots=True)
class App:
    """Our registration with HubSpot, and where it is used."""

    client_id: str
    client_secret: str = field(repr=False)
    authorise_url: str
    token_url: str


@dataclass(frozen=True, slots=True)
class Consent:
    """What a person's code bought; ``portal_id`` is empty where the answer does not tell it."""

    grant: Grant
    portal_id: str


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
        self.door = Door(SYSTEM, now=now, sleep=sleep, route=_route, judge=_judge, at_once=1)
        self._session = self.door.session()

    def authorise_url(self, scopes: Iterable[Scope], state: str, redirect_uri: str) -> str:
        """Return the page where a person consents; ``state`` comes back with the answer.

        What a portal may lack is asked as optional: it then consents to the rest.
        """
        app, asked = self._app(), list(scopes)
        must = [BASE_SCOPE, *(one.scope for one in asked if not one.optional)]
        may = [one.scope for one in asked if one.optional]
        words = {
            "client_id": app.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(must),
            **({"optional_scope": " ".join(may)} if may else {}),
            "state": state,
        }
        return f"{app.authorise_url}?{urlencode(words)}"

    def exchange(self, code: str, redirect_uri: str) -> Consent:
        """Buy tokens with the code of a redirect.

        Raises:
            Unauthorized: the code is used, too old or not ours.
            Unavailable: the token server did not answer.
        """
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        answer = self._asked(form)
        grant = granted(answer.json, self._now(), None)
        return Consent(grant, str(answer.json.get(HUB) or ""))

    def renew(self, refresh: str) -> Grant:
        """Buy the next tokens with a refresh token.

        Raises:
            Unauthorized: it is not accepted (any more).
            Unavailable: the token server did not answer; the token may be used again.
        """
        answer = self._asked({"grant_type": "refresh_token", "refresh_token": refresh})
        return granted(answer.json, self._now(), refresh)

    def close(self) -> None:
        """Give back connections."""
        self.door.close()

    def _asked(self, form: Mapping[str, str]) -> Answer:
        app = self._app()
        words = {**form, "client_id": app.client_id, "client_secret": app.client_secret}
        headers = {"Accept": "application/json"}
        return self._session.posted(app.token_url, words, headers)


def _route(method: str, path: str) -> Route:
    """A refresh that is not answered may be asked again with the same token: not a write."""
    return Route(f"{method} token", write=False) if path else Route(method, write=False)


def _judge(answer: Answer) -> TieoutError | None:
    """Return what the token server's refusal means; its words never hold a token."""
    if answer.status < 300:
        return None
    if answer.status >= 500 or answer.status == 429:
        return Unavailable(f"The token server answered with {answer.status}.")
    told = answer.json if isinstance(answer.json, dict) else {}
    said = {str(told.get("error") or ""), str(told.get("status") or "")}
    if said & _OF_THE_APP:
        return Unauthorized(
            "HubSpot does not know this client id and secret.",
            remedy="Check client_id and client_secret: they are on the app's Auth tab.",
        )
    code = str(told.get("error") or told.get("status") or answer.status)
    return Unauthorized("HubSpot does not accept this consent.", vendor_code=code)
