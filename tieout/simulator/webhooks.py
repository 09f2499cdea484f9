"""What a vendor sends by itself: one request to the address that the app's owner gave it."""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Mapping
from http.client import HTTPConnection
from urllib.parse import urlsplit

ANSWER_SECS = 10


def signature(secret: str, signed: bytes) -> str:
    """Return base64 of the HMAC-SHA256, as HubSpot and Intuit both write it."""
    return b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()


def post(url: str, headers: Mapping[str, str], body: bytes) -> int:
    """Send a webhook over plain HTTP on this machine; return the status of the answer."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    connection = HTTPConnection(parts.hostname, parts.port, timeout=ANSWER_SECS)
    try:
        connection.request("POST", path, body, {"Content-Type": "application/json", **headers})
        return connection.getresponse().status
    finally:
        connection.close()
