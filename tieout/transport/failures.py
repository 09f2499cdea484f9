"""An exchange that ended without an answer: could the request have arrived?"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from http.client import HTTPException

from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationValueError,
    NewConnectionError,
)

from tieout.model.errors import ConfigError, OutcomeUnknown, TieoutError, Unavailable
from tieout.transport.answer import Route
from tieout.transport.redaction import redact

NETWORK_ERRORS = (HTTPError, HTTPException, OSError)  # requests' errors are OSErrors

_CHAIN_LIMIT = 12
_BEFORE_SENDING = (
    NewConnectionError,
    ConnectTimeoutError,
    ConnectionRefusedError,
    socket.gaierror,
    ssl.SSLCertVerificationError,
)
_HANDSHAKE = frozenset(  # reasons that OpenSSL gives only before any request can have been sent
    {
        "CERTIFICATE_VERIFY_FAILED",
        "HTTP_REQUEST",
        "NO_PROTOCOLS_AVAILABLE",
        "SSLV3_ALERT_HANDSHAKE_FAILURE",
        "TLSV1_ALERT_PROTOCOL_VERSION",
        "TLSV1_UNRECOGNIZED_NAME",
        "UNSUPPORTED_PROTOCOL",
        "WRONG_VERSION_NUMBER",
    }
)


def failure(error: Exception, route: Route, address: str) -> TieoutError:
    """Return what a network error means for a call.

    Never connected (name, refused, TLS): Unavailable. Anything later: OutcomeUnknown for a write,
    since it may have arrived, and Unavailable for a read. What cannot be told apart counts as
    later, the safe side.
    """
    causes = list(_chain(error))
    if any(isinstance(cause, LocationValueError) for cause in causes):
        return ConfigError(f"The address {redact(address)} cannot be used.")
    said = redact(f"{type(causes[-1]).__name__}: {causes[-1]}")
    if any(_was_before_sending(cause) for cause in causes):
        return Unavailable(f"{address} could not be reached; nothing was sent ({said}).")
    if route.write:
        return OutcomeUnknown(f"{route.name} was sent and not answered ({said}).")
    return Unavailable(f"{route.name} was not answered ({said}).")


def _was_before_sending(cause: BaseException) -> bool:
    if isinstance(cause, _BEFORE_SENDING):
        return True
    return isinstance(cause, ssl.SSLError) and cause.reason in _HANDSHAKE


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it wraps; never ``__context__``, which may be an earlier call's error."""
    cause: object = error
    for _ in range(_CHAIN_LIMIT):
        if not isinstance(cause, BaseException):
            return
        yield cause
        inner = (getattr(cause, "reason", None), cause.__cause__, *cause.args)
        cause = next((held for held in inner if isinstance(held, BaseException)), None)
