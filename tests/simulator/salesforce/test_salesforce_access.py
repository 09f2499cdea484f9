"""The way in: signed assertions and client credentials, sessions, and the day's calls."""

import base64
from urllib.parse import urlencode

import pytest

JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
TOKEN = "/services/oauth2/token"


def ask_token(crm, **form):
    crm.token = None
    return crm.ask("POST", TOKEN, urlencode(form).encode())


def by_credentials(crm, **other):
    right = {
        "grant_type": "client_credentials",
        "client_id": "simulated-consumer-key",
        "client_secret": "simulated-consumer-secret",
    }
    return ask_token(crm, **{**right, **other})


def test_r38_client_credentials_open_a_session_of_the_user_that_the_app_runs_as(crm):
    told = by_credentials(crm).json
    crm.token = told["access_token"]

    assert told["instance_url"] == "https://nordlys.my.salesforce.com"
    assert told["id"] == f"{told['instance_url']}/id/{crm.org.org_id}/{crm.org.integration_id}"
    assert crm.ask("GET", "limits").status == 200


def test_r38_credentials_may_come_in_the_header(crm):
    def status(told):
        crm.token = None
        headers = {"authorization": f"Basic {told}"}
        form = urlencode({"grant_type": "client_credentials"}).encode()
        return crm.ask("POST", TOKEN, form, headers=headers).status

    right = base64.b64encode(b"simulated-consumer-key:simulated-consumer-secret").decode()
    assert [status(right), status("?")] == [200, 400]


def test_r38_a_signed_assertion_opens_a_session(crm, sign, certificate):
    crm.deed("trust", certificate=certificate)
    answer = ask_token(crm, grant_type=JWT, assertion=sign())
    crm.token = answer.json["access_token"]

    assert answer.status == 200
    assert crm.ask("GET", "limits").status == 200


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"iss": "another-key"}, "client identifier invalid"),
        ({"sub": "nobody@nordlys.example"}, "user hasn't approved this consumer"),
        ({"aud": "https://nordlys.example"}, "audience is invalid"),
        ({"exp": 0}, "expired authorization code"),
        ({"exp": 4_000_000_000}, "invalid assertion"),
        ({"exp": "soon"}, "invalid assertion"),
        ({"head": {"alg": "none"}}, "invalid assertion"),
    ],
)
def test_r38_an_assertion_that_claims_wrongly_is_refused(crm, sign, certificate, claims, said):
    crm.deed("trust", certificate=certificate)
    answer = ask_token(crm, grant_type=JWT, assertion=sign(**claims))
    assert (answer.status, answer.json["error_description"]) == (400, said)


def test_r38_an_assertion_is_believed_by_its_signature_alone(crm, sign, certificate):
    unknown = ask_token(crm, grant_type=JWT, assertion=sign())
    crm.deed("trust", certificate=certificate)
    head, claims, signature = sign().split(".")
    changed = f"{head}.{claims}.{signature[:-6]}AAAAAA"
    forged = ask_token(crm, grant_type=JWT, assertion=changed)
    bare = ask_token(crm, grant_type=JWT, assertion="no.token")

    said = [one.json["error_description"] for one in (unknown, forged, bare)]
    assert said == ["invalid assertion"] * 3


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password", "username": "a", "password": "b"}, "invalid_grant"),
        ({"grant_type": "device", "code": "a"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token"}, "unsupported_grant_type"),
        ({}, "unsupported_grant_type"),
    ],
)
def test_r38_no_other_flow_is_known(crm, form, error):
    answer = ask_token(crm, **form)
    assert (answer.status, answer.json["error"]) == (400, error)


def test_r38_credentials_that_are_not_the_apps_are_refused(crm):
    assert by_credentials(crm, client_secret="guess").json["error"] == "invalid_client"
    assert by_credentials(crm, client_id="guess").json["error"] == "invalid_client_id"


def test_r38_an_inactive_user_gets_no_session_and_loses_the_one_it_has(crm):
    user = crm.org.tables["User"].records[crm.org.integration_id]
    crm.org.put("User", {**user, "IsActive": False})

    assert crm.ask("GET", "limits").code == "INVALID_SESSION_ID"
    assert by_credentials(crm).json["error_description"] == "inactive user"


