"""What is in one commit, and which commit comes before which call."""

import hashlib
import sqlite3
import time
from contextlib import closing
from threading import Thread


def test_the_intent_is_kept_before_the_books_do_it_and_the_receipt_after(world, sold):
    """A process that dies in the call leaves the exact bytes: nothing else may be sent again."""
    sold()
    world.engine()
    world.fault("books", fault="stall", seconds=1.0, path="/invoice$")
    rounds = Thread(target=world.round)
    rounds.start()
    during = []
    while rounds.is_alive():
        during += [(*row, len(world.invoices())) for row in in_flight(world)]
        time.sleep(0.05)
    rounds.join()

    body, sha256, attempts, receipts, invoices = during[0]
    assert hashlib.sha256(body).hexdigest() == sha256
    assert b"PO-0001" in body
    assert (attempts, receipts, invoices) == (1, 0, 0)
    assert (in_flight(world), len(world.invoices())) == ([], 1)


def test_a_page_and_its_cursor_are_one_commit(world, sold):
    """A process that dies between them would miss the page, or keep it without knowing so."""
    deal, engine, said = sold(), world.engine(), []
    engine.ledger._connection.set_trace_callback(said.append)
    assert engine.round("main").error is None

    with_cursor = [each for each in "\n".join(said).split("COMMIT") if "INTO cursor" in each]

    assert any(f"'deal', '{deal}'" in one for one in with_cursor if "INTO snapshot" in one)
    assert any("'preferences'" in one for one in with_cursor if "INTO mirror" in one)


def in_flight(world):
    """The invoices' calls that are on their way, as another process reads them in the ledger."""
    with closing(sqlite3.connect(world.path / "ledger.db")) as ledger:
        return ledger.execute(
            "SELECT p.body, p.body_sha256, a.n, (SELECT count(*) FROM receipt WHERE kind = 'invoice')"
            " FROM parcel p JOIN attempt a ON a.request_id = p.request_id"
            " JOIN outbox o ON o.request_id = p.request_id"
            " WHERE p.state = 'sending' AND a.ended_at IS NULL AND o.kind = 'invoice'"
        ).fetchall()


def test_a_call_that_takes_long_keeps_no_other_from_going(world, sold):
    """Beside a batch of half a minute, single calls go on: a place that is free is taken."""
    world.rates = {"batch": 1, "in_flight": 2}
    for _ in range(4):
        sold()
    world.round(push_too=False)
    world.fault("books", fault="stall", seconds=1.0, path="/invoice$")
    world.round()

    with closing(sqlite3.connect(world.path / "ledger.db")) as ledger:
        sent = ledger.execute(
            "SELECT j.n, json_extract(j.detail, '$.keys[0]') FROM journal j"
            " WHERE j.what = 'sending' AND json_extract(j.detail, '$.call') = 'POST invoice'"
            " ORDER BY j.n"
        ).fetchall()
        answered = dict(ledger.execute("SELECT subject, n FROM journal WHERE what = 'posted'"))
    stalled = max(answered[key] for _, key in sent[:2])
    assert [n for n, _ in sent if n < stalled][2:] != []
