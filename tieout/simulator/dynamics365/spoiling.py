"""Wrong answers of Dataverse's own: its wording of each status, and pages that are not the page."""

import random
from collections.abc import Mapping
from typing import Any

from tieout.simulator import jsonwire
from tieout.simulator.dynamics365 import gate, throttle
from tieout.simulator.dynamics365.call import Call, read_query, split_path
from tieout.simulator.dynamics365.org import DynamicsOrg, Grant
from tieout.simulator.dynamics365.paging import unpack
from tieout.simulator.dynamics365.refusals import Refusal, version_moved
from tieout.simulator.dynamics365.routes import answer
from tieout.simulator.dynamics365.tracking import TRACK
from tieout.simulator.faults import Answer, Asked, Fault, Faults, Transformer

NEXT = "@odata.nextLink"
_WAIT_SECS = 5
_OTHER_WORDS: Mapping[int, tuple[str, str]] = {
    400: ("0x80040203", "Invalid argument"),
    403: ("0x80040220", "SecLib::CheckPrivilege failed."),
    404: ("0x80040217", "The specified object was not found."),
    413: ("0x80060888", "The request is too large."),
    500: ("0x80040216", "An unexpected error occurred."),
    502: ("0x80040216", "Bad gateway"),
    503: ("0x80040216", "The service is unavailable."),
    504: ("0x80040216", "The gateway timed out."),
}


def faults_of(org: DynamicsOrg) -> Faults:
    """Return the faults of an organization: the wire's own, and seven wrong answers of lists.

    `drop_item`, `duplicate_item`, `reorder`, `duplicate_page` (the first page again),
    `wrong_page` (the page after), `circle` (a later page leads back to the second), and
    `drop_delta` (the last page without its link). Of a batch's answer the items are its parts.
    """

    def spell(fault: Fault, asked: Asked) -> Answer:
        refusal = _refusal(org, fault, asked)
        return Answer(
            refusal.status,
            [
                ("content-type", "application/json; odata.metadata=minimal"),
                ("odata-version", "4.0"),
                *((name.lower(), value) for name, value in refusal.headers.items()),
            ],
            jsonwire.dumps(refusal.body()),
        )

    transformers: Mapping[str, Transformer] = {
        "drop_item": _drop_item,
        "duplicate_item": _duplicate_item,
        "reorder": _reorder,
        "duplicate_page": lambda asked, right, _: _first_page(org, asked, right),
        "wrong_page": lambda asked, right, _: _next_page(org, asked, right),
        "circle": lambda asked, right, _: _circle(org, asked, right),
        "drop_delta": _drop_delta,
    }
    return Faults(spell, org.now, transformers, seed=org.seed, read=_read, write=_write)


def _refusal(org: DynamicsOrg, fault: Fault, asked: Asked) -> Refusal:
    wait = 0.0 if fault.retry_after is not None else float(_WAIT_SECS)
    match fault.status, fault.spelling:
        case 429, "time":
            return _bare(throttle.time_spent(wait), fault)
        case 429, "concurrent":
            return _bare(throttle.too_many_at_once(org.limits.at_once), fault)
        case 429, _:
            return _bare(throttle.too_many(org.limits.requests, wait), fault)
        case 401, _:
            return gate.not_signed_in(org, asked.headers.get("host", ""))
        case 412, _:
            return version_moved()
        case 500, "sql_timeout":
            return Refusal(500, "0x80044151", "SQL Server timeout error")
        case 400, "plug_in":
            return Refusal(400, "0x80040265", "ISV code aborted the operation.")
        case 403, "lock":
            return Refusal(403, "0x80090412", "An entity customization is running at this moment.")
        case status, _:
            code, message = _OTHER_WORDS.get(
                status, ("0x80040216", "An unexpected error occurred.")
            )
            return Refusal(status, code, message)


def _bare(refusal: Refusal, fault: Fault) -> Refusal:
    """Leave Retry-After to the fault where it brings its own."""
    headers = {} if fault.retry_after is not None else refusal.headers
    return Refusal(refusal.status, refusal.code, refusal.message, headers)


def _drop_item(_: Asked, right: Any, dice: random.Random) -> Any:
    rows = _rows(right)
    if rows:
        del rows[dice.randrange(len(rows))]
    return _with(right, rows)


def _duplicate_item(_: Asked, right: Any, dice: random.Random) -> Any:
    rows = _rows(right)
    if rows:
        rows.append(rows[dice.randrange(len(rows))])
    return _with(right, rows)


def _reorder(_: Asked, right: Any, dice: random.Random) -> Any:
    rows = _rows(right)
    dice.shuffle(rows)
    return _with(right, rows)


def _first_page(org: DynamicsOrg, asked: Asked, right: Any) -> Any:
    """Return an answer with the rows of the query's first page, its links as they should be."""
    first = _first(org, asked)
    return right if first is None else _with(right, _rows(first))


def _circle(org: DynamicsOrg, asked: Asked, right: Any) -> Any:
    """Return an answer whose link leads back to the query's second page."""
    first = _first(org, asked)
    return right if first is None else {**right, NEXT: first[NEXT]}


def _first(org: DynamicsOrg, asked: Asked) -> Any:
    """Return the answer with the first page of a query; None where it was asked for."""
    query = read_query(asked.query)
    cookie = query.pop("$skiptoken", None)
    if cookie is None:
        return None
    return _answer_to(org, asked, query, tracked="since" in unpack(cookie))


def _next_page(org: DynamicsOrg, asked: Asked, right: Any) -> Any:
    """Return an answer with the rows of the page after, its links as they should be."""
    if NEXT not in right:
        return right
    query = read_query(right[NEXT].partition("?")[2])
    return _with(right, _rows(_answer_to(org, asked, query, tracked=False)))


def _answer_to(org: DynamicsOrg, asked: Asked, query: dict[str, str], *, tracked: bool) -> Any:
    base, _, path = asked.path.rpartition("/")
    headers = dict(asked.headers)
    if tracked:
        headers["prefer"] = f"{headers.get('prefer', '')},{TRACK}"
    with org.lock:
        call = Call(org, "GET", split_path(path), query, headers, b"", base, Grant())
        return answer(call).content


def _drop_delta(_: Asked, right: Any, __: random.Random) -> Any:
    return {name: value for name, value in right.items() if name != "@odata.deltaLink"}


def _rows(right: Any) -> list[Any]:
    return list(right.get("value", ()))


def _with(right: Any, rows: list[Any]) -> Any:
    """Return a list's answer with other rows; what is no list stays as it is."""
    return {**right, "value": rows} if "value" in right else right


def _read(right: Answer) -> Any:
    """Read an answer: JSON, or a batch's parts as the rows of a list."""
    mark = _mark(right)
    if mark is None:
        return jsonwire.loads(right.body) if right.body else {}
    return {"value": right.body.decode("latin-1").split(mark)[1:-1]}


def _write(wrong: Any, right: Answer) -> bytes:
    """Write what `_read` read."""
    mark = _mark(right)
    if mark is None:
        return jsonwire.dumps(wrong) if right.body else b""
    return "".join(f"{mark}{part}" for part in [*wrong["value"], "--\r\n"]).encode("latin-1")


def _mark(answer: Answer) -> str | None:
    """Return the line that parts a batch's answer; None for any other answer."""
    said = dict(answer.headers).get("content-type", "")
    return f"--{said.partition('boundary=')[2]}" if said.startswith("multipart/mixed") else None
