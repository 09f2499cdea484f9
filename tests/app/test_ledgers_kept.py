"""A ledger across versions, backups and their tokens, as the command line meets them."""

import json
import sqlite3
from contextlib import closing
from urllib.request import urlopen

import pytest

from sync_engine.ledger import migrating
from tieout.app.cli.exits import Exit

NEWEST = len(migrating.migrations())


@pytest.fixture
def altered(place):
    """Return a function that changes the ledger as another version would have left it."""

    def alter(sql: str) -> None:
        with closing(sqlite3.connect(place[0] / "state" / "ledger.db")) as ledger, ledger:
            ledger.execute(sql)

    return alter


def all_of(here) -> list[str]:
    with closing(sqlite3.connect(here / "state" / "ledger.db")) as ledger:
        return list(ledger.iterdump())


def requests(town) -> list[dict[str, int]]:
    """What was asked of both companies, by their own count."""
    asked = []
    for served in (town.hubspot, town.quickbooks):
        with urlopen(f"{served.url}/__truth") as answer:
            asked.append(json.load(answer)["requests"])
    return asked


@pytest.mark.parametrize(
    "args",
    [["run", "--once"], ["plan"], ["status"], ["tasks"], ["ledger", "backup", "kept.db"]],
    ids=" ".join,
)
def test_a_ledger_of_a_newer_version_is_refused_by_each_verb_and_left_alone(
    said, place, altered, args
):
    here, town = place
    altered(f"INSERT INTO migration VALUES ({NEWEST + 1}, 'later', '2027-01-01T00:00:00Z')")
    before, asked = all_of(here), requests(town)
    try:
        code, told = said(*args)
        assert (all_of(here), requests(town)) == (before, asked)
    finally:
        altered(f"DELETE FROM migration WHERE n > {NEWEST}")

    assert (code, told["error"]["code"]) == (Exit.TROUBLE, "ledger")
    assert "newer version of Tieout" in told["error"]["what"]
    assert "Install that version again" in told["error"]["remedy"]
    assert said("status")[0] == Exit.TROUBLE  # tasks are open


def test_a_ledger_with_unknowns_is_upgraded_only_when_the_old_version_has_settled_them(
    said, place, altered
):
    _, town = place
    altered(f"DELETE FROM migration WHERE n = {NEWEST}")
    altered(
        "UPDATE parcel SET state = 'unknown' WHERE request_id = (SELECT min(request_id) FROM parcel)"
    )
    asked = requests(town)

    code, told = said("run", "--once")
    _, shown = said("status")

    assert (code, told["error"]["code"]) == (Exit.TROUBLE, "ledger")
    assert "the outcome of 1 calls" in told["error"]["what"]
    assert "`tieout run --once --wait`" in told["error"]["remedy"]
    assert "older version of Tieout" in shown["error"]["what"]
    assert requests(town) == asked

    altered(f"INSERT INTO migration VALUES ({NEWEST}, 'flow', '2026-01-01T00:00:00Z')")
    _, settled = said("run", "--once", "--wait")
    assert (settled["rounds"][0]["error"], settled["pairs"][0]["unknowns"]) == (None, 0)


def test_a_backup_carries_no_token_and_a_restore_brings_none_back(said, place):
    here, town = place
    tokens = here / "state" / "tokens.sealed"
    secrets = [*town.authority.access, *town.authority.refresh, town.portal.token]
    assert len(secrets) >= 3
    assert tokens.read_bytes()

    said("ledger", "backup", str(here / "kept.db"))

    written = b"".join(file.read_bytes() for file in here.glob("kept.db*"))
    assert written.startswith(b"SQLite format 3")
    assert [secret for secret in secrets if secret.encode() in written] == []
    assert tokens.read_bytes().strip() not in written

    whole = tokens.read_bytes()
    tokens.unlink()
    try:
        code, _ = said("ledger", "restore", str(here / "kept.db"))
        assert (code, tokens.exists()) == (Exit.DONE, False)
        tokens.write_bytes(b"renewed since")
        said("ledger", "restore", str(here / "kept.db"))
        assert tokens.read_bytes() == b"renewed since"
    finally:
        tokens.write_bytes(whole)
