"""The journal: who did what, when, in lines that nobody can change unseen.

Each line's hash covers the hash before it and its own words. A line changed, taken out or moved
breaks the chain there; lines cut off at the end are told by the head that ``meta`` keeps, and
against whoever rewrites both, by any earlier head kept elsewhere: each day's log and each backup
holds one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sync_engine.ledger.store import Entry, Reads, Row, Value, Writes
from tieout.model.canonical import canonical
from tieout.model.dates import parse_instant
from tieout.model.errors import InvariantError, LedgerError, TieoutError

NO_LINE: Final = "0" * 64  # what stands before the first line
PAGE_LINES: Final = 1_000  # how many lines are in memory at once while verifying
IN_THE_WAY: Final = ("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_BUSY")  # not damage
DETAIL_CHARS: Final = 16_384  # a longer detail is kept as its hash and its start
START_CHARS: Final = 1_024
RESTORED_FROM: Final = "restored_from:"  # what the note of a restored ledger is called, by pair

# A word that is no text was forged: it is spelled somehow, so that its line is named as changed.
_LINE: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=repr)


@dataclass(frozen=True, slots=True)
class Head:
    """The last line: its number (0 when there is none) and its hash."""

    n: int = 0
    hash: str = NO_LINE


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verifying found: how many lines hold, the last good head, and what is wrong.

    ``first_broken`` is the number of the first line that is changed, missing or out of order; None
    when the chain holds, also when it holds but the hash it was compared with is not in it.
    """

    ok: bool
    lines: int
    head: Head
    first_broken: int | None = None
    why: str = ""


def verify(ledger: Reads, against: str | None = None) -> Verdict:
    """Recompute every hash, in bounded memory, also while others append.

    Args:
        ledger: the ledger to verify.
        against: a head's hash that was noted earlier; it must be in the chain.

    Raises:
        LedgerError: the file cannot be opened by this user now, which says nothing of its lines.
    """
    wanted = against.strip().lower() if against else NO_LINE
    last, seen, page_lines = Head(), wanted == NO_LINE, PAGE_LINES

    def broken(why: str, first: int | None) -> Verdict:
        return Verdict(ok=False, lines=last.n, head=last, first_broken=first, why=why)

    while True:
        try:
            lines = ledger.all("journal_after", n=last.n, limit=page_lines)
            end, noted = ends(ledger)
        except (LedgerError, InvariantError) as wrong:  # damaged, or a table is not there
            _demand_damage(wrong)
            if page_lines == 1:
                return broken(f"Line {last.n + 1} cannot be read. {wrong.what}", last.n + 1)
            page_lines = 1  # find the line: read one by one from here
            continue
        for line in lines:
            if why := _broken(line, last):
                return broken(why, last.n + 1)
            last = Head(line["n"], line["hash"])
            seen = seen or last.hash == wanted
        if end.n > last.n:  # further pages, or lines that others added meanwhile
            continue
        if noted != last:
            why = f"The ledger notes {noted.n} lines and the journal holds {last.n}."
            return broken(why, min(noted.n, last.n) + 1)
        break
    if not seen:
        return broken(f"No line has the hash {wanted}: lines were cut off or rewritten.", None)
    return Verdict(ok=True, lines=last.n, head=last)


def head(ledger: Reads) -> Head:
    """Return the head that the ledger notes, in the transaction of the line it names."""
    return _noted(ledger.value("meta_get", name="journal_head"))


def ends(ledger: Reads) -> tuple[Head, Head]:
    """Return the last line and the head that the ledger notes, both at one instant."""
    row = ledger.one("journal_ends")
    assert row is not None  # it has no condition
    last = Head() if row["n"] is None else Head(row["n"], row["hash"])
    return last, _noted(row["noted"])


def last_line_at(ledger: Reads) -> datetime | None:
    """Return when the last line was written; None while the journal is empty."""
    last = ledger.one("journal_last")
    return None if last is None else parse_instant(last["at"])


def restored_from(ledger: Reads, pair: str) -> datetime | None:
    """Return what a restored ledger last knew of a pair's world; None once it has caught up."""
    noted = ledger.value("meta_get", name=f"{RESTORED_FROM}{pair}")
    return None if noted is None else parse_instant(str(noted))


def note_restored(tx: Writes, since: str) -> None:
    """Note for each pair that has read anything what its backup last knew.

    Where an earlier restore has noted that, and the pair has not caught up since, that stays.
    """
    tx.run("meta_of_pairs", prefix=RESTORED_FROM, value=since)


def caught_up(tx: Writes, pair: str) -> None:
    """Forget that the ledger was restored: a pair has read what happened since its backup."""
    tx.run("meta_clear", name=f"{RESTORED_FROM}{pair}")


@dataclass(slots=True)
class Chain:
    """Lines that one transaction adds: each follows the one before."""

    head: Head
    rows: list[Mapping[str, Value]] = field(default_factory=list)

    def add(self, at: str, entries: Iterable[Entry]) -> None:
        """Chain lines of one instant.

        Raises:
            InvariantError: an empty ``who`` or ``what``, or a detail that has no plain form.
        """
        n, line_hash = self.head.n, self.head.hash
        rows: list[Mapping[str, Value]] = []
        for who, what, subject, detail in entries:
            if not who or not what:
                raise InvariantError("A journal line says who did what.")
            n, prev, text = n + 1, line_hash, _detail_text(detail)
            line_hash = _line_hash(prev, n, at, who, what, subject, text)
            rows.append(
                {
                    "n": n,
                    "at": at,
                    "who": who,
                    "what": what,
                    "subject": subject,
                    "detail": text,
                    "prev": prev,
                    "hash": line_hash,
                }
            )
        self.rows += rows
        self.head = Head(n, line_hash)

    def noted(self) -> str:
        """Return the head as ``meta`` keeps it."""
        return f"{self.head.n} {self.head.hash}"


def _noted(text: Value) -> Head:
    if text is None:
        return Head()
    n, _, line_hash = str(text).partition(" ")
    return Head(int(n) if n.isdecimal() else 0, line_hash)


def _demand_damage(wrong: TieoutError) -> None:
    """Raise again what says nothing of the lines: a file that is only not to be opened now."""
    if wrong.vendor_code.startswith(IN_THE_WAY):
        raise wrong


def _broken(line: Row, last: Head) -> str:
    """Return why a line does not follow the last one; empty when it does."""
    expected = last.n + 1
    if line["n"] != expected:
        return f"Line {expected} is missing: line {line['n']} follows line {last.n}."
    if line["prev"] != last.hash:
        return f"Line {expected} does not follow line {last.n}: one of them was replaced."
    words = (line["at"], line["who"], line["what"], line["subject"], line["detail"])
    if line["hash"] != _line_hash(last.hash, expected, *words):
        return f"Line {expected} was changed: its words do not give its hash."
    return ""


def _line_hash(prev: str, n: int, *words: str) -> str:
    return hashlib.sha256((prev + _LINE.encode([n, *words])).encode()).hexdigest()


def _detail_text(detail: object) -> str:
    text = "null" if detail is None else canonical(detail)
    if len(text) <= DETAIL_CHARS:
        return text
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    return canonical({"chars": len(text), "sha256": sha256, "start": text[:START_CHARS]})
