"""The way in: a signed assertion or the client's credentials, and nothing else (R38).

Sources: help.salesforce.com, "OAuth 2.0 JWT Bearer Flow for Server-to-Server Integration" and
"OAuth 2.0 Client Credentials Flow"; the OpenID Connect user info endpoint.
"""

import base64
import secrets
from collections.abc import Mapping
from typing import Any

from tieout.simulator.salesforce.admin import Client
from tieout.simulator.salesforce.assertions import claims_of, signed_by
from tieout.simulator.salesforce.errors import Refusal
from tieout.simulator.salesforce.org import SalesforceOrg
from tieout.simulator.salesforce.tables import Values

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
MAX_LIFE_SECS = 180
"""How far off the end of an assertion may be."""
SKEW_SECS = 180
"""How much a client's clock may be off; no page names it."""
_SUFFIX = ".salesforce.com"


class OAuthError(Exception):
    """The token endpoint's refusal, in its own words."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(f"{error}: {description}")
        self.status = status
        self.body = {"error": error, "error_description": description}


def token_answer(
    org: SalesforceOrg, form: Mapping[str, str], authorization: str, address: str
) -> dict[str, Any]:
    """Return the answer of the token endpoint; `address` is where the org is served.

    Credentials come in the form or, as RFC 6749 has it, in the header (`authorization`).

    Raises:
        OAuthError: the grant is of another type, or is not believed.
    """
    match form.get("grant_type"):
        case "client_credentials":
            user = _client_credentials(org, {**_basic(authorization), **form})
        case grant if grant == JWT_BEARER:
            user = _assertion(org, form.get("assertion", ""))
        case "password":
            raise OAuthError("invalid_grant", "authentication failure")
        case _:
            raise OAuthError("unsupported_grant_type", "grant type not supported")
    token = org.open_session(user["Username"])
    return {
        "access_token": token,
        "scope": "api",
        "instance_url": address,
        "id": identity_url(org, user["Id"], address),
        "token_type": "Bearer",
        "issued_at": str(int(org.now().timestamp() * 1000)),
        "api_instance_url": "https://api.salesforce.com",
    }


def identity_url(org: SalesforceOrg, user_id: str, address: str) -> str:
    """Return the address that names the org and the user."""
    return f"{address}/id/{org.org_id}/{user_id}"


def user_info(org: SalesforceOrg, user: Values, address: str) -> dict[str, Any]:
    """Return what the user info endpoint says of a session's user."""
    base = f"{address}/services/data/v{{version}}/"
    return {
        "sub": identity_url(org, user["Id"], address),
        "user_id": user["Id"],
        "organization_id": org.org_id,
        "preferred_username": user["Username"],
        "nickname": user["Username"].partition("@")[0],
        "name": user["Name"],
        "email": user["Email"],
        "email_verified": True,
        "given_name": user.get("FirstName"),
        "family_name": user["LastName"],
        "zoneinfo": user["TimeZoneSidKey"],
        "active": user["IsActive"],
        "user_type": "STANDARD",
        "language": user["LanguageLocaleKey"],
        "locale": user["LocaleSidKey"],
        "utcOffset": 0,
        "urls": {
            "rest": base,
            "sobjects": f"{base}sobjects/",
            "query": f"{base}query/",
            "tooling_rest": f"{base}tooling/",
        },
    }


def authenticate(org: SalesforceOrg, authorization: str) -> Values:
    """Return the user whose session the token opens.

    Raises:
        Refusal: 401 INVALID_SESSION_ID.
    """
    scheme, _, token = authorization.partition(" ")
    session = org.sessions.get(token) if scheme in {"Bearer", "OAuth"} else None
    if session is None or session.until <= org.now():
        raise session_invalid()
    user = org.tables["User"].records[session.user]
    if not user["IsActive"]:
        raise session_invalid()
    return user


def session_invalid() -> Refusal:
    """Return the 401 of a session that is over or never was."""
    return Refusal(401, "INVALID_SESSION_ID", "Session expired or invalid")


def _client_credentials(org: SalesforceOrg, form: Mapping[str, str]) -> Values:
    client = _client(org, form.get("client_id"))
    told = form.get("client_secret", "")
    if not secrets.compare_digest(told.encode(), client.secret.encode()):
        raise OAuthError("invalid_client", "invalid client credentials")
    return _active(org, client.runs_as)


def _basic(authorization: str) -> dict[str, str]:
    """Return the credentials of a header, or none."""
    scheme, _, told = authorization.partition(" ")
    if scheme.lower() != "basic":
        return {}
    try:
        key, _, secret = base64.b64decode(told, validate=True).decode().partition(":")
    except ValueError:
        return {}
    return {"client_id": key, "client_secret": secret}


def _assertion(org: SalesforceOrg, token: str) -> Values:
    try:
        claims = claims_of(token)
    except ValueError as error:
        raise OAuthError("invalid_grant", "invalid assertion") from error
    client = _client(org, claims.get("iss"))
    if client.certificate is None or not signed_by(token, client.certificate):
        raise OAuthError("invalid_grant", "invalid assertion")
    if not _known_audience(claims.get("aud")):
        raise OAuthError("invalid_grant", "audience is invalid")
    ends, present = claims.get("exp"), org.now().timestamp()
    if isinstance(ends, str) and ends.isascii() and ends.isdigit():
        ends = int(ends)  # the vendor's own example sends a text
    if isinstance(ends, bool) or not isinstance(ends, int | float):
        raise OAuthError("invalid_grant", "invalid assertion")
    if ends < present - SKEW_SECS:
        raise OAuthError("invalid_grant", "expired authorization code")
    if ends > present + MAX_LIFE_SECS + SKEW_SECS:
        raise OAuthError("invalid_grant", "invalid assertion")
    subject = claims.get("sub")
    if not isinstance(subject, str) or subject.casefold() not in {
        one.casefold() for one in client.approved
    }:
        raise OAuthError("invalid_grant", "user hasn't approved this consumer")
    return _active(org, subject)


def _known_audience(audience: Any) -> bool:
    return isinstance(audience, str) and audience.removeprefix("https://").endswith(_SUFFIX)


def _client(org: SalesforceOrg, key: Any) -> Client:
    client = org.clients.get(key) if isinstance(key, str) else None
    if client is None:
        raise OAuthError("invalid_client_id", "client identifier invalid")
    return client


def _active(org: SalesforceOrg, username: str) -> Values:
    user = org.user(username)
    if user is None or not user["IsActive"]:
        raise OAuthError("invalid_grant", "inactive user")
    return user
