"""tie_out: the open tasks of a deal name together exactly what is won and not invoiced.

Or the other way round, signed: so won = invoiced - credited + held, in each currency. A rest that
no other task explains becomes a task of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from mapping.rules import InvoiceRules
from mapping.rules import Mapping as MappingRules
from sync_engine.addresses import address_of, source_address, source_of
from sync_engine.collected import (
    is_collective,
    is_living,
    posted_net,
    present_net,
    share_of,
)
from sync_engine.credits import credited_of
from sync_engine.gather import followed
from sync_engine.ledger.spelling import fields_of
from sync_engine.ledger.store import Reads, Row, Writes
from sync_engine.pair import Pair
from sync_engine.states import COLLECTED, is_not_due
from sync_engine.tasks import TIE_OUT, Wanted, keep
from tieout.model.document import Prices
from tieout.model.money import plain_text
from tieout.model.ref import Ref

ZERO = Decimal(0)


def tie_out(tx: Writes, pair: Pair, source: Ref) -> None:
    """Give the open tasks of a source the amounts that they hold: won less invoiced, signed."""
    rows = [
        row
        for row in tx.all("documents_of_source", **source_address(source))
        if row["kind"] == "invoice" and row["pair"] == pair.name
    ]
    for some in _apart(pair, rows):
        _tie_out(tx, pair, source, some)


def _apart(pair: Pair, rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Yield what is compared together: of a customer each document of several sources by itself."""
    alone: list[Row] = []
    collectives: dict[str, list[Row]] = {}
    for row in rows:
        into = alone
        if is_collective(mapping_of(pair, row), row):
            into = collectives.setdefault(row["stem"], [])
        into.append(row)
    yield from (some for some in (alone, *collectives.values()) if some)


def _tie_out(tx: Writes, pair: Pair, source: Ref, rows: Sequence[Row]) -> None:
    (code, amount), *others = _held(tx, pair, rows, _invoiced(tx, pair, source, rows))
    subjects = [row["key"] for row in rows]
    tasks = [
        task
        for task in tx.all("tasks_of_source", **address_of(source))
        if task["family"] != TIE_OUT and task["subject"] in subjects
    ]
    wanted = [_also_in(rows[0]["title"], *other) for other in others]
    if amount and not tasks:
        wanted.append(_rest(tx, rows, f"{plain_text(amount)} {code}"))
    for subject in subjects:  # an earlier generation holds nothing any more
        _keep(tx, pair, source, subject, wanted if subject == subjects[0] else ())
    opened = {
        task["code"]: task["id"]
        for task in tx.all("task_open_of", family=TIE_OUT, subject=subjects[0])
    }
    for task, (name, part) in zip(wanted, others, strict=False):
        tx.run("task_amount", id=opened.pop(task.code), net=plain_text(part), currency=name)
    for n, number in enumerate([*(task["id"] for task in tasks), *opened.values()]):
        held = plain_text(amount) if n == 0 else "0"
        tx.run("task_amount", id=number, net=held, currency=code)


def carriers_of(tx: Reads, invoice: Row) -> Iterator[Row]:
    """Yield the documents whose order number a mirrored invoice shows."""
    shown = fields_of(invoice["fields"]).get("custom_fields") or {}
    for order in dict.fromkeys(words for words in shown.values() if words):
        yield from tx.all("documents_with_order", purchase_order=order, kind="invoice")


def figure_of(pair: Pair, row: Row) -> str:
    """Return which figure of an invoice compares with its deal's: the total if prices hold tax."""
    mapping = mapping_of(pair, row)
    rules = None if mapping is None else mapping.document
    inclusive = isinstance(rules, InvoiceRules) and rules.tax.prices is Prices.INCLUSIVE
    return "total" if inclusive else "net"


def _keep(tx: Writes, pair: Pair, source: Ref, subject: str, wanted: Sequence[Wanted]) -> None:
    keep(tx, pair=pair.name, family=TIE_OUT, subject=subject, source=source, wanted=wanted)


def mapping_of(pair: Pair, row: Row) -> MappingRules | None:
    """Return the mapping that makes a document, None where the pair has it no more."""
    return next((held for held in pair.mappings if held.identity == row["mapping"]), None)


def _held(
    tx: Reads, pair: Pair, rows: Sequence[Row], invoiced: Mapping[str, Decimal]
) -> list[tuple[str | None, Decimal]]:
    """Return what is held in the deal's own currency, or its invoice's, then what is in others."""
    held: dict[str | None, Decimal] = {code: -amount for code, amount in invoiced.items()}
    for row in rows:
        net = _net_of(tx, pair, row)
        if net is not None:
            held[row["currency"]] = held.get(row["currency"], ZERO) + net
    known = [row["currency"] for row in rows if row["currency"]]
    own = next(iter([*known, *invoiced]), None)
    others = sorted((code, amount) for code, amount in held.items() if amount and code != own)
    return [(own, held.get(own, ZERO)), *others]


def _net_of(tx: Reads, pair: Pair, row: Row) -> Decimal | None:
    """Return what a document should come to in the books, None where nothing is to be there.

    What goes with a document of several sources is that one's to hold, until it is in the books.
    Of that one it is what its sources were posted with, less what was credited; once it was voided,
    what they come to now.
    """
    if row["state"] in ("superseded", COLLECTED) or is_not_due(row):
        return None
    books = pair.books.company
    if is_collective(mapping_of(pair, row), row) and row["posted_id"] is not None:
        if not is_living(tx, books, row):
            return present_net(tx, row)
        return posted_net(tx, row) - credited_of(tx, books, row["key"], figure_of(pair, row))
    share = share_of(tx, books, row["key"])
    if share is not None and not share.live:
        return None
    return None if row["net"] is None else Decimal(row["net"])


