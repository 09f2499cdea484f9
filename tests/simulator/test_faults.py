"""Every fault on a real socket: what the caller sees, and whether the deed was done."""

import http.client
import json
import time
from datetime import UTC, datetime

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tieout.simulator.clock import DateHeader
from tieout.simulator.faults import Answer, FaultMiddleware, Faults
from tieout.simulator.serving import serve


class Counter:
    """An application that counts what was done, and a caller for it."""

    def __init__(self, served, done):
        self.served = served
        self.port = served.port
        self.done = done

    def ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None)
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()
        finally:
            connection.close()

    def fault(self, **fault):
        status, _, body = self.ask("POST", "/__faults", fault)
        assert status == 200, body

    def post(self, path="/things", body=None):
        return self.ask("POST", path, body or {"name": "a"})


@pytest.fixture
def counter():
    done = []

    async def create(request: Request) -> JSONResponse:
        done.append(await request.json())
        return JSONResponse({"items": [1, 2, 3, 4]}, 201)

    def spell(fault, asked):
        return Answer(fault.status, [("x-vendor", "us")], b'{"vendor": "%d"}' % fault.status)

    faults = Faults(
        spell,
        lambda: datetime(2026, 3, 31, 12, tzinfo=UTC),
        {"drop_item": lambda asked, answer, dice: {"items": answer["items"][1:]}},
        seed=7,
    )
    app = Starlette(
        routes=[Route("/things", create, methods=["POST"])],
        middleware=[
            Middleware(DateHeader, now=faults.now),
            Middleware(FaultMiddleware, faults=faults),
        ],
    )
    with serve(app) as served:
        yield Counter(served, done)


def test_without_faults_the_application_answers(counter):
    status, headers, body = counter.post()
    assert (status, json.loads(body)) == (201, {"items": [1, 2, 3, 4]})
    assert headers["date"] == "Tue, 31 Mar 2026 12:00:00 GMT"


def test_refuse_drops_the_connection_before_the_deed(counter):
    counter.fault(fault="refuse")
    with pytest.raises(http.client.RemoteDisconnected):
        counter.post()
    assert counter.done == []
    assert counter.post()[0] == 201


def test_lose_answer_drops_the_connection_after_the_deed(counter):
    counter.fault(fault="lose_answer")
    with pytest.raises(http.client.RemoteDisconnected):
        counter.post()
    assert counter.done == [{"name": "a"}]


def test_commit_late_drops_at_once_and_does_the_deed_afterwards(counter):
    counter.fault(fault="commit_late", seconds=0.3)
    began = time.monotonic()
    with pytest.raises(http.client.RemoteDisconnected):
        counter.post()
    assert time.monotonic() - began < 0.25
    assert counter.done == []
    time.sleep(0.5)
    assert counter.done == [{"name": "a"}]


def test_commit_late_lands_when_the_simulator_ends_first(counter):
    counter.fault(fault="commit_late", seconds=60)
    with pytest.raises(http.client.RemoteDisconnected):
        counter.post()
    assert counter.done == []
    counter.served.stop()
    assert counter.done == [{"name": "a"}]


def test_stall_waits_before_the_deed_or_after_it(counter):
    counter.fault(fault="stall", seconds=0.2)
    began = time.monotonic()
    assert counter.post()[0] == 201
    assert time.monotonic() - began >= 0.2
    counter.fault(fault="stall", seconds=0.2, after_commit=True)
    assert counter.post()[0] == 201
    assert len(counter.done) == 2


@pytest.mark.parametrize(("after_commit", "done"), [(False, 0), (True, 1)])
def test_status_is_worded_by_the_vendor_with_or_without_the_deed(counter, after_commit, done):
    counter.fault(fault="status", status=429, retry_after=7, after_commit=after_commit)
    status, headers, body = counter.post()
    assert (status, headers["x-vendor"], headers["retry-after"], body) == (
        429,
        "us",
        "7",
        b'{"vendor": "429"}',
    )
    assert len(counter.done) == done


def test_retry_after_may_be_a_date(counter):
    counter.fault(fault="status", status=503, retry_after="date", seconds=30)
    assert counter.post()[1]["retry-after"] == "Tue, 31 Mar 2026 12:00:30 GMT"


@pytest.mark.parametrize(("after_commit", "done"), [(False, 0), (True, 1)])
def test_html_comes_from_a_gateway_that_knows_no_json(counter, after_commit, done):
    counter.fault(fault="html", status=502, after_commit=after_commit)
    status, headers, body = counter.post()
    assert (status, headers["content-type"], body[:6]) == (502, "text/html", b"<html>")
    assert len(counter.done) == done


def test_cut_body_promises_more_than_it_sends(counter):
    counter.fault(fault="cut_body")
    with pytest.raises(http.client.IncompleteRead):
        counter.post()
    assert len(counter.done) == 1


def test_an_application_names_its_own_wrong_answers(counter):
    counter.fault(fault="drop_item")
    status, headers, body = counter.post()
    assert (status, json.loads(body)) == (201, {"items": [2, 3, 4]})
    assert int(headers["content-length"]) == len(body)


def test_method_path_and_body_choose_the_requests(counter):
    counter.fault(fault="status", method="GET")
    counter.fault(fault="status", path="^/other")
    counter.fault(fault="status", body='"name": "b"')
    assert counter.post(body={"name": "a"})[0] == 201
    assert counter.post(body={"name": "b"})[0] == 500


def test_skip_every_and_count_choose_which_matches_are_struck(counter):
    counter.fault(fault="status", skip=1, every=2, count=2)
    assert [counter.post()[0] for _ in range(7)] == [201, 201, 500, 201, 500, 201, 201]


def test_probability_is_a_seeded_die(counter):
    counter.fault(fault="status", probability=0.5)
    struck = [counter.post()[0] == 500 for _ in range(12)]
    assert struck == [True, True, False, True, False, True, True, False, True, True, True, True]


def test_the_list_tells_how_often_each_fired_and_can_be_cleared(counter):
    counter.fault(fault="status", count=5)
    counter.post()
    listed = json.loads(counter.ask("GET", "/__faults")[2])["faults"]
    assert [(fault["fault"], fault["matched"], fault["fired"]) for fault in listed] == [
        ("status", 1, 1)
    ]
    counter.ask("DELETE", "/__faults")
    assert counter.post()[0] == 201


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ({"fault": "explode"}, "no fault 'explode'"),
        ({"fault": "stall", "secs": 3}, "secs"),
        ({"fault": "stall", "path": "("}, "pattern '('"),
        ({"fault": "stall", "every": 0}, "every is at least 1"),
        (["stall"], "a fault is an object"),
    ],
)
def test_a_senseless_fault_is_refused_with_the_reason(counter, fault, says):
    status, _, body = counter.ask("POST", "/__faults", fault)
    assert status == 400
    assert says in json.loads(body)["error"]
