"""credits: which credits of ours an invoice has in the books, and what is left of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal

from sync_engine.ledger.spelling import fields_of
from sync_engine.ledger.store import Reads, Row
from sync_engine.standing import Credit, Way
from tieout.model.money import Money, currency


def credits_of(tx: Reads, books: str, invoice: str) -> Iterator[tuple[Row, Credit]]:
    """Yield the living credits of an invoice, by its key: the mirror's row and the figures."""
    for row in tx.all("corrections_of", key=invoice):
        if row["way"] != Way.CREDIT or row["posted_id"] is None:
            continue
        shown = tx.one("mirror_get", company=books, kind="credit_memo", id=row["posted_id"])
        if shown is None or not shown["live"] or shown["gone"]:
            continue
        fields = fields_of(shown["fields"])
        shares = tuple(Decimal(share) for share in json.loads(row["shares"]))
        yield shown, Credit(fields["net"], fields["tax"], fields["total"], shares)


def gift_of(tx: Reads, books: str, shown: Row) -> Credit | None:
    """Return what credits that people wrote cover of an invoice, as one; None where none does.

    Whether one corrects the invoice or is a gift of its own no record says. Its net is the
    invoice's in the proportion of what it covers. A credit of ours, of whichever invoice, is none.

    Args:
        tx: the ledger.
        books: the books' company.
        shown: the mirror's row of the invoice.
    """
    covered = sum(
        (
            min(Decimal(part["amount"]), _by_hand(tx, books, part))
            for part in tx.all("allocations_on", company=books, invoice=shown["id"])
        ),
        Decimal(0),
    )
    fields = fields_of(shown["fields"])
    if not covered or not fields["total"]:
        return None
    net = Money.rounded(fields["net"] * covered / fields["total"], currency(fields["currency"]))
    return Credit(net.amount, covered - net.amount, covered, ())


def _by_hand(tx: Reads, books: str, part: Row) -> Decimal:
    """Return how much a payment uses of credits that are not ours."""
    row = tx.one("mirror_get", company=books, kind=part["kind"], id=part["id"])
    parts = () if row is None else fields_of(row["fields"]).get("allocations") or ()
    credit = {"company": books, "kind": "credit_memo"}
    return sum(
        (
            one["amount"]
            for one in parts
            if one["kind"] == "credit_memo"
            and tx.one("document_of_record", **credit, id=one["id"]) is None
        ),
        Decimal(0),
    )


def left_of(tx: Reads, books: str, invoice: Row, figure: str) -> Decimal:
    """Return what is left of an invoice after its credits: of its net, or of its total.

    Args:
        tx: the ledger.
        books: the books' company.
        invoice: the document's row; it is posted.
        figure: net or total.
    """
    shown = tx.one("mirror_get", company=books, kind="invoice", id=invoice["posted_id"])
    whole = Decimal(0) if shown is None else Decimal(shown[figure])
    taken = (Decimal(row[figure]) for row, _ in credits_of(tx, books, invoice["key"]))
    return whole - sum(taken, Decimal(0))


def credited_of(tx: Reads, books: str, invoice: str, figure: str) -> Decimal:
    """Return what living credits of ours took of an invoice, by its key: of its net or total."""
    return sum((Decimal(row[figure]) for row, _ in credits_of(tx, books, invoice)), Decimal(0))


def is_covered_by_credits(tx: Reads, invoice: Row) -> bool:
    """Whether credits, ours or not, cover all of an invoice of the mirror."""
    parts = tx.all("allocations_on", company=invoice["company"], invoice=invoice["id"])
    given = sum((Decimal(row["amount"]) for row in parts if row["means"] == "credit"), Decimal(0))
    return bool(given) and given >= Decimal(invoice["total"])


def is_credited_whole(tx: Reads, books: str, invoice: Row) -> bool:
    """Whether credits of ours took all of a posted invoice."""
    taken = list(credits_of(tx, books, invoice["key"]))
    return bool(taken) and left_of(tx, books, invoice, "net") == 0
