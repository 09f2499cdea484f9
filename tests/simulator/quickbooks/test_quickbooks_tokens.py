"""Tokens: who may ask, and for how long."""

import base64
from urllib.parse import parse_qs, urlsplit

from tieout.simulator.quickbooks import (
    Authority,
    QuickBooksCompany,
    quickbooks_app,
)


def basic(authority, secret=None):
    pair = f"{authority.client_id}:{secret or authority.client_secret}"
    return {"authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


def ask_tokens(books, form, **options):
    body = "&".join(f"{name}={value}" for name, value in form.items()).encode()
    headers = basic(books.authority, **options)
    return books.ask("POST", "/oauth2/v1/tokens/bearer", body, headers=headers)


def connect(books):
    answer = books.ask(
        "GET",
        "/connect/oauth2",
        client_id=books.authority.client_id,
        redirect_uri="http://127.0.0.1:9/back",
        state="s1",
        response_type="code",
    )
    back = {
        name: value[0]
        for name, value in parse_qs(urlsplit(answer.headers["location"]).query).items()
    }
    assert (back["state"], back["realmId"]) == ("s1", books.company.realm_id)
    form = {"grant_type": "authorization_code", "code": back["code"], "redirect_uri": "x"}
    return ask_tokens(books, form).json


def ask_as(books, token, realm=None):
    path = f"/v3/company/{realm or books.company.realm_id}/preferences"
    return books.ask("GET", path, headers={"authorization": f"Bearer {token}"})


def test_r26_a_code_becomes_tokens_that_open_the_books(books):
    tokens = connect(books)

    assert (tokens["expires_in"], tokens["x_refresh_token_expires_in"]) == (3600, 8_640_000)
    assert ask_as(books, tokens["access_token"]).status == 200


def test_r26_an_access_token_lasts_an_hour(books, clock):
    tokens = connect(books)
    clock.advance(hours=1)

    answer = ask_as(books, tokens["access_token"])

    assert (answer.status, answer.code) == (401, "3200")
    assert answer.json["fault"]["type"] == "AUTHENTICATION"


def test_r26_a_refresh_rotates_and_the_old_token_serves_once_more(books):
    tokens = connect(books)
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}

    first = ask_tokens(books, form)
    again = ask_tokens(books, form)
    third = ask_tokens(books, form)

    assert (first.status, again.status) == (200, 200)
    assert first.json["refresh_token"] != tokens["refresh_token"]
    assert (third.status, third.json["error"]) == (400, "invalid_grant")
    assert ask_as(books, first.json["access_token"]).status == 200


def test_r26_a_wrong_secret_and_a_used_code_are_refused(books):
    tokens = connect(books)
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}

    assert ask_tokens(books, form, secret="wrong").status == 401
    used = ask_tokens(books, {"grant_type": "authorization_code", "code": "used"})
    assert used.json["error"] == "invalid_grant"


def test_r26_revoking_ends_the_connection(books):
    tokens = connect(books)

    answer = books.ask(
        "POST",
        "/oauth2/v1/tokens/revoke",
        {"token": tokens["refresh_token"]},
        headers={**basic(books.authority), "content-type": "application/json"},
    )

    assert answer.status == 200
    assert ask_as(books, tokens["access_token"]).status == 401


def test_q5_without_a_token_401_and_with_another_companys_403(clock, books):
    other = QuickBooksCompany(realm_id="77", now=clock)
    books.authority = Authority(now=clock, static_tokens={"other": "77"})
    books.app = quickbooks_app([books.company, other], authority=books.authority)

    assert ask_as(books, "nobody").status == 401
    assert ask_as(books, "other").status == 403
    assert ask_as(books, "other", realm="77").status == 200


def test_q5_every_answer_carries_a_trace_id_and_the_servers_date(books):
    good, bad = books.query("SELECT * FROM Customer"), books.query("nonsense")

    for answer in (good, bad):
        assert answer.headers["intuit_tid"]
        assert answer.headers["date"] == "Tue, 10 Nov 2026 18:00:00 GMT"
    assert good.json["time"] == "2026-11-10T10:00:00.000-08:00"


def test_r26_a_connection_ends_after_five_years_however_often_it_was_renewed(books, clock):
    tokens = connect(books)
    left = []
    for _ in range(20):  # 19 times 99 days are five years and two months
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        answer = ask_tokens(books, form)
        if answer.status != 200:
            break
        tokens = answer.json
        left.append(tokens["x_refresh_token_expires_in"] // 86_400)
        clock.advance(days=99)

    assert left == [100] * 18 + [43]
    assert answer.json["error"] == "invalid_grant"


def test_a_person_who_disconnects_the_app_ends_all_its_tokens(books):
    tokens = connect(books)

    assert books.ask("POST", "/__deeds", b'{"deed": "disconnect"}').status == 200

    refused = ask_tokens(
        books, {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    )
    assert (refused.status, refused.json["error"]) == (400, "invalid_grant")
    assert ask_as(books, tokens["access_token"]).status == 401
