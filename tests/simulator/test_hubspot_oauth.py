"""HubSpot's OAuth app: installed by a person, codes once, tokens of half an hour (H12)."""

import http.client
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tieout.simulator.hubspot import Limits, deeds, load, save
from tieout.simulator.hubspot.oauth import app_of

REDIRECT = "http://localhost:8803/connected"
APP = {"client_id": "simulated-app", "client_secret": "simulated-app-secret"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SCOPES = "oauth crm.objects.deals.read"


def post(crm, what="", version="2026-03", **words):
    return crm.send("POST", f"/oauth/{version}/token{what}", urlencode({**APP, **words}), FORM)


def install(crm, **words):
    """Install the app; return what the redirect carries."""
    asked = {"client_id": APP["client_id"], "redirect_uri": REDIRECT, "scope": SCOPES, **words}
    page = http.client.HTTPConnection("127.0.0.1", crm.served.port, timeout=10)
    page.request("GET", f"/oauth/authorize?{urlencode(asked)}")
    answer = page.getresponse()
    answer.read()
    page.close()
    where = urlsplit(answer.getheader("Location") or "")
    return answer.status, {name: held[0] for name, held in parse_qs(where.query).items()}


def bought(crm, **words):
    _, back = install(crm, **words)
    grant = {"grant_type": "authorization_code", "code": back["code"], "redirect_uri": REDIRECT}
    return post(crm, **grant)


@pytest.fixture
def tokens(crm):
    status, told = bought(crm)
    assert status == 200
    return told


def test_h12_a_person_installs_it_and_a_code_buys_tokens_once(crm, portal):
    status, back = install(crm, state="s-1")
    assert (status, back["state"]) == (302, "s-1")
    grant = {"grant_type": "authorization_code", "code": back["code"], "redirect_uri": REDIRECT}
    status, told = post(crm, **grant)
    assert (status, told["token_type"], told["expires_in"], told["hub_id"]) == (
        200,
        "bearer",
        1_800,
        portal.portal_id,
    )
    status, told = post(crm, **grant)
    assert (status, told["error"], told["status"]) == (400, "invalid_grant", "BAD_AUTH_CODE")


def test_h12_a_code_is_too_old_after_some_minutes(crm, clock):
    _, back = install(crm)
    clock.advance(301)
    status, told = post(crm, grant_type="authorization_code", code=back["code"])
    assert (status, told["error"]) == (400, "invalid_grant")


def test_h12_an_access_token_has_the_scopes_that_were_asked_for_half_an_hour(crm, tokens, clock):
    crm.token = tokens["access_token"]
    assert crm.get("/crm/objects/2026-03/deals")[0] == 200
    assert crm.get("/crm/objects/2026-03/companies")[0] == 403
    clock.advance(1_801)
    status, told = crm.get("/crm/objects/2026-03/deals")
    assert (status, told["category"]) == (401, "EXPIRED_AUTHENTICATION")
    status, again = post(crm, grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert (status, again["refresh_token"]) == (200, tokens["refresh_token"])
    crm.token = again["access_token"]
    assert crm.get("/crm/objects/2026-03/deals")[0] == 200


def test_h12_optional_scopes_are_given_as_well(crm):
    _, told = bought(crm, optional_scope="crm.objects.companies.read")
    assert told["scopes"] == [*SCOPES.split(), "crm.objects.companies.read"]


def test_h12_a_server_that_rotates_takes_the_old_one_once_more(crm, portal, tokens):
    app_of(portal).rotates = True
    words = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    told = [post(crm, **words) for _ in range(3)]
    assert [status for status, _ in told] == [200, 200, 400]
    assert told[2][1]["status"] == "BAD_REFRESH_TOKEN"
    assert len({one.get("refresh_token") for _, one in told[:2]} - {words["refresh_token"]}) == 2


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ({"client_id": "other"}, (400, "invalid_client", "BAD_CLIENT_ID")),
        ({"client_secret": "other"}, (401, "invalid_client", "BAD_CLIENT_SECRET")),
        ({"grant_type": "password"}, (400, "unsupported_grant_type", "BAD_GRANT_TYPE")),
        ({"refresh_token": "x"}, (400, "invalid_grant", "BAD_REFRESH_TOKEN")),
        ({"version": "2019-01"}, (404, "invalid_request", "NOT_FOUND")),
    ],
)
def test_h12_what_is_not_in_order_is_refused_in_the_standards_words(crm, tokens, words, error):
    asked = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], **words}
    status, told = post(crm, **asked)
    assert (status, told["error"], told["status"]) == error
    assert told["correlationId"]


