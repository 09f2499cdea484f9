"""``schema.sql``: the sum of all migrations, for people to read.

``python -m sync_engine.ledger.schema`` writes it anew; a test holds it to the migrations.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing

from sync_engine.ledger.migrating import migrations, statements
from sync_engine.ledger.store import HERE

SCHEMA = HERE / "schema.sql"
TITLE = "-- Made by `python -m sync_engine.ledger.schema` from migrations/. Do not edit.\n\n"


def schema_text() -> str:
    """Return every table with its indexes and triggers, the tables by name."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for migration in migrations():
            for statement in statements(migration.sql):
                connection.execute(statement)
        made = connection.execute(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL "
            "ORDER BY tbl_name, type = 'table' DESC, type, name"
        )
        return TITLE + "\n\n".join(f"{sql};" for (sql,) in made) + "\n"


if __name__ == "__main__":  # pragma: no cover (asked by people)
    SCHEMA.write_text(schema_text(), "utf-8")
