"""How the gateway before the books words its refusals, and answers that come out wrong.

The gateway has two spellings: `Fault` with capitals, as the books have, and `fault` without.
"""

import re
from collections.abc import Callable, Mapping
from random import Random
from typing import Any
from urllib.parse import parse_qsl

from tieout.simulator import jsonwire
from tieout.simulator.faults import Answer, Asked, Fault, Transformer
from tieout.simulator.quickbooks import query
from tieout.simulator.quickbooks.company import QuickBooksCompany
from tieout.simulator.quickbooks.refusals import Json, Refused, lower_case_fault

THROTTLED = "message=ThrottleExceeded; errorCode=003001; statusCode=429"
THROTTLED_DETAIL = "The request limit was reached.  Try again later"

_JSON_HEADERS = (("content-type", "application/json"), ("intuit_tid", "1-00000000-fault"))


class Spelling:
    """Chooses the spelling of a 429: always one, or each in turn."""

    def __init__(self, how: str) -> None:
        if how not in {"Fault", "fault", "alternate"}:
            raise ValueError(f"no spelling {how!r}: Fault, fault or alternate")
        self._how = how
        self._count = 0

    def throttled(self, time_millis: int) -> tuple[int, Json]:
        """Return status and body of a refusal for asking too fast."""
        self._count += 1
        capital = self._how == "Fault" or (self._how == "alternate" and self._count % 2 == 1)
        return throttled(time_millis, capital=capital)


def throttled(time_millis: int, *, capital: bool) -> tuple[int, Json]:
    """Return 429 with code 3001 in one of its spellings."""
    if not capital:
        return 429, lower_case_fault("3001", THROTTLED, THROTTLED_DETAIL, "SERVICE", time_millis)
    refusal = Refused("3001", THROTTLED, THROTTLED_DETAIL, status=429, fault="SERVICE")
    return 429, refusal.body()


def unauthenticated(time_millis: int) -> tuple[int, Json]:
    """Return 401: no token, an expired or a revoked one."""
    return 401, lower_case_fault(
        "3200",
        "message=AuthenticationFailed; errorCode=003200; statusCode=401",
        "Token expired or revoked",
        "AUTHENTICATION",
        time_millis,
    )


def forbidden(time_millis: int) -> tuple[int, Json]:
    """Return 403: the token is another company's."""
    return 403, lower_case_fault(
        "3100",
        "message=ApplicationAuthorizationFailed; errorCode=003100; statusCode=403",
        "The token does not belong to this company",
        "AUTHORIZATION",
        time_millis,
    )


def not_understood() -> tuple[int, Json]:
    """Return 415: the body's type is not one that this address takes."""
    refusal = Refused("415", "Unsupported Media Type", "Content-Type is not supported", status=415)
    return 415, refusal.body()


def spell(fault: Fault, _asked: Asked) -> Answer:
    """Word a `status` fault; its `spelling` is Fault (the default) or fault."""
    match fault.status:
        case 401:
            status, body = unauthenticated(0)
        case 403:
            status, body = forbidden(0)
        case 429:
            status, body = throttled(0, capital=fault.spelling != "fault")
        case 503:
            return Answer(503, (("content-type", "text/plain"),), b"Service Unavailable")
        case _:
            refusal = Refused(
                "10000",
                "An application error has occurred while processing your request",
                "System Failure Error: an unexpected internal error",
                status=fault.status,
                fault="SystemFault",
            )
            status, body = refusal.status, refusal.body()
    return Answer(status, _JSON_HEADERS, jsonwire.dumps(body))


def transformers(companies: Mapping[str, QuickBooksCompany]) -> Mapping[str, Transformer]:
    """Return the wrong answers that can be asked for as faults.

    `omit_batch_item`: an item was done and is missing from the answer. `reorder_batch`: the
    answers come in another order. `duplicate_page`: a page of a query comes again instead of the
    next. `short_page`: a page lacks its last record.
    """
    return {
        "omit_batch_item": _omit_batch_item,
        "reorder_batch": _reorder_batch,
        "duplicate_page": _duplicate_page(companies),
        "short_page": _short_page,
    }


def _omit_batch_item(_asked: Asked, answer: Any, dice: Random) -> Any:
    items = answer.get("BatchItemResponse")
    if items:
        del items[dice.randrange(len(items))]
    return answer


def _reorder_batch(_asked: Asked, answer: Any, dice: Random) -> Any:
    dice.shuffle(answer.get("BatchItemResponse", []))
    return answer


def _short_page(_asked: Asked, answer: Any, _dice: Random) -> Any:
    for found in answer.get("QueryResponse", {}).values():
        if isinstance(found, list):
            found.pop()
    return answer


def _duplicate_page(companies: Mapping[str, QuickBooksCompany]) -> Callable[..., Any]:
    def transform(asked: Asked, answer: Any, _dice: Random) -> Any:
        path = re.fullmatch(r"/v3/company/([^/]+)/query", asked.path)
        if path is None or path[1] not in companies:
            return answer
        text = dict(parse_qsl(asked.query)).get("query") or asked.body.decode()
        earlier = re.sub(r"(?i)startposition\s+\d+", "STARTPOSITION 1", text)
        return {**answer, "QueryResponse": query.run(companies[path[1]], earlier)}

    return transform
