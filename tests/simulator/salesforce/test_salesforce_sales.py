"""How an org is filled, what its truth tells, and that it comes back from a file."""

from collections import Counter
from decimal import Decimal

import pytest

from tieout.simulator.salesforce import SalesforceOrg, load, save, sell, sell_uniform, truth


@pytest.fixture
def sold(open_org):
    crm = open_org(seed=5)
    sell(crm.org, deals=400, seed=1)
    return crm


def won(crm):
    return [one for one in truth(crm.org)["deals"] if one["is_won"] and not one["archived"]]


def test_a_seed_decides_everything(open_org):
    told = []
    for seed in (1, 1, 2):
        crm = open_org(seed=5)
        sell(crm.org, deals=20, seed=seed)
        told.append(truth(crm.org))
    assert told[0] == told[1]
    assert told[0]["deals"] != told[2]["deals"]


def test_a_quarter_more_is_open_lost_early_or_deleted(sold):
    told = truth(sold.org)["deals"]
    assert len(told) == 500
    late = [one for one in told[:400] if one["is_won"] and one["close_date"] >= "2026-01-01"]
    assert len(late) == 400
    assert Counter(one["stage"] for one in told[400:]) == {
        "Negotiation/Review": 40,
        "Closed Lost": 40,
        "Closed Won": 20,
    }
    assert sum(one["archived"] for one in told) == 4


def test_the_mess_of_a_sales_team_is_there(sold):
    told = won(sold)
    lines = [line for one in told for line in one["lines"]]
    payments = [paid for one in told for paid in one["payments"]]
    assert {one["currency"] for one in told} == {"EUR", "USD", "GBP", "NOK", "JPY", "KWD"}
    assert any(one["company"] is None for one in told)
    assert any(not one["lines"] and one["amount"] is None for one in told)
    assert any(not one["lines"] and one["amount"] == "990" for one in told)
    assert any(one["po_number"] is None for one in told)
    assert {"10", "12.5", "33", "100"} <= {line.get("Discount") for line in lines}
    assert any(line["UnitPrice"] == "33.33333" for line in lines)
    assert any(line["ProductCode"] is None for line in lines)
    assert any("SortOrder" not in line for line in lines)
    assert {paid["Status__c"] for paid in payments} == {
        "Received",
        "Pending",
        "Failed",
        "Refunded",
    }


def test_the_truth_s_net_is_the_sum_of_the_lines(sold):
    for one in won(sold):
        if one["lines"]:
            net = sum((Decimal(line["TotalPrice"]) for line in one["lines"]), Decimal(0))
            assert (Decimal(one["net"]), Decimal(one["amount"])) == (net, net)
    short = sold.ask("GET", "/__truth", detail="0").json["deals"][0]
    assert "lines" not in short


def test_what_was_planted_is_what_the_api_would_have_made(sold):
    """A line that is written again with its own values computes the same prices."""
    for one in won(sold)[:60]:
        for line in one["lines"]:
            before = sold.read("OpportunityLineItem", line["Id"], "TotalPrice", "Subtotal")
            told = sold.change(
                "OpportunityLineItem", line["Id"], UnitPrice=Decimal(line["UnitPrice"])
            )
            assert told.status == 204
            assert sold.read("OpportunityLineItem", line["Id"], "TotalPrice", "Subtotal") == before


def test_an_even_population_lacks_nothing_and_adds_up(open_org):
    crm = open_org()
    sell_uniform(crm.org, 30, lines=3)
    told = won(crm)
    assert [len(one["lines"]) for one in told] == [3] * 30
    assert {one["currency"] for one in told} == {"EUR"}
    assert all(one["company"] for one in told)


def test_an_org_of_one_currency_is_filled_too(open_org):
    crm = open_org(multi_currency=False, company_currency="USD")
    sell(crm.org, deals=40)
    assert {one["currency"] for one in won(crm)} == {"USD"}


def test_requests_are_counted_by_operation(sold):
    sold.rows("SELECT Id FROM Account LIMIT 1")
    sold.ask("GET", "sobjects/Account/describe")
    told = sold.ask("GET", "/__truth").json
    assert told["requests"] == {"GET query": 1, "GET sobjects/Account/describe": 1}


def test_an_org_comes_back_from_its_file(sold, tmp_path, clock):
    crm = sold
    deal = won(crm)[0]["id"]
    crm.deed("create_field", kind="Opportunity", name="Mark__c", unique=True, external_id=True)
    crm.deed("show_field", kind="Opportunity", field="Mark__c")
    crm.change("Opportunity", deal, Mark__c="portal:1")
    crm.create("ContentVersion", PathOnClient="a.txt", VersionData="YQ==")
    crm.deed("hide_field", kind="Account", field="Phone")
    crm.deed("lock_record", id=deal)
    crm.deed("add_validation_rule", kind="Account", where="Name = 'x'", message="no")
    crm.ask("GET", "tooling/query", q="SELECT Id FROM CustomField")
    save(crm.org, tmp_path / "org.json")
    org = load(tmp_path / "org.json", clock)

    before, after = truth(crm.org), truth(org)
    assert {**after, "requests": None} == {**before, "requests": None}
    again = type(crm)(org, clock)
    again.token = crm.token
    assert again.read("Opportunity", deal, "Mark__c")["Mark__c"] == "portal:1"
    assert again.query("SELECT Phone FROM Account").code == "INVALID_FIELD"
    assert again.change("Opportunity", deal, Name="B").code == "ENTITY_IS_LOCKED"
    data = again.rows("SELECT VersionData FROM ContentVersion")[0]["VersionData"]
    assert again.ask("GET", data).body == b"a"
    made = {crm.create("Account", Name="next"), again.create("Account", Name="next")}
    assert len(made) == 1


def test_a_file_that_is_no_org_is_refused(tmp_path):
    path = tmp_path / "org.json"
    path.write_text('{"format": 99}')
    with pytest.raises(ValueError, match="no org of format"):
        load(path)
    with pytest.raises(ValueError, match="no id of an org"):
        SalesforceOrg("006000000000001")