def test_s1_a_session_ends(crm, clock):
    assert crm.ask("GET", "limits").status == 200
    clock.advance(seconds=crm.org.session_secs)
    answer = crm.ask("GET", "limits")

    assert (answer.status, answer.code) == (401, "INVALID_SESSION_ID")
    assert answer.message == "Session expired or invalid"


def test_s1_a_session_that_is_ended_or_never_was_is_refused(crm):
    crm.deed("end_sessions")
    assert crm.ask("GET", "limits").status == 401
    crm.token = "guessed"
    assert crm.ask("GET", "limits").status == 401
    crm.token = None
    assert crm.ask("GET", "limits").status == 401


def test_s1_user_info_tells_the_org_and_the_user(crm):
    told = crm.ask("GET", "/services/oauth2/userinfo").json
    assert told["organization_id"] == crm.org.org_id
    assert told["preferred_username"] == "integration@nordlys.example"
    crm.token = None
    assert crm.ask("GET", "/services/oauth2/userinfo").status == 403


def test_s10_every_answer_says_how_many_calls_of_the_day_are_used(crm):
    used = [
        crm.ask("GET", path).headers["sforce-limit-info"] for path in ("limits", "sobjects/Nope")
    ]
    assert used == ["api-usage=1/100000", "api-usage=2/100000"]
    left = crm.ask("GET", "limits").json["DailyApiRequests"]
    assert left == {"Max": 100_000, "Remaining": 99_997}


def test_s10_what_is_over_the_days_calls_is_refused_until_they_are_a_day_old(crm, clock):
    crm.ask("POST", "/__org", {"daily_limit": 2})
    clock.advance(hours=1)
    assert [crm.ask("GET", "limits").status for _ in range(2)] == [200, 200]
    answer = crm.ask("GET", "limits")

    assert (answer.status, answer.code) == (403, "REQUEST_LIMIT_EXCEEDED")
    assert answer.message == "TotalRequests Limit exceeded."
    assert "retry-after" not in answer.headers
    crm.org.session_secs = 200_000
    crm.token = crm.org.open_session()
    clock.advance(hours=24)
    assert crm.ask("GET", "limits").status == 200


def test_r51_the_servers_clock_is_in_its_answers(crm):
    assert crm.ask("GET", "limits").headers["date"] == "Wed, 01 Apr 2026 12:00:00 GMT"


def test_s17_versions_are_listed_and_others_are_not_found(crm):
    listed = crm.ask("GET", "/services/data").json
    assert [one["label"] for one in listed] == [
        "Summer '25",
        "Winter '26",
        "Spring '26",
        "Summer '26",
    ]
    assert [one["version"] for one in listed][-1] == "67.0"
    assert crm.ask("GET", "/services/data/v20.0/limits").code == "NOT_FOUND"
    assert crm.ask("GET", "nowhere").code == "NOT_FOUND"
    assert "query" in crm.ask("GET", "/services/data/v66.0").json


def test_s17_an_address_that_is_too_long_is_refused_before_it_is_read(crm):
    assert crm.query("SELECT Id FROM Account WHERE Name = '" + "x" * 17_000 + "'").status == 414
    assert crm.ask("GET", "limits", headers={"x-long": "x" * 33_000}).status == 431


def test_s17_a_method_or_a_body_of_another_sort_is_refused(crm):
    assert crm.ask("DELETE", "limits").code == "METHOD_NOT_ALLOWED"
    text = crm.ask("POST", "sobjects/Account", b"Name", headers={"content-type": "text/plain"})
    assert (text.status, text.code) == (415, "UNSUPPORTED_MEDIA_TYPE")
    broken = crm.ask("POST", "sobjects/Account", b"{", headers={"content-type": "application/json"})
    assert (broken.status, broken.code) == (400, "JSON_PARSER_ERROR")
    assert crm.ask("POST", "sobjects/Account").code == "JSON_PARSER_ERROR"
    assert crm.ask("GET", "/elsewhere").status == 404
