"""Search of the HubSpot portal: filters, order, pages, the window's end, the index's lag."""

import pytest

from tieout.simulator.hubspot import HubSpotPortal, Limits, hubspot_app, sell_uniform
from tieout.simulator.serving import serve

OBJECTS = "/crm/objects/2026-03"


def where(name, operator, value=None, **more):
    given = {"propertyName": name, "operator": operator, **more}
    return given if value is None else {**given, "value": value}


@pytest.fixture
def three(crm):
    return [
        crm.create("deals", dealname="Alpha Rollout", amount="9.5", dealstage="closedwon"),
        crm.create("deals", dealname="beta", amount="10", closedate="2026-03-31T22:00:00Z"),
        crm.create("deals", dealname="Gamma rollout"),
    ]


@pytest.mark.parametrize(
    ("filters", "places"),
    [
        ([where("dealname", "EQ", "BETA")], [1]),
        ([where("dealname", "NEQ", "beta")], [0, 2]),
        ([where("amount", "GT", "9.5")], [1]),
        ([where("amount", "GTE", "9.5")], [0, 1]),
        ([where("amount", "LT", "10")], [0]),
        ([where("amount", "LTE", "10.00")], [0, 1]),
        ([where("amount", "BETWEEN", "9", highValue="9.9")], [0]),
        ([where("dealname", "IN", values=["beta", "alpha rollout"])], [0, 1]),
        ([where("dealname", "NOT_IN", values=["beta"])], [0, 2]),
        ([where("amount", "HAS_PROPERTY")], [0, 1]),
        ([where("amount", "NOT_HAS_PROPERTY")], [2]),
        ([where("dealname", "CONTAINS_TOKEN", "*rollout*")], [0, 2]),
        ([where("dealname", "NOT_CONTAINS_TOKEN", "rollout")], [1]),
        ([where("hs_is_closed_won", "EQ", "true")], [0]),
        ([where("closedate", "GTE", "2026-03-31T22:00:00Z")], [1]),
        ([where("closedate", "LT", "1774994400000")], []),
        ([where("amount", "HAS_PROPERTY"), where("dealname", "EQ", "beta")], [1]),
    ],
)
def test_h3_filters_in_a_group_must_all_hold(crm, three, filters, places):
    assert crm.found("deals", *filters) == [three[place] for place in places]


def test_h3_groups_are_joined_by_or_and_words_are_looked_for_in_texts(crm, three):
    groups = [
        {"filters": [where("dealname", "EQ", "beta")]},
        {"filters": [where("amount", "LT", "10")]},
    ]
    assert crm.found("deals", filterGroups=groups) == three[:2]
    assert crm.found("deals", query="rollout gamma") == three[2:]


def test_h3_one_sort_and_oldest_first_without_it(crm, three):
    assert crm.found("deals", sorts=[{"propertyName": "amount", "direction": "DESCENDING"}]) == [
        three[1],
        three[0],
        three[2],
    ]
    assert crm.found("deals", sorts=["hs_object_id"]) == three
    assert crm.search("deals", sorts=["amount", "dealname"])[0] == 400


def test_h3_sorting_by_change_follows_every_change(crm, three, clock):
    clock.advance(1)
    crm.patch(f"{OBJECTS}/deals/{three[0]}", {"properties": {"amount": "1"}})
    assert crm.found("deals", sorts=["hs_lastmodifieddate"]) == [three[1], three[2], three[0]]
    newest = [{"propertyName": "hs_lastmodifieddate", "direction": "DESCENDING"}]
    assert crm.found("deals", sorts=newest) == [three[0], three[2], three[1]]


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 201},
        {"limit": "many"},
        {"filterGroups": [{"filters": []}] * 6},
        {"filterGroups": [{"filters": [where("amount", "EQ", "1")] * 7}]},
        {"filterGroups": [{"filters": [where("amount", "EQ", "1")] * 5}] * 4},
        {"filterGroups": [{"filters": [where("nope", "EQ", "1")]}]},
        {"filterGroups": [{"filters": [where("amount", "LIKE", "1")]}]},
        {"filterGroups": [{"filters": [where("amount", "EQ")]}]},
        {"filterGroups": [{"filters": [where("amount", "EQ", "much")]}]},
        {"filterGroups": [{"filters": [where("amount", "IN", values=[])]}]},
        {"query": "x" * 3_001},
        {"limit": "200"},
        {"after": 200},
        {"filterGroups": [{"filters": [where("amount", "EQ", 1)]}]},
        {"filterGroups": [{"filters": [where("amount", "IN", values="1")]}]},
        {"filterGroups": [{}]},
        {"filterGroups": {"filters": []}},
        {"sorts": [{"direction": "ASCENDING"}]},
        {"sorts": [{"propertyName": "amount", "direction": "DOWN"}]},
        {"properties": "amount"},
        {"page": 2},
    ],
)
def test_h3_a_search_over_the_limits_is_refused(crm, three, body):
    assert crm.post(f"{OBJECTS}/deals/search", body)[0] == 400


