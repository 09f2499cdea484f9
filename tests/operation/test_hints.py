"""Hints over real HTTP to the daemon: what is told is posted long before the pair's own time."""

import re
import signal

import pytest
from installation import end, until

from tieout.app.cli.exits import Exit
from tieout.simulator.hubspot import webhooks as hubspot
from tieout.simulator.quickbooks import webhooks as quickbooks

URL = "https://tieout.example.com"
SECRET = "a-secret-that-both-sides-know"


@pytest.fixture
def listening(installed):
    """Return a function that makes an installation which listens."""

    def make(every="1d", more=""):
        place = installed(every=every)
        secret = place.here / "hint-secret"
        secret.write_text(SECRET)
        keyed = rf"\g<0>\1hint_secret: file:{secret}\n"
        text = re.sub(r"( +)system: \w+\n", keyed, place.file.read_text())
        hints = f"url: '{URL}', listen: '127.0.0.1:0', wait: 1s{more}"
        place.file.write_text(f"{text}hints: {{{hints}}}\n")
        return place

    return make


@pytest.fixture
def hinted(listening):
    """An installation that looks once a day by itself, and listens."""
    return listening()


def door(place) -> str:
    """Where the daemon listens now, as its log says."""
    opened = re.compile(r"hint door open +listen=([0-9.:]+)")
    until(lambda: opened.search(place.log()), "the door is open")
    return f"http://{opened.findall(place.log())[-1]}/hints"


@pytest.mark.slow
def test_a_hint_of_either_side_begins_a_round_and_the_sweep_needs_none(hinted, sell):
    [world] = hinted.worlds
    with hinted.daemon() as daemon:
        at = door(hinted)
        until(lambda: hinted.status()["last_good_at"], "the first round")
        first = hinted.status()["last_good_at"]

        [deal] = sell(world)
        told = hubspot.tell(
            world.portal, f"{URL}/hints/hubspot", "forged", [deal], to=f"{at}/hubspot"
        )
        assert (told, world.invoices()) == (401, [])
        told = hubspot.tell(
            world.portal, f"{URL}/hints/hubspot", SECRET, [deal], to=f"{at}/hubspot"
        )
        assert told == 202
        until(world.invoices, "the deal is invoiced")

        until(lambda: hinted.status()["last_good_at"] > first, "its round has ended")
        second = hinted.status()["last_good_at"]
        change = [(str(world.realm), "Invoice", "1")]
        assert quickbooks.tell(f"{at}/quickbooks", SECRET, change, world.now()) == 202
        until(lambda: hinted.status()["last_good_at"] > second, "the books were looked at")
        assert end(daemon) == Exit.DONE
    assert len(world.invoices()) == 1
    assert SECRET not in hinted.log()


@pytest.mark.slow
def test_the_door_follows_the_configuration(hinted):
    with hinted.daemon() as daemon:
        at = door(hinted)
        [world] = hinted.worlds
        change = [(str(world.realm), "Invoice", "1")]
        (hinted.here / "hint-secret").write_text("another")
        daemon.send_signal(signal.SIGHUP)
        until(lambda: "the configuration was read anew" in hinted.log(), "it is read")
        assert quickbooks.tell(f"{at}/quickbooks", SECRET, change, world.now()) == 401
        assert quickbooks.tell(f"{at}/quickbooks", "another", change, world.now()) == 202
        assert end(daemon) == Exit.DONE


@pytest.mark.slow
def test_a_silence_while_rounds_find_changes_is_a_task_until_a_hint_comes(listening, sell):
    place = listening(every="1s", more=", silent_after: 1s")
    [world] = place.worlds
    sell(world)

    def silent():
        _, told = place.told("tasks")
        return [one for one in told["tasks"] if one["code"] == "hints-silent"]

    with place.daemon() as daemon:
        at = door(place)
        until(world.invoices, "the sweep needs no hint")
        sell(world)
        until(silent, "nobody said it")
        change = [(str(world.realm), "Invoice", "1")]
        assert quickbooks.tell(f"{at}/quickbooks", SECRET, change, world.now()) == 202
        told = hubspot.tell(world.portal, f"{URL}/hints/hubspot", SECRET, ["1"], to=f"{at}/hubspot")
        assert told == 202
        until(lambda: not silent(), "they speak again")
        assert end(daemon) == Exit.DONE
