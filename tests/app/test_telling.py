"""What a round tells: by its exit code, its log, on a terminal and in a pipe."""

import json
import os
import pty
import subprocess
import sys
from contextlib import closing
from urllib.request import Request, urlopen

import pytest

from tieout.app.cli.exits import Exit

SCREEN_LINES = 24
ESCAPE = "\x1b["


def order(town, fault) -> None:
    urlopen(Request(f"{town.quickbooks.url}/__faults", json.dumps(fault).encode())).close()


@pytest.mark.slow
def test_what_is_unanswered_leaves_with_3_and_waiting_settles_it(said, place):
    _, told = said("plan", "--no-look")
    waiting = next(plan for plan in told["plans"] if plan["state"] == "waiting")
    said("approve", waiting["hash"])
    order(place[1], {"fault": "lose_answer", "method": "POST", "body": "TIEOUT"})

    code, told = said("run", "--once")
    assert (code, told["pairs"][0]["unknowns"]) == (Exit.UNKNOWNS, 1)
    assert said("status")[0] == Exit.UNKNOWNS

    code, told = said("run", "--once", "--wait")
    assert (code, told["pairs"][0]["unknowns"]) == (Exit.TROUBLE, 0)  # tasks are open


def test_one_round_s_log_fits_on_a_screen(place):
    done = ran(place, "run", "--once")

    assert len(done.stderr.splitlines()) + len(done.stdout.splitlines()) <= SCREEN_LINES
    assert done.stdout.startswith("main: ")


def test_each_line_about_a_call_says_which_pair_stage_and_trace(place):
    file = place[0] / "config" / "tieout.yaml"
    right = file.read_text()
    file.write_text(
        right.replace("{ format: text, level: info }", "{ format: json, level: debug }")
    )
    try:
        told = [json.loads(line) for line in ran(place, "run", "--once").stderr.splitlines()]
    finally:
        file.write_text(right)

    calls = [line for line in told if line["event"] == "exchange" and "stage" in line]
    assert {line["pair"] for line in calls} == {"main"}
    assert {"begin", "observe"} <= {line["stage"] for line in calls}
    assert all(line["trace"] for line in calls)


def test_in_a_pipe_there_is_neither_colour_nor_progress(place):
    told = [ran(place, *args) for args in (["run", "--once"], ["status"], ["plan", "--no-look"])]

    assert [ESCAPE in done.stdout + done.stderr for done in told] == [False] * 3


@pytest.mark.parametrize(("colours", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_on_a_terminal_there_is_colour_unless_it_is_not_wanted(place, colours, coloured):
    assert (ESCAPE + "1m" in on_a_terminal(place, ["status"], colours)) is coloured


def test_on_a_terminal_a_round_shows_how_far_it_is(place):
    assert "━" in on_a_terminal(place, ["run", "--once"], {})


def test_a_plan_leaves_with_2_when_something_is_to_be_sent_and_with_1_when_all_of_it_is_held(said):
    code, told = said("plan", "--no-look")
    held = next(plan["source"] for plan in told["plans"] if plan["state"] == "blocked")

    assert code == Exit.CHANGES
    code, told = said("plan", "--no-look", held)
    assert {plan["state"] for plan in told["plans"]} == {"blocked"}
    assert code == Exit.TROUBLE


def ran(place, *args):
    command = [sys.executable, "-m", "tieout.app", *args]
    return subprocess.run(command, cwd=place[0], capture_output=True, text=True, check=False)


def on_a_terminal(place, args, variables) -> str:
    """What a person sees of a verb."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "tieout.app", *args]
    environment = {**os.environ, "TERM": "xterm", **variables}
    with subprocess.Popen(
        command, cwd=place[0], env=environment, stdin=theirs, stdout=theirs, stderr=theirs
    ):
        os.close(theirs)
        with closing(os.fdopen(ours, "rb", buffering=0)) as screen:
            return seen(screen)


def seen(screen) -> str:
    shown = b""
    while True:
        try:
            some = screen.read(4096)
        except OSError:  # how Linux says that nobody writes there any more
            break
        if not some:
            break
        shown += some
    return shown.decode()
