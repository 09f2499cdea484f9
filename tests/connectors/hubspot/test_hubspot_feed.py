"""What moved: nothing is lost, nothing is told twice for no reason, and the server's clock rules."""

import json
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from foreign_server import Bent
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.hubspot.connector import OVERLAP_SECS
from connectors.hubspot.feed import SEEN_LIMIT, Place
from connectors.hubspot.reading import SEARCH_PAGE
from tieout.model.errors import Unavailable, Unsupported, ValueRefused
from tieout.model.record import Seen

# -- the first read -----------------------------------------------------------------------------


def test_the_first_read_takes_won_deals_since_the_cutover(hubspot, portal, read_all):
    won = portal.deal()
    portal.deal(won=False)
    portal.deal(closedate="2025-12-31T22:59:59Z")
    first_day = portal.deal(closedate="2025-12-31T23:00:00Z")  # 2026-01-01 in Oslo
    events, _ = read_all(hubspot, "deal")
    assert [event.ref.id for event in events] == [won, first_day]


def test_an_event_carries_the_record_in_our_names_and_types(hubspot, portal, read_all):
    deal = portal.deal(description="")
    (event,), _ = read_all(hubspot, "deal")
    fields = event.record.fields
    assert (event.ref.company, event.ref.kind, event.ref.id) == (hubspot.company, "deal", deal)
    assert fields["name"] == "Rollout"
    assert fields["amount"] == Decimal("1900.00")
    assert fields["close_date"] == date(2026, 3, 31), "half past midnight in Oslo"
    assert fields["is_won"] is True
    assert fields["description"] is None
    assert "invoice_number" not in fields, "a property that the portal has not is not answered"
    assert (
        event.record.version
        == event.record.updated_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        or event.record.updated_at.microsecond == 0
    )


def test_a_day_is_made_in_the_configured_zone(opened, portal, read_all):
    portal.deal(closedate="2026-03-31T03:30:00Z")
    (event,), _ = read_all(opened(time_zone="America/New_York"), "deal")
    assert event.record.fields["close_date"] == date(2026, 3, 30)


def test_only_what_the_mappings_use_is_asked_for(opened, portal, read_all):
    portal.deal()
    (event,), _ = read_all(opened(reads={"deal": frozenset({"amount"})}), "deal")
    assert event.record.fields.keys() == {"id", "amount", "merged_ids"}


def test_a_custom_property_has_its_own_type(opened, portal, read_all):
    from tieout.simulator.hubspot.schema import custom

    portal.define("deals", custom(name="po_number", label="PO"))
    portal.define("deals", custom(name="signed", label="Signed", type="date", field_type="date"))
    portal.define("deals", custom(name="seats", label="Seats", type="number", field_type="number"))
    portal.deal(po_number="PO-7", signed="2026-03-31", seats="12")
    session = opened(reads={"deal": frozenset({"po_number", "signed", "seats"})})
    (event,), _ = read_all(session, "deal")
    assert event.record.fields["po_number"] == "PO-7"
    assert event.record.fields["signed"] == date(2026, 3, 31)
    assert event.record.fields["seats"] == Decimal(12)


def test_payments_since_the_cutover_are_in_the_first_read(hubspot, portal, read_all):
    old = {"hs_initial_amount": "5", "hs_initiated_date": "2025-12-31T22:00:00Z"}
    portal.create("commerce_payments", old)
    new = {"hs_initial_amount": "7.50", "hs_initiated_date": "2026-03-31T10:00:00Z"}
    made = portal.create("commerce_payments", new)
    (event,), _ = read_all(hubspot, "payment")
    assert event.ref.id == str(made.id)
    assert (event.record.fields["amount"], event.record.fields["date"]) == (
        Decimal("7.50"),
        date(2026, 3, 31),
    )


