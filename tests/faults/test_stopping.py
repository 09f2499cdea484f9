"""Whoever is told to stop while it pushes sends nothing new, and loses nothing."""

from dataclasses import replace

import pytest


@pytest.fixture
def hands(world):
    """Return the engine's hands, of which a stop is made, and which are given back afterwards."""
    world.rates = {"batch": 1, "in_flight": 2}  # five parcels, two at a time
    return world.restart().hands


def once(sign):
    """Return whether a stop was told: from the first sign on, as a signal is never taken back."""
    told = []

    def stopping() -> bool:
        if not told and sign():
            told.append(True)
        return bool(told)

    return stopping


def test_a_stop_before_anything_is_sent_leaves_the_queue_for_the_next_round(
    world, sold, hands, once_each
):
    sold()
    ledger, books = world.working.ledger, world.working.pairs["main"].books.company

    def is_queued():
        return ledger.all("outbox_queued", pair="main", company=books, limit=9)

    world.working.hands = replace(hands, stopping=once(is_queued))
    done = world.round()
    assert (done.whole, done.pushed.parcels, world.books_truth()["customers"]) == (False, 0, [])
    world.working.hands = hands
    world.round()
    once_each(1)


def test_a_stop_between_two_sendings_waits_for_those_on_their_way_and_begins_no_other(
    world, sold, hands, once_each
):
    for _ in range(5):
        sold()
    world.working.hands = replace(hands, stopping=once(world.invoices))
    done = world.round()
    assert (done.whole, done.unknown, len(world.invoices())) == (False, 0, 2)
    world.working.hands = hands
    world.round()
    once_each(5)


def test_a_stop_while_a_rate_limit_is_waited_for_ends_the_round(world, sold, hands, once_each):
    sold()
    world.fault("books", fault="status", status=429, retry_after=1, method="POST", path="/invoice$")
    slept = []
    world.working.hands = replace(hands, sleep=slept.append, stopping=once(lambda: slept))
    done = world.round()
    assert (done.whole, len(slept), world.invoices()) == (False, 1, [])
    world.working.hands = hands
    world.round(2)
    once_each(1)


def test_a_pair_that_the_first_answers_pause_sends_nothing_more(world, sold, hands, once_each):
    for _ in range(5):
        sold()
    closed = {"fault": "status", "status": 401, "count": None, "method": "POST"}
    world.fault("books", path="/invoice$", **closed)
    done = world.round()
    assert (done.whole, done.pushed.parcels) == (False, 5 + 2)  # five customers, two invoices
    assert world.codes() == ["unauthorized"]
    world.mend("books")
    world.working.resume("main", who="ann", reason="connected anew")
    world.round(2)
    once_each(5)
