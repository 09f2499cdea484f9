"""Service protection, and failures on demand in Dataverse's own words."""

import http.client
import threading

import pytest

from tieout.simulator.dynamics365 import Limits, dynamics365_app
from tieout.simulator.serving import serve


def test_r43_6000_requests_in_five_minutes_are_answered(crm, org, clock):
    org.set_limits(Limits())
    for _ in range(3):
        crm.get("WhoAmI")
    assert crm.headers["x-ms-ratelimit-burst-remaining-xrm-requests"] == "5997"
    org.set_limits(Limits(requests=2))
    assert [crm.get("WhoAmI")[0] for _ in range(2)] == [200, 200]
    clock.advance(100)
    answer = crm.get("WhoAmI")
    assert crm.refused(answer) == (429, "0x80072322")
    assert 200 <= int(crm.headers["retry-after"]) <= 201
    assert (
        "exceeded the limit of 2 over time window of 300 seconds" in (answer[1]["error"]["message"])
    )
    clock.advance(201)
    assert crm.get("WhoAmI")[0] == 200
    assert crm.get("/__truth")[1]["throttled"] == 1


def test_r43_who_asks_before_the_wait_is_over_waits_longer(crm, org, clock):
    org.set_limits(Limits(requests=1))
    crm.get("WhoAmI")
    waits = []
    for _ in range(3):
        assert crm.get("WhoAmI")[0] == 429
        waits.append(int(crm.headers["retry-after"]))
        clock.advance(10)
    assert [300 - waits[0] <= 1, waits[1] > waits[0] - 10, waits[2] > waits[1] - 10] == [True] * 3
    clock.advance(waits[-1] - 10 - 3)
    assert crm.get("WhoAmI")[0] == 429
    clock.advance(int(crm.headers["retry-after"]))
    assert crm.get("WhoAmI")[0] == 200


def test_r43_a_batch_is_one_request_but_costs_the_time_of_all_its_parts(crm, org, clock):
    org.set_limits(Limits(seconds_per_operation=1, execution_secs=10))
    parts = [("POST", "accounts", {"name": str(n)}) for n in range(10)]
    assert crm.batch(*parts)[0] == 200
    assert crm.headers["x-ms-ratelimit-time-remaining-xrm-requests"] == "0.00"
    assert crm.refused(crm.get("WhoAmI")) == (429, "0x80072321")
    assert int(crm.headers["retry-after"]) >= 299
    clock.advance(301)
    assert crm.get("WhoAmI")[0] == 200


def test_r43_so_many_requests_at_once_are_answered(org, caller_of):
    org.set_limits(Limits(at_once=1))
    org.latency_secs = 0.5
    with serve(dynamics365_app(org)) as served:
        first, second = caller_of(org, served), caller_of(org, served)
        answers = []
        slow = threading.Thread(target=lambda: answers.append(first.get("WhoAmI")[0]))
        slow.start()
        while not org.throttle.running.in_flight:
            pass
        assert second.refused(second.get("WhoAmI")) == (429, "0x80072326")
        slow.join()
        assert answers == [200]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"status": 429}, "0x80072322"),
        ({"status": 429, "spelling": "time"}, "0x80072321"),
        ({"status": 429, "spelling": "concurrent"}, "0x80072326"),
        ({"status": 401}, "0x8005F101"),
        ({"status": 403}, "0x80040220"),
        ({"status": 403, "spelling": "lock"}, "0x80090412"),
        ({"status": 400, "spelling": "plug_in"}, "0x80040265"),
        ({"status": 412}, "0x80060882"),
        ({"status": 500}, "0x80040216"),
        ({"status": 500, "spelling": "sql_timeout"}, "0x80044151"),
        ({"status": 503}, "0x80040216"),
    ],
)
def test_a_fault_answers_in_dataverses_words(crm, fault, code):
    assert crm.post("/__faults", {"fault": "status", **fault})[0] == 200
    status, answer = crm.get("opportunities")
    assert (status, answer["error"]["code"]) == (fault["status"], code)
    assert ("retry-after" in crm.headers) is (status == 429)
    assert crm.get("opportunities")[0] == 200


def test_a_fault_brings_its_own_retry_after(crm):
    crm.post("/__faults", {"fault": "status", "status": 429, "retry_after": 7})
    crm.get("opportunities")
    assert crm.headers["retry-after"] == "7"


def test_an_answer_is_lost_after_the_write_was_done(crm):
    crm.post("/__faults", {"fault": "lose_answer", "method": "POST", "path": "accounts"})
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        crm.post("accounts", {"name": "Acme"})
    assert [row["name"] for row in crm.rows("accounts?$select=name")] == ["Acme"]


def test_a_list_may_lack_a_row_have_one_twice_or_end_without_its_delta_link(crm, org):
    for name in "abc":
        org.create("account", {"name": name})
    for fault, length in (("drop_item", 2), ("duplicate_item", 4), ("reorder", 3)):
        crm.post("/__faults", {"fault": fault})
        assert len(crm.rows("accounts?$select=name")) == length
    crm.post("/__faults", {"fault": "drop_delta"})
    _, answer = crm.get("accounts?$select=name", Prefer="odata.track-changes")
    assert "@odata.deltaLink" not in answer


def test_a_page_may_be_the_first_again_or_the_one_after(crm, org):
    for number in range(5):
        org.create("account", {"name": str(number)})
    ordered = ("accounts?$select=name&$orderby=name", "odata.maxpagesize=2")
    tracked = ("accounts?$select=name", "odata.track-changes,odata.maxpagesize=2")
    for first, prefer in (ordered, tracked):
        pages, path = [], first
        while path:
            _, answer = crm.get(path, Prefer=prefer)
            pages.append((path, [row["name"] for row in answer["value"]]))
            path = answer.get("@odata.nextLink")
        assert [names for _, names in pages] == [["0", "1"], ["2", "3"], ["4"]]
        crm.post("/__faults", {"fault": "wrong_page", "path": "accounts"})
        assert [row["name"] for row in crm.rows(first, Prefer=prefer)] == ["2", "3"]
        crm.post("/__faults", {"fault": "duplicate_page", "path": "accounts"})
        assert [row["name"] for row in crm.rows(pages[1][0], Prefer=prefer)] == ["0", "1"]


def test_a_batch_is_cut_or_no_json_at_all(crm):
    crm.post("/__faults", {"fault": "html", "status": 502, "path": r"\$batch"})
    status, _ = crm.batch(("GET", "accounts"))
    assert (status, "Bad Gateway" in crm.text) == (502, True)
    crm.post("/__faults", {"fault": "cut_body", "path": r"\$batch"})
    with pytest.raises(http.client.IncompleteRead):
        crm.batch(("GET", "accounts"))
