"""Wrong answers of Salesforce's own: its wording of each status, and lists that are not right."""

import random
from collections.abc import Mapping
from typing import Any

from tieout.simulator import jsonwire
from tieout.simulator.faults import Answer, Asked, Fault, Faults, Transformer
from tieout.simulator.salesforce import queries
from tieout.simulator.salesforce.errors import Refusal
from tieout.simulator.salesforce.oauth import session_invalid
from tieout.simulator.salesforce.org import SalesforceOrg

_WORDS: Mapping[tuple[int, str | None], tuple[str, str]] = {
    (400, "lock"): (
        "UNABLE_TO_LOCK_ROW",
        "unable to obtain exclusive access to this record or 1 records",
    ),
    (400, None): ("UNKNOWN_EXCEPTION", "An unexpected error occurred"),
    (403, "limit"): ("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
    (403, "concurrent"): (
        "REQUEST_LIMIT_EXCEEDED",
        "ConcurrentPerOrgLongTxn Limit exceeded.",
    ),
    (403, None): ("INSUFFICIENT_ACCESS", "insufficient access rights on object id"),
    (500, None): (
        "UNKNOWN_EXCEPTION",
        "An unexpected error occurred. Include this ErrorId if you contact support: 1234567890-1",
    ),
    (503, None): ("SERVER_UNAVAILABLE", "We are down for maintenance"),
}


def faults_of(org: SalesforceOrg) -> Faults:
    """Return the faults of an org: the wire's own, and five wrong answers of lists.

    `drop_item`, `duplicate_item` and `reorder` take a query's records or a collection's results;
    `duplicate_page` and `wrong_page` answer a page that has one after it with the records of the
    page before, or after.
    """

    def spell(fault: Fault, _: Asked) -> Answer:
        refusal = _refusal(fault)
        return Answer(
            fault.status,
            [
                ("content-type", "application/json;charset=UTF-8"),
                ("sforce-limit-info", f"api-usage={len(org.calls)}/{org.daily_limit}"),
            ],
            jsonwire.dumps(refusal.body()),
        )

    transformers: Mapping[str, Transformer] = {
        "drop_item": _drop_item,
        "duplicate_item": _duplicate_item,
        "reorder": _reorder,
        "duplicate_page": lambda _, right, __: _other_page(org, right, -1),
        "wrong_page": lambda _, right, __: _other_page(org, right, 1),
    }
    return Faults(spell, org.now, transformers, seed=org.seed)


def _refusal(fault: Fault) -> Refusal:
    if fault.status == 401:
        return session_invalid()
    told = _WORDS.get((fault.status, fault.spelling)) or _WORDS.get((fault.status, None))
    code, message = told or ("UNKNOWN_EXCEPTION", "An unexpected error occurred")
    return Refusal(fault.status, code, message)


def _drop_item(_: Asked, right: Any, dice: random.Random) -> Any:
    records = _listed(right)
    if records:
        del records[dice.randrange(len(records))]
    return _with(right, records)


def _duplicate_item(_: Asked, right: Any, dice: random.Random) -> Any:
    records = _listed(right)
    if records:
        records.append(records[dice.randrange(len(records))])
    return _with(right, records)


def _reorder(_: Asked, right: Any, dice: random.Random) -> Any:
    records = _listed(right)
    dice.shuffle(records)
    return _with(right, records)


def _other_page(org: SalesforceOrg, right: Any, pages: int) -> Any:
    with org.lock:
        return queries.other_page(org, right, pages) if isinstance(right, dict) else right


def _listed(right: Any) -> list[Any]:
    return list(right if isinstance(right, list) else right.get("records", ()))


def _with(right: Any, records: list[Any]) -> Any:
    if isinstance(right, list):
        return records
    return {**right, "records": records} if "records" in right else right
