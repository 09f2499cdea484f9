"""Whole lists, page by page, with proof that no row slipped through between two pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from connectors.quickbooks.facts import Kind
from connectors.quickbooks.wire import Row, Rows, Wire
from tieout.model.errors import Rejected, TieoutError, Unauthorized, Unavailable

PAGE_ROWS = 1000  # the most that a query answers (R10)
PAGES_PER_CALL = 15  # a page of invoices is some 3 MB, and an answer has a limit too
ROUNDS_MAX = 10_000
RESTARTS_MAX = 3
IDS_PER_QUERY = 100
QUERY_CHARS_MAX = 4000


@dataclass(frozen=True, slots=True)
class Ask:
    """One list to read: a kind, and the condition that its rows meet."""

    kind: Kind
    where: str = ""

    def page(self, start: int) -> str:
        """Return the query for a page that starts at this row, the first being 1."""
        where = f" WHERE {self.where}" if self.where else ""
        return (
            f"SELECT * FROM {self.kind.entity}{where} "  # noqa: S608 - values are quoted by `text`
            f"ORDERBY Id STARTPOSITION {start} MAXRESULTS {PAGE_ROWS}"
        )


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of a list, and the server's clock when the reading of all lists began."""

    ask: Ask
    rows: tuple[Row, ...]
    began_at: datetime


class _Reading:
    """How far one list was read. Pages overlap by one row: the last must come again first."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self.restarts = 0
        self.rewind()

    def rewind(self) -> None:
        self.next_start = 1
        self.last_id = ""
        self.done = False

    def take(self, rows: tuple[Row, ...]) -> tuple[Row, ...]:
        """Return what is new in the next page.

        Raises:
            Unavailable: the list moved under us again and again.
        """
        if self.last_id and (not rows or str(rows[0].get("Id")) != self.last_id):
            if self.restarts == RESTARTS_MAX:
                raise Unavailable(f"The list of {self.ask.kind.name} moved while it was read.")
            self.restarts += 1
            self.rewind()
            return ()
        fresh = rows[1:] if self.last_id else rows
        self.done = len(rows) < PAGE_ROWS
        self.next_start += PAGE_ROWS - 1
        self.last_id = str(rows[-1].get("Id")) if rows else ""
        return fresh


def read_lists(wire: Wire, asks: Sequence[Ask]) -> Iterator[Part]:
    """Read whole lists, the next page of each in one call.

    Pages of one list are not asked for ahead: a page of invoices is 15 MB once it is understood.

    A row may come twice, none is left out: when a row vanishes from an earlier page all later ones
    move up, which is seen at the overlap, and the list is read again. A list that a company may
    lack and that is refused has no rows.

    Raises:
        TieoutError: a page cannot be read; what was yielded before is not the whole.
    """
    readings = [_Reading(ask) for ask in asks]
    began_at: datetime | None = None
    for _ in range(ROUNDS_MAX):
        waiting = [reading for reading in readings if not reading.done]
        if not waiting:
            return
        planned = waiting[:PAGES_PER_CALL]
        answers, at = wire.queries([reading.ask.page(reading.next_start) for reading in planned])
        began_at = began_at or at
        for reading, answer in zip(planned, answers, strict=True):
            if reading.ask.kind.may_lack and isinstance(answer, Rejected | Unauthorized):
                reading.done = True
                note_refused(reading.ask.kind, answer)
                continue
            yield Part(reading.ask, reading.take(rows_or_raise(answer)), began_at)
        del answers, answer  # large, and the next ones are about to be read
    raise Unavailable("A list did not end.")


def rows_or_raise(answer: Rows | TieoutError) -> tuple[Row, ...]:
    """Return a query's rows, or raise what it was refused with."""
    if isinstance(answer, TieoutError):
        raise answer
    return answer.rows


def note_refused(kind: Kind, error: TieoutError) -> None:
    """Say in the log that a company shows no records of a kind."""
    log = structlog.get_logger("tieout.quickbooks")
    log.warning("kind-refused", kind=kind.name, said=str(error))


def one_of(field: str, values: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield conditions that a field is one of the values, and the values in each."""
    part: list[str] = []
    chars = 0
    for value in values:
        quoted = len(text(value)) + 2
        if part and (len(part) == IDS_PER_QUERY or chars + quoted > QUERY_CHARS_MAX):
            yield _in(field, part), tuple(part)
            part, chars = [], 0
        part.append(value)
        chars += quoted
    if part:
        yield _in(field, part), tuple(part)


def with_inactive(kind: Kind, where: str = "") -> str:
    """Return a condition that inactive records meet too: a plain query hides them (R5)."""
    if not kind.listed:
        return where
    both = "Active IN (true, false)"
    return f"{where} AND {both}" if where else both


def text(value: str) -> str:
    """Return a text as a query writes it: backslashes first, then apostrophes (R10)."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def instant(value: datetime) -> str:
    """Return an instant as a query writes it."""
    return text(value.isoformat(timespec="seconds"))


def _in(field: str, values: Sequence[str]) -> str:
    return f"{field} IN ({', '.join(text(value) for value in values)})"
