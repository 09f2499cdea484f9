"""Opening: only our own, whole, writable ledger of this version, and only once."""

import json
import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from sync_engine.ledger import lock, migrating
from sync_engine.ledger.sqlite import CHECKED_BYTES, Ledger, flush_folder
from tieout.model.errors import LedgerError


def setting(ledger, name):
    return ledger._connection.execute(f"PRAGMA {name}").fetchone()[0]


def test_a_new_ledger_s_name_is_on_the_disk_before_anything_is_in_it(
    opened, ledger_path, monkeypatch
):
    """R52: without a flush of its folder a new file may be gone after a power cut, commits and all."""
    flushed, fsync = [], os.fsync

    def flush(descriptor: int) -> None:
        flushed.append(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", flush)
    opened()
    assert flushed[0] == ledger_path.parent.stat().st_ino


def test_flushing_a_folder_leaves_no_file_open(tmp_path):
    free = _lowest_free_descriptor()
    flush_folder(tmp_path)
    assert _lowest_free_descriptor() == free


def _lowest_free_descriptor() -> int:
    descriptor = os.open(os.devnull, os.O_RDONLY)
    os.close(descriptor)
    return descriptor


@pytest.mark.parametrize("exclusive", [True, False])
def test_a_commit_is_on_the_disk_when_it_returns(opened, exclusive):
    """R52: write-ahead log with synchronous FULL, at each opening and whoever opens."""
    opened().close()
    ledger = opened(exclusive=exclusive)
    assert setting(ledger, "journal_mode") == "wal"
    assert setting(ledger, "synchronous") == 2
    assert setting(ledger, "fullfsync") == 1
    assert setting(ledger, "foreign_keys") == 1


def test_a_place_that_cannot_keep_commits_is_refused(clock):
    """A database that is not on a disk answers another journal mode, as some network folders do."""
    ledger = Ledger(Path(":memory:"), sqlite3.connect(":memory:", isolation_level=None), clock)
    with pytest.raises(LedgerError, match=r"journal_mode=memory where wal .* local disk"):
        ledger._set_and_read_back()
    ledger.close()


def test_all_its_files_are_for_its_owner_only(opened, tmp_path, say):
    was = os.umask(0)
    try:
        say(opened(), "look")
    finally:
        os.umask(was)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    names = ["ledger.db", "ledger.db-shm", "ledger.db-wal", "ledger.db.lock"]
    assert modes == dict.fromkeys(names, 0o600)


def test_it_can_be_told_by_its_application_id(opened, ledger_path):
    opened().close()
    assert ledger_path.read_bytes()[68:72] == b"tieo"


def test_a_second_owner_is_told_who_the_first_is(opened, ledger_path):
    opened()
    told = json.loads(lock.lock_path(ledger_path).read_text())
    assert (told["pid"], told["since"]) == (os.getpid(), "2026-03-31T09:00:00.000Z")
    with pytest.raises(lock.LedgerHeld, match=rf"Process {os.getpid()} on .* owns"):
        opened()


def test_another_process_is_refused_and_can_still_read(opened, ledger_path, say):
    say(opened(), "look")
    script = f"""
from datetime import UTC, datetime
from pathlib import Path
from sync_engine.ledger.lock import LedgerHeld
from sync_engine.ledger.sqlite import Ledger
path, clock = Path({str(ledger_path)!r}), lambda: datetime.now(UTC)
try:
    Ledger.open(path, clock)
except LedgerHeld:
    with Ledger.open(path, clock, exclusive=False) as ledger:
        print(ledger.one("journal_last")["what"])
"""
    told = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    assert told.stdout == "look\n"


def test_it_is_opened_while_its_owner_writes(opened, say):
    """What is written while opening is no cut in the journal."""
    owner, stop = opened(), threading.Event()

    def write():
        while not stop.is_set():
            say(owner, "look")

    thread = threading.Thread(target=write)
    thread.start()
    for _ in range(50):
        opened(exclusive=False).close()
    stop.set()
    thread.join()


def test_the_lock_ends_with_its_owner(opened):
    opened().close()
    opened()


def test_a_lock_whose_holder_has_not_said_who_it_is_holds_too(opened, ledger_path):
    opened()
    lock.lock_path(ledger_path).write_text("")
    with pytest.raises(lock.LedgerHeld, match="Another process owns"):
        opened()


def test_a_lock_that_cannot_be_written_is_told_and_not_kept(opened, ledger_path):
    lock.lock_path(ledger_path).symlink_to(os.devnull)
    with pytest.raises(LedgerError, match=r"ledger\.db cannot be used"):
        opened()
    lock.lock_path(ledger_path).unlink()
    opened()


def test_a_folder_in_its_place_is_refused(opened, tmp_path):
    with pytest.raises(LedgerError, match="Is a directory"):
        opened(tmp_path)


def test_a_refused_opening_keeps_no_lock(opened, ledger_path):
    ledger_path.write_bytes(b"this is a spreadsheet, not a database" * 100)
    with pytest.raises(LedgerError, match="not a ledger"):
        opened()
    ledger_path.unlink()
    opened()


def test_who_does_not_own_it_does_not_make_it(opened, ledger_path):
    with pytest.raises(LedgerError, match="There is no ledger"):
        opened(exclusive=False)
    assert not ledger_path.exists()


def test_a_folder_is_made_for_it(opened, tmp_path):
    opened(tmp_path / "var" / "tieout" / "ledger.db")


def test_a_database_of_another_program_is_refused_and_left_as_it_is(opened, ledger_path):
    other = sqlite3.connect(ledger_path)
    other.execute("CREATE TABLE cookies (name)")
    other.commit()
    other.close()
    before = ledger_path.read_bytes()
    with pytest.raises(LedgerError, match="not a ledger of Tieout"):
        opened()
    assert ledger_path.read_bytes() == before


def damage(path):
    """Overwrite the middle of the file, as a failing disk would."""
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 4096] = b"\xff" * 4096
    path.write_bytes(content)


