"""Each CRM on the bench: how it is made, what is done there, the fewest calls that it allows.

A row each. What is measured imports nothing of this: it is the CRM's side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from math import ceil
from typing import Any

from starlette.types import ASGIApp

from tieout.app.crms import CRMS
from tieout.simulator import dynamics365, hubspot, salesforce

Now = Callable[[], Any]
Deed = dict[str, Any]
Calls = Callable[[int, int], int]  # of so many deals, which are of so many companies

LINES = 3  # of a deal
DAY = "2026-03-03"
UNLIMITED = 1_000_000
SESSION = timedelta(days=365)
ZONE = "Europe/Oslo"


@dataclass(frozen=True, slots=True)
class Vendor:
    """One CRM.

    Attributes:
        system: the connector's name.
        token: what opens everything; a make-believe one.
        make: a company of so many won deals and so many others, under limits or without.
        win: what lets another deal be won.
        edit: what changes a won one.
        unlimited: the options with which our door keeps no rate.
        page: how many changed deals one call of its feed can tell.
        starts: calls that a start takes once: which company it is, which fields there are.
        reads: the fewest calls that read new deals, their lines, companies and contacts.
        reads_won: the same where only the deals and their lines are new.
        told: how many deals one call can tell their invoices.
    """

    system: str
    token: str
    make: Callable[[Now, str, int, int, bool], ASGIApp]
    win: Callable[[str], Deed]
    edit: Callable[[str], Deed]
    unlimited: Mapping[str, int]
    page: int
    starts: Mapping[str, int]
    reads: Calls
    reads_won: Callable[[int], int]
    told: int
    watched: int = 4  # kinds: deals, lines, companies, and payments or contacts
    mappings: tuple[str, ...] = field(init=False)
    company_id: str = field(init=False)

    def __post_init__(self) -> None:
        """Take what the make-believe world knows of the CRM."""
        object.__setattr__(self, "mappings", CRMS[self.system].mappings)
        object.__setattr__(self, "company_id", CRMS[self.system].company_id)

    def tells(self, deals: int) -> int:
        """Return the fewest calls that tell so many deals their invoices."""
        return ceil(deals / self.told)

    def starting(self, calls: Mapping[str, int]) -> int:
        """Return how many of a round's calls were those of a start."""
        named = {f"{self.system}.{name}": n for name, n in self.starts.items()}
        return sum(min(calls.get(name, 0), n) for name, n in named.items())

    def its_own(self, calls: Mapping[str, int]) -> int:
        """Return how many of a round's calls went to the CRM."""
        return sum(n for name, n in calls.items() if name.startswith(f"{self.system}."))


def _companies(deals: int) -> int:
    return ceil(deals / 3)


def _portal(now: Now, token: str, won: int, others: int, limited: bool) -> ASGIApp:  # noqa: FBT001 - as the row says
    portal = hubspot.HubSpotPortal(
        portal_id=int(CRMS["hubspot"].company_id),
        time_zone=ZONE,
        company_currency="EUR",
        seed=1,
        now=now,
        token=token,
        index_lag_secs=0,
        limits=hubspot.Limits(on=limited),
    )
    hubspot.sell_uniform(portal, won + others, LINES, _companies(won))
    for deal in list(portal.shelves["deals"].records)[won:]:
        hubspot.deeds.lose(portal, str(deal))
    return hubspot.hubspot_app(portal)


def _org(now: Now, token: str, won: int, others: int, limited: bool) -> ASGIApp:  # noqa: FBT001 - as the row says
    org = salesforce.SalesforceOrg(
        CRMS["salesforce"].company_id,
        seed=1,
        now=now,
        session_secs=int(SESSION.total_seconds()),
    )
    org.short_pages = 0  # else a page may hold fewer, and what is least is a matter of luck
    if not limited:
        org.daily_limit = UNLIMITED
    salesforce.sell_uniform(org, won + others, LINES, _companies(won))
    for deal in list(org.tables["Opportunity"].records)[won:]:
        salesforce.deeds.lose(org, deal)
    org.sessions[token] = org.sessions.pop(org.open_session())
    return salesforce.salesforce_app(org)


def _organization(now: Now, token: str, won: int, others: int, limited: bool) -> ASGIApp:  # noqa: FBT001 - as the row says
    org = dynamics365.DynamicsOrg(
        CRMS["dynamics365"].company_id, seed=1, now=now, limits=dynamics365.Limits(on=limited)
    )
    dynamics365.sell_uniform(org, won + others, LINES, _companies(won))
    for deal in list(org.shelves["opportunity"].records)[won:]:
        dynamics365.deeds.reopen(org, deal)
    dynamics365.deeds.grant_token(org, token)
    return dynamics365.dynamics365_app(org)


VENDORS: Mapping[str, Vendor] = {
    vendor.system: vendor
    for vendor in (
        Vendor(
            system="hubspot",
            token="bench-portal",
            make=_portal,
            win=lambda deal: {"deed": "win", "deal": deal},
            edit=lambda deal: {
                "deed": "edit_deal",
                "deal": deal,
                "properties": {"dealname": "Renamed", "closedate": f"{DAY}T10:00:00Z"},
            },
            unlimited={"calls_per_ten_secs": UNLIMITED, "searches_per_sec": UNLIMITED},
            page=200,
            starts={
                "account-info details": 1,
                "properties deals": 1,
                "properties line_items": 1,
                "properties companies": 1,
            },
            reads=lambda deals, companies: (
                ceil(deals / 200)
                + 1  # payments
                + 3 * ceil(deals / 1_000)  # whose the lines, companies and contacts are
                + ceil(deals * LINES / 100)
                + 2 * ceil(companies / 100)
            ),
            reads_won=lambda deals: 3 * ceil(deals / 1_000) + ceil(deals * LINES / 100),
            told=100,
        ),
        Vendor(
            system="salesforce",
            token="bench-org",
            make=_org,
            win=lambda deal: {"deed": "win", "deal": deal},
            edit=lambda deal: {
                "deed": "edit_deal",
                "deal": deal,
                "fields": {"Name": "Renamed", "CloseDate": DAY},
            },
            unlimited={"share": 100},
            page=2_000,
            starts={"describe": 3, "query": 1},
            reads=lambda deals, _: (
                ceil(deals / 2_000)  # with their accounts and owners
                + ceil(deals * LINES / 2_000)
                + ceil(deals / 2_000)  # their contacts
            ),
            reads_won=lambda deals: ceil(deals * LINES / 2_000) + ceil(deals / 2_000),
            told=200,
        ),
        Vendor(
            system="dynamics365",
            token="bench-organization",
            make=_organization,
            win=lambda deal: {"deed": "win", "opportunity": deal, "on": DAY},
            edit=lambda deal: {
                "deed": "edit_opportunity",
                "opportunity": deal,
                "values": {"name": "Renamed", "actualclosedate": DAY},
            },
            unlimited={"calls_per_five_mins": UNLIMITED},
            page=5_000,
            starts={
                "read WhoAmI": 1,
                "read organizations()": 1,
                "read transactioncurrencies": 1,
                "read EntityDefinitions()/Attributes": 3,
            },
            reads=lambda deals, companies: (
                ceil(deals / 5_000)
                + ceil(deals * LINES / 5_000)
                + 2 * ceil(companies / 5_000)  # with their contacts
                + ceil(deals / 1_000)  # whose the lines are
            ),
            reads_won=lambda deals: ceil(deals / 1_000),
            told=1_000,
        ),
    )
}
