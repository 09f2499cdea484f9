"""How each make-believe CRM is made, sold from, limited, served, kept and spoken to: a row each."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from starlette.applications import Starlette

from tieout.app.companies import connector_class
from tieout.app.crms import CRMS
from tieout.app.provisioning import provide
from tieout.model.contract import Opening
from tieout.model.errors import Unauthorized
from tieout.simulator import dynamics365, hubspot, salesforce
from tieout.simulator.clock import SimulatedClock

TENANT_ID: Final = "6c1e6f0a-0000-4000-8000-000000000001"
CLIENT_ID: Final = "6c1e6f0a-0000-4000-8000-000000000002"
UNLIMITED_CALLS: Final = 1_000_000_000
CLIENT_SECRET: Final = "simulated-secret"  # noqa: S105 - a make-believe company's


@dataclass(frozen=True, slots=True)
class Simulation:
    """What can be done with one vendor's make-believe company, whatever its class.

    Attributes:
        make: a company as a sales team leaves it, of a clock, so many won deals and a seed.
        load: the company that a file keeps, on another clock.
        save: keep a company in a file.
        limit: put its limits in force or not, and make their windows so many times shorter.
        app: the company as an application.
        token: what opens everything.
        deals: how many it has, won or not.
        uncount: forget how many requests it has answered.
    """

    make: Callable[[SimulatedClock, int, int], Any]
    load: Callable[[Path, SimulatedClock], Any]
    save: Callable[[Any, Path], None]
    limit: Callable[[Any, bool, float], None]
    app: Callable[[Any], Starlette]
    token: Callable[[Any], str]
    deals: Callable[[Any], int]
    uncount: Callable[[Any], None] = lambda company: company.counts.clear()

    def provision(self, system: str, company: Any, url: str) -> None:
        """Make the fields that Tieout writes to, as the company's administrator would at first."""
        opened = connector_class(system).open(
            Opening(company_id=CRMS[system].company_id),
            urls={"api": url},
            credentials=_Known(self.token(company)),
            now=company.now,
            sleep=time.sleep,
        )
        with closing(opened):
            for _ in provide(opened):
                pass
        self.uncount(company)


def _portal(clock: SimulatedClock, deals: int, seed: int) -> hubspot.HubSpotPortal:
    portal = hubspot.HubSpotPortal(int(CRMS["hubspot"].company_id), seed=seed, now=clock)
    hubspot.sell(portal, deals, seed)
    return portal


def _limit_portal(portal: hubspot.HubSpotPortal, on: bool, time_scale: float) -> None:  # noqa: FBT001 - as the row says
    portal.set_limits(replace(portal.limits, on=on, time_scale=time_scale))


def _org(clock: SimulatedClock, deals: int, seed: int) -> salesforce.SalesforceOrg:
    org = salesforce.SalesforceOrg(CRMS["salesforce"].company_id, seed=seed, now=clock)
    salesforce.sell(org, deals, seed)
    return org


def _limit_org(org: salesforce.SalesforceOrg, on: bool, _: float) -> None:  # noqa: FBT001 - as the row says
    """Its limit is of calls in a day, which no window makes shorter."""
    org.daily_limit = org.daily_limit if on else UNLIMITED_CALLS


def _organization(clock: SimulatedClock, deals: int, seed: int) -> dynamics365.DynamicsOrg:
    """Return an organization whose application is known beforehand, whatever the seed."""
    org = dynamics365.DynamicsOrg(CRMS["dynamics365"].company_id, seed=seed, now=clock)
    org.tenant_id, org.client_id, org.client_secret = TENANT_ID, CLIENT_ID, CLIENT_SECRET
    dynamics365.sell(org, deals, seed)
    return org


def _limit_organization(org: dynamics365.DynamicsOrg, on: bool, time_scale: float) -> None:  # noqa: FBT001 - as the row says
    org.set_limits(replace(org.limits, on=on, time_scale=time_scale))


def _uncount_organization(org: dynamics365.DynamicsOrg) -> None:
    org.counts.clear()
    org.batched.clear()


SIMULATIONS: Final[Mapping[str, Simulation]] = {
    "hubspot": Simulation(
        make=_portal,
        load=hubspot.load,
        save=hubspot.save,
        limit=_limit_portal,
        app=hubspot.hubspot_app,
        token=lambda portal: portal.token,
        deals=lambda portal: len(portal.shelves["deals"].records),
    ),
    "salesforce": Simulation(
        make=_org,
        load=salesforce.load,
        save=salesforce.save,
        limit=_limit_org,
        app=salesforce.salesforce_app,
        token=lambda org: org.open_session(),
        deals=lambda org: len(org.tables["Opportunity"].records),
    ),
    "dynamics365": Simulation(
        make=_organization,
        load=dynamics365.load,
        save=dynamics365.save,
        limit=_limit_organization,
        app=dynamics365.dynamics365_app,
        token=lambda org: org.token,
        deals=lambda org: len(org.shelves["opportunity"].records),
        uncount=_uncount_organization,
    ),
}


@dataclass(frozen=True, slots=True)
class _Known:
    """A make-believe token, which is no secret."""

    token: str
    until: datetime | None = None

    def access_token(self) -> str:
        return self.token

    def refresh(self, stale: str) -> str:
        raise Unauthorized(f"The token {stale} was refused.")
