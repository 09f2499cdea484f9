"""The engine as its doors see it: rounds, and what people ask, decide and answer.

Every door (command line, daemon, console) speaks to this class and to nothing below it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from sync_engine import approve as approving
from sync_engine import backfill as backfilling
from sync_engine import shadow as shadowing
from sync_engine import show
from sync_engine.addresses import named_as, source_of
from sync_engine.answer import open_task, take_answer
from sync_engine.apportion import fitted, now_lines, whole_of
from sync_engine.corrections import (
    choose,
    read_now,
    standing_of,
)
from sync_engine.draft import draft_parts, setting_of
from sync_engine.feeds import Observed
from sync_engine.ledger import journal
from sync_engine.ledger.sqlite import Ledger
from sync_engine.mode import SHADOW, demand_live, demand_posting, go_live, mode_of
from sync_engine.naming import Names, part_of
from sync_engine.observe import read_sources
from sync_engine.observe_books import read_living
from sync_engine.pair import Pair
from sync_engine.pipeline import Hands, Round, run_round, sweep, wait_for_unknowns
from sync_engine.reissuing import issue_again
from sync_engine.show_corrections import share as show_share
from sync_engine.show_corrections import shown_option
from sync_engine.show_corrections import standing as show_corrections
from sync_engine.standing import Choice
from sync_engine.states import COLLECTED, in_state
from sync_engine.tasks import DRIFT, PAIR, keep
from sync_engine.turns import Turn, side_by_side
from tieout.model.errors import NotFound, Rejected
from tieout.model.ref import Ref

SHEET_LIMIT = 10_000  # plans of each state that one answer shows
SHOWN = ("planned", "waiting", "approved", "blocked", "refused")  # what a plan is shown of
TASKS_LIMIT = 10_000  # tasks that one answer shows
HEARTBEAT = "heartbeat"  # the fact of a ledger that says when its daemon last lived

T = TypeVar("T")


@dataclass(slots=True)
class Engine:
    """One open ledger, its pairs, and the hands to work them with.

    Threads may share it. Pairs that post into the same books share their mirror, so they take
    turns; all others are worked side by side, and wait for no company but their own.
    """

    ledger: Ledger
    pairs: Mapping[str, Pair]
    hands: Hands
    _begun: set[str] = field(default_factory=set)
    _found_at: datetime | None = field(init=False)
    """When the last line of the journal was written that this process found."""
    _turns: Mapping[str, Turn] = field(init=False)
    """By books company: whose pairs are worked one after the other."""

    def __post_init__(self) -> None:
        self._found_at = journal.last_line_at(self.ledger)
        self._turns = {pair.books.company: Turn() for pair in self.pairs.values()}

    @property
    def _names(self) -> Names:
        return Names(self.ledger, self.pairs)

    # -- rounds -------------------------------------------------------------------------------

    def round(
        self,
        name: str,
        *,
        wait: bool = False,
        push_too: bool = True,
        hinted: Sequence[Ref] = (),
    ) -> Round:
        """Work one pair once; with ``wait`` stay until nothing is left that time settles.

        What ``hinted`` names of its sources is read before the feeds are.

        Raises:
            TieoutError: only with the next step *stop*.
        """
        pair = self._names.pair(name)
        with self._turn_of(pair):
            done = self._once(name, push_too=push_too, hinted=hinted)
            if wait:
                again = partial(self._once, name)
                done = wait_for_unknowns(self.ledger, pair, self.hands, done, again)
        return done

    def rounds(self, names: Sequence[str], *, wait: bool = False) -> list[Round]:
        """Work some pairs once each, those of different books side by side; in the given order.

        Raises:
            TieoutError: as ``round``.
        """
        return self._side_by_side(names, lambda name: self.round(name, wait=wait))

    def plan(self, refs: tuple[str, ...] = (), *, look: bool = True) -> list[dict[str, Any]]:
        """Return what would be sent, and what waits or is blocked, with hashes and findings.

        ``look`` reads both sides first; nothing is ever sent.

        Raises:
            NotFound: no side ever showed anything of one of ``refs``.
        """
        if look:
            self.look()
        for text in refs:
            self._names.demand_known(text)
        return [shown for name in self.pairs for shown in self._sheet(name, refs)]

    def count_plans(self) -> int:
        """Return how many plans there are to show, of all pairs."""
        counts = [
            row for name in self.pairs for row in self.ledger.all("document_counts", pair=name)
        ]
        return sum(row["n"] for row in counts if row["state"] in SHOWN)

    def look(self) -> list[Round]:
        """Read both sides of every pair and plan; nothing is sent."""
        return self._side_by_side(tuple(self.pairs), lambda name: self.round(name, push_too=False))

    def planned(self, wanted: str) -> list[dict[str, Any]]:
        """Return the plans whose hash begins so, whatever became of them.

        Raises:
            Rejected: the hash is too short.
        """
        rows = [
            row
            for pair in self.pairs.values()
            for row in approving.named_by(self.ledger, pair, wanted)
        ]
        return [show.planned(self.ledger, row) for row in rows if row["state"] in SHOWN]

    def sheet_hash(self, name: str) -> str | None:
        """Return the hash that approves everything of a pair that waits, None when nothing does."""
        return approving.sheet_of(self.ledger, self._names.pair(name))

    def approve(self, wanted: str, *, who: str, reason: str = "") -> int:
        """Approve a plan, or a whole sheet, by its hash; return how many documents."""
        return self._decide(wanted, approving.APPROVED, who, reason)

    def reject(self, wanted: str, *, who: str, reason: str) -> int:
        """Reject a plan, or a whole sheet, by its hash; return how many documents."""
        return self._decide(wanted, approving.REJECTED, who, reason)

    def resync(self, text: str, *, who: str) -> Round:
        """Read one source again with all its records, and work its pair once.

        Raises:
            NotFound: the CRM has no such source, and the books have nothing of it.
        """
        pair, ref = self._names.source(text)
        with self._turn_of(pair):
            with self.ledger.transaction() as tx:
                tx.journal(who, "resync", str(ref), None)
            read_sources(self.ledger, pair, [ref], Observed())
            is_answered = self._names.snapshot(pair, ref) is not None
            done = self._once(pair.name)
        if is_answered and self._names.is_strange(pair, ref):
            raise NotFound(
                f"{ref.company} has no {ref}.", remedy="Write its kind and id: deal:901."
            )
        return done

    def reissue(self, text: str, *, who: str, reason: str) -> str:
        """Begin the next generation of a document that was voided, deleted or credited whole.

        It is planned and approved like any other; return its new key.

        Raises:
            Rejected: its record still lives in the books, or it has none.
        """
        pair, _ = self._names.source(text)
        with self._turn_of(pair):
            pair, row = self._names.taken_back(text)
            if not self._names.is_taken_back(pair, row):
                what = named_as(source_of(row), row["part"])
                raise Rejected(
                    f"{row['title']} is {row['state']}; only what was voided, deleted or credited "
                    "whole is issued again.",
                    remedy=f"`tieout correct {what}` shows how to take it back.",
                )
            with self.ledger.transaction() as tx:
                return str(issue_again(tx, pair, row, who=who, reason=reason))

    def corrections(self, text: str) -> dict[str, Any]:
        """Return how a posted invoice differs from its deal, and what can be done about it now.

        Raises:
            NotFound: nothing was posted of it.
        """
        pair, _ = self._names.source(text)
        with self._turn_of(pair):
            pair, row = self._names.posted_invoice(text)
            read_now(self.ledger, pair, row)
            if whole_of(self.ledger, row) is not row:
                return show_share(self.ledger, pair, row, self.hands.clock())
            return show_corrections(self.ledger, pair, row, self.hands.clock())

    def deal_lines(self, text: str) -> tuple[Decimal, ...]:
        """Return what each line of a deal comes to now, before tax; none where it is not won."""
        pair, row = self._names.posted_invoice(text)
        invoice = whole_of(self.ledger, row)
        if invoice is not row:
            return now_lines(self.ledger, pair, row)
        return standing_of(self.ledger, pair, invoice, self.hands.clock()).now_lines

    def correct(
        self, text: str, choice: Choice, *, who: str, reason: str, asking: str = ""
    ) -> dict[str, Any]:
        """Plan the correction that a person chose; it is approved as any plan, and then sent.

        ``asking`` names this choice, so that a wish which is granted again chooses nothing twice.

        Raises:
            NotFound: nothing was posted of it.
            Rejected: the books would refuse it now, or the pair only watches.
        """
        pair, _ = self._names.source(text)
        now = self.hands.clock()
        with self._turn_of(pair):
            pair, row = self._names.posted_invoice(text)
            demand_posting(self.ledger, pair)
            read_now(self.ledger, pair, row)
            invoice = whole_of(self.ledger, row)
            if invoice is not row:
                stands = standing_of(self.ledger, pair, invoice, now)
                choice = fitted(self.ledger, row, stands, choice)
            chosen = choose(
                self.ledger,
                pair,
                invoice,
                choice,
                who=who,
                reason=reason,
                now=now,
                asking=asking,
            )
            approving.approve(self.ledger, pair, now)
            return shown_option(chosen)

    def ignore_drift(self, text: str, *, who: str, reason: str) -> int:
        """Leave a posted invoice as it is, until its differences change; return how many tasks."""
        pair, _ = self._names.source(text)
        with self._turn_of(pair):
            pair, invoice = self._names.posted_invoice(text)
            rows = self.ledger.all("task_open_of", family=DRIFT, subject=invoice["key"])
            if not rows:
                raise NotFound(f"{invoice['title']} has no drift to ignore.")
            for row in rows:
                take_answer(self.ledger, pair, row["id"], "ignore", who=who, reason=reason)
            return len(rows)

    def resume(self, name: str, *, who: str, reason: str) -> None:
        """Let a pair that stands still go on."""
        pair = self._names.pair(name)
        with self._turn_of(pair), self.ledger.transaction() as tx:
            tx.run("pair_resume", pair=name)
            keep(
                tx,
                pair=name,
                family=PAIR,
                subject=name,
                source=None,
                wanted=(),
            )
            tx.journal(who, "resumed", pair.name, {"reason": reason})

    def reconcile(self, name: str) -> Round:
        """Read every source, its records and its documents again, and compare all three sides.

        The CRM is told again what it refused before, also where a person ignored the refusal.

        Raises:
            TieoutError: a document of the books cannot be read again; what was read is kept.
        """
        pair = self._names.pair(name)
        with self._turn_of(pair):
            with self.ledger.transaction() as tx:
                tx.run("documents_tell_again", pair=name)
            sweep(self.ledger, pair, Observed(), self.hands.clock(), asked=True)
            read_living(self.ledger, pair)
            return self._once(name)

    # -- tasks --------------------------------------------------------------------------------

    def tasks(self, pair: str | None = None) -> list[dict[str, Any]]:
        """Return the open tasks, the oldest first."""
        if pair is not None:
            self._names.pair(pair)
        rows = self.ledger.all("tasks_open", pair=pair, limit=TASKS_LIMIT)
        return [show.task(row) for row in rows]

    def count_tasks(self, pair: str | None = None) -> int:
        """Return how many tasks are open, of a pair or of all."""
        counts = self.ledger.all("task_counts")
        return sum(row["n"] for row in counts if pair in (None, row["pair"]))

    def answer(self, number: int, choice: str, *, who: str, reason: str) -> None:
        """Answer an open task with one of its choices.

        Raises:
            NotFound: no such open task.
            Rejected: the choice is none of its choices.
        """
        pair = self._names.pair(open_task(self.ledger, number)["pair"])
        with self._turn_of(pair):
            take_answer(self.ledger, pair, number, choice, who=who, reason=reason)

    # -- beginning over books that have a past -------------------------------------------------

    def backfill(self, name: str) -> dict[str, Any]:
        """Return what links a pair's two sides: certain, likely, and missing on either.

        Raises:
            Rejected: the pair was never read whole, so that nothing can be told to be missing.
        """
        pair = self._names.pair(name)
        return backfilling.report(self.ledger, pair, self._beside(pair))

    def confirm_links(self, wanted: str, *, who: str, reason: str) -> int:
        """Link what a report's hash names; return how many documents.

        Raises:
            NotFound: no pair's report has this hash now.
            Rejected: the hash is too short.
        """
        for pair in self.pairs.values():
            with self._turn_of(pair):
                linked = backfilling.confirm(
                    self.ledger, pair, wanted, who=who, reason=reason, beside=self._beside(pair)
                )
            if linked is not None:
                return linked
        raise NotFound(
            f"No report has the hash {wanted}: what it showed has moved, or is linked.",
            remedy="`tieout backfill` shows the present links and their hashes.",
        )

    def link(self, text: str, record: str, *, who: str, reason: str) -> str:
        """Link one deal, as ``deal:901`` or by its document's key, to an invoice by its id.

        Return the document's key.

        Raises:
            NotFound: no such deal waits, or no such invoice was made by hand.
        """
        named = self.ledger.one("document_get", key=text)
        if named is not None:
            pair, keys = self._names.pair(named["pair"]), [text]
        else:
            pair, _ = self._names.source(text)
            keys = [row["key"] for row in self._names.made_of_text(pair.name, text)]
        with self._turn_of(pair):
            return backfilling.link_one(self.ledger, pair, keys, record, who=who, reason=reason)

    def shadow(self, name: str, since: date | None = None) -> dict[str, Any]:
        """Return each invoice made by hand beside the one that would be made, and what differs.

        Raises:
            Rejected: the pair was never read whole.
        """
        pair = self._names.pair(name)
        return shadowing.report(self.ledger, pair, since, self._beside(pair))

    def go_live(self, name: str, *, who: str, reason: str, leave_open: bool = False) -> int:
        """Let a pair in the shadow post from now on; return how many links are left open.

        Raises:
            Rejected: it posts already, or links wait to be confirmed.
        """
        pair = self._names.pair(name)
        with self._turn_of(pair):
            return go_live(
                self.ledger,
                pair,
                who=who,
                reason=reason,
                leave_open=leave_open,
                beside=self._beside(pair),
            )

    # -- looking ------------------------------------------------------------------------------

    def status(self) -> dict[str, Any]:
        """Return how each pair is, the journal's head, and when a daemon was last alive."""
        head = journal.head(self.ledger)
        counts = [dict(row) for row in self.ledger.all("task_counts")]
        return {
            "journal": {"lines": head.n, "hash": head.hash},
            "daemon_beat_at": self.ledger.value("meta_get", name=HEARTBEAT),
            "pairs": [show.pair_status(self.ledger, pair, counts) for pair in self.pairs.values()],
        }

    def explain(self, text: str, wanted: str | None = None) -> dict[str, Any]:
        """Return what happened to a source, or to one part, and which line made each value.

        Raises:
            NotFound: no side ever showed anything of it, or no value made of it is the wanted one.
        """
        pair, ref = self._names.source(text)
        self._names.demand_known(text)
        part = part_of(text)
        setting = setting_of(self.ledger, pair)
        sketches = [
            sketch
            for mapping in pair.mappings
            if ref.kind in (mapping.kind, mapping.collects)
            for sketch in draft_parts(self.ledger, pair, mapping, ref, setting)
            if part in (None, sketch.part)
        ]
        if not sketches and part is not None:
            raise NotFound(
                f"{ref} has no part {part!r}.",
                remedy=f"`tieout explain {ref.kind}:{ref.id}` shows all that it makes.",
            )
        explained = [show.explained(self.ledger, pair, sketch, wanted) for sketch in sketches]
        if wanted is not None and not any(each["values"] for each in explained):
            whole = [show.explained(self.ledger, pair, sketch, None) for sketch in sketches]
            if any(each["values"] for each in whole):
                raise NotFound(
                    f"Nothing in {ref} is called {wanted!r}.",
                    remedy=f"`tieout explain {ref.kind}:{ref.id}` shows every field.",
                )
        return {"source": str(ref), "documents": explained}

    # -- inside -------------------------------------------------------------------------------

    def _once(self, name: str, *, push_too: bool = True, hinted: Sequence[Ref] = ()) -> Round:
        first = name not in self._begun
        known_at = journal.restored_from(self.ledger, name) or self._found_at
        done = run_round(
            self.ledger,
            self._names.pair(name),
            self.hands,
            first=first,
            known_at=known_at,
            push_too=push_too,
            hinted=hinted,
        )
        if done.whole and push_too and done.held_until is None:  # what lands until then is ours
            self._begun.add(name)
        return done

    def _decide(self, wanted: str, verdict: str, who: str, reason: str) -> int:
        missing: NotFound | None = None
        for pair in self.pairs.values():
            demand_live(self.ledger, pair, wanted)
            try:
                approving.demand_waiting(self.ledger, pair, wanted)  # without a turn: is it its?
            except NotFound as absent:
                missing = absent
                continue
            with self._turn_of(pair):
                return approving.decide(
                    self.ledger,
                    pair,
                    wanted,
                    verdict,
                    who=who,
                    reason=reason,
                    now=self.hands.clock(),
                )
        raise missing or NotFound("There is no pair.")

    def in_shadow(self) -> list[str]:
        """Return the names of the pairs that only watch."""
        return [name for name, one in self.pairs.items() if mode_of(self.ledger, one) == SHADOW]

    def _beside(self, pair: Pair) -> list[Pair]:
        """Return the other pairs that post into the same books."""
        books = pair.books.company
        return [one for one in self.pairs.values() if one.books.company == books and one != pair]

    def _turn_of(self, pair: Pair) -> AbstractContextManager[None]:
        return self._turns[pair.books.company].held()

    def _side_by_side(self, names: Sequence[str], work: Callable[[str], T]) -> list[T]:
        """Work pairs, those of one books company in the given order; return what came of each."""
        return side_by_side(names, lambda name: self._names.pair(name).books.company, work)

    def _sheet(self, name: str, refs: tuple[str, ...]) -> Iterator[dict[str, Any]]:
        rows = [row for text in refs for row in self._names.made_of_text(name, text)]
        for state in (*SHOWN, *((COLLECTED,) if refs else ())):
            found = (
                (row for row in rows if row["state"] == state)
                if refs
                else islice(in_state(self.ledger, name, state), SHEET_LIMIT)
            )
            yield from (show.planned(self.ledger, row) for row in found)
