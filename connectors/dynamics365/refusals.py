"""What a refusal of Dataverse's is to us: the code is looked up first, then the status.

The same is done for one part of a batch. A code may stand as ``0x80040217`` or as a signed number;
older answers leave it empty (page "Web service error codes").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from connectors.dynamics365.facts import facts
from tieout.model.errors import (
    VENDOR_ERRORS,
    Duplicate,
    QuotaExhausted,
    RateLimited,
    Rejected,
    StaleVersion,
    TieoutError,
    Unauthorized,
    Unsupported,
    ValueRefused,
)
from tieout.transport import Answer, parse_json, redact

TRACE_HEADER = "req_id"
WORDS_LIMIT = 500
KEY_REMEDY = (
    "Check the app's secret or certificate and its application user in the Power Platform admin "
    "center; the queue is kept."
)
_RIGHT_REMEDY = (
    "Give the application user's security role the privilege that it names; the queue is kept."
)
_COLUMN_REMEDY = (
    "Run `tieout provision COMPANY`, or correct the name in the mapping; then "
    "`tieout tasks answer ID retry`."
)
TRACKING_REMEDY = (
    "In Power Apps open the table's properties, advanced options, and choose “Track changes”: it "
    "cannot be taken back."
)
CLOSED = "0x80040515"
_CLOSED_REMEDY = (
    "Set `options: {outcome: child}` for this company and run `tieout provision`: outcomes then "
    "have a table of their own. Then `tieout tasks answer ID retry`."
)
_NO_COLUMN = re.compile(r"property named|attribute|column", re.IGNORECASE)
_SIGNED = re.compile(r"-\d{6,12}", re.ASCII)


class NoSuchColumn(Unsupported):
    """The table has no such column (any more)."""

    remedy = _COLUMN_REMEDY


class Expired(Rejected):
    """The delta link is too old."""

    remedy = "Nothing to do: the table is read whole and compared."


class TokenRefused(Unauthorized):
    """The token is not accepted: another may be, and nothing was done."""


def judge(answer: Answer) -> TieoutError | None:
    """Return the error that an answer, or that to a part of a batch, stands for; None for none."""
    if 200 <= answer.status < 300:
        return None
    if answer.status >= 500 or answer.status < 400:
        return answer.unclear(f"{answer.route.name} was answered with {answer.status}.")
    told = _error(answer.body)
    code = _code(told.get("code"))
    words: dict[str, str] = {
        "vendor_code": code or str(answer.status),
        "vendor_words": str(redact(str(told.get("message") or answer.words)))[:WORDS_LIMIT],
        "trace_id": answer.trace_id,
    }
    if answer.status == 401:
        return TokenRefused("Dataverse does not accept the token.", remedy=KEY_REMEDY, **words)
    if answer.status == 412:
        return _precondition(code, words)
    return _refusal(answer, code, words)


def _refusal(answer: Answer, code: str, words: Mapping[str, str]) -> TieoutError:
    known = facts()
    if code in known.expired or answer.status == 410:
        return Expired("The delta link is too old.", **words)
    if code in known.no_such_column and _NO_COLUMN.search(words["vendor_words"]):
        return NoSuchColumn(**words)
    if code in known.untracked:
        return Unsupported(
            "Dynamics does not track the changes of this table.",
            remedy=TRACKING_REMEDY,
            **words,
        )
    status = str(answer.status)
    found = VENDOR_ERRORS[
        next((known.errors[one] for one in (code, status) if one in known.errors), "rejected")
    ]
    if found is RateLimited or (answer.status == 429 and not code):
        return RateLimited(after_secs=answer.retry_after_secs, **words)
    if answer.status == 429:  # none of the three codes of service protection
        return QuotaExhausted("The requests that the licence allows are used up.", **words)
    if found is Unauthorized:
        return Unauthorized("The application user may not do this.", remedy=_RIGHT_REMEDY, **words)
    if code == CLOSED:
        return Rejected("A closed opportunity takes no writes.", remedy=_CLOSED_REMEDY, **words)
    return found(**words)


def _precondition(code: str, words: Mapping[str, str]) -> TieoutError:
    """A 412 is a version that moved, or a duplicate rule that found others.

    Pages "Perform conditional operations" and "Detect duplicate data using the Web API".
    """
    if VENDOR_ERRORS.get(facts().errors.get(code, "")) is Duplicate:
        return Duplicate(
            "A duplicate detection rule of the organization found others like it.", **words
        )
    return StaleVersion(**words)


def _error(body: bytes) -> Mapping[str, Any]:
    try:
        said = parse_json(body)
    except ValueRefused:
        return {}
    told = said.get("error") if isinstance(said, Mapping) else None
    return told if isinstance(told, Mapping) else {}


def _code(said: object) -> str:
    """Return a code as ``0x80040217``; it may be a signed number of 32 bits."""
    text = str(said or "").strip()
    if _SIGNED.fullmatch(text):
        return f"0x{int(text) & 0xFFFFFFFF:08x}"
    return text.lower()
