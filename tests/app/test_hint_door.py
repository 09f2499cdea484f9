"""The hint door over real HTTP: who is believed, what is refused, and what it makes due."""

import json
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from connectors.hubspot import HubSpot
from connectors.quickbooks import QuickBooks
from tieout.app.hearing import NAMED_LIMIT, SEEN_LIMIT, Ear, Hearing, Tuning
from tieout.app.hint_door import BODY_BYTES_LIMIT, HintDoor
from tieout.model.errors import ConfigError
from tieout.model.hint import Knock
from tieout.simulator.hubspot import webhooks as hubspot
from tieout.simulator.quickbooks import webhooks as quickbooks
from tieout.simulator.webhooks import post

URL = "https://tieout.example.com"
VERIFIER = "the verifier token"
OTHERS_VERIFIER = "another app's verifier token"
CLIENT_SECRET = "the app's client secret"
PORTAL = SimpleNamespace(portal_id=123, now=lambda: datetime.now(UTC))
TUNING = Tuning(
    ears={
        "hubspot": [Ear(HubSpot, CLIENT_SECRET, frozenset({"hubspot:123"}))],
        "quickbooks": [
            Ear(QuickBooks, VERIFIER, frozenset({"quickbooks:913", "quickbooks:914"})),
            Ear(QuickBooks, OTHERS_VERIFIER, frozenset({"quickbooks:915"})),
        ],
    },
    pairs={
        "main": frozenset({"hubspot:123", "quickbooks:913"}),
        "second": frozenset({"hubspot:124", "quickbooks:914"}),
        "third": frozenset({"hubspot:125", "quickbooks:915"}),
    },
    wait_secs=0.0,
)


class Place:
    """An open door, its hearing, and how to knock."""

    def __init__(self, tuning: Tuning = TUNING, passed: Callable[[], float] = lambda: 0.0) -> None:
        self.hearing = Hearing(tuning, passed)
        self.door = HintDoor(self.hearing, "127.0.0.1", 0, URL)

    def knock(self, system, body, headers, **more):
        url = f"http://127.0.0.1:{self.door.port}/hints/{system}"
        return post(url, {**headers, **more}, body)

    def books(self, body, secret=VERIFIER, **more):
        return self.knock("quickbooks", body, quickbooks.signed(secret, body), **more)

    def crm(self, body, secret=CLIENT_SECRET, at=None, url=URL):
        headers = hubspot.signed(f"{url}/hints/hubspot", secret, body, at or datetime.now(UTC))
        return self.knock("hubspot", body, headers)


@pytest.fixture
def place():
    place = Place()
    yield place
    place.door.close()


def changed(realm="913", entity="Invoice", record="7", form=quickbooks.cloud_events, at=None):
    return form([(realm, entity, record)], at or datetime.now(UTC))


@pytest.mark.parametrize("form", [quickbooks.cloud_events, quickbooks.older_form])
def test_quickbooks_is_heard_in_both_forms(place, form):
    assert place.books(changed(form=form)) == 202
    assert place.hearing.due() == ["main"]
    assert place.hearing.due() == []


def test_hubspot_is_heard_under_the_address_that_it_calls(place):
    assert place.crm(hubspot.body_of(PORTAL, ["901", "902"])) == 202
    assert place.hearing.due() == ["main"]


def test_the_records_that_hints_name_wait_for_their_pair_once_and_within_a_limit(place):
    place.crm(hubspot.body_of(PORTAL, ["901", "902"]))
    place.crm(hubspot.body_of(PORTAL, ["902", "903"]))
    place.books(changed())
    assert place.hearing.named("second") == ()
    named = place.hearing.named("main")
    assert [str(ref) for ref in named] == ["deal 901", "deal 902", "deal 903", "invoice 7"]
    assert place.hearing.named("main") == ()

    for start in range(0, NAMED_LIMIT + 100, 100):
        place.crm(hubspot.body_of(PORTAL, [str(n) for n in range(1 + start, 101 + start)]))
    assert len(place.hearing.named("main")) == NAMED_LIMIT


@pytest.mark.parametrize("form", [quickbooks.cloud_events, quickbooks.older_form])
def test_one_request_may_tell_of_two_companies(place, form):
    body = form([("913", "Invoice", "1"), ("914", "Payment", "2")], datetime.now(UTC))

    assert place.books(body) == 202
    assert sorted(place.hearing.due()) == ["main", "second"]


def test_a_company_is_believed_by_its_own_secret_only(place):
    """Who knows the secret of one app cannot speak for the companies of another."""
    assert place.books(changed("913"), secret=OTHERS_VERIFIER) == 202
    assert place.hearing.due() == []
    assert place.books(changed("915"), secret=OTHERS_VERIFIER) == 202
    assert place.hearing.due() == ["third"]


def test_a_company_that_nobody_named_makes_nothing_due(place):
    assert place.books(changed("999")) == 202
    assert place.hearing.due() == []


def test_what_is_forged_is_refused(place):
    body = changed()
    other = changed(record="8")

    assert place.books(body, secret="a guess") == 401
    assert place.knock("quickbooks", body, {}) == 401
    assert place.knock("quickbooks", body, quickbooks.signed(VERIFIER, other)) == 401
    assert place.knock("quickbooks", body, {"intuit-signature": "é"}) == 401
    deal = hubspot.body_of(PORTAL, ["901"])
    assert place.crm(deal, secret="a guess") == 401
    assert place.crm(deal, url="https://elsewhere.example.com") == 401
    assert place.hearing.due() == []
    assert place.hearing.tally() == {"quickbooks forged": 4, "hubspot forged": 2}


