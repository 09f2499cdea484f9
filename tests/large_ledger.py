"""Filling a ledger as years of work would, through its own schema, to ask how it behaves then."""

import sqlite3
from pathlib import Path

from sync_engine.ledger.journal import Chain, Head
from sync_engine.ledger.store import parse_queries, queries

FILLING = Path(__file__).with_suffix(".sql")
LINES_OF_A_DOCUMENT = ("approved", "posted")


def fill(
    connection: sqlite3.Connection,
    documents: int,
    *,
    pair: str = "main",
    crm: str = "hubspot:123",
    books: str = "quickbooks:9130",
) -> None:
    """Add so many posted documents with all that the ledger holds of each; once a ledger."""
    words = {"documents": documents, "pair": pair, "crm": crm, "books": books}
    connection.execute("BEGIN")
    for sql in parse_queries(FILLING.read_text("utf-8")).values():
        connection.execute(sql, words)
    _tell_journal(connection)
    connection.execute("COMMIT")


def _tell_journal(connection: sqlite3.Connection) -> None:
    """Chain the lines that the engine would have written."""
    row = connection.execute(queries()["journal_last"]).fetchone()
    chain = Chain(Head() if row is None else Head(row[0], row[-1]))
    keys = connection.execute("SELECT key FROM document WHERE source_id GLOB 'D[0-9]*'")
    while some := keys.fetchmany(10_000):
        lines = [("tieout", what, key, None) for (key,) in some for what in LINES_OF_A_DOCUMENT]
        chain.add("2025-01-01T00:00:00.000000Z", lines)
        connection.executemany(queries()["journal_append"], chain.rows)
        chain.rows.clear()
    noted = {"name": "journal_head", "value": chain.noted()}
    connection.execute(queries()["meta_set"], noted)