@pytest.mark.parametrize("kind", ["line_item", "company"])
def test_of_other_kinds_the_first_read_only_marks_the_place(hubspot, portal, read_all, kind):
    portal.deal(lines=[{}], company=portal.company())
    assert read_all(hubspot, kind)[0] == []
    assert f"{kind}s" not in str(hubspot.calls)


# -- what comes after ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["deal", "line_item", "company", "payment"])
def test_nothing_changed_is_one_search_and_no_event(hubspot, portal, read_all, kind):
    portal.deal(lines=[{}], company=portal.company())
    _, cursor = read_all(hubspot, kind)
    _, cursor = read_all(hubspot, kind, cursor)
    before = sum(hubspot.calls.values())
    assert read_all(hubspot, kind, cursor)[0] == []
    assert sum(hubspot.calls.values()) == before + 1


def test_a_reopened_deal_is_seen(hubspot, portal, read_all):
    deal = portal.deal()
    _, cursor = read_all(hubspot, "deal")
    portal.edit("deals", deal, dealstage="appointmentscheduled")
    (event,), _ = read_all(hubspot, "deal", cursor)
    assert (event.ref.id, event.record.fields["is_won"]) == (deal, False)


def test_a_line_and_a_company_that_change_without_their_deal_are_seen(hubspot, portal, read_all):
    company = portal.company()
    deal = portal.deal(company=company)
    line = portal.line(deal)
    cursors = {kind: read_all(hubspot, kind)[1] for kind in ("deal", "line_item", "company")}
    seen = {}
    portal.edit("line_items", line, quantity="3")
    portal.edit("companies", company, name="Bär AG")
    for kind, cursor in cursors.items():
        seen[kind] = [event.ref.id for event in read_all(hubspot, kind, cursor)[0]]
    assert seen["deal"] == []
    assert line in seen["line_item"]
    assert str(company) in seen["company"]


def test_a_change_that_the_index_shows_late_is_not_lost(opened, portal, read_all):
    """The next walk reaches as far behind the last one as the index may lag."""
    session, now = opened(), portal.now
    made_at = now() - timedelta(seconds=OVERLAP_SECS - 10)
    portal.now = lambda: made_at
    deal = portal.deal()
    _, cursor = read_all(session, "deal")
    portal.now = lambda: made_at + timedelta(seconds=1)
    portal.index_lag_secs = 3600
    portal.edit("deals", deal, dealname="Renamed")
    portal.now = now
    missed, cursor = read_all(session, "deal", cursor)
    assert missed == []
    portal.indexes["deals"].settle(portal.present() + 3_600_000)
    (event,), _ = read_all(session, "deal", cursor)
    assert event.record.fields["name"] == "Renamed"


def test_a_merge_tells_every_old_id_and_the_new_record(hubspot, portal, read_all):
    kept, other = portal.deal(), portal.deal()
    _, cursor = read_all(hubspot, "deal")
    merged = portal.merge("deals", portal.find("deals", kept), portal.find("deals", other))
    events, _ = read_all(hubspot, "deal", cursor)
    new = str(merged.id)
    assert [
        (event.ref.id, event.seen, event.merged_into and event.merged_into.id) for event in events
    ] == [
        (kept, Seen.MERGED, new),
        (other, Seen.MERGED, new),
        (new, Seen.CHANGED, None),
    ]


# -- large and busy portals ---------------------------------------------------------------------


def test_a_first_read_makes_as_few_calls_as_there_are_pages(hubspot, portal, read_all):
    _plant(portal, 3 * SEARCH_PAGE)
    events, _ = read_all(hubspot, "deal")
    assert len({event.ref for event in events}) == 3 * SEARCH_PAGE
    assert hubspot.calls["objects deals/search"] == 3


def test_more_than_a_searchs_window_at_one_instant_is_read_whole(hubspot, portal, read_all):
    """10,000 results are the most that one search shows; a bulk edit gives all the same time."""
    _plant(portal, 10_450)
    events, _ = read_all(hubspot, "deal")
    assert len({event.ref for event in events}) == len(events) == 10_450


