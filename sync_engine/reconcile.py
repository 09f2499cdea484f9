"""reconcile: what was approved, what the CRM says now, what the books say now, compared.

Nothing is overwritten: a difference is a task with its cause and its figures.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from sync_engine.addresses import source_of
from sync_engine.collected import Share, is_collective, share_of
from sync_engine.collected import sharing as members
from sync_engine.credits import credits_of, left_of
from sync_engine.enclosing import rest_files
from sync_engine.gather import followed
from sync_engine.ledger.spelling import fields_of, money_of
from sync_engine.ledger.sqlite import Ledger
from sync_engine.ledger.store import Reads, Row, Writes
from sync_engine.merged import follow_customer
from sync_engine.pair import Pair
from sync_engine.states import BESIDE, IN_THE_BOOKS, TAKEN_BACK
from sync_engine.tasks import DRIFT, Wanted, keep
from sync_engine.tie_out import carriers_of, figure_of, mapping_of, tie_out
from tieout.model.canonical import canonical, plain
from tieout.model.ref import Ref

DOCUMENTS_AT_ONCE = 500
CORRECT = "`tieout correct` shows what can be done; or correct the deal. Nothing is overwritten."
TAKE_BACK = "Take it back in the books, or correct it in the CRM; nothing is overwritten."
KEPT_BY_US = ("customer", "date", "currency", "net")  # a person's change of these is drift


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between the three sides, with its cause.

    ``cause`` is a stable code: changed-in-crm, reopened, deleted-in-crm, merged, changed-in-books,
    number-changed, voided, deleted, variance, paid-elsewhere.
    """

    cause: str
    message: str
    remedy: str
    before: Any = None
    now: Any = None


@dataclass(frozen=True, slots=True)
class Sides:
    """The three sides of one posted document.

    Attributes:
        posted: what it said when it was posted (content).
        now: what its source says now (content), None when no document can be made of it.
        gone: why it is not: not-won, gone, merged.
        answered: the fields that the books answered when it was posted.
        books: the fields that they show now, None when they deleted it.
        covered: what payments and credits cover; None of what is not covered itself.
        expected: the gross that was expected, None when only the net is compared.
        net: the net that was approved.
        left: what is left of it after its credits: its net, or its total if prices hold the tax;
            None where it has none.
        wanted: what its source comes to now, in the same figure.
        includes_tax: whether the prices, and so that net, contain the tax.
        tolerance: how far the books' figure may be from it.
        planned: whether a plan of ours was approved; what was adopted or linked has none.
    """

    posted: Mapping[str, Any]
    now: Mapping[str, Any] | None
    gone: str | None
    answered: Mapping[str, Any]
    books: Mapping[str, Any] | None
    covered: Decimal | None = Decimal(0)
    expected: Decimal | None = None
    net: Decimal | None = None
    tolerance: Decimal = Decimal(0)
    includes_tax: bool = False
    left: Decimal | None = None
    wanted: Decimal | None = None
    planned: bool = True


def differences(sides: Sides) -> Iterator[Difference]:
    """Yield every difference between what was approved, the CRM now and the books now. Pure.

    What is neither won nor in the books any more, or was credited whole, is at rest.
    """
    if sides.gone is not None and _is_taken_back(sides):
        return
    yield from _in_the_crm(sides)
    if sides.books is None:
        yield Difference(
            "deleted",
            "The books deleted it.",
            "`tieout reissue` posts it anew after approval; or correct the deal.",
        )
    elif sides.books.get("voided"):
        yield Difference(
            "voided",
            "It was voided in the books.",
            "`tieout reissue` posts it anew after approval; or correct the deal.",
        )
    else:
        yield from _in_the_books(sides, sides.books)


def _is_taken_back(sides: Sides) -> bool:
    return sides.books is None or bool(sides.books.get("voided")) or sides.left == 0


def reconcile(ledger: Ledger, pair: Pair) -> int:
    """Compare the documents that moved; return how many were compared."""
    compared = 0
    while rows := ledger.all("documents_unchecked", pair=pair.name, limit=DOCUMENTS_AT_ONCE):
        with ledger.transaction() as tx:
            for row in rows:
                for each in (row, *members(tx, row["key"])):  # what took of one took of them
                    if each["state"] in IN_THE_BOOKS and each["kind"] not in BESIDE:
                        _compare(tx, pair, each)
            for address in sorted({each for row in rows for each in _sources(tx, pair, row)}):
                tie_out(tx, pair, Ref(*address))
            tx.many("document_checked", [{"key": row["key"]} for row in rows])
        compared += len(rows)
    return compared


def _sources(tx: Reads, pair: Pair, row: Row) -> Iterator[tuple[str, str, str]]:
    """Yield the source of a document, and those that share its order number and so its invoices.

    The number is the deal's or its invoice's: after a loss a ledger may know only the latter.
    """
    sharing = [row]
    if row["purchase_order"]:
        order = row["purchase_order"]
        sharing += tx.all("documents_with_order", purchase_order=order, kind=row["kind"])
    if row["posted_id"] and row["kind"] == "invoice":
        books, number = pair.books.company, row["posted_id"]
        invoice = tx.one("mirror_get", company=books, kind="invoice", id=number)
        sharing += [] if invoice is None else carriers_of(tx, invoice)
    sharing += members(tx, row["key"])
    for each in sharing:
        yield each["company"], each["source_kind"], each["source_id"]


