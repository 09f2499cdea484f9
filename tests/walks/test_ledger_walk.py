"""The ledger walks at random, and a plain model beside it knows each line and fact that it must have:
through failures, kills, backups, restores and second owners; whatever is tampered with is found.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from searching import share
from walks.mortal import Doom, MortalLedger
from walks.shelf import Killed

from sync_engine.ledger import journal
from sync_engine.ledger.backup import backup, read_manifest, restore
from sync_engine.ledger.lock import LedgerHeld
from sync_engine.ledger.migrating import migrations
from sync_engine.ledger.sqlite import Asked, Ledger, connect
from tieout.model.errors import LedgerError

MEMORY = (
    "/dev/shm" if Path("/dev/shm").is_dir() else None
)  # where a commit need not wait for a disk
FACTS = ("a", "b", "c")
BACKUPS = 3
FORGERIES = {
    "a word is changed": "UPDATE journal SET what = what || '!' WHERE n = :n",
    "a line is taken out": "DELETE FROM journal WHERE n = :n",
    "its hash is changed": "UPDATE journal SET hash = 'x' || substr(hash, 2) WHERE n = :n",
    "its instant is changed": "UPDATE journal SET at = '2020-01-01T00:00:00.000Z' WHERE n = :n",
    "all from it on are cut off": "DELETE FROM journal WHERE n >= :n",
    "its subject and detail are changed": "UPDATE journal SET subject = subject || 'x', detail = '0' WHERE n = :n",
    "the head is changed": "UPDATE meta SET value = :n || ' ' || 'x' WHERE name = 'journal_head'",
}


@dataclass
class Model:
    """What a ledger holds."""

    lines: int = 0
    facts: dict[str, str] = field(default_factory=dict)
    wishes: int = 0

    def copy(self) -> Model:
        return Model(self.lines, dict(self.facts), self.wishes)


class LedgerWalk(RuleBasedStateMachine):
    """One ledger, its owner, and who else comes near it."""

    @initialize()
    def start(self) -> None:
        self.held = tempfile.TemporaryDirectory(dir=MEMORY)
        self.folder = Path(self.held.name)
        self.path = self.folder / "ledger.db"
        self.now = datetime(2026, 3, 31, 9, tzinfo=UTC)
        self.model = Model()
        self.backups: list[tuple[Path, Model]] = []
        self.made = 0
        self.open()

    def clock(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def open(self) -> None:
        self.ledger = MortalLedger.open(self.path, self.clock, check=True)

    # -- writing --------------------------------------------------------------------------------

    def write(self, ledger: Ledger, name: str, lines: int) -> Model:
        """Write a fact and some lines in one transaction; return what the ledger then holds."""
        after = self.model.copy()
        after.lines += lines
        after.facts[name] = f"{self.made} {'x' * 3_000}"
        self.made += 1
        with ledger.transaction() as tx:
            tx.journal_many([("test", "write", name, {"line": n}) for n in range(lines)])
            tx.run("meta_set", name=name, value=after.facts[name])
        return after

    @rule(name=st.sampled_from(FACTS), lines=st.integers(0, 5))
    def commit(self, name: str, lines: int) -> None:
        self.model = self.write(self.ledger, name, lines)

    @rule(name=st.sampled_from(FACTS), lines=st.integers(0, 5))
    def fail(self, name: str, lines: int) -> None:
        """What is raised within a transaction leaves nothing of it."""
        with suppress(RuntimeError), self.ledger.transaction() as tx:
            tx.journal_many([("test", "write", name, None)] * lines)
            tx.run("meta_set", name=name, value="never")
            raise RuntimeError

    @rule(name=st.sampled_from(FACTS), lines=st.integers(0, 5), kept=st.booleans())
    def die(self, name: str, lines: int, kept: bool) -> None:
        """The process ends just before its commit, or just after."""
        before = self.model
        self.ledger.doom = Doom(1, kept)
        after = before.copy()
        after.lines += lines
        after.facts[name] = f"{self.made} {'x' * 3_000}"
        with pytest.raises(Killed):
            self.write(self.ledger, name, lines)
        self.ledger.close()
        self.model = after if kept else before
        self.open()

    @rule()
    def start_again(self) -> None:
        self.ledger.close()
        self.open()

    @rule(by_owner=st.booleans())
    def wish(self, by_owner: bool) -> None:
        """The owner, or another process beside it, leaves a wish."""
        if by_owner:
            self.ledger.wish("resync", {}, "ada")
        else:
            with Ledger.open(self.path, self.clock, exclusive=False) as beside:
                beside.wish("resync", {}, "bob")
        self.model.lines += 1
        self.model.wishes += 1

    @rule()
    def be_owned_once(self) -> None:
        with pytest.raises(LedgerHeld):
            Ledger.open(self.path, self.clock)

    # -- backups --------------------------------------------------------------------------------

    @precondition(lambda self: len(self.backups) < BACKUPS)
    @rule()
    def back_up(self) -> None:
        target = self.folder / f"{len(self.backups)}.backup"
        manifest = backup(self.ledger, target, self.clock)
        assert (manifest.lines, manifest) == (self.model.lines, read_manifest(target))
        self.backups.append((target, self.model.copy()))

    @precondition(lambda self: self.backups)
    @rule(n=st.integers(0, BACKUPS - 1))
    def restore(self, n: int) -> None:
        """The ledger is what the backup was, and one line that says so; its wishes are closed."""
        target, model = self.backups[n % len(self.backups)]
        with pytest.raises(LedgerHeld):
            restore(target, self.path, self.clock, "ada")
        self.ledger.close()
        kept = restore(target, self.path, self.clock, "ada")
        assert kept is not None
        with closing(connect(kept)) as old:
            assert journal.verify(Asked(old)).lines == self.model.lines
        self.model = model.copy()
        self.model.lines += 1
        self.model.wishes = 0
        self.open()

    @precondition(lambda self: self.backups)
    @rule(n=st.integers(0, BACKUPS - 1), at=st.floats(0, 1, exclude_max=True), cut=st.booleans())
    def restore_what_is_not_whole(self, n: int, at: float, cut: bool) -> None:
        """A backup with one byte changed, or cut short, is refused and replaces nothing."""
        target, _ = self.backups[n % len(self.backups)]
        spoiled = self.folder / "spoiled.backup"
        content = bytearray(target.read_bytes())
        place = int(at * len(content))
        content[place] ^= 0xFF
        spoiled.write_bytes(content[:place] if cut else content)
        shutil.copy(f"{target}.json", f"{spoiled}.json")
        self.ledger.close()
        with pytest.raises(LedgerError):
            restore(spoiled, self.path, self.clock, "ada")
        self.open()

    # -- tampering ------------------------------------------------------------------------------

    def copied(self) -> Path:
        """A copy of the ledger's files as they lie there, taken while it is open."""
        copy = self.folder / "copy.db"
        for ending in ("", "-wal"):
            Path(f"{copy}{ending}").unlink(missing_ok=True)
            if Path(f"{self.path}{ending}").exists():
                shutil.copy(f"{self.path}{ending}", f"{copy}{ending}")
        Path(f"{copy}-shm").unlink(missing_ok=True)
        return copy

    @precondition(lambda self: self.model.lines)
    @rule(forgery=st.sampled_from(sorted(FORGERIES)), at=st.floats(0, 1, exclude_max=True))
    def tamper(self, forgery: str, at: float) -> None:
        """Whatever is done to a copy's lines is found by verifying it."""
        line = 1 + int(at * self.model.lines)
        with closing(connect(self.copied())) as copy:
            for (trigger,) in copy.execute(
                "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            ).fetchall():
                copy.execute(f"DROP TRIGGER {trigger}")
            copy.execute(FORGERIES[forgery], {"n": line})
            verdict = journal.verify(Asked(copy))
        assert not verdict.ok
        assert verdict.why

    @rule()
    def come_from_a_newer_version(self) -> None:
        """A ledger that a newer version migrated is left alone."""
        copy = self.copied()
        with closing(connect(copy)) as opened:
            opened.execute(
                "INSERT INTO migration VALUES (?, 'later', '2027-01-01T00:00:00.000Z')",
                (len(migrations()) + 1,),
            )
        with pytest.raises(LedgerError, match="newer"):
            Ledger.open(copy, self.clock)

    # -- what must always hold ------------------------------------------------------------------

    @invariant()
    def every_line_and_fact_is_there(self) -> None:
        verdict = journal.verify(self.ledger)
        assert (verdict.ok, verdict.lines) == (True, self.model.lines)
        assert {name: self.ledger.value("meta_get", name=name) for name in FACTS} == {
            name: self.model.facts.get(name) for name in FACTS
        }
        assert len(self.ledger.open_wishes()) == self.model.wishes

    @invariant()
    def every_migration_ran_once(self) -> None:
        ran = self.ledger._connection.execute("SELECT n, name FROM migration ORDER BY n").fetchall()
        assert [tuple(row) for row in ran] == [(each.n, each.name) for each in migrations()]

    def teardown(self) -> None:
        if hasattr(self, "ledger"):
            self.ledger.close()
            self.held.cleanup()


def test_the_ledger_walks_and_keeps_every_line():
    run_state_machine_as_test(LedgerWalk, settings=share(60, steps=20))


def test_a_forgery_is_one_that_sqlite_takes():
    with sqlite3.connect(":memory:") as database:
        for each in migrations():
            database.executescript(each.sql)
        for forgery in FORGERIES.values():
            database.execute(forgery, {"n": 1})
    database.close()
