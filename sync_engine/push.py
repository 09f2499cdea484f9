"""push: the only caller of ``apply``. Intent is committed before the call, the answer after it.

What was approved becomes requests; the connector packs them into parcels; each parcel is committed
with its exact bytes, sent once, and settled by its answers. An answer that did not come makes its
changes unknown, never failed: ``look`` settles those. The table of next steps in ``_settle_item``
is the only place that decides what an error means.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from math import ceil

from sync_engine.feeds import ahead_of
from sync_engine.ledger.spelling import change_of
from sync_engine.ledger.sqlite import Ledger
from sync_engine.ledger.store import Reads, Row, Writes
from sync_engine.mirror import stop_pair
from sync_engine.pair import Clock, Pair, Sleep
from sync_engine.receipts import refuse, take_receipt
from sync_engine.replayed import without_deleted
from sync_engine.spool import Spool
from tieout.model.canonical import canonical
from tieout.model.change import Create
from tieout.model.contract import (
    Connector,
    Enclosure,
    Outcome,
    Parcel,
    ParcelItem,
    Request,
    TakesFiles,
)
from tieout.model.dates import instant_text, parse_instant
from tieout.model.errors import (
    Duplicate,
    NextStep,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    TieoutError,
)
from tieout.model.ref import Ref

REQUESTS_AT_ONCE = 1_200  # packed together: forty batches of thirty, a minute of the books
TRIES_IN_A_ROUND = 6  # how often one parcel is sent again for a throttle before the next round
PATIENCE_SECS = 90.0  # the longest pause that a round waits for; a longer one is the next round's
PAUSE_WITHOUT_WORD_SECS = 2.0  # when a refusal to serve names no time
PARCELS_IN_FLIGHT = 4  # when the connector names no number


_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Pushed:
    """What a round's pushes did, for its report, and how often each parcel was sent again."""

    parcels: int = 0
    done: int = 0
    refused: int = 0
    unknown: int = 0
    tries: dict[str, int] = field(default_factory=dict)  # by the request id of the parcel


def push(
    ledger: Ledger,
    pair: Pair,
    pushed: Pushed,
    *,
    clock: Clock,
    sleep: Sleep,
    stopping: Callable[[], bool],
) -> None:
    """Send what is queued and what may be asked again, until nothing more can go now."""
    while not stopping() and not is_paused(ledger, pair):
        parcels = _due_again(ledger, pair, clock(), pushed.tries) or _pack(ledger, pair)
        if parcels:
            _send(ledger, pair, parcels, pushed, clock=clock, stopping=stopping)
            continue
        pause = _next_pause(ledger, pair, clock(), pushed.tries)
        if pause is None:
            return
        sleep(pause)


def is_paused(ledger: Reads, pair: Pair) -> bool:
    """Whether the pair stands still until a person resumes it."""
    state = ledger.one("pair_get", pair=pair.name)
    return state is not None and state["paused_code"] is not None


@dataclass(frozen=True, slots=True)
class _Ready:
    """A parcel about to be sent; ``attempts`` counts this one."""

    parcel: Parcel
    attempts: int


def _pack(ledger: Ledger, pair: Pair) -> list[_Ready]:
    """Return parcels of what is queued for one company, the books first."""
    for connector in (pair.books, pair.crm):
        rows = ledger.all(
            "outbox_queued", pair=pair.name, company=connector.company, limit=_at_once(connector)
        )
        if rows:
            requests = [
                Request(row["key"], change_of(row["change"]), row["about"], row["asking"])
                for row in rows
            ]
            parcels = _prepared(ledger, pair, connector, list(zip(requests, rows, strict=True)))
            return [_Ready(parcel, 1) for parcel in parcels] or _pack(ledger, pair)
    return []


def _at_once(connector: Connector) -> int:
    """Return how many requests are packed together, so that the largest batches are full."""
    largest = max((known.batch for known in connector.capabilities.kinds.values()), default=1)
    return ceil(REQUESTS_AT_ONCE / largest) * largest


