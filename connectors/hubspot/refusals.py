"""What a refusal of HubSpot's is to us.

Every part of an error may be missing (page "Error handling"): the code is looked up first, then
the category, then the status. The same is done for one entry of a batch's ``errors``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from connectors.hubspot.facts import facts
from tieout.model.errors import (
    VENDOR_ERRORS,
    QuotaExhausted,
    RateLimited,
    Rejected,
    TieoutError,
    Unauthorized,
    ValueRefused,
)
from tieout.transport import Answer, parse_json, redact

TRACE_HEADER = "x-hubspot-correlation-id"
WORDS_LIMIT = 500
LOCKED_SECS = 2.0  # the pause that HubSpot asks for after 423
DAILY = "DAILY"
POLICY_SECS = {"SECONDLY": 1.0, "TEN_SECONDLY_ROLLING": 10.0}  # its windows (page "API usage")
KEY_REMEDY = (
    "Put a service key that is in force where the configuration names one, or run `tieout connect "
    "COMPANY` where an OAuth app has none; the queue is kept."
)
_CODE_IN_WORDS = re.compile(r'"(?:error|code)"\s*:\s*"([A-Z][A-Z_]+)"')
_PROPERTY_REMEDY = (
    "Run `tieout provision COMPANY`, or correct the name in the mapping; then "
    "`tieout tasks answer ID retry`."
)
_SCOPE_REMEDY = "Give the key the scope that it names, in HubSpot's settings; the queue is kept."


class TokenRefused(Unauthorized):
    """HubSpot does not accept the key or the token; another one may do. Nothing was done."""


def judge(answer: Answer) -> TieoutError | None:
    """Return the error that an answer stands for, None if its body is the answer."""
    if 200 <= answer.status < 300:
        return None
    if answer.status >= 500 or answer.status < 400:
        return answer.unclear(f"{answer.route.name} was answered with {answer.status}.")
    try:
        said = parse_json(answer.body)
    except ValueRefused:
        said = {"message": answer.words}
    told = said if isinstance(said, Mapping) else {}
    return refusal(told, str(answer.status), answer.trace_id, answer.retry_after_secs)


def refusal(
    told: Mapping[str, Any], status: str, trace_id: str, after_secs: float | None = None
) -> TieoutError:
    """Return the error for what HubSpot told, with its own words and code."""
    known = facts().errors
    codes = [code for code in _codes(told) if code]
    code = next((code for code in [*codes, status] if code in known), "")
    kind = VENDOR_ERRORS[known[code]] if code else Rejected
    words: dict[str, str] = {
        "vendor_code": codes[0] if codes else status,
        "vendor_words": redact(str(told.get("message", "")))[:WORDS_LIMIT],
        "trace_id": trace_id or str(told.get("correlationId", "")),
    }
    if kind is RateLimited:
        if told.get("policyName") == DAILY:
            return QuotaExhausted("The day's calls of this HubSpot account are used up.", **words)
        named = LOCKED_SECS if status == "423" else POLICY_SECS.get(str(told.get("policyName")))
        return RateLimited(after_secs=named if after_secs is None else after_secs, **words)
    if kind is Unauthorized and status == "401":
        return TokenRefused("HubSpot does not accept the key.", remedy=KEY_REMEDY, **words)
    if code == "PROPERTY_DOESNT_EXIST":
        return kind(remedy=_PROPERTY_REMEDY, **words)
    if "MISSING_SCOPES" in codes:
        return kind(f"The key lacks a scope: {_scopes(told)}.", remedy=_SCOPE_REMEDY, **words)
    return kind(**words)


def context_ids(told: Mapping[str, Any], *names: str) -> Iterator[str]:
    """Yield the values that an error's context holds under these names."""
    context = told.get("context")
    if not isinstance(context, Mapping):
        return
    for name in names:
        held = context.get(name) or ()
        yield from (str(one) for one in (held if isinstance(held, list) else [held]) if one)


def _codes(told: Mapping[str, Any]) -> Iterator[str]:
    """Yield the codes of an error, the most telling first; some stand only within its message."""
    for detail in _details(told):
        yield str(detail.get("code") or "")
    yield from _CODE_IN_WORDS.findall(str(told.get("message") or ""))
    yield str(told.get("subCategory") or "")
    yield str(told.get("category") or "")
    yield str(told.get("errorType") or "")


def _scopes(told: Mapping[str, Any]) -> str:
    named = (
        scope
        for detail in _details(told)
        for scope in context_ids(detail, "requiredGranularScopes")
    )
    return ", ".join(sorted(set(named))) or "see its words"


def _details(told: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    held = told.get("errors")
    yield from (one for one in held or () if isinstance(one, Mapping))