def test_a_deal_that_changes_while_it_is_read_shifts_no_other(hubspot, portal):
    """Paging by offset would skip one for each that moves to the end."""
    ids = _plant(portal, 2 * SEARCH_PAGE + 50)
    seen = set()
    for page in hubspot.changes(["deal"], None):
        seen |= {event.ref.id for event in page.events}
        for early in ids[:20]:
            portal.edit("deals", early, dealstage="appointmentscheduled")
    assert seen == {str(one) for one in ids}


def test_an_interrupted_walk_goes_on_where_it_was(hubspot, portal, read_all):
    ids = _plant(portal, SEARCH_PAGE + 10)
    first = next(hubspot.changes(["deal"], None))
    assert not first.last
    portal.edit("deals", ids[0], dealname="Changed while nobody looked")
    rest, cursor = read_all(hubspot, "deal", first.cursor)
    assert [event.ref.id for event in rest] == [str(one) for one in ids[SEARCH_PAGE:]]
    again, _ = read_all(hubspot, "deal", cursor)
    assert [event.record.fields["name"] for event in again] == ["Changed while nobody looked"]


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rounds=st.lists(st.lists(st.integers(0, 9), max_size=6), min_size=1, max_size=4))
def test_after_any_edits_the_feed_has_shown_every_last_version(opened, new_portal, rounds):
    portal, session = new_portal(), opened()
    ids = [portal.deal() for _ in range(10)]
    shown, cursor = {}, None
    for edits in rounds:
        for page in session.changes(["deal"], cursor):
            shown |= {event.ref.id: event.record.fields["name"] for event in page.events}
            cursor = page.cursor
        time.sleep(0.002)  # a version is a millisecond, and this index has no lag
        for number, place in enumerate(edits):
            portal.edit("deals", ids[place], dealname=f"name {number} of {place}")
    for page in session.changes(["deal"], cursor):
        shown |= {event.ref.id: event.record.fields["name"] for event in page.events}
    assert shown == {one: portal.find("deals", one).values["dealname"] for one in ids}


@pytest.mark.parametrize("fault", ["drop_item", "duplicate_item", "wrong_page", "duplicate_page"])
def test_a_page_that_is_not_the_right_one_is_asked_again(hubspot, portal, read_all, fault):
    ids = _plant(portal, SEARCH_PAGE + 10)
    portal.faults.add(fault=fault, path="/search$", skip=1)
    events, _ = read_all(hubspot, "deal")
    assert [event.ref.id for event in events] == [str(one) for one in ids]


def test_a_server_that_keeps_no_order_is_read_through_its_own_pages(hubspot, portal, read_all):
    ids = _plant(portal, SEARCH_PAGE + 10)
    portal.faults.add(fault="reorder", path="/search$", count=None)
    events, cursor = read_all(hubspot, "deal")
    assert [event.ref.id for event in events] == [str(one) for one in ids]
    portal.edit("deals", ids[0], dealname="Changed")
    again, _ = read_all(hubspot, "deal", cursor)
    assert [event.ref.id for event in again] == [str(ids[0])]


def test_pages_in_no_order_that_lack_a_record_are_an_error_and_not_an_end(hubspot, portal):
    _plant(portal, SEARCH_PAGE + 10)
    shuffle, drop = portal.faults.transformers["reorder"], portal.faults.transformers["drop_item"]
    portal.faults.transformers["short_and_shuffled"] = lambda asked, right, dice: shuffle(
        asked, drop(asked, right, dice), dice
    )
    portal.faults.add(fault="short_and_shuffled", path="/search$", count=None)
    with pytest.raises(Unavailable):
        list(hubspot.changes(["deal"], None))