def test_what_is_signed_for_another_time_is_forged(place):
    body = hubspot.body_of(PORTAL, ["901"])
    headers = hubspot.signed(f"{URL}/hints/hubspot", CLIENT_SECRET, body, datetime.now(UTC))
    later = str(int(headers["X-HubSpot-Request-Timestamp"]) + 1)

    assert place.knock("hubspot", body, {**headers, "X-HubSpot-Request-Timestamp": later}) == 401


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_time_of_hubspot_that_is_five_minutes_off_is_refused(place, minutes):
    at = datetime.now(UTC) + timedelta(minutes=minutes)

    assert place.crm(hubspot.body_of(PORTAL, ["901"]), at=at) == 401
    assert (place.hearing.due(), place.hearing.tally()) == ([], {"hubspot old": 1})


@pytest.mark.parametrize("form", [quickbooks.cloud_events, quickbooks.older_form])
def test_an_event_of_quickbooks_that_is_a_day_old_is_refused(place, form):
    at = datetime.now(UTC) - timedelta(days=1, minutes=1)

    assert place.books(changed(form=form, at=at)) == 401
    assert (place.hearing.due(), place.hearing.tally()) == ([], {"quickbooks old": 1})


def test_what_is_said_again_does_nothing(place):
    """It is answered as done: a system that missed our answer would ask for ever."""
    body = changed()
    place.books(body)
    place.hearing.due()

    assert place.books(body) == 200
    assert place.hearing.due() == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"7",
        b"{}",
        b"[1]",
        b"[" * 200_000,
        b"\xff",
        b'[{"type": "qbo.invoice.updated.v1"}]',
        b'{"eventNotifications": {}}',
        b'{"eventNotifications": [{"realmId": "1"}]}',
        json.dumps([{"type": "qbo.invoice.updated.v1", "intuitentityid": "../x",
                     "intuitaccountid": "913", "time": "2026-01-01T00:00:00Z"}]).encode(),
        json.dumps([{"type": "qbo.invoice.updated.v1", "intuitentityid": "1",
                     "intuitaccountid": "913", "time": "2026-01-01T00:00:00"}]).encode(),
    ],
)  # fmt: skip
def test_what_is_signed_and_yet_no_hint_is_malformed(place, body):
    assert place.books(body) == 400
    assert place.hearing.due() == []


def test_a_kind_that_is_nothing_to_us_makes_nothing_due(place):
    assert place.books(changed(entity="TimeActivity")) == 202
    assert place.hearing.due() == []


def test_what_is_too_large_is_not_read(place):
    body = b" " * (BODY_BYTES_LIMIT + 1)

    assert place.books(body) == 413
    assert place.hearing.tally() == {"other too-large": 1}


def test_what_does_not_say_how_large_it_is_is_cut_at_the_limit(place):
    with socket.create_connection(("127.0.0.1", place.door.port), timeout=10) as line:
        line.sendall(
            b"POST /hints/quickbooks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        chunk = b" " * 65_536
        for _ in range(BODY_BYTES_LIMIT // len(chunk) + 1):
            line.sendall(b"10000\r\n" + chunk + b"\r\n")
        assert line.recv(64).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_is_cut_is_no_hint(place):
    body = changed()
    headers = quickbooks.signed(VERIFIER, body)["intuit-signature"]
    with socket.create_connection(("127.0.0.1", place.door.port), timeout=10) as line:
        line.sendall(
            f"POST /hints/quickbooks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f"intuit-signature: {headers}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body[:-5]
        )
    assert place.books(changed(record="9")) == 202  # the door goes on
    assert place.hearing.due() == ["main"]


@pytest.mark.parametrize("named", ["text/plain", "application/x-www-form-urlencoded", "json", ""])
def test_another_content_type_is_refused(place, named):
    assert place.books(changed(), **{"Content-Type": named}) == 415


@pytest.mark.parametrize(
    "named", ["application/json; charset=utf-8", "application/cloudevents-batch+json"]
)
def test_json_by_another_name_is_heard(place, named):
    assert place.books(changed(), **{"Content-Type": named}) == 202


def test_a_system_without_a_secret_is_unknown(place):
    assert place.knock("salesforce", b"{}", {}) == 404
    assert place.knock("../secrets", b"{}", {}) == 404


def test_a_flood_is_gathered_into_one_round_and_held_in_bounds():
    passed = [0.0]
    hearing = Hearing(replace(TUNING, wait_secs=10.0), lambda: passed[0])
    for number in range(SEEN_LIMIT + 5):
        body = changed(record=str(number))
        headers = {"intuit-signature": quickbooks.signed(VERIFIER, body)["intuit-signature"]}
        hearing.hear("quickbooks", Knock("POST", URL, headers, body))
        passed[0] += 0.0001

    assert (hearing.due(), len(hearing._seen)) == ([], SEEN_LIMIT)
    passed[0] = 10.0
    assert (hearing.due(), hearing.due()) == (["main"], [])
    assert hearing.tally() == {"quickbooks taken": SEEN_LIMIT + 5}


def test_the_door_that_is_taken_says_so(place):
    with pytest.raises(ConfigError, match=r"cannot listen at 127\.0\.0\.1"):
        HintDoor(place.hearing, "127.0.0.1", place.door.port, URL)


def test_a_secret_is_in_no_repr():
    assert CLIENT_SECRET not in repr(TUNING)
