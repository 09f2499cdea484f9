"""The org's wrong answers: on a socket where a connection must break, else without one."""

import http.client
import json

import pytest

from tieout.simulator.salesforce import salesforce_app
from tieout.simulator.serving import serve


@pytest.fixture
def deals(crm):
    return [crm.deal(Name=name) for name in "abcd"]


@pytest.fixture
def wire(crm):
    """Ask over a real connection, which a fault may break."""
    with serve(salesforce_app(crm.org)) as served:

        def ask(method, path, body=None):
            connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
            headers = {
                "Authorization": f"Bearer {crm.token}",
                "Content-Type": "application/json",
            }
            try:
                text = None if body is None else json.dumps(body)
                connection.request(method, path, text, headers)
                return connection.getresponse().read()
            finally:
                connection.close()

        yield ask


def test_a_write_whose_answer_is_lost_was_done(crm, deals, wire):
    wire("POST", "/__faults", {"fault": "lose_answer", "method": "PATCH"})
    path = f"/services/data/v66.0/sobjects/Opportunity/{deals[0]}"
    with pytest.raises(http.client.RemoteDisconnected):
        wire("PATCH", path, {"Name": "A"})
    assert crm.read("Opportunity", deals[0], "Name")["Name"] == "A"


def test_a_write_that_is_refused_or_cut_was_or_was_not_done(crm, deals, wire):
    path = f"/services/data/v66.0/sobjects/Opportunity/{deals[0]}"
    wire("POST", "/__faults", {"fault": "refuse", "method": "PATCH"})
    with pytest.raises(http.client.RemoteDisconnected):
        wire("PATCH", path, {"Name": "A"})
    assert crm.read("Opportunity", deals[0], "Name")["Name"] == "a"
    collection = "/services/data/v66.0/composite/sobjects"
    rows = [{"attributes": {"type": "Opportunity"}, "id": deals[0], "Name": "A"}]
    wire("POST", "/__faults", {"fault": "cut_body", "method": "PATCH"})
    with pytest.raises(http.client.IncompleteRead):
        wire("PATCH", collection, {"records": rows})
    assert crm.read("Opportunity", deals[0], "Name")["Name"] == "A"


@pytest.mark.parametrize(
    ("status", "spelling", "code"),
    [
        (401, None, "INVALID_SESSION_ID"),
        (403, "limit", "REQUEST_LIMIT_EXCEEDED"),
        (403, "concurrent", "REQUEST_LIMIT_EXCEEDED"),
        (403, None, "INSUFFICIENT_ACCESS"),
        (400, "lock", "UNABLE_TO_LOCK_ROW"),
        (500, None, "UNKNOWN_EXCEPTION"),
        (503, None, "SERVER_UNAVAILABLE"),
        (418, None, "UNKNOWN_EXCEPTION"),
    ],
)
def test_a_status_is_worded_as_salesforce_words_it(crm, status, spelling, code):
    crm.fault(fault="status", status=status, spelling=spelling)
    answer = crm.ask("GET", "limits")
    assert (answer.status, answer.code) == (status, code)
    assert answer.headers["sforce-limit-info"].startswith("api-usage=")


def test_records_and_results_are_dropped_repeated_and_reordered(crm, deals):
    soql = "SELECT Name FROM Opportunity ORDER BY Name"
    crm.fault(fault="drop_item", path="query")
    assert len(crm.rows(soql)) == 3
    crm.fault(fault="duplicate_item", path="query")
    assert len(crm.rows(soql)) == 5
    crm.fault(fault="reorder", path="query")
    shuffled = crm.names(soql)
    assert (shuffled != list("abcd"), sorted(shuffled)) == (True, list("abcd"))
    crm.fault(fault="drop_item", path="composite")
    rows = [{"id": one, "NextStep": "x"} for one in deals]
    assert len(crm.collection("PATCH", "Opportunity", rows).json) == 3
    crm.fault(fault="drop_item", path="limits")
    assert "DailyApiRequests" in crm.ask("GET", "limits").json


@pytest.mark.parametrize(
    ("kind", "expected"), [("duplicate_page", ["a", "b"]), ("wrong_page", ["e"])]
)
def test_a_page_holds_the_records_of_another(crm, deals, kind, expected):
    crm.org.page_rows = 2
    crm.deal(Name="e")
    first = crm.query("SELECT Name FROM Opportunity ORDER BY Name").json
    crm.fault(fault=kind, path="query/0r8")
    second = crm.ask("GET", first["nextRecordsUrl"]).json
    assert ([one["Name"] for one in second["records"]], second["done"]) == (expected, False)
    assert [one["Name"] for one in crm.ask("GET", second["nextRecordsUrl"]).json["records"]] == [
        "e"
    ]


def test_a_gateway_answers_in_html(crm):
    crm.fault(fault="html", status=502)
    answer = crm.ask("GET", "limits")
    assert (answer.status, answer.body[:6]) == (502, b"<html>")


def test_deeds_and_settings_that_are_not_known_are_refused(crm):
    assert crm.ask("POST", "/__deeds", {"deed": "sing"}).status == 400
    assert crm.ask("POST", "/__deeds", {"deed": "win"}).status == 400
    assert crm.ask("POST", "/__deeds", {"deed": "win", "deal": "006"}).status == 400
    told = crm.ask("POST", "/__org", {"page_rows": 7, "short_pages": 0}).json
    assert told["page_rows"] == 7


def test_who_may_speak_is_the_administrators_to_say(crm):
    crm.deed("approve_user", user="admin@nordlys.example")
    crm.deed("forbid_user", user="integration@nordlys.example")
    assert crm.org.clients["simulated-consumer-key"].approved == {"admin@nordlys.example"}
    assert crm.ask("GET", "limits").status == 401


def test_people_make_and_edit_records_by_hand(crm):
    account = crm.deed("create", kind="Account", fields={"Name": "Acme"})
    crm.deed("edit", kind="Account", id=account, fields={"Phone": "1"})
    deal = crm.deal(AccountId=account)
    line = crm.deed("add_line", deal=deal, fields={"Quantity": 2})
    assert crm.read("OpportunityLineItem", line, "Quantity")["Quantity"] == 2
    assert crm.read("Account", account, "Phone")["Phone"] == "1"
