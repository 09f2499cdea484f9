"""Who may ask the HubSpot portal, how often, and what its account tells."""

import pytest

from tieout.simulator.hubspot import Limits, sell_uniform

DEALS = "/crm/objects/2026-03/deals"


@pytest.mark.parametrize("token", [None, "", "stranger"])
def test_h8_a_missing_or_unknown_token_is_refused(crm, token):
    crm.token = token
    status, refusal = crm.get(DEALS)
    assert (status, refusal["category"]) == (401, "INVALID_AUTHENTICATION")


def test_h8_an_expired_and_a_revoked_token_are_refused(crm, clock):
    crm.post(
        "/__deeds",
        [
            {"deed": "grant_token", "token": "short", "expires_at": "2026-03-31T13:00:00+00:00"},
            {"deed": "grant_token", "token": "gone"},
            {"deed": "revoke_token", "token": "gone"},
        ],
    )
    crm.token = "short"
    assert crm.get(DEALS)[0] == 200
    clock.advance(3_700)
    status, refusal = crm.get(DEALS)
    assert (status, refusal["category"]) == (401, "EXPIRED_AUTHENTICATION")
    assert refusal["context"] == {"expire time": ["2026-03-31T13:00:00Z"]}
    crm.token = "gone"
    assert crm.get(DEALS)[1]["category"] == "INVALID_AUTHENTICATION"


def test_h8_a_token_opens_what_its_scopes_name(crm):
    scopes = ["crm.objects.deals.read"]
    crm.post("/__deeds", {"deed": "grant_token", "token": "reader", "scopes": scopes})
    crm.token = "reader"
    assert crm.get(DEALS)[0] == 200
    status, refusal = crm.post(DEALS, {"properties": {}})
    assert (status, refusal["category"]) == (403, "MISSING_SCOPES")
    assert refusal["errors"][0]["context"] == {
        "requiredGranularScopes": ["crm.objects.deals.write"]
    }
    assert crm.get("/crm/owners/2026-03")[0] == 403
    assert crm.get("/account-info/2026-03/details")[0] == 200


def test_r42_the_burst_is_limited_in_any_ten_seconds_and_told_in_headers(crm, portal):
    portal.set_limits(Limits(burst=3))
    assert crm.get(DEALS)[0] == 200
    assert {name: crm.headers[name] for name in crm.headers if "ratelimit" in name} == {
        "x-hubspot-ratelimit-daily": "650000",
        "x-hubspot-ratelimit-daily-remaining": "649999",
        "x-hubspot-ratelimit-interval-milliseconds": "10000",
        "x-hubspot-ratelimit-max": "3",
        "x-hubspot-ratelimit-remaining": "2",
    }
    assert [crm.get(DEALS)[0] for _ in range(3)] == [200, 200, 429]
    refusal = crm.get(DEALS)[1]
    assert (refusal["category"], refusal["policyName"]) == ("RATE_LIMITS", "TEN_SECONDLY_ROLLING")


def test_r42_each_token_has_a_burst_of_its_own(crm, portal):
    portal.set_limits(Limits(burst=1))
    crm.post("/__deeds", {"deed": "grant_token", "token": "other"})
    assert [crm.get(DEALS)[0] for _ in range(2)] == [200, 429]
    crm.token = "other"
    assert crm.get(DEALS)[0] == 200


def test_h3_search_is_limited_by_the_second_in_another_wording_without_headers(crm, portal):
    portal.set_limits(Limits(search=2))
    assert [crm.search("deals")[0] for _ in range(3)] == [200, 200, 429]
    refusal = crm.search("deals")[1]
    assert (refusal["errorType"], refusal["policyName"]) == ("RATE_LIMIT", "SECONDLY")
    assert refusal["message"] == "You have reached your secondly limit."
    assert not [name for name in crm.headers if "ratelimit" in name]
    assert crm.get("/__truth")[1]["throttled"] == 2


def test_r42_the_day_is_limited_until_the_next(crm, portal, clock):
    portal.set_limits(Limits(daily=1))
    assert [crm.get(DEALS)[0] for _ in range(2)] == [200, 429]
    assert crm.get(DEALS)[1]["policyName"] == "DAILY"
    clock.advance(86_400)
    assert crm.get(DEALS)[0] == 200


def test_limits_and_lag_can_be_set_while_it_runs(crm, portal):
    body = {"limits": {"on": True, "burst": 1}, "index_lag_secs": 0.5, "association_page": 2}
    assert crm.post("/__portal", body)[0] == 200
    assert [crm.get(DEALS)[0] for _ in range(2)] == [200, 429]
    assert (portal.index_lag_secs, portal.association_page) == (0.5, 2)


def test_h10_the_account_tells_its_id_zone_and_money(crm):
    status, account = crm.get("/account-info/2026-03/details")
    assert status == 200
    assert (account["portalId"], account["timeZone"], account["companyCurrency"]) == (
        146_000_123,
        "Europe/Oslo",
        "EUR",
    )
    assert (account["utcOffset"], account["utcOffsetMilliseconds"]) == ("+02:00", 7_200_000)


def test_r51_the_date_header_is_the_portals_own_clock(crm, clock):
    clock.advance(0)
    crm.get(DEALS)
    assert crm.headers["date"].startswith("Tue, 31 Mar 2026 12:00:")


