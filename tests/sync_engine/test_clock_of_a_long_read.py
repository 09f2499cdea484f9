"""How far our clock is ahead of a server's, told from the pages of a read that takes minutes."""

from datetime import UTC, datetime, timedelta

from sync_engine.feeds import Observed, compare_clocks
from tieout.model.record import Page
from tieout.model.ref import Cursor

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def at(secs: float) -> datetime:
    return NOON + timedelta(seconds=secs)


def test_a_read_of_ten_minutes_does_not_make_our_clock_late():
    """Else every answer to the push behind it looked older than its asking, and was read again."""
    observed = Observed()
    for secs in (1, 300, 600):
        page = Page((), Cursor(""), at(secs))
        compare_clocks(observed, "quickbooks:9130", page, asked_at=at(0), now=at(secs + 1))
    assert observed.clock_ahead_secs == {"quickbooks:9130": -1}
    assert observed.clock_off_secs == {}


def test_a_clock_that_is_put_forward_during_a_read_is_seen():
    observed = Observed()
    for asked_secs in (0, 240):
        page = Page((), Cursor(""), at(1))
        compare_clocks(observed, "hubspot:123", page, asked_at=at(asked_secs), now=at(asked_secs))
    assert observed.clock_ahead_secs == {"hubspot:123": 239}
