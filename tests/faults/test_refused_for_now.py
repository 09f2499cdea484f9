"""Refused for now: nothing was done, nobody is bothered, and it is done later, once."""

from datetime import timedelta

import pytest
from simulated_world import real_now

from connectors.quickbooks import wire
from sync_engine.push import TRIES_IN_A_ROUND
from tieout.simulator.hubspot import Limits as PortalLimits

ON_INVOICES = {"method": "POST", "path": "/invoice$"}


@pytest.mark.parametrize("after", [1, "date"])
@pytest.mark.parametrize("spelling", ["Fault", "fault"])
def test_a_rate_limit_in_either_spelling_is_waited_for(world, sold, once_each, spelling, after):
    sold()
    limit = {"fault": "status", "status": 429, "spelling": spelling, "retry_after": after}
    world.fault("books", **ON_INVOICES, **limit)
    done = world.round()
    once_each(1)
    assert (done.unknown, world.codes()) == (0, [])


def test_a_rate_limit_of_the_crm_is_waited_for(world, sold):
    deal = sold()
    world.fault("crm", fault="status", status=429, retry_after=1, path="/deals/batch/update$")
    world.round()
    assert world.told(deal, "invoice_status") == "invoiced"


def test_a_rate_limit_that_lasts_ends_the_round_and_the_next_goes_on(world, sold, once_each):
    sold()
    slept = []
    world.sleep = slept.append
    world.fault(
        "books",
        fault="status",
        status=429,
        retry_after=240,
        count=None,
        method="POST",
        path="/invoice$",
    )
    done = world.round()
    assert (done.unknown, done.pushed.refused, world.invoices()) == (0, 0, [])
    assert max(slept, default=0) <= 120
    world.mend("books")
    world.now = lambda: real_now() + timedelta(seconds=241)
    world.restart()
    world.round()
    once_each(1)


def test_a_limit_that_is_renewed_each_time_is_asked_so_often_and_no_more_in_one_round(
    world, sold, once_each
):
    sold()
    began, slept = real_now(), []
    world.now = lambda: began + timedelta(seconds=sum(slept))  # to the instant that was named
    world.sleep = slept.append
    world.fault("books", fault="status", status=429, retry_after=30, count=None, **ON_INVOICES)
    done = world.round()
    assert done.calls["quickbooks.write invoice"] == 1 + TRIES_IN_A_ROUND
    assert [round(secs) for secs in slept if round(secs)] == [30] * TRIES_IN_A_ROUND
    world.mend("books")
    slept.append(30)
    world.round()
    once_each(1)


def test_a_connection_that_is_never_made_sends_nothing_and_is_no_unknown(world, sold, once_each):
    sold()
    world.round(push_too=False)
    there, world.books_url = world.books_url, "http://127.0.0.1:9"  # the discard port: nobody there
    done = world.engine().round("main")
    assert (done.error.code, done.unknown) == ("unavailable", 0)
    world.books_url = there
    world.restart()
    world.round()
    once_each(1)


def test_an_answer_that_takes_too_long_is_unknown_and_looked_for(
    world, sold, settled, once_each, monkeypatch
):
    monkeypatch.setattr(wire, "WRITE_SECS", 0.3)
    sold()
    world.fault("books", fault="stall", seconds=0.8, after_commit=True, path="/invoice$")
    assert world.round().unknown == 1
    settled()
    once_each(1)


def test_a_request_that_is_worked_on_after_we_gave_up_is_found_when_it_is_done(
    world, sold, settled, once_each, monkeypatch
):
    monkeypatch.setattr(wire, "WRITE_SECS", 0.3)
    world.quiet_secs = 0.8
    sold()
    world.fault("books", fault="stall", seconds=0.6, path="/invoice$")
    assert world.round().unknown == 1
    settled()
    once_each(1)
    assert world.codes() == []


@pytest.mark.parametrize("side", ["crm", "books"])
@pytest.mark.parametrize(
    "fault",
    [{"fault": "not_json"}, {"fault": "html"}, {"fault": "cut_body"}, {"fault": "status"}],
    ids=lambda fault: fault["fault"],
)
def test_an_answer_that_is_none_ends_the_round_and_loses_nothing(
    world, sold, once_each, side, fault
):
    sold()
    world.sleep = lambda _: None
    engine = world.engine()
    world.fault(side, **fault, count=None)
    done = engine.round("main")
    assert (done.error.code, done.pushed.done, world.invoices()) == ("unavailable", 0, [])
    world.mend(side)
    world.round()
    once_each(1)


@pytest.mark.parametrize("side", ["crm", "books"])
def test_a_token_revoked_in_the_middle_of_a_round_pauses_the_pair_and_keeps_the_queue(
    world, sold, once_each, side
):
    deals = [sold() for _ in range(3)]
    world.round(push_too=False)
    path = "/deals/batch/update$" if side == "crm" else "/batch$"
    body = "properties" if side == "crm" else "PrivateNote"
    world.fault(side, fault="status", status=401, count=None, method="POST", path=path, body=body)
    done = world.engine().round("main")
    assert (done.pushed.refused, done.unknown) == (0, 0)
    engine = world.restart()
    assert "unauthorized" in world.codes()
    assert engine.status()["pairs"][0]["paused"]["code"] == "unauthorized"

    sold()
    assert engine.round("main").pushed.parcels == 0  # it stands still
    world.mend(side)
    engine.resume("main", who="ann", reason="connected anew")
    world.round(2)
    once_each(4)
    assert [world.told(deal, "invoice_status") for deal in deals] == ["invoiced"] * 3
    assert world.codes() == []


def test_the_portal_s_own_limits_are_kept_and_nothing_is_lost(world, sold, once_each):
    world.portal.limits = PortalLimits(on=True)
    world.crm_rates = {}
    for _ in range(3):
        sold()
    world.round()
    once_each(3)


@pytest.mark.parametrize("access", ["lapsed", "none"])
def test_books_that_are_closed_to_us_pause_the_pair_and_keep_the_queue(
    world, sold, once_each, access
):
    """A lapsed subscription (6190), and a user without access (120): a person has to act (R30)."""
    for _ in range(3):
        sold()
    world.round(push_too=False)
    world.company.access = access
    engine = world.restart()
    done = engine.round("main")
    assert (done.pushed.done, done.pushed.refused, done.unknown, world.invoices()) == (0, 0, 0, [])
    [task] = [one for one in engine.tasks() if one["code"] in ("quota-exhausted", "unauthorized")]
    assert engine.status()["pairs"][0]["paused"]["code"] == task["code"]
    world.company.access = "open"
    engine.resume("main", who="ann", reason="paid, and connected anew")
    world.round(2)
    once_each(3)
    assert world.codes() == []