def test_h12_words_in_the_address_or_in_json_are_refused(crm, tokens):
    words = {**APP, "grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    path = "/oauth/2026-03/token"
    assert crm.send("POST", f"{path}?{urlencode(words)}", "", FORM)[0] == 400
    assert crm.post(path, words)[0] == 400


@pytest.mark.parametrize("words", [{"client_id": "other"}, {"redirect_uri": ""}, {"scope": ""}])
def test_h12_the_page_sends_nobody_back_that_it_does_not_know(crm, words):
    assert install(crm, **words) == (400, {})


def test_h12_a_token_is_told_about_to_its_app_alone(crm, tokens, clock):
    status, told = post(crm, "/introspect", token=tokens["access_token"])
    assert (status, told["active"], told["token_use"]) == (200, True, "access_token")
    assert 1_790 < told["expires_in"] <= 1_800  # the clock goes on
    clock.advance(1_801)
    assert post(crm, "/introspect", token=tokens["access_token"])[1]["active"] is False
    told = post(crm, "/introspect", token=tokens["refresh_token"])[1]
    assert (told["active"], told["token_use"]) == (True, "refresh_token")
    assert post(crm, "/introspect", token="unknown")[0] == 400
    assert post(crm, "/introspect", token=tokens["access_token"], client_secret="x")[0] == 401


def test_h12_a_revoked_refresh_token_buys_nothing_and_its_access_token_lives_on(crm, tokens):
    assert post(crm, "/revoke", token=tokens["refresh_token"])[0] == 204
    assert post(crm, "/revoke", token=tokens["refresh_token"])[0] == 400
    words = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert post(crm, **words)[0] == 400
    crm.token = tokens["access_token"]
    assert crm.get("/crm/objects/2026-03/deals")[0] == 200


def test_h12_who_uninstalls_the_app_ends_every_token_of_it_and_no_other(crm, portal, tokens):
    deeds.uninstall_app(portal)
    words = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert post(crm, **words)[0] == 400
    assert crm.get("/crm/objects/2026-03/deals")[0] == 200  # the service key's
    crm.token = tokens["access_token"]
    assert crm.get("/crm/objects/2026-03/deals")[0] == 401


def test_h12_an_app_may_ask_less_often_than_a_service_key(crm, portal, tokens):
    portal.set_limits(Limits(burst=20, app_burst=3, burst_secs=10))
    seen, rates = {}, []
    for token in (portal.token, tokens["access_token"]):
        crm.token = token
        seen[token] = [crm.get("/crm/objects/2026-03/deals")[0] for _ in range(4)]
        rates += [crm.headers.get("x-hubspot-ratelimit-max")]
    assert seen == {portal.token: [200] * 4, tokens["access_token"]: [200, 200, 200, 429]}
    assert rates == ["20", None]


def test_a_kept_portal_has_its_tokens_again(portal, crm, tokens, tmp_path, clock):
    save(portal, tmp_path / "portal.json")
    again = load(tmp_path / "portal.json", clock)
    assert again.tokens == portal.tokens
    assert app_of(again).state() == app_of(portal).state()
    clock.advance(timedelta(hours=1).total_seconds())
    words = {**APP, "grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert app_of(again).grant(words)["access_token"] != tokens["access_token"]
