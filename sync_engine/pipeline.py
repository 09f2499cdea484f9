"""The flow of one round, in order. Read this first.

A stage takes what is its own, calls a pure heart and writes in one transaction; so a round can be
killed anywhere and started again. Settle comes last, for it also tells the CRM what reconcile
found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from structlog.contextvars import bound_contextvars

from sync_engine.activate import activate, confirm
from sync_engine.addresses import address_of, source_of
from sync_engine.approve import approve
from sync_engine.attach import attach, note_files
from sync_engine.collect import note_collected, note_shares
from sync_engine.consent import judge_consent
from sync_engine.corrections import plan_again
from sync_engine.draft import draft_parts, setting_of
from sync_engine.feeds import Observed, follow_clock, judge_clock
from sync_engine.former import former_until
from sync_engine.ledger import journal
from sync_engine.ledger.sqlite import Ledger
from sync_engine.ledger.store import Reads
from sync_engine.look import look, next_look_secs, recover
from sync_engine.made_elsewhere import take_made
from sync_engine.mirror import mirror_record, stop_pair
from sync_engine.mirror_rows import Mirror
from sync_engine.mode import SHADOW, mode_of, note_mode
from sync_engine.new_records import leave_unneeded
from sync_engine.observe import (
    drafted_kinds,
    observe_crm,
    read_hinted,
    read_related,
    read_sources,
    touch,
)
from sync_engine.observe_books import adopt_found, judge_strangers, observe_books, report_found
from sync_engine.pair import Clock, Pair, Sleep
from sync_engine.plan import plan_sketch
from sync_engine.preflight import SET_IN_THE_BOOKS
from sync_engine.print_back import note_print, print_back
from sync_engine.push import Pushed, is_paused, push
from sync_engine.queue import queue, take_apart, unqueue
from sync_engine.reconcile import reconcile
from sync_engine.settle import settle
from sync_engine.since_backup import apply_found, take_corrected
from sync_engine.states import due_until
from sync_engine.unread import holds_back
from tieout.model.canonical import canonical
from tieout.model.dates import day_of, instant_text, parse_instant
from tieout.model.errors import NextStep, TieoutError
from tieout.model.record import Record
from tieout.model.ref import Ref

DRAFTS_AT_ONCE = 200  # sources planned between two commits
SWEPT_DAYS = 100  # older documents are read again by `tieout reconcile` alone
PASSES = 4  # what is posted may free what waited for it: an invoice frees its payments
LEAST_REST_SECS = 0.5  # where an unknown is due and could not be looked for
WAITS = 40  # looks at unknowns before a waiting round gives up


@dataclass(slots=True)
class Round:
    """What one round of a pair did, for its report."""

    pair: str
    observed: Observed = field(default_factory=Observed)
    pushed: Pushed = field(default_factory=Pushed)
    drafted: int = 0
    told: int = 0
    compared: int = 0
    attached: int = 0  # files that are new attachments
    printed: int = 0  # the books' PDFs that go to the CRM
    unknown: int = 0
    held_until: datetime | None = None  # nothing was sent, for what a former ledger has in flight
    whole: bool = False  # every stage was worked: nothing paused, stopped or interrupted it
    shadow: bool = False  # the pair only watches: it posted nothing and told nothing
    error: TieoutError | None = None
    calls: dict[str, int] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """Return the report as plain values, for the log and ``--json``."""
        error = self.error
        return {
            "pair": self.pair,
            "events": self.observed.events,
            "books_events": self.observed.books_events,
            "unreadable": len(self.observed.unreadable),
            "drafted": self.drafted,
            "calls_sent": self.pushed.parcels,
            "done": self.pushed.done,
            "refused": self.pushed.refused,
            "unknown": self.unknown,
            "told": self.told,
            "compared": self.compared,
            "attached": self.attached,
            "printed": self.printed,
            "shadow": self.shadow,
            "calls": dict(self.calls),
            "held_until": None if self.held_until is None else instant_text(self.held_until),
            "error": None if error is None else {"code": error.code, "message": str(error)},
        }


@dataclass(frozen=True, slots=True)
class Hands:
    """What a round needs from outside: the clock, sleep, and whether to stop."""

    clock: Clock
    sleep: Sleep
    stopping: Callable[[], bool] = lambda: False


def run_round(
    ledger: Ledger,
    pair: Pair,
    hands: Hands,
    *,
    first: bool,
    known_at: datetime | None = None,
    push_too: bool = True,
    hinted: Sequence[Ref] = (),
) -> Round:
    """Work one pair once, from what moved to what was told; never raises for one system's trouble.

    Args:
        ledger: the open ledger, owned by this process.
        pair: the pair.
        hands: clock, sleep and stop.
        first: whether this process has not read this pair's books before.
        known_at: when the ledger last knew the world, as this process found it; for a first round.
        push_too: without, nothing is sent: what ``tieout plan`` shows.
        hinted: records that hints named; those that are sources are read before the feeds.

    Raises:
        TieoutError: only with the next step *stop*.
    """
    done = Round(pair.name)
    before = _calls(pair)
    try:
        since = known_at if first else None
        stages = _stages(
            ledger,
            pair,
            hands,
            done,
            first=first,
            since=since,
            push_too=push_too,
            hinted=() if first else hinted,  # a first round reads the feeds from their cursors
        )
        for name, stage in stages:
            if hands.stopping() or is_paused(ledger, pair):
                break
            with bound_contextvars(pair=pair.name, stage=name):
                stage()
        else:
            done.whole = True
    except TieoutError as error:
        told_to_stop = hands.stopping() and error.next_step is NextStep.RETRY
        _interrupted(ledger, pair, done, None if told_to_stop else error)
    done.unknown = len(ledger.all("parcels_unknown", pair=pair.name))
    after = _calls(pair)
    done.calls = {
        name: n - before.get(name, 0) for name, n in after.items() if n != before.get(name, 0)
    }
    _report(ledger, done, hands.clock())
    return done


def _stages(
    ledger: Ledger,
    pair: Pair,
    hands: Hands,
    done: Round,
    *,
    first: bool,
    since: datetime | None,
    push_too: bool,
    hinted: Sequence[Ref],
) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield the stages in their order, each with the name that the log gives it."""
    yield "begin", lambda: begin(ledger, pair, hands.clock())
    began = hands.clock()  # what is read from here on shows what landed before
    if first:
        yield "begin", lambda: confirm(ledger, pair)
    yield "begin", lambda: activate(ledger, pair)
    yield "begin", lambda: note_mode(ledger, pair)
    done.shadow = mode_of(ledger, pair) == SHADOW
    yield "begin", lambda: judge_consent(ledger, pair, hands.clock())
    yield (
        "observe",
        lambda: observe_books(
            ledger,
            pair,
            done.observed,
            hands.clock,
            strict=not first,
            known_at=since,
            stopping=hands.stopping,
        ),
    )
    yield "observe", lambda: read_hinted(ledger, pair, hinted, done.observed)
    yield (
        "observe",
        lambda: observe_crm(ledger, pair, done.observed, hands.clock, stopping=hands.stopping),
    )
    yield "observe", lambda: follow_clock(ledger, pair, done.observed)
    yield "observe", lambda: judge_clock(ledger, pair, done.observed)
    yield "observe", lambda: sweep(ledger, pair, done.observed, hands.clock())
    yield "observe", lambda: read_related(ledger, pair, done.observed)
    done.held_until = former_until(ledger, pair, began)
    push_too = push_too and not (
        done.observed.clock_off_secs or holds_back(ledger, pair) or done.held_until
    )
    yield "observe", lambda: _see_reset(ledger, pair)
    yield "plan", lambda: adopt_found(ledger, pair, done.observed)
    for _ in range(PASSES):
        yield "plan", lambda: draft_and_plan(ledger, pair, done, hands)
        yield "plan", lambda: judge_strangers(ledger, pair, done.observed)
        yield "plan", lambda: take_corrected(ledger, pair, hands.clock())
        if done.held_until is None:
            yield "plan", lambda: apply_found(ledger, pair, hands.clock())
        if done.shadow:  # nobody is asked, and no policy says yes, to what is not to be sent
            break
        yield "approve", lambda: approve(ledger, pair, hands.clock())
        if not push_too:
            break
        yield "look", lambda: look(ledger, pair, clock=hands.clock)
        yield "push", lambda: send(ledger, pair, done, hands)
        if not _touched(ledger, pair):
            break
    yield "observe", lambda: report_found(ledger, pair)
    if done.shadow:
        return
    yield "reconcile", lambda: _add(done, "compared", reconcile(ledger, pair))
    if push_too:
        yield "attach", lambda: _add(done, "attached", attach(ledger, pair, hands.clock()))
        yield "print", lambda: _add(done, "printed", print_back(ledger, pair, hands.clock()))
        yield "settle", lambda: _add(done, "told", settle(ledger, pair, hands.clock()))
        yield "push", lambda: _push(ledger, pair, done, hands)