@pytest.mark.parametrize("counts", [True, False])
def test_a_server_with_smaller_pages_is_read_whole(hubspot, portal, read_all, counts):
    ids = _plant(portal, SEARCH_PAGE + 10)

    def cut(_asked, right, _dice):
        told = {**right, "results": right["results"][:90]}
        if len(right["results"]) > 90:
            told["paging"] = {"next": {"after": "NTI1Cg%3D%3D"}}
        if not counts:
            del told["total"]
        return told

    portal.faults.transformers["cut"] = cut
    portal.faults.add(fault="cut", path="/search$", count=None)
    events, _ = read_all(hubspot, "deal")
    assert [event.ref.id for event in events] == [str(one) for one in ids]


def test_a_server_that_refuses_so_large_a_page_is_asked_for_a_smaller_one(
    opened, portal, front, read_all
):
    ids = _plant(portal, SEARCH_PAGE + 10)
    front.app = bent = Bent(front.app)

    def refuse(exchange):
        if exchange.path.endswith("/search") and exchange.asked["limit"] > 100:
            exchange.status, exchange.told = 400, {"category": "VALIDATION_ERROR"}

    bent.refusals.append(refuse)
    events, _ = read_all(opened(), "deal")
    assert [event.ref.id for event in events] == [str(one) for one in ids]


@pytest.mark.parametrize("fault", ["drop_item", "cut_body", "html", "not_json", "refuse"])
def test_a_page_that_stays_unreadable_is_an_error_and_not_an_end(hubspot, portal, fault):
    portal.deal()
    portal.faults.add(fault=fault, path="/search$", count=None)
    with pytest.raises(Unavailable):
        list(hubspot.changes(["deal"], None))


# -- cursors ------------------------------------------------------------------------------------


def test_a_cursor_is_what_it_was_written_as():
    at = datetime(2026, 3, 31, 12, 0, 0, 123_000, tzinfo=UTC)
    place = Place(at, "901", at + timedelta(minutes=1), {"1": "v"}, {"2": "w"})
    assert Place.parse(place.text()) == place


@pytest.mark.parametrize("text", ["", "{}", "[]", "nonsense", '{"form":2}'])
def test_another_cursor_is_refused(text):
    with pytest.raises(ValueRefused):
        Place.parse(text)


def test_a_rewound_cursor_reads_again_and_a_later_instant_changes_nothing(
    hubspot, portal, read_all
):
    portal.deal()
    events, cursor = read_all(hubspot, "deal")
    at = events[0].at
    assert hubspot.rewound(["deal"], cursor, at) == cursor
    again, _ = read_all(hubspot, "deal", hubspot.rewound(["deal"], cursor, at - timedelta(hours=1)))
    assert [event.ref for event in again] == [event.ref for event in events]


def test_a_cursor_stays_small(hubspot, portal, read_all):
    _plant(portal, SEEN_LIMIT + 500, modified=portal.present())
    _, cursor = read_all(hubspot, "deal")
    assert len(json.loads(cursor)["seen"]) == SEEN_LIMIT


def test_kinds_are_asked_one_at_a_time(hubspot):
    for kinds in (["deal", "company"], ["contact"], []):
        with pytest.raises(Unsupported):
            list(hubspot.changes(kinds, None))


def test_the_watermark_is_the_servers(opened, portal, read_all):
    """Our clock is a day ahead; a change made now is still seen."""
    session = opened(now=lambda: datetime.now(UTC) + timedelta(days=1))
    deal = portal.deal()
    cursors = {kind: read_all(session, kind)[1] for kind in ("deal", "company")}
    portal.edit("deals", deal, dealname="Renamed")
    company = portal.company()
    assert [event.ref.id for event in read_all(session, "deal", cursors["deal"])[0]] == [deal]
    assert [event.ref.id for event in read_all(session, "company", cursors["company"])[0]] == [
        str(company)
    ]


def _plant(portal, deals, modified=None):
    at = modified or portal.present() - 86_400_000
    values = {
        "dealname": "Bulk",
        "closedate": "2026-02-01T12:00:00Z",
        "pipeline": "default",
        "dealstage": "closedwon",
    }
    return portal.plant("deals", [(dict(values), at, at) for _ in range(deals)])
