"""A backup is whole and says so; a restore puts back only what is, and keeps what it replaces."""

import json
import sqlite3
import stat
import threading

import pytest

from sync_engine.ledger import journal
from sync_engine.ledger.backup import Manifest, backup, manifest_of, read_manifest, restore
from sync_engine.ledger.lock import LedgerHeld
from sync_engine.ledger.migrating import migrations
from tieout.model.errors import InvariantError, LedgerError


@pytest.fixture
def target(tmp_path):
    return tmp_path / "monday.backup"


def read_once(ledger, *pairs):
    """Let these pairs have read the books."""
    place = {"company": "quickbooks:1", "feed": "invoice", "value": "", "as_of": ""}
    with ledger.transaction() as tx:
        tx.many("cursor_set", [{"pair": pair, **place} for pair in pairs])


@pytest.fixture
def saved(ledger, target, clock, say):
    """A backup of three lines and two pairs; the ledger went on to a fourth and is closed."""
    read_once(ledger, "main", "other")
    say(ledger, "observe", "draft", "plan")
    manifest = backup(ledger, target, clock)
    clock.step(3_600)
    say(ledger, "push")
    ledger.close()
    clock.step(3_600)
    return manifest


def test_a_backup_says_what_it_holds(ledger, target, clock, say):
    say(ledger, "observe", "draft")
    manifest = backup(ledger, target, clock)
    assert manifest == read_manifest(target)
    assert (manifest.head, manifest.lines) == (journal.head(ledger).hash, 2)
    assert (manifest.schema_version, manifest.at) == (len(migrations()), "2026-03-31T09:00:00.000Z")


def test_a_backup_is_two_files_for_their_owner_only(ledger, target, clock, tmp_path):
    backup(ledger, target, clock)
    made = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("monday*")}
    assert made == {"monday.backup": 0o600, "monday.backup.json": 0o600}


def test_a_backup_never_replaces_a_file(ledger, target, clock):
    backup(ledger, target, clock)
    before = target.read_bytes()
    with pytest.raises(LedgerError, match="exists"):
        backup(ledger, target, clock)
    assert target.read_bytes() == before


def test_a_backup_that_was_cut_off_is_no_backup_and_is_made_whole_by_the_same_command(
    ledger, target, ledger_path, clock
):
    backup(ledger, target, clock)
    target.rename(f"{target}.part")  # its name comes last
    with pytest.raises(LedgerError, match="cut off"):
        restore(target, ledger_path, clock, "ada")

    assert backup(ledger, target, clock) == read_manifest(target)
    assert target.exists()


def test_a_backup_takes_no_other_file_for_its_manifest(ledger, target, clock):
    manifest_of(target).write_text("{}")
    with pytest.raises(LedgerError, match="exists"):
        backup(ledger, target, clock)
    assert manifest_of(target).read_text() == "{}"


def test_a_backup_that_cannot_be_written_leaves_nothing(ledger, tmp_path, clock):
    with pytest.raises(LedgerError, match=r"There is no folder .*nowhere"):
        backup(ledger, tmp_path / "nowhere" / "monday.backup", clock)
    assert [path.name for path in tmp_path.glob("*.part")] == []


def test_a_journal_that_does_not_hold_is_not_backed_up(ledger, target, clock, say):
    say(ledger, "observe")
    ledger._connection.execute("UPDATE meta SET value = 'x'")
    with pytest.raises(LedgerError, match="does not hold"):
        backup(ledger, target, clock)
    assert not target.exists()
    assert not manifest_of(target).exists()


def test_a_backup_is_of_whole_transactions_while_others_write(ledger, opened, tmp_path, clock):
    writer = opened(exclusive=False)
    stop = threading.Event()

    def write():
        while not stop.is_set():
            writer.wish("resync", {}, "ada")  # one row and one line, together

    thread = threading.Thread(target=write)
    thread.start()
    made = [backup(ledger, tmp_path / f"{n}.backup", clock) for n in range(5)]
    stop.set()
    thread.join()
    assert made == [read_manifest(tmp_path / f"{n}.backup") for n in range(5)]


def test_a_backup_inside_a_transaction_is_a_mistake_of_ours(ledger, target, clock):
    with ledger.transaction(), pytest.raises(InvariantError, match="inside a transaction"):
        backup(ledger, target, clock)