def begin(ledger: Ledger, pair: Pair, now: datetime) -> None:
    """Take over what an interrupted round left, be it of a process before or of this one.

    Between rounds nothing is in flight: a call that is still noted so is unknown, unsent changes
    wait for their turn.
    """
    recover(ledger, pair, now)
    with ledger.transaction() as tx:
        unqueue(tx, pair)


def sweep(
    ledger: Ledger, pair: Pair, observed: Observed, now: datetime, *, asked: bool = False
) -> None:
    """Read the sources of documents again: of late ones once a day, of every one when asked.

    No feed shows that a deal was archived or that a line was taken out of it. A first round has
    just read them all.
    """
    state = ledger.one("pair_get", pair=pair.name)
    last = state["swept_at"] if state is not None else None
    since_last = None if last is None else now - parse_instant(last)
    due = since_last is not None and not (  # a clock that was ahead and was set back is due too
        timedelta(0) <= since_last < timedelta(hours=pair.sweep_hours)
    )
    if last is None and not asked:
        with ledger.transaction() as tx:
            tx.run("pair_swept", pair=pair.name, at=instant_text(now))
    if not due and not asked:
        return
    since = "" if asked else instant_text(now - timedelta(days=SWEPT_DAYS))
    with ledger.transaction() as tx:
        tx.run("touch_all", pair=pair.name, company=pair.crm.company, since=since)
        tx.run("documents_uncheck", pair=pair.name)
    rows = ledger.all("touched_all", pair=pair.name, company=pair.crm.company)
    refs = [Ref(pair.crm.company, row["kind"], row["id"]) for row in rows]
    read_sources(ledger, pair, refs, observed)
    with ledger.transaction() as tx:
        tx.run("pair_swept", pair=pair.name, at=instant_text(now))


