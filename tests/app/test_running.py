"""The daemon as a process: what it does beside commands, and what it outlives."""

import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from tieout.app import wiring
from tieout.app.cli import asking
from tieout.app.cli.exits import Exit
from tieout.app.companies import Site
from tieout.app.settings import load
from tieout.app.wiring import last_beat, ledger_of
from tieout.app.working import grant


@pytest.mark.slow
def test_a_daemon_does_what_commands_wish_and_ends_when_told(said, place):
    with running(place[0]) as daemon:
        _, told = said("run", "--once")
        assert told["error"]["code"] == "ledger-held"
        _, told = said("resync", "deal:9000000004")
        assert told["rounds"][0]["pair"] == "main"
        assert said("resume", "nobody", "--reason", "x")[1]["error"]["code"] == "not-found"
        code, told = said("status")
        assert code in {Exit.DONE, Exit.TROUBLE}
        assert told["daemon_beat_at"] == last_beat(load(place[0] / "config"))
        daemon.terminate()
        assert daemon.wait(30) == Exit.DONE
        assert " journal  lines=" in log_of(place[0])


@pytest.mark.slow
def test_a_daemon_reads_its_configuration_anew_or_keeps_the_old_one(place):
    file = place[0] / "config" / "tieout.yaml"
    right = file.read_text()
    with running(place[0]) as daemon:
        try:
            file.write_text(right.replace("every: 5m", "evry: 5m"))
            daemon.send_signal(signal.SIGHUP)
            _until(lambda: "the old one stays" in log_of(place[0]))
            assert "no setting pairs.main.evry; did you mean every?" in log_of(place[0])
            assert "exchange" not in log_of(place[0])

            file.write_text(right.replace("level: info", "level: debug"))
            daemon.send_signal(signal.SIGHUP)
            _until(lambda: "exchange" in log_of(place[0]))  # the pair became due, and says more
        finally:
            file.write_text(right)
        daemon.terminate()
        assert daemon.wait(30) == Exit.DONE


@pytest.mark.slow
def test_a_daemon_outlives_tokens_that_cannot_be_read(said, place):
    """Its pair stands still; with the tokens back it goes on, in the same process."""
    tokens = place[0] / "state" / "tokens.sealed"
    whole = tokens.read_text()
    with running(place[0]) as daemon:
        tokens.write_text("not sealed")
        try:
            assert said("resync", "deal:9000000004")[0] == Exit.PAUSED
        finally:
            tokens.write_text(whole)
        assert said("resume", "main", "--reason", "they are back")[0] == Exit.DONE
        assert said("resync", "deal:9000000004")[0] == Exit.TROUBLE  # tasks are open
        daemon.terminate()
        assert daemon.wait(30) == Exit.DONE


def test_a_wish_that_a_daemon_left_behind_is_done_by_the_command(said, place, monkeypatch):
    here, _ = place
    monkeypatch.setattr(asking, "POLLS_A_TRY", 1)
    daemon = ledger_of(load(here / "config"))
    daemon.__enter__()
    threading.Timer(1, lambda: daemon.__exit__(None, None, None)).start()

    assert said("resume", "main", "--reason", "again") == (Exit.DONE, {"resumed": "main"})


def test_a_wish_that_meets_a_mistake_of_ours_is_not_met_again_by_the_next_start(said, place):
    with ledger_of(load(place[0] / "config")) as ledger:
        ledger.wish("resume", {"reason": "x"}, "me")  # without the pair that each resume names
        (wish,) = ledger.open_wishes()
        with (
            wiring.engine_on(
                ledger, Site(place[0] / "config", load(place[0] / "config")), stopping=lambda: False
            ) as engine,
            pytest.raises(KeyError),
        ):
            grant(engine, wish)

        assert ledger.open_wishes() == []
        assert ledger.wish_outcome(wish.id)["error"]["code"] == "unexpected"


def test_a_wish_that_was_done_when_the_daemon_was_killed_is_not_called_refused(said, place):
    _, told = said("plan", "--no-look")
    waiting = next(plan["hash"] for plan in told["plans"] if plan["state"] == "waiting")
    settings = load(place[0] / "config")
    with ledger_of(settings) as ledger:
        number = ledger.wish("approve", {"hash": waiting, "reason": "seen"}, "me")
        (wish,) = ledger.open_wishes()
        ledger.begin_wish(number)
        site = Site(place[0] / "config", settings)
        with wiring.engine_on(ledger, site, stopping=lambda: False) as engine:
            engine.approve(waiting, who="me", reason="seen")  # and killed before it could say so
            grant(engine, wish)

        error = ledger.wish_outcome(number)["error"]
    assert error["code"] == "not-found"
    assert error["what"].startswith("The daemon ended while it did this, and may have done it.")


@contextmanager
def running(here: Path):
    """Give a daemon that works; its log is ``log_of``."""
    before = last_beat(load(here / "config"))
    command = [sys.executable, "-m", "tieout.app", "run"]
    with (here / "log").open("w") as log, subprocess.Popen(command, cwd=here, stderr=log) as daemon:
        try:
            _until(lambda: last_beat(load(here / "config")) != before)
            yield daemon
        finally:
            daemon.kill()


def log_of(here: Path) -> str:
    return (here / "log").read_text()


def _until(holds, secs: float = 20.0) -> None:
    ends = time.monotonic() + secs
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.1)
