"""Bulk API 2: a first read that is too long for pages, as a job whose rows come as CSV.

Its calls are few however many the rows: one to begin, some to look, one for each large page. Rows
come in no order and all as texts; what is empty is null (pages "Create a Query Job", "Get Results
for a Query Job").
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.salesforce.wire import Wire
from tieout.model.errors import Rejected, Unavailable
from tieout.transport import Answer, dump_json

PAGE_ROWS = 10_000
LOOKS_LIMIT = 200
FIRST_PAUSE_SECS = 2.0
LONGEST_PAUSE_SECS = 30.0
COMPLETE = "JobComplete"
FAILED = frozenset({"Failed", "Aborted"})
NO_MORE = "null"  # the locator after the last page
CELL_CHARS_LIMIT = 200_000  # a long text area holds 131,072


@dataclass(frozen=True, slots=True)
class Batch:
    """A page of a job's rows, and the locator of the next; empty after the last."""

    rows: list[Mapping[str, Any]]
    following: str
    served_at: datetime


def begin(wire: Wire, soql: str, sleep: Callable[[float], None]) -> tuple[str, int]:
    """Let Salesforce work a query; return the job's id and how many rows it has.

    Raises:
        Rejected: the job failed.
        Unavailable: it was not worked in time.
        TieoutError: a call was refused or not answered.
    """
    told = wire.post("jobs/query", dump_json({"operation": "query", "query": soql}), _job)
    pause_secs = FIRST_PAUSE_SECS
    for _ in range(LOOKS_LIMIT):
        if told["state"] == COMPLETE:
            return str(told["id"]), int(told["numberRecordsProcessed"])
        if told["state"] in FAILED:
            raise Rejected(
                "Salesforce did not work a query job.",
                vendor_code=str(told["state"]),
                vendor_words=str(told.get("errorMessage") or ""),
            )
        sleep(pause_secs)
        pause_secs = min(2 * pause_secs, LONGEST_PAUSE_SECS)
        told = wire.get(f"jobs/query/{told['id']}", _job)
    raise Unavailable(f"Salesforce's query job {told['id']} did not end.")


def page(wire: Wire, job: str, locator: str) -> Batch:
    """Return a page of a job's rows.

    Raises:
        NotFound: the job is kept no longer.
        TieoutError: the call was refused, not answered or not whole.
    """
    query = {"maxRecords": str(PAGE_ROWS), **({"locator": locator} if locator else {})}
    return wire.get(f"jobs/query/{job}/results", _batch, accept="text/csv", **query)


def _job(answer: Answer) -> Mapping[str, Any]:
    told = answer.json
    if not isinstance(told, Mapping) or not told.get("id") or not told.get("state"):
        raise answer.unclear("Salesforce did not say how far a job is.")
    return told


def _batch(answer: Answer) -> Batch:
    """Read a page; its header says how many rows it has, so that none is missed.

    Raises:
        Unavailable: it is no CSV, or has another number of rows than it says.
    """
    locator = answer.headers.get("sforce-locator") or ""
    counted = answer.headers.get("sforce-numberofrecords") or ""
    if answer.served_at is None or not locator:
        raise answer.unclear("A page of a job does not say what follows.")
    csv.field_size_limit(CELL_CHARS_LIMIT)
    try:
        lines = list(csv.reader(io.StringIO(answer.body.decode("utf-8"), newline="")))
    except csv.Error as wrong:
        raise answer.unclear(f"A page of a job is no CSV ({wrong}).") from wrong
    heads, *rows = lines
    if str(len(rows)) != counted or any(len(row) != len(heads) for row in rows):
        raise answer.unclear(f"A page of a job has {len(rows)} rows and counts {counted}.")
    paths = [head.split(".") for head in heads]
    following = "" if locator == NO_MORE else locator
    return Batch([_nested(paths, row) for row in rows], following, answer.served_at)


def _nested(paths: list[list[str]], row: list[str]) -> Mapping[str, Any]:
    """Return a row as a query shows it: a parent's fields stand within it."""
    held: dict[str, Any] = {}
    for path, cell in zip(paths, row, strict=True):
        place = held
        for step in path[:-1]:
            place = place.setdefault(step, {})
        place[path[-1]] = cell or None
    return held
