"""The query resources: pages, and the cursors between them.

Only `done` says that nothing follows: a page may hold fewer rows than it might, and children count
as rows. Sources: REST API
Developer Guide, "Query", "Query Options Header"; help.salesforce.com 000384958 (a locator lives
for two days).
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tieout.simulator.salesforce.call import Call, Reply
from tieout.simulator.salesforce.errors import Refusal
from tieout.simulator.salesforce.ids import id_of
from tieout.simulator.salesforce.org import SalesforceOrg
from tieout.simulator.salesforce.soql import Search, parse, understand

MIN_PAGE = 200
FEW_LONG_TEXTS = 2
"""With so many custom long texts a page has no more than the fewest rows."""
MAX_PAGE = 2000
CURSOR_HOURS = 48
MAX_CURSORS = 10
"""Open at once for a user; the oldest is released for one more."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The rest of an answer: which records in which order, and how they are shown."""

    user: str
    search: Search
    ids: tuple[str, ...]
    size: int
    all_rows: bool
    until: datetime


def query(call: Call) -> Reply:
    """Answer a query over what is not deleted."""
    return Reply(answer(call, call.query.get("q"), all_rows=False))


def query_all(call: Call) -> Reply:
    """Answer a query over everything, the recycle bin and what was merged away too (R37)."""
    return Reply(answer(call, call.query.get("q"), all_rows=True))


def more(call: Call) -> Reply:
    """Answer with the page that a locator names.

    Raises:
        Refusal: 400 INVALID_QUERY_LOCATOR.
    """
    locator, _, place = call.words["locator"].partition("-")
    cursor = call.org.cursors.get(locator)
    if not isinstance(cursor, Cursor) or not place.isdigit() or cursor.user != call.user:
        raise _bad_locator()
    if cursor.until <= call.org.now() or int(place) >= len(cursor.ids):
        raise _bad_locator()
    return Reply(_page(call.org, locator, cursor, int(place)))


def other_page(org: SalesforceOrg, right: dict[str, Any], pages: int) -> dict[str, Any]:
    """Return an answer with another page's records, `pages` after its own, and its own end."""
    words = right.get("nextRecordsUrl", "").rpartition("/")[2].partition("-")
    cursor = org.cursors.get(words[0])
    if not isinstance(cursor, Cursor):
        return right
    start = int(words[2]) + (pages - 1) * cursor.size
    records = org.tables[cursor.search.kind.name].records
    ids = cursor.ids[max(start, 0) : max(start, 0) + cursor.size]
    return {**right, "records": [cursor.search.show(records[one]) for one in ids]}


def answer(call: Call, text: str | None, *, all_rows: bool) -> dict[str, Any]:
    """Return the first page of a query.

    Raises:
        Refusal: the query cannot be read or understood.
    """
    if not text:
        raise Refusal(400, "MALFORMED_QUERY", "SOQL query is required: parameter 'q'")
    parsed = parse(text)
    search = understand(call.sight, call.version, parsed, deleted=all_rows)
    found = search.find(None)
    if parsed.counts:
        return {"totalSize": len(found), "done": True, "records": []}
    org = call.org
    locator = id_of("0r8", _next(org))
    cursor = Cursor(
        call.user,
        search,
        tuple(one["Id"] for one in found),
        _size(call, search),
        all_rows,
        org.now() + timedelta(hours=CURSOR_HOURS),
    )
    return _page(org, locator, cursor, 0)


def _page(org: SalesforceOrg, locator: str, cursor: Cursor, start: int) -> dict[str, Any]:
    total = len(cursor.ids)
    room = _rows(org, locator, start, cursor.size)
    records = org.tables[cursor.search.kind.name].records
    shown: list[dict[str, Any]] = []
    end = start
    while end < total and room > 0:
        held = records.get(cursor.ids[end])
        end += 1
        if held is not None and (cursor.all_rows or not held.get("IsDeleted")):
            shown.append(cursor.search.show(held))
            room -= cursor.search.children_of(shown[-1])
        room -= 1
    told: dict[str, Any] = {"totalSize": total, "done": end == total}
    if end < total:
        resource = "queryAll" if cursor.all_rows else "query"
        base = f"/services/data/v{cursor.search.version}"
        told["nextRecordsUrl"] = f"{base}/{resource}/{locator}-{end}"
        org.cursors[locator] = cursor
        own = [name for name, one in org.cursors.items() if one.user == cursor.user]
        for oldest in own[:-MAX_CURSORS]:
            del org.cursors[oldest]
    told["records"] = shown
    return told


def _rows(org: SalesforceOrg, locator: str, start: int, size: int) -> int:
    """Return how many rows the page may have: now and then up to a tenth fewer, by the seed."""
    dice = random.Random(f"page:{org.seed}:{locator}:{start}")  # noqa: S311 - repeatable
    if dice.random() >= org.short_pages:
        return size
    return max(1, size - dice.randint(1, max(1, size // 10)))


def _size(call: Call, search: Search) -> int:
    size = min(call.org.page_rows, MAX_PAGE)
    for option in call.headers.get("sforce-query-options", "").split(","):
        name, _, value = option.partition("=")
        if name.strip().lower() == "batchsize" and value.strip().isdigit():
            size = min(size, max(MIN_PAGE, int(value)))
    return min(size, MIN_PAGE) if search.long_texts() >= FEW_LONG_TEXTS else size


def _next(org: SalesforceOrg) -> int:
    org.issued += 1
    return org.issued


def _bad_locator() -> Refusal:
    return Refusal(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