def _in_the_crm(sides: Sides) -> Iterator[Difference]:
    if sides.gone is not None:
        cause, words = {
            "gone": ("deleted-in-crm", "It was deleted in the CRM."),
            "merged": ("merged", "It was merged into another one."),
        }.get(sides.gone, ("reopened", "It no longer counts: not won, not paid, or out of scope."))
        yield Difference(cause, words, _remedy(sides))
        return
    if sides.now is None and sides.posted:
        yield Difference(
            "changed-in-crm",
            "The deal changed after it was invoiced: as it stands it could not be invoiced.",
            "`tieout explain` says what it lacks; correct the deal, or its invoice in the books.",
            dict(sides.posted),
        )
    changed = {
        name: (sides.posted.get(name), value)
        for name, value in (sides.now or {}).items()
        if sides.posted.get(name) != value
    }
    if changed:
        names = ", ".join(sorted(name.replace("_", " ") for name in changed))
        yield Difference(
            "changed-in-crm",
            f"The deal changed after it was invoiced: {names}.",
            _remedy(sides),
            {name: before for name, (before, _) in changed.items()},
            {name: after for name, (_, after) in changed.items()},
        )
    elif sides.left is not None and sides.wanted is not None and sides.left != sides.wanted:
        yield Difference(
            "credited",
            f"{sides.left} is left of its invoice after credits; the deal comes to {sides.wanted}.",
            CORRECT,
            plain(sides.left),
            plain(sides.wanted),
        )


def _remedy(sides: Sides) -> str:
    """Return what can be done: an invoice can be corrected from here."""
    return TAKE_BACK if sides.covered is None else CORRECT


def _in_the_books(sides: Sides, books: Mapping[str, Any]) -> Iterator[Difference]:
    changed = [
        name
        for name in KEPT_BY_US
        if name in sides.answered and plain(sides.answered[name]) != plain(books.get(name))
    ]
    if changed:
        yield Difference(
            "changed-in-books",
            f"A person changed it in the books: {', '.join(changed)}.",
            "If it is right, correct the deal; else change it back in the books.",
            {name: plain(sides.answered[name]) for name in changed},
            {name: plain(books.get(name)) for name in changed},
        )
    if sides.answered.get("number") != books.get("number"):
        yield Difference(
            "number-changed",
            f"Its number was {sides.answered.get('number')} and is {books.get('number')}.",
            "Nothing to do: the CRM is told the new number. Close it with `ignore`.",
            sides.answered.get("number"),
            books.get("number"),
        )
    if not changed:
        yield from _variance(sides, books)
    yield from _unexplained(sides, books)


def _variance(sides: Sides, books: Mapping[str, Any]) -> Iterator[Difference]:
    """Compare what the books made of it with what was approved: the net, or the gross expected."""
    pairs = (
        (sides.net, books.get("total" if sides.includes_tax else "net"), Decimal(0)),
        (sides.expected, books.get("total"), sides.tolerance),
    )
    for approved, shown, tolerance in pairs:
        if approved is None or shown is None:
            continue
        off = shown - approved
        if abs(off) > tolerance:
            if sides.planned:
                words = f"The books made {shown} of the {approved} that was expected: {off:+} off."
                remedy = "Check the tax codes of the mapping; correct the invoice in the books."
            else:  # nothing of it was sent from here as it stands
                came = f"It was found in the books with {shown}"
                words = f"{came}, and its source comes to {approved}: {off:+} off."
                remedy = _remedy(sides)
            yield Difference("variance", words, remedy, plain(approved), plain(shown))
            return


def _unexplained(sides: Sides, books: Mapping[str, Any]) -> Iterator[Difference]:
    total, balance = books.get("total"), books.get("balance")
    if sides.covered is None or total is None or balance is None:
        return
    rest = total - balance - sides.covered
    if rest:
        yield Difference(
            "paid-elsewhere",
            f"{rest} of its balance is covered by something that is no payment or credit.",
            "Look at the invoice's history in the books: a journal entry, or a payment unread.",
            plain(sides.covered),
            plain(total - balance),
        )


