"""What a sales team leaves in a portal and does afterwards, the judge's view, and the file."""

import json
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tieout.simulator.hubspot import (
    HubSpotPortal,
    Limits,
    hubspot_app,
    load,
    save,
    sell,
    sell_uniform,
    truth,
)
from tieout.simulator.serving import serve

NOW = datetime(2026, 4, 15, 9, tzinfo=UTC)


def sold(deals=500, seed=0):
    portal = HubSpotPortal(now=lambda: NOW, index_lag_secs=0, limits=Limits(on=False))
    sell(portal, deals, seed)
    return portal


@pytest.fixture(scope="module")
def told():
    return truth(sold())


@pytest.fixture(scope="module")
def won(told):
    return [
        deal
        for deal in told["deals"]
        if deal["is_won"] and not deal["archived"] and deal["close_date"] >= "2025-12-31T23:00"
    ]


def test_the_same_seed_sells_the_same_and_another_seed_does_not(told):
    assert json.dumps(truth(sold())["deals"]) == json.dumps(told["deals"])
    assert json.dumps(truth(sold(seed=1))["deals"]) != json.dumps(told["deals"])


def test_five_hundred_deals_are_won_since_the_cutover_each_with_its_order_number(won):
    assert len(won) == 500
    assert len({deal["po_number"] for deal in won}) == 500


def test_the_won_deals_have_the_mess_of_a_real_team(won):
    currencies = Counter(deal["currency"] for deal in won)
    assert {"EUR", "USD", "GBP", "NOK", "JPY", "KWD", None} == set(currencies)
    assert {deal["pipeline"] for deal in won} == {"default", "renewals"}
    lines = [line for deal in won for line in deal["lines"]]
    assert any(deal["company"] is None for deal in won)
    assert any(not deal["lines"] for deal in won)
    assert any(deal["amount"] is None for deal in won)
    assert any(
        deal["amount"] and deal["lines"] and Decimal(deal["amount"]) != Decimal(deal["net"])
        for deal in won
    )
    assert any("hs_discount_percentage" in line for line in lines)
    assert any("discount" in line for line in lines)
    assert any(line["quantity"] == "0" for line in lines)
    assert any("hs_position_on_quote" not in line for line in lines)
    assert any("hs_sku" not in line for line in lines)
    assert any(deal["payments"] for deal in won)
    assert any("O'Brien" in (deal["company_name"] or "") for deal in won)
    assert any("北京" in (deal["company_name"] or "") for deal in won)


def test_some_companies_are_written_twice(told):
    portal = sold()
    names = Counter(
        " ".join(record.values["name"].lower().split())
        for record in portal.shelves["companies"].records.values()
    )
    assert any(count > 1 for count in names.values())


def test_the_others_are_open_lost_early_or_archived(told, won):
    rest = [deal for deal in told["deals"] if deal not in won]
    assert len(rest) == 125
    assert any(deal["archived"] for deal in rest)
    assert any(deal["is_won"] and deal["close_date"] < "2026" for deal in rest)
    assert any(not deal["is_won"] for deal in rest)


def test_a_uniform_population_adds_up_and_lacks_nothing():
    portal = HubSpotPortal(now=lambda: NOW)
    sell_uniform(portal, 30)
    deals = truth(portal)["deals"]
    assert [len(deal["lines"]) for deal in deals] == [3] * 30
    assert len({deal["company"] for deal in deals}) == 10
    assert all(deal["is_won"] and Decimal(deal["amount"]) == Decimal(deal["net"]) for deal in deals)


def test_a_whole_population_is_searched_at_once(caller_of):
    portal = sold(40)
    with serve(hubspot_app(portal)) as served:
        crm = caller_of(portal, served)
        filters = [{"propertyName": "hs_is_closed_won", "operator": "EQ", "value": "true"}]
        _, answer = crm.search("deals", *filters)
        deals = crm.get("/__truth?detail=0")[1]["deals"]
    assert answer["total"] == sum(deal["is_won"] and not deal["archived"] for deal in deals)
    assert "lines" not in deals[0]


@pytest.fixture
def deal(crm):
    def make(kind, **properties):
        return crm.create(kind, **properties)

    deal = make("deals", dealname="Rollout", deal_currency_code="EUR", dealstage="closedwon")
    deed(crm, "add_line", deal=deal, properties={"quantity": "2", "price": "50.00"})
    return deal


def deed(crm, name, **words):
    status, answer = crm.post("/__deeds", {"deed": name, **words})
    assert status == 200, answer
    return answer["done"][0]


def now_of(crm, deal):
    return next(one for one in crm.get("/__truth")[1]["deals"] if one["id"] == deal)


