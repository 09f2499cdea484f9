"""Signed assertions: an RS256 JSON Web Token, checked against the app's certificate (RFC 7515)."""

import base64
import binascii
import json
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate

MAX_CHARS = 10_000


def claims_of(token: str) -> dict[str, Any]:
    """Return what a token claims, believed or not.

    Raises:
        ValueError: it is no token signed by RS256.
    """
    parts = token.split(".")
    if len(token) > MAX_CHARS or len(parts) != 3:
        raise ValueError("not a signed token")
    head, claims = (json.loads(_bytes(part)) for part in parts[:2])
    if not isinstance(head, dict) or head.get("alg") != "RS256" or not isinstance(claims, dict):
        raise ValueError("not signed by RS256")
    return claims


def signed_by(token: str, certificate: str) -> bool:
    """Tell whether the certificate's key (or a bare public key, PEM) signed the token."""
    said, _, signature = token.rpartition(".")
    pem = certificate.encode()
    if b"BEGIN CERTIFICATE" in pem:
        key: Any = load_pem_x509_certificate(pem).public_key()
    else:
        key = load_pem_public_key(pem)
    if not isinstance(key, RSAPublicKey):
        return False
    try:
        key.verify(_bytes(signature), said.encode(), PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


def _bytes(part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except binascii.Error as error:
        raise ValueError("not base64url") from error