def draft_and_plan(ledger: Ledger, pair: Pair, done: Round, hands: Hands) -> None:
    """Draft every touched source and plan it, some at a time; an unreadable one stays touched."""
    take_made(ledger, pair)
    setting = setting_of(ledger, pair)
    with ledger.transaction() as tx:
        tx.run("touch_due", pair=pair.name, **due_until(day_of(hands.clock(), pair.time_zone)))
    kinds: dict[str, list[Any]] = {}
    for mapping in sorted(pair.mappings, key=lambda held: held.to != "invoice"):
        kinds.setdefault(mapping.kind, []).append(mapping)
    for mapping in pair.mappings:
        if mapping.collects is not None:  # after their sources, which touch them
            kinds.setdefault(mapping.collects, []).append(mapping)
    for kind, mappings in kinds.items():
        after = ""
        while rows := ledger.all(
            "touched_of",
            pair=pair.name,
            company=pair.crm.company,
            kind=kind,
            after=after,
            limit=DRAFTS_AT_ONCE,
        ):
            after = rows[-1]["id"]
            with ledger.transaction() as tx:
                mirror = Mirror(tx, pair.books.company)
                for row in rows:
                    ref = Ref(pair.crm.company, kind, row["id"])
                    sketches = [
                        sketch
                        for mapping in mappings
                        for sketch in draft_parts(tx, pair, mapping, ref, setting)
                    ]
                    for sketch in sketches:
                        note_shares(tx, pair, sketch)
                        plan_sketch(tx, pair, sketch, hands.clock(), mirror)
                        note_collected(tx, pair, sketch)
                        note_files(tx, pair, sketch)
                        note_print(tx, pair, sketch)
                    tx.run("untouch", pair=pair.name, **address_of(ref))
                    if any(
                        found.code == "unreadable"
                        for one in sketches
                        for found in (*one.findings, *one.unread_files)
                    ):
                        touch(tx, pair, ref, reread=True)
                leave_unneeded(tx, pair)
            done.drafted += len(rows)
    plan_again(ledger, pair, hands.clock())


def send(ledger: Ledger, pair: Pair, done: Round, hands: Hands) -> None:
    """Queue what is approved and send it, dependencies first, until nothing more is ready."""
    if ledger.all("documents_ready", pair=pair.name, limit=1) or ledger.all(
        "parcels_again", pair=pair.name
    ):
        moved = [_read_again(ledger, pair, done), _preferences_moved(ledger, pair)]
        if any(moved):
            draft_and_plan(ledger, pair, done, hands)
        if take_apart(ledger, pair) or any(moved):
            draft_and_plan(ledger, pair, done, hands)
            approve(ledger, pair, hands.clock())
    freed = True
    while freed and not hands.stopping() and not is_paused(ledger, pair):
        queued, made = queue(ledger, pair), done.pushed.done
        _push(ledger, pair, done, hands)
        freed = bool(queued) or done.pushed.done > made  # also by what was asked again
    with ledger.transaction() as tx:
        unqueue(tx, pair)