def _compare(tx: Writes, pair: Pair, row: Row) -> None:
    share = share_of(tx, pair.books.company, row["key"], figure_of(pair, row))
    if share is not None:
        sides = _sides_of_share(tx, pair, row, share)
    else:
        sides = _merged_followed(tx, pair, _sides(tx, pair, row))
        if is_collective(mapping_of(pair, row), row):
            sides = _sides_of_several(sides)
    found = list(differences(sides))
    state = _state_in_the_books(sides)
    if row["state"] != state:
        tx.run(
            "document_state", key=row["key"], state=state, reason=row["reason"], at=tx.now_text()
        )
        tx.journal("books", state, row["key"], {"id": row["posted_id"]})
        if state in TAKEN_BACK:
            rest_files(tx, pair, row)
    if state in TAKEN_BACK or sides.left == 0:
        tx.run("touch_held_beside", key=row["key"])
        tx.run("touch_held_kin", key=row["key"])
    ignored = {
        (answer["code"], answer["detail"])
        for answer in tx.all("task_answered_of", subject=row["key"])
        if answer["answer"] == "ignore"
    }
    shown = [
        Wanted(
            one.cause,
            row["title"],
            f"{row['title']}: {one.message}",
            one.remedy,
            choices=("ignore",),
            detail={"before": plain(one.before), "now": plain(one.now)},
        )
        for one in found
    ]
    wanted = [one for one in shown if (one.code, canonical(one.detail)) not in ignored]
    keep(
        tx,
        pair=pair.name,
        family=DRIFT,
        subject=row["key"],
        source=source_of(row),
        wanted=wanted,
    )


def _state_in_the_books(sides: Sides) -> str:
    """Return what became of a record, whether or not anybody minds."""
    if sides.books is None:
        return "deleted"
    return "voided" if sides.books.get("voided") else "posted"


def _merged_followed(tx: Writes, pair: Pair, sides: Sides) -> Sides:
    """Return the sides with the customer that the books merged the posted one into: no drift."""
    if sides.books is None:
        return sides
    old, new = sides.answered.get("customer"), sides.books.get("customer")
    if not follow_customer(tx, pair, old, new):
        return sides
    return replace(sides, answered={**sides.answered, "customer": new})


def _sides(tx: Reads, pair: Pair, row: Row) -> Sides:
    receipt = tx.one("receipt_any", key=row["key"])
    assert receipt is not None
    shown = tx.one("mirror_get", company=receipt["company"], kind=row["kind"], id=row["posted_id"])
    gone = shown is None or bool(shown["gone"])
    plan = tx.one("plan_get", hash=row["plan_hash"]) if row["plan_hash"] else None
    code = row["currency"]
    covers = tx.all("allocations_on", company=receipt["company"], invoice=row["posted_id"])
    is_invoice = row["kind"] == "invoice"
    is_sale = is_invoice or row["kind"] == "credit_memo"
    figure = figure_of(pair, row)
    has_credits = is_invoice and any(credits_of(tx, receipt["company"], row["key"]))
    return Sides(
        posted=_merges_followed(tx, pair, row, json.loads(row["posted_content"] or "null") or {}),
        now=json.loads(row["content"]),
        gone=row["reason"],
        answered=fields_of(receipt["fields"]),
        books=None if gone or shown is None else fields_of(shown["fields"]),
        covered=sum((Decimal(each["amount"]) for each in covers), Decimal(0))
        if is_invoice
        else None,
        expected=_amount(plan, "expected", code),
        net=_approved_net(plan, row, code) if is_sale and (plan or not has_credits) else None,
        tolerance=_amount(plan, "tolerance", code) or Decimal(0),
        includes_tax=is_invoice and figure == "total",
        left=left_of(tx, receipt["company"], row, figure) if has_credits else None,
        wanted=None if row["net"] is None else Decimal(row["net"]),
        planned=plan is not None,
    )


def _sides_of_share(tx: Reads, pair: Pair, row: Row, share: Share) -> Sides:
    """Return the sides of a source that went with others: what the books changed is theirs.

    While they have the document of all no more, that one says so, and what is to be done.
    """
    posted = _merges_followed(tx, pair, row, json.loads(row["posted_content"] or "null") or {})
    return Sides(
        posted=posted,
        now=json.loads(row["content"]) if share.live else posted,
        gone=row["reason"] if share.live else None,
        answered={},
        books={},
        left=share.left if share.live and share.credited else None,
        wanted=None if row["net"] is None else Decimal(row["net"]),
    )


def _sides_of_several(sides: Sides) -> Sides:
    """Return the sides of a document of several sources: what those say now is theirs."""
    here = replace(sides, now=sides.posted)
    return here if _is_taken_back(sides) else replace(here, gone=None, left=None)


def _merges_followed(tx: Reads, pair: Pair, row: Row, posted: dict[str, Any]) -> dict[str, Any]:
    """Return what was posted with its customer as the CRM calls it now: a merge is no drift."""
    if posted.get("customer"):
        customer = followed(tx, pair, Ref(row["company"], *posted["customer"]))
        posted["customer"] = [customer.kind, customer.id]
    return posted


def _amount(plan: Row | None, column: str, code: str | None) -> Decimal | None:
    money = None if plan is None else money_of(plan[column], plan["currency"] or code)
    return None if money is None else money.amount


def _approved_net(plan: Row | None, row: Row, code: str | None) -> Decimal | None:
    """Return the net that was approved; of a record that was linked, what its deal said then."""
    if plan is not None:
        return _amount(plan, "net", code)
    net = (json.loads(row["posted_content"] or "null") or {}).get("net")
    return None if net is None else Decimal(net["amount"])
