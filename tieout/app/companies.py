"""Companies as the settings name them: credentials in, open sessions out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.metadata import entry_points
from pathlib import Path
from typing import TypeVar

from mapping.mistake import nearest
from tieout.app import consent
from tieout.app.settings import CONNECTORS, Company, Pair, Settings
from tieout.credentials import CompanyTokens, Credentials, SealedTokens, StaticToken
from tieout.model.capability import Capabilities
from tieout.model.contract import Authorises, Connector, Opening, Opens
from tieout.model.errors import ConfigError

_T = TypeVar("_T")


def now() -> datetime:
    """Return this instant; everything below takes the clock as an argument."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Site:
    """One configuration: where it is written, and what it says."""

    directory: Path
    settings: Settings

    def company(self, name: str) -> Company:
        """Return a company by its name.

        Raises:
            ConfigError: there is none.
        """
        return _named(self.settings.companies, name, "company")

    def pair(self, name: str) -> Pair:
        """Return a pair's settings by its name.

        Raises:
            ConfigError: there is none.
        """
        return _named(self.settings.pairs, name, "pair")


def _named(held: Mapping[str, _T], name: str, what: str) -> _T:
    if name not in held:
        raise ConfigError(
            f"There is no {what} {name}.", remedy=f"{nearest(name, held)}".capitalize()
        )
    return held[name]


def credentials_of(site: Site, name: str) -> Credentials:
    """Return what a company's calls are signed with: its lasting token, or its sealed ones."""
    company = site.company(name)
    if company.token is not None:
        return StaticToken(company.token.reference(site.directory))
    return CompanyTokens(SealedTokens(site.settings.tokens), company.ref_company, now)


@contextmanager
def session(
    site: Site,
    name: str,
    *,
    reads: Mapping[str, frozenset[str]] | None = None,
    cutover_date: date | None = None,
    options: Mapping[str, bool | int | str] | None = None,
    asks: bool = True,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Connector]:
    """Give the open session with a company; ``options`` are added to the company's own.

    ``asks`` says that it will be asked something: a make-believe company is connected first.
    ``sleep`` waits before a call that a limit holds up; what it raises ends that call unsent.

    Raises:
        ConfigError: an option or address that its connector does not accept.
    """
    company = site.company(name)
    opening = Opening(
        company_id=company.id,
        reads=reads or {},
        cutover_date=cutover_date,
        time_zone=company.time_zone.name if company.time_zone else None,
        options={**company.options, **_secrets(site, company), **(options or {})},
    )
    connector = connector_class(company.system).open(
        opening,
        urls=company.addresses,
        credentials=credentials_of(site, name),
        now=now,
        sleep=sleep,
    )
    with closing(connector):
        if asks:
            _connect_make_believe(site, company, connector)
        yield connector


def _connect_make_believe(site: Site, company: Company, connector: Connector) -> None:
    """Give a simulated company's first tokens without a person; a real one's need ``connect``."""
    page = company.urls.get("authorise")
    if company.token is not None or page is None or not page.on_this_machine:
        return  # its token is somebody else's to renew, or a person must consent
    if not isinstance(connector, Authorises):
        return
    if company.ref_company not in SealedTokens(site.settings.tokens).companies():
        consent.agree_by_itself(connector, company.id)


def _secrets(site: Site, company: Company) -> Mapping[str, str]:
    """Return where the app's registration with the vendor is kept, and of whom it is."""
    named = {
        "client_id": company.client_id,
        "client_secret": company.client_secret,
        "private_key": company.private_key,
    }
    kept = {name: ref.reference(site.directory) for name, ref in named.items() if ref is not None}
    said = {"tenant": company.tenant, "thumbprint": company.thumbprint, "user": company.user}
    return kept | {name: text for name, text in said.items() if text}


def facts_of(system: str) -> Capabilities:
    """Return what a system can do, from its connector's facts; nothing is asked of anybody.

    Raises:
        ConfigError: there is no connector for it.
    """
    opening = Opening(company_id="0")
    unused = StaticToken("env:UNUSED")
    opened = connector_class(system).open(
        opening, urls={}, credentials=unused, now=now, sleep=time.sleep
    )
    with closing(opened):
        return opened.capabilities


def connector_class(system: str) -> Opens:
    """Import the connector of a system.

    Raises:
        ConfigError: none is installed, or it cannot be imported.
    """
    found = {entry.name: entry for entry in entry_points(group=CONNECTORS)}
    try:
        opens: Opens = found[system].load()
    except KeyError:
        raise ConfigError(f"No connector for {system}.", remedy=nearest(system, found)) from None
    except (ImportError, AttributeError) as wrong:
        raise ConfigError(f"The connector for {system} cannot be imported: {wrong}.") from wrong
    return opens
