"""The queries: one text, named, compiled, and each of them used."""

import re
import sqlite3
from pathlib import Path

import pytest
from large_ledger import fill
from seldom_asked import listen, seldom_asked

from sync_engine.ledger import migrating, store
from tieout.model.errors import InvariantError

ROOT = Path(__file__).parents[3]
ASKED = re.compile(r"""(?:\.(?:run|many|all|one|value)\(|queries\(\)\[)\s*"([a-z0-9_]+)\"""")

SCAN = re.compile(r"SCAN (?!CONSTANT ROW)(\w+)\b(?! VIRTUAL)(?: USING (?:COVERING )?INDEX (\w+))?")
# a search for all that one company or pair has, of one kind or all, is no better than a scan
WIDE = re.compile(r"SEARCH (\w+) .*\((?:company|pair)=\?(?: AND (?:to_)?kind=\?)?\)$")
SHORT = {"meta", "migration", "pair_state", "cursor"}  # tables that do not grow
DOCUMENTS = 2_000  # enough for SQLite to know a long table by its statistics


def named_in_code() -> set[str]:
    files = (ROOT / "sync_engine").rglob("*.py")
    return {name for file in files for name in ASKED.findall(file.read_text("utf-8"))}


def test_every_query_that_the_code_names_exists():
    assert named_in_code() - set(store.queries()) == set()


def test_every_query_is_used():
    assert set(store.queries()) - named_in_code() == set()


class Nulls(dict):
    def __missing__(self, name):
        return None


def test_every_query_compiles_against_the_schema():
    connection = sqlite3.connect(":memory:")
    for migration in migrating.migrations():
        connection.executescript(migration.sql)
    mistakes = {}
    for name, sql in store.queries().items():
        try:
            connection.execute(f"EXPLAIN {sql}", Nulls())
        except sqlite3.Error as wrong:
            mistakes[name] = str(wrong)
    connection.close()
    assert mistakes == {}


def whole_reads(connection, sql):
    """Return the tables that a query reads from end to end.

    An index of open things only (``WHERE state = 'open'``) is short; so is what a bare LIMIT ends.
    """
    partial = {
        name
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'index' AND sql LIKE '% WHERE %'"
        )
    }
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", Nulls())]
    scans = [SCAN.match(step) for step in plan]
    if (
        " LIMIT " in sql
        and " WHERE " not in sql
        and not any("TEMP B-TREE" in step for step in plan)
    ):
        return set()
    wide = [WIDE.match(step) for step in plan]
    found = {scan[1] for scan in scans if scan and scan[2] not in partial}
    return (found | {search[1] for search in wide if search}) - SHORT


@pytest.fixture(params=["new", "grown", "grown and analysed"])
def ledger_of_years(request):
    """A ledger as it was made, and after years of work, also one whose lengths SQLite knows."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for migration in migrating.migrations():
        connection.executescript(migration.sql)
    if request.param != "new":
        fill(connection, DOCUMENTS)
    if request.param == "grown and analysed":
        connection.execute("ANALYZE")
    yield connection
    connection.close()


def test_no_query_reads_a_whole_table_unless_it_says_so(ledger_of_years):
    """A ledger of a million lines must be as quick as a new one: name the index, or the reason.

    A query that is asked seldom, as for a report, says ``(reads all)`` at the end of its purpose;
    ``tests/counts`` holds that no round asks one.
    """
    found = {name: whole_reads(ledger_of_years, sql) for name, sql in store.queries().items()}
    unsaid = found.keys() - seldom_asked()
    assert {name: found[name] for name in unsaid if found[name]} == {}


def test_a_query_that_reads_all_is_heard_when_it_is_asked(ledger_of_years):
    heard = listen(ledger_of_years)
    address = {"company": "quickbooks:9130", "kind": "in'voice", "id": "I1"}
    for name in ("mirror_get", "mirror_all", "mirror_all", "mirror_living"):
        ledger_of_years.execute(store.queries()[name], address)
    assert heard == {"mirror_all": 2, "mirror_living": 1}


def test_a_query_has_a_name_a_purpose_and_one_statement():
    text = (
        "-- Words.\n\n-- one: the first\n-- of two\nSELECT 1;\n\n-- two: the second\nSELECT :a;\n"
    )
    assert store.parse_queries(text) == {"one": "SELECT 1;", "two": "SELECT :a;"}


@pytest.mark.parametrize(
    "text",
    [
        "-- one: a\nSELECT 1;\n-- one: b\nSELECT 2;\n",
        "-- one: a\nSELECT 1\n",
        "-- one: a\nSELECT 1; SELECT 2;\n",
        "-- one: a\n-- two: b\nSELECT 2;\n",
    ],
    ids=["a name twice", "no end", "two statements", "no statement"],
)
def test_a_query_without_that_form_is_refused(text):
    with pytest.raises(InvariantError):
        store.parse_queries(text)


def test_what_writes_is_known_by_its_words():
    assert {"meta_set", "wish_leave", "meta_clear"} <= store.writing()
    assert not {"meta_get", "journal_after", "wish_open"} & store.writing()
