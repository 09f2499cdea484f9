"""The composition root: settings in, an open ledger, sessions with companies and an engine out.

The only place that knows all the parts; everything above asks the engine.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.metadata import entry_points
from pathlib import Path
from typing import TypeVar

from mapping.mistake import nearest
from mapping.rules import Mapping as Rules
from sync_engine.ledger import backup as backups
from sync_engine.ledger import journal
from sync_engine.ledger.sqlite import Asked, Ledger, connect
from sync_engine.pair import Pair
from tieout.app import consent
from tieout.app.settings import CONNECTORS, Company, Settings
from tieout.app.settings import Pair as PairSettings
from tieout.credentials import Credentials, SealedTokens, StaticToken
from tieout.model.capability import Capabilities
from tieout.model.contract import Authorises, Connector, Opening, Opens
from tieout.model.errors import ConfigError
from tieout.model.money import Rounding

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

    def pair(self, name: str) -> PairSettings:
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


# -- companies ----------------------------------------------------------------------------------


def credentials_of(site: Site, name: str) -> Credentials:
    """Return what a company's calls are signed with: its lasting token, or its sealed ones."""
    company = site.company(name)
    if company.token is not None:
        return StaticToken(company.token.reference(site.directory))
    return SealedTokens(site.settings.tokens, now=now).for_company(company.ref_company)


@contextmanager
def session(
    site: Site,
    name: str,
    *,
    reads: Mapping[str, frozenset[str]] | None = None,
    cutover_date: date | None = None,
    options: Mapping[str, bool | int | str] | None = None,
) -> Iterator[Connector]:
    """Give the open session with a company; ``options`` are added to the company's own.

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
        sleep=time.sleep,
    )
    with closing(connector):
        _connect_make_believe(site, company, connector)
        yield connector


def _connect_make_believe(site: Site, company: Company, connector: Connector) -> None:
    """Give a simulated company's first tokens without a person; a real one's need ``connect``."""
    page = company.urls.get("authorise")
    if page is None or not page.on_this_machine or not isinstance(connector, Authorises):
        return
    if company.ref_company not in SealedTokens(site.settings.tokens, now=now).companies():
        consent.agree_by_itself(connector, company.id)


def _secrets(site: Site, company: Company) -> Mapping[str, str]:
    """Return where the app's registration with the vendor is kept, where it is set."""
    named = {"client_id": company.client_id, "client_secret": company.client_secret}
    return {name: ref.reference(site.directory) for name, ref in named.items() if ref is not None}


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


# -- pairs ----------------------------------------------------------------------------------------


@contextmanager
def pairs_of(site: Site, mappings: Mapping[str, Sequence[Rules]]) -> Iterator[dict[str, Pair]]:
    """Give every pair with open sessions; a company that is in several pairs has one session.

    Args:
        site: the configuration.
        mappings: each pair's compiled mappings.
    """
    with ExitStack() as opened:
        sessions = {
            name: opened.enter_context(
                session(
                    site,
                    name,
                    reads=_reads_of(site, name, mappings),
                    cutover_date=_cutover_of(site, name),
                    options=_options_of(site, name),
                )
            )
            for name in _companies_in_pairs(site)
        }
        yield {
            name: _pair(site, name, sessions, tuple(mappings[name])) for name in site.settings.pairs
        }


def _pair(
    site: Site, name: str, sessions: Mapping[str, Connector], mappings: tuple[Rules, ...]
) -> Pair:
    written = site.settings.pairs[name]
    books, company = sessions[written.target], site.company(written.target)
    return Pair(
        name=name,
        crm=sessions[written.source],
        books=books,
        mappings=mappings,
        policy=written.approve.policy,
        cutover_date=written.cutover_date,
        unsafe_documents=written.unsafe.documents,
        twin_days=written.twin_days,
        payment_twin_days=written.payment_twin_days,
        quiet_secs=company.quiet_secs or books.capabilities.quiet_secs,
        rounding=Rounding[company.rounding.upper()],
        numbers_ours=company.numbers == "ours",
        default_income_account=company.income_account,
    )


def _companies_in_pairs(site: Site) -> list[str]:
    pairs = site.settings.pairs.values()
    return sorted({pair.source for pair in pairs} | {pair.target for pair in pairs})


def _reads_of(
    site: Site, name: str, mappings: Mapping[str, Sequence[Rules]]
) -> Mapping[str, frozenset[str]]:
    """Return all that any mapping uses of a company's records, so that nothing else is asked."""
    reads: dict[str, frozenset[str]] = {}
    for pair_name, pair in site.settings.pairs.items():
        for rules in mappings[pair_name] if pair.source == name else ():
            for kind, fields in rules.reads.items():
                reads[kind] = reads.get(kind, frozenset()) | fields
    return reads


def _cutover_of(site: Site, name: str) -> date:
    """Return the earliest cutover among a company's pairs: the first read starts there."""
    pairs = site.settings.pairs.values()
    return min(pair.cutover_date for pair in pairs if name in {pair.source, pair.target})


def _options_of(site: Site, name: str) -> Mapping[str, bool | int | str]:
    """Return what a books connector must know of the pairs that write to it."""
    pairs = [pair for pair in site.settings.pairs.values() if pair.target == name]
    if not pairs:
        return {}
    fast = all(pair.push == "fast" for pair in pairs)
    return {
        "mode": "fast" if fast else "few_calls",
        "twin_days": max(1, *(pair.twin_days for pair in pairs)),
    }


# -- the ledger ---------------------------------------------------------------------------------


@contextmanager
def ledger_of(settings: Settings, *, owned: bool = True) -> Iterator[Ledger]:
    """Give the open ledger: owned, or only to be read and wished of while another owns it.

    Raises:
        LedgerHeld: it is to be owned and another process owns it.
        LedgerError: it cannot be used.
    """
    with Ledger.open(settings.ledger, now, exclusive=owned) as ledger:
        yield ledger


def verify_journal(settings: Settings, against: str | None) -> journal.Verdict:
    """Recompute every hash of the journal; a ledger that cannot be opened otherwise is read too.

    Raises:
        LedgerError: there is no ledger, or its file cannot be read.
    """
    if not settings.ledger.exists():
        with ledger_of(settings, owned=False):  # says what is missing
            pass
    with closing(connect(settings.ledger)) as connection:
        return journal.verify(Asked(connection), against)


def back_up(settings: Settings, target: Path) -> backups.Manifest:
    """Copy the ledger as it is at this instant, also while the daemon runs.

    Raises:
        LedgerError: the target exists or cannot be written, or the journal does not hold.
    """
    with ledger_of(settings, owned=False) as ledger:
        return backups.backup(ledger, target, now)


def restore(settings: Settings, source: Path, who: str) -> Path | None:
    """Put a backup in the ledger's place; return where the ledger that stood there is kept.

    Raises:
        LedgerHeld: a process owns the ledger.
        LedgerError: the backup is not whole.
    """
    return backups.restore(source, settings.ledger, now, who)