@pytest.fixture(scope="module")
def crowded():
    portal = HubSpotPortal(limits=Limits(on=False))
    sell_uniform(portal, 10_400, lines=0, companies=3)
    with serve(hubspot_app(portal)) as served:
        yield portal, served


@pytest.fixture
def crowd(crowded, caller_of):
    return caller_of(*crowded)


def test_r41_search_stops_at_ten_thousand(crowd):
    seen = []
    after = "0"
    while after != "10000":
        status, page = crowd.search("deals", sorts=["hs_object_id"], limit=200, after=after)
        assert status == 200
        seen += [record["id"] for record in page["results"]]
        after = page["paging"]["next"]["after"]
    assert page["total"] == 10_400
    assert len(set(seen)) == 10_000
    assert crowd.search("deals", limit=200, after="10000")[0] == 400
    assert crowd.search("deals", limit=200, after="9900")[0] == 400
    rest = crowd.search(
        "deals", where("hs_object_id", "GT", seen[-1]), sorts=["hs_object_id"], limit=200
    )[1]
    assert (rest["total"], rest["paging"]["next"]["after"]) == (400, "200")


def test_r41_a_change_is_searched_only_after_the_index_has_it(crm, portal, clock):
    deal = crm.create("deals", dealname="before")
    portal.index_lag_secs = 60
    crm.patch(f"{OBJECTS}/deals/{deal}", {"properties": {"dealname": "after"}})
    assert crm.found("deals", where("dealname", "EQ", "before")) == [deal]
    assert crm.read("deals", deal, "dealname")["dealname"] == "after"  # a read is not late
    clock.advance(61)
    assert crm.found("deals", where("dealname", "EQ", "after")) == [deal]


def test_r41_a_later_change_may_be_seen_before_an_earlier_one(crm, portal, clock):
    portal.index_lag_secs = 1_000
    made = [crm.create("deals") for _ in range(20)]
    seen = []
    for _ in range(110):
        clock.advance(10)
        seen += [one for one in crm.found("deals") if one not in seen]
    assert sorted(seen) == made
    assert seen != made


def test_r41_what_was_archived_is_not_found_again_when_an_earlier_change_is_seen_late(
    crm, portal, clock
):
    portal.index_lag_secs = 1_000
    for deal in [crm.create("deals") for _ in range(20)]:
        portal.archive("deals", portal.find("deals", deal))
    clock.advance(1_001)
    assert crm.found("deals") == []


def test_r41_a_line_or_a_company_changes_without_its_deal(crm, clock):
    deal, line, company = (crm.create(kind) for kind in ("deals", "line_items", "companies"))
    for to, target in (("line_items", line), ("companies", company)):
        crm.ask("PUT", f"{OBJECTS}/deals/{deal}/associations/default/{to}/{target}")
    before = crm.read("deals", deal)["hs_lastmodifieddate"]
    clock.advance(60)
    crm.patch(f"{OBJECTS}/line_items/{line}", {"properties": {"quantity": "2"}})
    crm.patch(f"{OBJECTS}/companies/{company}", {"properties": {"name": "New"}})
    since = where("hs_lastmodifieddate", "GT", before)
    assert crm.found("deals", since) == []
    assert crm.found("line_items", since) == [line]
    assert crm.found("companies", since) == [company]


def test_h3_contacts_call_their_time_of_change_by_another_name(crm):
    contact = crm.create("contacts", email="a@b.example")
    assert crm.found("contacts", where("lastmodifieddate", "GT", "0")) == [contact]
    assert crm.search("contacts", where("hs_lastmodifieddate", "GT", "0"))[0] == 400
