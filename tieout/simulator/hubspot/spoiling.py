"""Wrong answers of HubSpot's own: its wording of each status, and pages that are not the page."""

import json
import random
from collections.abc import Mapping
from typing import Any

from tieout.simulator import jsonwire
from tieout.simulator.faults import Answer, Asked, Fault, Faults, Transformer
from tieout.simulator.hubspot import access, objects
from tieout.simulator.hubspot.call import Call
from tieout.simulator.hubspot.errors import Refusal
from tieout.simulator.hubspot.portal import HubSpotPortal
from tieout.simulator.hubspot.search import Searcher

_EXPIRED_SECS = 60
_OTHER_WORDS: Mapping[int, tuple[str, str]] = {
    403: ("FORBIDDEN", "This account can't make calls to this resource."),
    404: ("OBJECT_NOT_FOUND", "resource not found"),
    423: ("LOCKED", "Large volumes of data over a short period: this record is locked."),
    477: ("MIGRATION_IN_PROGRESS", "Migration in progress"),
    500: ("INTERNAL_ERROR", "internal error"),
    502: ("BAD_GATEWAY", "bad gateway"),
    503: ("SERVICE_UNAVAILABLE", "service unavailable"),
    504: ("TIMEOUT", "timeout"),
}


def faults_of(portal: HubSpotPortal, searcher: Searcher) -> Faults:
    """Return the faults of a portal: the wire's own, and five wrong answers of lists.

    `drop_item`, `duplicate_item`, `reorder`, `duplicate_page` (a search's page before, again) and
    `wrong_page` (the page after).
    """

    def spell(fault: Fault, _: Asked) -> Answer:
        refusal = _refusal(portal, fault)
        correlation_id = portal.new_correlation_id()
        return Answer(
            fault.status,
            [
                ("content-type", "application/json;charset=utf-8"),
                ("x-hubspot-correlation-id", correlation_id),
            ],
            jsonwire.dumps(refusal.body(correlation_id)),
        )

    transformers: Mapping[str, Transformer] = {
        "drop_item": _drop_item,
        "duplicate_item": _duplicate_item,
        "reorder": _reorder,
        "duplicate_page": lambda asked, right, _: _other_page(portal, searcher, asked, right, -1),
        "wrong_page": lambda asked, right, _: _other_page(portal, searcher, asked, right, 1),
    }
    return Faults(spell, portal.now, transformers, seed=portal.seed)


def _refusal(portal: HubSpotPortal, fault: Fault) -> Refusal:
    match fault.status, fault.spelling:
        case 429, "daily":
            return access.RateRefusal("DAILY", by_category=False)
        case 429, "secondly":
            return access.RateRefusal("SECONDLY", by_category=False)
        case 429, _:
            return access.RateRefusal("TEN_SECONDLY_ROLLING", by_category=True)
        case 401, "expired":
            present = portal.present()
            return access.expired_token(present - _EXPIRED_SECS * 1000, present)
        case 401, _:
            return access.not_authenticated()
        case status, _:
            category, message = _OTHER_WORDS.get(status, ("UNKNOWN", "something went wrong"))
            return Refusal(status, category, message)


def _drop_item(_: Asked, right: Any, dice: random.Random) -> Any:
    results = list(right.get("results", ()))
    if results:
        del results[dice.randrange(len(results))]
    return {**right, "results": results}


def _duplicate_item(_: Asked, right: Any, dice: random.Random) -> Any:
    results = list(right.get("results", ()))
    if results:
        results.append(results[dice.randrange(len(results))])
    return {**right, "results": results}


def _reorder(_: Asked, right: Any, dice: random.Random) -> Any:
    results = list(right.get("results", ()))
    dice.shuffle(results)
    return {**right, "results": results}


def _other_page(
    portal: HubSpotPortal, searcher: Searcher, asked: Asked, right: Any, pages: int
) -> Any:
    """Return a search's answer with the results of another page, its paging as it should be."""
    if not asked.path.endswith("/search"):
        return right
    body = json.loads(asked.body)
    after = int(body.get("after") or 0) + pages * int(body.get("limit", 10))
    words = {"kind": asked.path.split("/")[-2], "version": ""}
    other = {**body, "after": str(max(after, 0))}
    with portal.lock:
        reply = objects.search(Call(portal, searcher, words, {}, other))
    return {**right, "results": reply.content["results"]}
