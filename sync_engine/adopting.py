"""adopting: credits that the books have of an invoice and this ledger does not know are taken back.

A ledger that was lost, or put back from a backup, has forgotten what was credited since. A credit's
key follows from its invoice's and its number, so its marker says whose it is: nothing is credited
twice, and no other installation is suspected.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sync_engine.addresses import source_address, source_of
from sync_engine.corrected import NOTHING
from sync_engine.credits import is_credited_whole
from sync_engine.ledger.spelling import fields_of
from sync_engine.ledger.store import Row, Writes
from sync_engine.pair import Pair
from sync_engine.reissuing import issue_again
from sync_engine.standing import Choice, Way, correction_key, keys_of, last_number, lines_of
from sync_engine.tasks import UNCLAIMED, keep
from tieout.model.canonical import canonical, digest
from tieout.model.crediting import Extent
from tieout.model.money import Money, allocate, currency
from tieout.model.ref import Key

ALL_DAYS = {"since": "0001-01-01", "until": "9999-12-31"}


def adopt_owner(tx: Writes, pair: Pair, books: str, fields: dict[str, Any]) -> None:
    """Adopt the credits of the invoices of a customer, of which one seems to be unknown here."""
    rows = tx.all(
        "mirror_of_customer", company=books, kind="invoice", customer=fields["customer"], **ALL_DAYS
    )
    for row in rows:
        invoice = tx.one("document_get", key=row["marker"]) if row["marker"] else None
        if invoice is not None and invoice["posted_id"] is not None:
            adopt_corrections(tx, pair, invoice)


def adopt_corrections(tx: Writes, pair: Pair, invoice: Row) -> None:
    """Take each credit of a posted invoice that carries a marker of ours for what it is."""
    books = pair.books.company
    key, source = Key.parse(invoice["key"]), source_of(invoice)

    def is_there(credit: Key) -> bool:
        return _marked(tx, books, "credit_memo", credit) is not None

    for number in range(1, last_number(key, source, books, Way.CREDIT, is_there) + 1):
        plainly, again = keys_of(key, source, books, Way.CREDIT, number)
        for credit in (plainly, again):
            _adopt_credit(tx, pair, invoice, credit, reissue=credit == again)


def _adopt_credit(tx: Writes, pair: Pair, invoice: Row, credit: Key, *, reissue: bool) -> None:
    """Take a credit, and its application, where the books have them and they are unknown here."""
    books, source = pair.books.company, source_of(invoice)
    key = Key.parse(invoice["key"])
    shown = _marked(tx, books, "credit_memo", credit)
    if shown is None:
        return
    if tx.one("document_get", key=str(credit)) is None:
        _adopt(tx, pair, invoice, credit, shown, Way.CREDIT, reissue=reissue)
    of = correction_key(key, source, books, Way.APPLY, 1, of=credit)
    applied = _marked(tx, books, "payment", of)
    if applied is not None and tx.one("document_get", key=str(of)) is None:
        _adopt(tx, pair, invoice, of, applied, Way.APPLY)
        tx.run("correction_followed", key=str(credit), along_key=str(of), along_hash=None)
    if reissue:
        _issue_again(tx, pair, invoice, credit)


def _issue_again(tx: Writes, pair: Pair, invoice: Row, credit: Key) -> None:
    """Begin the invoice that was to follow a credit; where the books have it, it is linked."""
    present = tx.one("document_get", key=invoice["key"])
    is_present = present is not None and present["state"] == "posted"
    is_last = tx.value("document_generation", stem=invoice["stem"]) == invoice["generation"]
    if is_present and is_last and is_credited_whole(tx, pair.books.company, invoice):
        issue_again(tx, pair, invoice, who="tieout", reason=f"credit-and-reissue {credit}")


def _marked(tx: Writes, books: str, kind: str, key: Key) -> Row | None:
    return tx.one("mirror_of_marker", company=books, kind=kind, marker=str(key))


def _adopt(
    tx: Writes,
    pair: Pair,
    invoice: Row,
    key: Key,
    shown: Row,
    way: Way,
    *,
    reissue: bool = False,
) -> None:
    fields = fields_of(shown["fields"])
    net = fields.get("net")
    extent = Extent(amount=net) if net else Extent()
    at = tx.now_text()
    tx.run(
        "document_put",
        key=str(key),
        stem=key.stem,
        generation=key.generation,
        pair=pair.name,
        mapping=invoice["mapping"],
        part="",
        **source_address(source_of(invoice)),
        kind=shown["kind"],
        state="planned",
        reason=None,
        title=f"{way}: {invoice['title']}",
        content=NOTHING,
        content_hash=digest(NOTHING),
        net=None if net is None else str(net),
        currency=fields["currency"],
        purchase_order=None,
        customer=fields["customer"],
        name_key=None,
        plan_hash=None,
        at=at,
    )
    tx.run(
        "correction_put",
        key=str(key),
        corrects=invoice["key"],
        way=way.value,
        choice=canonical(
            {
                **Choice(way, extent, reissue=reissue, day=fields["date"]).plain(),
                "because": None,
                "asking": "",
            }
        ),
        shares=canonical(_shares(tx, invoice, shown["company"], net)),
        along_key=None,
        along_hash=None,
    )
    tx.run(
        "receipt_put",
        key=str(key),
        plan_hash="adopted",
        verb="create",
        company=shown["company"],
        kind=shown["kind"],
        id=shown["id"],
        version=shown["version"],
        fields=shown["fields"],
        how="adopted",
        request_id=None,
        at=at,
    )
    tx.run("document_posted", key=str(key), posted_id=shown["id"], customer=None, at=at)
    tx.run("document_look_at", key=invoice["key"])
    keep(tx, pair=pair.name, family=UNCLAIMED, subject=str(key), source=None, wanted=())
    tx.journal("tieout", "adopted", str(key), {"id": shown["id"], "corrects": invoice["key"]})


def _shares(tx: Writes, invoice: Row, books: str, net: Decimal | None) -> list[str]:
    """Return what a credit took of each line of its invoice, as far as can be told: its share."""
    shown = tx.one("mirror_get", company=books, kind="invoice", id=invoice["posted_id"])
    if shown is None or not net:
        return []
    fields = fields_of(shown["fields"])
    lines = lines_of(fields)
    weights = [line.amount for line in lines]
    if not lines or not sum(weights):
        return []
    parts = allocate(Money(net, currency(fields["currency"])), weights)
    return [str(part.amount) for part in parts]
