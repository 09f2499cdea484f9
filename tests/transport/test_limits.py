"""The vendors' limits, kept by us."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieout.model.errors import RateLimited
from tieout.transport.limits import Gate, Limit, Quota


def sent_at(clock, gate, calls, names=("all",)):
    start = clock.now()
    moments = []
    for _ in range(calls):
        with gate.passing(names):
            moments.append((clock.now() - start).total_seconds())
    return moments


@given(
    calls=st.integers(1, 7), secs=st.floats(0.5, 20), pauses=st.lists(st.floats(0, 9), max_size=40)
)
def test_no_window_ever_holds_more_calls_than_allowed(calls, secs, pauses):
    clock = _Clock()
    gate = Gate({"all": Limit(calls, secs)}, 4, clock.now, clock.sleep)
    moments = []
    for pause in pauses:
        clock.sleep(pause)
        with gate.passing(("all",)):
            moments.append(clock.now().timestamp())
    for first, over in zip(moments, moments[calls:], strict=False):
        assert over - first >= secs


def test_a_burst_is_sent_at_once_and_the_next_waits_for_the_oldest(clock):
    gate = Gate({"all": Limit(3, 10)}, 4, clock.now, clock.sleep)
    assert sent_at(clock, gate, 4) == [0, 0, 0, pytest.approx(10.05)]


def test_a_call_counts_against_each_of_its_limits(clock):
    gate = Gate({"all": Limit(9, 10), "search": Limit(1, 2)}, 4, clock.now, clock.sleep)
    assert sent_at(clock, gate, 2, ("all", "search")) == [0, pytest.approx(2.05)]
    assert sent_at(clock, gate, 7) == [0] * 7
    assert sent_at(clock, gate, 1) == [pytest.approx(7.95 + 0.05)]


def test_a_limit_that_the_connector_does_not_state_holds_nobody(clock):
    assert sent_at(clock, Gate({}, 4, clock.now, clock.sleep), 100) == [0] * 100


def test_a_long_pause_is_the_engines(clock):
    gate = Gate({}, 4, clock.now, clock.sleep)
    gate.hold(3600)
    with pytest.raises(RateLimited) as caught, gate.passing(()):
        raise AssertionError("it must not pass")
    assert caught.value.after_secs == pytest.approx(3600)
    assert clock.slept == []


def test_a_clock_that_is_set_back_stops_nobody(clock):
    gate = Gate({"all": Limit(1, 10)}, 4, clock.now, clock.sleep)
    sent_at(clock, gate, 1)
    clock.sleep(-86_400)
    assert sent_at(clock, gate, 1) == [0]


def test_a_clock_that_is_set_back_makes_no_pause_longer_than_was_asked(clock):
    gate = Gate({}, 4, clock.now, clock.sleep)
    gate.hold(30)
    clock.sleep(-86_400)
    assert sent_at(clock, gate, 1) == [0]
    gate.hold(30)
    assert sent_at(clock, gate, 1) == [30]


def test_what_others_used_is_learned(clock):
    gate = Gate({"all": Limit(100, 10)}, 4, clock.now, clock.sleep)
    sent_at(clock, gate, 1)
    gate.learn({"all": Quota(calls=50, per_secs=5, remaining=2)})
    assert sent_at(clock, gate, 3) == [0, 0, pytest.approx(5.05)]


def test_a_limit_that_only_the_vendor_knows_is_learned(clock):
    gate = Gate({}, 4, clock.now, clock.sleep)
    gate.learn({"all": Quota(calls=1, per_secs=5), "odd": Quota(remaining=0)})
    assert sent_at(clock, gate, 2) == [0, pytest.approx(5.05)]


def test_a_place_is_given_back_when_the_call_fails(clock):
    gate = Gate({}, 1, clock.now, clock.sleep)
    for _ in range(3):
        with pytest.raises(OSError, match="gone"), gate.passing(()):
            raise OSError("gone")


class _Clock:
    def __init__(self):
        from datetime import UTC, datetime

        self.instant = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self):
        return self.instant

    def sleep(self, secs):
        from datetime import timedelta

        self.instant += timedelta(seconds=secs, microseconds=1)
