"""The journal finds one changed, missing, re-ordered or cut-off line."""

import hashlib
import json
import sqlite3
import threading
from contextlib import closing

import pytest

from sync_engine.ledger import journal
from sync_engine.ledger.journal import Head, verify
from sync_engine.ledger.sqlite import Asked
from tieout.model.errors import InvariantError, LedgerError


@pytest.fixture
def five(ledger, say):
    """A ledger whose journal has five lines."""
    say(ledger, "observe", "draft", "plan", "approve", "push")
    return ledger


def forge(ledger, sql):
    """Change the journal as somebody with the file and a SQLite shell could."""
    for trigger in ("journal_continues", "journal_keeps_its_words", "journal_keeps_its_lines"):
        ledger._connection.execute(f"DROP TRIGGER IF EXISTS {trigger}")
    ledger._connection.executescript(sql)


def test_a_line_says_who_did_what_when_to_which_record(ledger, clock):
    clock.step(1.5)
    with ledger.transaction() as tx:
        tx.journal("Åse", "approve", "a1b2", {"net": "10.00", "a": 1})
    line = ledger.one("journal_last")
    words = [1, "2026-03-31T09:00:01.500Z", "Åse", "approve", "a1b2", '{"a":1,"net":"10.00"}']
    text = json.dumps(words, separators=(",", ":"), ensure_ascii=False)  # its letters in UTF-8
    expected = hashlib.sha256(("0" * 64 + text).encode()).hexdigest()
    assert list(line) == [*words, "0" * 64, expected]
    assert journal.head(ledger) == Head(1, expected)


def test_a_whole_chain_holds(five):
    assert verify(five).ok
    assert verify(five).lines == 5
    assert verify(five).head == journal.head(five)


def test_an_empty_journal_holds(ledger):
    assert verify(ledger) == journal.Verdict(ok=True, lines=0, head=Head())


def test_many_lines_of_one_transaction_are_one_chain(ledger):
    with ledger.transaction() as tx:
        tx.journal("engine", "begin", "page")
        tx.journal_many([("engine", "observe", f"deal {n}", {"n": n}) for n in range(2_500)])
        tx.journal("engine", "end", "page")
    assert verify(ledger).lines == 2_502


FORGERIES = {
    "changed": ("UPDATE journal SET who = 'eve' WHERE n = 3;", 3, "Line 3 was changed"),
    "changed detail": ("UPDATE journal SET detail = '{}' WHERE n = 3;", 3, "Line 3 was changed"),
    "unreadable": (
        "UPDATE journal SET detail = CAST(x'ff' AS TEXT) WHERE n = 3;",
        3,
        "Line 3 cannot be read",
    ),
    "no text": ("UPDATE journal SET detail = x'6e756c6c' WHERE n = 3;", 3, "Line 3 was changed"),
    "missing": ("DELETE FROM journal WHERE n = 3;", 3, "Line 3 is missing: line 4 follows line 2."),
    "first missing": (
        "DELETE FROM journal WHERE n = 1;",
        1,
        "Line 1 is missing: line 2 follows line 0.",
    ),
    "closed up": (
        "DELETE FROM journal WHERE n = 3; UPDATE journal SET n = n - 1 WHERE n > 3;",
        3,
        "Line 3 does not follow line 2",
    ),
    "re-ordered": (
        "UPDATE journal SET n = -n WHERE n IN (3, 4); UPDATE journal SET n = n + 7 WHERE n < 0;",
        3,
        "Line 3 does not follow line 2",
    ),
    "cut off": ("DELETE FROM journal WHERE n > 3;", 4, "notes 5 lines and the journal holds 3"),
    "all cut off": ("DELETE FROM journal;", 1, "notes 5 lines and the journal holds 0"),
    "head changed": (
        "UPDATE meta SET value = '4 ' || (SELECT hash FROM journal WHERE n = 4);",
        5,
        "notes 4 lines and the journal holds 5",
    ),
    "head destroyed": ("UPDATE meta SET value = 'x';", 1, "notes 0 lines"),
}


@pytest.mark.parametrize(("sql", "broken", "why"), FORGERIES.values(), ids=FORGERIES)
def test_a_forgery_is_found_at_its_line(five, sql, broken, why):
    forge(five, sql)
    verdict = verify(five)
    assert (verdict.ok, verdict.first_broken) == (False, broken)
    assert why in verdict.why


