"""The queries that say of themselves that they read a whole table, and whether one was asked."""

import re
import sqlite3
from collections import Counter

from sync_engine.ledger.store import HERE, queries

PARAMETER = re.compile(r":[a-z_0-9]+")
VALUE = r"(?:'(?:[^']|'')*'|NULL|-?\d+|:[a-z_0-9]+)"  # as SQLite shows what was bound


def seldom_asked() -> frozenset[str]:
    """The names of the queries whose purpose ends with ``(reads all)``."""
    text = (HERE / "queries.sql").read_text("utf-8")
    return frozenset(re.findall(r"^-- (\w+): .*\(reads all\)$", text, re.MULTILINE))


def listen(connection: sqlite3.Connection) -> Counter[str]:
    """Count from now on which of them a connection is asked, by name."""
    forms = {name: re.compile(_form(queries()[name]), re.DOTALL) for name in seldom_asked()}
    heard: Counter[str] = Counter()

    def hear(statement: str) -> None:
        heard.update(name for name, form in forms.items() if form.fullmatch(statement))

    connection.set_trace_callback(hear)
    return heard


def _form(sql: str) -> str:
    """A query's text with any values in it."""
    return VALUE.join(re.escape(part) for part in PARAMETER.split(sql.rstrip(";"))) + ";?"
