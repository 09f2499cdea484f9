"""What a refusal of Salesforce's is to us, by its code; its library's classes say too little.

A whole call is refused with ``[{"errorCode", "message"}]``, one record of a collection with
``{"statusCode", "message", "fields"}`` (page "Status Codes and Error Responses").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.salesforce.facts import facts
from tieout.model.errors import (
    VENDOR_ERRORS,
    RateLimited,
    Rejected,
    TieoutError,
    Unauthorized,
    Unsupported,
    ValueRefused,
)
from tieout.transport import Answer, parse_json, redact

WORDS_LIMIT = 500
LOCKED_SECS = 5.0  # a row's lock is waited for ten seconds before it is refused
BUSY_SECS = 20.0  # a call counts as running long from here on
THROTTLED = "429"  # whatever its code says: a proxy before the org may answer so
NO_FIELD = frozenset({"INVALID_FIELD", "INVALID_TYPE"})
EXPIRED_LOCATOR = "INVALID_QUERY_LOCATOR"

_OF_ONE = frozenset(
    {"sobjects", "describe", "write sobjects", "jobs", "file"}
)  # a record or kind may be absent
_FIELD_REMEDY = (
    "Run `tieout provision COMPANY`, give the user the right to the field, or correct its name in "
    "the mapping; then `tieout tasks answer ID retry`."
)
_SIGN_IN_REMEDY = (
    "Check the app's client id, its user and what it may do in Salesforce; the queue is kept."
)
_SAID: Mapping[str, str] = {
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": "A validation rule of the org refused the change.",
    "DUPLICATES_DETECTED": "A duplicate rule of the org refused the change.",
    "UNABLE_TO_LOCK_ROW": "Somebody else is writing the record; nothing was done.",
    "ENTITY_IS_LOCKED": "An approval in Salesforce locks the record.",
    "REQUEST_LIMIT_EXCEEDED": "The org's API calls of the last 24 hours are used up.",
    "INSUFFICIENT_ACCESS_OR_READONLY": "The user may not change this record.",
}
_REMEDIES: Mapping[str, str] = {  # of what an org's own locks on closed opportunities answer
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": "Except Tieout's user from the rule, as by "
    "$Permission or $User.Username in its formula; then `tieout tasks answer ID retry`.",
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": "Except Tieout's user from the trigger or flow that "
    "refused it; then `tieout tasks answer ID retry`.",
    "ENTITY_IS_LOCKED": "Let the approval end, or give Tieout's user the right to edit locked "
    "records; then `tieout tasks answer ID retry`.",
}


class TokenRefused(Unauthorized):
    """Salesforce does not accept the session: nothing was done."""


def judge(answer: Answer) -> TieoutError | None:
    """Return the error that an answer stands for, None if its body is the answer."""
    if 200 <= answer.status < 300:
        return None
    if answer.status >= 500 or answer.status < 400:
        return answer.unclear(f"{answer.route.name} was answered with {answer.status}.")
    try:
        said = parse_json(answer.body)
    except ValueRefused:
        said = [{"message": answer.words}]
    error = refusal(said, str(answer.status), answer.trace_id, answer.retry_after_secs)
    if answer.status == 404 and answer.route.name not in _OF_ONE:
        return Unsupported(
            "The org has no such address.",
            remedy="Set `version` in the company's options to one that the org has, as 66.0.",
            vendor_code=error.vendor_code,
            vendor_words=error.vendor_words,
        )
    if answer.status == 401:
        return TokenRefused(
            "Salesforce does not accept the session.",
            remedy=_SIGN_IN_REMEDY,
            vendor_code=error.vendor_code,
            vendor_words=error.vendor_words,
        )
    return error


def refusal(
    said: Any, status: str = "", trace_id: str = "", after_secs: float | None = None
) -> TieoutError:
    """Return the error for what Salesforce told, with its own words and code."""
    told = said[0] if isinstance(said, list) and said else said
    told = told if isinstance(told, Mapping) else {}
    code = str(told.get("errorCode") or told.get("statusCode") or "")
    known = facts().errors
    named = known[status] if status == THROTTLED else known.get(code) or known.get(status)
    kind = VENDOR_ERRORS.get(named or "", Rejected)
    message = redact(str(told.get("message") or ""))[:WORDS_LIMIT]
    words: dict[str, str] = {
        "vendor_code": code or status,
        "vendor_words": _with_fields(message, told.get("fields")),
        "trace_id": trace_id,
    }
    what = _SAID.get(code, "")
    if code == "UNABLE_TO_LOCK_ROW":
        return RateLimited(what, after_secs=LOCKED_SECS, **words)
    if code == "REQUEST_LIMIT_EXCEEDED" and "concurrent" in message.lower():
        return RateLimited("Too many calls are in flight.", after_secs=BUSY_SECS, **words)
    if kind is RateLimited:
        return RateLimited(what, after_secs=after_secs, **words)
    if code in NO_FIELD or code == "INVALID_FIELD_FOR_INSERT_UPDATE":
        return kind("Salesforce does not show or take a field.", remedy=_FIELD_REMEDY, **words)
    if kind is Unauthorized:
        return kind(what, remedy=_SIGN_IN_REMEDY, **words)
    return kind(what, remedy=_REMEDIES.get(code, ""), **words)


def _with_fields(message: str, fields: object) -> str:
    """Return a message with the fields that it is about, where it does not name them itself."""
    named = [str(one) for one in fields] if isinstance(fields, list) else []
    lacking = [one for one in named if one not in message]
    return f"{message} ({', '.join(lacking)})" if lacking else message
