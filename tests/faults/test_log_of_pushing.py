"""What the log says of a change that was not done: which, why, and how much it matters."""

import logging

import pytest

from sync_engine.states import in_state


@pytest.fixture
def logged(caplog):
    """Return a function that gives what pushing logged: how grave, the words, and what goes along."""
    caplog.set_level(logging.INFO, "sync_engine.push")

    def read():
        return [
            (one.levelname, one.getMessage(), one.record, one.vendor_code, bool(one.trace))
            for one in caplog.records
            if one.name == "sync_engine.push"
        ]

    return read


def key_of_the_only_one(world, state):
    """Return the key of the one document in a state that is no customer."""
    rows = in_state(world.working.ledger, "main", state)
    [key] = [row["key"] for row in rows if row["kind"] == "invoice"]
    return key


def test_a_rate_limit_is_news_and_no_warning(world, sold, logged):
    sold()
    world.fault("books", fault="status", status=429, retry_after=1, method="POST", path="/invoice$")
    world.round()
    key = key_of_the_only_one(world, "posted")
    assert logged() == [("INFO", "create invoice: rate-limited", key, "", True)]


def test_a_refusal_is_a_warning_with_the_vendors_code_and_trace(world, sold, logged):
    sold()
    books = world.restart().pairs["main"].books
    apply = books.apply

    def close_and_apply(parcel):
        if parcel.items[0].kind == "invoice":
            world.books("close_books", until="2026-03-31")
        return apply(parcel)

    books.apply = close_and_apply
    world.round()
    key = key_of_the_only_one(world, "refused")
    assert logged() == [("WARNING", "create invoice: period-closed", key, "6210", True)]
