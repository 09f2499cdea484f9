"""The composition root: settings in; a ledger, pairs with open sessions and an engine out.

The only place that knows all the parts; everything above asks the engine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import date
from pathlib import Path

from mapping.rules import Mapping as Rules
from sync_engine.engine import HEARTBEAT, Engine
from sync_engine.ledger import backup as backups
from sync_engine.ledger import journal
from sync_engine.ledger.lock import LedgerHeld
from sync_engine.ledger.sqlite import Asked, Ledger, connect
from sync_engine.ledger.wishes import Wish
from sync_engine.pair import Pair, Sleep
from sync_engine.pipeline import Hands
from tieout.app.companies import Site, now, session
from tieout.app.mappings import compiled_of
from tieout.app.settings import Settings
from tieout.model.contract import Connector
from tieout.model.errors import Unavailable
from tieout.model.money import Rounding

__all__ = [
    "Ledger",
    "LedgerHeld",
    "Wish",
    "back_up",
    "beat",
    "engine_of",
    "engine_on",
    "last_beat",
    "ledger_of",
    "reads_of",
    "restore",
    "verify_journal",
]


@contextmanager
def engine_of(
    site: Site,
    *,
    owned: bool = True,
    mapped: bool = True,
    stopping: Callable[[], bool] = lambda: False,
    sleep: Sleep = time.sleep,
) -> Iterator[Engine]:
    """Give the engine of a configuration.

    Args:
        site: the configuration.
        owned: whether this process owns the ledger; without, the engine can only look.
        mapped: whether it has its mappings; without, it shows what the ledger holds, drafts none.
        stopping: whether a round should start nothing new.
        sleep: waits so many seconds, or until told to stop.

    Raises:
        LedgerHeld: the ledger is to be owned and another process owns it.
        Mistakes: a mapping cannot be used.
    """
    with (
        ledger_of(site.settings, owned=owned) as ledger,
        engine_on(
            ledger, site, asks=owned, mapped=mapped, stopping=stopping, sleep=sleep
        ) as engine,
    ):
        yield engine


@contextmanager
def engine_on(
    ledger: Ledger,
    site: Site,
    *,
    asks: bool = True,
    mapped: bool = True,
    stopping: Callable[[], bool],
    sleep: Sleep = time.sleep,
) -> Iterator[Engine]:
    """Give the engine of a configuration on an open ledger; ``asks`` as for ``session``."""

    def wait(secs: float) -> None:
        sleep(secs)
        if stopping():
            raise Unavailable("Tieout was told to stop while it waited to ask; it was not asked.")

    with _pairs_of(site, wait, asks=asks, mapped=mapped) as pairs:
        yield Engine(ledger, pairs, Hands(now, sleep, stopping))


@contextmanager
def _pairs_of(site: Site, sleep: Sleep, *, asks: bool, mapped: bool) -> Iterator[dict[str, Pair]]:
    """Give every pair with open sessions; a company that is in several pairs has one session."""
    mappings = compiled_of(site) if mapped else dict.fromkeys(site.settings.pairs, ())
    with ExitStack() as opened:
        sessions = {
            name: opened.enter_context(
                session(
                    site,
                    name,
                    reads=reads_of(site, name, mappings),
                    cutover_date=_cutover_of(site, name),
                    options=_options_of(site, name),
                    asks=asks,
                    sleep=sleep,
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
        unsafe_amount=written.unsafe.amount.money if written.unsafe.amount else None,
        twin_days=written.twin_days,
        payment_twin_days=written.payment_twin_days,
        sweep_hours=written.sweep_every.secs / 3600,
        quiet_secs=company.quiet_secs or books.capabilities.quiet_secs,
        rounding=Rounding[company.rounding.upper()],
        numbers_ours=company.numbers == "ours",
        shadow=written.mode == "shadow",
        default_income_account=company.income_account,
        time_zone=_time_zone(site, written.target, written.source),
    )


def _time_zone(site: Site, *names: str) -> str:
    """Return the business time zone: the books' where they have one, else the CRM's, else UTC."""
    zones = [site.company(name).time_zone for name in names]
    return next((zone.name for zone in zones if zone is not None), "UTC")


def _companies_in_pairs(site: Site) -> list[str]:
    pairs = site.settings.pairs.values()
    return sorted({pair.source for pair in pairs} | {pair.target for pair in pairs})


def reads_of(
    site: Site, name: str, mappings: Mapping[str, Sequence[Rules]]
) -> Mapping[str, frozenset[str]]:
    """Return all that any mapping uses of a company's records, so that nothing else is asked.

    ``mappings`` are those of each pair, by its name.
    """
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


def beat(ledger: Ledger) -> None:
    """Write down that the daemon lives, at this instant."""
    with ledger.transaction() as tx:
        tx.run("meta_set", name=HEARTBEAT, value=tx.now_text())


def last_beat(settings: Settings) -> str | None:
    """Return when the daemon last said that it lives; None if none ever ran."""
    with ledger_of(settings, owned=False) as ledger:
        told = ledger.value("meta_get", name=HEARTBEAT)
    return None if told is None else str(told)


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
