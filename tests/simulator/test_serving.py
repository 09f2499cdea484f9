"""Serving on loopback, rate windows, the simulators' clock and exact JSON."""

import http.client
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tieout.simulator import jsonwire
from tieout.simulator.clock import SimulatedClock
from tieout.simulator.limits import AtOnce, RollingWindow
from tieout.simulator.serving import serve, serve_in_process


def greeter():
    return Starlette(routes=[Route("/", lambda request: PlainTextResponse("hello"))])


def greeting(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        bodies = []
        for _ in range(2):  # twice over one connection: it is kept alive
            connection.request("GET", "/")
            bodies.append(connection.getresponse().read())
        return bodies
    finally:
        connection.close()


def test_a_simulator_answers_on_a_free_port_of_loopback():
    with serve(greeter()) as served:
        assert served.url == f"http://127.0.0.1:{served.port}"
        assert greeting(served.port) == [b"hello", b"hello"]


def test_a_taken_port_is_refused():
    with serve(greeter()) as served, pytest.raises(OSError, match="in use"):
        serve(greeter(), served.port)


@pytest.mark.slow
def test_a_simulator_can_have_a_process_of_its_own():
    with serve_in_process(Starlette) as url:
        connection = http.client.HTTPConnection("127.0.0.1", int(url.rpartition(":")[2]))
        connection.request("GET", "/")
        assert connection.getresponse().status == 404
        connection.close()


def test_a_window_takes_so_many_and_says_when_there_is_room_again():
    seconds = [0]
    window = RollingWindow(2, 10, lambda: datetime.fromtimestamp(seconds[0], UTC))
    assert [window.take(), window.take(), window.take()] == [0, 0, 10]
    seconds[0] = 4
    assert (window.take(), window.remaining) == (6, 0)
    seconds[0] = 10
    assert (window.remaining, window.take()) == (2, 0)


def test_a_scaled_window_is_shorter_by_its_scale():
    window = RollingWindow(1, 10, lambda: datetime(2026, 4, 1, tzinfo=UTC), time_scale=5)
    assert [window.take(), window.take()] == [0, 2]


def test_places_are_taken_and_given_back():
    places = AtOnce(1)
    assert [places.enter(), places.enter()] == [True, False]
    places.leave()
    assert places.enter()


def test_the_clock_starts_where_it_is_told_and_goes_forward_only():
    start = datetime(2026, 3, 31, tzinfo=UTC)
    clock = SimulatedClock(start)
    clock.advance(3600)
    assert timedelta(hours=1) <= clock() - start < timedelta(hours=1, seconds=5)
    with pytest.raises(ValueError, match="forward"):
        clock.advance(-1)


@pytest.mark.parametrize("literal", ["0.10", "12345678901234567.89", "-3.000", "7"])
def test_an_amount_keeps_every_digit_on_the_way_in_and_out(literal):
    assert jsonwire.dumps(jsonwire.loads(f'{{"a":{literal}}}')) == f'{{"a":{literal}}}'.encode()


def test_an_exponent_is_written_in_full():
    assert jsonwire.dumps([Decimal("1E+3"), Decimal("1E-7")]) == b"[1000,0.0000001]"


@pytest.mark.parametrize("text", ["NaN", "Infinity", "{", "[1,]"])
def test_what_is_not_json_is_refused(text):
    with pytest.raises(ValueError):
        jsonwire.loads(text)


@pytest.mark.parametrize("value", [Decimal("NaN"), float("inf")])
def test_a_number_that_is_none_is_not_written(value):
    with pytest.raises(ValueError):
        jsonwire.dumps(value)


def test_a_thing_without_json_form_is_not_written():
    with pytest.raises(TypeError, match="set has no JSON form"):
        jsonwire.dumps({1})