def test_a_restore_puts_the_backup_back_and_keeps_what_was_there(
    saved, target, ledger_path, opened, clock
):
    kept = restore(target, ledger_path, clock, "ada")
    assert kept.name == "ledger.db.before-20260331T110000000000Z"

    restored = opened()
    assert [line["what"] for line in restored.all("journal_after", n=0, limit=9)] == [
        "observe",
        "draft",
        "plan",
        "restore",
    ]
    assert journal.verify(restored, against=saved.head).ok
    replaced = opened(kept)
    assert replaced.one("journal_last")["what"] == "push"


def test_a_restore_is_journaled_with_its_person(saved, target, ledger_path, opened, clock):
    kept = restore(target, ledger_path, clock, "ada")
    line = opened().one("journal_last")
    assert (line["who"], line["what"], line["subject"]) == ("ada", "restore", saved.head)
    assert json.loads(line["detail"]) == {"backup_at": saved.at, "lines": 3, "kept_as": kept.name}


def test_a_restored_ledger_reads_from_when_its_backup_last_knew_the_world(
    saved, target, ledger_path, opened, clock, say
):
    restore(target, ledger_path, clock, "ada")
    restored = opened()
    say(restored, "observe")
    known_at = journal.restored_from(restored, "main")
    assert known_at.isoformat() == "2026-03-31T09:00:00+00:00"
    assert restored.value("meta_get", name="restored_at") == "2026-03-31T11:00:00.000Z"

    with restored.transaction() as tx:
        journal.caught_up(tx, "main")
    assert journal.restored_from(restored, "main") is None
    assert journal.restored_from(restored, "other") == known_at  # its turn comes


def test_a_ledger_restored_twice_still_reads_from_the_backup(
    saved, target, tmp_path, ledger_path, opened, clock
):
    """The second backup was made before the second pair caught up."""
    restore(target, ledger_path, clock, "ada")
    again = tmp_path / "again.backup"
    restored = opened()
    with restored.transaction() as tx:
        journal.caught_up(tx, "main")
    backup(restored, again, clock)
    restored.close()
    clock.step(60)
    restore(again, ledger_path, clock, "ada")
    both = opened()
    known_at = [journal.restored_from(both, pair).hour for pair in ("main", "other")]
    assert known_at == [11, 9]


def test_an_empty_ledger_is_restored_from_when_its_backup_was_made(
    ledger, target, ledger_path, opened, clock
):
    read_once(ledger, "main")
    backup(ledger, target, clock)
    ledger.close()
    clock.step(60)
    restore(target, ledger_path, clock, "ada")
    known_at = journal.restored_from(opened(), "main")
    assert known_at.isoformat() == "2026-03-31T09:00:00+00:00"


def test_no_old_wish_is_granted_after_a_restore(ledger, target, ledger_path, opened, clock):
    wish_id = ledger.wish("apply", {}, "ada")
    backup(ledger, target, clock)
    ledger.close()
    restore(target, ledger_path, clock, "ada")
    restored = opened()
    assert restored.open_wishes() == []
    assert "restored" in restored.wish_outcome(wish_id)["closed"]


def test_a_restore_where_no_ledger_is_keeps_nothing(saved, target, tmp_path, opened, clock):
    assert restore(target, tmp_path / "new.db", clock, "ada") is None
    assert opened(tmp_path / "new.db").one("journal_last")["what"] == "restore"


def test_a_ledger_in_use_is_not_replaced(saved, target, ledger_path, opened, clock):
    running = opened()
    with pytest.raises(LedgerHeld):
        restore(target, ledger_path, clock, "ada")
    assert running.one("journal_last")["what"] == "push"


def test_a_log_that_was_not_yet_in_the_file_stays_with_the_old_ledger(
    saved, target, ledger_path, opened, clock
):
    """A killed owner leaves commits in the -wal file; they belong to the ledger set aside."""
    reader = opened(exclusive=False)
    reader.wish("apply", {}, "ada")
    kept = restore(target, ledger_path, clock, "ada")
    reader.close()
    assert opened(kept).one("journal_last")["what"] == "wish"
    assert opened().one("journal_last")["what"] == "restore"


