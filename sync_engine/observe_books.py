"""observe, the books' half: feeds become the mirror, each page with its cursor in one commit."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from sync_engine.addresses import address_of
from sync_engine.adopting import adopt_owner
from sync_engine.feeds import (
    FETCHED_AT_ONCE,
    Observed,
    compare_clocks,
    cursor_of,
    is_bare,
    keep_cursor,
    read_bare,
    runs,
)
from sync_engine.ledger.spelling import fields_of
from sync_engine.ledger.sqlite import Ledger
from sync_engine.ledger.store import Reads, Row, Writes
from sync_engine.mirror import (
    DOCUMENTS,
    mirror_fetched,
    mirror_gone,
    mirror_record,
    stop_for_stranger,
)
from sync_engine.pair import Clock, Pair
from sync_engine.tasks import UNCLAIMED, Wanted, keep
from sync_engine.unread import keep_unread, read_again
from tieout.model.dates import instant_text, parse_instant
from tieout.model.errors import NextStep, TieoutError
from tieout.model.record import Event, Page, Record, Seen, Unreadable
from tieout.model.ref import Ref

_log = logging.getLogger(__name__)

REWIND_SECS = 3_600  # how far before the last journal line a starting process reads again
UNCLAIMED_LIMIT = 1_000  # tasks that one first read opens; the log says how many more there are
FEED_DAYS = 29  # a feed that was not read for longer may have forgotten what was deleted (R24)


def observe_books(
    ledger: Ledger,
    pair: Pair,
    observed: Observed,
    clock: Clock,
    *,
    strict: bool,
    known_at: datetime | None,
    stopping: Callable[[], bool] = lambda: False,
) -> None:
    """Read the books' feeds into the mirror.

    When it is stopping it ends between two pages; the next round goes on from there.

    ``strict`` says that this process has read the books before: a marker that appears now without
    an asking of ours is another installation at work (``mirror_record`` opens the task and the
    pair stops). ``known_at`` reads again from an hour before that instant, when the ledger last
    knew the world: after a start or a restore.
    """
    for kinds in pair.books.capabilities.feeds:
        feed = "+".join(kinds)
        cursor = cursor_of(ledger, pair, pair.books.company, feed)
        forgotten = _note_forgotten(ledger, pair, feed, clock())
        if known_at is not None and cursor is not None:
            cursor = pair.books.rewound(kinds, cursor, known_at - timedelta(seconds=REWIND_SECS))
        goes_on = not _never_worked(ledger, pair) and not strict
        asked_at = clock()
        for page in pair.books.changes(kinds, cursor):
            compare_clocks(observed, pair.books.company, page, asked_at, clock())
            moved = _take_page(ledger, pair, feed, page, strict=strict)
            if goes_on:
                observed.marked.update(_marked(moved))
            observed.books_events += len(page.events)
            del page, moved  # a page is large, and the next one is about to be read
            if stopping():
                return
        if forgotten:
            read_living(ledger, pair, kinds)
            _set_due(ledger, pair, feed, "")
    read_again(ledger, pair)


def _take_page(
    ledger: Ledger, pair: Pair, feed: str, page: Page, *, strict: bool
) -> Sequence[Event]:
    """Mirror a page in one commit with its cursor; return the events that moved something."""
    events, unread = _whole(pair, page)
    with ledger.transaction() as tx:
        moved = [event for event in events if _mirror(tx, pair, event, strict=strict)]
        if moved:
            tx.run("pending_everywhere")
        keep_unread(tx, pair, unread)
        keep_cursor(tx, pair, pair.books.company, feed, page)
    return moved


def adopt_found(ledger: Ledger, pair: Pair, observed: Observed) -> None:
    """Take the credits that a start found in the books, before anything is planned beside them."""
    with ledger.transaction() as tx:
        for marker, ref in sorted(observed.marked.items()):
            _adopt_correction(tx, pair, marker, ref)


def judge_strangers(ledger: Ledger, pair: Pair, observed: Observed) -> None:
    """Stop a pair whose books show marks of another installation, once a start has adopted its own.

    A starting process takes records of ours that it does not know yet for what they are. What then
    still carries a mark that no document of ours has was made by another installation. The first
    read of all says nothing: its past may be that of a ledger that was lost.
    """
    with ledger.transaction() as tx:
        for marker, ref in sorted(observed.marked.items()):
            _adopt_correction(tx, pair, marker, ref)
            if tx.one("document_get", key=marker) is None:
                stop_for_stranger(tx, pair, ref, marker)
    observed.marked.clear()


def _adopt_correction(tx: Writes, pair: Pair, marker: str, ref: Ref) -> None:
    """Take a credit that was made since a backup, or its application, for what it is."""
    if ref.kind not in ("credit_memo", "payment") or tx.one("document_get", key=marker):
        return
    shown = tx.one("mirror_get", **address_of(ref))
    if shown is not None:
        adopt_owner(tx, pair, ref.company, fields_of(shown["fields"]))


def report_found(ledger: Ledger, pair: Pair) -> None:
    """Say what a first round found of ours in the books: linked again, or with no source shown.

    So a ledger that was lost says what it has back; what was posted in this very round is no find.
    A deal that was reopened or archived since is not shown to a first read; its invoice waits here
    until a person names the deal.
    """
    if not _never_worked(ledger, pair):
        return
    books = pair.books.company
    counted = ledger.one("found_again", company=books)
    if counted is None or not counted["found"]:
        return
    with ledger.transaction() as tx:
        for row in tx.all("found_unlinked", company=books, limit=UNCLAIMED_LIMIT):
            keep(
                tx,
                pair=pair.name,
                family=UNCLAIMED,
                subject=row["marker"],
                source=None,
                wanted=[_unclaimed(row)],
            )
        told = {"found": counted["found"], "linked": counted["linked"]}
        told["unexplained"] = counted["found"] - counted["linked"]
        tx.journal("tieout", "found again", pair.name, told)
    _log.info(
        "%s: the books have %d documents of ours; %d are linked again, %d have no source that was "
        "shown: `tieout tasks`",
        pair.name,
        *told.values(),
    )


def _unclaimed(row: Row) -> Wanted:
    """Return the task for a document of ours whose source was not shown."""
    fields = fields_of(row["fields"])
    named = f"{row['kind']} {fields.get('number') or row['id']}"
    total = f"{row['total']} {fields.get('currency')}"
    return Wanted(
        "unclaimed",
        f"The books' {named} has no deal here",
        f"The books' {named} of {row['day']} over {total} carries our key {row['marker']}, and the "
        f"CRM showed nothing that it was made from. Its memo: {fields.get('memo') or 'empty'}",
        "Its deal was perhaps reopened or archived since: `tieout resync deal:ID` links it again. "
        "`ignore` if another installation made it.",
        choices=("ignore",),
        detail={"kind": row["kind"], "id": row["id"]},
    )


def _never_worked(ledger: Reads, pair: Pair) -> bool:
    """Whether no round of a pair was worked to its end, so that its past may be a lost ledger's."""
    state = ledger.one("pair_get", pair=pair.name)
    return state is None or state["last_good_at"] is None