def test_a_damaged_file_is_refused(opened, ledger_path, say):
    ledger = opened()
    with ledger.transaction() as tx:
        tx.many("meta_set", [{"name": f"n{n}", "value": "x" * 500} for n in range(500)])
    ledger.close()
    damage(ledger_path)
    with pytest.raises(LedgerError, match="damaged"):
        opened()


def test_opening_what_is_up_to_date_waits_for_no_commit(opened, ledger_path):
    opened().close()
    before = ledger_path.stat().st_mtime_ns
    ledger = opened()
    assert ledger.commits == 0
    assert ledger_path.with_name("ledger.db-wal").stat().st_size == 0
    ledger.close()
    assert ledger_path.stat().st_mtime_ns == before


def test_a_large_file_is_checked_only_when_asked(opened, ledger_path):
    ledger = opened()
    with ledger.transaction() as tx:
        rows = [{"name": f"n{n}", "value": "x" * 3_000} for n in range(CHECKED_BYTES // 2_000)]
        tx.many("meta_set", rows)
    ledger.close()
    assert ledger_path.stat().st_size > CHECKED_BYTES
    damage(ledger_path)
    opened().close()
    with pytest.raises(LedgerError, match="damaged"):
        opened(check=True)


def test_a_journal_that_was_cut_off_is_told_at_opening(opened, ledger_path, say):
    ledger = opened()
    say(ledger, "one", "two", "three")
    ledger.close()
    other = sqlite3.connect(ledger_path)
    other.executescript("DROP TRIGGER journal_keeps_its_lines; DELETE FROM journal WHERE n = 3;")
    other.close()
    with pytest.raises(LedgerError, match="ends with line 2, the ledger notes line 3"):
        opened()


@pytest.mark.parametrize("exclusive", [True, False])
def test_a_ledger_of_a_newer_version_is_refused(opened, exclusive):
    ledger = opened()
    with ledger.transaction() as tx:
        tx.run("migration_record", n=len(migrating.migrations()) + 1, name="later", at="2027")
    ledger.close()
    with pytest.raises(LedgerError, match="newer version of Tieout"):
        opened(exclusive=exclusive)


def test_a_ledger_of_an_older_version_waits_for_its_owner(opened):
    ledger = opened()
    ledger._connection.execute("DELETE FROM migration WHERE n > 1")
    ledger.close()
    with pytest.raises(LedgerError, match="older version of Tieout"):
        opened(exclusive=False)


@pytest.fixture
def folder(plain_person):
    """A folder of the plain person's own, which pytest's is not when root runs the tests."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)
        Path(name).chmod(0o700)


@pytest.mark.parametrize("exclusive", [True, False])
@pytest.mark.parametrize("which", ["file", "folder"])
def test_what_cannot_be_written_is_told_at_opening(opened, folder, which, exclusive):
    path = folder / "ledger.db"
    opened(path).close()
    if which == "file":
        path.chmod(0o400)
        lock.lock_path(path).chmod(0o400)
    else:
        folder.chmod(0o555)
    with pytest.raises(LedgerError, match="writable for this user"):
        opened(path, exclusive=exclusive)


def test_an_emptied_ledger_is_not_called_an_older_version(ledger_path, clock):
    ledger_path.write_bytes(b"")

    with pytest.raises(LedgerError, match="or it was emptied") as caught:
        Ledger.open(ledger_path, clock, exclusive=False)

    assert "Restore the last backup" in caught.value.next
