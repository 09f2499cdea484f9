"""The verbs that need no engine, as a person types them."""

import json
import re
import shutil
from pathlib import Path

import pytest

from tieout.app import simulated
from tieout.app.cli import exit_code
from tieout.app.cli.exits import Exit
from tieout.app.starter import starter
from tieout.simulator.hubspot import Token, deeds
from tieout.simulator.hubspot.oauth import app_of


@pytest.fixture
def started(tmp_path, monkeypatch) -> Path:
    """Return a new directory in which ``tieout init`` was typed."""
    monkeypatch.chdir(tmp_path)
    assert exit_code(["init"]) == Exit.DONE
    return tmp_path / "config"


@pytest.fixture
def served(started):
    """Return the starter configuration, with its companies served on free ports."""
    with simulated.town(deals=2, hubspot_port=0, quickbooks_port=0) as town:
        file = started / "tieout.yaml"
        text = file.read_text().replace("http://127.0.0.1:8801", town.hubspot.url)
        file.write_text(text.replace("http://127.0.0.1:8802", town.quickbooks.url))
        yield town


def test_init_writes_all_of_the_starter(started):
    written = {str(file.relative_to(started)) for file in started.rglob("*") if file.is_file()}

    assert {
        "tieout.yaml",
        "mappings/hubspot-deal-to-invoice.yaml",
        "schema/tieout.schema.json",
    } <= written
    assert (started / "tieout.yaml").read_bytes() == (starter() / "tieout.yaml").read_bytes()


def test_init_replaces_nothing(started, capsys):
    (started / "tieout.yaml").write_text("mine")

    assert exit_code(["init"]) == Exit.TROUBLE
    assert (started / "tieout.yaml").read_text() == "mine"
    assert "is there already; nothing was written" in capsys.readouterr().err


def test_the_starter_is_right_as_it_is(started, spoken):
    code, told = spoken("check")

    assert code == Exit.DONE
    assert (told["ok"], told["mistakes"]) == (True, [])
    assert all(each["tests"] == each["passed"] > 0 for each in told["mappings"])


def test_check_says_every_mistake_of_every_file_at_once(started, spoken):
    settings, mapping = (
        started / "tieout.yaml",
        started / "mappings" / "hubspot-deal-to-invoice.yaml",
    )
    settings.write_text(settings.read_text().replace("twin_days: 45", "twin_dais: 45"))
    mapping.write_text(mapping.read_text().replace("=company.name\n", "=company.nmae\n", 1))

    code, told = spoken("check")

    assert code == Exit.TROUBLE
    assert {(Path(each["file"]).name, each["hint"]) for each in told["mistakes"]} == {
        ("tieout.yaml", "did you mean twin_days?"),
        ("hubspot-deal-to-invoice.yaml", "did you mean name?"),
    }


def test_check_says_a_test_that_fails(started, spoken):
    mapping = started / "mappings" / "hubspot-deal-to-invoice.yaml"
    mapping.write_text(
        mapping.read_text()
        .replace("tolerance: 0.05", "tolerance: 0.05")
        .replace('or "Net 30"', 'or "Net 60"')
    )

    code, told = spoken("check")

    assert code == Exit.TROUBLE
    assert any("Net 60" in each["what"] for each in told["mistakes"])


def test_a_mapping_must_be_called_as_its_file(started, spoken):
    shutil.move(started / "mappings/hubspot-deal-to-invoice.yaml", started / "mappings/other.yaml")

    _, told = spoken("check")

    assert any("give both the same name" in each["hint"] for each in told["mistakes"])


def test_check_online_asks_every_company(served, spoken):
    code, told = spoken("check", "--online")

    assert code == Exit.DONE
    assert [(each["name"], each["ok"]) for each in told["companies"]] == [
        ("crm", True),
        ("books", True),
    ]


def test_a_company_that_does_not_answer_hides_no_other(served, started, spoken):
    file = started / "tieout.yaml"
    file.write_text(file.read_text().replace(served.hubspot.url, "http://127.0.0.1:9"))

    code, told = spoken("check", "--online")

    assert code == Exit.TROUBLE
    assert [each["ok"] for each in told["companies"]] == [False, True]


def test_what_is_wrong_is_counted_and_told_whole(served, started, capsys):
    file = started / "tieout.yaml"
    file.write_text(file.read_text().replace(served.hubspot.url, "http://127.0.0.1:9"))
    exit_code(["check", "--online", "--config", str(started)])

    lines = capsys.readouterr().out.splitlines()

    assert lines[-1] == "1 company in trouble."
    assert "it is tried again in the next round." in " ".join(lines)  # the remedy is not cut off


def test_connect_needs_nobody_where_the_company_is_make_believe(served, spoken):
    code, told = spoken("connect", "books")

    assert (code, told["id"]) == (Exit.DONE, "9130350000000001")
    assert told["until"]


def test_connect_says_how_a_company_is_signed_for_that_names_neither_key_nor_app(
    served, started, capsys
):
    file = started / "tieout.yaml"
    file.write_text(file.read_text().replace("    token: file:", "    # token: file:"))
    assert exit_code(["connect", "crm"]) == Exit.TROUBLE
    said = capsys.readouterr().err
    assert "There is no way to sign for hubspot" in said
    assert "Set the company's token (a service key), or the client_id and client_secret" in said


