"""The verbs that need the engine, from a fresh configuration to posted invoices, on real sockets."""

import json
import shutil
import sqlite3
import urllib.request
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tieout.app.cli import exit_code
from tieout.app.cli.exits import Exit
from tieout.credentials import SealedTokens
from tieout.model.dates import instant_text


def invoices(town) -> int:
    with urllib.request.urlopen(f"{town.quickbooks.url}/__truth") as answer:
        return len(json.load(answer)["invoices"])


def test_a_round_says_what_it_did(said):
    code, told = said("run", "--once")

    (done,) = told["rounds"]
    assert code == Exit.TROUBLE  # tasks are open
    assert (done["pair"], done["unknown"], done["error"]) == ("main", 0, None)
    assert told["pairs"][0]["tasks"] > 0


def test_an_unknown_pair_is_told(said):
    code, told = said("run", "--once", "mian")

    assert (code, told["error"]["code"]) == (Exit.TROUBLE, "configuration")


def test_a_plan_is_approved_by_its_hash_and_sent(said, place):
    _, town = place
    code, told = said("plan")
    waiting = [plan for plan in told["plans"] if plan["state"] == "waiting"]
    assert code == Exit.CHANGES
    before = invoices(town)

    assert said("approve", waiting[0]["hash"][:8]) == (Exit.DONE, {"approved": 1})
    _, sent = said("apply", waiting[0]["hash"])

    assert sum(done["done"] for done in sent["rounds"]) >= 1
    assert invoices(town) == before + 1


def test_what_is_not_approved_is_not_sent(said, place):
    _, town = place
    _, told = said("plan", "--no-look")
    waiting = next(plan for plan in told["plans"] if plan["state"] == "waiting")
    before = invoices(town)

    code, refused = said("apply", waiting["hash"])

    assert (code, refused["error"]["code"]) == (Exit.TROUBLE, "rejected")
    assert invoices(town) == before


def test_a_hash_that_moved_is_refused(said):
    code, refused = said("apply", "0" * 64)

    assert (code, refused["error"]["code"]) == (Exit.TROUBLE, "not-found")
    assert "moved" in refused["error"]["what"]


def test_a_rejected_plan_waits_no_more(said):
    _, told = said("plan", "--no-look")
    waiting = [plan for plan in told["plans"] if plan["state"] == "waiting"]

    assert said("reject", waiting[0]["hash"], "--reason", "disputed") == (
        Exit.DONE,
        {"rejected": 1},
    )

    _, again = said("plan", "--no-look")
    assert waiting[0]["hash"] not in [plan["hash"] for plan in again["plans"]]


def test_the_whole_sheet_is_approved_by_its_hash(said):
    _, told = said("plan", "--no-look")
    waiting = [plan for plan in told["plans"] if plan["state"] == "waiting"]

    assert said("approve", told["sheets"]["main"]) == (Exit.DONE, {"approved": len(waiting)})


def test_explain_names_the_mapping_s_line_of_every_value(said, place):
    here, _ = place
    _, told = said("explain", "deal:9000000004")

    (document,) = [d for d in told["documents"] if d["mapping"] == "hubspot-deal-to-invoice"]
    lines = (here / "config/mappings/hubspot-deal-to-invoice.yaml").read_text().splitlines()
    made = {value["field"]: lines[value["line"] - 1] for value in document["values"]}
    assert "currency: =deal.currency" in made["currency"]
    assert document["state"] in {"posted", "approved", "waiting", "blocked"}


def test_tasks_say_what_waits_and_what_can_be_answered(said):
    code, told = said("tasks")

    assert code == Exit.TROUBLE
    task = told["tasks"][0]
    assert {"id", "pair", "code", "message", "remedy", "choices"} <= task.keys()

    code, refused = said("tasks", "answer", str(task["id"]), "nonsense")
    assert (code, refused["error"]["code"]) == (Exit.TROUBLE, "rejected")


def test_an_alarm_rings_before_consent_ends_and_stops_when_it_is_given_again(said, place):
    sealed, books = (
        SealedTokens(place[0] / "state" / "tokens.sealed"),
        "quickbooks:9130350000000001",
    )
    whole = sealed.read(books)
    ends_at = datetime.now(UTC) + timedelta(days=13)

    sealed.write(books, {**whole, "hard_until": instant_text(ends_at)})
    said("run", "--once")
    _, told = said("tasks")
    _, checked = said("check", "--online")
    says = {company["name"]: company["says"] for company in checked["companies"]}
    rung = {task["code"]: task["message"] for task in told["tasks"]}
    sealed.write(books, whole)
    said("run", "--once")
    _, later = said("tasks")

    assert "consent ends soon" in says["books"]
    assert f"{books} ends on {ends_at:%Y-%m-%d}" in rung["consent-ends"]
    assert "consent-ends" not in {task["code"] for task in later["tasks"]}


def test_status_reads_the_ledger_alone(said, place, monkeypatch):
    code, told = said("status")

    assert code == Exit.TROUBLE
    assert told["pairs"][0]["unknowns"] == 0
    assert len(told["journal"]["hash"]) == 64


