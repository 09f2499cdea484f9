"""Intuit's OAuth: access tokens of an hour, refresh tokens that rotate (R26)."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Self
from urllib.parse import urlencode

from tieout.simulator.clock import Now
from tieout.simulator.quickbooks.refusals import Json

ACCESS_SECS = 3600
REFRESH_SECS = 100 * 24 * 3600
CONNECTION_DAYS = 5 * 365
"""How long a company stays connected, however often its tokens are renewed."""
CODE_SECS = 300


class OAuthError(Exception):
    """The token endpoint's refusal, in its own words."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(f"{error}: {description}")
        self.status = status
        self.body: Json = {"error": error, "error_description": description}


@dataclass(slots=True)
class Grant:
    """A code or a refresh token: for which company, until when, how often more."""

    realm_id: str
    until: datetime
    uses_left: int | None = None
    """None is without end: the current refresh token."""
    connected: datetime | None = None
    """Of a refresh token: when the person pressed Connect."""


@dataclass(kw_only=True)
class Authority:
    """Who may speak for which company.

    A refresh makes a new refresh token; the one that was used stays valid for
    `old_refresh_uses` further uses, so that an answer lost on the way cuts nobody off at once.
    """

    now: Now
    client_id: str = "simulated-client"
    client_secret: str = "simulated-secret"  # noqa: S105 - a simulator's, known to all
    old_refresh_uses: int = 1
    rotates: bool = True
    static_tokens: Mapping[str, str] = field(default_factory=dict)
    """Access tokens that never expire, by token to realm id; for tests."""
    seed: int = 0

    access: dict[str, Grant] = field(init=False, default_factory=dict)
    refresh: dict[str, Grant] = field(init=False, default_factory=dict)
    codes: dict[str, Grant] = field(init=False, default_factory=dict)

    issued: int = field(init=False, default=0)
    """How many tokens were made; the next one follows from it and the seed."""

    def authorise(self, query: Mapping[str, str], realm_ids: Sequence[str]) -> str:
        """Return the address to send the browser back to, with code, state and realmId.

        `realm` in the query chooses the company, as a person would on Intuit's page.

        Raises:
            OAuthError: another client, no address to go back to, or no such company.
        """
        if query.get("client_id") != self.client_id:
            raise OAuthError("invalid_client", "unknown client_id", 401)
        if not query.get("redirect_uri"):
            raise OAuthError("invalid_request", "redirect_uri is missing")
        realm_id = query.get("realm", realm_ids[0])
        if realm_id not in realm_ids:
            raise OAuthError("invalid_request", "no such company")
        code = self._token("code")
        self.codes[code] = Grant(realm_id, self._until(CODE_SECS), uses_left=1)
        back = {"code": code, "state": query.get("state", ""), "realmId": realm_id}
        separator = "&" if "?" in query["redirect_uri"] else "?"
        return f"{query['redirect_uri']}{separator}{urlencode(back)}"

    def grant(self, authorization: str, form: Mapping[str, str]) -> Json:
        """Answer the token endpoint: a code or a refresh token for a new pair.

        Raises:
            OAuthError: the client, the grant type, or the code or token is not valid.
        """
        self._check_client(authorization)
        match form.get("grant_type"):
            case "authorization_code":
                realm_id = self._use(self.codes, form.get("code", ""))
                return self.issue(realm_id)
            case "refresh_token":
                given = form.get("refresh_token", "")
                realm_id = self._use(self.refresh, given)
                if not self.rotates:
                    return self.issue(realm_id, given)
                used = self.refresh[given]
                if used.uses_left is None:
                    used.uses_left = self.old_refresh_uses
                return self.issue(realm_id, connected=used.connected)
        raise OAuthError("unsupported_grant_type", "authorization_code or refresh_token")

    def issue(
        self, realm_id: str, refresh: str | None = None, connected: datetime | None = None
    ) -> Json:
        """Make a pair of tokens for a company, as if a person had just connected it.

        A refresh token rolls for 100 days, and ends five years after `connected` (R26).
        """
        connected = connected or self.now()
        access = self._token("access")
        self.access[access] = Grant(realm_id, self._until(ACCESS_SECS))
        if refresh is None:
            refresh = self._token("refresh")
            ends = min(self._until(REFRESH_SECS), connected + timedelta(days=CONNECTION_DAYS))
            self.refresh[refresh] = Grant(realm_id, ends, connected=connected)
        lasts = self.refresh[refresh].until - self.now()
        return {
            "token_type": "bearer",
            "access_token": access,
            "refresh_token": refresh,
            "expires_in": ACCESS_SECS,
            "x_refresh_token_expires_in": int(lasts.total_seconds()),
        }

    def revoke(self, authorization: str, token: str) -> None:
        """End a token, and with a refresh token the company's whole connection.

        Raises:
            OAuthError: the client or the token is not valid.
        """
        self._check_client(authorization)
        found = self.refresh.get(token) or self.access.get(token)
        if found is None:
            raise OAuthError("invalid_request", "unknown token")
        self.disconnect(found.realm_id)

    def disconnect(self, realm_id: str) -> None:
        """End a company's whole connection, as a person does on Intuit's page of apps."""
        for held in (self.access, self.refresh):
            for one in [name for name, grant in held.items() if grant.realm_id == realm_id]:
                del held[one]

    def realm_of(self, authorization: str) -> str | None:
        """Return the company that a Bearer header speaks for, or None."""
        kind, _, token = authorization.partition(" ")
        if kind.lower() != "bearer":
            return None
        if token in self.static_tokens:
            return self.static_tokens[token]
        grant = self.access.get(token)
        return grant.realm_id if grant is not None and grant.until > self.now() else None

    def expire_access(self) -> None:
        """Let every access token be too old."""
        for grant in self.access.values():
            grant.until = self.now()

    def state(self) -> Json:
        """Return everything to keep, as JSON."""
        return {
            "settings": {
                "client_id": self.client_id,
                "client_secret": self.client_secret,
                "old_refresh_uses": self.old_refresh_uses,
                "rotates": self.rotates,
                "static_tokens": dict(self.static_tokens),
                "seed": self.seed,
            },
            "issued": self.issued,
            "access": _written(self.access),
            "refresh": _written(self.refresh),
        }

    @classmethod
    def from_state(cls, state: Json, now: Now) -> Self:
        """Return the authority whose `state` this was; codes are too short-lived to keep."""
        authority = cls(now=now, **state["settings"])
        authority.issued = state["issued"]
        authority.access = _read(state["access"])
        authority.refresh = _read(state["refresh"])
        return authority

    def _use(self, held: dict[str, Grant], token: str) -> str:
        grant = held.get(token)
        if grant is None or grant.until <= self.now() or grant.uses_left == 0:
            raise OAuthError("invalid_grant", "Incorrect or invalid token")
        if grant.uses_left is not None:
            grant.uses_left -= 1
        return grant.realm_id

    def _check_client(self, authorization: str) -> None:
        kind, _, given = authorization.partition(" ")
        try:
            found = base64.b64decode(given, validate=True).decode() if kind == "Basic" else ""
        except (binascii.Error, UnicodeDecodeError):
            found = ""
        if found != f"{self.client_id}:{self.client_secret}":
            raise OAuthError("invalid_client", "wrong client id or secret", 401)

    def _token(self, kind: str) -> str:
        self.issued += 1
        dice = Random(f"{self.seed}-{self.issued}")  # noqa: S311 - repeatable, guards nothing
        return f"simulated-{kind}-{dice.getrandbits(128):032x}"

    def _until(self, seconds: int) -> datetime:
        return self.now() + timedelta(seconds=seconds)


def _written(held: Mapping[str, Grant]) -> Json:
    return {
        token: [
            grant.realm_id,
            grant.until.isoformat(),
            grant.uses_left,
            grant.connected and grant.connected.isoformat(),
        ]
        for token, grant in held.items()
    }


def _read(kept: Json) -> dict[str, Grant]:
    return {token: _grant(*told) for token, told in kept.items()}


def _grant(realm_id: str, until: str, uses_left: int | None, connected: str | None = None) -> Grant:
    since = None if connected is None else datetime.fromisoformat(connected)
    return Grant(realm_id, datetime.fromisoformat(until), uses_left, since)
