"""made elsewhere: the new customers and items that another pair of the same books has posted since.

Pairs of one set of books take turns and share its mirror, so what this pair still plans to create
may be there by now. Where the other pair sent the very words that are planned here, its record is
this plan's outcome: whoever approved the plan saw just that, and nobody is asked again. Any other
record of that name is for planning to judge anew.
"""

from __future__ import annotations

from itertools import groupby

from sync_engine.ledger.sqlite import Ledger
from sync_engine.mirror_rows import record_of
from sync_engine.mode import SHADOW, mode_of
from sync_engine.pair import Pair
from sync_engine.receipts import take_known
from tieout.model.contract import Receipt


def take_made(ledger: Ledger, pair: Pair) -> None:
    """Take what another pair has made of this pair's plans; have the rest planned again.

    A pair in the shadow has no outcome: there it is planned again, and found.
    """
    books = pair.books.company
    rows = ledger.all("made_elsewhere", pair=pair.name, books=books)
    if not rows:
        return
    watches = mode_of(ledger, pair) == SHADOW
    with ledger.transaction() as tx:
        for key, alike in groupby(rows, key=lambda row: str(row["key"])):
            made = next(alike)  # what was sent in the same words comes first
            shown = tx.one("mirror_get", company=books, kind=made["kind"], id=made["posted_id"])
            assert shown is not None, "the query joins it"
            record = record_of(shown)
            if not made["same"] or watches or record.fields.get("active") is False:
                tx.run("dependants_again", need=key, pair=pair.name)
                continue
            tx.journal("tieout", "taken", key, {"made_by": made["made_by"], "id": record.ref.id})
            take_known(tx, pair, key, Receipt(record.ref, record.version, record))
