"""Hints that fall silent while rounds find changes ring; the next one ends it."""

from datetime import timedelta

import pytest

from sync_engine.ledger.sqlite import Ledger
from sync_engine.silence import GRACE, judge_silence
from sync_engine.tasks import SILENCE
from tieout.model.dates import parse_instant

START = parse_instant("2026-03-31T09:00:00.000Z")
AFTER = timedelta(hours=6)
HOUR = timedelta(hours=1)


@pytest.fixture
def ledger(tmp_path):
    with Ledger.open(tmp_path / "ledger.db", lambda: START) as opened:
        yield opened


@pytest.fixture
def rings(ledger):
    """Return a function that judges one round, and says whether the task is open after it."""

    def judge(at, *, found=True, heard_at=None, after=AFTER, company="hubspot:123"):
        judge_silence(
            ledger,
            pair="main",
            company=company,
            heard_at=heard_at,
            found=found,
            now=at,
            after=after,
        )
        return bool(ledger.all("task_open_of", family=SILENCE, subject=f"main:{company}"))

    return judge


def test_it_rings_when_changes_are_found_so_long_without_a_hint(rings):
    assert [rings(START), rings(START + AFTER - HOUR), rings(START + AFTER)] == [False, False, True]


def test_it_rings_on_until_a_hint_comes_and_then_no_more(rings):
    rings(START)
    later = START + AFTER

    assert rings(later)
    assert rings(later + HOUR, found=False)
    assert not rings(later + 2 * HOUR, heard_at=later + HOUR)
    assert not rings(later + 3 * HOUR)


def test_a_hint_between_begins_the_time_anew(rings):
    rings(START)
    heard_at = START + 5 * HOUR
    rings(heard_at, heard_at=heard_at)

    assert not rings(START + AFTER, heard_at=heard_at)
    assert rings(START + 2 * AFTER, heard_at=heard_at)


def test_where_nothing_changes_silence_is_right(rings):
    assert [rings(START + n * AFTER, found=False) for n in range(3)] == [False, False, False]


def test_a_change_soon_after_its_hint_is_the_one_that_it_told_of(rings):
    rings(START, heard_at=START)
    rings(START + GRACE - timedelta(seconds=1), heard_at=START)

    assert not rings(START + 10 * HOUR, heard_at=START)


def test_a_restart_that_forgets_hints_forgets_no_silence(rings):
    rings(START, heard_at=START)
    rings(START + HOUR, heard_at=None)

    assert rings(START + HOUR + AFTER, heard_at=None)


def test_each_company_has_its_own(rings):
    rings(START)

    assert rings(START + AFTER)
    assert not rings(START + AFTER, company="quickbooks:913")


def test_who_is_not_listened_to_is_not_missed(rings):
    rings(START)
    assert rings(START + AFTER)

    assert not rings(START + AFTER + HOUR, after=None)
