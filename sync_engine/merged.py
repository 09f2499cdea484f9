"""merged: a customer whom the books merged into another is that other one from now on.

An accountant who merges two customers moves all that the one had to the other, and the one becomes
inactive (Intuit, "Merge duplicate customers"); no feed says where it went. So a customer is taken
as merged when it is inactive or gone, an invoice of ours that was posted to it belongs to another
one, and nothing is left with it.
"""

from __future__ import annotations

from sync_engine.ledger.spelling import fields_of
from sync_engine.ledger.store import Reads, Writes
from sync_engine.pair import Pair

ALL_DAYS = {"since": "0001-01-01", "until": "9999-12-31"}
WITH_A_CUSTOMER = ("invoice", "payment", "credit_memo", "refund")


def follow_customer(tx: Writes, pair: Pair, old: str | None, new: str | None) -> bool:
    """Remember a merged customer as the one it is now, in one step; return whether it is merged.

    Tieout merges nobody: two customers that may be one are a question before a deal is posted.
    """
    if old is None or new is None or old == new or not _is_left(tx, pair, old):
        return False
    books, at = pair.books.company, tx.now_text()
    why = f"merged from {old}"
    moved = tx.run(
        "bindings_repoint", books=books, kind="customer", old=old, new=new, by_whom=why, at=at
    )
    if moved:
        tx.journal("books", "customers merged", f"customer {old}", {"into": new, "bindings": moved})
        tx.run("pending_again", pair=pair.name)
    return True


def _is_left(tx: Reads, pair: Pair, customer: str) -> bool:
    """Whether a customer is in use no more, and has nothing left."""
    books = pair.books.company
    shown = tx.one("mirror_get", company=books, kind="customer", id=customer)
    if shown is None or (not shown["gone"] and fields_of(shown["fields"]).get("active", True)):
        return False
    return not any(
        tx.all("mirror_of_customer", company=books, kind=kind, customer=customer, **ALL_DAYS)
        for kind in WITH_A_CUSTOMER
    )
