"""spool: where a file lies while it is on its way, under the name of its hash.

A file is read a piece at a time, never whole in memory. What lies here is only at hand: a file that
is missing is read again where it came from, and is the same or is refused.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sync_engine.ledger.sqlite import Ledger
from sync_engine.pair import Pair
from tieout.model.canonical import digest
from tieout.model.contract import Connector, Enclosure, GivesFiles, Prints
from tieout.model.errors import InvalidField, Rejected, Unavailable, Unsupported
from tieout.model.ref import Ref

FOLDER = "spool"
INVOICE = "invoice"
CUT_REMEDY = (
    "Nothing to do: it is read again each round. If it was replaced meanwhile, `tieout resync` its "
    "deal."
)
HEAD_BYTES = 512  # of a file's beginning, by which its type is judged


class TooLarge(InvalidField):
    """A file is larger than the books take."""


@dataclass(frozen=True, slots=True)
class Spooled:
    """A file that lies in the spool: its hash, its length and its beginning."""

    sha256: str
    size_bytes: int
    head: bytes


@dataclass(frozen=True, slots=True)
class Spool:
    """A pair's folder beside the ledger; only its owner may read what lies there."""

    folder: Path

    @classmethod
    def of(cls, ledger: Ledger, pair: Pair) -> Spool:
        """Return the pair's spool; its folder is made when the first file comes."""
        return cls(ledger.path.parent / FOLDER / pair.name)

    def take(
        self, giver: Connector, ref: Ref, limit_bytes: int, told_bytes: int | None = None
    ) -> Spooled:
        """Read a file of the CRM, or an invoice's PDF of the books, into the spool.

        An answer without a length that is cut short looks whole, so what came is held against
        ``told_bytes``, as long as the other system says the file is; None where it does not.

        Raises:
            TooLarge: it is longer than the limit; the rest of it was not read.
            Unsupported: the connector gives no such thing.
            Unavailable: the other system, or this disk, does not let it be read now, or more or
                less came than there is.
            TieoutError: the other system refuses it.
        """
        read = _reader(giver, ref)
        coming = self.folder / f"{digest([ref.company, ref.kind, ref.id])[:16]}.part"
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with open(coming, "wb", opener=_private) as written:
                arriving = _Arriving(written, limit_bytes, str(ref))
                read(ref, arriving.take)
            spooled = arriving.spooled()
            if told_bytes not in (None, spooled.size_bytes):
                raise Unavailable(
                    f"{spooled.size_bytes} bytes came of the {told_bytes} that it is said to have.",
                    record=str(ref),
                    remedy=CUT_REMEDY,
                )
            coming.replace(self.folder / spooled.sha256)
        except OSError as wrong:
            raise Unavailable(f"{ref} could not be kept on this machine: {wrong}.") from wrong
        finally:
            coming.unlink(missing_ok=True)
        return spooled

    @contextmanager
    def opened(self, giver: Connector, enclosure: Enclosure) -> Iterator[BinaryIO]:
        """Open a file that is to be sent; one that does not lie here whole is read again first.

        Raises:
            Rejected: there are other bytes now than those that were to be sent.
            TieoutError: as ``take``.
        """
        path = self.folder / enclosure.sha256
        if not _lies_whole(path, enclosure):
            again = self.take(giver, enclosure.source, enclosure.size_bytes)
            if again.sha256 != enclosure.sha256:
                self.drop(again.sha256)
                raise Rejected(f"{enclosure.source} was changed while it was on its way.")
        with path.open("rb") as content:
            yield content

    def drop(self, sha256: str) -> None:
        """Take a file away that has arrived, or is not to be sent."""
        (self.folder / sha256).unlink(missing_ok=True)

    def keep_only(self, wanted: Collection[str]) -> None:
        """Take everything away but these: what a process that was killed left behind."""
        if not self.folder.is_dir():
            return
        for path in self.folder.iterdir():
            if path.name not in wanted:
                path.unlink(missing_ok=True)
        if not wanted:
            shutil.rmtree(self.folder, ignore_errors=True)


class _Arriving:
    """Counts and hashes what comes, and stops where it is too much."""

    def __init__(self, written: BinaryIO, limit_bytes: int, about: str) -> None:
        self._written = written
        self._limit_bytes = limit_bytes
        self._about = about
        self._hashed = hashlib.sha256()
        self._size_bytes = 0
        self._head = b""

    def take(self, piece: bytes) -> None:
        """Keep one piece.

        Raises:
            TooLarge: with it the file is longer than the limit.
        """
        self._size_bytes += len(piece)
        if self._size_bytes > self._limit_bytes:
            raise TooLarge(f"It has more than {self._limit_bytes} bytes.", record=self._about)
        self._head = (self._head + piece[:HEAD_BYTES])[:HEAD_BYTES]
        self._hashed.update(piece)
        self._written.write(piece)

    def spooled(self) -> Spooled:
        """Return what came."""
        return Spooled(self._hashed.hexdigest(), self._size_bytes, self._head)


def _reader(giver: Connector, ref: Ref) -> Callable[[Ref, Callable[[bytes], object]], None]:
    """Return what reads a file of the CRM, or what prints an invoice of the books.

    Raises:
        Unsupported: the connector does neither.
    """
    if ref.kind == INVOICE and isinstance(giver, Prints):
        return giver.print_invoice
    if ref.kind != INVOICE and isinstance(giver, GivesFiles):
        return giver.read_file
    what = "prints no invoices" if ref.kind == INVOICE else "gives no files"
    raise Unsupported(f"{giver.capabilities.title}'s connector {what}.")


def _lies_whole(path: Path, enclosure: Enclosure) -> bool:
    """Whether a file's very bytes lie there: a power cut may keep a name and lose what it names."""
    try:
        with path.open("rb") as content:
            size_bytes = os.fstat(content.fileno()).st_size
            return (
                size_bytes == enclosure.size_bytes
                and hashlib.file_digest(content, "sha256").hexdigest() == enclosure.sha256
            )
    except OSError:  # it is read again, and written anew
        return False


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
