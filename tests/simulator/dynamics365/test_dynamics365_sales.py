"""Won, lost, merged and sold: the life of opportunities, the deeds, the truth, the file."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tieout.simulator.clock import SimulatedClock
from tieout.simulator.dynamics365 import DynamicsOrg, deeds, load, save, sell, sell_uniform, truth
from tieout.simulator.dynamics365.schema import Key, text


def closing(deal, **values):
    return {
        "OpportunityClose": {"opportunityid@odata.bind": f"/opportunities({deal})", **values},
        "Status": values.pop("status", 3),
    }


@pytest.fixture
def deal(crm):
    made = crm.create("opportunities", name="Deal", isrevenuesystemcalculated=True)
    crm.deed("add_line", opportunity=made, values={"priceperunit": "100"})
    return made


def shown(crm, deal):
    names = ("statecode", "statuscode", "actualvalue", "actualclosedate")
    row = crm.read("opportunities", deal, *names)
    return [row[name] for name in names]


def test_d11_an_opportunity_is_won_by_its_action(crm, deal):
    body = closing(deal, actualend="2026-03-30T08:00:00Z", actualrevenue=98.5)
    assert crm.post("WinOpportunity", body)[0] == 204
    assert shown(crm, deal) == [1, 3, 98.5, "2026-03-30"]
    again = crm.post("WinOpportunity", body)
    assert crm.refused(again) == (400, "0x80040515")


def test_d11_without_a_revenue_or_day_it_is_the_sum_and_today(crm, deal):
    assert crm.post("WinOpportunity", {**closing(deal), "Status": -1})[0] == 204
    assert shown(crm, deal) == [1, 3, 100, "2026-03-31"]


def test_d11_an_opportunity_is_lost_by_its_action_with_a_reason_of_that_state(crm, deal):
    wrong = crm.post("LoseOpportunity", {**closing(deal), "Status": 3})
    assert crm.refused(wrong) == (400, "0x80048408")
    assert crm.post("LoseOpportunity", {**closing(deal), "Status": 5})[0] == 204
    assert shown(crm, deal)[:2] == [2, 5]


def test_d11_the_state_alone_closes_nothing_and_opens_again(crm, deal):
    refused = crm.patch(f"opportunities({deal})", {"statecode": 1, "statuscode": 3})
    assert crm.refused(refused) == (400, "0x80040203")
    crm.deed("win", opportunity=deal)
    assert crm.patch(f"opportunities({deal})", {"statecode": 0, "statuscode": 1})[0] == 204
    assert shown(crm, deal) == [0, 1, None, None]


def test_d11_a_closed_opportunitys_lines_are_read_only(crm, deal):
    (line,) = crm.rows("opportunityproducts")
    crm.deed("win", opportunity=deal)
    path = f"opportunityproducts({line['opportunityproductid']})"
    assert crm.refused(crm.patch(path, {"quantity": 2})) == (400, "0x80043b09")
    assert crm.refused(crm.ask("DELETE", path)) == (400, "0x80043b09")
    bound = {"opportunityid@odata.bind": f"/opportunities({deal})"}
    assert crm.refused(crm.post("opportunityproducts", bound)) == (400, "0x80043b09")
    assert (
        crm.read("opportunityproducts", line["opportunityproductid"])["opportunitystatecode"] == 1
    )


@pytest.mark.parametrize(("refuses", "status"), [(False, 204), (True, 400)])
def test_d11_whether_a_closed_opportunity_takes_writes_is_a_setting(
    crm, org, deal, refuses, status
):
    crm.deed("win", opportunity=deal)
    crm.post("/__org", {"closed_refuses": refuses})
    answered, answer = crm.patch(f"opportunities({deal})", {"description": "told"})
    assert answered == status
    assert (answer is not None and answer["error"]["code"] == "0x80040515") is refuses


def test_r49_a_merged_account_is_inactive_and_points_at_the_other(crm):
    kept, merged = (crm.create("accounts", name=name) for name in ("Acme", "ACME"))
    address = {"customerid_account@odata.bind": f"/accounts({merged})"}
    deal = crm.create("opportunities", name="Deal", **address)
    kind = "Microsoft.Dynamics.CRM.account"
    body = {
        "Target": {"@odata.type": kind, "accountid": kept},
        "Subordinate": {"@odata.type": kind, "accountid": merged},
        "PerformParentingChecks": False,
    }
    assert crm.post("Merge", body)[0] == 204
    row = crm.read("accounts", merged, "statecode", "merged", "_masterid_value")
    assert (row["statecode"], row["merged"], row["_masterid_value"]) == (1, True, kept)
    assert crm.read("opportunities", deal)["_customerid_value"] == kept
    assert truth(crm.org)["merged"] == {merged: kept}
    assert crm.refused(crm.post("Merge", body)) == (400, "0x80040203")


def test_r49_opportunities_cannot_be_merged(crm, deal):
    kind = "Microsoft.Dynamics.CRM.opportunity"
    other = crm.create("opportunities", name="Other")
    body = {
        "Target": {"@odata.type": kind, "opportunityid": deal},
        "Subordinate": {"@odata.type": kind, "opportunityid": other},
    }
    assert crm.refused(crm.post("Merge", body)) == (400, "0x80040203")


def test_a_clone_leaves_keys_and_the_closing_behind(crm, org, deal):
    org.define("opportunity", text("new_mark", 100))
    org.add_key("opportunity", Key("new_key", ("new_mark",), org.present()))
    crm.patch(f"opportunities({deal})", {"new_mark": "A-1"})
    crm.deed("win", opportunity=deal)
    copied = crm.deed("clone", opportunity=deal)
    row = crm.read("opportunities", copied, "new_mark", "statecode", "totalamount", "name")
    assert (row["new_mark"], row["statecode"], row["totalamount"]) == (None, 0, 100)


def test_a_deed_is_played_over_the_wire_and_an_unknown_one_is_refused(crm, deal):
    told = [
        {"deed": "edit_opportunity", "opportunity": deal, "values": {"freightamount": "5"}},
        {"deed": "win", "opportunity": deal, "on": "2026-02-01"},
    ]
    assert crm.post("/__deeds", told) == (200, {"done": [None, None]})
    assert shown(crm, deal) == [1, 3, 105, "2026-02-01"]
    status, answer = crm.post("/__deeds", {"deed": "nope"})
    assert (status, answer["error"]) == (400, "KeyError: 'nope'")


def test_the_truth_tells_what_a_deal_is_worth_and_what_was_asked(crm, deal):
    crm.deed("win", opportunity=deal)
    crm.get("opportunities")
    _, told = crm.get("/__truth")
    (one,) = told["deals"]
    assert (one["id"], one["is_won"], one["net"], one["currency"]) == (deal, True, "100.00", None)
    assert [line["priceperunit"] for line in one["lines"]] == ["100.0000"]
    assert told["requests"]["GET opportunities"] == 1
    assert "lines" not in crm.get("/__truth?detail=0")[1]["deals"][0]


@pytest.fixture
def sold():
    clock = SimulatedClock(datetime(2026, 3, 31, 12, tzinfo=UTC))
    org = DynamicsOrg(seed=7, now=clock)
    sell(org, deals=400)
    return org


def test_a_sales_team_leaves_won_deals_and_its_mess(sold):
    told = truth(sold)
    won = [one for one in told["deals"] if one["is_won"] and one["close_date"] >= "2026-01-01"]
    assert len(won) == 400
    assert {one["currency"] for one in won} >= {"EUR", "USD", "GBP", "NOK", "JPY", "KWD", None}
    assert any(one["customer"] is None for one in won)
    assert any(not one["lines"] for one in won)
    assert any(Decimal(one["estimated"] or 0) != Decimal(one["total"]) for one in won)
    assert any(line.get("manualdiscountamount") for one in won for line in one["lines"])
    assert any(line["quantity"] == "0" for one in won for line in one["lines"])
    assert any("sequencenumber" not in line for one in won for line in one["lines"])
    assert any(line["isproductoverridden"] for one in won for line in one["lines"])
    assert {one["status"] for one in told["deals"]} == {"Won", "In Progress", "Canceled"}
    assert told["deleted"]


def test_the_same_seed_sells_the_same(sold):
    again = DynamicsOrg(seed=7, now=sold.now)
    sell(again, deals=400)
    other = DynamicsOrg(seed=8, now=sold.now)
    sell(other, deals=400)
    one, same, another = (
        [(deal["id"], deal["net"]) for deal in truth(org)["deals"]] for org in (sold, again, other)
    )
    assert one == same
    assert one != another


def test_equal_deals_are_all_of_the_organizations_own_money():
    org = DynamicsOrg()
    sell_uniform(org, deals=20, lines=3)
    told = truth(org)["deals"]
    assert len(told) == 20
    assert {(one["currency"], one["is_won"], len(one["lines"])) for one in told} == {
        ("EUR", True, 3)
    }


def test_an_organization_is_kept_in_a_file(sold, tmp_path):
    first = truth(sold)["deals"][0]["id"]
    sold.define("opportunity", text("new_mark", 100))
    sold.add_key("opportunity", Key("new_key", ("new_mark",), sold.present()))
    deeds.edit_opportunity(sold, first, {"new_mark": "A-1"})
    deeds.plug_in(sold, "account", "No.")
    sold.tables["opportunity"].columns["new_mark"].unpublished.add(7)
    path = tmp_path / "org.json"
    save(sold, path)
    again = load(path, sold.now)
    assert again.tables["opportunity"].columns["new_mark"].unpublished == {7}
    assert {**truth(again), "at": ""} == {**truth(sold), "at": "", "requests": {}, "batched": {}}
    assert again.shelves["opportunity"].holder(("new_mark",), {"new_mark": "a-1"}) == first
    assert (again.token, again.client_secret) == (sold.token, sold.client_secret)
    assert again.plug_in_says == {"account": "No."}
    made = deeds.create(again, "account", {"name": "New"})
    assert made not in sold.shelves["account"].records
    assert again.record("account", made).version > sold.version
    assert deeds.add_line(again, first, {"priceperunit": "1"})
    path.write_text(json.dumps({"format": 0}))
    with pytest.raises(ValueError, match="no organization of format"):
        load(path, sold.now)
