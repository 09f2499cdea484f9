"""Sessions: bought with an assertion of a user (JWT bearer), or with the app's secret.

Other ways for a machine go away: the device flow is blocked and the password's is retired (R38,
sdk.md 2). A session has no refresh token; it is asked for anew, so it is kept nowhere but in this
process.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from tieout.credentials import secret
from tieout.credentials.assertions import signed
from tieout.model.errors import ConfigError, TieoutError, Unauthorized, Unavailable
from tieout.transport import Answer, Door, Route, redact
from tieout.transport.door import refuse_plain_http
from tieout.transport.redaction import conceal

TOKEN_PATH = "/services/oauth2/token"  # noqa: S105 - an address
ASSERTION_SECS = 120  # at most three minutes are taken (page "OAuth 2.0 JWT Bearer Flow")
WORDS_LIMIT = 300

_PRODUCTION = "https://login.salesforce.com"
_SANDBOX = "https://test.salesforce.com"
_REMEDY = (
    "Check client_id, user and private_key or client_secret, and in Salesforce that an admin "
    "approved the app for this user; the queue is kept."
)


@dataclass(frozen=True, slots=True)
class App:
    """Our registration with an org, each part as ``env:NAME`` or ``file:PATH`` but the user."""

    client_id: str
    login: str
    user: str = ""
    private_key: str = ""
    client_secret: str = ""

    @classmethod
    def of(cls, options: Mapping[str, Any], login: str) -> App | None:
        """Return the app that a company's settings name, None where they name none.

        Raises:
            ConfigError: they name half of one.
        """
        given = {
            name: str(options.get(name) or "")
            for name in ("client_id", "user", "private_key", "client_secret")
        }
        if not any(given.values()):
            return None
        by_key = bool(given["private_key"] and given["user"])
        if not given["client_id"] or by_key == bool(given["client_secret"]):
            raise ConfigError(
                "Salesforce takes client_id with user and private_key, or with client_secret.",
                remedy="Set one of the two in tieout.yaml, then `tieout check`.",
            )
        return cls(login=login.rstrip("/"), **given)

    @property
    def audience(self) -> str:
        """Whom the assertion is for: one of the two logins, whichever the address belongs to."""
        host = urlsplit(self.login).hostname or ""
        return _SANDBOX if host.startswith("test.") or ".sandbox." in host else _PRODUCTION


class Sessions:
    """The present session of one app, asked for when first needed and when it was refused."""

    until: datetime | None = None

    def __init__(
        self,
        app: App,
        *,
        now: Callable[[], datetime],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._app = app
        self._now = now
        self._token = ""
        self._address = ""
        self._asking = threading.Lock()
        self.door = Door("salesforce", now=now, sleep=sleep, route=_route, judge=_judge, at_once=1)
        self._session = self.door.session()

    def __repr__(self) -> str:
        return f"Sessions({self._app.login!r})"

    @property
    def address(self) -> str:
        """The org's own address, as the login answered it.

        Raises:
            Unauthorized: the app is not accepted.
            Unavailable: the login did not answer.
        """
        self.access_token()
        return self._address

    def access_token(self) -> str:
        """Return the session's token.

        Raises:
            Unauthorized: the app is not accepted.
            Unavailable: the login did not answer.
        """
        with self._asking:
            return self._token or self._asked()

    def refresh(self, stale: str) -> str:
        """Return another session's token than the one that was refused."""
        with self._asking:
            return self._token if self._token not in ("", stale) else self._asked()

    def close(self) -> None:
        """Give back connections."""
        self.door.close()

    def _asked(self) -> str:
        url, headers = f"{self._app.login}{TOKEN_PATH}", {"Accept": "application/json"}
        answer = self._session.posted(url, self._form(), headers)
        told = answer.json if isinstance(answer.json, Mapping) else {}
        token, address = told.get("access_token"), told.get("instance_url")
        if not (isinstance(token, str) and token and isinstance(address, str)):
            raise Unavailable("The answer of Salesforce's login has no session.")
        conceal(token)
        refuse_plain_http(address)
        self._token, self._address = token, address.rstrip("/")
        return token

    def _form(self) -> dict[str, str]:
        """Return the form of the one flow that the app has."""
        client_id = secret(self._app.client_id)
        if self._app.client_secret:
            return {
                "grant_type": "client_credentials",
                "client_id": client_id,
                "client_secret": secret(self._app.client_secret),
            }
        claims = {
            "iss": client_id,
            "sub": self._app.user,
            "aud": self._app.audience,
            "exp": int(self._now().timestamp()) + ASSERTION_SECS,
        }
        assertion = signed(claims, secret(self._app.private_key))
        conceal(assertion)
        grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
        return {"grant_type": grant, "assertion": assertion}


def _route(method: str, _path: str) -> Route:
    """A login that is not answered may be asked again: not a write."""
    return Route(f"{method} token", write=False)


def _judge(answer: Answer) -> TieoutError | None:
    """Return what the login's refusal means, with its words: they name what is not right."""
    if 200 <= answer.status < 300:
        return None
    if answer.status >= 500 or answer.status in (408, 429) or answer.status < 400:
        return Unavailable(f"Salesforce's login answered with {answer.status}.")
    told = answer.json if isinstance(answer.json, Mapping) else {}
    return Unauthorized(
        "Salesforce does not accept the app or its user.",
        remedy=_REMEDY,
        vendor_code=str(told.get("error") or answer.status),
        vendor_words=redact(str(told.get("error_description") or ""))[:WORDS_LIMIT],
    )
