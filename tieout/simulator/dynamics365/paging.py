"""Pages: how long they are, and the links that lead from one to the next.

Source: learn.microsoft.com/power-apps/developer/data-platform/webapi/query/page-results.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from tieout.simulator.dynamics365.call import Call
from tieout.simulator.dynamics365.refusals import bad_query

MAX_PAGE = 5_000
"""Rows in one page of a standard table, whatever was asked for."""


def top_of(text: str) -> int:
    """Read a `$top`.

    Raises:
        Refusal: 400, it is no number.
    """
    if not text.isdecimal():
        raise bad_query(f"Invalid value '{text}' for $top query option found.")
    return int(text)


def page_size(call: Call) -> int:
    """Return how many rows a page has.

    Raises:
        Refusal: 400, `odata.maxpagesize` is no number above 0.
    """
    asked = call.preferences.get("odata.maxpagesize")
    if asked is None:
        return MAX_PAGE
    if not asked.isdecimal() or int(asked) == 0:
        raise bad_query(f"The value '{asked}' of odata.maxpagesize is not a positive number.")
    return min(int(asked), MAX_PAGE)


def link(call: Call, query: Mapping[str, str]) -> str:
    """Return the address of the same resource with another query."""
    path = "/".join(
        one.name if one.inside is None else f"{one.name}({one.inside})" for one in call.segments
    )
    # The vendor's own links keep $ and commas as they are.
    told = "&".join(f"{name}={quote(value, safe='$,()=')}" for name, value in query.items())
    return f"{call.base}/{path}?{told}"


def pack(cookie: Mapping[str, Any]) -> str:
    """Write a place in a result as an opaque text."""
    return base64.urlsafe_b64encode(json.dumps(cookie).encode()).decode()


def unpack(text: str) -> dict[str, Any]:
    """Read a place that `pack` wrote.

    Raises:
        Refusal: 400, it is none of ours.
    """
    try:
        read = json.loads(base64.b64decode(text, b"-_", validate=True))
    except ValueError as error:
        raise bad_query("Malformed XML in the skip token.") from error
    if not isinstance(read, dict):
        raise bad_query("Malformed XML in the skip token.")
    return read
