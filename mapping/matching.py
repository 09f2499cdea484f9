"""Which record of the books is meant: rules and mirror rows in, Found, Ambiguous or Absent out."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from tieout.model.lookup import BOUND, Absent, Ambiguous, Found, Match
from tieout.model.record import Record

EXACT_CLUES = frozenset({"id", "sku"})  # where capitals may tell two records apart


class Index:
    """The mirror's rows of one kind, ready to be asked by any field.

    Rows have the fields that clues name, ``currency`` (customers, R16) and ``active`` (R5); a row
    that does not say is taken for any currency, and for active.
    """

    def __init__(self, rows: Iterable[Record], as_of: datetime | None = None) -> None:
        """Keep the rows; ``as_of`` is when the mirror was last read whole."""
        self.rows = {row.ref.id: row for row in rows}
        self.as_of = as_of
        self._by_field: dict[str, dict[str, list[Record]]] = {}

    def asked(self, by: str, value: str) -> list[Record]:
        """Return the rows whose field has this value, capitals and spaces aside."""
        if by == "id":
            return [self.rows[value]] if value in self.rows else []
        if by not in self._by_field:
            self._by_field[by] = self._grouped(by)
        return self._by_field[by].get(folded(value), [])

    def _grouped(self, by: str) -> dict[str, list[Record]]:
        groups: dict[str, list[Record]] = {}
        for row in self.rows.values():
            value = row.fields.get(by)
            if isinstance(value, str) and value.strip():
                groups.setdefault(folded(value), []).append(row)
        return groups


class Rows(Protocol):
    """The mirror's rows of one kind, wherever they are kept."""

    @property
    def as_of(self) -> datetime | None:
        """When they were last read whole."""
        ...

    def asked(self, by: str, value: str) -> Sequence[Record]:
        """Return the rows whose field has this value, capitals and spaces aside."""
        ...


def match(
    wanted: Match, index: Rows, bound: Mapping[str, str] | None = None, currency: str | None = None
) -> Found | Ambiguous | Absent:
    """Return the record that the rules find: the first rule that finds exactly one wins.

    Without such a rule the first that found several makes it Ambiguous. Inactive records count only
    where no active one answers. With ``none: default`` the record of that name stands in.

    Args:
        wanted: the rules and their values.
        index: the mirror's rows of that kind.
        bound: the bindings held: the CRM record's id and the id in the books.
        currency: only records that can carry it are candidates (R16).
    """
    several: Ambiguous | None = None
    for rule in wanted.rules:
        if rule.by == BOUND:
            held = (bound or {}).get(rule.value)
            found = index.asked("id", held) if held else []
        else:
            found = index.asked(rule.by, rule.value)
        if rule.by in EXACT_CLUES:
            found = [row for row in found if _held(row, rule.by) == rule.value]
        found = _candidates(found, currency)
        if len(found) == 1:
            return Found(
                found[0].ref, by=f"{rule.by}={rule.value}", line=rule.line, record=found[0]
            )
        if found and several is None:
            refs = tuple(row.ref for row in found)
            several = Ambiguous(refs, by=f"{rule.by}={rule.value}", line=rule.line)
    if several is not None:
        return several
    if wanted.none == "default" and wanted.default:
        standing_in = _candidates(index.asked("name", wanted.default), currency)
        if len(standing_in) == 1:
            row = standing_in[0]
            return Found(row.ref, by=f"default={wanted.default}", line=wanted.line, record=row)
    return Absent(index.as_of)


def folded(value: str) -> str:
    """Return the form in which two values of a field are the same: capitals and spaces aside."""
    return " ".join(unicodedata.normalize("NFKC", value).casefold().split())


def _held(row: Record, by: str) -> str:
    return row.ref.id if by == "id" else str(row.fields.get(by) or "").strip()


def _candidates(rows: Sequence[Record], currency: str | None) -> list[Record]:
    fitting = [
        row for row in rows if currency is None or row.fields.get("currency") in (None, currency)
    ]
    active = [row for row in fitting if row.fields.get("active") is not False]
    return active or fitting
