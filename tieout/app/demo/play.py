"""The demo from its first act to its last. Read this first."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from sync_engine.engine import Engine
from tieout.app import deeds, wiring
from tieout.app.companies import Site
from tieout.app.crms import USUAL, titles
from tieout.app.demo import day, world
from tieout.app.demo.cast import PARTS, joined
from tieout.app.demo.doors import Truth, asked
from tieout.app.demo.parts import Fault, Part
from tieout.app.demo.stage import (
    Companies,
    Home,
    Story,
    begun,
    served,
    simulate_options,
    start_over,
)
from tieout.app.demo.tally import Tally, shown, tally, won_deals
from tieout.app.demo.telling import Teller

PERSON: Final = "ann"
SHORT_HASH: Final = 8
DOCUMENTS: Final = ("invoices", "payments", "customers", "items", "credit_memos", "refund_receipts")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the demo came to."""

    tally: Tally
    second_run_changes: int
    api_calls: int

    @property
    def is_good(self) -> bool:
        """Whether all ties out and the last round changed nothing."""
        return self.tally.holds and not self.second_run_changes

    def plain(self) -> dict[str, Any]:
        """Return it as the line that ``make demo JSON=1`` ends with."""

        def amounts(name: str) -> dict[str, str]:
            rows = self.tally.rows.items()
            return {code: shown(getattr(row, name), code) for code, row in rows}

        return {
            **{name: amounts(name) for name in ("won", "invoiced", "held", "difference")},
            "posted": self.tally.posted,
            "held_count": self.tally.held_deals,
            "second_run_changes": self.second_run_changes,
            "api_calls": self.api_calls,
            "duplicates": len(self.tally.duplicates),
            "lost": len(self.tally.lost),
        }


