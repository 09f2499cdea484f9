"""The ledger on SQLite: opened once by its owner, written in whole transactions.

A commit is on the disk when it returns: write-ahead log with ``synchronous=FULL`` (R52), set and
read back at each opening.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from sync_engine.ledger import lock, migrating, wishes
from sync_engine.ledger.journal import Chain, ends, head
from sync_engine.ledger.refusal import REFUSED, refusal, refused, refused_file
from sync_engine.ledger.store import Entry, Row, Value, queries, writing
from tieout.model.canonical import Values
from tieout.model.dates import instant_text
from tieout.model.errors import InvariantError, LedgerError

APPLICATION_ID: Final = 0x7469656F  # "tieo": what `file` and other tools tell it by
BUSY_SECS: Final = 10.0  # how long a commit waits for another process's small one
CACHE_KIB: Final = 8_192
WAL_KEPT_BYTES: Final = 64 * 1024 * 1024
CHECKED_BYTES: Final = 16 * 1024 * 1024  # a larger file's full check would slow every start
STATEMENTS_KEPT: Final = 512

_SETTINGS: Final[Mapping[str, tuple[object, object]]] = {  # what is set, and what must be read back
    "journal_mode": ("WAL", "wal"),
    "synchronous": ("FULL", 2),
    "foreign_keys": ("ON", 1),
    "fullfsync": ("ON", 1),  # macOS: without it a flushed commit may still be in the disk's cache
    "trusted_schema": ("OFF", 0),
    "temp_store": ("MEMORY", 2),  # no copy of a record in a temporary file elsewhere
    "cache_size": (-CACHE_KIB, -CACHE_KIB),
    "journal_size_limit": (WAL_KEPT_BYTES, WAL_KEPT_BYTES),
}


class Asked:
    """Named queries on a connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def all(self, name: str, /, **values: Value) -> list[Row]:
        """Return every row of a named query."""
        try:
            return list(self._connection.execute(_sql(name), values))
        except REFUSED as wrong:
            raise refused(wrong, name) from wrong

    def one(self, name: str, /, **values: Value) -> Row | None:
        """Return the only row of a named query, None where there is none.

        Raises:
            InvariantError: there are more.
        """
        try:
            rows = self._connection.execute(_sql(name), values).fetchmany(2)
        except REFUSED as wrong:
            raise refused(wrong, name) from wrong
        if len(rows) > 1:
            raise InvariantError(f"The query {name} found more than one row.")
        row: Row | None = rows[0] if rows else None
        return row

    def value(self, name: str, /, **values: Value) -> Value:
        """Return the first column of the only row, None where there is none."""
        row = self.one(name, **values)
        found: Value = None if row is None else row[0]
        return found


class Transaction(Asked):
    """What is written together. Journal lines are chained at once and stored at its end."""

    def __init__(self, connection: sqlite3.Connection, now: Callable[[], datetime]) -> None:
        super().__init__(connection)
        self._now = now
        self._chain: Chain | None = None

    def run(self, name: str, /, **values: Value) -> int:
        """Run a named query; return how many rows it changed."""
        try:
            return self._lasting().execute(_sql(name), values).rowcount
        except REFUSED as wrong:
            raise refused(wrong, name) from wrong

    def many(self, name: str, rows: Iterable[Mapping[str, Value]], /) -> int:
        """Run a named query once for each row; return how many rows were changed in all."""
        try:
            return self._lasting().executemany(_sql(name), rows).rowcount
        except REFUSED as wrong:
            raise refused(wrong, name) from wrong

    def journal(self, who: str, what: str, subject: str, detail: object = None) -> None:
        """Add one line to the journal. ``detail`` is what has a plain form, and no secret."""
        self.journal_many([(who, what, subject, detail)])

    def journal_many(self, entries: Iterable[Entry]) -> None:
        """Add lines ``(who, what, subject, detail)`` of one instant to the journal."""
        if self._chain is None:
            self._chain = Chain(head(self))
        with refusal("the journal"):
            self._chain.add(self.now_text(), entries)

    def now_text(self) -> str:
        """Return this instant as the ledger writes it."""
        return instant_text(self._now())

    def store_journal(self) -> None:
        """Write the chained lines and their head; the ledger does so before it commits."""
        if self._chain is None or not self._chain.rows:
            return
        self.many("journal_append", self._chain.rows)
        self.run("meta_set", name="journal_head", value=self._chain.noted())

    def _lasting(self) -> sqlite3.Connection:
        """Return the connection while the transaction lasts: after it each write would be alone."""
        if not self._connection.in_transaction:
            raise InvariantError("A transaction is over: nothing more can be written in it.")
        return self._connection


