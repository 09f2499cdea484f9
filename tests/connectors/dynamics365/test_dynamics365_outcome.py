"""Where closed opportunities refuse writes, a table of our own holds what they are told."""

from datetime import date
from decimal import Decimal

import pytest

from tieout.app.provisioning import provide
from tieout.model.change import Update
from tieout.model.contract import Request
from tieout.model.errors import ConfigError, InvalidField, NotFound, OutcomeUnknown
from tieout.model.lookup import MARKER, Lookup, NotKnown
from tieout.model.record import Record, Unreadable
from tieout.model.ref import Ref, Version

TOLD = {
    "invoice_number": "B-1",
    "invoice_status": "part-paid",
    "invoice_total": "357.10",
    "invoice_due_date": "2026-04-30",
}


@pytest.fixture
def strict(opened, new_org):
    """An organization whose closed opportunities take no writes; made last, so that it answers."""
    org = new_org(provisioned=False)
    org.closed_refuses = True
    return org


@pytest.fixture
def child(strict, opened):
    session = opened(options={"outcome": "child"})
    assert {one.state for one in provide(session)} == {"made", "there"}
    return session


def tell(session, deals, values=TOLD):
    requests = [
        Request(f"K{n}", Update(Ref(session.company, "deal", deal), Version(""), values))
        for n, deal in enumerate(deals)
    ]
    (parcel,) = session.prepare(requests)
    return session.apply(parcel)


def rows(org):
    return list(org.shelves["tieout_outcome"].records.values())


def test_the_table_of_outcomes_bears_the_prefix_that_a_company_chose(strict, opened):
    session = opened(options={"outcome": "child", "field_prefix": "acme"})
    assert {one.state for one in provide(session)} == {"made", "there"}
    deal = strict.deal()
    (outcome,) = tell(session, [deal])
    assert outcome.error is None
    (row,) = strict.shelves["acme_outcome"].records.values()
    assert row.values["acme_invoice_number"] == "B-1"
    assert [name for name in strict.tables["acme_outcome"].columns if "tieout" in name] == []
    (record,) = session.fetch([Ref(session.company, "deal", deal)])
    assert record.fields["invoice_status"] == "part-paid"


def test_what_a_closed_deal_is_told_is_kept_once_and_read_back(strict, child):
    deals = [strict.deal() for _ in range(3)]
    for number in ("B-1", "B-2"):
        outcomes = tell(child, deals, {**TOLD, "invoice_number": number})
        assert [one.error for one in outcomes] == [None] * 3
    assert len(rows(strict)) == 3
    [record, *_] = child.fetch([Ref(child.company, "deal", one) for one in deals])
    shown = {name: record.fields[name] for name in TOLD}
    assert shown == {
        "invoice_number": "B-2",
        "invoice_status": "part-paid",
        "invoice_total": Decimal("357.10"),
        "invoice_due_date": date(2026, 4, 30),
    }


def test_the_row_leads_to_its_opportunity_and_bears_the_invoices_number(strict, child):
    deal = strict.deal()
    tell(child, [deal])
    [row] = rows(strict)
    assert (row.values["tieout_opportunityid"].id, row.values["tieout_name"]) == (deal, "B-1")


def test_a_deal_that_was_told_nothing_shows_nothing(strict, child):
    [record] = child.fetch([Ref(child.company, "deal", strict.deal())])
    assert isinstance(record, Record)
    assert record.fields["invoice_number"] is None


def test_what_was_told_can_be_taken_back(strict, child):
    deal = strict.deal()
    tell(child, [deal])
    tell(child, [deal], dict.fromkeys(TOLD))
    [record] = child.fetch([Ref(child.company, "deal", deal)])
    assert {record.fields[name] for name in TOLD} == {None}


def test_a_deleted_deal_is_told_nothing(strict, child):
    deal = strict.deal()
    strict.take_away("opportunity", deal)
    [outcome] = tell(child, [deal])
    assert isinstance(outcome.error, NotFound)
    assert rows(strict) == []


def test_answers_in_another_order_reach_their_deals(strict, child):
    deals = [strict.deal() for _ in range(3)]
    strict.faults.add(fault="reorder", path="batch", count=1)
    assert [one.receipt.ref.id for one in tell(child, deals)] == deals


def test_a_lost_answer_is_unknown_and_found_by_reading(strict, child):
    deal = strict.deal()
    strict.faults.add(fault="lose_answer", path="batch", count=1)
    [outcome] = tell(child, [deal])
    assert isinstance(outcome.error, OutcomeUnknown)
    [record] = child.fetch([Ref(child.company, "deal", deal)])
    assert record.fields["invoice_number"] == "B-1"


def test_outcomes_that_cannot_be_read_make_the_deal_unreadable(strict, child):
    deal = strict.deal()
    strict.faults.add(fault="status", status=503, path="/tieout_outcomes$", count=None)
    [answer] = child.fetch([Ref(child.company, "deal", deal)])
    assert isinstance(answer, Unreadable)


def test_nothing_else_of_a_deal_is_written(strict, child):
    with pytest.raises(InvalidField):
        tell(child, [strict.deal()], {"description": "x"})


def test_a_deal_has_no_mark_there(strict, child):
    assert child.capabilities.kinds["deal"].marker == ""
    [answer] = child.find("deal", [Lookup("deal", MARKER, "MARK1")])
    assert isinstance(answer, NotKnown)


def test_the_feed_shows_deals_without_columns_of_ours(strict, child, read_all):
    deal = strict.deal()
    [event] = read_all(child, "deal")[0]
    assert (event.ref.id, event.record.fields["is_won"]) == (deal, True)
    assert "invoice_number" not in event.record.fields


def test_provision_makes_a_table_in_place_of_the_deals_columns_and_nothing_twice(strict, opened):
    session = opened(options={"outcome": "child"})
    list(provide(session))
    columns = strict.tables["opportunity"].columns
    assert [name for name in columns if name.startswith("tieout_")] == []
    assert {one.state for one in provide(opened(options={"outcome": "child"}))} == {"there"}


def test_an_outcome_is_kept_in_one_of_two_places(opened):
    with pytest.raises(ConfigError):
        opened(options={"outcome": "nowhere"})