def play(
    home: Home,
    teller: Teller,
    *,
    crm: str = USUAL,
    deals: int,
    program: str = "tieout",
    fresh: bool = False,
    any_ports: bool = False,
    new_id: Callable[[], str] = lambda: secrets.token_hex(4),
    stopping: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Play the demo, or what of it is still to come.

    Args:
        home: its directory.
        teller: whom it is told by.
        crm: which CRM, or all.
        deals: how many deals the sales team has won in each, when it begins.
        program: how a person starts ``tieout`` here.
        fresh: forget what an earlier demo left.
        any_ports: serve on free ports, also where the usual ones are free.
        new_id: makes the word by which the companies of this demo are known again.
        stopping: whether to end early; all is kept, and the next demo goes on.

    Raises:
        ConfigError: the directory is in use by something else, or the companies are served.
        KeyboardInterrupt: it was to end early.
    """
    if fresh:
        start_over(home)
    story = begun(home, crm, deals, new_id)
    teller.title(
        f"Won {titles(story.crms)} deals become posted QuickBooks invoices, once each, and tie out "
        "to the cent.",
        "All companies are make-believe and on this machine; all else is the real program.",
    )
    with served(home, story, any_ports=any_ports) as companies:
        played = _Played(home, story, home.site(), companies, teller, program, stopping)
        return played.to_the_end()


@dataclass(frozen=True, slots=True)
class _Played:
    """One playing of the demo."""

    home: Home
    story: Story
    site: Site
    companies: Companies
    teller: Teller
    program: str
    stopping: Callable[[], bool]

    def to_the_end(self) -> Outcome:
        crm, books = self._truths()
        before = asked(crm) + asked(books)
        acts = {
            "companies": self._companies,
            "first round": self._first_round,
            "decisions": self._decisions,
            "day": self._day,
            "second round": self._second_round,
        }
        for name, act in acts.items():
            if name not in self.story.acts:
                act()
                self._over(name)
        changes = self._last_round()
        crm, books = self._truths()
        with self._engine(owned=False) as engine:
            tasks = [task for pair in self.story.pairs for task in engine.tasks(pair)]
            sheets = [engine.sheet_hash(pair) for pair in self.story.pairs]
        counted = tally(crm, books, tasks, self.story.orders, cutover=self._cutover)
        self.teller.act("The tie-out, deal by deal and net of tax")
        self.teller.tie_out(counted)
        self._what_next(tasks, [sheet for sheet in sheets if sheet])
        return Outcome(counted, changes, asked(crm) + asked(books) - before)

    # -- acts ---------------------------------------------------------------------------------

    def _companies(self) -> None:
        self.teller.act("Companies with a past", self._simulate)
        crm = joined(self.companies.crms)
        told = world.furnish(crm, self.companies.books, self._cutover, self.story.born)
        facts = {}
        for one in self.story.crms:
            its = PARTS[one.system].read(self.companies.crms[one.system].truth())
            won = list(won_deals(its, self._cutover))
            currencies = sorted({deal["currency"] for deal in won if deal["currency"]})
            facts[one.title] = (
                f"{len(won)} won deals in {', '.join(currencies)}, and "
                f"{len(its['deals']) - len(won)} that are open, lost, archived or too old"
            )
        self.teller.facts(
            {
                **facts,
                "QuickBooks": "; ".join(told),
                "Between": "rate limits as the vendors keep them, and faults: lost answers, late "
                "commits, 429s, 500s, HTML",
            }
        )

    def _first_round(self) -> None:
        self.teller.act("The first round", "tieout run --once --wait")
        self._round(lambda part: part.first, world.FIRST_BOOKS)

    def _decisions(self) -> None:
        self.teller.act("A person decides", "tieout reject, tieout tasks answer, tieout approve")
        with self._engine() as engine:
            pairs = self.story.pairs
            self.teller.say(
                *_answers(engine, pairs), *_rejection(engine), *_approval(engine, pairs)
            )
        self._round(lambda part: part.approved, world.APPROVED_BOOKS)

    def _day(self) -> None:
        self.teller.act("A day at the companies")
        facts = {"The accountant": ", ".join(day.accountants_day(self.companies.books))}
        books = self.companies.books.truth()
        for one in self.story.crms:
            doors, part = self.companies.crms[one.system], PARTS[one.system]
            team = "The sales team" if len(self.story.crms) == 1 else f"Sales, {one.title}"
            facts[team] = ", ".join(day.sales_day(doors, part, books, self._cutover))
        self.teller.facts(facts)

    def _second_round(self) -> None:
        self.teller.act("The second round", "tieout approve, tieout run --once --wait")
        with self._engine() as engine:
            self.teller.say(*_approval(engine, self.story.pairs))
        self._round(lambda part: part.second, world.SECOND_BOOKS)
        self.teller.act("The night: all is read and compared again", "tieout reconcile")
        self._round(_no_faults, (), lambda engine: deeds.do(engine, "reconcile", {}, PERSON))

    def _last_round(self) -> int:
        self.teller.act("One more round must find nothing to do", "tieout run --once --wait")
        return self._round(_no_faults, ())

    # -- their parts ----------------------------------------------------------------------------

    def _round(
        self,
        crm_faults: Callable[[Part], Sequence[Fault]],
        books_faults: Sequence[Fault],
        work: Callable[[Engine], Mapping[str, Any]] | None = None,
    ) -> int:
        """Work a round of each pair; return how much it changed anywhere."""
        before = self._truths()
        for system, doors in self.companies.crms.items():
            doors.break_with(crm_faults(PARTS[system]))
        self.companies.books.break_with(books_faults)
        with self._engine() as engine, self._watched():
            done = work(engine) if work else deeds.work(engine, self.story.pairs, wait=True)
        every = [*self.companies.crms.values(), self.companies.books]
        struck = [fault for doors in every for fault in doors.struck()]
        for doors in every:
            doors.break_with(())
        after = self._truths()
        self.teller.say(*_round_lines(before, after, done))
        throttled = sum(int(one["throttled"]) for one in after)
        self.teller.struck(struck, throttled - sum(int(one["throttled"]) for one in before))
        return _changes(before, after) + sum(int(one["calls_sent"]) for one in done["rounds"])

    @contextmanager
    def _engine(self, *, owned: bool = True) -> Iterator[Engine]:
        with wiring.engine_of(self.site, owned=owned, stopping=self.stopping) as engine:
            yield engine

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Show how far a round is, from a look of our own at the ledger."""
        with self._engine(owned=False) as looking, self.teller.working(lambda: _settled(looking)):
            yield

    def _truths(self) -> tuple[Truth, Truth]:
        crm, books = joined(self.companies.crms), self.companies.books.truth()
        for deal in crm["deals"]:
            if deal["po_number"]:
                self.story.orders.setdefault(deal["po_number"], deal["id"])
        return crm, books

    def _over(self, act: str) -> None:
        if self.stopping():
            raise KeyboardInterrupt
        self.story.acts.append(act)
        self.story.save(self.home)

    def _what_next(self, tasks: Sequence[Mapping[str, Any]], sheets: Sequence[str]) -> None:
        config = f"--config {self.home.config}"
        posted = next(iter(self.story.orders.values()))
        held = next((task["source_id"] for task in tasks if task["source_kind"] == "deal"), None)
        looking = {
            "status": "how the pair is, and that nothing is unanswered",
            **({f"explain deal:{held}": "why this deal is held"} if held else {}),
            f"explain deal:{posted}": "each of its values, to the line of the mapping",
            "tasks": "what waits for a person",
            "audit verify": "that no line of the journal was touched",
        }
        self.teller.commands(
            "Try next:",
            {f"{self.program} {verb} {config}": does for verb, does in looking.items()},
        )
        working = {
            "plan": "what would be sent",
            **{f"approve {sheet[:SHORT_HASH]}": "all that waits" for sheet in sheets},
            "run --once --wait": "one more round",
            "reconcile": "all three sides, compared anew",
        }
        simulate = " ".join(simulate_options(self.home, self.story, self.companies.ports))
        self.teller.commands(
            "And with the companies, which the first of these serves in another terminal:",
            {f"{self.program} {simulate}": "as they are now"}
            | {f"{self.program} {verb} {config}": does for verb, does in working.items()},
        )

    @property
    def _simulate(self) -> str:
        return "tieout simulate" + ("" if self.story.crm == USUAL else f" --crm {self.story.crm}")

    @property
    def _cutover(self) -> Any:
        return self.site.pair(self.story.pairs[0]).cutover_date


def _no_faults(_: Part) -> Sequence[Fault]:
    return ()


def _answers(engine: Engine, pairs: Sequence[str]) -> Iterator[str]:
    """Say of each invoice that was made by hand which deal's it is."""
    for task in [task for pair in pairs for task in engine.tasks(pair)]:
        link = next((one for one in task["choices"] if one.startswith("link:")), None)
        if task["code"] == "twin?" and link is not None:
            wanted = {"task": task["id"], "choice": link, "reason": "made by hand in March"}
            deeds.do(engine, "answer", wanted, PERSON)
            number = link.removeprefix("link:")
            yield f"{PERSON} answers task {task['id']}: {task['title']} is invoice {number}"


def _rejection(engine: Engine) -> Iterator[str]:
    """Reject the largest plan in euro."""
    plans = deeds.do(engine, "plan", {"look": False}, PERSON)["plans"]
    waiting = [plan for plan in plans if plan["state"] == "waiting" and plan["currency"] == "EUR"]
    if waiting:
        largest = max(waiting, key=lambda plan: Decimal(plan["net"]))
        wanted = {"hash": largest["hash"], "reason": "the customer has not signed yet"}
        deeds.do(engine, "reject", wanted, PERSON)
        yield f"{PERSON} rejects plan {largest['hash'][:SHORT_HASH]}: {largest['title']}"


def _approval(engine: Engine, pairs: Sequence[str]) -> Iterator[str]:
    """Approve the rest by each sheet's hash."""
    for pair in pairs:
        sheet = engine.sheet_hash(pair)
        if sheet is not None:
            wanted = {"hash": sheet, "reason": "seen with sales"}
            approved = deeds.do(engine, "approve", wanted, PERSON)["approved"]
            yield f"{PERSON} approves sheet {sheet[:SHORT_HASH]}: {approved} documents"


def _round_lines(
    before: tuple[Truth, Truth], after: tuple[Truth, Truth], done: Mapping[str, Any]
) -> Iterator[str]:
    made = [
        f"{n} {kind if n > 1 else kind.removesuffix('s')}"
        for kind in ("customers", "invoices", "payments")
        if (n := len(after[1][kind]) - len(before[1][kind]))
    ]
    told = sum(
        now["modified"] != then["modified"]
        for now, then in _common(before[0]["deals"], after[0]["deals"])
    )
    calls = sum(map(asked, after)) - sum(map(asked, before))
    tasks = sum(int(pair["tasks"]) for pair in done["pairs"])
    yield (
        f"{', '.join(made) or 'nothing'} posted, {told} deals told, "
        f"{tasks} tasks open, {calls} calls"
    )
    for each in done["rounds"]:
        if each["error"]:
            yield f"ended early: {each['error']['message']}"
    for pair in done["pairs"]:
        if pair["paused"]:
            yield f"{pair['pair']} stands still: {pair['paused']['reason']}"
        if pair["unknowns"]:
            yield f"{pair['unknowns']} calls are unanswered"


def _changes(before: tuple[Truth, Truth], after: tuple[Truth, Truth]) -> int:
    """Return how many records of either company are new, changed or gone."""
    changed = _differing(before[0]["deals"], after[0]["deals"])
    return changed + sum(_differing(before[1][kind], after[1][kind]) for kind in DOCUMENTS)


def _differing(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> int:
    then, now = ({one["id"]: one for one in records} for records in (before, after))
    return sum(then.get(key) != now.get(key) for key in {*then, *now})


def _common(
    before: list[dict[str, Any]], after: list[dict[str, Any]]
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    then = {one["id"]: one for one in before}
    return ((one, then[one["id"]]) for one in after if one["id"] in then)


def _settled(engine: Engine) -> tuple[int, int]:
    """Return how many documents wait for nothing of ours, and how many there are."""
    rows = [row for pair in engine.status()["pairs"] for row in pair["documents"]]
    known = sum(row["n"] for row in rows)
    open_now = ("planned", "approved", "sending", "unknown")
    return known - sum(row["n"] for row in rows if row["state"] in open_now), known