@pytest.fixture
def with_app(served, started, monkeypatch):
    """HubSpot is reached by an OAuth app, in a key's place."""
    monkeypatch.setenv("APP_ID", "simulated-app")
    monkeypatch.setenv("APP_SECRET", "simulated-app-secret")
    file = started / "tieout.yaml"
    page = f"{served.hubspot.url}/oauth/authorize"
    app = f"    client_id: env:APP_ID\n    client_secret: env:APP_SECRET\n    urls: {{authorise: {page}}}"
    text = re.sub(r"(?m)^    token: file:.*$", app, file.read_text(), count=1)
    assert app in text
    file.write_text(text)
    return served


def test_connect_lets_a_person_install_an_oauth_app_with_the_least_scopes(with_app, spoken):
    code, told = spoken("connect", "crm")
    assert (code, told["until"]) == (Exit.DONE, None)
    assert {one["held"] for one in told["rights"]} == {True, None}
    (install,) = app_of(with_app.portal).refresh.values()
    scopes = {one["right"] for one in told["rights"] if one["right"].startswith("crm.")}
    assert set(install.scopes) == {"oauth"} | scopes


def test_a_scope_that_an_app_was_not_given_is_said_at_once(with_app, spoken):
    spoken("connect", "crm")
    (install,) = app_of(with_app.portal).refresh.values()
    install.scopes = tuple(one for one in install.scopes if "line_items" not in one)
    for name in [name for name, token in with_app.portal.tokens.items() if token.app]:
        deeds.revoke_token(with_app.portal, name)
    code, told = spoken("check", "--online")
    assert code == Exit.TROUBLE
    assert "crm.objects.line_items.read" in json.dumps(told)


def test_connect_says_how_a_company_is_named_that_asks_for_no_consent(served, started, capsys):
    file = started / "tieout.yaml"
    text = file.read_text().replace("    token: file:", "    # token: file:")
    text = text.replace(", hubspot-payment-to-payment", "")  # which needs an object there
    file.write_text(text.replace("    system: hubspot", "    system: salesforce"))
    assert exit_code(["connect", "crm"]) == Exit.TROUBLE
    assert "salesforce asks for no consent" in capsys.readouterr().err


def test_connect_lists_the_least_rights_and_tries_each_without_changing_anything(served, spoken):
    code, told = spoken("connect", "crm")

    assert code == Exit.DONE
    held = {one["right"]: one["held"] for one in told["rights"]}
    assert held["crm.objects.deals.write"] is True
    assert held["crm.schemas.deals.write"] is None
    assert set(held.values()) == {True, None}


@pytest.mark.parametrize(
    "scope",
    ["crm.objects.deals.write", "crm.objects.line_items.read", "crm.objects.commercepayments.read"],
)
def test_a_right_that_is_lacking_is_said_in_the_vendor_s_words(served, spoken, capsys, scope):
    _, told = spoken("connect", "crm")
    every = {one["right"] for one in told["rights"]}
    served.portal.tokens[served.portal.token] = Token(scopes=frozenset(every - {scope}))

    code, told = spoken("connect", "crm")
    lacking = [one for one in told["rights"] if one["held"] is False]
    assert (code, [one["right"] for one in lacking]) == (Exit.TROUBLE, [scope])
    assert scope in lacking[0]["said"]

    assert exit_code(["check", "--online"]) == Exit.TROUBLE
    said = capsys.readouterr().out
    assert f"crm: lacks {scope}, for " in said
    assert "The key lacks a scope" in said


def test_provision_finds_what_is_there(served, spoken):
    code, told = spoken("provision")

    assert code == Exit.DONE
    assert {each["state"] for each in told["companies"]["crm"]} == {"there"}


def test_provision_tells_an_administrator_what_to_make(served, capsys):
    del served.portal.properties["deals"]["tieout_invoice_status"]

    assert exit_code(["provision", "--dry"]) == Exit.TROUBLE

    told = capsys.readouterr().out
    assert "property “Invoice status” for deals, internal name tieout_invoice_status" in told
    assert "choices held/waiting/invoiced/part-paid/paid/credited/voided/problem" in told


def test_mapping_fields_lists_what_a_company_added(served, spoken):
    _, offline = spoken("mapping", "fields", "hubspot", "deal", "--offline")
    _, online = spoken("mapping", "fields", "crm", "deal")

    names = [{each["name"] for each in told["fields"]} for told in (offline, online)]
    assert "po_number" not in names[0]
    assert names[0] | {"po_number"} <= names[1]


def test_mapping_fields_says_which_kinds_there_are(started, spoken):
    _, told = spoken("mapping", "fields", "hubspot")
    assert {"deal", "line_item", "company", "contact", "payment"} <= set(told["kinds"])

    assert exit_code(["mapping", "fields", "hubspot", "dael"]) == Exit.USAGE


def test_mapping_fields_offline_shows_an_installed_connector_without_a_configuration(spoken):
    code, told = spoken("mapping", "fields", "hubspot", "--offline")
    assert (code, "deal" in told["kinds"]) == (Exit.DONE, True)


def test_mapping_test_runs_those_that_are_named(started, spoken):
    code, told = spoken("mapping", "test", "hubspot-payment-to-payment")

    assert code == Exit.DONE
    assert {each["mapping"] for each in told["tests"]} == {"hubspot-payment-to-payment"}