def test_a_cut_that_also_mends_the_head_is_found_with_a_hash_noted_earlier(five):
    noted = journal.head(five).hash
    forge(
        five,
        "DELETE FROM journal WHERE n > 3;"
        "UPDATE meta SET value = '3 ' || (SELECT hash FROM journal WHERE n = 3);",
    )
    assert verify(five).ok
    verdict = verify(five, against=noted)
    assert (verdict.ok, verdict.lines) == (False, 3)
    assert noted in verdict.why


def test_a_ledger_that_another_keeps_for_itself_is_not_called_broken(tmp_path, five):
    path = tmp_path / "kept.db"
    with closing(sqlite3.connect(path)) as keeper, closing(sqlite3.connect(path, timeout=0)) as us:
        five.snapshot_into(keeper)
        keeper.execute("PRAGMA journal_mode=DELETE")
        keeper.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LedgerError, match="kept the ledger for too long"):
            verify(Asked(us))


def test_any_earlier_head_is_in_the_chain(ledger, say):
    heads = [journal.head(ledger).hash]
    for word in ("observe", "draft", "plan"):
        say(ledger, word)
        heads.append(journal.head(ledger).hash)
    assert [verify(ledger, against=noted).ok for noted in heads] == [True] * 4
    assert verify(ledger, against=heads[1].upper() + "\n").ok
    assert not verify(ledger, against="ab" * 32).ok


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE journal SET who = 'eve'",
        "DELETE FROM journal",
        "INSERT INTO journal SELECT n + 2, at, who, what, subject, detail, prev, hash FROM journal",
        "REPLACE INTO journal SELECT n, at, 'eve', what, subject, detail, prev, hash FROM journal",
    ],
)
def test_the_database_itself_only_appends(ledger, say, sql):
    say(ledger, "observe")
    with pytest.raises(sqlite3.IntegrityError, match="journal line"):
        ledger._connection.execute(sql)
    assert verify(ledger).lines == 1


def test_it_is_verified_while_others_append(five, opened):
    """A line that arrives while verifying belongs to the chain; it is no forgery."""
    writer = opened(exclusive=False)
    stop = threading.Event()

    def append():
        while not stop.is_set():
            writer.wish("resync", {}, "ada")

    thread = threading.Thread(target=append)
    thread.start()
    verdicts = [verify(five) for _ in range(50)]
    stop.set()
    thread.join()
    assert [verdict.why for verdict in verdicts if not verdict.ok] == []


def test_two_processes_write_one_chain(five, opened):
    other = opened(exclusive=False)
    other.wish("approve", {"hash": "a1b2"}, "ada")
    five.wish("approve", {"hash": "a1b2"}, "ada")
    other.wish("approve", {"hash": "a1b2"}, "ada")
    assert verify(other).lines == 8


def test_a_line_without_a_person_or_a_verb_is_refused(ledger):
    with pytest.raises(InvariantError, match="who did what"), ledger.transaction() as tx:
        tx.journal("", "approve", "a1b2")


def test_a_detail_too_long_for_a_line_is_kept_as_its_hash_and_start(ledger):
    words = "x" * journal.DETAIL_CHARS
    with ledger.transaction() as tx:
        tx.journal("engine", "refuse", "deal 901", words)
    detail = json.loads(ledger.one("journal_last")["detail"])
    text = json.dumps(words)
    assert detail == {
        "chars": len(text),
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "start": text[: journal.START_CHARS],
    }


def test_the_longest_detail_that_a_line_holds_is_kept_as_it_is(ledger):
    words = "x" * (journal.DETAIL_CHARS - len('""'))
    with ledger.transaction() as tx:
        tx.journal("engine", "refuse", "deal 901", words)
    assert json.loads(ledger.one("journal_last")["detail"]) == words


def test_the_world_was_last_known_when_the_last_line_was_written(ledger, clock, say):
    assert journal.last_line_at(ledger) is None
    say(ledger, "observe")
    clock.step(60)
    assert (clock() - journal.last_line_at(ledger)).total_seconds() == 60
