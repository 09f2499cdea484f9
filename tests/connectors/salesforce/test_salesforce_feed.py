"""What moved: in the recycle bin too, page by page, and nothing twice that did not move."""

import json
from datetime import date

import pytest

from tieout.model.errors import Unavailable
from tieout.model.record import Gone, Record, Seen
from tieout.simulator.salesforce import deeds


@pytest.fixture
def after(salesforce, read_all):
    """Return what a feed tells after what is there now."""

    def telling(kind, *changes):
        _, cursor = read_all(salesforce, kind)
        for change in changes:
            change()
        return read_all(salesforce, kind, cursor)

    return telling


def test_the_first_read_takes_won_deals_since_the_cutover(salesforce, org, read_all):
    won = [org.deal(CloseDate="2026-01-01"), org.deal()]
    org.deal(CloseDate="2025-12-31")
    org.deal(won=False)
    events, _ = read_all(salesforce, "deal")
    assert [event.ref.id for event in events] == won


def test_a_close_date_is_the_day_that_stands_there(opened, org, read_all):
    """It passes through no instant, whatever the business time zone is (R38)."""
    org.deal(CloseDate="2026-01-01")
    (event,), _ = read_all(opened(time_zone="Pacific/Kiritimati"), "deal")
    assert event.record.fields["close_date"] == date(2026, 1, 1)


def test_later_a_reopened_and_a_lost_deal_are_told_too(salesforce, org, after, clock):
    deals = [org.deal(), org.deal()]
    clock.pass_secs(1_000)
    events, _ = after(
        "deal", lambda: deeds.reopen(org, deals[0]), lambda: deeds.lose(org, deals[1])
    )
    assert [(event.ref.id, event.record.fields["is_won"]) for event in events] == [
        (deal, False) for deal in deals
    ]


def test_a_change_of_a_line_alone_is_told_by_the_lines_feed(org, after, clock):
    """Its deal does not move where its amount does not (R36)."""
    deal = org.deal(lines=[{"UnitPrice": "1"}])
    (line,) = org.tables["OpportunityLineItem"].records
    clock.pass_secs(1_000)
    events, _ = after("line_item", lambda: deeds.edit_line(org, line, {"Description": "Other"}))
    assert [(event.ref.id, event.record.fields["description"]) for event in events] == [
        (line, "Other")
    ]
    assert deal


def test_a_deleted_line_is_gone(org, after, clock):
    org.deal(lines=[{"UnitPrice": "1"}])
    (line,) = org.tables["OpportunityLineItem"].records
    clock.pass_secs(1_000)
    events, _ = after("line_item", lambda: deeds.remove_line(org, line))
    assert [(event.ref.id, event.seen) for event in events] == [(line, Seen.GONE)]


def test_a_deal_that_came_back_from_the_bin_is_told(salesforce, org, read_all, after, clock):
    deal = org.deal()
    clock.pass_secs(1_000)
    gone, cursor = after("deal", lambda: deeds.delete(org, "Opportunity", deal))
    assert [event.seen for event in gone] == [Seen.GONE]
    clock.pass_secs(2)
    deeds.undelete(org, "Opportunity", deal)
    events, _ = read_all(salesforce, "deal", cursor)
    assert [event.seen for event in events] == [Seen.CHANGED]


def test_a_deal_that_left_the_bin_is_gone_by_salesforces_own_word(opened, org, clock):
    deal = org.deal()
    deeds.delete(org, "Opportunity", deal)
    clock.pass_secs(16 * 86_400)
    (answer,) = opened().fetch([org.ref("deal", deal)])
    assert isinstance(answer, Gone)
    assert "NOT_FOUND" in answer.evidence


def test_merges_are_followed_to_their_end(salesforce, org):
    one, two, three = (org.account(Name=name) for name in "ABC")
    deeds.merge(org, "Account", two, one)
    deeds.merge(org, "Account", three, two)
    (answer,) = salesforce.fetch([org.ref("company", one)])
    assert answer.into.ref == org.ref("company", three)


def test_what_did_not_move_is_not_told_again(salesforce, org, read_all, clock):
    org.deal()
    clock.pass_secs(300)  # within the overlap, and no longer of this instant
    _, cursor = read_all(salesforce, "deal")
    for _ in range(2):
        events, cursor = read_all(salesforce, "deal", cursor)
        assert events == []


