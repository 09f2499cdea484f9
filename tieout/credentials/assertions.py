"""A signed assertion: who we are, proven by a private key and good for some seconds."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tieout.model.errors import Unauthorized
from tieout.transport import dump_json

_HEADER = {"alg": "RS256", "typ": "JWT"}


def signed(claims: Mapping[str, Any], private_key: str) -> str:
    """Return a JSON Web Token of these claims, signed with an RSA key (RFC 7515, RS256).

    Args:
        claims: what is asserted; numbers are whole.
        private_key: the key as PEM, without a passphrase.

    Raises:
        Unauthorized: it is no such key.
    """
    key = rsa_key(private_key)
    told = b".".join(_letters(dump_json(part)) for part in (_HEADER, claims))
    return b".".join((told, _letters(key.sign(told, PKCS1v15(), SHA256())))).decode()


def rsa_key(private_key: str) -> RSAPrivateKey:
    """Return the key that a text is.

    Raises:
        Unauthorized: it is no RSA key in PEM without a passphrase.
    """
    try:
        key = load_pem_private_key(private_key.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise Unauthorized(
            "The private key is no RSA key in PEM without a passphrase.",
            remedy="Put the key there whose certificate the app has; the queue is kept.",
        )
    return key


def _letters(part: bytes) -> bytes:
    return base64.urlsafe_b64encode(part).rstrip(b"=")
