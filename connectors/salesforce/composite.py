"""Composite requests: what several parts are asked in one call, and what is said of each.

A call of the day's holds up to 25 parts, five of them queries; each is answered with a status and a
body of its own (REST API Developer Guide, "Composite", "Composite Subrequest Result").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.salesforce.refusals import refusal
from tieout.model.errors import TieoutError
from tieout.transport import Answer, dump_json

COMPOSITE = "composite"
PARTS_AT_ONCE = 25
QUERIES_AT_ONCE = 5


def asking(urls: Sequence[str]) -> bytes:
    """Return the body that asks what is at some addresses; one is refused without the others."""
    return dump_json(
        {
            "allOrNone": False,
            "compositeRequest": [
                {"method": "GET", "url": url, "referenceId": part_name(number)}
                for number, url in enumerate(urls)
            ],
        }
    )


def part_name(number: int) -> str:
    """Return what the part at a place of ``asking`` is called."""
    return f"q{number}"


def composite_parts(answer: Answer) -> Mapping[str, Mapping[str, Any]]:
    """Return the parts of a composite answer by their reference ids.

    Raises:
        Unavailable: the answer has another form (OutcomeUnknown, if it is a write's).
    """
    told = answer.json
    parts = told.get("compositeResponse") if isinstance(told, Mapping) else None
    if not isinstance(parts, list) or not all(isinstance(part, Mapping) for part in parts):
        raise answer.unclear(f"The answer of {answer.route.name} has not the form it should have.")
    return {str(part.get("referenceId")): part for part in parts}


def part_of(parts: Mapping[str, Mapping[str, Any]], name: str, answer: Answer) -> Any:
    """Return the body of one part of a composite answer.

    Raises:
        TieoutError: that part was refused, or is missing.
    """
    refused = refusal_of(parts, name, answer)
    if refused is not None:
        raise refused
    return parts[name].get("body")


def refusal_of(
    parts: Mapping[str, Mapping[str, Any]], name: str, answer: Answer
) -> TieoutError | None:
    """Return what refused one part of a composite answer, None where it was done.

    A part that was not answered is Unavailable (OutcomeUnknown, if it is a write).
    """
    part = parts.get(name)
    status = part.get("httpStatusCode") if part is not None else None
    if part is None or not isinstance(status, int) or status >= 500:
        return answer.unclear(f"A part of {answer.route.name} was answered with {status}.")
    if not 200 <= status < 300:
        return refusal(part.get("body"), str(status), answer.trace_id)
    return None