def test_lines_are_added_edited_and_removed(crm, deal):
    line = deed(crm, "add_line", deal=deal, properties={"quantity": "1", "price": "10.00"})
    assert now_of(crm, deal)["net"] == "110.00"
    deed(crm, "edit_line", line=line, properties={"quantity": "3"})
    assert now_of(crm, deal)["net"] == "130.00"
    deed(crm, "remove_line", line=line)
    assert now_of(crm, deal)["net"] == "100.00"


def test_a_deal_is_edited_reopened_lost_and_won_again(crm, deal):
    deed(crm, "edit_deal", deal=deal, properties={"amount": "12.00"})
    assert now_of(crm, deal)["amount"] == "12.00"
    stages = []
    for name in ("reopen", "lose", "win"):
        deed(crm, name, deal=deal)
        stages.append((now_of(crm, deal)["stage"], now_of(crm, deal)["is_won"]))
    assert stages == [
        ("appointmentscheduled", False),
        ("closedlost", False),
        ("closedwon", True),
    ]


def test_a_clone_leaves_unique_values_behind(crm, deal, portal):
    mark = {
        "name": "mark",
        "label": "M",
        "type": "string",
        "fieldType": "text",
        "groupName": "information",
        "hasUniqueValue": True,
    }
    crm.post("/crm/properties/2026-03/deals", mark)
    deed(crm, "edit_deal", deal=deal, properties={"mark": "XYZ", "amount": "9"})
    copy = now_of(crm, deed(crm, "clone", deal=deal))
    assert (copy["amount"], copy["net"], copy["is_won"]) == ("9", "100.00", True)
    assert copy["custom"] == {}
    assert now_of(crm, deal)["custom"] == {"mark": "XYZ"}


def test_deals_are_merged_archived_and_brought_back(crm, deal):
    other = crm.create("deals", dealname="other")
    merged = deed(crm, "merge", kind="deals", primary=deal, other=other)
    assert now_of(crm, merged)["merged_ids"] == [deal, other]
    assert crm.get("/__truth")[1]["merged"] == {deal: merged, other: merged}
    deed(crm, "archive", kind="deals", id=merged)
    assert now_of(crm, merged)["archived"] is True
    deed(crm, "restore", kind="deals", id=merged)
    assert crm.found("deals") == [merged]


def test_payments_are_recorded_and_changed(crm, deal):
    payment = deed(crm, "add_payment", deal=deal, properties={"hs_initial_amount": "40.00"})
    deed(crm, "edit_payment", payment=payment, properties={"hs_initial_amount": "45.00"})
    paid = now_of(crm, deal)["payments"][0]
    assert (paid["hs_initial_amount"], paid["hs_currency_code"], paid["hs_latest_status"]) == (
        "45.00",
        "EUR",
        "succeeded",
    )
    assert paid["hs_initiated_date"].startswith("2026-03-31T12:00")


def test_a_company_is_renamed(crm):
    company = crm.create("companies", name="Old")
    deed(crm, "edit_company", company=company, properties={"name": "New"})
    assert crm.read("companies", company, "name")["name"] == "New"


@pytest.mark.parametrize(
    "wrong",
    [
        {"deed": "dance"},
        {"deed": "win"},
        {"deed": "win", "deal": "404"},
        {"deed": "edit_deal", "deal": "1", "properties": {}, "more": 1},
    ],
)
def test_a_deed_that_cannot_be_done_says_why(crm, wrong):
    status, answer = crm.post("/__deeds", wrong)
    assert status == 400
    assert answer["error"]


def test_the_truth_counts_requests_by_operation(crm, deal):
    crm.search("deals")
    crm.get("/crm/owners/2026-03")
    requests = crm.get("/__truth")[1]["requests"]
    assert requests["POST deals/search"] == 1
    assert requests["POST deals"] == 1
    assert requests["GET owners"] == 1


def test_a_portal_comes_back_from_its_file(tmp_path):
    portal = sold(40)
    portal.required["deals"] = {"po_number"}
    first, second = list(portal.shelves["deals"].records)[:2]
    merged = portal.merge(
        "deals", portal.shelves["deals"].records[first], portal.shelves["deals"].records[second]
    )
    portal.update("deals", merged, {"amount": "1"})
    save(portal, tmp_path / "crm.json")
    again = load(tmp_path / "crm.json", now=lambda: NOW)
    assert truth(again) == truth(portal)
    found = again.find("deals", str(first))
    assert found is not None
    assert (found.id, found.history[-1][1:]) == (merged.id, ("amount", "1"))
    assert again.required == {"deals": {"po_number"}}
    assert again.token == portal.token
    save(again, tmp_path / "again.json")
    assert (tmp_path / "again.json").read_text() == (tmp_path / "crm.json").read_text()


def test_a_file_that_is_no_portal_is_refused(tmp_path):
    (tmp_path / "crm.json").write_text("{}")
    with pytest.raises(ValueError, match="no portal of format 1"):
        load(tmp_path / "crm.json")
