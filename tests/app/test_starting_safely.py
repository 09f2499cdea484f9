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
