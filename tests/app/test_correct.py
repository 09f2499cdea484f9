"""``tieout correct``, as a person and a program type it."""

import pytest

from tieout.app.cli import exit_code
from tieout.app.cli.exits import Exit
from tieout.simulator.hubspot import deeds, truth

REASON = ("--reason", "the customer asked")


@pytest.fixture
def lost(place, said):
    """Return an invoiced deal that is lost, as the CRM names it."""
    _, town = place
    deal = next(
        one["id"]
        for one in truth(town.portal)["deals"]
        if one["is_won"] and one["custom"].get("tieout_invoice_status") == "invoiced"
    )
    deeds.lose(town.portal, deal)
    said("run", "--once")
    return f"deal:{deal}"


def test_an_invoice_is_shown_beside_its_deal_with_what_can_be_done(said, lost):
    code, told = said("correct", lost)
    possible = [one["name"] for one in told["options"] if one["possible"]]
    assert (code, possible) == (Exit.DONE, ["void", "credit"])
    assert told["invoice"]["left"] == told["invoice"]["net"]
    assert all(one["deal"] is None for one in told["fields"])


def test_what_is_chosen_has_the_hash_that_was_shown_and_goes_with_the_next_round(said, lost):
    _, told = said("correct", lost)
    shown = {one["name"]: one["hash"] for one in told["options"]}
    code, chosen = said("correct", lost, "credit", *REASON)
    assert (code, chosen["hash"]) == (Exit.DONE, shown["credit"])
    said("run", "--once")
    _, told = said("correct", lost)
    assert (told["invoice"]["left"], told["tasks"]) == ("0", [])
    assert [one["state"] for one in told["corrections"]] == ["posted", "posted"]


def test_what_a_person_leaves_as_it_is_is_ignored(said, lost):
    assert said("correct", lost, "ignore", *REASON) == (Exit.DONE, {"ignored": 1})
    _, told = said("correct", lost)
    assert told["tasks"] == []


def test_what_cannot_be_done_says_why(said, lost):
    code, told = said("correct", lost, "amend", *REASON)
    assert (code, told["error"]["code"]) == (Exit.TROUBLE, "rejected")
    code, told = said("correct", lost, "credit", "--amount", "1000000000", *REASON)
    assert "is left to credit" in told["error"]["what"]


def test_nothing_is_corrected_of_a_deal_without_an_invoice(said):
    code, told = said("correct", "deal:1", "void", *REASON)
    assert (code, told["error"]["code"]) == (Exit.TROUBLE, "not-found")


@pytest.mark.parametrize(
    ("args", "why"),
    [
        (["void", "--part", "10", *REASON], "is for a credit"),
        (["amend", "--reissue", *REASON], "not by amend"),
        (["credit"], "Say why"),
    ],
)
def test_what_makes_no_sense_is_wrong_usage(place, monkeypatch, capsys, args, why):
    monkeypatch.chdir(place[0])
    assert exit_code(["correct", "deal:9000000001", *args]) == Exit.USAGE
    assert why in capsys.readouterr().err
