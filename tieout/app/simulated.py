"""The make-believe companies that the starter configuration points at, with or without a memory.

A portal full of a sales team's deals and a German company's books in many currencies, each behind
its vendor's own API. With a directory their state survives; the same seed makes the same deals.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from tieout.app.companies import connector_class
from tieout.app.provisioning import provide
from tieout.model.contract import Opening
from tieout.model.errors import Unauthorized
from tieout.simulator import hubspot, quickbooks
from tieout.simulator.clock import SimulatedClock
from tieout.simulator.quickbooks.oauth import Grant
from tieout.simulator.serving import Served, serve

PORTAL_ID = 146_000_123
REALM_ID = "9130350000000001"
HUBSPOT_PORT = 8801
QUICKBOOKS_PORT = 8802
DEALS = 500
_GRANTS = ("access", "refresh")


@dataclass(slots=True)
class Town:
    """Both companies and their addresses, while they are served."""

    portal: hubspot.HubSpotPortal
    company: quickbooks.QuickBooksCompany
    authority: quickbooks.Authority
    hubspot: Served
    quickbooks: Served
    state: Path | None
    kept: bool

    def save(self) -> None:
        """Write both companies' state, where they have a memory."""
        if self.state is not None:
            hubspot.save(self.portal, _portal_file(self.state))
            quickbooks.save(self.company, _company_file(self.state))
            _save_authority(self.authority, _authority_file(self.state))


@contextmanager
def town(
    *,
    state: Path | None = None,
    deals: int = DEALS,
    seed: int = 0,
    fresh: bool = False,
    hubspot_port: int = HUBSPOT_PORT,
    quickbooks_port: int = QUICKBOOKS_PORT,
    limited: bool = True,
    time_scale: float = 1.0,
) -> Iterator[Town]:
    """Serve both companies on loopback; at the end of the block their state is saved.

    ``kept`` says that they were found in ``state``; then ``deals`` and ``seed`` change nothing.
    A port of 0 takes a free one; ``limited`` says whether the vendors' rate limits are on, and a
    ``time_scale`` of 10 makes a minute of them last six seconds.

    Raises:
        OSError: a port is taken, or the state cannot be written.
        ValueError: the state is not one of ours.
    """
    clock = SimulatedClock()
    kept = state is not None and _company_file(state).exists() and not fresh
    if kept and state is not None:
        portal = hubspot.load(_portal_file(state), clock)
        company = quickbooks.load(_company_file(state), clock)
    else:
        portal, company = new_portal(clock, deals, seed), new_company(clock, seed)
    portal.set_limits(replace(portal.limits, on=limited, time_scale=time_scale))
    authority = quickbooks.Authority(now=clock, seed=clock().microsecond)  # never a token twice
    if kept and state is not None:
        _load_authority(authority, _authority_file(state))
    if state is not None:
        state.mkdir(parents=True, exist_ok=True)
    with ExitStack() as serving:
        crm = serving.enter_context(serve(hubspot.hubspot_app(portal), hubspot_port))
        limits = quickbooks.Limits(time_scale=time_scale) if limited else quickbooks.NO_LIMITS
        app = quickbooks.quickbooks_app(company, authority=authority, limits=limits)
        books = serving.enter_context(serve(app, quickbooks_port))
        served = Town(portal, company, authority, crm, books, state, kept)
        if not kept:
            _provision(portal, crm.url)
        served.save()
        serving.callback(served.save)
        yield served


def new_portal(clock: SimulatedClock, deals: int, seed: int) -> hubspot.HubSpotPortal:
    """Return a portal as a sales team leaves it."""
    portal = hubspot.HubSpotPortal(PORTAL_ID, seed=seed, now=clock)
    hubspot.sell(portal, deals, seed)
    return portal


def new_company(clock: SimulatedClock, seed: int) -> quickbooks.QuickBooksCompany:
    """Return the books of a German company that sells in many currencies."""
    company = quickbooks.QuickBooksCompany(
        realm_id=REALM_ID,
        now=clock,
        name="Nordlys Books",
        country="DE",
        home_currency="EUR",
        multicurrency=True,
        seed=seed,
    )
    return quickbooks.seed_company(company, customers=25, vendors=5)


def _provision(portal: hubspot.HubSpotPortal, url: str) -> None:
    """Make the fields that Tieout writes to, as the portal's administrator would at first."""
    opened = connector_class("hubspot").open(
        Opening(company_id=str(portal.portal_id)),
        urls={"api": url},
        credentials=_Known(portal.token),
        now=portal.now,
        sleep=time.sleep,
    )
    with closing(opened):
        for _ in provide(opened):
            pass
    portal.counts.clear()


@dataclass(frozen=True, slots=True)
class _Known:
    """A make-believe token, which is no secret."""

    token: str
    until: datetime | None = None

    def access_token(self) -> str:
        return self.token

    def refresh(self, stale: str) -> str:
        raise Unauthorized(f"The token {stale} was refused.")


def _portal_file(state: Path) -> Path:
    return state / "hubspot.json"


def _company_file(state: Path) -> Path:
    return state / "quickbooks.json"


def _authority_file(state: Path) -> Path:
    return state / "quickbooks-grants.json"


def _save_authority(authority: quickbooks.Authority, file: Path) -> None:
    """Keep who may speak for the company, so that a restart cuts nobody off."""
    grants = [
        [held, token, grant.realm_id, grant.until.isoformat(), grant.uses_left]
        for held in _GRANTS
        for token, grant in list(getattr(authority, held).items())
    ]
    part = file.with_suffix(".part")
    part.write_text(json.dumps(grants), "utf-8")
    part.replace(file)


def _load_authority(authority: quickbooks.Authority, file: Path) -> None:
    for held, token, realm_id, until, uses_left in json.loads(file.read_text("utf-8")):
        grant = Grant(realm_id, datetime.fromisoformat(until), uses_left)
        getattr(authority, held)[token] = grant
