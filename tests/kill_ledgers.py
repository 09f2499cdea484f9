"""What becomes of a ledger that a process is killed beside: lost, upgraded, backed up, restored."""

import shutil
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

from kill_installation import KILLED
from kill_scenes import UNDER_WAY, Scene

from sync_engine.ledger.backup import manifest_of
from sync_engine.ledger.journal import verify
from sync_engine.ledger.migrating import migrations
from sync_engine.ledger.sqlite import Asked, connect
from sync_engine.ledger.store import HERE


class Lost(Scene):
    """The first round without a ledger: it was lost altogether, and is made anew from both sides."""

    stages = frozenset({"migration", "activation", "plan"})

    def arrange(self) -> Sequence[str]:
        if not self.on.ledger.exists():
            self.on.sell_paid()
        for file in self.on.ledger.parent.glob("ledger.db*"):
            file.unlink()
        return ("run", "--once")


class Upgrade(Scene):
    """An older ledger is opened by a version that has one more migration."""

    stages = frozenset({"migration"})

    def arrange(self) -> Sequence[str]:
        older, newer = self.on.path / "older.db", self.on.path / "newer" / "migrations"
        if not older.exists():
            self.on.sell_paid()
            shutil.copy(self.on.ledger, older)
            shutil.copytree(HERE / "migrations", newer)
            (newer / f"{len(migrations()) + 1:04}_anew.sql").write_text(ANEW)
        return ("run", "--once")

    def more(self) -> Mapping[str, Any]:
        return {"migrations": str(self.on.path / "newer")}

    def go_on(self) -> None:
        self.on.must("run", "--once", "--wait", **self.more())
        ((moved,),) = self.on.query("SELECT count(*) FROM further WHERE noted = key")
        ((documents,),) = self.on.query("SELECT count(*) FROM document")
        assert (moved, bool(documents)) == (documents, True)
        for file in self.on.ledger.parent.glob("ledger.db*"):
            file.unlink()
        shutil.copy(self.on.path / "older.db", self.on.ledger)


ANEW = """\
ALTER TABLE document ADD COLUMN noted TEXT;
UPDATE document SET noted = key;
CREATE TABLE further (key TEXT PRIMARY KEY REFERENCES document (key), noted TEXT NOT NULL);
INSERT INTO further SELECT key, noted FROM document;
CREATE INDEX further_noted ON further (noted);
"""


class Backup(Scene):
    """A timer backs the ledger up."""

    stages = frozenset({"backup"})

    def arrange(self) -> Sequence[str]:
        self.on.sell()
        self.on.settle()
        self.target = self.on.path / f"backup-{next(self.count)}.db"
        self.command = ("ledger", "backup", str(self.target))
        return self.command

    def go_on(self) -> None:
        if not (self.target.exists() and manifest_of(self.target).exists()):
            self.on.must(*self.command)
        self.on.must("ledger", "restore", str(self.target))
        self.on.settle()


class Restore(Scene):
    """A person puts an old backup in the place of a ledger that was just killed, and posted more."""

    stages = frozenset({"restore"})

    def arrange(self) -> Sequence[str]:
        self.on.settle()
        target = self.on.path / f"backup-{next(self.count)}.db"
        self.on.must("ledger", "backup", str(target))
        self.on.sell_paid()
        self.on.sell()
        assert self.on.tieout("run", "--once", die_at=UNDER_WAY).code == KILLED
        self.command = ("ledger", "restore", str(target))
        return self.command

    def go_on(self) -> None:
        if next(self.count) % 2:  # else whoever was killed does not come back to it
            self.on.must(*self.command)
        self.on.settle()
        for kept in self.on.ledger.parent.glob("ledger.db.before-*Z"):
            with closing(connect(kept)) as ledger:
                assert verify(Asked(ledger)).ok, kept
