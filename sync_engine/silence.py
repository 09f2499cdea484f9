"""Silence: the alarm that rings when a company's hints stop coming while rounds find its changes.

Without it a webhook that was switched off, or a secret that was changed, would be noticed by
nobody: rounds go on finding everything, only later.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sync_engine.ledger.sqlite import Ledger
from sync_engine.tasks import SILENCE, Wanted, keep
from tieout.model.dates import instant_text, parse_instant

GRACE: Final = timedelta(minutes=15)
"""So long after a hint a change may be the one that it told of: QuickBooks gathers hints for five
minutes, and its change feed is read ten minutes back."""

_NEVER: Final = "-"


@dataclass(frozen=True, slots=True)
class Silence:
    """When a company's last hint came, and since when changes were found without one."""

    heard_at: datetime | None = None
    since: datetime | None = None

    def after(self, heard_at: datetime | None, *, found: bool, now: datetime) -> Silence:
        """Return what holds after a round that found a change, or none."""
        if heard_at is not None and (self.heard_at is None or heard_at > self.heard_at):
            return Silence(heard_at)
        fresh = self.heard_at is not None and now - self.heard_at < GRACE
        if self.since is not None or not found or fresh:
            return self
        return Silence(self.heard_at, now)


def judge_silence(
    ledger: Ledger,
    *,
    pair: str,
    company: str,
    heard_at: datetime | None,
    found: bool,
    now: datetime,
    after: timedelta | None,
) -> None:
    """Open a task when changes were found for so long without a hint; it closes with the next.

    ``after`` is None where no hint of the company is listened for: then there is no task.
    """
    name = f"hints:{pair}:{company}"
    subject = f"{pair}:{company}"
    held = _read(str(ledger.value("meta_get", name=name) or f"{_NEVER} {_NEVER}"))
    silence = held.after(heard_at, found=found, now=now) if after is not None else Silence()
    rung = bool(ledger.all("task_open_of", family=SILENCE, subject=subject))
    since = silence.since
    rings = since is not None and after is not None and (rung or (found and now - since >= after))
    if silence == held and rings == rung:
        return
    wanted = [_wanted(company, silence)] if rings else []
    with ledger.transaction() as tx:
        tx.run("meta_set", name=name, value=_written(silence))
        keep(tx, pair=pair, family=SILENCE, subject=subject, source=None, wanted=wanted)


def _wanted(company: str, silence: Silence) -> Wanted:
    last = f"the last came at {instant_text(silence.heard_at)}" if silence.heard_at else "none came"
    assert silence.since is not None
    return Wanted(
        "hints-silent",
        "Hints have fallen silent",
        f"Since {instant_text(silence.since)} changes of {company} come without a hint; {last}.",
        "Nothing is lost, it is only found later. Look whether the webhook is still there, what "
        "the proxy answers, and what the daemon's log says of hints: docs/howto/hints.md.",
    )


def _read(text: str) -> Silence:
    heard_at, since = (None if one == _NEVER else parse_instant(one) for one in text.split(" "))
    return Silence(heard_at, since)


def _written(silence: Silence) -> str:
    told = (silence.heard_at, silence.since)
    return " ".join(_NEVER if at is None else instant_text(at) for at in told)
