"""Tokens for an application: bought by msal with a secret or a certificate, through our own door.

msal keeps a token for as long as it lives and asks early for the next one. It wants to be told of
https addresses only; where the configured authority is plain http, which is accepted for this
machine alone, its calls to that very host and port go out as http.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from tieout.credentials import secret
from tieout.credentials.assertions import rsa_key
from tieout.model.errors import ConfigError, TieoutError, Unauthorized, Unavailable
from tieout.transport import Answer, Door, Route
from tieout.transport.door import refuse_plain_http
from tieout.transport.redaction import conceal

DESCRIPTION_LIMIT = 500
_REMEDY = (
    "Check tenant, client_id and the secret or certificate in Microsoft Entra; the queue is kept."
)


@dataclass(frozen=True, slots=True)
class App:
    """Our registration in Microsoft Entra: who we are and how we prove it.

    Attributes:
        authority: the cloud's sign-in address, without the tenant.
        tenant: the directory's id or domain.
        client_id: where the application's id is kept, or the id itself.
        secret: where its secret is kept; empty with a certificate.
        private_key: where the certificate's key is kept, as PEM, with the certificate or without.
        thumbprint: of the certificate; with the certificate beside the key msal computes it.
        resource: the organization's address that tokens are for.
    """

    authority: str
    tenant: str
    client_id: str
    secret: str = ""
    private_key: str = ""
    thumbprint: str = ""
    resource: str = ""

    @property
    def credential(self) -> str | dict[str, str]:
        """What proves who we are, as msal takes it.

        Raises:
            Unauthorized: nothing is where the secret or the key should be.
        """
        if self.secret:
            return secret(self.secret)
        key = secret(self.private_key)
        rsa_key(key)  # msal lets its libraries say what is wrong with a key, in words of their own
        held = {"private_key": key}
        begins = key.find("-----BEGIN CERTIFICATE-----")
        if self.thumbprint:
            held["thumbprint"] = self.thumbprint
        elif begins >= 0:
            held["public_certificate"] = key[begins:]
        return held


class AppTokens:
    """One application's tokens for one organization; see ``tieout.credentials.Credentials``."""

    until: datetime | None = None

    def __init__(
        self,
        app: App,
        *,
        now: Callable[[], datetime],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._app = app
        self.door = Door("entra", now=now, sleep=sleep, route=_route, judge=_judge, at_once=1)
        self._known: Any = None
        self._asking = threading.Lock()

    def __repr__(self) -> str:
        return f"AppTokens({self._app.tenant!r})"

    def access_token(self) -> str:
        """Return a token that is good for some minutes.

        Raises:
            Unauthorized: Entra does not accept the application.
            Unavailable: it does not answer.
        """
        with self._asking:
            return self._bought()

    def refresh(self, stale: str) -> str:
        """Return another token than the one that was refused.

        Raises:
            Unauthorized: there is no other.
        """
        with self._asking:
            token = self._bought()
            if token == stale:
                self._known.remove_tokens_for_client()
                token = self._bought()
        if token == stale:
            raise Unauthorized("The organization does not accept the application.", remedy=_REMEDY)
        return token

    def close(self) -> None:
        """Give back connections."""
        self.door.close()

    def _bought(self) -> str:
        if self._known is None:
            self._known = self._client()
        said = self._known.acquire_token_for_client([f"{self._app.resource}/.default"])
        token = said.get("access_token") if isinstance(said, Mapping) else None
        if not isinstance(token, str) or not token:
            told = said if isinstance(said, Mapping) else {}
            self._known = None  # the secret or key may be another by the next time
            raise Unauthorized(
                "Microsoft Entra does not give the application a token.",
                remedy=_REMEDY,
                vendor_code=str(told.get("error") or ""),
                vendor_words=str(told.get("error_description") or "")[:DESCRIPTION_LIMIT],
                trace_id=str(told.get("correlation_id") or ""),
            )
        conceal(token)
        return token

    def _client(self) -> Any:
        from msal import ConfidentialClientApplication  # noqa: PLC0415 - heavy, and only when asked

        if not (self._app.tenant and self._app.client_id):
            raise ConfigError(
                "The application is not named.",
                remedy="Set tenant, client_id and client_secret or private_key for this company.",
            )
        address = self._app.authority.rstrip("/")
        plain = urlsplit(address).scheme == "http"
        refuse_plain_http(address)
        told = "https" + address.removeprefix("http") if plain else address
        try:
            return ConfidentialClientApplication(
                _named(self._app.client_id),
                client_credential=self._app.credential,
                authority=f"{told}/{self._app.tenant}",
                instance_discovery=False,  # the operator names the cloud, a sovereign one too
                http_client=_Client(self.door, address if plain else ""),
            )
        except TieoutError:
            raise
        except (ValueError, TypeError) as wrong:  # msal's, of an authority or a key that is none
            said = f"{type(wrong).__name__}: {wrong}"[:DESCRIPTION_LIMIT]
            raise Unauthorized(f"The application cannot sign in: {said}", remedy=_REMEDY) from wrong


@dataclass(frozen=True, slots=True)
class _Reply:
    """An answer as msal reads one."""

    status_code: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def raise_for_status(self) -> None:
        """Raise for an answer that msal cannot read.

        Raises:
            Unavailable: always; what was refused is read before.
        """
        raise Unavailable(f"Microsoft Entra answered with {self.status_code}.")


class _Client:
    """What msal calls its HTTP client: our door."""

    def __init__(self, door: Door, plain: str) -> None:
        self._pool = door.pool()
        self._plain = plain  # the address of this machine that is asked by http; empty for none

    def get(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        headers: dict[str, str] | None = None,
        **_wishes: Any,
    ) -> _Reply:
        """Ask."""
        return self._asked("GET", url, params, None, headers)

    def post(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | str | None = None,
        headers: dict[str, str] | None = None,
        **_wishes: Any,
    ) -> _Reply:
        """Ask for a token: nothing is changed by it."""
        form = data if isinstance(data, str) else urlencode(data or {})
        typed = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
        return self._asked("POST", url, params, form, typed)

    def close(self) -> None:
        """The door is closed by whoever opened it."""

    def _asked(
        self,
        method: str,
        url: str,
        params: Mapping[str, str] | None,
        body: str | None,
        headers: dict[str, str] | None,
    ) -> _Reply:
        address = f"{url}?{urlencode(params)}" if params else url
        if self._plain and urlsplit(address).netloc == urlsplit(self._plain).netloc:
            address = "http" + address.removeprefix("https")
        answer = self._pool.request(method, address, body=body, headers=headers)
        return _Reply(answer.status, answer.body.decode("utf-8", "replace"), dict(answer.headers))


def _named(reference: str) -> str:
    """Return the id that ``env:NAME`` or ``file:PATH`` refers to, or that is written itself."""
    return secret(reference) if reference.startswith(("env:", "file:")) else reference


def _route(method: str, path: str) -> Route:
    name = "token" if path.endswith("/token") else "tenant"
    return Route(f"{method} {name}", write=False)


def _judge(answer: Answer) -> TieoutError | None:
    """A refusal is msal's to read; silence is ours."""
    if answer.status >= 500 or answer.status == 429:
        return Unavailable(f"Microsoft Entra answered with {answer.status}.")
    return None
