"""The make-believe companies that the starter configuration points at, with or without a memory.

CRMs full of a sales team's deals and a German company's books in many currencies, each behind
its vendor's own API. With a directory their state survives; the same seed makes the same deals.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tieout.app.crms import CRMS, USUAL, titles
from tieout.app.simulated_crms import SIMULATIONS
from tieout.simulator import hubspot, quickbooks
from tieout.simulator.clock import SimulatedClock
from tieout.simulator.quickbooks.oauth import Grant
from tieout.simulator.serving import Served, serve

REALM_ID = "9130350000000001"
QUICKBOOKS_PORT = 8802
DEALS = 500
_GRANTS = ("access", "refresh")


@dataclass(frozen=True, slots=True)
class ServedCrm:
    """One CRM's make-believe company, and its address."""

    company: Any
    served: Served


@dataclass(slots=True)
class Town:
    """The companies and their addresses, while they are served; CRMs by their systems."""

    crms: Mapping[str, ServedCrm]
    company: quickbooks.QuickBooksCompany
    authority: quickbooks.Authority
    quickbooks: Served
    state: Path | None
    kept: bool

    @property
    def portal(self) -> hubspot.HubSpotPortal:
        """The HubSpot portal, where it is among them."""
        portal: hubspot.HubSpotPortal = self.crms["hubspot"].company
        return portal

    @property
    def hubspot(self) -> Served:
        """Where the HubSpot portal is served."""
        return self.crms["hubspot"].served

    @property
    def deals(self) -> int:
        """How many deals there are in all, won or not."""
        return sum(SIMULATIONS[name].deals(one.company) for name, one in self.crms.items())

    def save(self) -> None:
        """Write all companies' state, where they have a memory."""
        if self.state is not None:
            for name, one in self.crms.items():
                SIMULATIONS[name].save(one.company, _crm_file(self.state, name))
            quickbooks.save(self.company, _company_file(self.state))
            _save_authority(self.authority, _authority_file(self.state))


@contextmanager
def town(
    *,
    crms: Sequence[str] = (USUAL,),
    state: Path | None = None,
    deals: int = DEALS,
    seed: int = 0,
    fresh: bool = False,
    hubspot_port: int = CRMS["hubspot"].port,
    salesforce_port: int = CRMS["salesforce"].port,
    dynamics365_port: int = CRMS["dynamics365"].port,
    quickbooks_port: int = QUICKBOOKS_PORT,
    limited: bool = True,
    time_scale: float = 1.0,
) -> Iterator[Town]:
    """Serve the companies on loopback; at the end of the block their state is saved.

    ``kept`` says that they were found in ``state``; then ``deals`` and ``seed`` change nothing.
    Of ``crms`` each has so many deals. A port of 0 takes a free one; ``limited`` says whether the
    vendors' limits are on, and a ``time_scale`` of 10 makes a minute of them last six seconds.

    Raises:
        OSError: a port is taken, or the state cannot be written.
        ValueError: the state is not one of ours, or is of other CRMs.
    """
    ports = {
        "hubspot": hubspot_port,
        "salesforce": salesforce_port,
        "dynamics365": dynamics365_port,
    }
    clock = SimulatedClock()
    kept = state is not None and _company_file(state).exists() and not fresh
    authority = quickbooks.Authority(now=clock, seed=clock().microsecond)  # never a token twice
    if kept and state is not None:
        _refuse_others(state, crms)
        companies = {name: SIMULATIONS[name].load(_crm_file(state, name), clock) for name in crms}
        company = quickbooks.load(_company_file(state), clock)
        _load_authority(authority, _authority_file(state))
    else:
        companies = {name: SIMULATIONS[name].make(clock, deals, seed) for name in crms}
        company = new_company(clock, seed)
    if state is not None:
        state.mkdir(parents=True, exist_ok=True)
    with ExitStack() as serving:
        served = {}
        for name, made in companies.items():
            simulation = SIMULATIONS[name]
            simulation.limit(made, limited, time_scale)
            crm = serving.enter_context(serve(simulation.app(made), ports[name]))
            served[name] = ServedCrm(made, crm)
        limits = quickbooks.Limits(time_scale=time_scale) if limited else quickbooks.NO_LIMITS
        app = quickbooks.quickbooks_app(company, authority=authority, limits=limits)
        books = serving.enter_context(serve(app, quickbooks_port))
        whole = Town(served, company, authority, books, state, kept)
        if not kept:
            for name, one in served.items():
                SIMULATIONS[name].provision(name, one.company, one.served.url)
            for file in _others(state, crms):
                file.unlink()
        whole.save()
        serving.callback(whole.save)
        yield whole


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


def _refuse_others(state: Path, crms: Sequence[str]) -> None:
    """Refuse to go on with other CRMs than those that were served from here.

    Raises:
        ValueError: some are missing, or more.
    """
    there = [crm for name, crm in CRMS.items() if _crm_file(state, name).exists()]
    if {crm.system for crm in there} != set(crms):
        raise ValueError(f"Of CRMs {state} keeps {titles(there)}")


def _others(state: Path | None, crms: Sequence[str]) -> list[Path]:
    """Return what an earlier world kept of CRMs that are not in this one."""
    files = [] if state is None else [_crm_file(state, name) for name in CRMS if name not in crms]
    return [file for file in files if file.exists()]


def _crm_file(state: Path, system: str) -> Path:
    return state / f"{system}.json"


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
