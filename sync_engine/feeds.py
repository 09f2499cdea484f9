"""Feeds: where each was read up to, what one look found, and whether the clocks agree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sync_engine.ledger.sqlite import Ledger
from sync_engine.ledger.store import Reads, Writes
from sync_engine.pair import Pair
from sync_engine.tasks import CLOCK, Wanted, keep
from tieout.model.contract import Connector
from tieout.model.dates import instant_text, parse_instant
from tieout.model.record import Event, Fetched, Page, Seen, Unreadable
from tieout.model.ref import Cursor, Ref

FETCHED_AT_ONCE = 1_000  # records read between two commits
CLOCK_OFF_SECS = 300  # a clock that is further off a server's is not pushed by (R51)
CLOCK_STEP_SECS = 5  # a step of ours that is told from the seconds that a server's clock shows
AHEAD = "clock_ahead:"  # the fact that keeps how far ours was ahead of a company's, by pair


@dataclass(slots=True)
class Observed:
    """What one look found, for the round's report."""

    events: int = 0
    books_events: int = 0
    unreadable: list[Unreadable] = field(default_factory=list)
    sources: set[Ref] = field(default_factory=set)  # read with all their related records
    marked: dict[str, Ref] = field(default_factory=dict)  # the books' documents, by our mark
    clock_off_secs: dict[str, float] = field(default_factory=dict)
    """By company: its server's clock less ours, where that is more than ``CLOCK_OFF_SECS``."""
    clock_ahead_secs: dict[str, float] = field(default_factory=dict)
    """By company: our clock less its server's, at least: by the answer that came soonest."""


def cursor_of(ledger: Reads, pair: Pair, company: str, feed: str) -> Cursor | None:
    """Return where a feed was read up to, None before its first read."""
    held = ledger.value("cursor_get", pair=pair.name, company=company, feed=feed)
    return None if held is None else Cursor(str(held))


def keep_cursor(tx: Writes, pair: Pair, company: str, feed: str, page: Page) -> None:
    """Note where a feed is read up to, in the commit of its page.

    How fresh it is moves with the last page alone: a walk that was cut off has not read the feed.
    """
    read = {
        "pair": pair.name,
        "company": company,
        "feed": feed,
        "value": page.cursor,
        "as_of": instant_text(page.as_of),
    }
    if page.last:
        tx.run("cursor_set", **read)
    else:
        tx.run("cursor_step", **read)


def is_bare(event: Event) -> bool:
    """Whether an event says that a record changed and does not carry it."""
    return event.record is None and event.seen is Seen.CHANGED


def read_bare(connector: Connector, page: Page) -> list[Fetched]:
    """Read by address what a page shows bare.

    It is kept in the commit of the page: the cursor would not show it a second time.
    """
    refs = dict.fromkeys(event.ref for event in page.events if is_bare(event))
    return list(connector.fetch(list(refs))) if refs else []


def compare_clocks(
    observed: Observed, company: str, page: Page, asked_at: datetime, now: datetime
) -> None:
    """Note a server's clock that lies outside the time in which it can have answered."""
    before_secs = (page.as_of - asked_at).total_seconds()
    after_secs = (page.as_of - now).total_seconds()
    ahead_secs = observed.clock_ahead_secs
    ahead_secs[company] = max(-before_secs, ahead_secs.get(company, -before_secs))
    if before_secs < -CLOCK_OFF_SECS:
        observed.clock_off_secs[company] = before_secs
    elif after_secs > CLOCK_OFF_SECS:
        observed.clock_off_secs[company] = after_secs


def follow_clock(ledger: Ledger, pair: Pair, observed: Observed) -> None:
    """See our clock put forward: what has had no answer was not quiet for the time it skipped.

    A clock that was put back only lets a call be quiet for longer.
    """
    for company, ahead_secs in observed.clock_ahead_secs.items():
        name = _ahead(pair, company)
        before = ledger.value("meta_get", name=name)
        step_secs = 0.0 if before is None else ahead_secs - float(before)
        if before is not None and abs(step_secs) <= CLOCK_STEP_SECS:
            continue
        with ledger.transaction() as tx:
            tx.run("meta_set", name=name, value=str(ahead_secs))
            for row in tx.all("parcels_unknown", pair=pair.name) if step_secs > 0 else ():
                ended = parse_instant(row["ended_at"]) + timedelta(seconds=step_secs)
                if row["company"] == company:
                    tx.run(
                        "parcel_quiet_from", request_id=row["request_id"], at=instant_text(ended)
                    )


def ahead_of(ledger: Reads, pair: Pair, company: str) -> timedelta:
    """Return how far our clock was ahead of a company's when it was last compared."""
    return timedelta(seconds=float(ledger.value("meta_get", name=_ahead(pair, company)) or 0))


def _ahead(pair: Pair, company: str) -> str:
    return f"{AHEAD}{pair.name}:{company}"


def judge_clock(ledger: Ledger, pair: Pair, observed: Observed) -> None:
    """Keep the task that says whose clock ours disagrees with; it closes when they agree again."""
    wanted = [
        Wanted(
            "clock",
            "Clocks disagree",
            f"This machine's clock is {abs(secs):.0f} seconds "
            f"{'behind' if secs > 0 else 'ahead of'} that of {company}. Nothing is sent until they "
            f"agree to {CLOCK_OFF_SECS} seconds.",
            "Set this machine's clock, best by NTP; the next round goes on by itself.",
        )
        for company, secs in list(observed.clock_off_secs.items())[:1]
    ]
    if wanted or ledger.all("task_open_of", family=CLOCK, subject=pair.name):
        with ledger.transaction() as tx:
            keep(
                tx,
                pair=pair.name,
                family=CLOCK,
                subject=pair.name,
                source=None,
                wanted=wanted,
            )


def runs(refs: Sequence[Ref], size: int) -> Iterator[Sequence[Ref]]:
    """Yield the refs in runs of a size."""
    for start in range(0, len(refs), size):
        yield refs[start : start + size]
