"""HubSpot's OAuth: an app that people install, its codes, its access and refresh tokens.

Source: developers.hubspot.com/docs/api-reference/latest/authentication/manage-oauth-tokens and
github.com/HubSpot/HubSpot-public-api-spec-collection, Auth/Oauth, 2026-03. Access tokens live half
an hour, refresh tokens until the app is uninstalled; every parameter stands in the body. That a
refresh token stays the same is what is seen; `rotates` plays a server that gives another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any
from urllib.parse import urlencode

from tieout.simulator.hubspot.keys import Token
from tieout.simulator.hubspot.portal import HubSpotPortal

ACCESS_SECS = 1_800
CODE_SECS = 300
USER_ID = 7_001
APP_ID = 4_001


def app_of(portal: HubSpotPortal) -> OAuthApp:
    """Return a portal's OAuth app; it is there when it is first asked for."""
    if portal.app is None:
        portal.app = OAuthApp(portal=portal)
    app: OAuthApp = portal.app
    return app


class OAuthRefusal(Exception):
    """The token server's refusal: the standard's words beside HubSpot's older ones."""

    def __init__(self, error: str, status: str, message: str, http: int = 400) -> None:
        super().__init__(f"{error}: {message}")
        self.http = http
        self.body: dict[str, Any] = {
            "error": error,
            "error_description": message,
            "status": status,
            "message": message,
        }


@dataclass(slots=True)
class Install:
    """A code or a refresh token: its scopes, until when it is good, how often more."""

    scopes: tuple[str, ...]
    until: datetime | None = None
    uses_left: int | None = None


