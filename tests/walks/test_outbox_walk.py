"""The outbox walks at random, and a plain model beside it says what may be: nothing is sent twice
without a look, nothing that nobody approved, no key is lost, and states move along their picture.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import cast

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from searching import share
from walks.mortal import Doom, MortalLedger
from walks.shelf import QUIET_SECS, Fate, ItemFate, Killed, Shelf, update_of

from sync_engine.approvals.policy import Policy
from sync_engine.approve import APPROVED, REJECTED, approve, decide
from sync_engine.ledger import journal
from sync_engine.ledger.spelling import change_text
from sync_engine.look import look
from sync_engine.pair import Pair
from sync_engine.pipeline import begin
from sync_engine.push import Pushed, push
from sync_engine.queue import queue, take_apart, unqueue
from sync_engine.states import ASKED
from tieout.model.canonical import canonical, digest
from tieout.model.change import Create, Plan
from tieout.model.contract import Connector
from tieout.model.money import Money
from tieout.model.record import Record
from tieout.model.ref import Key, Ref, Version

DOCUMENTS = 4
DEALS = 2
MEMORY = (
    "/dev/shm" if Path("/dev/shm").is_dir() else None
)  # where a commit need not wait for a disk
CALM_ROUNDS = 12  # after which nothing may be left undone
NET = Money.of("100.00", "EUR")

# Along docs/architecture.md, "States of a document", one commit at a time.
ALONG = {
    "planned": {"waiting", "approved", "blocked"},
    "blocked": {"planned"},
    "waiting": {"approved", "rejected", "planned", "blocked"},
    "approved": {"sending", "planned", "blocked"},
    "sending": {"posted", "unknown", "refused", "approved"},
    "unknown": {"posted", "sending", "refused", "approved"},
    "refused": {"planned"},
    "rejected": {"planned"},
    "posted": set(),
}
OUTBOX_ALONG = {
    "queued": {"sending", "refused"},
    "sending": {"done", "refused", "unknown", "queued"},
    "unknown": {"done", "refused", "queued", "sending"},
    "refused": {"queued"},
    "done": {"queued"},
}
PARCEL_ALONG = {
    "sending": {"settled", "again", "unknown"},
    "unknown": {"settled", "again"},
    "again": {"sending", "settled"},
    "settled": set(),
}
PICTURES = {"document": ALONG, "outbox": OUTBOX_ALONG, "parcel": PARCEL_ALONG}
STATES = {
    "document": "SELECT key, state FROM document",
    "outbox": "SELECT key || ' ' || plan_hash, state FROM outbox",
    "parcel": "SELECT request_id, state FROM parcel",
}

FATES = st.lists(st.sampled_from(Fate), min_size=1, max_size=4)
ITEM_FATES = st.lists(st.sampled_from(ItemFate), min_size=2, max_size=6)
DOOMS = st.none() | st.builds(Doom, st.integers(1, 14), st.booleans())


class OutboxWalk(RuleBasedStateMachine):
    """One pair whose documents are made, moved, approved and sent while everything goes wrong."""

    @initialize(
        automatic=st.booleans(),
        remembers=st.booleans(),
        waits=st.lists(st.booleans(), min_size=1, max_size=DOCUMENTS),
    )
    def start(self, automatic: bool, remembers: bool, waits: list[bool]) -> None:
        self.folder = tempfile.TemporaryDirectory(dir=MEMORY)
        self.now = datetime(2026, 3, 31, 9, tzinfo=UTC)
        self.books = Shelf("books:1", self.clock, self.is_approved, remembers)
        self.crm = Shelf("crm:1", self.clock, self.is_told)
        self.crm.record_of = lambda key: next(
            (str(n) for n in range(1, DEALS + 1) if told_key(n) == key), ""
        )
        for n in range(1, DEALS + 1):
            ref = Ref(self.crm.company, "deal", str(n))
            self.crm.records[str(n)] = Record(ref, Version("0"), {"status": ""})
        self.pair = Pair(
            "main",
            cast("Connector", self.crm),
            cast("Connector", self.books),
            (),
            Policy("automatic" if automatic else "by_hand", automatic=automatic),
            date(2026, 1, 1),
            quiet_secs=QUIET_SECS,
        )
        self.plans: dict[str, Plan] = {}  # what each document says now, by its key
        self.approved: dict[str, set[str]] = {}  # each value that somebody said yes to, by key
        self.told: dict[int, list[str]] = {n: [] for n in range(1, DEALS + 1)}
        self.seen: dict[str, dict[str, str]] = {name: {} for name in STATES}
        self.off_the_picture: list[str] = []
        self.open()
        for n, one in enumerate(waits, 1):
            self.plan(n, 1, one)

    def clock(self) -> datetime:
        return self.now

    def open(self) -> None:
        self.ledger = MortalLedger.open(Path(self.folder.name) / "ledger.db", self.clock)
        self.ledger.told = self.compare_states

    def compare_states(self) -> None:
        """Each commit moves each state along one arrow, or leaves it, and loses none."""
        for name, asked in STATES.items():
            now = dict(self.ledger._connection.execute(asked).fetchall())
            for key, was in self.seen[name].items():
                is_now = now.get(key, "lost")
                if is_now != was and is_now not in PICTURES[name][was]:
                    self.off_the_picture.append(f"{name} {key}: {was} to {is_now}")
            self.seen[name] = now
            if name == "outbox":  # a write-back that waited is replaced by the next
                self.seen[name] = {key: state for key, state in now.items() if state != "queued"}

    # -- what may be sent -----------------------------------------------------------------------

    def is_approved(self, key: str, _kind: str, values: object) -> bool:
        row = self.ledger.one("document_get", key=key)
        if row is None or (row["state"], row["reason"]) != ("sending", None):
            self.off_the_picture.append(f"{key} is sent while it is {row and row['state']}")
        return canonical(values) in {self.filled(said) for said in self.approved.get(key, ())}

    def filled(self, said: str) -> str:
        """The approved values with the ids that the books gave to what they waited for."""
        values = json.loads(said)
        if isinstance(values.get("customer"), dict):
            key = values["customer"]["key"]
            made = [one for one in self.books.of("customer") if one.fields["marker"] == key]
            values["customer"] = made[0].ref.id if made else None
        return canonical(values)

    def is_told(self, key: str, _kind: str, values: object) -> bool:
        return any(
            key == told_key(n) and values == {"status": status}
            for n, said in self.told.items()
            for status in said
        )

    # -- what people and stages before do -------------------------------------------------------

    @rule(n=st.integers(1, DOCUMENTS), amount=st.integers(1, 3), waits=st.booleans())
    def plan(self, n: int, amount: int, waits: bool) -> None:
        """A document is planned, or says something else now; two share a new customer."""
        key = str(
            Key.of(
                Ref("crm:1", "deal", str(n)),
                mapping="m",
                document="invoice",
                target_company="books:1",
            )
        )
        held = self.plans.get(key)
        waits = waits if held is None else bool(held.needs)
        values: dict[str, object] = {"amount": str(amount)}
        needs: tuple[str, ...] = ()
        if waits:
            needs = (self.plan_customer(1 + n % 2),)
            values["customer"] = {"key": needs[0]}
        self.plans[key] = Plan(key, "m", 1, Create("invoice", values), f"Deal {n}", needs, net=NET)
        self.draft(key, n)

    def plan_customer(self, n: int) -> str:
        source = Ref("crm:1", "company", str(n))
        key = str(Key.of(source, mapping="m", document="customer", target_company="books:1"))
        if key not in self.plans:
            self.plans[key] = Plan(
                key, "m", 1, Create("customer", {"name": f"Customer {n}"}), f"customer {n}"
            )
            self.draft(key, n)
        return key

    def draft(self, key: str, n: int) -> None:
        """What drafting and planning write down: a new plan, or only what it says now."""
        plan = self.plans[key]
        content = canonical({"says": plan.change.values})
        with self.ledger.transaction() as tx:
            held = tx.one("document_get", key=key)
            if held is not None and held["state"] in ASKED:
                tx.run(
                    "document_now", key=key, content=content, content_hash=digest(content), net="100.00",
                    reason=None, currency="EUR", purchase_order=None, at=tx.now_text(),
                )  # fmt: skip
                return
            if held is not None and held["plan_hash"] == plan.hash:
                return
            for need in plan.needs:
                tx.run("need_add", key=key, need=need)
            tx.run(
                "plan_put", hash=plan.hash, key=key, pair="main", change=change_text(plan.change),
                title=plan.title, needs=canonical(list(plan.needs)), findings="[]", mapping="m",
                mapping_version=1, net="100.00", expected=None, tolerance=None, currency="EUR",
                made_at=tx.now_text(),
            )  # fmt: skip
            parsed = Key.parse(key)
            tx.run(
                "document_put", key=key, stem=parsed.stem, generation=1, pair="main", mapping="m",
                part="", company="crm:1", source_kind="deal", source_id=str(n),
                kind=plan.change.kind, state="planned", reason=None, title=plan.title,
                content=content, content_hash=digest(content), net="100.00", currency="EUR",
                purchase_order=None, customer=None, name_key=None, plan_hash=plan.hash, at=tx.now_text(),
            )  # fmt: skip
        self.approved.pop(key, None)

    def draft_dependants(self) -> None:
        """What planning makes of a document whose new customer was refused, or is decided anew."""
        with self.ledger.transaction() as tx:
            states = {key: tx.one("document_get", key=key)["state"] for key in self.plans}
            for key, plan in self.plans.items():
                needed = {states[need] for need in plan.needs}
                if states[key] not in ("planned", "waiting", "approved", "blocked") or not needed:
                    continue
                state = "blocked" if "refused" in needed else "planned"
                if state == "blocked" or "planned" in needed or states[key] == "blocked":
                    tx.run("document_state", key=key, state=state, reason=None, at=tx.now_text())

    @rule(deed=st.sampled_from(["approve", "approve all", "reject", "mend", "restart"]))
    def people(self, deed: str) -> None:
        """A person does what people do."""
        if deed == "restart":
            self.start_again()
        elif deed == "mend":
            self.retry()
            self.resume()
        else:
            self.decide(yes=deed != "reject", all_of_it=deed == "approve all")

    def decide(self, yes: bool, all_of_it: bool) -> None:
        """A person decides about what waits."""
        waiting = self.ledger.all("plans_waiting", pair="main")
        for row in waiting if all_of_it else waiting[:1]:
            decide(
                self.ledger, self.pair, row["plan_hash"], APPROVED if yes else REJECTED,
                who="ada", reason="", now=self.now,
            )  # fmt: skip
        self.note_approvals()

    def note_approvals(self) -> None:
        """Keep what somebody said yes to, as the decisions tell it."""
        for key, plan in self.plans.items():
            decided = self.ledger.all("decisions_of", key=key)
            if any((row["plan_hash"], row["verdict"]) == (plan.hash, APPROVED) for row in decided):
                self.approved.setdefault(key, set()).add(canonical(plan.change.values))

    @rule(n=st.integers(1, DEALS), status=st.sampled_from(["invoiced", "paid"]))
    def tell(self, n: int, status: str) -> None:
        """Settle has something to tell the CRM."""
        key, ref = told_key(n), Ref("crm:1", "deal", str(n))
        values = {"status": status}
        with self.ledger.transaction() as tx:
            tx.run("outbox_supersede", key=key)
            if tx.all("outbox_open_of", key=key):
                return
            self.told[n].append(status)
            tx.run(
                "outbox_tell", key=key, plan_hash=digest(values), pair="main", company="crm:1", kind="deal",
                verb="update", change=change_text(update_of(ref, values)), about=str(ref),
            )  # fmt: skip

    @rule(secs=st.sampled_from([1, 60, 101, 151, 3_600]))
    def wait(self, secs: int) -> None:
        self.now += timedelta(seconds=secs)

    def retry(self) -> None:
        """A person says that what was refused or rejected is mended."""
        with self.ledger.transaction() as tx:
            for key in self.plans:
                tx.run("document_retry", key=key, at=tx.now_text())

    def resume(self) -> None:
        with self.ledger.transaction() as tx:
            tx.run("pair_resume", pair="main")

    def start_again(self) -> None:
        self.ledger.close()
        self.open()
        assert journal.verify(self.ledger).ok

    # -- the rounds -----------------------------------------------------------------------------

    @rule(
        fates=FATES, items=ITEM_FATES, crm_fates=FATES, fails=st.lists(st.booleans(), max_size=4), doom=DOOMS
    )  # fmt: skip
    def work(
        self,
        fates: list[Fate],
        items: list[ItemFate],
        crm_fates: list[Fate],
        fails: list[bool],
        doom: Doom | None,
    ) -> None:
        """A round, in which calls have these fates and the process perhaps ends."""
        self.books.fates, self.books.item_fates, self.crm.fates = [*fates], [*items], [*crm_fates]
        self.books.look_fails, self.crm.look_fails = [*fails], [*fails]
        self.ledger.doom = doom and Doom(doom.commits, doom.kept)
        try:
            self.round()
        except Killed:
            self.ledger.close()
            self.open()
        self.ledger.doom = None
        self.note_approvals()
        self.books.fates, self.books.item_fates, self.crm.fates = [], [], []
        self.books.look_fails, self.crm.look_fails = [], []

    def round(self) -> None:
        """The stages from approve to push, in the order of ``pipeline``."""
        begin(self.ledger, self.pair, self.now)
        self.draft_dependants()
        approve(self.ledger, self.pair, self.now)
        self.note_approvals()
        look(self.ledger, self.pair, clock=self.clock)
        if take_apart(self.ledger, self.pair):
            for key, plan in self.plans.items():
                self.draft(key, int(plan.title.split()[-1]))
            approve(self.ledger, self.pair, self.now)
            self.note_approvals()
        pushed, freed = Pushed(), True
        while freed:
            before = pushed.done
            freed = bool(queue(self.ledger, self.pair))
            self.push(pushed)
            freed = freed or pushed.done > before
            if pushed.parcels > 100:
                raise AssertionError("A round does not end.")
        with self.ledger.transaction() as tx:
            unqueue(tx, self.pair)
        self.push(pushed)

    def push(self, pushed: Pushed) -> None:
        push(
            self.ledger,
            self.pair,
            pushed,
            clock=self.clock,
            sleep=self.sleep,
            stopping=lambda: False,
        )

    def sleep(self, secs: float) -> None:
        self.now += timedelta(seconds=secs)

    # -- what must always hold ------------------------------------------------------------------

    @invariant()
    def nothing_is_sent_that_may_not_be(self) -> None:
        assert (self.books.wrongs, self.crm.wrongs) == ([], [])

    @invariant()
    def states_move_along_the_picture_and_none_is_lost(self) -> None:
        assert self.off_the_picture == []

    @invariant()
    def what_nobody_knows_is_called_unknown(self) -> None:
        left = self.ledger._connection.execute(
            "SELECT d.key, d.state FROM outbox o JOIN document d ON d.key = o.key "
            "WHERE o.state = 'unknown' AND o.request_id IS NOT NULL AND d.state = 'sending'"
        ).fetchall()
        assert [tuple(row) for row in left] == []

    @invariant()
    def no_document_is_in_the_books_twice(self) -> None:
        self.books.settle_late()
        made = Counter(record.fields["marker"] for record in self.books.records.values())
        assert {key: n for key, n in made.items() if n > 1} == {}

    @invariant()
    def what_is_posted_is_in_the_books(self) -> None:
        for key in self.plans:
            row = self.ledger.one("document_get", key=key)
            assert row is not None
            if row["state"] == "posted":
                assert self.books.records[row["posted_id"]].fields["marker"] == key

    def teardown(self) -> None:
        """When nothing goes wrong any more, every approved document gets into the books, once."""
        if not hasattr(self, "ledger"):
            return
        try:
            self.come_to_rest()
        finally:
            self.ledger.close()
            self.folder.cleanup()

    def come_to_rest(self) -> None:
        for _ in range(CALM_ROUNDS):
            self.wait(3_600)
            self.resume()
            self.retry()
            self.decide(yes=True, all_of_it=True)
            self.work([], [], [], [], None)
        self.no_document_is_in_the_books_twice()
        self.nothing_is_sent_that_may_not_be()
        self.states_move_along_the_picture_and_none_is_lost()
        needed = {need for plan in self.plans.values() for need in plan.needs}
        expected = {
            key: 1
            for key, plan in self.plans.items()
            if plan.change.kind == "invoice" or key in needed
        }
        assert expected == Counter(one.fields["marker"] for one in self.books.records.values())
        for n, said in self.told.items():
            assert self.crm.records[str(n)].fields["status"] == (said[-1] if said else "")
        left = self.ledger.all("outbox_counts", pair="main")
        assert [tuple(row) for row in left] == []
        assert journal.verify(self.ledger).ok


def told_key(n: int) -> str:
    return str(
        Key.of(
            Ref("crm:1", "deal", str(n)), mapping="m", document="write_back", target_company="crm:1"
        )
    )


def test_the_outbox_walks_along_its_picture():
    run_state_machine_as_test(OutboxWalk, settings=share(50, steps=25))