def wait_for_unknowns(
    ledger: Ledger, pair: Pair, hands: Hands, done: Round, run: Callable[[], Round]
) -> Round:
    """Stay after a round until no unknown is left and nothing is held for a former ledger's calls.

    This is what ``run --once --wait`` does. Return the last round.
    """
    for _ in range(WAITS):
        secs = _rest_secs(ledger, pair, hands.clock(), done)
        rests = hands.stopping() or is_paused(ledger, pair) or done.observed.clock_off_secs
        if secs is None or done.shadow or rests:
            break
        hands.sleep(max(secs, LEAST_REST_SECS))
        done = run()
    return done


def _rest_secs(ledger: Ledger, pair: Pair, now: datetime, done: Round) -> float | None:
    """Return how long until a further round can do more than this one, None when none can."""
    if done.held_until is not None:  # until then no unknown is looked for either
        return (done.held_until - now).total_seconds()
    return next_look_secs(ledger, pair, now)


def _push(ledger: Ledger, pair: Pair, done: Round, hands: Hands) -> None:
    push(ledger, pair, done.pushed, clock=hands.clock, sleep=hands.sleep, stopping=hands.stopping)


def _read_again(ledger: Ledger, pair: Pair, done: Round) -> bool:
    """Read again what is about to be posted and was last read whole before this round.

    No feed shows that a deal was archived or that a line was taken out of it.
    """
    rows = ledger.all("sources_leaving", pair=pair.name)
    sources = [source_of(row) for row in rows]
    refs = [ref for ref in sources if ref not in done.observed.sources]
    if not refs:
        return False
    read_sources(ledger, pair, refs, done.observed)
    read_related(ledger, pair, done.observed)
    return True


def _preferences_moved(ledger: Ledger, pair: Pair) -> bool:
    """Read the books' preferences just before a push: no feed carries them, and periods close."""
    ref = Ref(pair.books.company, "preferences", "1")
    moved = False
    answers = list(pair.books.fetch([ref]))  # before the transaction: while one lasts, all wait
    with ledger.transaction() as tx:
        for answer in answers:
            if isinstance(answer, Record) and mirror_record(tx, pair, answer):
                tx.run("pending_everywhere")
                moved = True
    return moved


def _see_reset(ledger: Ledger, pair: Pair) -> None:
    """Read the books' settings while one holds something back: a person may have changed it."""
    if any(ledger.all("documents_held", pair=pair.name, reason=each) for each in SET_IN_THE_BOOKS):
        _preferences_moved(ledger, pair)


def _touched(ledger: Reads, pair: Pair) -> bool:
    return any(
        ledger.all(
            "touched_of", pair=pair.name, company=pair.crm.company, kind=kind, after="", limit=1
        )
        for kind in drafted_kinds(pair)
    )


def _interrupted(ledger: Ledger, pair: Pair, done: Round, error: TieoutError | None) -> None:
    """Note why a round ended early: passing trouble is the next round's, the rest stops a pair.

    None: the process was told to stop, and waited for no pause that the other system asked for.
    """
    done.error = error
    with ledger.transaction() as tx:
        unqueue(tx, pair)
        if error is not None and error.next_step is NextStep.PAUSE:
            stop_pair(tx, pair.name, error.code, str(error), error.next)
    if error is not None and error.next_step is NextStep.STOP:
        raise error


def _report(ledger: Ledger, done: Round, now: datetime) -> None:
    at = instant_text(now)
    with ledger.transaction() as tx:
        tx.run(
            "pair_round",
            pair=done.pair,
            at=at,
            good_at=at if done.whole else None,
            said=canonical(done.plain()),
        )
        if done.whole and done.held_until is None:
            journal.caught_up(tx, done.pair)


def _calls(pair: Pair) -> Mapping[str, int]:
    counted: dict[str, int] = {}
    for connector in (pair.crm, pair.books):
        for name, n in getattr(connector, "calls", {}).items():
            counted[f"{connector.capabilities.system}.{name}"] = n
    return counted


def _add(done: Round, name: str, n: int) -> None:
    setattr(done, name, getattr(done, name) + n)
