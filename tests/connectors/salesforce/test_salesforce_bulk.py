"""A first read that is too long for pages is a job: few calls, and not one row less."""

from decimal import Decimal

import pytest

from connectors.salesforce import bulk
from tieout.model.errors import Unavailable

ROWS = 2_050
OPTIONS = {"bulk_from": 2_000}


@pytest.fixture
def many(org):
    account = org.account(Name='Quote " comma, line\nend')
    return {org.deal(AccountId=account, Name='Søn\'s, "x"') for _ in range(ROWS)}


def test_each_row_of_the_job_is_told_once_as_a_query_would_tell_it(opened, org, many, read_all):
    session = opened(options=OPTIONS)
    events, _ = read_all(session, "deal")
    assert {event.ref.id for event in events} == many
    assert len(events) == ROWS
    (fetched,) = session.fetch([events[0].ref])
    assert events[0].record == fetched
    assert fetched.fields["amount"] == Decimal(1900)
    assert session.calls["jobs"] == 4, "to begin, two looks, one page"


def test_what_changes_after_the_job_is_in_the_next_walk(opened, org, many, read_all, clock):
    session = opened(options=OPTIONS)
    clock.pass_secs(1_000)
    _, cursor = read_all(session, "deal")
    new = org.deal()
    events, _ = read_all(session, "deal", cursor)
    assert [event.ref.id for event in events] == [new]


def test_another_session_goes_on_with_the_job_that_was_begun(
    opened, org, many, read_all, monkeypatch
):
    monkeypatch.setattr(bulk, "PAGE_ROWS", 1_000)
    first = next(iter(opened(options=OPTIONS).changes(["deal"], None)))
    assert (len(first.events), first.last) == (1_000, False)
    after = opened(options=OPTIONS)
    rest, _ = read_all(after, "deal", first.cursor)
    assert {event.ref.id for event in (*first.events, *rest)} == many
    assert after.calls == {"jobs": 2}


def test_a_job_that_is_kept_no_longer_begins_anew(opened, org, many, read_all, monkeypatch):
    monkeypatch.setattr(bulk, "PAGE_ROWS", 1_000)
    first = next(iter(opened(options=OPTIONS).changes(["deal"], None)))
    org.jobs.clear()
    events, _ = read_all(opened(options=OPTIONS), "deal", first.cursor)
    assert {event.ref.id for event in events} == many


def test_a_page_of_fewer_rows_than_it_counts_is_no_page(opened, org, many, read_all):
    org.faults.add(fault="cut_body", path="/results", count=None)
    with pytest.raises(Unavailable):
        read_all(opened(options=OPTIONS), "deal")


def test_a_shorter_first_read_is_no_job(opened, org, read_all):
    org.deal()
    session = opened(options=OPTIONS)
    read_all(session, "deal")
    assert session.calls == {"query": 1}
