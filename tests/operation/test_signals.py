"""The daemon under signals: where it ends, what it says, and that the next start goes on by itself."""

import signal
import subprocess
import time
from collections import Counter

import pytest
from installation import end, until

from tieout.app.cli.exits import Exit

INVOICES = {"method": "POST", "path": "/batch$|/invoice$", "body": "PrivateNote"}


def once_each(world) -> bool:
    """Whether no order was invoiced twice, by the books' own truth."""
    return set(Counter(one["po_number"] for one in world.invoices()).values()) <= {1}


@pytest.mark.slow
def test_sigterm_in_the_middle_of_a_push_ends_between_two_calls(installed, sell):
    place = installed(books_options="{batch: 4, in_flight: 1}", stop_secs=20)
    [world] = place.worlds
    sell(world, 12)
    world.fault("books", fault="stall", seconds=0.7, count=None, **INVOICES)
    with place.daemon() as daemon:
        until(world.invoices, "the first call is done")
        assert end(daemon) == Exit.DONE
    assert len(world.invoices()) in (4, 8)  # whole calls, and not all of them
    world.mend("books")

    code, said = place.say("status")
    assert code == Exit.TROUBLE
    assert "it was told to stop before its end; the next start goes on" in said
    assert "for the next round: " in said
    assert "unanswered: 0" in said

    with place.daemon() as daemon:
        until(lambda: place.status()["last_good_at"], "a whole round")
        assert end(daemon) == Exit.DONE
    assert (len(world.invoices()), once_each(world)) == (12, True)


@pytest.mark.slow
def test_sigterm_waits_for_no_pause_that_a_vendor_asked_for(installed, sell):
    place = installed(stop_secs=20)
    [world] = place.worlds
    sell(world)
    world.fault("books", fault="status", status=429, retry_after=80, count=None, **INVOICES)
    with place.daemon() as daemon:
        until(lambda: "INFO create invoice: rate-limited" in log_words(place), "it is refused")
        told_at = time.monotonic()
        assert end(daemon) == Exit.DONE
        assert time.monotonic() - told_at < place.stop_secs
    status = place.status()
    assert (status["unknowns"], status["queue"]) == (0, {"again": 1})


@pytest.mark.slow
def test_a_call_that_hangs_is_left_after_stop_secs_and_looked_up_by_the_next_start(installed, sell):
    place = installed(stop_secs=1)
    [world] = place.worlds
    sell(world)
    world.fault("books", fault="stall", seconds=60, after_commit=True, **INVOICES)
    with place.daemon() as daemon:
        until(world.invoices, "the books have it")
        assert end(daemon) == Exit.UNKNOWNS
    assert "stopped before the round ended; the next start looks up" in place.log()
    code, said = place.say("status")
    assert (code, "unanswered: 1" in said) == (Exit.UNKNOWNS, True)

    with place.daemon() as daemon:
        until(lambda: place.status()["unknowns"] == 0, "it was found")
        assert end(daemon) == Exit.DONE
    assert (len(world.invoices()), once_each(world)) == (1, True)


@pytest.mark.slow
def test_sigkill_loses_nothing_and_the_next_start_goes_on(installed, sell):
    place = installed(books_options="{batch: 4, in_flight: 1}")
    [world] = place.worlds
    sell(world, 8)
    world.fault("books", fault="stall", seconds=0.5, count=None, after_commit=True, **INVOICES)
    with place.daemon() as daemon:
        until(world.invoices, "the first call is in the books")
        assert end(daemon, signal.SIGKILL) == -signal.SIGKILL
    assert place.say("status")[0] == Exit.UNKNOWNS
    world.mend("books")
    with place.daemon() as daemon:
        until(lambda: len(world.invoices()) == 8, "the rest")
        until(lambda: place.status()["unknowns"] == 0, "and it knows")
        assert end(daemon) == Exit.DONE
    assert once_each(world)
    assert place.told("audit", "verify")[0] == Exit.DONE


@pytest.mark.slow
def test_a_second_daemon_is_told_who_owns_the_ledger_and_disturbs_nobody(installed, sell):
    place = installed()
    [world] = place.worlds
    with place.daemon() as daemon:
        second = subprocess.run(
            place.command("run"), cwd=place.here, capture_output=True, text=True, check=False
        )
        assert second.returncode == Exit.TROUBLE
        assert f"Process {daemon.pid} on " in second.stderr
        assert "next: Stop it first, or leave it a wish with `tieout apply`" in second.stderr
        sell(world)
        until(world.invoices, "the first works on")


def log_words(place) -> str:
    """The log with single spaces."""
    return " ".join(place.log().split())
