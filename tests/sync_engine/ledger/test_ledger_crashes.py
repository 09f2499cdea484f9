"""Whatever ends a process, what it committed is there and nothing else, and the journal holds."""

import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from sync_engine.ledger import journal
from sync_engine.ledger.sqlite import Ledger

WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from sync_engine.ledger.sqlite import Ledger

ledger = Ledger.open(Path(sys.argv[1]), lambda: datetime.now(UTC))
n = int(ledger.value("meta_get", name="n") or 0)
print("open", flush=True)
while True:
    n += 1
    with ledger.transaction() as tx:
        tx.run("meta_set", name="n", value=str(n))
        tx.journal_many([("test", "count", str(n), {"line": line}) for line in range(3)])
        tx.many("meta_set", [{"name": f"fact {i}", "value": f"{n} " * 400} for i in range(20)])
    print(n, flush=True)
"""


def clock():
    return datetime(2026, 3, 31, 9, 0, tzinfo=UTC)


LINES = 3  # journal lines of one transaction
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["commit", "fail", "copy", "reopen"]), st.integers(0, 40)),
        st.tuples(st.just("wish"), st.just(1)),
    ),
    max_size=12,
)


class Stopped(Exception):
    """The end of a process in the middle of a transaction."""


def write(ledger, rows):
    """Write rows and as many lines in one transaction that is not over yet."""
    transaction = ledger.transaction()
    tx = transaction.__enter__()
    tx.journal_many([("test", "write", str(n), None) for n in range(rows)])
    tx.many("meta_set", [{"name": f"n{n}", "value": "x" * 2_000} for n in range(rows)])
    return transaction


@settings(max_examples=40)
@given(steps=STEPS)
def test_any_steps_and_stops_leave_a_ledger_that_opens_with_every_committed_line(steps):
    """``copy`` takes the files in mid-transaction, as a power cut would leave them."""
    with tempfile.TemporaryDirectory() as name:
        path, lines = Path(name) / "ledger.db", 0
        ledger = Ledger.open(path, clock)
        ledger._connection.execute("PRAGMA cache_size=2")  # uncommitted pages reach the log early
        for step, size in steps:
            if step == "commit":
                write(ledger, size).__exit__(None, None, None)
                lines += size
            elif step == "fail":
                stopped = Stopped()
                assert not write(ledger, size).__exit__(Stopped, stopped, None)
            elif step == "copy":
                transaction = write(ledger, size)
                for file in list(path.parent.glob("ledger.db*")):
                    shutil.copy(file, file.with_name("copied" + file.name.removeprefix("ledger")))
                transaction.__exit__(None, None, None)
                with Ledger.open(path.with_name("copied.db"), clock) as copied:
                    assert journal.verify(copied).lines == lines
                for file in path.parent.glob("copied*"):
                    file.unlink()
                lines += size
            elif step == "wish":
                ledger.wish("resync", {}, "ada")
                lines += 1
            else:
                ledger.close()
                ledger = Ledger.open(path, clock)
            assert journal.verify(ledger).lines == lines
        ledger.close()


@settings(max_examples=12)
@given(delays=st.lists(st.floats(0, 0.03), min_size=2, max_size=3))
def test_a_killed_process_loses_nothing_that_it_had_committed(delays):
    """SIGKILL at any instant, again and again on one ledger."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "ledger.db"
        for delay in delays:
            told = killed_after(path, delay)
            with Ledger.open(path, clock, check=True) as ledger:
                verdict = journal.verify(ledger)
                kept = int(ledger.value("meta_get", name="n") or 0)
                assert verdict.ok
                assert verdict.lines == kept * LINES
                assert told <= kept
                facts = {ledger.value("meta_get", name=f"fact {n}") for n in range(20)}
                assert facts == ({f"{kept} " * 400} if kept else {None})


def killed_after(path, delay_secs):
    """Let a writer write, kill it; return the last number that it told after committing it."""
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout.readline() == "open\n"
        time.sleep(delay_secs)
        writer.kill()
        told = [line for line in writer.stdout.read().split("\n")[:-1] if line]
    return int(told[-1]) if told else 0
