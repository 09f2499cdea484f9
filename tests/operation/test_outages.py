"""Systems that are away: what status, exit code, log and tasks say, and who must do something."""

import pytest
from installation import end, until

from tieout.app.cli.exits import Exit

WRITES = {"method": "POST", "path": "/batch$|/invoice$", "body": "PrivateNote"}


@pytest.mark.slow
def test_without_a_network_it_says_so_and_goes_on_by_itself_when_it_is_back(installed, sell):
    place = installed()
    [world] = place.worlds
    there = world.crm_url, world.books_url
    world.crm_url = world.books_url = "http://127.0.0.1:9"  # the discard port: nobody is there
    place.write()
    world.crm_url, world.books_url = there
    sell(world)
    with place.daemon() as daemon:
        until(lambda: place.status()["last_round_at"], "a round ended")
        code, said = place.say("status")
        assert code == Exit.TROUBLE
        assert "last good round never" in said
        assert "it ended early: http://127.0.0.1:9 could not be reached; nothing was sent" in said
        assert "Nothing is pending" not in said
        assert place.told("tasks")[1]["tasks"] == []  # nobody is bothered
        assert "WARNING round ended: http://127.0.0.1:9 could not be reached" in place.log()

        place.write()  # the network is back
        daemon.send_signal(1)
        until(world.invoices, "it goes on")
        until(lambda: place.say("status")[0] == Exit.DONE, "and all is well")
        assert end(daemon) == Exit.DONE


@pytest.mark.slow
def test_consent_revoked_in_the_middle_of_a_round_names_the_two_commands_that_mend_it(
    installed, sell
):
    place = installed(consented=True, stop_secs=20)
    [world] = place.worlds
    with place.daemon() as daemon:
        until(lambda: place.status()["last_good_at"], "a whole round")
        world.fault("books", fault="stall", seconds=1, **WRITES)
        sell(world, 2)
        until(lambda: place.status()["queue"].get("sending"), "a write is on its way")
        for grants in (world.authority.access, world.authority.refresh):
            grants.clear()
        until(lambda: place.status()["paused"], "the pair stands still")

        code, said = place.say("status")
        assert code == Exit.PAUSED
        assert "stands still: Intuit does not accept this consent. [invalid_grant]" in said
        assert "Run `tieout connect COMPANY`; the queue is kept." in said
        assert "when that is mended: `tieout resume pair1 --reason …`" in said
        assert "unanswered: 0" in said
        assert [task["code"] for task in place.told("tasks")[1]["tasks"]] == ["unauthorized"]
        assert "pair1 stands still: unauthorized; `tieout status` says why" in place.log()

        assert place.say("connect", "books1")[0] == Exit.DONE
        assert place.say("resume", "pair1", "--reason", "connected anew")[0] == Exit.DONE
        until(lambda: len(world.invoices()) == 2, "the queue is sent")
        until(lambda: place.say("status")[0] == Exit.DONE, "and all is well")
        assert end(daemon) == Exit.DONE


@pytest.mark.slow
def test_a_crm_s_consent_revoked_in_the_middle_of_a_round_is_given_again_and_nothing_is_lost(
    installed, sell
):
    place = installed(crm_consented=True, stop_secs=20)
    [world] = place.worlds
    with place.daemon() as daemon:
        until(lambda: place.status()["last_good_at"], "a whole round")
        world.fault("crm", fault="stall", seconds=1, path="/deals/batch/update$", body="properties")
        deals = sell(world, 2)
        until(world.invoices, "the first is posted, and its deal is about to be told")
        world.crm("uninstall_app")
        until(lambda: place.status()["paused"], "the pair stands still")

        code, said = place.say("status")
        assert code == Exit.PAUSED
        assert "stands still: HubSpot does not accept this consent. [invalid_grant]" in said
        assert "Run `tieout connect COMPANY`; the queue is kept." in said

        code, said = place.say("connect", "crm1")
        assert (code, "LACKING" in said) == (Exit.DONE, False)
        assert place.say("resume", "pair1", "--reason", "installed anew")[0] == Exit.DONE
        until(
            lambda: [world.told(deal, "invoice_status") for deal in deals] == ["invoiced"] * 2,
            "both deals are told",
        )
        assert len(world.invoices()) == 2
        until(lambda: place.say("status")[0] == Exit.DONE, "and all is well")
        assert end(daemon) == Exit.DONE


@pytest.mark.slow
@pytest.mark.parametrize("after", [None, 3600], ids=["no word", "an hour"])
def test_a_rate_limit_that_lasts_leaves_nothing_unanswered_and_says_that_nothing_is_to_do(
    installed, sell, after
):
    place = installed(stop_secs=20)
    [world] = place.worlds
    world.fault("books", fault="status", status=429, retry_after=after, count=None, **WRITES)
    sell(world)
    with place.daemon() as daemon:
        until(lambda: place.status()["queue"].get("again"), "it is refused for now")
        code, said = place.say("status")
        assert code != Exit.UNKNOWNS
        assert "refused for now, and asked again: 1" in said
        assert "unanswered: 0" in said
        assert {task["remedy"] for task in place.told("tasks")[1]["tasks"]} <= {
            "Nothing to do: it is sent again once the pause is over."
        }
        assert end(daemon) == Exit.DONE
    world.mend("books")
    assert world.invoices() == []
