"""The commands with which a company starts over books that have a past."""

import pytest

from tieout.app import simulated
from tieout.app.cli import exit_code
from tieout.app.cli.exits import Exit
from tieout.simulator.hubspot import truth
from tieout.simulator.quickbooks import deeds, truth_of


@pytest.fixture
def town(tmp_path, monkeypatch):
    """Serve companies whose accountant has invoiced one deal by hand; the pair is not worked yet."""
    monkeypatch.chdir(tmp_path)
    assert exit_code(["init"]) == Exit.DONE
    with simulated.town(deals=12, hubspot_port=0, quickbooks_port=0, limited=False) as made:
        file = tmp_path / "config" / "tieout.yaml"
        text = file.read_text().replace("http://127.0.0.1:8801", made.hubspot.url)
        file.write_text(text.replace("http://127.0.0.1:8802", made.quickbooks.url))
        yield made


@pytest.fixture
def by_hand(town):
    """Return a deal that an accountant has invoiced, and the invoice."""
    deal = next(one for one in truth(town.portal)["deals"] if is_plain(one))
    company = town.company
    with company.lock:
        codes = {one["name"]: one["id"] for one in truth_of(company)["tax_codes"]}
        body = {"DisplayName": deal["company_name"], "CurrencyRef": {"value": deal["currency"]}}
        customer = deeds.create(company, kind="Customer", body=body)["Id"]
        line = {"item": "1", "amount": deal["net"], "tax_code": codes["Z"]}
        invoice = deeds.create_invoice(
            company,
            customer=customer,
            lines=[line],
            po_number=deal["po_number"],
            day=deal["close_date"][:10],
        )
    return deal["id"], invoice["Id"]


def is_plain(deal):
    wanted = ("is_won", "amount", "currency", "company", "po_number", "lines")
    late = deal["close_date"] and deal["close_date"] > "2026-01-05"
    return all(deal[name] for name in wanted) and deal["net"] == deal["amount"] and late


def test_backfill_says_what_it_would_link_and_links_what_a_person_confirms(by_hand, spoken, capsys):
    deal, invoice = by_hand
    code, told = spoken("backfill")
    [report] = told["pairs"]
    [link] = report["certain"]
    assert (code, link["source"], link["record"]["id"]) == (Exit.TROUBLE, f"deal:{deal}", invoice)
    short = report["hashes"]["certain"][:8]

    assert exit_code(["backfill", "--no-look"]) == Exit.TROUBLE
    assert f"tieout backfill --confirm {short}" in capsys.readouterr().out

    assert spoken("backfill", "--confirm", short, "--reason", "seen") == (Exit.DONE, {"linked": 1})
    code, told = spoken("backfill", "--confirm", short)
    assert (code, told["error"]["code"]) == (Exit.TROUBLE, "not-found")


def test_backfill_links_one_deal_that_a_person_names(by_hand, spoken):
    deal, invoice = by_hand
    spoken("backfill")
    assert spoken("backfill", "--link", f"deal:{deal}", invoice) == (Exit.DONE, {"linked": 1})
    assert spoken("backfill")[1]["pairs"][0]["certain"] == []


def test_backfill_takes_a_hash_or_one_deal_not_both(town, capsys):
    assert exit_code(["backfill", "--confirm", "1" * 8, "--link", "deal:1", "2"]) == Exit.USAGE
    assert "give one" in capsys.readouterr().err


@pytest.fixture
def watching(by_hand, tmp_path):
    """Let the pair begin in the shadow; return the deal that an accountant has invoiced."""
    file = tmp_path / "config" / "tieout.yaml"
    file.write_text(file.read_text().replace("    every: 5m", "    mode: shadow\n    every: 5m"))
    return by_hand


def test_a_pair_in_the_shadow_says_so_and_posts_nothing(watching, town, spoken, capsys):
    _, told = spoken("run", "--once", "--wait")
    assert told["rounds"][0]["shadow"]
    exit_code(["status"])
    assert "in the shadow: posts nothing until `tieout go-live`" in capsys.readouterr().out
    with town.company.lock:
        assert [one["by_hand"] for one in truth_of(town.company)["invoices"]] == [True]


def test_shadow_shows_each_invoice_by_hand_beside_ours(watching, spoken, capsys):
    deal, invoice = watching
    code, told = spoken("shadow")
    [report] = told["pairs"]
    [compared] = report["compared"]
    assert (code, compared["source"], compared["record"]["id"]) == (
        Exit.DONE,
        f"deal:{deal}",
        invoice,
    )
    assert exit_code(["shadow", "--no-look", "--all"]) == Exit.DONE
    said = capsys.readouterr().out
    assert "memo: ours HubSpot deal" in said
    assert "(line 53: =join" in said

    _, told = spoken("shadow", "--no-look", "--since", "2030-01-01")
    assert told["pairs"][0]["compared"] == []


def test_going_live_waits_for_the_links_and_then_posts_the_rest(watching, town, spoken):
    _, told = spoken("backfill")
    code, refused = spoken("go-live", "main", "--reason", "ready")
    assert (code, refused["error"]["code"]) == (Exit.TROUBLE, "rejected")

    spoken("backfill", "--confirm", told["pairs"][0]["hashes"]["shown"])
    went = spoken("go-live", "main", "--reason", "ready", "--as", "ann")
    assert went == (Exit.DONE, {"live": "main", "left_open": 0})
    assert spoken("status")[1]["pairs"][0]["mode"] == "live"

    spoken("run", "--once", "--wait")
    with town.company.lock:
        truth_now = truth_of(town.company)
    assert len(truth_now["invoices"]) > 1
    assert truth_now["duplicates"] == {}


@pytest.mark.parametrize("verb", ["backfill", "shadow"])
def test_a_side_that_cannot_be_read_ends_the_report(town, tmp_path, spoken, verb):
    file = tmp_path / "config" / "tieout.yaml"
    file.write_text(file.read_text().replace(town.hubspot.url, "http://127.0.0.1:9"))
    code, told = spoken(verb)
    assert (code, told["error"]["code"]) == (Exit.TROUBLE, "unavailable")


def test_a_plan_of_a_pair_in_the_shadow_says_that_nothing_is_sent(watching, capsys):
    assert exit_code(["plan"]) == Exit.CHANGES
    assert "main is in the shadow: nothing of it is sent" in capsys.readouterr().out
