"""promised: what payments on their way to the books will take of an invoice, before they are there.

The books apply no more than is open, so two payments that were both planned against one balance
would not both land as they were approved.
"""

from __future__ import annotations

import json
from decimal import Decimal

from sync_engine.addresses import address_of
from sync_engine.ledger.store import Reads
from sync_engine.pair import Pair
from tieout.model.document import Payment

ZERO = Decimal(0)


def promised(ledger: Reads, pair: Pair, payment: Payment, invoice: str) -> Decimal:
    """Return what other payments of the same deal will take of an invoice.

    One that the mirror shows already is counted in the invoice's balance.
    """
    rows = ledger.all("payments_to_come", pair=pair.name, **address_of(payment.pays))
    others = [row for row in rows if row["source_id"] != payment.source.id]
    return sum(
        (
            Decimal(part["amount"])
            for row in others
            if not ledger.all("mirror_by_marker", company=pair.books.company, marker=row["key"])
            for part in json.loads(row["change"])["values"].get("allocations", ())
            if part["id"] == invoice
        ),
        ZERO,
    )