def test_a_no_op_is_one_query(salesforce, org, read_all):
    org.deal()
    _, cursor = read_all(salesforce, "deal")
    before = dict(salesforce.calls)
    read_all(salesforce, "deal", cursor)
    assert salesforce.calls == {**before, "queryAll": 1}


def test_pages_that_hold_fewer_rows_end_only_where_salesforce_says_done(opened, org, read_all):
    org.short_pages = 1.0
    deals = {org.deal() for _ in range(450)}
    events, _ = read_all(opened(options={"page": 200}), "deal")
    assert {event.ref.id for event in events} == deals


def test_a_page_whose_address_is_forgotten_is_read_after_the_last_id(opened, org, read_all):
    deals = {org.deal() for _ in range(450)}
    session = opened(options={"page": 200})
    seen = set()
    for page in session.changes(["deal"], None):
        seen |= {event.ref.id for event in page.events}
        org.cursors.clear()
    assert seen == deals


def test_another_session_goes_on_after_the_page_that_was_kept(opened, org, read_all):
    deals = {org.deal() for _ in range(450)}
    first = next(iter(opened(options={"page": 200}).changes(["deal"], None)))
    assert not first.last
    rest, _ = read_all(opened(options={"page": 200}), "deal", first.cursor)
    assert {event.ref.id for event in (*first.events, *rest)} == deals
    assert len(rest) < len(deals)


def test_a_page_with_fewer_rows_than_it_counts_is_no_page(opened, org, read_all):
    for _ in range(250):
        org.deal()
    org.faults.add(fault="drop_item", path="/query", count=None)
    with pytest.raises(Unavailable, match="counts"):
        read_all(opened(options={"page": 200}), "deal")


def test_a_row_that_comes_twice_is_no_page(salesforce, org, read_all):
    org.deal()
    org.faults.add(fault="duplicate_item", path="/query", count=None)
    with pytest.raises(Unavailable):
        read_all(salesforce, "deal")


def test_a_cursor_is_small(salesforce, org, read_all, clock):
    for _ in range(30):
        org.deal()
    clock.pass_secs(300)
    _, cursor = read_all(salesforce, "deal")
    assert set(json.loads(cursor)) == {"form", "since", "seen"}


def test_lines_come_by_their_order_then_by_id(salesforce, org):
    deal = org.deal()
    made = [org.line(deal, SortOrder=place) for place in (None, 2, 1, 2)]
    (answer,) = salesforce.related([org.ref("deal", deal)], "line_items")
    assert [ref.id for ref in answer.refs] == [made[2], made[1], made[3], made[0]]


def test_an_accounts_fields_come_with_its_deal_and_cost_no_call(salesforce, org, read_all):
    account = org.account(Name="Æther AS")
    deal = org.deal(AccountId=account)
    read_all(salesforce, "deal")
    before = dict(salesforce.calls)
    (answer,) = salesforce.related([org.ref("deal", deal)], "company")
    assert answer.records[answer.refs[0]].fields["name"] == "Æther AS"
    assert salesforce.calls == before


def test_an_older_row_of_an_account_never_hides_a_newer_one(salesforce, org, read_all, clock):
    """The deal's row shows the account as it was; its own feed has shown it since."""
    account = org.account(Name="Old")
    deal = org.deal(AccountId=account)
    _, cursor = read_all(salesforce, "company")
    read_all(salesforce, "deal")
    clock.pass_secs(5)
    deeds.edit_account(org, account, {"Name": "New"})
    read_all(salesforce, "company", cursor)
    (answer,) = salesforce.related([org.ref("deal", deal)], "company")
    assert answer.records[answer.refs[0]].fields["name"] == "New"


def test_the_primary_contact_is_the_one_that_salesforce_calls_so(salesforce, org):
    deal = org.deal()
    contacts = [org.contact(LastName=name) for name in "AB"]
    for contact, is_primary in zip(contacts, (False, True), strict=True):
        deeds.create(
            org,
            "OpportunityContactRole",
            {"OpportunityId": deal, "ContactId": contact, "IsPrimary": is_primary},
        )
    (answer,) = salesforce.related([org.ref("deal", deal)], "contact")
    assert [ref.id for ref in answer.refs] == contacts
    assert answer.primary == org.ref("contact", contacts[1])


def test_a_thousand_ids_are_asked_in_one_call(salesforce, org):
    deals = [org.deal() for _ in range(1_000)]
    answers = list(salesforce.fetch([org.ref("deal", one) for one in deals]))
    assert {type(answer) for answer in answers} == {Record}
    assert salesforce.calls == {"composite": 1}