def read_living(ledger: Ledger, pair: Pair, kinds: Iterable[str] = DOCUMENTS) -> None:
    """Ask for each document of the books that lived when it was last shown: is it still there?

    Raises:
        TieoutError: the books do not answer.
    """
    for kind in sorted(DOCUMENTS.intersection(kinds)):
        rows = ledger.all("mirror_living", company=pair.books.company, kind=kind)
        refs = [Ref(pair.books.company, kind, row["id"]) for row in rows]
        for some in runs(refs, FETCHED_AT_ONCE):
            answers = list(pair.books.fetch(some))
            unread = [answer for answer in answers if isinstance(answer, Unreadable)]
            _demand_answers(unread, of=len(answers))
            with ledger.transaction() as tx:
                moved = [mirror_fetched(tx, pair, answer) for answer in answers]
                if any(moved):
                    tx.run("pending_everywhere")
                keep_unread(tx, pair, unread)


def _whole(pair: Pair, page: Page) -> tuple[list[Event], list[Unreadable]]:
    """Return a page's events, each with its record, and the records that cannot be read.

    Raises:
        TieoutError: nothing can be read now, of these and of any other.
    """
    unread: list[Unreadable] = []
    events = [event for event in page.events if not is_bare(event)]
    for answer in read_bare(pair.books, page):
        match answer:
            case Unreadable(error=TieoutError(next_step=NextStep.PAUSE | NextStep.STOP) as error):
                raise error
            case Record():
                events.append(Event(answer.ref, record=answer))
            case Unreadable():
                unread.append(answer)
            case _:
                events.append(Event(answer.ref, Seen.GONE))
    return events, unread


def _demand_answers(unread: Sequence[Unreadable], *, of: int) -> None:
    """Tell books that answer nothing now from a record that cannot be read, which names itself.

    Raises:
        TieoutError: what keeps them all from being read.
    """
    for answer in unread:
        if answer.error.next_step in (NextStep.PAUSE, NextStep.STOP):
            raise answer.error
    if len(unread) == of and not any(answer.error.record for answer in unread):
        raise unread[0].error


def _note_forgotten(ledger: Ledger, pair: Pair, feed: str, now: datetime) -> bool:
    """Note that a feed may have forgotten what was deleted, and return whether it is noted.

    It was last read too long ago. The note outlives a round that ends early: the feed is fresh from
    its last page on, and each record must still be asked for.
    """
    ages = [
        now - parse_instant(row["as_of"])
        for row in ledger.all("cursors_of_pair", pair=pair.name)
        if (row["company"], row["feed"]) == (pair.books.company, feed)
    ]
    if any(age > timedelta(days=FEED_DAYS) for age in ages):
        _set_due(ledger, pair, feed, instant_text(now))
    return bool(ledger.value("meta_get", name=_due(pair, feed)))


def _set_due(ledger: Ledger, pair: Pair, feed: str, since: str) -> None:
    with ledger.transaction() as tx:
        tx.run("meta_set", name=_due(pair, feed), value=since)


def _due(pair: Pair, feed: str) -> str:
    return f"living_due {pair.name} {pair.books.company} {feed}"


def _marked(events: Iterable[Event]) -> dict[str, Ref]:
    """Return the documents of the books that carry a mark, by their mark."""
    records = [event.record for event in events if event.record is not None]
    return {
        str(record.fields["marker"]): record.ref
        for record in records
        if record.ref.kind in DOCUMENTS and record.fields.get("marker")
    }


def _mirror(tx: Writes, pair: Pair, event: Event, *, strict: bool) -> bool:
    if event.record is not None:
        return mirror_record(tx, pair, event.record, strict=strict)
    return event.seen is Seen.GONE and mirror_gone(tx, pair, event.ref)
