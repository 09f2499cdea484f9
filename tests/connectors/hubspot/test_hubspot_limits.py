"""HubSpot's limits are kept, learned and, where it refuses all the same, obeyed."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from connectors.hubspot.wire import ROLLING, SEARCH, quotas, route
from tieout.model.errors import QuotaExhausted, Unavailable
from tieout.model.ref import Ref
from tieout.simulator.hubspot import Limits
from tieout.transport import Quota


class Clock:
    """A clock that moves only when somebody sleeps."""

    def __init__(self, on_sleep=lambda: None):
        self.instant = datetime.now(UTC)
        self.slept = []
        self.on_sleep = on_sleep

    def now(self):
        return self.instant

    def sleep(self, secs):
        self.slept.append(secs)
        self.instant += timedelta(seconds=secs)
        self.on_sleep()


def test_searches_keep_their_pace_and_none_is_refused(opened, portal, read_all):
    portal.set_limits(Limits(search=5))
    session = opened(sleep=time.sleep, options={"searches_per_sec": 5})
    _, cursor = read_all(session, "deal")
    began = time.monotonic()
    for _ in range(6):
        _, cursor = read_all(session, "deal", cursor)
    assert time.monotonic() - began > 1
    assert portal.counts["429"] == 0


def test_the_rolling_limit_is_learned_from_the_answers(opened, portal):
    """The configuration says more than the portal allows; the headers correct it."""
    portal.set_limits(Limits(burst=20))
    clock = Clock(on_sleep=portal.bursts.clear)
    session = opened(now=clock.now, sleep=clock.sleep)
    for _ in range(25):
        session.check()
    assert portal.counts["429"] == 0
    assert clock.slept == [pytest.approx(10.05)]


def test_a_read_that_was_refused_for_its_rate_is_asked_again_after_the_pause(opened, portal):
    clock = Clock()
    session = opened(now=clock.now, sleep=clock.sleep)
    portal.faults.add(fault="status", status=429, retry_after=3, path="/account-info/")
    session.check()
    assert clock.slept == [3.0]


@pytest.mark.parametrize(("policy", "pause"), [("secondly", 1.0), ("ten_secondly", 10.0)])
def test_a_refusal_that_names_only_its_policy_is_waited_out(opened, portal, policy, pause):
    clock = Clock()
    session = opened(now=clock.now, sleep=clock.sleep)
    portal.faults.add(fault="status", status=429, spelling=policy, path="/account-info/")
    session.check()
    assert clock.slept == [pause]


def test_a_day_that_is_used_up_pauses_the_company(opened, portal):
    portal.faults.add(fault="status", status=429, spelling="daily", count=None)
    with pytest.raises(QuotaExhausted):
        opened().check()


@pytest.mark.parametrize("at_once", [1, 2, 8])
def test_any_number_at_once_reads_the_same_in_the_same_order(opened, portal, at_once):
    session = opened(options={"at_once": at_once})
    asked = [Ref(session.company, "deal", portal.deal()) for _ in range(950)]
    assert [answer.ref for answer in session.fetch(asked)] == asked


def test_reading_ahead_ends_with_its_reader(opened, portal):
    session = opened(options={"at_once": 2})
    asked = [Ref(session.company, "deal", portal.deal()) for _ in range(900)]
    reading = session.fetch(asked)
    next(reading)
    reading.close()
    assert session.calls["objects deals/batch/read"] <= 4


def test_a_search_counts_against_both_limits_and_a_write_is_one():
    assert route("POST", "/crm/objects/2026-03/deals/search").limits == (ROLLING, SEARCH)
    assert not route("POST", "/crm/objects/2026-03/deals/batch/read").write
    assert not route("POST", "/crm/associations/2026-03/deals/line_items/batch/read").write
    assert route("POST", "/crm/objects/2026-03/deals/batch/update").write
    assert route("POST", "/crm/properties/2026-03/deals").write
    assert not route("GET", "/crm/properties/2026-03/deals").write


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, {}),
        ({"x-hubspot-ratelimit-max": "many"}, {}),
        (
            {
                "x-hubspot-ratelimit-max": "250",
                "x-hubspot-ratelimit-interval-milliseconds": "10000",
                "x-hubspot-ratelimit-remaining": "249",
            },
            {ROLLING: Quota(250, 10.0, 249)},
        ),
    ],
)
def test_headers_are_understood(headers, expected):
    assert quotas(headers) == expected


def test_an_answer_without_a_date_gives_no_watermark(opened, portal, front):
    portal.deal()

    async def dateless(scope, receive, send):
        async def sending(message):
            if message["type"] == "http.response.start":
                kept = [pair for pair in message["headers"] if pair[0].lower() != b"date"]
                message = {**message, "headers": kept}
            await send(message)

        await app(scope, receive, sending)

    app, front.app = front.app, dateless
    session = opened()
    for kind in ("deal", "company"):
        with pytest.raises(Unavailable, match="no date"):
            list(session.changes([kind], None))
