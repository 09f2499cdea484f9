"""Secrets never reach a log, an error or a report."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "[hidden]"
DEPTH_LIMIT = 8

_SECRET_NAME = re.compile(
    r"authorization|token|secret|password|passwd|api[-_]?key|cookie|signature|credential"
    r"|^code$|^refresh$",
    re.IGNORECASE,
)
_PATTERNS = (
    re.compile(
        r"([?&](?:access_token|refresh_token|id_token|client_secret|hapikey|code|state)=)[^&\s\"']+",
        re.IGNORECASE,
    ),
    re.compile(r"(\b(?:Bearer|Basic)\s+)[A-Za-z0-9._~+/=-]{4,}", re.IGNORECASE),
    re.compile(
        r"(\"(?:access_token|refresh_token|id_token|client_secret|password)\"\s*:\s*\")[^\"]+",
        re.IGNORECASE,
    ),
    re.compile(r"(\bpat-[a-z]{2,4}\d?-)[0-9a-f-]{8,}", re.IGNORECASE),
    re.compile(r"(//)[^/@\s:]+:[^/@\s]+@"),
)


def redact(value: Any) -> Any:
    """Return a text, or a structure of them, with every secret hidden.

    A value is hidden when its key sounds secret (Authorization, token, secret, cookie), a part of a
    text when its form is (``access_token=``, ``Bearer``, a HubSpot ``pat-``, ``user:pass@``).
    """
    return _redacted(value, DEPTH_LIMIT)


def _redacted(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping | list | tuple) and not depth:
        return "…"
    if isinstance(value, Mapping):
        return {
            key: HIDDEN
            if isinstance(key, str) and isinstance(held, str | bytes) and _SECRET_NAME.search(key)
            else _redacted(held, depth - 1)
            for key, held in value.items()
        }
    if isinstance(value, list | tuple):
        return [_redacted(held, depth - 1) for held in value]
    return value


def _text(text: str) -> str:
    for pattern in _PATTERNS:
        text = pattern.sub(lambda hit: hit[1] + HIDDEN, text)
    return text
