"""former: what a ledger before this one may still have on its way.

A ledger that was restored, or lost and begun anew, does not know the calls that were in flight when
the one before it ended. They may land until the other system can no longer be busy with them; only
a read of the books after that shows them all, so nothing is sent before.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sync_engine.ledger.store import Reads
from sync_engine.pair import Pair
from tieout.model.dates import parse_instant


def former_until(ledger: Reads, pair: Pair, now: datetime) -> datetime | None:
    """Return when nothing of a former ledger can be on its way any more, None when that is past.

    A ledger that is new where the books hold nothing of ours had none before it.
    """
    restored = ledger.value("meta_get", name="restored_at")
    began = restored or ledger.value("journal_first_at")
    if began is None:
        return None
    since = parse_instant(str(began))
    quiet = timedelta(seconds=pair.quiet_secs)
    if not abs(now - since) < quiet:  # also where the clock was set back since
        return None
    if restored is None and ledger.one("former_made", company=pair.books.company) is None:
        return None
    return since + quiet
