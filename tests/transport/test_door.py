"""The one HTTP door: what is sent, how often, and what silence means."""

import socket
import time
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest
import responses
import structlog
from starlette.responses import JSONResponse, Response

from tieout.model.errors import (
    ConfigError,
    InvalidField,
    OutcomeUnknown,
    RateLimited,
    Unavailable,
)
from tieout.transport import Door, Limit, Quota, Route
from tieout.transport.door import refuse_plain_http


@pytest.fixture(params=["pool", "session"])
def ask(request, vendor):
    """Ask through either face; the answers and errors must be the same."""
    doors = []

    def asking(method, path, *, url=vendor.url, body=None, **options):
        door = Door("acme", **{"now": lambda: datetime.now(UTC), "sleep": vendor_sleep, **options})
        doors.append(door)
        if request.param == "pool":
            return door.pool().request(method, url + path, body=body), door
        return door.session().request(method, url + path, data=body).answer, door

    def vendor_sleep(_secs):
        raise AssertionError("nothing here needs to wait")

    yield asking
    for door in doors:
        door.close()


def test_an_answer_is_exact_and_counted(ask, vendor):
    vendor.answers = [Response('{"amount": 0.10}', media_type="application/json")]
    answer, door = ask("GET", "/deals", route=lambda _m, _p: Route("deals", write=False))
    assert answer.status == 200
    assert str(answer.json["amount"]) == "0.10"
    assert door.calls == {"deals": 1}
    assert door.statuses == {"200": 1}


def test_exactly_the_given_bytes_are_sent(ask, vendor):
    ask("POST", "/batch", body=b'{"a": "\\u00e6"}')
    assert [asked[3] for asked in vendor.asked] == [b'{"a": "\\u00e6"}']


@pytest.mark.parametrize("fault", ["refuse", "lose_answer", "cut_body"])
def test_a_write_without_a_whole_answer_is_unknown_and_sent_once(ask, vendor, fault):
    vendor.faults.add(fault=fault, count=None)
    with pytest.raises(OutcomeUnknown):
        ask("POST", "/invoice", body=b"{}")
    assert vendor.faults.listed[0].fired == 1


@pytest.mark.parametrize("fault", ["refuse", "lose_answer", "cut_body"])
def test_a_read_without_a_whole_answer_is_unavailable_and_sent_once(ask, vendor, fault):
    vendor.faults.add(fault=fault, count=None)
    with pytest.raises(Unavailable):
        ask("GET", "/invoice")
    assert vendor.faults.listed[0].fired == 1


def test_a_write_that_takes_longer_than_its_limit_is_unknown(ask, vendor):
    vendor.faults.add(fault="stall", seconds=2.0)
    with pytest.raises(OutcomeUnknown, match="not answered"):
        ask("POST", "/invoice", body=b"{}", read_secs=0.2)


def test_a_write_that_found_nobody_listening_was_never_sent(ask):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(Unavailable, match="nothing was sent"):
        ask("POST", "/invoice", url=f"http://127.0.0.1:{port}", body=b"{}")


def test_a_write_whose_connection_is_not_made_in_time_was_never_sent(ask):
    """Somebody listens and takes nobody in: the queue before the door is full."""
    with socket.socket() as full, ExitStack() as queue:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(3):
            before = queue.enter_context(socket.socket())
            before.setblocking(False)
            before.connect_ex(full.getsockname())
        address = f"http://127.0.0.1:{full.getsockname()[1]}"
        begun = time.monotonic()
        with pytest.raises(Unavailable, match="nothing was sent"):
            ask("POST", "/invoice", url=address, body=b"{}", connect_secs=0.2)
        assert time.monotonic() - begun < 10  # the system itself would try for two minutes


def test_a_write_whose_certificate_is_not_trusted_was_never_sent(ask, vendor):
    """The server speaks plain http: the handshake fails before the request."""
    with pytest.raises(Unavailable, match="nothing was sent"):
        ask("POST", "/invoice", url=vendor.url.replace("http:", "https:"), body=b"{}")
    assert vendor.asked == []


def test_a_name_that_does_not_exist_was_never_sent_to(ask):
    with pytest.raises(Unavailable, match="nothing was sent"):
        ask("POST", "/", url="https://no-such-host.invalid", body=b"{}")


def test_a_write_answered_with_500_is_unknown_and_a_read_unavailable(ask, vendor):
    vendor.answers = [JSONResponse({}, 503), JSONResponse({}, 503)]
    with pytest.raises(OutcomeUnknown):
        ask("POST", "/invoice", body=b"{}")
    with pytest.raises(Unavailable):
        ask("GET", "/invoice")


def test_an_answer_that_is_not_json_says_nothing(ask, vendor):
    vendor.answers = [Response("<html>", media_type="text/html")] * 2
    wrote, _ = ask("POST", "/invoice", body=b"{}")
    with pytest.raises(OutcomeUnknown, match="not usable"):
        _ = wrote.json
    read, _ = ask("GET", "/invoice")
    with pytest.raises(Unavailable, match="not usable"):
        _ = read.json


def test_a_redirect_is_an_answer_and_is_not_followed(ask, vendor):
    answer, _ = ask("POST", "/elsewhere", body=b"{}")
    assert answer.status == 307
    assert vendor.asked == []


