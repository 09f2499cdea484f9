"""The daemon: who is due when, and what the signals mean."""

import os
import signal
import threading
import time

import pytest

from tieout.app.daemon import Clocks, Signals, Turns, serve
from tieout.model.errors import InvariantError, Unavailable

CLOCKS = Clocks(passed=time.monotonic, shown=time.time)


class Rounds:
    """Work that takes no time, and what was asked of it."""

    def __init__(self, every: dict[str, int]) -> None:
        self.every = every
        self.done: list[str] = []
        self.beats = 0
        self.changed = threading.Condition()

    def schedules(self):
        return self.every

    def round(self, pair):
        self.note(pair)

    def lane(self, pair):
        return pair

    def wishes(self):
        return []

    def grant(self, wish):
        self.note(wish)

    def hinted(self):
        return []

    def beat(self):
        self.beats += 1

    def reread(self):
        self.every = {"new": 3600}
        self.note("reread")

    def note(self, what):
        with self.changed:
            self.done.append(what)
            self.changed.notify_all()

    def wait_for(self, what, times=1):
        with self.changed:
            assert self.changed.wait_for(lambda: self.done.count(what) >= times, 20)


@pytest.fixture
def served():
    """Return a function that serves in a thread, and stop it at the end."""
    signals = Signals()
    threads = []

    def start(work, stop_secs=5.0):
        ended = []
        thread = threading.Thread(
            target=lambda: ended.append(serve(work, signals, stop_secs=stop_secs, clocks=CLOCKS))
        )
        thread.start()
        threads.append(thread)
        return ended, thread

    yield signals, start
    signals.stop.set()
    for thread in threads:
        thread.join(20)


def test_every_pair_is_worked_at_once_and_then_on_its_schedule(served):
    signals, start = served
    work = Rounds({"often": 1, "rarely": 3600})

    start(work)
    work.wait_for("often", 2)
    signals.stop.set()

    assert work.done.count("rarely") == 1
    assert work.beats == 1


def test_what_is_due_twice_is_done_once():
    turns = Turns()

    for pair in ("a", "b", "a", "a"):
        turns.add(pair)

    assert [turns.take(0.01) for _ in range(3)] == ["a", "b", None]
    turns.add("a")
    assert turns.take(0.01) == "a"


def test_a_hint_makes_a_pair_due_before_its_time(served):
    _, start = served

    class Hinted(Rounds):
        def hinted(self):
            return ["rarely"] if self.done.count("rarely") == 1 else []

    work = Hinted({"rarely": 3600})
    start(work)

    work.wait_for("rarely", 2)


def test_a_re_read_configuration_brings_its_own_schedules(served):
    signals, start = served
    work = Rounds({"old": 3600})

    start(work)
    work.wait_for("old")
    signals.reread.set()
    work.wait_for("new")

    assert work.done == ["old", "reread", "new"]


def test_a_round_that_fails_ends_nothing(served):
    _, start = served

    class Failing(Rounds):
        def round(self, pair):
            self.note(pair)
            if pair == "bad":
                raise Unavailable

    work = Failing({"bad": 1, "good": 1})
    start(work)

    work.wait_for("bad", 2)
    work.wait_for("good", 2)


def test_what_forbids_to_go_on_ends_the_daemon():
    class Broken(Rounds):
        def round(self, pair):
            raise InvariantError("A mistake of ours.")

    with pytest.raises(InvariantError):
        serve(Broken({"one": 3600}), Signals(), stop_secs=5, clocks=CLOCKS)


def test_stopping_waits_for_the_round_and_starts_nothing_new(served):
    signals, start = served
    going, go_on = threading.Event(), threading.Event()

    class Slow(Rounds):
        def lane(self, pair):
            return "the same books"

        def round(self, pair):
            going.set()
            go_on.wait(20)
            self.note(pair)

    work = Slow({"one": 3600, "two": 3600})
    ended, thread = start(work)
    going.wait(20)
    signals.stop.set()
    go_on.set()
    thread.join(20)

    assert (ended, work.done) == ([True], ["one"])


def test_stopping_does_not_wait_for_ever(served):
    signals, start = served
    going, go_on = threading.Event(), threading.Event()

    class Stuck(Rounds):
        def round(self, pair):
            going.set()
            go_on.wait(20)

    ended, thread = start(Stuck({"one": 3600}), stop_secs=0.05)
    going.wait(20)
    signals.stop.set()
    thread.join(20)
    go_on.set()

    assert ended == [False]


@pytest.mark.parametrize(
    ("signum", "heard"),
    [(signal.SIGTERM, "stop"), (signal.SIGINT, "stop"), (signal.SIGHUP, "reread")],
)
def test_signals_are_heard_inside_the_block_only(signum, heard):
    before = signal.getsignal(signum)
    signals = Signals()

    with signals.heard():
        os.kill(os.getpid(), signum)
        assert getattr(signals, heard).wait(5)

    assert signal.getsignal(signum) == before


@pytest.mark.parametrize("secs", [-3600.0, 86_400.0])
def test_a_clock_that_is_set_makes_every_pair_due(served, secs, caplog):
    """What is due at an hour that comes again would wait for it."""
    signals, _ = served
    work = Rounds({"one": 3600})
    offset = [0.0]
    clocks = Clocks(passed=time.monotonic, shown=lambda: time.time() + offset[0])
    thread = threading.Thread(
        target=serve, args=(work, signals), kwargs={"stop_secs": 5, "clocks": clocks}
    )
    thread.start()
    work.wait_for("one")
    with caplog.at_level("WARNING"):
        offset[0] = secs
        work.wait_for("one", 2)
    signals.stop.set()
    thread.join(20)

    assert f"this machine's clock was set by {secs:+.0f} seconds; every pair is due" in (
        caplog.messages
    )
    assert work.done == ["one", "one"]
