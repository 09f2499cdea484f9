"""What push sends, counts and writes down, call by call, to a shelf that says what becomes of each."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from walks.shelf import BATCH, Fate, ItemFate, Shelf, update_of

from sync_engine.approvals.policy import Policy
from sync_engine.ledger.spelling import change_text
from sync_engine.ledger.sqlite import Ledger
from sync_engine.mirror import stop_pair
from sync_engine.pair import Pair
from sync_engine.push import PATIENCE_SECS, TRIES_IN_A_ROUND, Pushed, push
from tieout.model.capability import Capabilities
from tieout.model.change import Create
from tieout.model.contract import Connector, Outcome, Parcel, Request
from tieout.model.errors import InvalidField, RateLimited
from tieout.model.record import Record
from tieout.model.ref import Ref, Version

BEGAN = datetime(2026, 3, 31, 9, tzinfo=UTC)
TOO_LONG = "too long for any call"


@dataclass
class Counter(Shelf):
    """A shelf that carries no text that is too long, and may name the pause it wants."""

    after_secs: float | None = None
    in_flight: int = 1
    side_by_side: int = 0
    traces: list[str] = field(default_factory=list)
    asks: list[tuple[str, datetime]] = field(default_factory=list)
    _now_inside: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def capabilities(self) -> Capabilities:
        return replace(super().capabilities, rates={"in_flight": self.in_flight})

    def prepare(self, requests: Sequence[Request]) -> Sequence[Parcel]:
        if any(TOO_LONG in one.change.values.values() for one in requests):
            raise InvalidField("No call can carry it.")
        return super().prepare(requests)

    def apply(self, parcel: Parcel) -> Sequence[Outcome]:
        with self._lock:
            self.asks.append((parcel.request_id, self.clock()))
            self._now_inside += 1
            self.side_by_side = max(self.side_by_side, self._now_inside)
        if self.in_flight > 1:
            threading.Event().wait(0.05)  # long enough for the others to come
        try:
            with self._lock:
                return [self._told(one) for one in super().apply(parcel)]
        finally:
            with self._lock:
                self._now_inside -= 1

    def _told(self, outcome: Outcome) -> Outcome:
        if isinstance(outcome.error, RateLimited):
            return replace(outcome, error=RateLimited(after_secs=self.after_secs))
        return replace(outcome, trace_id=self.traces.pop(0)) if self.traces else outcome


@dataclass
class Pushing:
    """One pair that has only write-backs to send."""

    ledger: Ledger
    pair: Pair
    crm: Counter
    books: Counter
    now: list[datetime]
    slept: list[float] = field(default_factory=list)

    def tell(self, *numbers: int, status: str = "invoiced", shelf: Counter | None = None) -> None:
        """Queue what records are to be told."""
        shelf = shelf or self.crm
        with self.ledger.transaction() as tx:
            for n in numbers:
                ref = Ref(shelf.company, "deal", str(n))
                shelf.records[ref.id] = Record(ref, Version("0"), {"status": ""})
                tx.run("outbox_tell", key=f"told {n}", plan_hash=f"{n}:{status}", pair="main",
                company=shelf.company, kind="deal", verb="update",
                change=change_text(update_of(ref, {"status": status})), about=str(ref),
            )  # fmt: skip

    def push(
        self,
        stopping: Callable[[], bool] = lambda: False,
        pushed: Pushed | None = None,
        tick: timedelta = timedelta(0),
    ) -> Pushed:
        """Send what may go now; whoever waits puts the clock forward, or whoever asks for it."""
        pushed = pushed or Pushed()

        def clock() -> datetime:
            self.now[0] += tick
            return self.now[0]

        push(self.ledger, self.pair, pushed, clock=clock, sleep=self.sleep, stopping=stopping)
        return pushed

    def sleep(self, secs: float) -> None:
        self.slept.append(secs)
        self.now[0] += timedelta(seconds=secs)

    def rows(self, asked: str) -> list[tuple[Any, ...]]:
        """What the ledger answers to a query."""
        return [tuple(row) for row in self.ledger._connection.execute(asked).fetchall()]

    def journaled(self, what: str) -> list[dict[str, Any]]:
        """What the journal says of a deed, line by line."""
        rows = self.rows("SELECT what, detail FROM journal ORDER BY n")
        return [json.loads(detail) for deed, detail in rows if deed == what]

    def status_of(self, n: int) -> object:
        return self.crm.records[str(n)].fields["status"]


@pytest.fixture
def pushing(tmp_path: Path) -> Iterator[Pushing]:
    now = [BEGAN]
    crm = Counter("crm:1", lambda: now[0], lambda *_: True)
    books = Counter("books:1", lambda: now[0], lambda *_: True)
    pair = Pair(
        "main", cast("Connector", crm), cast("Connector", books), (),
        Policy("by_hand", automatic=False), date(2026, 1, 1),
    )  # fmt: skip
    ledger = Ledger.open(tmp_path / "ledger.db", lambda: now[0])
    yield Pushing(ledger, pair, crm, books, now)
    ledger.close()


def test_what_was_sent_is_counted(pushing: Pushing) -> None:
    pushing.tell(*range(1, 2 * BATCH + 2))
    pushing.crm.item_fates = [ItemFate.DONE, ItemFate.REFUSED, ItemFate.LEFT_OUT]
    assert pushing.push() == Pushed(parcels=3, done=5, refused=1, unknown=1)
    assert [pushing.status_of(n) for n in (1, 2, 3, 7)] == ["invoiced", "", "invoiced", "invoiced"]
    assert pushing.push() == Pushed()


def test_each_sending_is_written_down_before_and_after(pushing: Pushing) -> None:
    pushing.tell(1, 2)
    pushing.push()
    [(request_id, _)] = pushing.crm.asks
    assert pushing.rows(
        "SELECT request_id, n, outcome, trace_id FROM attempt ORDER BY began_at, n"
    ) == [(request_id, 1, "settled", None)]
    [(began, ended)] = pushing.rows("SELECT began_at, ended_at FROM attempt ORDER BY began_at, n")
    assert began == ended
    assert began[:19] == "2026-03-31T09:00:00"
    [said] = pushing.journaled("sending")
    assert (said["call"], said["attempt"], said["keys"]) == ("POST batch", 1, ["told 1", "told 2"])
    assert "file" not in said
    assert pushing.rows("SELECT request_id, state, attempts, body FROM parcel") == [
        (request_id, "settled", 1, None)
    ]


def test_nothing_is_sent_once_it_is_to_stop(pushing: Pushing) -> None:
    pushing.tell(1)
    assert pushing.push(stopping=lambda: True) == Pushed()
    assert pushing.crm.calls == 0


def test_it_stops_between_two_calls(pushing: Pushing) -> None:
    pushing.tell(*range(1, 2 * BATCH + 1))
    pushed = pushing.push(stopping=lambda: pushing.crm.calls >= 1)
    assert (pushed, pushing.crm.calls) == (Pushed(parcels=1, done=BATCH), 1)


def test_a_pair_that_stands_still_sends_nothing(pushing: Pushing) -> None:
    with pushing.ledger.transaction() as tx:
        stop_pair(tx, "main", "unauthorized", "revoked", "connect again")
    pushing.tell(1)
    assert (pushing.push(), pushing.crm.calls) == (Pushed(), 0)


def test_consent_that_is_revoked_stops_what_is_behind_it(pushing: Pushing) -> None:
    pushing.tell(*range(1, 3 * BATCH))
    pushing.crm.fates = [Fate.REVOKED]
    assert (pushing.push(), pushing.crm.calls) == (Pushed(parcels=1), 1)
    assert pushing.slept == []


def test_a_throttled_call_is_sent_again_when_it_was_told_to_be(pushing: Pushing) -> None:
    pushing.tell(1)
    pushing.crm.fates, pushing.crm.after_secs = [Fate.THROTTLED, Fate.THROTTLED], 7
    pushed = pushing.push()
    assert (pushed.parcels, pushed.done, pushing.slept) == (3, 1, [7, 7])
    assert len({request_id for request_id, _ in pushing.crm.asks}) == 1
    assert [at - BEGAN for _, at in pushing.crm.asks] == [timedelta(seconds=n) for n in (0, 7, 14)]
    assert pushing.rows("SELECT n, outcome FROM attempt ORDER BY began_at, n") == [
        (1, "again"),
        (2, "again"),
        (3, "settled"),
    ]
    assert [said["attempt"] for said in pushing.journaled("again")] == [1, 2]
    assert [said["attempt"] for said in pushing.journaled("sending")] == [1, 2, 3]


def test_a_throttle_without_a_time_waits_two_seconds(pushing: Pushing) -> None:
    pushing.tell(1)
    pushing.crm.fates = [Fate.THROTTLED]
    pushing.push()
    assert pushing.slept == [2]


def test_a_throttle_without_an_end_is_left_to_the_next_round(pushing: Pushing) -> None:
    pushing.tell(1)
    pushing.crm.fates, pushing.crm.after_secs = [Fate.THROTTLED] * 20, 1
    assert pushing.push().done == 0
    assert pushing.crm.calls == 1 + TRIES_IN_A_ROUND == 7
    assert pushing.slept == [1] * TRIES_IN_A_ROUND
    pushing.sleep(1)
    pushing.push()
    assert pushing.crm.calls == 2 * TRIES_IN_A_ROUND + 1


@pytest.mark.parametrize(("after_secs", "slept"), [(PATIENCE_SECS, [90]), (PATIENCE_SECS + 1, [])])
def test_a_round_waits_ninety_seconds_and_no_longer(
    pushing: Pushing, after_secs: float, slept: list[float]
) -> None:
    pushing.tell(1)
    pushing.crm.fates, pushing.crm.after_secs = [Fate.THROTTLED], after_secs
    pushing.push()
    assert pushing.slept == slept
    assert pushing.crm.calls == 1 + len(slept)


def test_of_several_pauses_it_waits_for_the_shortest_and_sends_the_others_in_their_time(
    pushing: Pushing,
) -> None:
    pushing.tell(*range(1, BATCH + 2))
    pushing.crm.fates, pushing.crm.after_secs = [Fate.THROTTLED, Fate.THROTTLED], 5
    pushing.push(stopping=lambda: pushing.crm.calls >= 1)
    pushing.sleep(2)  # the first has three seconds left
    pushing.push()
    assert [at - BEGAN for _, at in pushing.crm.asks] == [
        timedelta(seconds=n) for n in (0, 2, 5, 7)
    ]


def test_calls_of_two_companies_are_sent_again_each_to_its_own(pushing: Pushing) -> None:
    pushing.tell(1)
    pushing.tell(2, shelf=pushing.books)
    pushing.crm.fates, pushing.books.fates = [Fate.THROTTLED], [Fate.THROTTLED]
    pushing.crm.after_secs = pushing.books.after_secs = 5
    pushing.books.item_fates = [ItemFate.REFUSED]
    pushed = pushing.push()
    assert (pushed.done, pushed.refused) == (1, 1)
    assert (pushing.crm.calls, pushing.books.calls) == (2, 2)
    assert pushing.status_of(1) == "invoiced"


def test_the_books_come_before_the_crm(pushing: Pushing) -> None:
    pushing.tell(1)
    pushing.tell(2, shelf=pushing.books)
    pushing.books.fates = [Fate.REVOKED]
    pushing.push()
    assert (pushing.books.calls, pushing.crm.calls) == (1, 0)


def test_what_exists_already_is_refused_at_once_and_looked_for_when_we_asked_before(
    pushing: Pushing,
) -> None:
    pushing.tell(1)
    pushing.crm.item_fates = [ItemFate.DUPLICATE]
    assert pushing.push() == Pushed(parcels=1, refused=1)
    pushing.tell(2)
    pushing.crm.fates, pushing.crm.item_fates = [Fate.THROTTLED], [ItemFate.DUPLICATE]
    pushed = pushing.push()
    assert (pushed.parcels, pushed.refused, pushed.unknown) == (2, 0, 1)
    assert pushing.rows("SELECT outcome FROM attempt ORDER BY began_at, n")[-1] == ("unknown",)


def test_what_no_call_can_carry_is_refused_by_itself_and_the_others_go(pushing: Pushing) -> None:
    pushing.tell(1)
    pushing.tell(2, status=TOO_LONG)
    pushing.tell(3)
    assert pushing.push() == Pushed(parcels=1, done=2)
    assert [pushing.status_of(n) for n in (1, 2, 3)] == ["invoiced", "", "invoiced"]
    assert pushing.rows("SELECT key, state FROM outbox ORDER BY key") == [
        ("told 1", "done"),
        ("told 2", "refused"),
        ("told 3", "done"),
    ]


def test_where_nothing_can_be_carried_the_other_company_still_gets_its_own(
    pushing: Pushing,
) -> None:
    pushing.tell(1, status=TOO_LONG, shelf=pushing.books)
    pushing.tell(2)
    assert pushing.push() == Pushed(parcels=1, done=1)
    assert (pushing.books.calls, pushing.status_of(2)) == (0, "invoiced")


def test_as_many_calls_are_under_way_as_the_connector_names(pushing: Pushing) -> None:
    pushing.crm.in_flight = 3
    pushing.tell(*range(1, 6 * BATCH + 1))
    assert pushing.push() == Pushed(parcels=6, done=6 * BATCH)
    assert pushing.crm.side_by_side == 3


def test_no_more_calls_are_written_down_as_sent_than_are_under_way(pushing: Pushing) -> None:
    pushing.crm.in_flight = 3
    pushing.tell(*range(1, 8 * BATCH + 1))
    pushing.push(tick=timedelta(milliseconds=1))
    attempts = pushing.rows("SELECT began_at, ended_at FROM attempt")
    assert len(attempts) == 8
    at_once = [sum(began <= at < ended for began, ended in attempts) for at, _ in attempts]
    assert max(at_once) == 3


def test_each_company_s_calls_are_sent_again_at_its_own_pace(pushing: Pushing) -> None:
    pushing.crm.in_flight = 2
    for n in range(1, 2 * BATCH + 1):
        pushing.tell(n)
        pushing.tell(100 + n, shelf=pushing.books)
    pushing.crm.fates, pushing.books.fates = [Fate.THROTTLED] * 2, [Fate.THROTTLED] * 2
    pushing.books.item_fates = [ItemFate.REFUSED] * 2 * BATCH
    pushing.push(stopping=lambda: pushing.crm.calls + pushing.books.calls >= 4)
    pushing.crm.side_by_side = 0
    pushing.sleep(5)
    pushing.push()
    assert (pushing.crm.calls, pushing.books.calls) == (4, 4)
    assert (pushing.crm.side_by_side, pushing.books.side_by_side) == (2, 1)


def test_a_call_that_had_its_tries_waits_for_the_next_round(pushing: Pushing) -> None:
    pushing.tell(1)
    pushing.crm.fates = [Fate.THROTTLED]
    pushing.push(stopping=lambda: pushing.crm.calls >= 1)
    [(request_id, _)] = pushing.crm.asks
    pushing.sleep(5)
    pushing.push(pushed=Pushed(tries={request_id: TRIES_IN_A_ROUND}))
    assert pushing.crm.calls == 1
    pushing.push(pushed=Pushed(tries={request_id: TRIES_IN_A_ROUND - 1}))
    assert pushing.crm.calls == 2


def test_batches_are_full_however_much_is_queued(pushing: Pushing) -> None:
    pushing.tell(*range(1, 136 * BATCH + 1))
    assert pushing.push().parcels == 136


def test_the_trace_of_an_answer_is_kept_with_its_sending(pushing: Pushing) -> None:
    pushing.tell(1, 2)
    pushing.crm.traces = ["", "trace-2"]
    pushing.push()
    assert pushing.rows("SELECT trace_id FROM attempt") == [("trace-2",)]


def test_why_something_was_not_done_is_kept_with_the_vendor_s_words(pushing: Pushing) -> None:
    pushing.tell(1, 2)
    pushing.crm.fates, pushing.crm.item_fates = [Fate.THROTTLED], [ItemFate.DUPLICATE]
    pushing.push()
    [(unknown,), (done,)] = pushing.rows("SELECT error FROM outbox ORDER BY key")
    told = json.loads(unknown)
    assert (told["code"], told["vendor_code"], told["vendor_words"]) == (
        "duplicate",
        "6240",
        "taken",
    )
    assert told["message"]
    assert told["remedy"]
    assert done is None
    assert pushing.rows("SELECT key, how FROM receipt") == [("told 2", "answered")]


def test_of_a_call_that_was_done_in_part_the_rest_alone_is_asked_anew(pushing: Pushing) -> None:
    pushing.tell(1, 2, 3)
    pushing.crm.item_fates = [ItemFate.DONE, ItemFate.BUSY, ItemFate.DONE]
    assert pushing.push() == Pushed(parcels=2, done=3)
    assert [said["keys"] for said in pushing.journaled("sending")] == [
        ["told 1", "told 2", "told 3"],
        ["told 2"],
    ]
    assert len({request_id for request_id, _ in pushing.crm.asks}) == 2


@pytest.mark.parametrize("settled", [[1], [1, 2]])
def test_what_a_look_has_settled_meanwhile_is_not_settled_again(
    pushing: Pushing, settled: list[int]
) -> None:
    pushing.tell(1, 2)
    pushing.crm.fates = [Fate.THROTTLED]
    pushing.push(stopping=lambda: pushing.crm.calls >= 1)
    with pushing.ledger.transaction() as tx:
        for n in settled:
            tx.run(
                "outbox_state", key=f"told {n}", plan_hash=f"{n}:invoiced", state="done", error=None
            )  # fmt: skip
    pushing.sleep(5)
    assert pushing.push().done == 2 - len(settled)
    assert pushing.rows("SELECT state FROM parcel") == [("settled",)]
    assert pushing.crm.calls == 2


def test_what_was_made_is_dated_by_the_other_system_s_clock(pushing: Pushing) -> None:
    """Ours is an hour ahead: what is made now bears an hour ago, and is no answer of old."""
    pushing.crm.clock = lambda: pushing.now[0] - timedelta(hours=1)
    made = Create("deal", {"status": "new"})
    with pushing.ledger.transaction() as tx:
        tx.run("meta_set", name="clock_ahead:main:crm:1", value="3600.0")
        tx.run(
            "outbox_tell", key="made", plan_hash="1", pair="main", company="crm:1", kind="deal",
            verb="create", change=change_text(made), about="made",
        )  # fmt: skip
    assert pushing.push() == Pushed(parcels=1, done=1)
    assert pushing.crm.looks == 0


def test_a_call_left_open_is_unknown_and_not_sent_again(pushing: Pushing) -> None:
    pushing.tell(1, 2)
    pushing.crm.fates = [Fate.ANSWER_LOST]
    assert pushing.push() == Pushed(parcels=1, unknown=2)
    assert pushing.push() == Pushed()
    assert pushing.rows("SELECT state FROM outbox ORDER BY key") == [("unknown",), ("unknown",)]
    [(state, body)] = pushing.rows("SELECT state, body FROM parcel")
    assert state == "unknown"
    assert body
    assert [said["attempt"] for said in pushing.journaled("unknown")] == [1]


def test_what_was_told_is_remembered_field_by_field(pushing: Pushing) -> None:
    pushing.tell(1)
    pushing.push()
    pushing.tell(1, status="paid")
    pushing.push()
    ref = Ref("crm:1", "deal", "1")
    with pushing.ledger.transaction() as tx:
        held = tx.value("written_get", pair="main", company=ref.company, kind=ref.kind, id=ref.id)
    assert json.loads(str(held)) == {"status": "paid"}
