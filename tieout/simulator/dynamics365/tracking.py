"""Change tracking: the whole table once, then what moved since.

Source: learn.microsoft.com/power-apps/developer/data-platform/
use-change-tracking-synchronize-data-external-systems.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from tieout.simulator.dynamics365.call import Call, Reply
from tieout.simulator.dynamics365.paging import link, pack, page_size, unpack
from tieout.simulator.dynamics365.records import Gone, Record
from tieout.simulator.dynamics365.refusals import Refusal, bad_query
from tieout.simulator.dynamics365.schema import Table
from tieout.simulator.dynamics365.shaping import context_of, noted_in, row_of, shape_of

TRACK = "odata.track-changes"
_REFUSED = ("$filter", "$orderby", "$expand", "$top")
_TOKEN = re.compile(r"(\d+)!(\d\d/\d\d/\d{4} \d\d:\d\d:\d\d)")
_PLACE = {"whole", "since", "start", "at", "after", "gone"}
_FORMAT = "%m/%d/%Y %H:%M:%S"


def is_asked(call: Call) -> bool:
    """Tell whether a query wants changes: by its Prefer header, its delta token, its page."""
    if TRACK in call.preferences or "$deltatoken" in call.query:
        return True
    return "$skiptoken" in call.query and "since" in unpack(call.query["$skiptoken"])


def read_changes(call: Call, table: Table) -> Reply:
    """Answer a page of the whole table, or of what moved since a delta token.

    The last page has the delta link. It leads to what moved after the first page was asked for,
    so that a row that moves while the pages are read is told again.

    Raises:
        Refusal: 400, the table is not tracked, the token has expired, an option is not allowed.
    """
    _check(call, table)
    place = _place(call)
    noted, secured = noted_in(call.preferences), call.grant.secured
    shape = shape_of(call.org, table, call.query, noted, secured=secured)
    changed, gone = _moved(call, table, place["since"])
    rest: list[Record | Gone] = [one for one in changed if one.version > place["after"]]
    rest += [one for one in gone if one.version > place["gone"]]
    page = page_size(call)
    shown, more = rest[:page], len(rest) > page
    context = context_of(call.base, shape)
    answer: dict[str, Any] = {"@odata.context": context if place["whole"] else f"{context}/$delta"}
    kept = {name: one for name, one in call.query.items() if name == "$select"}
    if more:
        last = shown[-1]
        if isinstance(last, Gone):
            place["gone"] = last.version
            place["after"] = call.org.version
        else:
            place["after"] = last.version
        kept["$skiptoken"] = pack(place)
        answer["@odata.nextLink"] = link(call, kept)
    else:
        kept["$deltatoken"] = f"{place['start']}!{place['at']}"
        answer["@odata.deltaLink"] = link(call, kept)
    answer["value"] = [
        _deletion(call, table, one) if isinstance(one, Gone) else row_of(call.org, shape, one)
        for one in shown
    ]
    applied = [one for one in (TRACK, "odata.maxpagesize") if one in call.preferences]
    told = [one if one == TRACK else f"{one}={page}" for one in applied]
    return Reply(answer, headers={"Preference-Applied": ", ".join(told)} if told else {})


def count(call: Call, table: Table) -> str:
    """Return how many rows moved since a delta token."""
    _check(call, table)
    changed, gone = _moved(call, table, _since(call))
    return str(len(changed) + len(gone))


def _check(call: Call, table: Table) -> None:
    for name in _REFUSED:
        if name in call.query:
            raise bad_query(
                f'The "{name}" query parameter isn\'t supported when Change Tracking is enabled.'
            )
    if not table.tracked:
        raise Refusal(400, "0x80072491", f"Entity {table.name} isn't enabled for change tracking.")


def _place(call: Call) -> dict[str, Any]:
    """Return where the walk stands: what it began with, and what was told so far."""
    if "$skiptoken" in call.query:
        place = unpack(call.query["$skiptoken"])
        if place.keys() != _PLACE:
            raise bad_query("Malformed XML in the skip token.")
        return place
    since = _since(call)
    return {
        "whole": since == 0,
        "since": since,
        "start": call.org.version,
        "at": call.org.now().strftime(_FORMAT),
        "after": since,
        "gone": since,
    }


def _since(call: Call) -> int:
    text = call.query.get("$deltatoken")
    if text is None:
        return 0
    match = _TOKEN.fullmatch(text)
    if match is None:
        raise bad_query("The delta token is not valid.")
    made = datetime.strptime(match[2], _FORMAT).replace(tzinfo=UTC)
    aged = call.org.now() - made > timedelta(days=call.org.expire_days)
    if aged or int(match[1]) < call.org.delta_floor:
        raise Refusal(
            400,
            "0x80044352",
            "Version stamp associated with the client has expired. Please perform a full sync.",
        )
    return int(match[1])


def _moved(call: Call, table: Table, since: int) -> tuple[list[Record], list[Gone]]:
    """Return rows by version, then deletions; the whole table tells of no deletion."""
    shelf = call.org.shelves[table.name]
    changed = [one for one in shelf.records.values() if one.version > since]
    changed.sort(key=lambda one: one.version)
    # What was made again under its former id is there, and not told as deleted.
    gone = [one for one in shelf.gone if one.version > since and one.id not in shelf.records]
    return changed, gone if since else []


def _deletion(call: Call, table: Table, gone: Gone) -> dict[str, Any]:
    return {
        "@odata.context": f"{call.base}/$metadata#{table.entity_set}/$deletedEntity",
        "id": gone.id,
        "reason": "deleted",
    }
