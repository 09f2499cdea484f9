"""What can go wrong between a connector and its system, and what was seen of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

RETRY_AFTER_SECS = 7  # what a throttled call is asked to wait
RETRY_DATE_SECS = 30  # the same as a date, so far from the server's now


class Fault(StrEnum):
    """What can go wrong on the wire."""

    DROP = "drop"  # the connection ends, and nothing was done
    LOSE_ANSWER = "lose_answer"  # it was done, and the connection ends
    CUT_ANSWER = "cut_answer"  # it was done, and half of the answer comes
    SERVER_ERROR = "server_error"  # 500
    UNAVAILABLE = "unavailable"  # 503
    GATEWAY_PAGE = "gateway_page"  # HTML of whoever stands in between
    NOT_JSON = "not_json"
    UNAUTHORIZED = "unauthorized"  # 401
    THROTTLE = "throttle"  # 429, with the pause in seconds
    THROTTLE_UNTIL = "throttle_until"  # 429, with the pause as a date
    OMIT_ITEM = "omit_item"  # all was done, and a batch's answer leaves one item out
    REORDER = "reorder"  # a batch's answer has its items in another order
    SHORT_PAGE = "short_page"  # a list lacks a row that it should have
    WRONG_PAGE = "wrong_page"  # a list's page is another one


SILENCES = (
    Fault.DROP,
    Fault.LOSE_ANSWER,
    Fault.CUT_ANSWER,
    Fault.SERVER_ERROR,
    Fault.UNAVAILABLE,
    Fault.GATEWAY_PAGE,
    Fault.NOT_JSON,
)
"""After these nothing is known: not whether a write was done, not whether a record is there."""

SPELLINGS: Mapping[Fault, Mapping[str, Any]] = {
    Fault.DROP: {"fault": "refuse"},
    Fault.LOSE_ANSWER: {"fault": "lose_answer"},
    Fault.CUT_ANSWER: {"fault": "cut_body"},
    Fault.SERVER_ERROR: {"fault": "status", "status": 500},
    Fault.UNAVAILABLE: {"fault": "status", "status": 503},
    Fault.GATEWAY_PAGE: {"fault": "html", "status": 502},
    Fault.NOT_JSON: {"fault": "not_json"},
    Fault.UNAUTHORIZED: {"fault": "status", "status": 401},
    Fault.THROTTLE: {"fault": "status", "status": 429, "retry_after": RETRY_AFTER_SECS},
    Fault.THROTTLE_UNTIL: {
        "fault": "status",
        "status": 429,
        "retry_after": "date",
        "seconds": RETRY_DATE_SECS,
    },
}
"""How ``tieout.simulator.faults`` is asked for each; what is a system's own, its bench adds."""


@dataclass(frozen=True, slots=True)
class Calls:
    """Which requests are meant: by regular expressions searched in their path and body."""

    path: str = ""
    body: str = ""


@dataclass(slots=True)
class Wire:
    """What was seen of some requests: how many came, known when the watching has ended."""

    requests: int = 0
