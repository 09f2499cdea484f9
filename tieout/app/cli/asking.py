"""How a verb reaches the engine: by owning the ledger, or by a wish to the daemon that owns it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from tieout.app import companies, deeds, wiring
from tieout.app.cli.verb import Caller
from tieout.app.companies import Site
from tieout.app.outcome import Told
from tieout.app.working import grant
from tieout.model.errors import Unavailable

WISH_SECS = 600.0  # a round may be under way, and the wish waits for its end
WISH_POLL_SECS = 0.2
POLLS_A_TRY = 25  # so often it is looked whether the daemon still owns the ledger


def do(caller: Caller, deed: str, **args: Any) -> Mapping[str, Any]:
    """Let the engine do something, here or in the daemon, and return what came of it.

    Raises:
        TieoutError: what the engine met, wherever it met it.
    """
    site = companies.Site(caller.directory, caller.settings())
    try:
        with wiring.engine_of(site) as engine:
            return deeds.do(engine, deed, args, caller.who)
    except wiring.LedgerHeld:
        return _wished(caller, site, deed, args)


def look(caller: Caller, deed: str, **args: Any) -> Mapping[str, Any]:
    """Ask the engine what only reads the ledger; whoever owns it is not disturbed.

    What needs no mapping is shown also while one is broken.
    """
    site = companies.Site(caller.directory, caller.settings())
    with wiring.engine_of(site, owned=False, mapped=deed in deeds.DRAFTING) as engine:
        return deeds.do(engine, deed, args, caller.who)


def _wished(caller: Caller, site: Site, deed: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
    with wiring.ledger_of(site.settings, owned=False) as ledger:
        wish = ledger.wish(deed, args, caller.who)
        caller.say("The running daemon owns the ledger; it does this as soon as its round ends.")
        for polls in range(1, int(WISH_SECS / WISH_POLL_SECS)):
            outcome = ledger.wish_outcome(wish)
            if outcome is not None:
                if "error" in outcome:
                    raise Told(outcome["error"])
                return outcome
            time.sleep(WISH_POLL_SECS)
            if polls % POLLS_A_TRY == 0:
                _grant_if_left_alone(site)
    raise Unavailable(
        f"The daemon did not do wish {wish} in time; it still will.",
        remedy="See `tieout status` for what it is doing.",
    )


def _grant_if_left_alone(site: Site) -> None:
    """Do what is wished here, when the daemon has ended and owns the ledger no more."""
    try:
        with wiring.engine_of(site) as engine:
            for wish in engine.ledger.open_wishes():
                grant(engine, wish)
    except wiring.LedgerHeld:
        return
