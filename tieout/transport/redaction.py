"""Secrets never reach a log, an error or a report."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

HIDDEN = "[hidden]"
DEPTH_LIMIT = 8
CONCEALED_LIMIT = 512  # secrets in use: three for each company, and what they were before
SHORTEST_CONCEALED = 8  # a shorter text might be a word of an answer

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


class _Concealed:
    """The secrets that this process has used lately, the latest last; replaced whole, for threads.

    ``spellings`` are their forms in a text, the longest first: one may be the beginning of another.
    """

    changing = threading.Lock()
    known: tuple[str, ...] = ()
    spellings: tuple[str, ...] = ()


def conceal(secret: str) -> None:
    """Hide this text from now on wherever it is said back, also as an address or a form spells it.

    The latest ``CONCEALED_LIMIT`` are known; so each use of a secret says it again.
    """
    if len(secret) < SHORTEST_CONCEALED:
        return
    with _Concealed.changing:
        before = _Concealed.known
        others = (one for one in before if one != secret)
        _Concealed.known = (*others, secret)[-CONCEALED_LIMIT:]
        if secret not in before:
            spelled = {form for one in _Concealed.known for form in (one, quote(one, safe=""))}
            _Concealed.spellings = tuple(sorted(spelled, key=len, reverse=True))


def redact(value: Any) -> Any:
    """Return a text, or a structure of them, with every secret hidden.

    A value is hidden when its key sounds secret (Authorization, token, secret, cookie), a part of a
    text when its form is (``access_token=``, ``Bearer``, a HubSpot ``pat-``, ``user:pass@``), and
    wherever it is a secret that this process uses (``conceal``).
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
    for spelling in _Concealed.spellings:
        text = text.replace(spelling, HIDDEN)
    for pattern in _PATTERNS:
        text = pattern.sub(lambda hit: hit[1] + HIDDEN, text)
    return text
