"""A transaction is kept whole, on the disk, or not at all."""

import sqlite3
import threading

import pytest

from sync_engine.ledger import journal
from tieout.model.errors import InvariantError, LedgerError, NextStep, ValueRefused


def test_what_a_transaction_wrote_is_kept(opened, ledger_path):
    ledger = opened()
    with ledger.transaction() as tx:
        assert tx.run("meta_set", name="a", value="1") == 1
        assert tx.many("meta_set", [{"name": n, "value": "2"} for n in "bcd"]) == 3
        assert tx.value("meta_get", name="b") == "2"
    ledger.close()
    assert opened().value("meta_get", name="d") == "2"


def test_an_error_takes_everything_back(ledger):
    def half():
        with ledger.transaction() as tx:
            tx.run("meta_set", name="a", value="1")
            tx.journal("test", "divide", "zero")
            _ = 1 / 0

    with pytest.raises(ZeroDivisionError):
        half()
    assert ledger.value("meta_get", name="a") is None
    assert journal.verify(ledger).lines == 0


def test_a_row_is_read_by_its_columns(ledger, say):
    say(ledger, "look")
    row = ledger.one("journal_last")
    assert (row["who"], row["what"], row["at"]) == ("test", "look", "2026-03-31T09:00:00.000Z")
    assert ledger.all("journal_after", n=1, limit=9) == []


def test_one_means_one(ledger):
    ledger.wish("apply", {}, "ada")
    ledger.wish("apply", {}, "ada")
    with pytest.raises(InvariantError, match="more than one row"):
        ledger.one("wish_open", limit=9)


def test_a_transaction_inside_a_transaction_is_a_mistake_of_ours(ledger):
    with ledger.transaction() as tx:
        with pytest.raises(InvariantError, match="inside a transaction"), ledger.transaction():
            pass
        tx.run("meta_set", name="outer", value="goes on")
    assert ledger.value("meta_get", name="outer") == "goes on"


def test_a_transaction_that_is_over_writes_nothing_more(ledger):
    """A full disk may end it early: what follows would otherwise be kept without what preceded."""
    with ledger.transaction() as tx:
        pass
    with pytest.raises(InvariantError, match="is over"):
        tx.run("meta_set", name="a", value="1")
    with pytest.raises(InvariantError, match="is over"):
        tx.many("meta_set", [{"name": "a", "value": "1"}])
    assert ledger.value("meta_get", name="a") is None


def test_nothing_is_written_outside_a_transaction(ledger):
    with pytest.raises(InvariantError, match="outside a transaction"):
        ledger.one("wish_leave", kind="apply", args="{}", who="ada", at="now")


@pytest.mark.parametrize("values", [{}, {"name": 1.5j}], ids=["missing", "no type of SQL"])
def test_wrong_values_are_a_mistake_of_ours(ledger, values):
    with pytest.raises(InvariantError, match="meta_get"):
        ledger.value("meta_get", **values)


@pytest.mark.parametrize("value", ["half a character \ud83d", 2**63])
def test_a_value_that_cannot_be_stored_says_so(ledger, value):
    with pytest.raises(ValueRefused, match="cannot be stored"), ledger.transaction() as tx:
        tx.run("meta_set", name="a", value=value)


def test_a_journal_word_that_cannot_be_stored_says_so(ledger):
    with pytest.raises(ValueRefused, match="cannot be stored"), ledger.transaction() as tx:
        tx.journal("engine", "refuse", "deal 901", "half a character \ud83d")


def test_a_text_that_the_disk_spoiled_is_told_as_damage(ledger):
    ledger._connection.execute("INSERT INTO meta VALUES ('a', CAST(x'ff' AS TEXT))")
    with pytest.raises(LedgerError, match="damaged"):
        ledger.value("meta_get", name="a")


def test_a_query_that_is_not_there_is_a_mistake_of_ours(ledger):
    with pytest.raises(InvariantError, match="no query nothing"):
        ledger.all("nothing")


def test_threads_take_turns(ledger):
    """Another thread waits for the end of a transaction and never sees half of it."""
    seen = []
    with ledger.transaction() as tx:
        tx.run("meta_set", name="a", value="half")
        other = threading.Thread(target=lambda: seen.append(ledger.value("meta_get", name="a")))
        other.start()
        other.join(0.05)
        assert seen == []
        tx.run("meta_set", name="a", value="whole")
    other.join()
    assert seen == ["whole"]


def test_only_what_changed_something_waits_for_the_disk(ledger):
    before = ledger.commits
    with ledger.transaction() as tx:
        tx.value("meta_get", name="a")
    with ledger.transaction() as tx:
        tx.run("meta_set", name="a", value="1")
        tx.journal_many([("test", "write", f"deal {n}", None) for n in range(200)])
    assert ledger.commits - before == 1


def fill(ledger, pages_more):
    """Give the ledger's disk room for that many pages more, as a full disk would."""
    pages = ledger._connection.execute("PRAGMA page_count").fetchone()[0]
    ledger._connection.execute(f"PRAGMA max_page_count={pages + pages_more}")


def test_a_disk_that_fills_in_a_transaction_keeps_what_was_whole(ledger, say):
    say(ledger, "before")
    fill(ledger, 2)
    rows = [{"name": f"n{n}", "value": "x" * 1_000} for n in range(100)]
    with pytest.raises(LedgerError, match="disk is full") as refused, ledger.transaction() as tx:
        tx.many("meta_set", rows)
    assert (refused.value.vendor_code, refused.value.next_step) == ("SQLITE_FULL", NextStep.STOP)
    assert ledger.value("meta_get", name="n0") is None

    fill(ledger, 1_000)
    say(ledger, "after")
    assert journal.verify(ledger).lines == 2


def test_a_disk_that_fills_with_the_journal_keeps_nothing_of_what_it_told(ledger):
    def tell():
        with ledger.transaction() as tx:
            tx.run("meta_set", name="a", value="1")
            tx.journal_many([("test", "write", "x" * 1_000, None) for _ in range(100)])

    fill(ledger, 1)
    with pytest.raises(LedgerError, match="disk is full"):
        tell()
    assert ledger.value("meta_get", name="a") is None
    assert journal.verify(ledger).ok


def test_a_disk_that_became_read_only_is_told_as_such(ledger):
    ledger._connection.execute("PRAGMA query_only=ON")
    with pytest.raises(LedgerError, match="read-only"), ledger.transaction() as tx:
        tx.run("meta_set", name="a", value="1")


def test_another_process_that_keeps_the_ledger_too_long_is_told_as_such(ledger, ledger_path):
    other = sqlite3.connect(ledger_path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    ledger._connection.execute("PRAGMA busy_timeout=10")
    with pytest.raises(LedgerError, match="kept the ledger"), ledger.transaction():
        pass
    other.close()
    with ledger.transaction() as tx:
        tx.run("meta_set", name="a", value="1")
