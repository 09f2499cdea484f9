"""Bulk API 2 query jobs: made, polled until they are complete, and read as CSV by locators.

A job takes a step at each poll, and its rows come in no order. Source: Bulk API 2.0 and Bulk API
Developer Guide, "Create a Query Job", "Get Information About a Query Job", "Get Results for a Query
Job", "Abort a Query Job".
"""

import base64
import csv
import io
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from tieout.simulator.salesforce.call import Call, Reply
from tieout.simulator.salesforce.errors import Refusal, not_found
from tieout.simulator.salesforce.fields import instant_of, shown
from tieout.simulator.salesforce.ids import id_of
from tieout.simulator.salesforce.org import SalesforceOrg
from tieout.simulator.salesforce.soql import Column, parse, resolve, understand

MAX_ROWS = 50_000
"""Of one answer here; the vendor's pages go by size."""
KEPT_DAYS = 7
MAX_JOBS = 10_000
_STATES = ("UploadComplete", "InProgress", "JobComplete")
_ENDED = frozenset({"JobComplete", "Aborted", "Failed"})


@dataclass(slots=True)
class Job:
    """A query job, and its rows once it is complete."""

    id: str
    user: str
    operation: str
    query: str
    kind: str
    created: str
    version: str
    state: str = _STATES[0]
    heads: Sequence[str] = ()
    rows: list[list[Any]] = field(default_factory=list)


def create(call: Call) -> Reply:
    """Make a job.

    Raises:
        Refusal: 400, the query cannot be read, or has what a job may not have.
    """
    body = call.object()
    operation = body.get("operation")
    if operation not in ("query", "queryAll") or not isinstance(body.get("query"), str):
        raise Refusal(400, "INVALIDENTITY", "operation and query are required")
    if body.get("contentType", "CSV") != "CSV":
        raise Refusal(400, "INVALIDENTITY", "contentType must be CSV")
    if len(call.org.jobs) >= MAX_JOBS:
        raise Refusal(400, "EXCEEDED_QUOTA", "DailyBulkV2QueryJobs Limit exceeded.")
    parsed = parse(body["query"])
    search = understand(call.sight, call.version, parsed, deleted=operation == "queryAll")
    plain = all(isinstance(one, Column) for one in parsed.select)
    cut = parsed.order or parsed.limit is not None or parsed.offset
    if parsed.counts or cut or not plain:
        raise Refusal(
            400,
            "INVALIDJOB",
            "Nested queries, TYPEOF, ORDER BY, LIMIT, OFFSET and COUNT are not supported",
        )
    call.org.issued += 1
    job = Job(
        id_of("750", call.org.issued),
        call.user,
        operation,
        body["query"],
        search.kind.name,
        call.org.present(),
        call.version,
    )
    call.org.jobs[job.id] = job
    return Reply(_told(job))


def look(call: Call) -> Reply:
    """Tell how far a job is; each time it was asked it is a step further."""
    job = _job(call)
    if job.state not in _ENDED:
        job.state = _STATES[_STATES.index(job.state) + 1]
        if job.state == _STATES[-1]:
            _run(call, job)
    return Reply(_told(job))


def look_at_all(call: Call) -> Reply:
    """List the jobs."""
    told = [_told(job) for job in call.org.jobs.values()]
    return Reply({"done": True, "records": told, "nextRecordsUrl": None})


def abort(call: Call) -> Reply:
    """End a job before it is complete.

    Raises:
        Refusal: 400, it has ended already, or something else is asked of it.
    """
    job = _job(call)
    if call.object().get("state") != "Aborted" or job.state in _ENDED:
        raise Refusal(400, "INVALIDJOBSTATE", f"A job that is {job.state} cannot be aborted")
    job.state = "Aborted"
    return Reply(_told(job))


def remove(call: Call) -> Reply:
    """Delete a job that has ended."""
    job = _job(call)
    if job.state not in _ENDED:
        raise Refusal(400, "INVALIDJOBSTATE", f"A job that is {job.state} cannot be deleted")
    del call.org.jobs[job.id]
    return Reply(status=204)


def results(call: Call) -> Reply:
    """Return a job's rows as CSV, and the locator of the next ones.

    Raises:
        Refusal: 400, the job is not complete; 404, its rows are kept no longer.
    """
    job = _job(call)
    if job.state != _STATES[-1]:
        raise Refusal(400, "INVALIDJOBSTATE", f"The job is {job.state}, not JobComplete")
    if call.org.now() > instant_of(job.created) + timedelta(days=KEPT_DAYS):
        raise not_found("The results are kept for 7 days")
    start = _place(call.query.get("locator"))
    wanted = call.query.get("maxRecords", str(MAX_ROWS))
    size = min(int(wanted), MAX_ROWS) if wanted.isdigit() and int(wanted) else MAX_ROWS
    rows = job.rows[start : start + size]
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([job.heads, *rows])
    end = start + len(rows)
    locator = "null" if end >= len(job.rows) else base64.b64encode(str(end).encode()).decode()
    told = {"Sforce-Locator": locator, "Sforce-NumberOfRecords": str(len(rows))}
    return Reply(headers=told, raw=text.getvalue().encode(), media_type="text/csv")


def _run(call: Call, job: Job) -> None:
    parsed = parse(job.query)
    search = understand(call.sight, job.version, parsed, deleted=job.operation == "queryAll")
    columns = [one for one in parsed.select if isinstance(one, Column)]
    getters = [resolve(call.sight, search.kind, one, parsed.text) for one in columns]
    job.heads = [
        ".".join((*one.path[:-1], by.name)) for one, (by, _) in zip(columns, getters, strict=True)
    ]
    found = search.find(None)
    random.Random(f"job:{call.org.seed}:{job.id}").shuffle(found)  # noqa: S311 - repeatable
    job.rows = [[_cell(get(record)) for _, get in getters] for record in found]


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(shown(value))


def _place(locator: str | None) -> int:
    if locator is None:
        return 0
    try:
        return int(base64.b64decode(locator, validate=True))
    except ValueError as error:
        raise Refusal(400, "INVALID_LOCATOR", f"{locator} is no locator of this job") from error


def _job(call: Call) -> Job:
    job = _jobs(call.org).get(call.words["job"])
    if job is None:
        raise not_found()
    return job


def _jobs(org: SalesforceOrg) -> dict[str, Job]:
    return org.jobs


def _told(job: Job) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": job.id,
        "operation": job.operation,
        "object": job.kind,
        "createdById": job.user,
        "createdDate": job.created,
        "systemModstamp": job.created,
        "state": job.state,
        "concurrencyMode": "Parallel",
        "contentType": "CSV",
        "apiVersion": Decimal(job.version),
        "jobType": "V2Query",
        "lineEnding": "LF",
        "columnDelimiter": "COMMA",
    }
    if job.state == _STATES[-1]:
        told["numberRecordsProcessed"] = len(job.rows)
    return told
