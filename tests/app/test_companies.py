"""The composition root: companies are reached as the settings say."""

import pytest

from tieout.app import simulated
from tieout.app.companies import Site, credentials_of, facts_of, session
from tieout.app.provisioning import provide
from tieout.app.settings import load
from tieout.model.errors import ConfigError, Unauthorized, Unavailable


@pytest.fixture(scope="module")
def town():
    """Return both make-believe companies, served on free ports."""
    with simulated.town(deals=3, hubspot_port=0, quickbooks_port=0) as served:
        yield served


@pytest.fixture
def site(directory, town):
    """Return a configuration that points at the make-believe companies."""
    for name, secret in (
        ("token", "simulated-service-key"),
        ("id", "simulated-client"),
        ("secret", "simulated-secret"),
    ):
        (directory / name).write_text(secret)
    (directory / "tieout.yaml").write_text(f"""\
companies:
  crm:
    system: hubspot
    id: "{town.portal.portal_id}"
    url: {town.hubspot.url}
    token: file:token
    time_zone: Europe/Oslo
  books:
    system: quickbooks
    id: "{town.company.realm_id}"
    url: {town.quickbooks.url}
    urls:
      tokens: {town.quickbooks.url}/oauth2/v1/tokens/bearer
      authorise: {town.quickbooks.url}/connect/oauth2
    client_id: file:id
    client_secret: file:secret
pairs:
  main: {{from: crm, to: books, mappings: [deals], cutover_date: 2026-01-01}}
""")
    return Site(directory, load(directory))


def test_a_make_believe_company_is_connected_without_a_person(site):
    with session(site, "books") as books:
        assert books.check().name == "Nordlys Books"

    assert credentials_of(site, "books").until is not None


def test_a_real_company_is_not_connected_without_a_person(changed):
    directory = changed(
        'id: "913"', 'id: "913"\n    client_id: env:ID\n    client_secret: env:SECRET'
    )
    site = Site(directory, load(directory))

    with session(site, "books") as books, pytest.raises(Unauthorized):
        books.check()


def test_a_company_on_this_machine_with_a_token_of_its_own_asks_for_no_consent(site, monkeypatch):
    monkeypatch.setenv("BOOKS_TOKEN", "kept elsewhere")
    text = (site.directory / "tieout.yaml").read_text()
    (site.directory / "tieout.yaml").write_text(
        text.replace("    client_id: file:id\n", "    token: env:BOOKS_TOKEN\n").replace(
            "    client_secret: file:secret\n", ""
        )
    )
    held = Site(site.directory, load(site.directory))

    with session(held, "books") as books, pytest.raises(Unauthorized):
        books.check()


def test_a_make_believe_company_that_is_not_served_is_told(site, monkeypatch):
    text = (site.directory / "tieout.yaml").read_text()
    url = str(site.company("books").url)
    (site.directory / "tieout.yaml").write_text(text.replace(url, "http://127.0.0.1:9"))
    elsewhere = Site(site.directory, load(site.directory))

    with pytest.raises(Unavailable, match="tieout simulate"), session(elsewhere, "books"):
        pass


def test_facts_need_no_connection():
    assert "invoice" in facts_of("quickbooks").kinds


def test_an_unknown_name_says_which_there_are(site):
    with pytest.raises(ConfigError, match="Did you mean books"):
        site.company("boks")
    with pytest.raises(ConfigError, match="There is: main"):
        site.pair("other")


def test_provisioning_makes_what_is_missing_and_then_finds_it(site, town):
    del town.portal.properties["deals"]["tieout_mark"]

    with session(site, "crm") as crm:
        dry = {p.values["name"]: p.state for p in provide(crm, dry=True)}
        first = {p.values["name"]: p.state for p in provide(crm)}
        second = {p.state for p in provide(crm)}

    assert dry["tieout_mark"] == "by hand"
    assert first["tieout_mark"] == "made"
    assert second == {"there"}