class Ledger(Asked):
    """An open ledger. Threads take turns: whoever is in a transaction has it alone."""

    def __init__(
        self, path: Path, connection: sqlite3.Connection, now: Callable[[], datetime]
    ) -> None:
        super().__init__(connection)
        self.path = path
        self.commits = 0  # how many transactions changed something and so waited for the disk
        self._now = now
        self._turn = threading.RLock()
        self._closing = ExitStack()
        self._closing.callback(connection.close)

    @classmethod
    def open(
        cls,
        path: Path,
        now: Callable[[], datetime],
        *,
        exclusive: bool = True,
        check: bool | None = None,
    ) -> Self:
        """Open a ledger; its owner creates it when it is absent and brings its schema up to date.

        Args:
            path: the ledger's file, on a local disk.
            now: the clock, for the journal.
            exclusive: own it for life. Without, the ledger can be read and wished of while another
                process owns it.
            check: read the whole file for damage; when None, if it is small (``CHECKED_BYTES``).

        Raises:
            LedgerHeld: another process owns it.
            LedgerError: it is absent, damaged, foreign, of another version, or cannot be written.
        """
        with ExitStack() as opening:
            if exclusive:
                opening.callback(os.close, _own(path, now))
            else:
                _demand_file(path)
            ledger = cls(path, connect(path), now)
            opening.push(ledger._closing)
            ledger._examine(exclusive=exclusive, check=check)
            ledger._closing = opening.pop_all()
        return ledger

    def close(self) -> None:
        """Close the file and give the lock back."""
        with self._turn:
            self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Keep everything that is written inside, on the disk, or nothing.

        Raises:
            InvariantError: this thread is in a transaction already.
            LedgerError: the disk is full or fails, or another process kept the ledger too long.
        """
        with self._turn:
            if self._connection.in_transaction:
                raise InvariantError("A transaction was begun inside a transaction.")
            before = self._connection.total_changes
            self._command("BEGIN IMMEDIATE")
            try:
                tx = Transaction(self._connection, self._now)
                yield tx
                tx.store_journal()
                self._command("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # a full disk may have rolled back already
                    self._command("ROLLBACK")
                raise
            self.commits += self._connection.total_changes > before

    def all(self, name: str, /, **values: Value) -> list[Row]:
        """Return every row of a named query."""
        with self._turn:
            return super().all(_reading(name), **values)

    def one(self, name: str, /, **values: Value) -> Row | None:
        """Return the only row of a named query, None where there is none."""
        with self._turn:
            return super().one(_reading(name), **values)

    def wish(self, kind: str, args: Values, who: str) -> int:
        """Leave a wish for the owner of the ledger; return its id."""
        with self.transaction() as tx:
            return wishes.leave(tx, kind, args, who)

    def open_wishes(self) -> Sequence[wishes.Wish]:
        """Return the oldest wishes that wait."""
        return wishes.waiting(self)

    def begin_wish(self, wish_id: int) -> bool:
        """Note that a wish is being done; return whether it had been begun and never ended."""
        with self.transaction() as tx:
            return wishes.begin(tx, wish_id)

    def grant(self, wish_id: int, outcome: Values) -> None:
        """Say what came of a wish."""
        with self.transaction() as tx:
            wishes.grant(tx, wish_id, outcome)

    def wish_outcome(self, wish_id: int) -> Mapping[str, Any] | None:
        """Return what came of a wish; None while it waits."""
        return wishes.outcome_of(self, wish_id)

    def snapshot_into(self, target: sqlite3.Connection) -> None:
        """Copy the ledger as it is at one instant, while other processes go on writing.

        Raises:
            InvariantError: this thread is in a transaction, which may yet be rolled back.
        """
        with self._turn, refusal("snapshot"):
            if self._connection.in_transaction:
                raise InvariantError("A snapshot was asked inside a transaction.")
            self._connection.backup(target, pages=-1)

    def _examine(self, *, exclusive: bool, check: bool | None) -> None:
        """Refuse what is not our ledger, migrate it where it is ours to do, look for damage."""
        made = self._setting("application_id")
        if made not in {0, APPLICATION_ID} or (made == 0 and self._setting("schema_version")):
            raise LedgerError(
                f"{self.path} is not a ledger of Tieout.", remedy="Check the ledger's path."
            )
        self._set_and_read_back()
        small = self.path.stat().st_size <= CHECKED_BYTES
        if small if check is None else check:
            self._check_pages()
        if exclusive:
            if made == 0:
                self._command(f"PRAGMA application_id={APPLICATION_ID}")
            migrating.migrate(self._connection, self.transaction, self.path, migrating.migrations())
        else:
            migrating.demand_current(self._connection, self.path)
        self._check_head()

    def _set_and_read_back(self) -> None:
        for name, (value, expected) in _SETTINGS.items():
            self._command(f"PRAGMA {name}={value}")
            found = self._setting(name)
            if found != expected:
                raise LedgerError(
                    f"SQLite answers {name}={found} where {expected} was set for {self.path}.",
                    remedy="Keep the ledger on a local disk: network folders lose commits.",
                )

    def _check_pages(self) -> None:
        with refusal("quick_check"):
            found = self._connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise LedgerError(
                f"{self.path} is damaged: {found}.",
                remedy="Restore the last backup with `tieout ledger restore`.",
            )

    def _check_head(self) -> None:
        """Tell a journal that was cut off, in constant time; ``verify`` reads all of it."""
        last, noted = ends(self)
        if last != noted:
            raise LedgerError(
                f"The journal ends with line {last.n}, the ledger notes line {noted.n}.",
                remedy="Run `tieout audit verify`, then restore the last backup.",
            )

    def _setting(self, name: str) -> object:
        with refusal(name):
            return self._connection.execute(f"PRAGMA {name}").fetchone()[0]

    def _command(self, command: str) -> None:
        with refusal(command):
            self._connection.execute(command)


def _own(path: Path, now: Callable[[], datetime]) -> int:
    """Make sure that there is a file, for its owner only, and take its lock; return the lock."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        flush_folder(path.parent)
        return lock.take(path, instant_text(now()))
    except OSError as wrong:
        raise refused_file(path, wrong) from wrong


def _demand_file(path: Path) -> None:
    """Make sure that there is a ledger that can be read and wished of.

    SQLite gives its -wal and -shm files the mode of the ledger's own.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CLOEXEC))
    except OSError as wrong:
        raise refused_file(path, wrong) from wrong


def connect(path: Path) -> sqlite3.Connection:
    """Open a file of SQLite for named queries; ``Ledger.open`` makes a ledger of it."""
    with refusal("open"):
        connection = sqlite3.connect(
            path,
            timeout=BUSY_SECS,
            isolation_level=None,  # transactions begin and end where we say so
            check_same_thread=False,
            cached_statements=STATEMENTS_KEPT,
        )
    connection.row_factory = sqlite3.Row
    return connection


def flush_folder(folder: Path) -> None:
    """Put a folder's list of names on the disk, so that a new or renamed file stays."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _sql(name: str) -> str:
    try:
        return queries()[name]
    except KeyError:
        raise InvariantError(f"There is no query {name}.") from None


def _reading(name: str) -> str:
    """Let pass what only reads: outside a transaction nothing may be written."""
    if name in writing():
        raise InvariantError(f"The query {name} writes, and was asked outside a transaction.")
    return name
