"""What QuickBooks says when it says no, as errors with a next step (R30)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from connectors.quickbooks.facts import facts
from tieout.model.errors import (
    VENDOR_ERRORS,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    TieoutError,
    Unauthorized,
    Unavailable,
)
from tieout.transport import Answer, redact

THROTTLED_SECS = 60.0  # what the vendor asks for after a 429 that names no pause
WORDS_LIMIT = 500
NO_SUCH_WAY = (404, 405, 415)  # this address, or this way of asking, is not served
PRINTED = "read pdf"  # the name of the call that gives a PDF

_CODE = re.compile(r'"code"\s*:\s*"(\d{2,6})"')


class TokenRefused(Unauthorized):
    """QuickBooks does not accept the access token; another one may do. Nothing was done."""


def judge(answer: Answer) -> TieoutError | None:
    """Return the error that a whole answer stands for, None when its body is the answer.

    Decided by status and the vendor's code, in either spelling of a fault (``Fault`` from the
    books, ``fault`` from the gateway before them); never by a library's exception.
    """
    if answer.status == 401:
        return TokenRefused(vendor_code="401", vendor_words=answer.words, trace_id=answer.trace_id)
    if answer.status == 429:
        return _throttled(answer.retry_after_secs, answer.words, answer.trace_id)
    if answer.status == 200 and answer.route.name == PRINTED:
        return None  # its body was given out as it came
    if answer.status >= 500:
        return answer.unclear(f"{answer.route.name} was answered with {answer.status}.")
    if answer.status == 403:
        return _forbidden(answer)
    if answer.status in NO_SUCH_WAY and not answer.route.write and not _is_json(answer):
        return _refused(answer)  # in a framework's own words; a write's are not trusted
    body = answer.json
    if not isinstance(body, dict):
        return answer.unclear(f"The answer of {answer.route.name} is not an object.")
    fault = body.get("Fault") or body.get("fault")
    if fault:
        return error_of(fault, write=answer.route.write, trace_id=answer.trace_id)
    return _refused(answer) if answer.status >= 300 else None


def _is_json(answer: Answer) -> bool:
    try:
        return answer.json is not None
    except TieoutError:
        return False


def _refused(answer: Answer) -> Rejected:
    return Rejected(
        f"QuickBooks answered with {answer.status}.",
        vendor_code=str(answer.status),
        vendor_words=answer.words,
        trace_id=answer.trace_id,
    )


def error_of(fault: Mapping[str, Any], *, write: bool, trace_id: str = "") -> TieoutError:
    """Return the error of a fault: by its code and its words, since codes alone disagree (R30).

    A fault of the system itself, or with no error in it, says nothing about a write.
    """
    errors = fault.get("Error") or fault.get("error") or [{}]
    first = errors if isinstance(errors, Mapping) else errors[0]
    code = str(first.get("code") or "")
    said = " ".join(str(first.get(name) or "") for name in ("Message", "message"))
    detail = str(first.get("Detail") or first.get("detail") or "")
    words = redact(f"{said.strip()}: {detail}".strip(": "))[:WORDS_LIMIT]
    kind = _meaning(code, f"{said} {detail}".lower())
    if kind is None:
        system = str(fault.get("type")).lower() in {"systemfault", "service_fault", "system"}
        kind = OutcomeUnknown if system or not code else Rejected
    if issubclass(kind, OutcomeUnknown) and not write:
        kind = Unavailable
    if kind is RateLimited:
        return _throttled(None, words, trace_id)
    return kind(vendor_code=code, vendor_words=words, trace_id=trace_id)


def _forbidden(answer: Answer) -> TieoutError:
    """A 403 did nothing, whoever words it: the books (3100, another company's token) or a gateway.

    Its code is kept where the body says one.
    """
    code = _CODE.search(answer.words)
    return Unauthorized(
        "QuickBooks does not let us into this company.",
        vendor_code=code[1] if code else "403",
        vendor_words=answer.words,
        trace_id=answer.trace_id,
    )


def _throttled(after_secs: float | None, words: str, trace_id: str) -> RateLimited:
    return RateLimited(
        after_secs=THROTTLED_SECS if after_secs is None else after_secs,
        vendor_words=words,
        trace_id=trace_id,
    )


def _meaning(code: str, words: str) -> type[TieoutError] | None:
    for says, kind in _meanings().get(code, ()):
        if says in words:
            return kind
    return None


@lru_cache(maxsize=1)
def _meanings() -> Mapping[str, tuple[tuple[str, type[TieoutError]], ...]]:
    by_code: dict[str, tuple[tuple[str, type[TieoutError]], ...]] = {}
    for row in facts().meanings:
        held = by_code.get(row.code, ())
        by_code[row.code] = (*held, (row.says.lower(), VENDOR_ERRORS[row.error]))
    return by_code
