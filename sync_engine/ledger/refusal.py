"""What SQLite and the disk refuse, said in our words with what to do next."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final

from tieout.model.errors import InvariantError, LedgerError, TieoutError, ValueRefused

_PRIMARY: Final = 0xFF  # an extended result code carries its primary code in the low byte

_LEDGER: Final[Mapping[int, tuple[str, str]]] = {
    sqlite3.SQLITE_FULL: (
        "The disk is full: nothing of this transaction was kept.",
        "Make room; the next round goes on from what was kept.",
    ),
    sqlite3.SQLITE_READONLY: (
        "The ledger cannot be written: its disk or file is read-only.",
        "Make the ledger's file and folder writable for this user.",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "The ledger's files cannot be opened.",
        "Make the ledger's file and folder writable for this user.",
    ),
    sqlite3.SQLITE_IOERR: (
        "The disk failed while the ledger was read or written.",
        "Check the disk; then start again, or restore the last backup.",
    ),
    sqlite3.SQLITE_BUSY: (
        "Another process kept the ledger for too long.",
        "Try again; if it happens often, see who has the file open.",
    ),
    sqlite3.SQLITE_CORRUPT: (
        "The ledger is damaged.",
        "Restore the last backup with `tieout ledger restore`.",
    ),
    sqlite3.SQLITE_NOTADB: (
        "The file is not a ledger.",
        "Check the ledger's path, or restore the last backup with `tieout ledger restore`.",
    ),
}

_FILE: Final[Mapping[int, tuple[str, str]]] = {
    errno.ENOENT: (
        "There is no ledger {path}.",
        (
            "Run `tieout run --once`, or check the ledger's path; if it was lost, see "
            "docs/howto/on-call/lost-ledger.md."
        ),
    ),
    errno.ENOSPC: ("The disk of {path} is full.", "Make room and start again."),
    errno.EROFS: (
        "The disk of {path} is read-only.",
        "Keep the ledger on a disk that is writable.",
    ),
    errno.EACCES: (
        "{path} or its folder cannot be written by this user.",
        "Make the ledger's file and folder writable for this user.",
    ),
}


REFUSED: Final = (sqlite3.Error, UnicodeEncodeError, OverflowError)


class refusal:  # noqa: N801 - reads as `with refusal(name)`
    """Raise what SQLite refuses, within the block, as one of our errors.

    Raises:
        LedgerError: the disk, the file or another process is in the way.
        InvariantError: a constraint, or a mistake in a query or its values.
        ValueRefused: a text with half a character, or a number too large to store.
    """

    __slots__ = ("_about",)

    def __init__(self, about: str) -> None:
        self._about = about

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        wrong: BaseException | None,
        _where: TracebackType | None,
    ) -> None:
        if isinstance(wrong, REFUSED):
            raise refused(wrong, self._about) from wrong


def refused(wrong: Exception, about: str) -> TieoutError:
    """Return what SQLite refuses as one of our errors: ``wrong`` is one of ``REFUSED``.

    What is asked a hundred times a deal catches by itself: entering a block costs as much as the
    query in it.
    """
    if isinstance(wrong, sqlite3.Error):
        return _named(wrong, about)
    return ValueRefused(f"A value for {about} cannot be stored: {wrong}.")


def refused_file(path: Path, wrong: OSError) -> LedgerError:
    """Return why a ledger's file cannot be used."""
    what, remedy = _FILE.get(
        wrong.errno or 0,
        (f"{{path}} cannot be used: {wrong.strerror}.", "Check the ledger's path."),
    )
    return LedgerError(what.format(path=path), remedy=remedy)


def _named(wrong: sqlite3.Error, about: str) -> TieoutError:
    code = getattr(wrong, "sqlite_errorcode", None)
    if code is None and isinstance(wrong, sqlite3.OperationalError):  # "Could not decode to UTF-8"
        code = sqlite3.SQLITE_CORRUPT
    known = None if code is None else _LEDGER.get(code & _PRIMARY)
    said = str(wrong).rstrip(".")
    if known is None:
        return InvariantError(f"The ledger refuses {about}: {said}.")
    what, remedy = known
    name = getattr(wrong, "sqlite_errorname", "")
    return LedgerError(what, remedy=remedy, vendor_code=name, vendor_words=said)
