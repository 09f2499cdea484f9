"""The schema grows by numbered steps, each whole, and never under calls that wait for an answer."""

import pytest

from sync_engine.ledger import schema
from sync_engine.ledger.migrating import (
    Migration,
    migrate,
    migrations,
    read_migrations,
    schema_version,
    statements,
)
from tieout.model.errors import InvariantError, LedgerError

NEXT = len(migrations()) + 1


def grow(ledger, *texts):
    """Bring a ledger to a version that ships further migrations."""
    further = [Migration(NEXT + n, "further", sql) for n, sql in enumerate(texts)]
    shipped = [*migrations(), *further]
    migrate(ledger._connection, ledger.transaction, ledger.path, shipped)


def test_the_schema_is_the_sum_of_the_migrations():
    """Run `python -m sync_engine.ledger.schema` after adding a migration."""
    assert schema.SCHEMA.read_text("utf-8") == schema.schema_text()


def test_a_new_ledger_has_seen_every_migration(ledger):
    assert schema_version(ledger._connection) == len(migrations())


def test_a_ledger_runs_only_what_it_has_not_seen(ledger):
    grow(ledger, "CREATE TABLE further (a);")
    grow(ledger, "CREATE TABLE further (a);", "CREATE TABLE more (a);")
    assert schema_version(ledger._connection) == NEXT + 1


def test_a_migration_that_fails_leaves_nothing_of_itself(ledger):
    grow(ledger, "CREATE TABLE kept (a);")
    with pytest.raises(InvariantError, match="more"):
        grow(
            ledger, "CREATE TABLE kept (a);", "CREATE TABLE half (a); INSERT INTO more VALUES (1);"
        )
    assert schema_version(ledger._connection) == NEXT
    names = ledger._connection.execute("SELECT name FROM sqlite_master").fetchall()
    assert "half" not in {name for (name,) in names}


def test_a_migration_may_make_a_table_anew_and_leaves_references_whole(ledger):
    family = "CREATE TABLE mother (a PRIMARY KEY); CREATE TABLE child (a REFERENCES mother (a));"
    grow(ledger, family + "INSERT INTO mother VALUES (1); INSERT INTO child VALUES (1);")
    anew = (
        "CREATE TABLE other (a PRIMARY KEY); DROP TABLE mother; ALTER TABLE other RENAME TO mother;"
    )
    with pytest.raises(InvariantError, match="broken references"):
        grow(ledger, family, anew)
    anew = anew.replace("DROP", "INSERT INTO other SELECT a FROM mother; DROP")
    grow(ledger, family, anew)
    assert schema_version(ledger._connection) == NEXT + 1
    assert ledger._connection.execute("PRAGMA foreign_keys").fetchone()[0] == 1


@pytest.mark.parametrize("state", ["sending", "unknown"])
def test_calls_without_an_answer_are_finished_by_the_version_that_made_them(ledger, state):
    with ledger.transaction():
        ledger._connection.execute(
            "INSERT INTO parcel (request_id, pair, company, call, body_sha256, items, state,"
            " attempts, first_at) VALUES ('r', 'main', 'books', 'POST', '', '[]', ?, 1, '')",
            (state,),
        )
    with pytest.raises(LedgerError, match=r"outcome of 1 calls.*run --once --wait"):
        grow(ledger, "CREATE TABLE further (a);")
    assert schema_version(ledger._connection) == NEXT - 1

    with ledger.transaction():
        ledger._connection.execute("UPDATE parcel SET state = 'settled'")
    grow(ledger, "CREATE TABLE further (a);")
    assert schema_version(ledger._connection) == NEXT


def test_migrations_are_numbered_without_a_gap(tmp_path):
    (tmp_path / "0001_ground.sql").write_text("SELECT 1;")
    assert read_migrations(tmp_path) == [Migration(1, "ground", "SELECT 1;")]
    (tmp_path / "0003_more.sql").write_text("SELECT 3;")
    with pytest.raises(InvariantError, match="numbered"):
        read_migrations(tmp_path)


def test_statements_are_split_where_they_end():
    trigger = (
        "CREATE TRIGGER t BEFORE DELETE ON a\nBEGIN\n    SELECT 1; -- a; b\n    SELECT 2;\nEND;\n"
    )
    assert list(statements("SELECT ';';\n" + trigger)) == ["SELECT ';';", trigger.strip()]


def test_a_last_statement_without_an_end_is_refused():
    with pytest.raises(InvariantError, match="does not end"):
        list(statements("SELECT 1;\nSELECT 2"))
