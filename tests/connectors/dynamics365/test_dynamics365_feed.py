"""What moved: change tracking that ends, that cannot filter, and whose columns come and go."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tieout.model.errors import Rejected, Unavailable, Unsupported
from tieout.model.record import Seen, Unreadable
from tieout.model.ref import Ref
from tieout.simulator.dynamics365 import deeds
from tieout.simulator.dynamics365.schema import Column


def ids(events):
    return [event.ref.id for event in events]


def test_the_first_read_takes_what_was_won_since_the_cutover(org, dynamics, read_all):
    won = org.deal()
    org.deal(won=False)
    org.deal(actualclosedate="2025-12-31")
    events, _ = read_all(dynamics, "deal")
    assert ids(events) == [won]


def test_the_first_read_of_accounts_tells_those_that_won_deals_name(org, dynamics, read_all):
    buyer, stranger = org.company(), org.company()
    person = org.person()
    org.deal(company=buyer, contact=person)
    org.deal(company=stranger, won=False)
    read_all(dynamics, "deal")
    assert ids(read_all(dynamics, "company")[0]) == [buyer]
    assert ids(read_all(dynamics, "contact")[0]) == [person]


def test_a_whole_table_is_read_once_and_then_its_changes(org, dynamics, read_all):
    for _ in range(3):
        org.deal()
    _, cursor = read_all(dynamics, "deal")
    late = org.deal(won=False)
    events, cursor = read_all(dynamics, "deal", cursor)
    assert ids(events) == [late]
    assert read_all(dynamics, "deal", cursor)[0] == []
    assert dynamics.calls["read opportunities"] == 3


def test_a_deleted_row_is_gone_by_the_tables_own_word(org, dynamics, read_all):
    deal = org.deal()
    _, cursor = read_all(dynamics, "deal")
    org.take_away("opportunity", deal)
    events, _ = read_all(dynamics, "deal", cursor)
    assert [(event.ref.id, event.seen) for event in events] == [(deal, Seen.GONE)]


def test_an_expired_link_compares_the_whole_table_and_says_so(org, opened, read_all, capsys):
    old, _ = org.deal(), org.deal()
    first = opened(now=lambda: datetime.now(UTC))
    _, cursor = read_all(first, "deal")
    for record in org.shelves["opportunity"].records.values():
        record.modified = "2026-01-05T00:00:00Z"  # long before the last look
    org.edit("opportunity", old, name="Other")
    deeds.expire_deltas(org)
    events, cursor = read_all(opened(), "deal", cursor)
    assert ids(events) == [old]
    assert "the delta link has expired" in capsys.readouterr().out
    assert read_all(opened(), "deal", cursor)[0] == []


def test_an_expired_link_tells_what_an_import_dated_back(org, opened, read_all):
    """A version only grows; the time of change is the importer's to say."""
    deal = org.deal()
    _, cursor = read_all(opened(), "deal")
    org.edit("opportunity", deal, name="Imported")
    org.record("opportunity", deal).modified = "2020-01-01T00:00:00Z"
    deeds.expire_deltas(org)
    assert ids(read_all(opened(), "deal", cursor)[0]) == [deal]


def test_a_link_that_expires_between_two_pages_loses_nothing(org, opened, read_all):
    deals = {org.deal() for _ in range(5)}
    session = opened(options={"page_rows": 2})
    pages = session.changes(["deal"], None)
    first = next(pages)
    org.faults.add(fault="status", status=410, path="/opportunities$", count=1)
    told = {*ids(first.events), *(one for page in pages for one in ids(page.events))}
    assert told == deals


@pytest.mark.parametrize("status", [400, 404])
def test_a_stored_link_that_is_refused_for_another_reason_is_left_too(
    org, opened, read_all, status
):
    """It would be refused in each later round as well."""
    deals = {org.deal() for _ in range(5)}
    options = {"page_rows": 2}
    first = next(opened(options=options).changes(["deal"], None))
    later = opened(options=options)
    org.faults.add(fault="status", status=status, path="/opportunities$", count=1)
    events, cursor = read_all(later, "deal", first.cursor)
    assert {*ids(first.events), *ids(events)} == deals
    assert read_all(opened(options=options), "deal", cursor)[0] == []


def test_a_table_that_is_refused_itself_is_no_link_to_leave(org, opened, read_all):
    for _ in range(5):
        org.deal()
    first = next(opened(options={"page_rows": 2}).changes(["deal"], None))
    org.faults.add(fault="status", status=400, path="/opportunities$", count=None)
    with pytest.raises(Rejected):
        read_all(opened(options={"page_rows": 2}), "deal", first.cursor)


def test_a_walk_is_begun_anew_once(org, opened, read_all):
    """The stored link is refused, the table is read, and its second page is refused too."""
    for _ in range(5):
        org.deal()
    options = {"page_rows": 2}
    first = next(opened(options=options).changes(["deal"], None))
    later = opened(options=options)
    for skip in (0, 1):
        org.faults.add(fault="status", status=410, path="/opportunities$", count=1, skip=skip)
    with pytest.raises(Rejected):
        read_all(later, "deal", first.cursor)
    assert later.calls["read opportunities"] == 3


