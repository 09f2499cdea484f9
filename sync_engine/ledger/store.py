"""What the engine knows of a ledger: named questions, and writing inside one transaction.

All SQL lives in ``queries.sql``. Each query has a header of one line, ``-- name: its purpose``, and
is one statement with ``:name`` parameters, written so that PostgreSQL would take it too: no casts,
``ON CONFLICT`` and ``RETURNING`` where they help.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Protocol, TypeAlias

from tieout.model.errors import InvariantError

HERE = Path(__file__).parent

Value: TypeAlias = str | int | bytes | None  # amounts, days and instants are texts; no floats
Row: TypeAlias = sqlite3.Row  # asked by column name: row["state"]
Entry: TypeAlias = tuple[str, str, str, object]  # a journal line: who, what, subject, detail

_HEADER = re.compile(r"^-- ([a-z][a-z0-9_]*): (\S.*)$", re.MULTILINE)
_WRITES = re.compile(r"\b(INSERT|UPDATE|DELETE)\b")
_COMMENT = re.compile(r"^\s*--.*\n", re.MULTILINE)


class Reads(Protocol):
    """Whatever can be asked: the ledger, or a transaction that sees its own changes."""

    def all(self, name: str, /, **values: Value) -> list[Row]:
        """Return every row of a named query."""
        ...

    def one(self, name: str, /, **values: Value) -> Row | None:
        """Return the only row of a named query, None where there is none."""
        ...

    def value(self, name: str, /, **values: Value) -> Value:
        """Return the first column of the only row, None where there is none."""
        ...


class Writes(Reads, Protocol):
    """A transaction: all of it is kept, or nothing."""

    def run(self, name: str, /, **values: Value) -> int:
        """Run a named query; return how many rows it changed."""
        ...

    def many(self, name: str, rows: Iterable[Mapping[str, Value]], /) -> int:
        """Run a named query once for each row; return how many rows were changed in all."""
        ...

    def journal(self, who: str, what: str, subject: str, detail: object = None) -> None:
        """Add one line to the journal, in this transaction."""
        ...

    def journal_many(self, entries: Iterable[Entry]) -> None:
        """Add lines of one instant to the journal, in this transaction."""
        ...

    def now_text(self) -> str:
        """Return this instant as the ledger writes it."""
        ...


@cache
def queries() -> Mapping[str, str]:
    """Return the shipped queries: SQL by name."""
    return parse_queries((HERE / "queries.sql").read_text("utf-8"))


@cache
def writing() -> frozenset[str]:
    """Return the names of the queries that change something."""
    return frozenset(name for name, sql in queries().items() if _WRITES.search(sql))


def parse_queries(text: str) -> Mapping[str, str]:
    """Return SQL by name.

    Raises:
        InvariantError: a name stands twice, or a header is not followed by exactly one statement.
    """
    found: dict[str, str] = {}
    headers = list(_HEADER.finditer(text))
    ends = [header.start() for header in headers[1:]] + [len(text)]
    for header, end in zip(headers, ends, strict=True):
        name = header[1]
        sql = _COMMENT.sub("", text[header.end() + 1 : end] + "\n").strip()
        if name in found:
            raise InvariantError(f"Two queries are named {name}.")
        if not sql.endswith(";") or ";" in sql[:-1]:
            raise InvariantError(f"The query {name} is not one statement that ends with ';'.")
        found[name] = sql
    return found