def _invoiced(tx: Reads, pair: Pair, source: Ref, rows: Sequence[Row]) -> Mapping[str, Decimal]:
    """Return by currency what the live invoices of a source come to, less what was credited.

    They are ours, and those by its number. An invoice of another deal counts for this one only when
    that deal was merged into it. One that is nobody's counts for a single deal of those that carry
    its number.
    """
    books = pair.books.company
    figure = figure_of(pair, rows[0])
    found: dict[str, Row] = {}
    sums: dict[str, Decimal] = {}
    for row in rows:
        share = share_of(tx, books, row["key"], figure)
        if share is not None:
            sums[share.currency] = sums.get(share.currency, ZERO) + share.left
            continue
        shown = row["posted_id"] and tx.one(
            "mirror_get", company=books, kind="invoice", id=row["posted_id"]
        )
        if shown and not _passed_on(tx, pair, source, row, shown):
            found[shown["id"]] = shown
        order = row["purchase_order"]
        if not order:
            continue
        for other in tx.all("mirror_by_words", company=books, kind="invoice", words=order):
            if _owner(tx, pair, other, order) == source:
                found[other["id"]] = other
    for shown in found.values():
        code = fields_of(shown["fields"])["currency"]
        amount = Decimal(shown[figure]) if _is_live(shown) else ZERO
        sums[code] = sums.get(code, ZERO) + amount - _credited(tx, shown, figure)
    return sums


def _credited(tx: Reads, invoice: Row, figure: str) -> Decimal:
    """Return what credits of ours took back of an invoice, be it voided since."""
    books = invoice["company"]
    own = tx.one("document_of_record", company=books, kind="invoice", id=invoice["id"])
    return ZERO if own is None else credited_of(tx, books, own["key"], figure)


def _is_live(shown: Row) -> bool:
    return bool(shown["live"]) and not shown["gone"]


def _passed_on(tx: Reads, pair: Pair, source: Ref, row: Row, shown: Row) -> bool:
    """Whether the deal that took this one over carries its invoice's number, and so counts it.

    The number is the invoice's own: a ledger that was lost never saw the merged deal's.
    """
    if row["reason"] != "merged":
        return False
    heir = followed(tx, pair, source)
    return any(one["source_id"] == heir.id for one in carriers_of(tx, shown))


def _owner(tx: Reads, pair: Pair, invoice: Row, order: str) -> Ref | None:
    """Return whose an invoice is: its own deal's, or the first that carries its order number.

    A deal that is to be invoiced comes before one that no longer is, and that before one which was
    merged into a deal of another number.
    """
    own = tx.one("document_of_record", company=invoice["company"], kind="invoice", id=invoice["id"])
    if own is not None:
        return followed(tx, pair, source_of(own))
    rows = tx.all("documents_with_order", purchase_order=order, kind="invoice")
    carriers = [
        (followed(tx, pair, ref) != ref, row["net"] is None, len(ref.id), ref)
        for row in rows
        for ref in [source_of(row)]
    ]
    return min(carriers)[-1] if carriers else None


def _also_in(title: str, code: str | None, amount: Decimal) -> Wanted:
    """Return the task for an amount in a currency that is not the deal's own any more."""
    return Wanted(
        f"also-in-{str(code).lower()}",
        title,
        f"{plain_text(amount)} {code} is held too: the deal and its invoice differ in currency.",
        "Correct the deal's currency, or void its invoice in the books.",
    )


def _rest(tx: Reads, rows: Sequence[Row], amount: str) -> Wanted:
    """Return the task for an amount that no other task holds."""
    states = {row["state"] for row in rows}
    title = rows[0]["title"]
    present = {row["part"]: row for row in reversed(rows)}  # the latest generation of each part
    rejected = next((row for row in present.values() if row["state"] == "rejected"), None)
    if rejected is not None:
        return _rejected(tx, rejected, amount)
    refused = [again for row in rows if (again := tx.one("again_of", key=row["key"])) is not None]
    if refused:
        return Wanted(
            "on-its-way",
            title,
            f"{amount} was refused for now, and is not in the books: they ask for a pause.",
            "Nothing to do: it is sent again once the pause is over.",
        )
    if states & {"sending", "unknown"}:
        return Wanted(
            "unknown",
            title,
            f"{amount} was sent and not answered: it may be in the books.",
            "Nothing to do: Tieout looks for it before it sends it again.",
        )
    if states & {"planned", "approved"}:
        return Wanted(
            "on-its-way",
            title,
            f"{amount} is approved and not posted yet.",
            "`tieout status` says why the round ended before it was posted.",
        )
    return Wanted(
        "does-not-tie-out",
        title,
        f"{amount} is won and not invoiced, or the other way round, and nothing else says why.",
        "Compare the deal with its invoice; `tieout explain` shows both.",
    )


def _rejected(tx: Reads, row: Row, amount: str) -> Wanted:
    """Say whose decision keeps a won deal out of the books."""
    decisions = tx.all("decisions_of", key=row["key"])
    answered = [one for one in tx.all("task_answered_of", subject=row["key"]) if one["answer"]]
    if row["reason"] == "ignored" and answered:
        who, why = answered[-1]["answered_by"], answered[-1]["answer_reason"]
    else:
        who, why = (decisions[-1]["who"], decisions[-1]["reason"]) if decisions else ("nobody", "")
    return Wanted(
        "rejected",
        row["title"],
        f"{row['title']}: {amount} is won and not invoiced: {who} said no ({why or 'no reason'}).",
        "`retry` plans it again; a change of the deal does so too.",
        choices=("retry",),
    )
