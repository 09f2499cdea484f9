"""The demo, small: all ties out, nothing is there twice or lost, and again there is nothing to do."""

import json
from datetime import date
from decimal import Decimal

import pytest

from tieout.app.cli import exit_code
from tieout.app.cli.exits import Exit
from tieout.app.demo import hubspot
from tieout.app.demo.tally import shown, tally

DEALS = "60"
KEYS = [
    *("won", "invoiced", "held", "difference"),
    *("posted", "held_count", "second_run_changes", "api_calls", "duplicates", "lost"),
]


@pytest.fixture
def played(tmp_path, monkeypatch, capsys):
    """Return a function that plays the demo; it returns what was told, and the JSON."""
    monkeypatch.chdir(tmp_path)

    def play(*args: str):
        code = exit_code(["demo", "--deals", DEALS, "--any-ports", "--json", *args])
        told = capsys.readouterr()
        assert code == Exit.DONE, told.err
        return told.err, json.loads(told.out)

    return play


@pytest.mark.slow
@pytest.mark.parametrize("crm", ["salesforce", "dynamics365"])
def test_all_ties_out_with_each_crm(played, crm):
    told, first = played("--crm", crm)

    assert {Decimal(amount) for amount in first["difference"].values()} == {0}
    assert [first[key] for key in ("second_run_changes", "duplicates", "lost")] == [0, 0, 0]
    assert first["posted"] > 30
    for words in ("faults struck", "voids an invoice", "by a line", "rename an account", "win"):
        assert words in told
    assert {"voided", "copied", "changed-in-crm", "deleted-in-crm", "reopened"} <= set(told.split())
    assert f"--config demo-{crm}/config" in told


@pytest.mark.slow
def test_three_crms_tie_out_with_one_set_of_books(played):
    told, came = played("--crm", "all", "--deals", "20")

    assert {Decimal(amount) for amount in came["difference"].values()} == {0}
    assert [came[key] for key in ("second_run_changes", "duplicates", "lost")] == [0, 0, 0]
    assert came["posted"] > 30
    for team in ("HubSpot", "Salesforce", "Dynamics 365"):
        assert f"Sales, {team}" in told


def test_a_directory_is_one_crm_s(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "story.json").write_text('{"deals": 20, "born": "by hand"}')

    assert exit_code(["demo", "demo", "--crm", "salesforce"]) == Exit.TROUBLE
    assert "demo is a demo with HubSpot." in capsys.readouterr().err


@pytest.mark.slow
def test_all_ties_out_and_a_second_demo_finds_nothing_to_do(played, tmp_path):
    told, first = played()

    assert list(first) == KEYS
    assert {Decimal(amount) for amount in first["difference"].values()} == {0}
    assert [first[key] for key in ("second_run_changes", "duplicates", "lost")] == [0, 0, 0]
    assert first["posted"] > 30
    for currency, won in first["won"].items():
        parts = (first[name][currency] for name in ("invoiced", "held"))
        assert sum(map(Decimal, parts)) == Decimal(won)
    assert "faults struck" in told
    for words in ("voids an invoice", "in part", "too large", "held because", "books: net"):
        assert words in told
    assert {"period-closed", "voided", "copied", "changed-in-crm"} <= set(told.split())
    assert "--config demo/config" in told
    for file in ("config/tieout.yaml", "state/ledger.db", "simulators/hubspot.json"):
        assert (tmp_path / "demo" / file).is_file()

    told, second = played()

    assert "the first round" not in told.lower()
    assert second["api_calls"] < first["api_calls"] / 5
    assert {key: second[key] for key in KEYS if key != "api_calls"} == {
        key: first[key] for key in KEYS if key != "api_calls"
    }


def test_a_fresh_demo_removes_nothing_that_no_demo_made(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "demo" / "config").mkdir(parents=True)

    assert exit_code(["demo", "--fresh"]) == Exit.TROUBLE
    assert (tmp_path / "demo" / "config").is_dir()
    assert "not a demo's directory" in capsys.readouterr().err


# -- the tally -------------------------------------------------------------------------------

CRM = {
    "portal": {"currency": "EUR", "time_zone": "Europe/Oslo"},
    "merged": {"1": "9"},
    "deals": [
        {
            "id": number,
            "is_won": True,
            "archived": False,
            "currency": "EUR",
            "net": net,
            "close_date": closed,
        }
        for number, net, closed in (
            ("2", "100.00", "2026-01-31T10:00:00Z"),
            ("3", "70.00", "2025-12-31T23:30:00Z"),  # New Year in Oslo
            ("4", "5.00", "2025-12-31T22:30:00Z"),  # not yet
            ("9", "30.00", "2026-02-01T10:00:00Z"),
        )
    ],
}
ORDERS = {"A": "1", "B": "2", "C": "3", "E": "9"}


def invoice(number, order, net, **more):
    given = {"voided": False, "deleted": False, "by_hand": False, "tax": 0, "balance": 0}
    amounts = {"currency": "EUR", "net": Decimal(net)}
    return {"id": number, "po_number": order, "private_note": None, **amounts, **given, **more}


def task(deal, net):
    return {"source_kind": "deal", "source_id": deal, "net": net, "currency": "EUR", "code": "why"}


def counted(invoices, tasks):
    return tally(hubspot.read(CRM), {"invoices": invoices}, tasks, ORDERS, cutover=date(2026, 1, 1))


def test_each_side_is_counted_from_its_own_source():
    found = counted(
        [invoice("1", "B", "100.00"), invoice("2", "A", "20.00")],
        [task("1", "10.00"), task("3", "70.00")],
    )

    row = found.rows["EUR"]
    assert [row.won, row.invoiced, row.held] == [Decimal(200), Decimal(120), Decimal(80)]
    assert (row.difference, found.holds, found.held_deals) == (0, True, 2)


def test_differences_that_cancel_each_other_are_told():
    found = counted([invoice("1", "B", "110.00"), invoice("2", "E", "20.00")], [task("3", "70.00")])

    assert found.rows["EUR"].difference == 0
    assert found.differing == {("2", "EUR"): Decimal(-10), ("9", "EUR"): Decimal(10)}
    assert not found.holds


def test_two_live_invoices_of_ours_are_a_duplicate_and_a_person_s_is_none():
    ours = invoice("1", "B", "50.00")

    twice = counted([ours, invoice("2", "B", "50.00")], [])
    copied = counted([ours, invoice("2", "B", "50.00", by_hand=True)], [])

    assert (twice.duplicates, copied.duplicates) == (["B"], [])


def test_a_won_deal_with_neither_invoice_nor_task_is_lost():
    found = counted([invoice("1", "B", "100.00", voided=True)], [task("3", "70.00")])

    assert found.lost == ["2", "9"]


def test_an_invoice_without_an_order_is_of_the_deal_that_its_memo_names():
    found = counted(
        [invoice("1", None, "100.00", private_note="HubSpot deal 2 Rollout")],
        [task("3", "70.00"), task("9", "30.00")],
    )

    assert (found.holds, found.posted, found.lost) == (True, 1, [])


def test_an_amount_is_shown_with_its_currency_s_decimals():
    amounts = [("12.5", "EUR"), ("3E+3", "JPY"), ("0.5", "KWD"), ("-0", "EUR"), ("1.005", "EUR")]

    assert [shown(Decimal(amount), code) for amount, code in amounts] == [
        *("12.50", "3000", "0.500", "0.00"),
        "1.005",  # never rounded away
    ]
