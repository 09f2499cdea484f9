"""A company with Salesforce by its settings alone: asked who it is, provisioned, and worked."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from salesforce_world import Org

from tieout.app.cli import exit_code
from tieout.app.cli.exits import Exit
from tieout.simulator.salesforce import deeds, salesforce_app
from tieout.simulator.salesforce.furnishing import furnish
from tieout.simulator.serving import serve

SETTINGS = """\
companies:
  crm:
    system: salesforce
    id: "{id}"
    url: {url}
    client_id: file:id
    client_secret: file:secret
  books:
    system: quickbooks
    id: "913"
pairs:
  main:
    from: crm
    to: books
    mappings: [salesforce-deal-to-invoice]
    cutover_date: 2026-01-01
"""
OURS = 12 + 10  # fields of an opportunity and of an account; each is made, and granted


@pytest.fixture
def org(directory: Path) -> Iterator[Org]:
    """An org whose integration user's app a configuration names."""
    made = Org(seed=1)
    furnish(made)
    with serve(salesforce_app(made)) as served:
        (directory / "tieout.yaml").write_text(SETTINGS.format(id=made.org_id, url=served.url))
        (directory / "id").write_text("simulated-consumer-key")
        (directory / "secret").write_text("simulated-consumer-secret")
        (directory / "mappings" / "deals.yaml").unlink()
        shipped = Path(__file__).parents[2] / "config" / "mappings"
        name = "salesforce-deal-to-invoice.yaml"
        (directory / "mappings" / name).write_text((shipped / name).read_text("utf-8"), "utf-8")
        yield made


def crm_of(told):
    return next(one for one in told["companies"] if one["name"] == "crm")


def test_check_online_asks_the_org_who_it_is(org, spoken):
    spoken("provision", "crm")
    _, told = spoken("check", "--online")
    assert told["mistakes"] == []
    crm = crm_of(told)
    assert (crm["ok"], crm["says"], crm["until"]) == (True, "Nordlys", None)


def test_check_online_says_what_is_not_provisioned_and_which_field_is_hidden(org, spoken):
    deeds.hide_field(org, "Account", "Phone")
    crm = crm_of(spoken("check", "--online")[1])
    assert not crm["ok"]
    assert "tieout provision" in crm["says"]
    assert "Read on Account.Phone" in crm["says"]


def test_check_online_says_in_salesforces_words_why_the_app_is_refused(org, spoken, directory):
    (directory / "secret").write_text("another-secret")
    crm = crm_of(spoken("check", "--online")[1])
    assert not crm["ok"]
    assert "invalid client credentials" in crm["says"]
    assert "another-secret" not in crm["says"]


def test_connect_asks_for_a_session_as_no_person_need_consent(org, spoken):
    spoken("provision", "crm")
    code, told = spoken("connect", "crm")
    assert (code, told["id"], told["until"]) == (Exit.DONE, org.org_id, None)
    assert {right["held"] for right in told["rights"]} == {True, None}


def test_provision_makes_all_once(org, spoken):
    code, told = spoken("provision", "crm")
    assert code == Exit.DONE
    assert {one["state"] for one in told["companies"]["crm"]} == {"made"}
    assert len(told["companies"]["crm"]) == 3 * OURS + 3
    _, told = spoken("provision", "crm")
    assert {one["state"] for one in told["companies"]["crm"]} == {"there"}


def test_provision_prints_what_an_administrator_must_make_by_hand(org, spoken, capsys):
    deeds.forbid_customizing(org)
    assert exit_code(["provision", "crm"]) == Exit.TROUBLE
    said = capsys.readouterr().out
    assert "property “Tieout mark” for deals, internal name Tieout_Mark__c" in said
    assert "INSUFFICIENT_ACCESS" in said


def test_the_fields_that_a_mapping_may_use_are_told_with_the_orgs_own(org, spoken):
    _, told = spoken("mapping", "fields", "crm", "deal")
    names = {each["name"] for each in told["fields"]}
    assert {"close_date", "po_number__c"} <= names


def test_half_an_app_is_a_mistake_that_says_what_is_missing(org, spoken, directory):
    file = directory / "tieout.yaml"
    file.write_text(file.read_text().replace("    client_secret: file:secret\n", ""))
    crm = crm_of(spoken("check", "--online")[1])
    assert "client_id with user and private_key" in crm["says"]
