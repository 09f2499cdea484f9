"""What the daemon works on: one owned ledger, and the engine of the configuration as it is now."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from pathlib import Path

from sync_engine.engine import Engine
from sync_engine.pipeline import Round
from sync_engine.silence import judge_silence
from tieout.app import deeds, logs, wiring
from tieout.app.companies import Site, now
from tieout.app.hint_door import HintsAtWork
from tieout.app.outcome import error_values
from tieout.app.settings import load
from tieout.model.errors import TieoutError

MAY_BE_DONE = "The daemon ended while it did this, and may have done it. Asked again:"

_log = logging.getLogger(__name__)


@contextmanager
def working(
    directory: Path, stopping: Callable[[], bool], sleep: Callable[[float], None]
) -> Iterator[Working]:
    """Give what the daemon works on; the ledger is owned until the block ends.

    Raises:
        LedgerHeld: another process owns the ledger.
        Mistakes: the configuration cannot be used.
    """
    site = Site(directory, load(directory))
    with wiring.ledger_of(site.settings) as ledger:
        held = Working(ledger, site, stopping, sleep)
        try:
            yield held
        finally:
            held.close()


class Working:
    """The engine and its settings, replaced together when the configuration is re-read."""

    def __init__(
        self,
        ledger: wiring.Ledger,
        site: Site,
        stopping: Callable[[], bool],
        sleep: Callable[[float], None],
    ) -> None:
        self._ledger = ledger
        self._stopping = stopping
        self._sleep = sleep
        self._told_on: date | None = None
        self._hints = HintsAtWork()
        self._open(site)

    def schedules(self) -> Mapping[str, int]:
        """Return each pair and how many seconds lie between its rounds."""
        return {name: pair.every.secs for name, pair in self.site.settings.pairs.items()}

    def round(self, pair: str) -> None:
        """Work one pair and log what it did, in a line; quiet rounds are heard in debug only."""
        with logs.about(pair=pair):
            worked = self.engine.round(pair, hinted=self._hints.named(pair))
            self._judge_silence(pair, worked)
            done = worked.plain()
            moved = done["done"] or done["drafted"] or done["refused"] or done["unknown"]
            said = {k: v for k, v in done.items() if v and k not in {"pair", "calls", "error"}}
            level = logging.WARNING if done["error"] else logging.INFO if moved else logging.DEBUG
            error = done["error"]["message"] if done["error"] else ""
            _log.log(level, "round ended%s", f": {error}" if error else "", extra=said)

    def _judge_silence(self, name: str, worked: Round) -> None:
        """Ring, for each side of a pair, when its hints stay out while a round finds changes."""
        pair, hints = self.engine.pairs[name], self.site.settings.hints
        for company, events in (
            (pair.crm.company, worked.observed.events),
            (pair.books.company, worked.observed.books_events),
        ):
            listens, heard_at = self._hints.last(company)
            judge_silence(
                self._ledger,
                pair=name,
                company=company,
                heard_at=heard_at,
                found=events > 0,
                now=now(),
                after=timedelta(seconds=hints.silent_after.secs) if hints and listens else None,
            )

    def lane(self, pair: str) -> str:
        """Return what a pair takes turns for: its books."""
        return self.site.settings.pairs[pair].target

    def wishes(self) -> Sequence[int]:
        """Return the ids of the oldest open wishes."""
        return [wish.id for wish in self._ledger.open_wishes()]

    def grant(self, wish: int) -> None:
        """Do what a command asked for, unless it was done meanwhile; if it fails, that is told."""
        asked = next((one for one in self._ledger.open_wishes() if one.id == wish), None)
        if asked is not None:
            grant(self.engine, asked)

    def hinted(self) -> Sequence[str]:
        """Return the pairs that a hint makes due now."""
        return self._hints.due()

    def beat(self) -> None:
        """Write down that the daemon lives; the first beat of a day logs the journal's head."""
        wiring.beat(self._ledger)
        self._hints.tell()
        today = now().date()
        if today != self._told_on:
            self._told_on = today
            _log.info("journal", extra=self.engine.status()["journal"])

    def reread(self) -> None:
        """Read the configuration anew; keep the old one when it is wrong or moves the ledger."""
        try:
            site = Site(self.site.directory, load(self.site.directory))
            if site.settings.ledger != self.site.settings.ledger:
                _log.error("the ledger's path changed: restart the daemon to use another ledger")
                return
            before = self._opened
            self._open(site)
        except TieoutError as wrong:
            _log.error("the configuration is not used; the old one stays:\n%s", wrong)
            return
        before.close()
        logs.configure(site.settings.log.format, site.settings.log.level)
        _log.info("the configuration was read anew")

    def close(self) -> None:
        """Close the door and the sessions."""
        self._hints.close()
        self._opened.close()

    def _open(self, site: Site) -> None:
        opened = ExitStack()
        self.engine: Engine = opened.enter_context(
            wiring.engine_on(self._ledger, site, stopping=self._stopping, sleep=self._sleep)
        )
        try:
            self._hints.take(site)
        except TieoutError:
            opened.close()
            raise
        self._opened, self.site = opened, site


def grant(engine: Engine, wish: wiring.Wish) -> None:
    """Do what is wished and write down what came of it: what the deed returned, or its error.

    A wish that an ended process had begun is done again; what refuses it now may be that it was
    done then.

    Raises:
        Exception: a mistake of ours. It is written down too, or each start would meet it again.
    """
    again = engine.ledger.begin_wish(wish.id)
    try:
        outcome = deeds.do(engine, wish.kind, wish.args, wish.who)
    except TieoutError as wrong:
        told = error_values(wrong)
        outcome = {"error": {**told, "what": f"{MAY_BE_DONE} {told['what']}"} if again else told}
    except Exception as wrong:
        what = f"The daemon met something that it does not know ({type(wrong).__name__}) and ended."
        engine.ledger.grant(wish.id, {"error": {"code": "unexpected", "what": what}})
        raise
    engine.ledger.grant(wish.id, outcome)