@pytest.mark.parametrize(
    ("said", "secs"),
    [("7", 7.0), ("Tue, 31 Mar 2026 12:00:30 GMT", 30.0), ("soon", None), ("", None)],
)
def test_retry_after_is_read_as_seconds_and_as_a_date(ask, vendor, said, secs):
    told = {"retry-after": said, "date": "Tue, 31 Mar 2026 12:00:00 GMT"}
    vendor.answers = [JSONResponse({}, 429, told)]
    with pytest.raises(RateLimited) as caught:
        ask("POST", "/invoice", body=b"{}")
    assert caught.value.after_secs == secs


def test_the_connector_judges_an_answer_before_anybody_else_sees_it(ask, vendor):
    vendor.answers = [JSONResponse({"category": "VALIDATION_ERROR"}, 400, {"x-trace": "t-1"})]

    def judge(answer):
        return InvalidField(vendor_code=answer.json["category"], trace_id=answer.trace_id)

    with pytest.raises(InvalidField) as caught:
        ask("POST", "/deals", body=b"{}", judge=judge, trace_header="x-trace")
    assert (caught.value.vendor_code, caught.value.trace_id) == ("VALIDATION_ERROR", "t-1")


@pytest.mark.parametrize("url", ["http://example.com", "ftp://127.0.0.1"])
def test_plain_http_is_for_this_machine_only(ask, url):
    with pytest.raises(ConfigError, match="not encrypted"):
        ask("GET", "/", url=url)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080", "http://localhost", "http://[::1]/x", "https://a.example"]
)
def test_https_and_this_machine_are_accepted(url):
    assert url.startswith(refuse_plain_http(url))


@pytest.mark.parametrize("url", ["example.com", "http://127.0.0.1.example.com", "http://10.0.0.1"])
def test_what_only_looks_local_is_refused(url):
    with pytest.raises(ConfigError, match="not encrypted"):
        refuse_plain_http(url)


def test_the_servers_clock_is_compared_with_ours(ask, vendor):
    vendor.answers = [JSONResponse({}, headers={"date": "Tue, 31 Mar 2026 12:00:30 GMT"})]
    _, door = ask("GET", "/", now=lambda: datetime(2026, 3, 31, 12, 0, tzinfo=UTC))
    assert door.skew_secs == 30.0


def test_the_log_tells_the_exchange_and_no_more(ask, vendor):
    vendor.answers = [JSONResponse({"email": "a@b.example"}, headers={"x-trace": "t-9"})]
    with structlog.testing.capture_logs() as lines:
        ask(
            "POST",
            "/deals?access_token=s3cret",
            body=b'{"secret": 1}',
            trace_header="x-trace",
            route=lambda _m, _p: Route("deals", write=False),
        )
    assert [{**line, "ms": 0} for line in lines] == [
        {
            "event": "exchange",
            "system": "acme",
            "call": "deals",
            "method": "POST",
            "status": "200",
            "ms": 0,
            "trace": "t-9",
            "log_level": "debug",
        }
    ]


def test_an_error_shows_no_secret_of_the_address(ask):
    with pytest.raises(Unavailable) as caught:
        ask("GET", "/?access_token=s3cret", url="https://user:pass@no-such-host.invalid")
    assert "s3cret" not in str(caught.value)
    assert "pass" not in str(caught.value)


def test_calls_wait_for_their_limit(vendor, clock):
    door = Door(
        "acme",
        now=clock.now,
        sleep=clock.sleep,
        limits={"search": Limit(2, 1.0)},
        route=lambda _m, _p: Route("search", write=False, limits=("search",)),
    )
    pool = door.pool()
    for _ in range(3):
        pool.request("GET", vendor.url + "/")
    door.close()
    assert clock.slept == [pytest.approx(1.05)]
    assert door.waited_secs == pytest.approx(1.05)


def test_after_a_refusal_for_rate_the_whole_door_waits(vendor, clock):
    vendor.answers = [JSONResponse({}, 429, {"retry-after": "3"})]
    door = Door("acme", now=clock.now, sleep=clock.sleep)
    pool = door.pool()
    with pytest.raises(RateLimited):
        pool.request("GET", vendor.url + "/")
    pool.request("GET", vendor.url + "/")
    door.close()
    assert clock.slept == [3.0]


def test_limits_are_learned_from_the_answers_headers(vendor, clock):
    vendor.answers = [JSONResponse({}, headers={"x-remaining": "0"})]

    def learn(headers):
        left = headers.get("x-remaining")
        return {"all": Quota(remaining=int(left))} if left else {}

    door = Door(
        "acme",
        now=clock.now,
        sleep=clock.sleep,
        limits={"all": Limit(100, 10.0)},
        route=lambda _m, _p: Route("any", write=False, limits=("all",)),
        learn=learn,
    )
    pool = door.pool()
    pool.request("GET", vendor.url + "/")
    pool.request("GET", vendor.url + "/")
    door.close()
    assert clock.slept == [pytest.approx(10.05)]


def test_a_session_asks_for_the_token_of_the_moment(clock):
    tokens = iter(["one", "two"])
    session = Door("acme", now=clock.now, sleep=clock.sleep).session(lambda: next(tokens))
    assert [session.access_token, session.access_token] == ["one", "two"]


@responses.activate
def test_responses_can_stand_for_a_vendor_behind_the_session(clock):
    responses.get("https://acme.example/x", json={"n": 1})
    session = Door("acme", now=clock.now, sleep=clock.sleep).session()
    assert session.get("https://acme.example/x").json() == {"n": 1}