def _prepared(
    ledger: Ledger, pair: Pair, connector: Connector, asked: Sequence[tuple[Request, Row]]
) -> Sequence[Parcel]:
    """Return the parcels of all requests; one that no call can carry is refused, by itself."""
    try:
        return connector.prepare([request for request, _ in asked])
    except Rejected:
        fitting = [one for one, row in asked if _fits(ledger, pair, connector, one, row)]
        return connector.prepare(fitting) if fitting else []


def _fits(ledger: Ledger, pair: Pair, connector: Connector, request: Request, row: Row) -> bool:
    """Whether a call can carry one request; if not, it is refused with its reason."""
    try:
        connector.prepare([request])
    except Rejected as error:
        with ledger.transaction() as tx:
            refuse(tx, pair, row, error)
        return False
    return True


def _due_again(ledger: Ledger, pair: Pair, now: datetime, tries: dict[str, int]) -> list[_Ready]:
    """Return parcels for one company whose exact bytes may be sent again now."""
    ready: list[_Ready] = []
    for row in ledger.all("parcels_again", pair=pair.name):
        due = row["not_before"] is None or parse_instant(row["not_before"]) <= now
        due = due and (not ready or row["company"] == ready[0].parcel.company)
        if due and tries.get(row["request_id"], 0) < TRIES_IN_A_ROUND:
            tries[row["request_id"]] = tries.get(row["request_id"], 0) + 1
            ready.append(_Ready(parcel_of(row), row["attempts"] + 1))
    return ready


def _next_pause(ledger: Ledger, pair: Pair, now: datetime, tries: dict[str, int]) -> float | None:
    """Return how long to wait for the next parcel that may be sent again, None if not now."""
    pauses = [
        (parse_instant(row["not_before"]) - now).total_seconds()
        for row in ledger.all("parcels_again", pair=pair.name)
        if row["not_before"] is not None and tries.get(row["request_id"], 0) < TRIES_IN_A_ROUND
    ]
    return min((pause for pause in pauses if 0 < pause <= PATIENCE_SECS), default=None)


def _send(
    ledger: Ledger,
    pair: Pair,
    ready: Sequence[_Ready],
    pushed: Pushed,
    *,
    clock: Clock,
    stopping: Callable[[], bool],
) -> None:
    """Commit the intent of parcels, send them side by side, settle each as it is answered.

    A place that comes free is taken at once: beside a batch that takes long, single calls go on.
    """
    connector = pair.connector(ready[0].parcel.company)
    spool = Spool.of(ledger, pair)
    in_flight = connector.capabilities.rates.get("in_flight", PARCELS_IN_FLIGHT)
    unsent = iter(ready)
    sent: dict[Future[Sequence[Outcome]], tuple[_Ready, datetime]] = {}
    with ThreadPoolExecutor(max_workers=in_flight) as pool:
        while True:
            may_send = not (stopping() or is_paused(ledger, pair))
            some = list(islice(unsent, in_flight - len(sent))) if may_send else []
            if some:
                asked_at = clock()
                with ledger.transaction() as tx:
                    for one in some:
                        _commit_intent(tx, pair, one, asked_at)
                theirs = asked_at - ahead_of(ledger, pair, connector.company)
                sent |= {
                    pool.submit(_apply, pair, spool, one.parcel): (one, theirs) for one in some
                }
            if not sent:
                return
            ended, _ = wait(sent, return_when=FIRST_COMPLETED)
            for answered in ended:
                one, theirs = sent.pop(answered)
                outcomes = without_deleted(connector, one.parcel, answered.result(), theirs)
                with ledger.transaction() as tx:
                    _settle(tx, pair, one, outcomes, pushed, clock())
                _drop_arrived(spool, one.parcel, outcomes)
                pushed.parcels += 1


