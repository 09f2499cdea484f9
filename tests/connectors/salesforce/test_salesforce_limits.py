"""Limits and locks: each refusal by its code, and a share of the day's calls that is never passed."""

from datetime import UTC, datetime, timedelta

import pytest

from tieout.model.change import Update
from tieout.model.contract import Request
from tieout.model.errors import (
    Duplicate,
    InvalidField,
    NotFound,
    QuotaExhausted,
    RateLimited,
    Rejected,
    Unauthorized,
)
from tieout.model.record import Record
from tieout.model.ref import Version
from tieout.simulator.salesforce import deeds


@pytest.fixture
def told(salesforce, org):
    """Tell a record something; return the outcome."""

    def telling(kind, record_id, **values):
        change = Update(org.ref(kind, record_id), Version(""), values)
        (parcel,) = salesforce.prepare([Request("K-1", change)])
        (outcome,) = salesforce.apply(parcel)
        return outcome

    return telling


class Ticking:
    """Our clock, moved on by hand."""

    def __init__(self):
        self.at = datetime.now(UTC)

    def __call__(self):
        return self.at


def test_a_share_of_the_days_calls_is_never_passed(opened, org):
    """Whoever made them: the rest is for the others."""
    org.daily_limit = 10
    session = opened(options={"share": 50})
    for _ in range(5):
        session.check()
    with pytest.raises(QuotaExhausted, match="5 of the org's 10 daily API calls") as caught:
        session.check()
    assert "50 percent" in str(caught.value)
    assert len(org.calls) == 5, "nothing was sent"


def test_now_and_then_one_call_looks_whether_the_count_fell(opened, org):
    org.daily_limit = 4
    clock = Ticking()
    session = opened(options={"share": 50}, now=clock)
    session.check()
    session.check()
    clock.at += timedelta(minutes=20)
    session.check()
    with pytest.raises(QuotaExhausted):
        session.check()
    org.calls.clear()
    clock.at += timedelta(minutes=20)
    session.check()
    assert session.check().company == org.org_id


def test_a_write_beyond_the_share_is_not_sent_and_says_so(opened, org, told):
    deal = org.deal()
    session = opened(options={"share": 1})
    org.daily_limit = 100
    session.check()
    change = Update(org.ref("deal", deal), Version(""), {"invoice_number": "1"})
    (parcel,) = session.prepare([Request("K-1", change)])
    (outcome,) = session.apply(parcel)
    assert isinstance(outcome.error, QuotaExhausted)


def test_the_day_that_is_used_up_is_told_from_too_many_calls_at_once(salesforce, org, told):
    org.faults.add(fault="status", status=403, spelling="limit", path="/query", count=None)
    with pytest.raises(QuotaExhausted, match="last 24 hours"):
        salesforce.check()
    org.faults.clear()
    org.faults.add(fault="status", status=403, spelling="concurrent", path="/composite", count=1)
    outcome = told("deal", org.deal(), invoice_number="1")
    assert isinstance(outcome.error, RateLimited)
    assert "in flight" in str(outcome.error)


def test_a_right_that_is_missing_pauses(salesforce, org):
    org.faults.add(fault="status", status=403, path="/query", count=None)
    with pytest.raises(Unauthorized, match="insufficient access"):
        salesforce.check()


def test_a_row_that_somebody_writes_is_asked_again_later(told, org):
    deal = org.deal()
    deeds.lock_row(org, deal, 60)
    outcome = told("deal", deal, invoice_number="1")
    assert isinstance(outcome.error, RateLimited)
    assert (outcome.error.vendor_code, outcome.error.after_secs) == ("UNABLE_TO_LOCK_ROW", 5.0)


def test_a_validation_rule_refuses_in_its_own_words(told, org):
    deal = org.deal()
    deeds.add_validation_rule(org, "Opportunity", "Amount > 1", "Ask Ada first", "Amount")
    outcome = told("deal", deal, invoice_number="1")
    assert type(outcome.error) is Rejected
    assert "validation rule" in str(outcome.error)
    assert "Ask Ada first" in str(outcome.error)


def test_a_duplicate_rule_is_told_apart(told, org):
    org.account(Phone="1")
    account = org.account(Phone="2")
    deeds.add_duplicate_rule(org, "Account", "Phone")
    outcome = told("company", account, phone="1")
    assert isinstance(outcome.error, Duplicate)
    assert outcome.error.vendor_code == "DUPLICATES_DETECTED"


def test_a_record_that_an_approval_locks_is_a_task(told, org):
    deal = org.deal()
    deeds.lock_record(org, deal)
    outcome = told("deal", deal, invoice_number="1")
    assert type(outcome.error) is Rejected
    assert "approval" in str(outcome.error)


def test_a_deal_that_was_deleted_meanwhile_is_not_found(told, org):
    deal = org.deal()
    deeds.delete(org, "Opportunity", deal)
    assert isinstance(told("deal", deal, invoice_number="1").error, NotFound)


def test_a_mark_that_another_deal_has_is_a_duplicate(told, org):
    org.deal(Tieout_Mark__c="M-1")
    assert isinstance(told("deal", org.deal(), mark="M-1").error, Duplicate)


def test_a_text_that_is_too_long_is_named_with_its_field(told, org):
    outcome = told("deal", org.deal(), invoice_number="9" * 300)
    assert isinstance(outcome.error, InvalidField)
    assert "Invoice" in str(outcome.error)


def test_one_locked_row_among_two_hundred_holds_up_no_other(salesforce, org):
    deals = [org.deal() for _ in range(201)]
    deeds.lock_record(org, deals[7])
    requests = [
        Request(f"K-{n}", Update(org.ref("deal", one), Version(""), {"invoice_number": str(n)}))
        for n, one in enumerate(deals, 1)
    ]
    parcels = salesforce.prepare(requests)
    assert [len(parcel.items) for parcel in parcels] == [200, 1]
    outcomes = [outcome for parcel in parcels for outcome in salesforce.apply(parcel)]
    assert [n for n, outcome in enumerate(outcomes) if outcome.error] == [7]
    (record,) = salesforce.fetch([org.ref("deal", deals[8])])
    assert isinstance(record, Record)
    assert record.fields["invoice_number"] == "9"