def test_resync_and_reconcile_work_one_source_and_all(said):
    _, one = said("resync", "deal:9000000004")
    _, every = said("reconcile")

    assert one["rounds"][0]["error"] is None
    assert every["rounds"][0]["compared"] > 0


@pytest.mark.parametrize(
    "args",
    [
        ("resync", "deal:404"),
        ("explain", "deal:404"),
        ("explain", "deal:9000000004", "custmer"),
        ("plan", "--no-look", "deal:404"),
        ("tasks", "--pair", "mian"),
    ],
)
def test_what_is_not_there_is_told(said, args):
    code, told = said(*args)

    assert (code, told["error"]["code"]) == (Exit.TROUBLE, "not-found")


def test_a_plan_is_named_by_its_whole_address(said):
    _, told = said("plan", "--no-look")
    kind, _, number = told["plans"][0]["source"].partition(":")

    assert said("plan", "--no-look", f"{kind}:{number}")[1]["plans"] != []
    assert said("plan", "--no-look", f"un{kind}:{number}")[1]["error"]["code"] == "not-found"


@pytest.mark.parametrize("short", ["", "5"])
def test_a_few_letters_name_no_plan_to_be_sent(said, short):
    assert said("apply", short)[1]["error"]["code"] == "rejected"


def test_status_and_tasks_are_shown_while_a_mapping_is_broken(said, place):
    file = place[0] / "config" / "mappings" / "hubspot-deal-to-invoice.yaml"
    right = file.read_text()
    file.write_text(right.replace("=deal.currency", "=deal.curency"))
    try:
        shown = [said(verb)[1] for verb in ("status", "tasks")]
        _, refused = said("explain", "deal:9000000004")
    finally:
        file.write_text(right)

    assert ("pairs" in shown[0], "tasks" in shown[1]) == (True, True)
    assert refused["error"]["code"] == "mistakes"


def test_a_pair_stands_still_while_its_token_is_gone_and_goes_on_when_it_is_back(said, place):
    file = place[0] / "config" / "simulators" / "hubspot-token"
    token = file.read_text()
    file.write_text("")
    try:
        code, told = said("run", "--once")
    finally:
        file.write_text(token)

    assert (code, told["pairs"][0]["paused"]["code"]) == (Exit.PAUSED, "unauthorized")
    assert said("resume", "main", "--reason", "it is back")[0] == Exit.DONE
    assert said("run", "--once")[1]["rounds"][0]["error"] is None


def test_only_what_was_taken_back_is_issued_again(said):
    code, told = said("reissue", "deal:9000000004", "--reason", "try")

    assert (code, told["error"]["next_step"]) == (Exit.TROUBLE, "ask")


def test_a_pair_is_resumed_by_name(said):
    assert said("resume", "main", "--reason", "seen") == (Exit.DONE, {"resumed": "main"})
    assert said("resume", "mian", "--reason", "seen")[0] == Exit.TROUBLE


def test_the_journal_holds_and_a_backup_carries_its_head(said, place):
    here, _ = place
    _, verified = said("audit", "verify")
    code, manifest = said("ledger", "backup", str(here / "backup.db"))

    assert (code, manifest["head"], verified["ok"]) == (Exit.DONE, verified["head"], True)
    assert said("audit", "verify", "--against", verified["head"])[0] == Exit.DONE
    assert said("audit", "verify", "--against", "0" * 63 + "1")[0] == Exit.TROUBLE

    code, restored = said("ledger", "restore", str(here / "backup.db"))
    assert (code, Path(restored["kept"]).exists()) == (Exit.DONE, True)


@pytest.mark.parametrize("emptied", ["", "DROP TABLE journal", "DROP TABLE meta"])
def test_a_ledger_without_its_journal_does_not_hold(said, place, emptied):
    file = place[0] / "state" / "ledger.db"
    whole = file.with_name("whole.db")
    file.rename(whole)
    try:
        if emptied:
            shutil.copy(whole, file)
            with closing(sqlite3.connect(file)) as connection:
                connection.executescript(emptied)
        else:
            file.touch()
        code, told = said("audit", "verify")
    finally:
        whole.rename(file)

    assert (code, told["ok"]) == (Exit.TROUBLE, False)
    assert "cannot be read" in told["why"]


@pytest.mark.parametrize(
    "args",
    [
        ["plan"],
        ["plan", "--no-look", "--all"],
        ["tasks"],
        ["tasks", "--all"],
        ["status"],
        ["explain", "deal:9000000004"],
        ["reconcile"],
    ],
)
def test_people_read_lines_without_a_traceback(place, monkeypatch, capsys, args):
    monkeypatch.chdir(place[0])

    assert exit_code(args) in {Exit.DONE, Exit.TROUBLE, Exit.CHANGES}

    told = capsys.readouterr()
    assert told.out
    assert "Traceback" not in told.err


def test_rounds_go_on_with_tokens_that_are_sealed_anew(said, place):
    """A second key, made for the tokens alone: what the first one opens is worth nothing then."""
    key = place[0] / "state" / "tokens.sealed.key"
    old = key.read_text()

    code, told = said("seal")
    assert code == Exit.DONE
    assert [name.partition(":")[0] for name in told["sealed"]] == ["quickbooks"]
    assert key.read_text() != old
    assert said("run", "--once")[1]["rounds"][0]["error"] is None
