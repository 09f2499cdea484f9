"""What the portal answers has the names, types and words of HubSpot's public pages."""

import json
from urllib.parse import urlencode

import pytest
from hubspot_contract import ENDPOINTS, endpoint_of, mistakes, wrong
from recording import Heard, listen

from tieout.simulator.hubspot import HubSpotPortal, Limits, deeds, hubspot_app, sell
from tieout.simulator.hubspot.oauth import app_of
from tieout.simulator.serving import serve

OBJECTS = "/crm/objects/2026-03"
LINKS = "/crm/associations/2026-03"


@pytest.fixture
def heard():
    return []


@pytest.fixture
def crm(clock, heard, caller_of):
    portal = HubSpotPortal(now=clock, index_lag_secs=0, limits=Limits(on=False))
    sell(portal, deals=30)
    app = hubspot_app(portal)
    listen(app, heard)
    with serve(app) as served:
        yield caller_of(portal, served)


def ask_everything(crm):
    """Ask each operation that the connector uses, with answers of every kind."""
    deals = crm.found("deals", properties=["dealname", "amount", "nope"])
    for kind in ("line_items", "companies", "contacts", "commerce_payments"):
        crm.found(kind)
    one = {"properties": ["amount"], "propertiesWithHistory": ["amount"]}
    for ids in (deals[:3], [deals[0], "404"]):
        crm.post(f"{OBJECTS}/deals/batch/read", {**one, "inputs": [{"id": each} for each in ids]})
        rows = [{"id": each, "properties": {"amount": "7"}} for each in ids]
        crm.post(f"{OBJECTS}/deals/batch/update", {"inputs": rows})
    traced = {"id": deals[0], "properties": {"amount": "much"}, "objectWriteTraceId": "001"}
    crm.post(f"{OBJECTS}/deals/batch/update", {"inputs": [traced]})
    crm.get(f"{OBJECTS}/deals/{deals[0]}?properties=amount&propertiesWithHistory=amount")
    crm.get(f"{OBJECTS}/deals/{deals[0]}/associations/line_items")
    pairs = [{"id": each} for each in [*deals[:20], "404"]]
    for to in ("line_items", "companies", "commerce_payments"):
        crm.post(f"{LINKS}/deals/{to}/batch/read", {"inputs": pairs})
    crm.portal.association_page = 1
    crm.post(f"{LINKS}/deals/line_items/batch/read", {"inputs": pairs[:1]})
    app = {"client_id": "simulated-app", "client_secret": "simulated-app-secret"}
    given = app_of(crm.portal).issue(("oauth",))["refresh_token"]
    for token in (given, "unknown"):
        asked = urlencode({**app, "grant_type": "refresh_token", "refresh_token": token})
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        crm.send("POST", "/oauth/2026-03/token", asked, form)
    own = deeds.define_object(crm.portal, "subscription", {"plan": "string"}, ["companies"])
    crm.get(f"/crm-object-schemas/2026-03/schemas/{own}")
    deeds.define_label(crm.portal, "deals", "contacts", "Billing contact")
    crm.get(f"{LINKS}/deals/contacts/labels")
    group = {"name": "tieout", "label": "Tieout"}
    made = {
        "name": "mark",
        "label": "Mark",
        "type": "string",
        "fieldType": "text",
        "groupName": "tieout",
        "hasUniqueValue": True,
    }
    for _ in range(2):
        crm.post("/crm/properties/2026-03/deals/groups", group)
        crm.post("/crm/properties/2026-03/deals", made)
    option = {"label": "Net", "value": "net", "hidden": False, "displayOrder": 0}
    crm.patch(f"/crm/properties/2026-03/deals/{made['name']}", {"options": [option]})
    crm.get("/crm/properties/2026-03/deals")
    crm.get("/crm/properties/2026-03/deals/groups")
    crm.get("/crm/owners/2026-03?limit=2")
    crm.get("/crm/pipelines/2026-03/deals")
    crm.get("/account-info/2026-03/details")
    file = deeds.attach_file(crm.portal, deals[0], "quote.pdf", "%PDF")
    crm.get(f"/files/2026-03/files/{file}")
    crm.get(f"/files/2026-03/files/{file}/signed-url")


def test_h9_every_answer_has_the_published_names_types_and_words(crm, heard):
    ask_everything(crm)
    asked = [endpoint_of(one) for one in heard]
    assert [one for one in ENDPOINTS if one not in asked] == []
    assert {one.status for one in heard} == {200, 201, 207, 400, 409}
    assert sorted(set().union(*map(mistakes, heard))) == []


def test_h9_every_refusal_has_the_published_names_types_and_words(crm, heard, clock):
    crm.post(f"{OBJECTS}/deals/search", {"limit": 201})
    crm.get(f"{OBJECTS}/deals/404")
    crm.send("POST", f"{OBJECTS}/deals/search", "{", {"Authorization": f"Bearer {crm.token}"})
    crm.portal.set_limits(Limits(burst=2, search=1))
    for _ in range(2):
        crm.post(f"{OBJECTS}/deals/search", {})
        crm.get("/account-info/2026-03/details")
    crm.portal.set_limits(Limits(daily=0))
    crm.get("/account-info/2026-03/details")
    crm.portal.set_limits(Limits(on=False))
    crm.post("/__deeds", {"deed": "grant_token", "token": "nothing", "scopes": []})
    for token in ("nothing", "stranger"):
        crm.token = token
        crm.get("/crm/owners/2026-03")

    refused = [one for one in heard if one.status >= 400]
    assert [one.status for one in refused] == [400, 404, 415, 429, 429, 429, 403, 401]
    told = [set(wrong("Error", json.loads(one.told), one.place)) for one in refused]
    older = [wrong("RateError", json.loads(one.told), one.place) for one in refused]
    assert [not either or not set(other) for either, other in zip(told, older, strict=True)] == (
        [True] * len(refused)
    )


@pytest.mark.parametrize(
    ("asked", "told", "said"),
    [
        ({"inputs": [{"id": "1", "properties": {"amount": 7}}]}, {}, "amount is no text: 7"),
        ({"inputs": [{"id": "1"}]}, {}, "properties is missing"),
        ({"inputs": [], "atomic": True}, {}, "atomic is on no page"),
        ({"inputs": []}, {"status": "DONE"}, "is 'DONE', none of"),
        ({"inputs": []}, {"startedAt": "today"}, "startedAt is no instant: 'today'"),
        ({"inputs": []}, {"results": {}}, "results is no list"),
    ],
)
def test_the_check_would_find_a_mistake(asked, told, said):
    at = "2026-03-31T12:00:00Z"
    good = {"status": "COMPLETE", "results": [], "startedAt": at, "completedAt": at}
    heard = Heard(
        "POST",
        f"{OBJECTS}/deals/batch/update",
        {},
        "application/json",
        json.dumps(asked).encode(),
        200,
        {"x-hubspot-correlation-id": "1"},
        json.dumps({**good, **told}).encode(),
    )
    (found,) = mistakes(heard)
    assert said in found
