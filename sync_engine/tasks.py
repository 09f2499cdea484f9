"""Work for a person: opened with its reason and remedy, closed when the reason is gone or answered.

Tasks come in families, each kept by one stage. A stage says which tasks a subject should have now;
the others of that family close by themselves, so no task outlives its cause.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sync_engine.ledger.store import Reads, Row, Writes
from tieout.model.canonical import Plain, canonical
from tieout.model.change import Finding
from tieout.model.ref import Ref

FINDING = "finding"  # plan: preflight found it
APPROVAL = "approval"  # approve: a person's yes is needed
REFUSED = "refused"  # push: the other system said no
DRIFT = "drift"  # reconcile: the three sides differ
TIE_OUT = "tie-out"  # reconcile: a rest that nothing else explains
UNSAFE = "unsafe"  # approve: a sheet that is too large
UNCLAIMED = "unclaimed"  # observe: a record of ours was found whose source was not shown
COPIED = "copied"  # mirror: a record of ours was copied by a person
PAIR = "pair"  # the pair itself stands still
CLOCK = "clock"  # observe: our clock differs from a server's
CONSENT = "consent"  # begin: a person must soon consent again
SILENCE = "silence"  # daemon: no hint of a company comes while rounds find changes
UNREAD = "unread"  # observe: a record of the books cannot be read
FILE = "file"  # attach: a file cannot go to its invoice
FEED = "feed"  # observe: the CRM does not show one kind of record

WRITE_BACK = "write-back:"  # how the subject of a refused write-back's task begins


@dataclass(frozen=True, slots=True)
class Wanted:
    """A task that a subject should have now."""

    code: str
    title: str
    message: str
    remedy: str = ""
    choices: tuple[str, ...] = ()
    detail: Mapping[str, Plain] = field(default_factory=dict)


def from_finding(finding: Finding, title: str) -> Wanted:
    """Return the task that a blocking or asking finding opens."""
    return Wanted(
        code=finding.code,
        title=title,
        message=finding.message,
        remedy=finding.remedy,
        choices=finding.choices,
        detail={"line": finding.line} if finding.line else {},
    )


def untold(pair: str, ref: Ref) -> str:
    """Return the subject of the task about a record that was not there to be told."""
    return f"{WRITE_BACK}{pair}:{ref}"


def keep(
    tx: Writes,
    *,
    pair: str,
    family: str,
    subject: str,
    source: Ref | None,
    wanted: Sequence[Wanted],
) -> bool:
    """Make the open tasks of a family and subject exactly these; return whether any changed."""
    at = tx.now_text()
    moved = False
    open_now = {row["code"]: row for row in tx.all("task_open_of", family=family, subject=subject)}
    for task in wanted:
        held = open_now.pop(task.code, None)
        if held is None:
            _open(tx, pair=pair, family=family, subject=subject, source=source, task=task, at=at)
            moved = True
        elif (held["message"], held["detail"]) != (task.message, canonical(task.detail)):
            tx.run(
                "task_reword",
                id=held["id"],
                message=task.message,
                remedy=task.remedy,
                choices=canonical(list(task.choices)),
                detail=canonical(task.detail),
            )
            moved = True
    for row in open_now.values():
        tx.run("task_close", id=row["id"], at=at)
        tx.journal("tieout", "task closed", subject, {"task": row["id"], "code": row["code"]})
    return moved or bool(open_now)


def answers(ledger: Reads, subject: str) -> dict[str, Row]:
    """Return the latest answered task of each code for a subject."""
    return {row["code"]: row for row in ledger.all("task_answered_of", subject=subject)}


def _open(
    tx: Writes,
    *,
    pair: str,
    family: str,
    subject: str,
    source: Ref | None,
    task: Wanted,
    at: str,
) -> None:
    tx.run(
        "task_open",
        pair=pair,
        family=family,
        code=task.code,
        subject=subject,
        company=source.company if source else None,
        source_kind=source.kind if source else None,
        source_id=source.id if source else None,
        title=task.title,
        message=task.message,
        remedy=task.remedy,
        choices=canonical(list(task.choices)),
        detail=canonical(task.detail),
        at=at,
    )
    tx.journal("tieout", "task opened", subject, {"code": task.code, "message": task.message})
