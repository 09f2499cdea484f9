"""Migrations: numbered files of SQL, each in one transaction with its record."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from sync_engine.ledger.refusal import refusal
from sync_engine.ledger.store import HERE, Writes, queries
from tieout.model.errors import InvariantError, LedgerError

_AFTER_SEMICOLON: Final = re.compile(r"(?<=;)")


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file: ``0001_ground.sql``."""

    n: int
    name: str
    sql: str


@cache
def migrations() -> Sequence[Migration]:
    """Return the shipped migrations in their order."""
    return read_migrations(HERE / "migrations")


def read_migrations(folder: Path) -> Sequence[Migration]:
    """Return a folder's migrations in their order.

    Raises:
        InvariantError: their numbers are not 1, 2, 3 ...
    """
    files = sorted(folder.glob("*.sql"))
    found = [
        Migration(int(file.name[:4]), file.stem[5:], file.read_text("utf-8")) for file in files
    ]
    if [each.n for each in found] != list(range(1, len(found) + 1)):
        raise InvariantError("The migrations are not numbered 1, 2, 3 ...")
    return found


def migrate(
    connection: sqlite3.Connection,
    transaction: Callable[[], AbstractContextManager[Writes]],
    path: Path,
    shipped: Sequence[Migration],
) -> None:
    """Run the shipped migrations that this ledger has not seen.

    Raises:
        LedgerError: a newer version wrote it, or it waits for the outcome of calls that only the
            version that made them should resolve.
    """
    version = schema_version(connection)
    _refuse_newer(version, path, len(shipped))
    waiting = shipped[version:]
    if not waiting:
        return
    if version:
        _refuse_unknowns(connection, path)
    for migration in waiting:
        # A table that is made anew breaks references for a moment; they are checked at its end.
        connection.execute("PRAGMA foreign_keys=OFF")
        try:
            with transaction() as tx, refusal(f"migration {migration.n}"):
                for statement in statements(migration.sql):
                    connection.execute(statement)
                if connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
                    raise InvariantError(f"Migration {migration.n} leaves broken references.")
                tx.run("migration_record", n=migration.n, name=migration.name, at=tx.now_text())
        finally:
            connection.execute("PRAGMA foreign_keys=ON")


def demand_current(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a ledger whose schema is not the one that this version knows.

    Raises:
        LedgerError: it is newer or older.
    """
    version = schema_version(connection)
    known = len(migrations())
    _refuse_newer(version, path, known)
    if not version:
        raise LedgerError(
            f"{path} is empty: its first process has not made it yet, or it was emptied.",
            remedy="Restore the last backup if there is one; else `tieout run --once` makes it and "
            "finds again what the books have of ours.",
        )
    if version < known:
        raise LedgerError(
            f"{path} was written by an older version of Tieout.",
            remedy="Run `tieout run --once`, which brings it up to date, or start the daemon.",
        )


def schema_version(connection: sqlite3.Connection) -> int:
    """Return the number of the last migration that ran; 0 for an empty file."""
    with refusal("schema_version"):
        if not connection.execute("PRAGMA table_info(migration)").fetchall():
            return 0
        return int(connection.execute(queries()["migration_latest"]).fetchone()[0])


def statements(sql: str) -> Iterator[str]:
    """Split a file of SQL into its statements; triggers stay whole."""
    statement = ""
    for piece in _AFTER_SEMICOLON.split(sql):
        statement += piece
        if sqlite3.complete_statement(statement):
            yield statement.strip()
            statement = ""
    if statement.strip():
        raise InvariantError("A migration's last statement does not end with ';'.")


def _refuse_newer(version: int, path: Path, known: int) -> None:
    if version > known:
        raise LedgerError(
            f"{path} was written by a newer version of Tieout: its schema is {version}, "
            f"and this version knows {known}.",
            remedy="Install that version again, or restore a backup made before the upgrade.",
        )


def _refuse_unknowns(connection: sqlite3.Connection, path: Path) -> None:
    """Outcomes that are still unknown are looked up by the version that sent the calls."""
    with refusal("unknowns_open"):
        if not connection.execute("PRAGMA table_info(parcel)").fetchall():
            return  # its making was interrupted before there was anything to send
        open_count = connection.execute(queries()["unknowns_open"]).fetchone()[0]
    if open_count:
        raise LedgerError(
            f"{path} waits for the outcome of {open_count} calls, so it is not upgraded now.",
            remedy="Finish with the old version: `tieout run --once --wait`.",
        )
