"""mode: whether a pair only watches, or posts.

The setting lets a pair begin in the shadow. From its first round there on the ledger knows it, and
only a person ends it: whoever edits the file posts nothing by that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sync_engine.approve import named_by
from sync_engine.ledger.sqlite import Ledger
from sync_engine.ledger.store import Reads
from sync_engine.pair import Pair
from sync_engine.sides import found_links
from tieout.model.errors import Rejected

SHADOW: Final = "shadow"
LIVE: Final = "live"
REJECTED: Final = "rejected"  # the state of a document that a person left alone


def mode_of(ledger: Reads, pair: Pair) -> str:
    """Return ``shadow`` or ``live``: what the ledger knows, else what the setting says."""
    known = ledger.value("meta_get", name=_fact(pair))
    return str(known) if known is not None else SHADOW if pair.shadow else LIVE


def note_mode(ledger: Ledger, pair: Pair) -> None:
    """Write down that a pair watches, in its first round in the shadow.

    A pair that went live and whose setting says so too is done with it: should the setting ever say
    shadow again, it watches again.
    """
    known = ledger.value("meta_get", name=_fact(pair))
    if pair.shadow and known is None:
        with ledger.transaction() as tx:
            tx.run("meta_set", name=_fact(pair), value=SHADOW)
            tx.journal("configuration", "shadow began", pair.name, None)
    elif not pair.shadow and known == LIVE:
        with ledger.transaction() as tx:
            tx.run("meta_clear", name=_fact(pair))


def demand_live(ledger: Reads, pair: Pair, wanted: str) -> None:
    """Refuse to decide about a plan, named by its hash, of a pair that only watches.

    Raises:
        Rejected: the plan is such a pair's.
    """
    if mode_of(ledger, pair) == SHADOW and named_by(ledger, pair, wanted):
        raise Rejected(
            f"{pair.name} is in the shadow: nothing of it is sent, so nothing is approved.",
            remedy=f"`tieout go-live {pair.name}` when it shall post.",
        )


def demand_posting(ledger: Reads, pair: Pair) -> None:
    """Refuse what would be sent of a pair that only watches.

    Raises:
        Rejected: the pair is in the shadow.
    """
    if mode_of(ledger, pair) == SHADOW:
        raise Rejected(
            f"{pair.name} is in the shadow: nothing of it is sent.",
            remedy=f"`tieout go-live {pair.name}` when it shall post.",
        )


def go_live(
    ledger: Ledger,
    pair: Pair,
    *,
    who: str,
    reason: str,
    leave_open: bool,
    beside: Sequence[Pair] = (),
) -> int:
    """Let a pair that watched post from now on; return how many links nobody has confirmed.

    Raises:
        Rejected: it posts already, or a link waits to be confirmed and ``leave_open`` is not said.
    """
    if mode_of(ledger, pair) == LIVE:
        raise Rejected(f"{pair.name} is not in the shadow: it posts already.")
    with ledger.transaction() as tx:
        found = found_links(tx, pair, beside)
        waits = found.links.unconfirmed()
        count = len([key for key in waits if found.documents[key]["state"] != REJECTED])
        if count and not leave_open:
            raise Rejected(
                f"{count} deals of {pair.name} have an invoice made by hand, or may have, and are "
                "not linked to it.",
                remedy="`tieout backfill` shows them; confirm or choose, then go live.",
            )
        tx.run("meta_set", name=_fact(pair), value=LIVE)
        tx.run("pending_again", pair=pair.name)
        tx.journal(who, "went live", pair.name, {"reason": reason, "left_open": count})
    return count


def _fact(pair: Pair) -> str:
    return f"mode {pair.name}"
