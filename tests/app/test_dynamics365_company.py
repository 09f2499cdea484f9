"""A company of Dynamics 365 is reached as the settings say."""

import pytest
from dynamics_world import Org

from tieout.app.companies import Site, connector_class, session
from tieout.app.provisioning import provide
from tieout.app.settings import connector_names, load
from tieout.simulator.dynamics365 import dynamics365_app
from tieout.simulator.serving import serve


@pytest.fixture
def org():
    made = Org(seed=1)
    with serve(dynamics365_app(made)) as served:
        made.url = served.url
        yield made


@pytest.fixture
def site(directory, org):
    (directory / "id").write_text(org.client_id)
    (directory / "secret").write_text(org.client_secret)
    (directory / "tieout.yaml").write_text(f"""\
companies:
  crm:
    system: dynamics365
    id: "{org.org_id}"
    url: {org.url}
    urls:
      authority: {org.url}
    tenant: {org.tenant_id}
    client_id: file:id
    client_secret: file:secret
    time_zone: Europe/Oslo
  books:
    system: quickbooks
    id: "913"
pairs:
  main: {{from: crm, to: books, mappings: [deals], cutover_date: 2026-01-01}}
""")
    return Site(directory, load(directory))


def test_the_project_names_a_connector_for_it():
    assert "dynamics365" in connector_names()
    assert connector_class("dynamics365").__name__ == "Dynamics365"


def test_its_application_signs_in_and_what_it_lacks_is_made(site, org):
    with session(site, "crm") as crm:
        assert crm.check().name == "Nordlys"
        assert {right.held for right in crm.rights()} == {True, None}
        assert {one.state for one in provide(crm)} == {"made", "there"}
    with session(site, "crm") as crm:
        assert {one.state for one in provide(crm)} == {"there"}
