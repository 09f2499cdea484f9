"""A command leaves its wish with the owner of the ledger and shows what came of it."""

import pytest

from sync_engine.ledger import wishes
from sync_engine.ledger.wishes import Wish
from tieout.model.errors import InvariantError


def test_a_wish_is_left_by_one_process_and_granted_by_the_owner(ledger, opened):
    command = opened(exclusive=False)
    wish_id = command.wish("approve", {"hash": "a1b2", "refs": ["deal 901"]}, "ada")
    assert command.wish_outcome(wish_id) is None

    args = {"hash": "a1b2", "refs": ["deal 901"]}
    assert ledger.open_wishes() == [
        Wish(wish_id, "approve", args, "ada", "2026-03-31T09:00:00.000Z")
    ]
    ledger.grant(wish_id, {"exit": 0, "said": ["approved"]})

    assert command.wish_outcome(wish_id) == {"exit": 0, "said": ["approved"]}
    assert command.open_wishes() == []


def test_a_wish_is_journaled_with_its_person(ledger):
    ledger.wish("approve", {"hash": "a1b2"}, "ada")
    line = ledger.one("journal_last")
    assert (line["who"], line["what"], line["subject"]) == ("ada", "wish", "approve")
    assert line["detail"] == '{"hash":"a1b2"}'


def test_a_wish_is_granted_with_what_it_asked_for_or_not_at_all(ledger):
    wish_id = ledger.wish("resync", {}, "ada")

    def half():
        with ledger.transaction() as tx:
            wishes.grant(tx, wish_id, {"exit": 0})
            _ = 1 / 0

    with pytest.raises(ZeroDivisionError):
        half()
    assert [wish.id for wish in ledger.open_wishes()] == [wish_id]


def test_a_wish_that_was_begun_and_never_ended_is_known(ledger):
    first, second = ledger.wish("resync", {}, "ada"), ledger.wish("apply", {}, "ada")
    assert [ledger.begin_wish(wish) for wish in (first, second, second)] == [False, False, True]


def test_of_wishes_that_are_done_side_by_side_each_that_never_ended_is_known(ledger):
    first, second, third = (ledger.wish("apply", {"n": n}, "ada") for n in range(3))
    for wish in (first, second, third):
        ledger.begin_wish(wish)
    ledger.grant(second, {"exit": 0})
    fourth = ledger.wish("apply", {}, "ada")
    told = {wish: ledger.begin_wish(wish) for wish in (first, third, fourth)}
    assert told == {first: True, third: True, fourth: False}


def test_a_wish_is_granted_once(ledger):
    wish_id = ledger.wish("resync", {}, "ada")
    ledger.grant(wish_id, {"exit": 0})
    with pytest.raises(InvariantError, match="no open wish"):
        ledger.grant(wish_id, {"exit": 1})
    assert ledger.wish_outcome(wish_id) == {"exit": 0}


def test_the_oldest_wishes_come_first_and_not_all_at_once(ledger):
    left = [ledger.wish("resync", {"n": n}, "ada") for n in range(wishes.WISHES_AT_ONCE + 1)]
    assert [wish.id for wish in ledger.open_wishes()] == left[:-1]
