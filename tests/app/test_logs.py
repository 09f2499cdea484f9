"""The log: what it carries, and what can never be read in it."""

import io
import json
import logging

import pytest
import structlog

from tieout.app.logs import HIDDEN, OURS, Redactor, about, configure


@pytest.fixture
def log():
    """Return what was written since; afterwards logging is as before."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    stream = io.StringIO()
    yield stream
    root.handlers[:], root.level = before[0], before[1]
    structlog.contextvars.clear_contextvars()
    structlog.reset_defaults()
    for name in OURS:
        logging.getLogger(name).setLevel(logging.NOTSET)


def test_a_line_carries_what_it_is_about(log):
    configure("json", "info", log)

    with about(pair="main", stage="push", record="deal 901"):
        logging.getLogger("sync_engine.push").info("posted", extra={"trace_id": "1-abc"})

    line = json.loads(log.getvalue())
    assert {k: line[k] for k in ("event", "pair", "stage", "record", "trace_id", "level")} == {
        "event": "posted",
        "pair": "main",
        "stage": "push",
        "record": "deal 901",
        "trace_id": "1-abc",
        "level": "info",
    }
    assert line["at"].endswith("Z")


def test_a_line_for_people_starts_with_the_time(log):
    configure("text", "info", log)

    with about(pair="main"):
        logging.getLogger("tieout.app").warning("paused")

    assert log.getvalue()[8:] == " WARNING paused  pair=main\n"


def test_a_structured_logger_is_written_by_the_same_last_steps(log):
    configure("text", "debug", log)

    structlog.get_logger("tieout.transport").debug("exchange", call="GET /x", token="abc")

    assert log.getvalue()[8:] == f" DEBUG   exchange  call=GET /x token={HIDDEN}\n"


def test_structlog_is_not_needed_to_log_and_foreign_chatter_is_left_out(log):
    configure("text", "info", log)

    logging.getLogger("urllib3.connectionpool").info("starting new connection")
    logging.getLogger("apscheduler").warning("missed")

    assert log.getvalue().count("\n") == 1


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_traceback_shows_no_local_and_no_token(log, form):
    configure(form, "info", log)
    token = "pat-eu1-verysecret"

    def fails():
        held = token
        raise ValueError(f"refused with Bearer {held}")

    try:
        fails()
    except ValueError:
        logging.getLogger("tieout").exception("unexpected")

    assert "ValueError" in log.getvalue()
    assert "verysecret" not in log.getvalue()


def test_secrets_are_hidden_wherever_they_stand():
    line = {
        "event": "GET /x?access_token=abc&x=1",
        "headers": {"Authorization": "Bearer abc", "Accept": "json"},
        "body": ['{"refresh_token": "abc"}', ("a", {"client_secret": "abc"})],
    }

    hidden = Redactor(personal=True)(None, "info", line)

    assert hidden == {
        "event": f"GET /x?access_token={HIDDEN}&x=1",
        "headers": {"Authorization": HIDDEN, "Accept": "json"},
        "body": [f'{{"refresh_token": "{HIDDEN}"}}', ["a", {"client_secret": HIDDEN}]],
    }


def test_personal_details_are_hidden_unless_debugging():
    line = {"event": "asked ap@baer.example", "email": "x", "deal": "901"}

    assert Redactor()(None, "info", line) == {
        "event": f"asked {HIDDEN}",
        "email": HIDDEN,
        "deal": "901",
    }
    assert Redactor(personal=True)(None, "info", line) == line
