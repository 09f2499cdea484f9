"""Reading rows: one by its id or key, many by a query, in pages.

Source: learn.microsoft.com/power-apps/developer/data-platform/webapi/query/overview and
page-results.
"""

from collections.abc import Mapping
from typing import Any

from tieout.simulator.dynamics365 import tracking
from tieout.simulator.dynamics365.addressing import record_at
from tieout.simulator.dynamics365.call import Call, Reply
from tieout.simulator.dynamics365.filtering import filter_of
from tieout.simulator.dynamics365.ordering import sorted_rows
from tieout.simulator.dynamics365.paging import MAX_PAGE, link, pack, page_size, top_of, unpack
from tieout.simulator.dynamics365.records import Record
from tieout.simulator.dynamics365.refusals import bad_query, no_resource
from tieout.simulator.dynamics365.schema import Table, Target
from tieout.simulator.dynamics365.shaping import context_of, noted_in, row_of, shape_of

_KNOWN = frozenset(
    {"$select", "$filter", "$orderby", "$top", "$count", "$expand", "$skiptoken", "$deltatoken"}
)


def read_table(call: Call, table: Table) -> Reply:
    """Answer `GET /{set}`."""
    _check_options(call.query)
    call.demand("Read", table)
    if tracking.is_asked(call):
        return tracking.read_changes(call, table)
    return read_rows(call, table, list(call.org.shelves[table.name].records.values()))


def count_table(call: Call, table: Table) -> Reply:
    """Answer `GET /{set}/$count`: at most 5,000, as a text; after a delta token, what moved."""
    call.demand("Read", table)
    rows = list(call.org.shelves[table.name].records.values())
    if "$deltatoken" in call.query:
        return Reply(tracking.count(call, table), headers={"Content-Type": "text/plain"})
    if "$filter" in call.query:
        test = filter_of(call.org, table, call.query["$filter"])
        rows = [one for one in rows if test(one)]
    return Reply(str(min(len(rows), MAX_PAGE)), headers={"Content-Type": "text/plain"})


def read_one(call: Call, table: Table) -> Reply:
    """Answer `GET /{set}({id or key})`; 304 for an If-None-Match that is the present version.

    With a further segment: the rows of a collection-valued navigation property, or the record
    that a single-valued one leads to; with `{column}/$value` a text as it is.
    """
    _check_options(call.query)
    call.demand("Read", table)
    record = record_at(call, table)
    if [one.name for one in call.segments[2:]] == ["$value"]:
        return _raw(call, table, record)
    if len(call.segments) > 1:
        return _navigate(call, table, record)
    return shown_one(call, table, record)


def shown_one(call: Call, table: Table, record: Record) -> Reply:
    """Return one row as `$select` and `$expand` want it."""
    noted = noted_in(call.preferences)
    etag = f'W/"{record.version}"'
    asked = call.headers.get("if-none-match", "")
    if asked == etag and not noted and "$expand" not in call.query:
        return Reply(status=304)
    shape = shape_of(call.org, table, call.query, noted, secured=call.grant.secured)
    row = row_of(call.org, shape, record)
    context = {"@odata.context": context_of(call.base, shape, single=True)}
    return Reply(context | row, headers={"ETag": etag})


def read_rows(call: Call, table: Table, rows: list[Record]) -> Reply:
    """Answer a query over some rows: filtered, in order, one page."""
    query = call.query
    noted = noted_in(call.preferences)
    secured = call.grant.secured
    shape = shape_of(call.org, table, query, noted, secured=secured)
    if "$filter" in query:
        test = filter_of(call.org, table, query["$filter"], secured=secured)
        rows = [one for one in rows if test(one)]
    rows = sorted_rows(table, query.get("$orderby", ""), rows)
    total = len(rows)
    answer: dict[str, Any] = {"@odata.context": context_of(call.base, shape)}
    if query.get("$count") == "true":
        answer["@odata.count"] = min(total, MAX_PAGE)
    page = page_size(call)
    if "$top" in query:
        rows, page = rows[: top_of(query["$top"])], MAX_PAGE
    start = _start(query, rows)
    shown = rows[start : start + page]
    answer["value"] = [row_of(call.org, shape, one) for one in shown]
    if start + page < len(rows):
        cookie = {"page": start // page + 2, "last": shown[-1].id, "at": start + page}
        answer["@odata.nextLink"] = link(call, {**query, "$skiptoken": pack(cookie)})
    headers = {}
    if "odata.maxpagesize" in call.preferences:
        headers["Preference-Applied"] = f"odata.maxpagesize={page}"
    return Reply(answer, headers=headers)


def _start(query: Mapping[str, str], rows: list[Record]) -> int:
    """Return where the page begins: behind the row that the page before ended with."""
    if "$skiptoken" not in query:
        return 0
    cookie = unpack(query["$skiptoken"])
    for place, one in enumerate(rows):
        if one.id == cookie.get("last"):
            return place + 1
    return int(cookie.get("at", 0))


def _raw(call: Call, table: Table, record: Record) -> Reply:
    """Answer `GET /{set}({id})/{column}/$value`; a column without a value is 204.

    Source: page "Use file data with Attachment and Note records", for `documentbody`.
    """
    column = table.columns.get(call.segments[1].name)
    if column is None or column.type not in ("String", "Memo"):
        raise no_resource(call.segments[1].name)
    value = record.values.get(column.name)
    if value is None:
        return Reply(status=204)
    return Reply(str(value), headers={"Content-Type": "text/plain"})


def _navigate(call: Call, table: Table, record: Record) -> Reply:
    name = call.segments[1].name
    many = table.collections.get(name)
    if many is not None:
        other, back = many
        far = call.org.tables[other]
        call.demand("Read", far)
        pointing = call.org.shelves[other].pointing(back, Target(table.name, record.id))
        return read_rows(call, far, list(pointing))
    single = table.by_navigation(name)
    if single is None:
        raise no_resource(name)
    column, target = single
    led = record.values.get(column.name)
    if not isinstance(led, Target) or led.table != target:
        return Reply(status=204)
    far = call.org.tables[target]
    call.demand("Read", far)
    return shown_one(call, far, call.org.record(target, led.id))


def _check_options(query: Mapping[str, str]) -> None:
    for name in query:
        if name.startswith("$") and name not in _KNOWN:
            if name == "$skip":
                raise bad_query("Skip Clause is not supported in CRM")
            raise bad_query(f"The query parameter {name} is not supported")