def test_pages_that_lead_in_a_circle_end_the_walk(org, opened, read_all):
    for _ in range(9):
        org.deal()
    org.faults.add(fault="circle", path="/opportunities$", skip=2, count=None)
    with pytest.raises(Unavailable, match="lead in a circle"):
        read_all(opened(options={"page_rows": 2}), "deal")


def test_other_columns_make_the_table_be_read_again(org, opened, read_all):
    org.deal()
    _, cursor = read_all(opened(reads={"deal": frozenset({"name"})}), "deal")
    late = org.deal(description="Two floors")
    wider = opened(reads={"deal": frozenset({"name", "description"})})
    events, _ = read_all(wider, "deal", cursor)
    [event] = [event for event in events if event.ref.id == late]
    assert event.record.fields["description"] == "Two floors"


def test_a_removed_column_makes_rows_come_bare_and_each_say_why(org, opened, read_all):
    org.define("opportunity", Column("new_po", "String", max_length=50))
    wanted = {"deal": frozenset({"name", "new_po"})}
    _, cursor = read_all(opened(reads=wanted), "deal")
    deeds.remove_column(org, "opportunity", "new_po")
    deal = org.deal()
    without = opened(reads=wanted)
    events, cursor = read_all(without, "deal", cursor)
    assert [(event.ref.id, event.record) for event in events] == [(deal, None)]
    [answer] = without.fetch([event.ref for event in events])
    assert isinstance(answer, Unreadable)
    assert "new_po" in str(answer.error)
    events, cursor = read_all(opened(reads=wanted), "deal", cursor)
    assert events == []
    org.define("opportunity", Column("new_po", "String", max_length=50))
    org.edit("opportunity", deal, new_po="PO-1")
    events, _ = read_all(opened(reads=wanted), "deal", cursor)
    assert [event.record.fields["new_po"] for event in events] == ["PO-1"]


def test_an_option_without_a_label_comes_bare_and_says_why(org, opened, read_all):
    deeds.label_option(org, "opportunity", "statuscode", 3, "")
    deal = org.deal()
    session = opened(reads={"deal": frozenset({"status_label"})})
    events, _ = read_all(session, "deal")
    assert [(event.ref.id, event.record) for event in events] == [(deal, None)]
    [answer] = session.fetch([event.ref for event in events])
    assert "statuscode is 3, and this option has no label" in str(answer.error)


def test_an_option_has_its_value_and_what_people_see(org, opened, read_all):
    org.deal()
    session = opened(reads={"deal": frozenset({"status", "status_label", "is_won"})})
    [event] = read_all(session, "deal")[0]
    shown = {name: event.record.fields[name] for name in ("status", "status_label", "is_won")}
    assert shown == {"status": "3", "status_label": "Won", "is_won": True}


def test_a_table_that_is_not_tracked_says_how_it_would_be(org, dynamics):
    deeds.track(org, "opportunity", on=False)
    with pytest.raises(Unsupported) as refused:
        list(dynamics.changes(["deal"], None))
    assert "Track changes" in refused.value.next


def test_a_page_without_a_link_is_none(org, dynamics):
    org.faults.add(fault="drop_delta", path="/opportunities$", count=None)
    with pytest.raises(Unavailable):
        list(dynamics.changes(["deal"], None))


def test_a_link_that_leads_elsewhere_is_not_followed(org, dynamics):
    org.faults.transformers["astray"] = lambda _asked, right, _dice: {
        **right,
        "@odata.deltaLink": "https://elsewhere.example/other/api?$deltatoken=1",
    }
    org.faults.add(fault="astray", path="/opportunities$", count=None)
    with pytest.raises(Unavailable):
        list(dynamics.changes(["deal"], None))


def test_a_cursor_holds_no_address(org, dynamics, read_all):
    org.deal()
    _, cursor = read_all(dynamics, "deal")
    assert "127.0.0.1" not in cursor


def test_a_rewound_cursor_reads_the_table_and_tells_what_moved_since(org, opened, read_all):
    old, new = org.deal(), org.deal()
    _, cursor = read_all(opened(), "deal")
    org.record("opportunity", old).modified = "2026-01-05T00:00:00Z"
    back = opened().rewound(["deal"], cursor, datetime.now(UTC) - timedelta(hours=1))
    assert ids(read_all(opened(), "deal", back)[0]) == [new]


def test_a_merged_account_is_told_with_where_it_lives_on(org, dynamics, read_all):
    kept, other = org.company(), org.company()
    _, cursor = read_all(dynamics, "company")
    deeds.merge(org, "account", kept, other)
    events, _ = read_all(dynamics, "company", cursor)
    merged = [(event.ref.id, event.merged_into) for event in events if event.seen is Seen.MERGED]
    assert merged == [(other, Ref(dynamics.company, "company", kept))]


def test_a_column_that_comes_back_in_a_long_session_has_its_own_type(org, opened, read_all):
    """A daemon's session lives on: what it knew of a column's absence is asked anew."""
    floor = Column("new_floor", "Integer", "Floor")
    org.tables["opportunity"].columns.pop("new_floor", None)
    session = opened(reads={"deal": frozenset({"name", "new_floor"})})
    _, cursor = read_all(session, "deal")
    org.define("opportunity", floor)
    org.deal(new_floor=3)
    events, _ = read_all(session, "deal", cursor)
    assert [event.record.fields["new_floor"] for event in events] == [Decimal(3)]