@dataclass(kw_only=True)
class OAuthApp:
    """One app in one portal."""

    portal: HubSpotPortal
    client_id: str = "simulated-app"
    client_secret: str = "simulated-app-secret"  # noqa: S105 - a simulator's, known to all
    rotates: bool = False
    old_refresh_uses: int = 1
    """How often a refresh token still works that another has taken the place of."""
    tells_portal: bool = True
    """Whether an answer has `hub_id`, which the specification lets be missing."""

    codes: dict[str, Install] = field(init=False, default_factory=dict)
    refresh: dict[str, Install] = field(init=False, default_factory=dict)
    issued: int = field(init=False, default=0)

    def authorise(self, query: Mapping[str, str]) -> str:
        """Return the address to send the browser back to, as when a person installs the app.

        Raises:
            OAuthRefusal: another client, or no address to go back to; HubSpot shows a page.
        """
        if query.get("client_id") != self.client_id:
            raise OAuthRefusal("invalid_client", "BAD_CLIENT_ID", "missing or unknown client id")
        if not query.get("redirect_uri") or not query.get("scope"):
            raise OAuthRefusal("invalid_request", "BAD_REQUEST", "redirect_uri or scope is missing")
        scopes = f"{query['scope']} {query.get('optional_scope', '')}".split()
        code = self._named("code")
        self.codes[code] = Install(tuple(scopes), self._until(CODE_SECS), uses_left=1)
        back = {"code": code, **({"state": query["state"]} if "state" in query else {})}
        separator = "&" if "?" in query["redirect_uri"] else "?"
        return f"{query['redirect_uri']}{separator}{urlencode(back)}"

    def grant(self, form: Mapping[str, str]) -> dict[str, Any]:
        """Answer `POST /oauth/{version}/token`: a code or a refresh token for an access token.

        Raises:
            OAuthRefusal: the client, the grant type, or the code or token is not valid.
        """
        self._demand_client(form)
        match form.get("grant_type"):
            case "authorization_code":
                used = self._used(self.codes, form.get("code", ""), "BAD_AUTH_CODE")
                return self.issue(used.scopes)
            case "refresh_token":
                given = form.get("refresh_token", "")
                used = self._used(self.refresh, given, "BAD_REFRESH_TOKEN")
                if not self.rotates:
                    return self.issue(used.scopes, given)
                if used.uses_left is None:
                    used.uses_left = self.old_refresh_uses
                return self.issue(used.scopes)
        raise OAuthRefusal("unsupported_grant_type", "BAD_GRANT_TYPE", "missing or unknown grant")

    def issue(self, scopes: tuple[str, ...], refresh: str | None = None) -> dict[str, Any]:
        """Make an access token, and a refresh token where none is given."""
        access = self._named("access")
        ends = self.portal.now() + timedelta(seconds=ACCESS_SECS)
        self.portal.tokens[access] = Token(frozenset(scopes), ends, app=True)
        if refresh is None:
            refresh = self._named("refresh")
            self.refresh[refresh] = Install(scopes)
        return {
            "token_type": "bearer",
            "token_use": "access_token",
            "access_token": access,
            "refresh_token": refresh,
            "expires_in": ACCESS_SECS,
            "scopes": list(scopes),
            "user_id": USER_ID,
            **({"hub_id": self.portal.portal_id} if self.tells_portal else {}),
        }

    def introspect(self, form: Mapping[str, str]) -> dict[str, Any]:
        """Answer `POST /oauth/{version}/token/introspect`.

        Raises:
            OAuthRefusal: the client or the token is not valid.
        """
        self._demand_client(form)
        given = form.get("token", "")
        access, refresh = self.portal.tokens.get(given), self.refresh.get(given)
        told = {
            "token": given,
            "token_type": "bearer",
            "client_id": self.client_id,
            "app_id": APP_ID,
            "hub_id": self.portal.portal_id,
            "user_id": USER_ID,
        }
        if refresh is not None:
            scopes = list(refresh.scopes)
            return {**told, "active": True, "token_use": "refresh_token", "scopes": scopes}
        if access is None or not access.app or access.expires_at is None:
            raise OAuthRefusal("invalid_grant", "BAD_TOKEN", "missing or unknown token")
        left = int((access.expires_at - self.portal.now()).total_seconds())
        return {
            **told,
            "active": left > 0 and not access.revoked,
            "token_use": "access_token",
            "expires_in": max(left, 0),
            "scopes": sorted(access.scopes or ()),
        }

    def revoke(self, form: Mapping[str, str]) -> None:
        """Answer `POST /oauth/{version}/token/revoke`: the refresh token only; access tokens end.

        Raises:
            OAuthRefusal: the client or the token is not valid.
        """
        self._demand_client(form)
        if self.refresh.pop(form.get("token", ""), None) is None:
            raise OAuthRefusal("invalid_grant", "BAD_REFRESH_TOKEN", "missing or invalid token")

    def uninstall(self) -> None:
        """End all that the portal gave the app, as a person does in its settings."""
        self.refresh.clear()
        self.codes.clear()
        for name in [name for name, token in self.portal.tokens.items() if token.app]:
            self.portal.tokens[name] = Token(revoked=True, app=True)

    def state(self) -> dict[str, Any]:
        """Return all to keep; codes are too short-lived."""
        return {
            "issued": self.issued,
            "rotates": self.rotates,
            "refresh": {name: [one.scopes, one.uses_left] for name, one in self.refresh.items()},
        }

    def restore(self, told: Mapping[str, Any]) -> None:
        """Have again what `state` told."""
        self.issued, self.rotates = told["issued"], told["rotates"]
        self.refresh = {
            name: Install(tuple(scopes), uses_left=left)
            for name, (scopes, left) in told["refresh"].items()
        }

    def _used(self, held: Mapping[str, Install], name: str, status: str) -> Install:
        found = held.get(name)
        late = found is not None and found.until is not None and found.until <= self.portal.now()
        if found is None or late or found.uses_left == 0:
            raise OAuthRefusal("invalid_grant", status, "missing or invalid code or refresh token")
        if found.uses_left is not None:
            found.uses_left -= 1
        return found

    def _demand_client(self, form: Mapping[str, str]) -> None:
        if form.get("client_id") != self.client_id:
            raise OAuthRefusal("invalid_client", "BAD_CLIENT_ID", "missing or unknown client id")
        if form.get("client_secret") != self.client_secret:
            raise OAuthRefusal("invalid_client", "BAD_CLIENT_SECRET", "wrong client secret", 401)

    def _named(self, kind: str) -> str:
        self.issued += 1
        dice = Random(f"{self.portal.seed}-{kind}-{self.issued}")  # noqa: S311 - guards nothing
        return f"simulated-{kind}-{dice.getrandbits(128):032x}"

    def _until(self, seconds: int) -> datetime:
        return self.portal.now() + timedelta(seconds=seconds)