def test_h7_properties_are_made_in_groups_once(crm):
    path = "/crm/properties/2026-03/deals"
    group = {"name": "tieout", "label": "Tieout"}
    assert [crm.post(f"{path}/groups", group)[0] for _ in range(2)] == [201, 409]
    assert "tieout" in [one["name"] for one in crm.get(f"{path}/groups")[1]["results"]]
    number = {
        "name": "invoice_number",
        "label": "Invoice number",
        "type": "string",
        "fieldType": "text",
        "groupName": "tieout",
        "description": "The number of the posted invoice",
    }
    assert [crm.post(path, number)[0] for _ in range(2)] == [201, 409]
    shown = crm.get(f"{path}/invoice_number")[1]
    assert (shown["description"], shown["hasUniqueValue"], shown["hubspotDefined"]) == (
        "The number of the posted invoice",
        False,
        False,
    )
    assert "amount" in [one["name"] for one in crm.get(path)[1]["results"]]
    assert crm.get(f"{path}/nope")[0] == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "Upper"},
        {"type": "money"},
        {"fieldType": "number"},
        {"groupName": "nowhere"},
        {"type": "date", "fieldType": "date", "hasUniqueValue": True},
    ],
)
def test_h7_a_property_that_makes_no_sense_is_refused(crm, wrong):
    told = {
        "name": "n",
        "label": "N",
        "type": "string",
        "fieldType": "text",
        "groupName": "information",
    }
    assert crm.post("/crm/properties/2026-03/deals", {**told, **wrong})[0] == 400


def test_h7_a_propertys_options_are_replaced_whole(crm):
    path = "/crm/properties/2026-03/deals"
    told = {"name": "terms", "label": "Terms", "type": "enumeration", "fieldType": "select"}
    option = {"value": "net", "label": "Net", "displayOrder": 0, "hidden": False}
    crm.post(path, {**told, "groupName": "information", "options": [option]})
    other = {"value": "cash", "label": "Cash", "displayOrder": 1, "hidden": True}
    status, answer = crm.patch(f"{path}/terms", {"options": [other]})
    assert (status, answer["label"]) == (200, "Terms")
    assert [(one["value"], one["hidden"]) for one in answer["options"]] == [("cash", True)]

    same = {**other, "value": "till"}
    assert crm.patch(f"{path}/terms", {"options": [other, same]})[0] == 400  # two of one label
    assert crm.patch(f"{path}/terms", {"options": [other, other]})[0] == 400
    assert crm.patch(f"{path}/dealname", {"label": "Ours"})[0] == 400
    assert crm.patch(f"{path}/nothing", {"label": "Ours"})[0] == 404


def test_h7_a_batch_of_properties_makes_each_on_its_own(crm):
    told = {"label": "N", "type": "string", "fieldType": "text", "groupName": "information"}
    inputs = [{**told, "name": "a"}, {**told, "name": "B"}]
    status, answer = crm.post("/crm/properties/2026-03/deals/batch/create", {"inputs": inputs})
    assert (status, answer["numErrors"]) == (207, 1)
    assert [one["name"] for one in answer["results"]] == ["a"]


def test_h10_pipelines_tell_by_texts_which_stage_is_closed_and_won(crm):
    _, answer = crm.get("/crm/pipelines/2026-03/deals")
    won = {
        pipeline["id"]: [
            stage["id"]
            for stage in pipeline["stages"]
            if stage["metadata"] == {"isClosed": "true", "probability": "1.0"}
        ]
        for pipeline in answer["results"]
    }
    assert won == {"default": ["closedwon"], "renewals": ["115002002"]}


def test_h10_owners_are_listed_in_pages_and_found_by_address(crm, portal):
    sell_uniform(portal, 0, companies=1)
    first = crm.get("/crm/owners/2026-03?limit=2")[1]
    rest = crm.get(f"/crm/owners/2026-03?after={first['paging']['next']['after']}")[1]
    every = first["results"] + rest["results"]
    assert [owner["type"] for owner in every] == ["PERSON"] * 5
    assert crm.get("/crm/owners/2026-03?email=seller2@nordlys.example")[1]["results"] == [every[1]]
    assert crm.get(f"/crm/owners/2026-03/{every[0]['id']}")[1] == every[0]
    assert crm.get("/crm/owners/2026-03?limit=501")[0] == 400
    assert crm.get("/crm/owners/2026-03/1")[0] == 404


def test_h8_each_door_names_the_scope_that_it_needs(crm):
    crm.post("/__deeds", {"deed": "grant_token", "token": "nothing", "scopes": []})
    crm.token = "nothing"
    wanted = {
        f"POST {DEALS}/search": "crm.objects.deals.read",
        f"POST {DEALS}/batch/update": "crm.objects.deals.write",
        "GET /crm/objects/2026-03/commerce_payments": "crm.objects.commercepayments.read",
        "GET /crm/owners/2026-03": "crm.objects.owners.read",
        "GET /crm/properties/2026-03/deals": "crm.objects.deals.read",
        "POST /crm/properties/2026-03/deals": "crm.schemas.deals.write",
    }
    named = {}
    for door in wanted:
        method, path = door.split(" ")
        status, refusal = crm.ask(method, path, {} if method == "POST" else None)
        assert (status, refusal["category"]) == (403, "MISSING_SCOPES")
        (named[door],) = refusal["errors"][0]["context"]["requiredGranularScopes"]
    assert named == wanted