def _apply(pair: Pair, spool: Spool, parcel: Parcel) -> Sequence[Outcome]:
    """Send a parcel, with its file where it has one."""
    connector = pair.connector(parcel.company)
    if parcel.enclosure is None:
        return connector.apply(parcel)
    try:
        giver = pair.connector(parcel.enclosure.source.company)
        with spool.opened(giver, parcel.enclosure) as content:
            assert isinstance(connector, TakesFiles), "it packed the file"
            return connector.apply_enclosing(parcel, content)
    except TieoutError as error:  # the file is not at hand, so nothing was sent
        return [Outcome(item.key, item.item_id, error=error) for item in parcel.items]


def _drop_arrived(spool: Spool, parcel: Parcel, outcomes: Sequence[Outcome]) -> None:
    """Take a file away whose receipt is written down; any other may be sent again."""
    if parcel.enclosure is not None and all(one.receipt is not None for one in outcomes):
        spool.drop(parcel.enclosure.sha256)


def _commit_intent(tx: Writes, pair: Pair, ready: _Ready, now: datetime) -> None:
    parcel, at = ready.parcel, instant_text(now)
    sha256 = hashlib.sha256(parcel.body).hexdigest()
    tx.run(
        "parcel_sending",
        request_id=parcel.request_id,
        pair=pair.name,
        company=parcel.company,
        call=parcel.call,
        body=parcel.body,
        body_sha256=sha256,
        enclosure=_enclosure_text(parcel.enclosure),
        items=_items_text(parcel.items),
        attempts=ready.attempts,
        at=at,
    )
    tx.run("attempt_begin", request_id=parcel.request_id, n=ready.attempts, at=at)
    tx.many(
        "outbox_sending",
        [
            {"key": item.key, "item_id": item.item_id, "request_id": parcel.request_id, "at": at}
            for item in parcel.items
        ],
    )
    tx.many("document_sending", [{"key": item.key, "at": at} for item in parcel.items])
    tx.journal(
        "tieout",
        "sending",
        parcel.request_id,
        {
            "call": parcel.call,
            "attempt": ready.attempts,
            "sha256": sha256,
            "keys": [item.key for item in parcel.items],
            **({} if parcel.enclosure is None else {"file": parcel.enclosure.sha256}),
        },
    )


def _settle(
    tx: Writes,
    pair: Pair,
    ready: _Ready,
    outcomes: Iterable[Outcome],
    pushed: Pushed,
    now: datetime,
) -> None:
    """Write down every item's answer; an item without one is unknown."""
    parcel = ready.parcel
    answered = {outcome.item_id: outcome for outcome in outcomes}
    rows = {row["key"]: row for row in tx.all("outbox_of_parcel", request_id=parcel.request_id)}
    steps: list[NextStep | None] = []
    after_secs = 0.0
    for item in parcel.items:
        row = rows.get(item.key)
        if row is None or row["state"] in ("done", "refused"):
            continue  # settled by an earlier look
        outcome = answered.get(item.item_id) or _unanswered(item)
        step = _settle_item(tx, pair, row, outcome, again=ready.attempts > 1, pushed=pushed)
        steps.append(step)
        if isinstance(outcome.error, RateLimited):
            after_secs = max(after_secs, outcome.error.after_secs or 0.0)
    state, not_before = _parcel_state(steps, now, after_secs)
    if state != "again":
        tx.run("outbox_requeue", request_id=parcel.request_id)
    trace_id = next((outcome.trace_id for outcome in answered.values() if outcome.trace_id), "")
    _end_attempt(tx, ready, state, not_before, trace_id, now)


def _settle_item(
    tx: Writes, pair: Pair, row: Row, outcome: Outcome, *, again: bool, pushed: Pushed
) -> NextStep | None:
    """Decide what one answer means: the only table of next steps."""
    if outcome.receipt is not None:
        take_receipt(tx, pair, row, outcome.receipt, how="answered")
        pushed.done += 1
        return None
    error = outcome.error or OutcomeUnknown(record=row["about"])
    step = error.next_step
    _tell(row, error, outcome.trace_id)
    if again and isinstance(error, Duplicate):
        step = NextStep.LOOK  # the twin may be what our own earlier sending made
    match step:
        case NextStep.RETRY:
            pass
        case NextStep.LOOK:
            tx.run(
                "outbox_unknown",
                key=row["key"],
                plan_hash=row["plan_hash"],
                error=_error_text(error),
            )
            tx.run(
                "document_state",
                key=row["key"],
                state="unknown",
                reason=error.code,
                at=tx.now_text(),
            )
            pushed.unknown += 1
        case NextStep.REPLAN | NextStep.ASK | NextStep.STOP:
            refuse(tx, pair, row, error)
            pushed.refused += 1
        case NextStep.PAUSE:
            stop_pair(tx, pair.name, error.code, str(error), error.next)
    return step


