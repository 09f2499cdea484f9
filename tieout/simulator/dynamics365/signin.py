"""The Microsoft identity platform, as far as an app without a user asks it.

Source: learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow and
reference-error-codes; what msal asks besides: openid-configuration and the instance discovery.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tieout.simulator.dynamics365.org import DynamicsOrg

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_SCOPE_END = "/.default"


class SignInRefusal(Exception):
    """What the token endpoint says instead of a token: status, OAuth's word, Microsoft's code."""

    def __init__(self, status: int, error: str, code: int, text: str) -> None:
        super().__init__(f"AADSTS{code}: {text}")
        self.status = status
        self.error = error
        self.code = code
        self.text = text

    def body(self, org: DynamicsOrg) -> dict[str, Any]:
        """Return the answer's JSON."""
        at = org.now().strftime("%Y-%m-%d %H:%M:%SZ")
        trace, correlation = org.new_id(), org.new_id()
        return {
            "error": self.error,
            "error_description": (
                f"AADSTS{self.code}: {self.text} Trace ID: {trace} "
                f"Correlation ID: {correlation} Timestamp: {at}"
            ),
            "error_codes": [self.code],
            "timestamp": at,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.code}",
        }


def configuration(org: DynamicsOrg, tenant: str, host: str) -> dict[str, Any]:
    """Return a tenant's openid-configuration; its addresses are https, as msal demands.

    Raises:
        SignInRefusal: there is no such tenant.
    """
    _demand_tenant(org, tenant)
    root = f"https://{host}/{org.tenant_id}"
    return {
        "issuer": f"{root}/v2.0",
        "authorization_endpoint": f"{root}/oauth2/v2.0/authorize",
        "token_endpoint": f"{root}/oauth2/v2.0/token",
        "device_authorization_endpoint": f"{root}/oauth2/v2.0/devicecode",
        "jwks_uri": f"{root}/discovery/v2.0/keys",
        "token_endpoint_auth_methods_supported": [
            "client_secret_post",
            "private_key_jwt",
            "client_secret_basic",
        ],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "tenant_region_scope": "EU",
        "cloud_instance_name": "microsoftonline.com",
    }


def discovery(org: DynamicsOrg, host: str) -> dict[str, Any]:
    """Return what the instance discovery says of this host."""
    return {
        "tenant_discovery_endpoint": (
            f"https://{host}/{org.tenant_id}/v2.0/.well-known/openid-configuration"
        ),
        "api-version": "1.1",
        "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
    }


def issue(org: DynamicsOrg, tenant: str, host: str, body: bytes) -> dict[str, Any]:
    """Return a fresh access token for the app.

    Raises:
        SignInRefusal: the tenant, the app, its secret or certificate, or the scope is not right.
    """
    _demand_tenant(org, tenant)
    form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    if form.get("grant_type") != "client_credentials":
        raise SignInRefusal(
            400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type."
        )
    if form.get("client_id") != org.client_id:
        raise SignInRefusal(
            400,
            "unauthorized_client",
            700016,
            f"Application with identifier '{form.get('client_id')}' was not found in the "
            f"directory '{org.name}'.",
        )
    if "client_assertion" in form:
        _check_assertion(org, host, form)
    else:
        _check_secret(org, form.get("client_secret"))
    _check_scope(form.get("scope", ""), host)
    token = f"{org.new_id()}{org.new_id()}".replace("-", "")
    ends = org.now() + timedelta(seconds=org.token_secs)
    org.grants[token] = replace(org.access, expires_at=ends)
    return {
        "token_type": "Bearer",
        "expires_in": org.token_secs,
        "ext_expires_in": org.token_secs,
        "access_token": token,
    }


def _demand_tenant(org: DynamicsOrg, tenant: str) -> None:
    if tenant.lower() != org.tenant_id:
        raise SignInRefusal(
            400,
            "invalid_tenant",
            90002,
            f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and "
            "are signing into the correct cloud.",
        )