def test_a_log_whose_ledger_is_gone_is_not_read_into_the_restored_one(
    saved, target, ledger_path, opened, clock
):
    reader = opened(exclusive=False)
    reader.wish("apply", {}, "ada")
    left = ledger_path.with_name("ledger.db-wal").read_bytes()
    reader.close()
    ledger_path.unlink()
    ledger_path.with_name("ledger.db-wal").write_bytes(left)

    assert restore(target, ledger_path, clock, "ada") is None
    restored = opened(check=True)
    assert (journal.verify(restored).ok, restored.one("journal_last")["what"]) == (True, "restore")


def test_what_a_killed_restore_left_in_its_log_is_not_read_into_the_next(
    saved, target, ledger_path, opened, clock
):
    """SQLite keeps the pages that a commit replaces in a log beside the part."""
    part = ledger_path.with_suffix(".db.part")
    torn = sqlite3.connect(part, isolation_level=None)
    torn.executescript("PRAGMA cache_size=2; CREATE TABLE other (a); BEGIN;")
    torn.executemany("INSERT INTO other VALUES (?)", [("x" * 4_000,)] * 99)
    left = part.with_name(part.name + "-journal")
    torn_journal = left.read_bytes()
    torn.close()
    left.write_bytes(torn_journal)

    restore(target, ledger_path, clock, "ada")
    restored = opened(check=True)
    assert (journal.verify(restored).ok, restored.one("journal_last")["what"]) == (True, "restore")


def test_a_ledger_too_damaged_to_open_can_be_replaced(saved, target, ledger_path, opened, clock):
    ledger_path.write_bytes(b"nothing SQLite knows" * 1_000)
    kept = restore(target, ledger_path, clock, "ada")
    assert opened().one("journal_last")["what"] == "restore"
    assert kept.read_bytes().startswith(b"nothing")


def rewrite(target, **changed):
    told = json.loads(manifest_of(target).read_text()) | changed
    manifest_of(target).write_text(json.dumps(told))


def test_a_backup_that_is_not_whole_is_refused_and_nothing_is_touched(
    saved, target, ledger_path, opened, clock, tmp_path
):
    def refused(match):
        with pytest.raises(LedgerError, match=match):
            restore(target, ledger_path, clock, "ada")

    whole = target.read_bytes()
    target.write_bytes(whole[:-1] + b"x")
    refused("not whole: its SHA-256")
    target.write_bytes(whole)

    rewrite(target, lines=4)
    refused("not whole: its journal")
    rewrite(target, lines=3, head="ab" * 32)
    refused("not whole: No line has the hash")
    manifest_of(target).write_text("[]")
    refused("not a backup's manifest")
    manifest_of(target).write_text('{"head": "x"}')
    refused("not a backup's manifest")
    manifest_of(target).unlink()
    refused(r"monday\.backup\.json")

    assert opened().one("journal_last")["what"] == "push"
    assert list(tmp_path.glob("*.part*")) == []
    assert list(tmp_path.glob("*.before*")) == []


def test_a_backup_of_a_newer_version_is_refused(ledger, target, tmp_path, clock):
    with ledger.transaction() as tx:
        tx.run("migration_record", n=len(migrations()) + 1, name="later", at="2027")
    manifest = backup(ledger, target, clock)
    assert isinstance(manifest, Manifest)
    with pytest.raises(LedgerError, match="newer version"):
        restore(target, tmp_path / "new.db", clock, "ada")
    assert not (tmp_path / "new.db").exists()


def test_a_restore_into_a_folder_that_is_not_there_is_refused(saved, target, tmp_path, clock):
    with pytest.raises(LedgerError, match=r"There is no folder .*nowhere"):
        restore(target, tmp_path / "nowhere" / "ledger.db", clock, "ada")


def test_a_backup_whose_manifest_cannot_be_written_leaves_its_name_free(ledger, target, clock):
    in_the_way = target.with_name(f"{target.name}.json.part")
    in_the_way.mkdir()  # as a disk that is full by then

    with pytest.raises(LedgerError):
        backup(ledger, target, clock)
    in_the_way.rmdir()

    assert not target.exists()
    backup(ledger, target, clock)