def _tell(row: Row, error: TieoutError, trace_id: str) -> None:
    """Log what was not done, without the vendor's words: they may hold people's names.

    What is new goes by its key, and what is told to a record by that record: people know it.
    """
    change = change_of(row["change"])
    record = row["key"] if isinstance(change, Create) else str(change.ref)
    level = logging.INFO if error.next_step is NextStep.RETRY else logging.WARNING
    about = {"record": record, "vendor_code": error.vendor_code, "trace": trace_id}
    _log.log(level, "%s %s: %s", row["verb"], row["kind"], error.code, extra=about)


def _parcel_state(
    steps: Sequence[NextStep | None], now: datetime, after_secs: float
) -> tuple[str, str | None]:
    """Return a parcel's state after its answers, and when it may be sent again."""
    if NextStep.LOOK in steps:
        return "unknown", None
    undone = [step for step in steps if step in (NextStep.RETRY, NextStep.PAUSE)]
    if undone and len(undone) == len(steps):
        wait = after_secs or PAUSE_WITHOUT_WORD_SECS
        return "again", instant_text(now + timedelta(seconds=wait))
    return "settled", None


def _end_attempt(
    tx: Writes, ready: _Ready, state: str, not_before: str | None, trace_id: str, now: datetime
) -> None:
    at = instant_text(now)
    request_id = ready.parcel.request_id
    tx.run("parcel_ended", request_id=request_id, state=state, not_before=not_before, at=at)
    tx.run(
        "attempt_end",
        request_id=request_id,
        n=ready.attempts,
        at=at,
        outcome=state,
        trace_id=trace_id or None,
    )
    if state != "settled":
        tx.journal("tieout", state, request_id, {"attempt": ready.attempts, "trace": trace_id})


def _unanswered(item: ParcelItem) -> Outcome:
    return Outcome(
        item.key,
        item.item_id,
        error=OutcomeUnknown("The answer to the batch leaves this change out."),
    )


def _error_text(error: TieoutError) -> str:
    return canonical(
        {
            "code": error.code,
            "message": str(error),
            "vendor_code": error.vendor_code,
            "vendor_words": error.vendor_words,
            "remedy": error.next,
        }
    )


def _items_text(items: Sequence[ParcelItem]) -> str:
    return canonical(
        [
            [
                item.item_id,
                item.key,
                item.kind,
                item.verb,
                None if item.ref is None else list(_parts(item.ref)),
            ]
            for item in items
        ]
    )


def parcel_of(row: Row) -> Parcel:
    """Return the parcel of a row of the ledger, byte for byte."""
    return Parcel(
        company=row["company"],
        request_id=row["request_id"],
        call=row["call"],
        body=row["body"],
        items=tuple(
            ParcelItem(item_id, key, kind, verb, None if ref is None else Ref(*ref))
            for item_id, key, kind, verb, ref in json.loads(row["items"])
        ),
        enclosure=_enclosure_of(row["enclosure"]),
    )


def _enclosure_text(enclosure: Enclosure | None) -> str | None:
    if enclosure is None:
        return None
    source = list(_parts(enclosure.source))
    return canonical([source, enclosure.sha256, enclosure.size_bytes, enclosure.at])


def _enclosure_of(text: str | None) -> Enclosure | None:
    if text is None:
        return None
    source, sha256, size_bytes, at = json.loads(text)
    return Enclosure(Ref(*source), sha256, size_bytes, at)


def _parts(ref: Ref) -> tuple[str, str, str]:
    return ref.company, ref.kind, ref.id