def _check_secret(org: DynamicsOrg, secret: str | None) -> None:
    if secret is None:
        raise SignInRefusal(
            401,
            "invalid_client",
            7000218,
            "The request body must contain the following parameter: 'client_assertion' or "
            "'client_secret'.",
        )
    if secret != org.client_secret:
        raise SignInRefusal(
            401,
            "invalid_client",
            7000215,
            "Invalid client secret provided. Ensure the secret being sent in the request is the "
            "client secret value, not the client secret ID, for a secret added to app "
            f"'{org.client_id}'.",
        )


def _check_scope(scope: str, host: str) -> None:
    if not scope.endswith(_SCOPE_END):
        raise SignInRefusal(
            400,
            "invalid_scope",
            1002012,
            f"The provided value for scope {scope} is not valid. Client credential flows must "
            "have a scope value with /.default suffixed to the resource identifier "
            "(application ID URI).",
        )
    resource = scope.removesuffix(_SCOPE_END).rstrip("/")
    if resource.removeprefix("https://").removeprefix("http://") != host:
        raise SignInRefusal(
            400,
            "invalid_resource",
            500011,
            f"The resource principal named {resource} was not found in the tenant.",
        )


def _check_assertion(org: DynamicsOrg, host: str, form: Mapping[str, str]) -> None:
    """Verify a signed assertion: by whom, for whom, until when, with a registered key."""
    if form.get("client_assertion_type") != ASSERTION:
        raise _bad_assertion("The client_assertion_type is not supported.")
    try:
        head, claims, signature = form["client_assertion"].split(".")
        header = json.loads(_decoded(head))
        said = json.loads(_decoded(claims))
        signed = _decoded(signature)
    except (ValueError, binascii.Error) as error:
        raise _bad_assertion("Client assertion is not a valid JWT.") from error
    key = _key(org, header)
    try:
        key.verify(signed, f"{head}.{claims}".encode(), _padding(header), hashes.SHA256())
    except InvalidSignature as error:
        raise _bad_assertion("The key was not used to sign the assertion.") from error
    allowed = {
        f"https://{host}/{org.tenant_id}/oauth2/v2.0/token",
        f"https://{host}/{org.tenant_id}/v2.0",
    }
    if said.get("aud") not in allowed:
        raise _bad_assertion("Client assertion audience claim does not match the endpoint.")
    if said.get("iss") != org.client_id or said.get("sub") != org.client_id:
        raise _bad_assertion("Client assertion contains an invalid issuer or subject.")
    ends = said.get("exp")
    if not isinstance(ends, int | float) or ends <= org.now().timestamp():
        raise SignInRefusal(
            401,
            "invalid_client",
            700024,
            "Client assertion is not within its valid time range.",
        )


def _key(org: DynamicsOrg, header: Mapping[str, Any]) -> rsa.RSAPublicKey:
    """Return the public key of the registered certificate that the header names."""
    named = {str(header.get(name, "")).rstrip("=") for name in ("x5t", "x5t#S256")}
    for pem in org.certificates:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        raw = certificate.public_bytes(serialization.Encoding.DER)
        thumbprints = {
            _encoded(hashlib.sha1(raw, usedforsecurity=False).digest()),
            _encoded(hashlib.sha256(raw).digest()),
        }
        if named & thumbprints:
            key = certificate.public_key()
            if isinstance(key, rsa.RSAPublicKey):
                return key
    raise _bad_assertion("The certificate with identifier used to sign is not registered.")


def _padding(header: Mapping[str, Any]) -> padding.AsymmetricPadding:
    match header.get("alg"):
        case "RS256":
            return padding.PKCS1v15()
        case "PS256":
            return padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
    raise _bad_assertion("The algorithm of the client assertion is not supported.")


def _bad_assertion(text: str) -> SignInRefusal:
    return SignInRefusal(401, "invalid_client", 700027, text)


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
