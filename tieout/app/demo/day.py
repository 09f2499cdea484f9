"""A day at both companies, after the invoices are out: what makes middleware wrong about them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from tieout.app.demo.doors import Doors, Truth
from tieout.app.demo.parts import CENT, Act, Card, Deed, Part
from tieout.app.demo.tally import won_deals
from tieout.app.demo.world import Deck, is_tidy, item, tax_code

FULL, PARTIAL, OVER = 20, 5, 2  # payments that the accountant receives
TAXED: Final = "S19"
WON_LATE = 3  # deals that sales wins on that day
ORDER_DIGITS = 6
AS_POSTED: Final = "0"  # the token of an invoice that nobody has touched


def accountants_day(books: Doors) -> list[str]:
    """Let the accountant work on the invoices; return what she did, in words."""
    truth = books.truth()
    ours = [one for one in truth["invoices"] if _is_open(one) and not one["by_hand"]]
    deck = Deck(sorted(ours, key=lambda one: _turn(str(one["po_number"]))))
    told = []
    for words, deeds in _bookkeeping(deck, truth):
        if deeds:
            books.play(deeds)
            told.append(words)
    return told


def sales_day(crm: Doors, part: Part, books: Truth, cutover: date) -> list[str]:
    """Let the sales team work on their deals; return what they did, in words."""
    truth = part.read(crm.truth())
    by_hand = {one["po_number"] for one in books["invoices"] if one["by_hand"]}
    invoiced = {
        one["po_number"]
        for one in books["invoices"]
        if _is_open(one) and one["sync_token"] == AS_POSTED
    } - by_hand
    deals = list(won_deals(truth, cutover))
    out = Deck([deal for deal in deals if is_tidy(deal) and deal["po_number"] in invoiced])
    held = Deck([deal for deal in deals if deal["po_number"] not in invoiced])
    never_won = Deck([deal for deal in truth["deals"] if not deal["is_won"]])
    winning = Act(
        "win {n} more", part.won, WON_LATE, lambda deal: is_tidy(deal) and not deal["archived"]
    )
    told = []
    for deck, acts in ((out, part.second_thoughts), (held, part.mending), (never_won, [winning])):
        for act in acts:
            taken = deck.take(act.number, act.fits)
            deeds = act.deeds(taken)
            if deeds:
                crm.play(deeds)
                told.append(act.words.format(n=len(taken)))
    return told


# -- the accountant ----------------------------------------------------------------------------


def _bookkeeping(deck: Deck, truth: Truth) -> Iterator[tuple[str, list[Deed]]]:
    oldest = min((one["id"] for one in deck.cards), key=int, default=None)
    yield (
        "copies an invoice, memo and all",
        [_copy(one) for one in deck.take(1, lambda one: one["id"] == oldest)],
    )
    several = _of_one_customer(deck)
    yield (
        "voids an invoice",
        [{"deed": "void", "id": one["id"]} for one in deck.take(1, _is_untouched)],
    )
    yield (
        "deletes a third",
        [{"deed": "delete", "id": one["id"]} for one in deck.take(1, _is_untouched)],
    )
    yield "edits the lines of a fourth", [_edit(one, truth) for one in deck.take(1, _is_taxed)]
    yield f"receives {FULL} payments in full", [_paid(one, None) for one in deck.take(FULL)]
    yield (
        f"{PARTIAL} in part, {OVER} too large",
        [
            *(_paid(one, _half(one)) for one in deck.take(PARTIAL)),
            *(_paid(one, None, total=one["total"] + 50) for one in deck.take(OVER)),
        ],
    )
    yield (
        "one for several invoices at once",
        [{"deed": "receive_payment", "invoices": {one["id"]: None for one in several}}]
        if several
        else [],
    )
    yield "one that belongs to no invoice", [_unapplied(one) for one in deck.take(1)]
    yield "credits one, and applies it", [_credit(one, truth) for one in deck.take(1, _is_home)]
    yield "refunds a customer", [_refund(one, truth) for one in deck.take(1, _is_home)]
    yield (
        "renames a customer",
        [
            {
                "deed": "rename_customer",
                "id": one["customer"],
                "name": f"{one['customer_name']} (key account)",
            }
            for one in deck.take(1)
        ],
    )


def _turn(order: str) -> tuple[str, str]:
    """Return what orders are taken by: their number, so that each CRM's come in turn."""
    return order[-ORDER_DIGITS:], order


def _of_one_customer(deck: Deck) -> Sequence[Card]:
    owed: dict[str, list[Card]] = defaultdict(list)
    for one in deck.cards:
        owed[one["customer"]].append(one)
    several = next((owner for owner, group in owed.items() if len(group) >= 3), None)
    return deck.take(3, lambda one: one["customer"] == several)


def _is_open(invoice: Card) -> bool:
    live = not invoice["voided"] and not invoice["deleted"]
    return bool(live and invoice["balance"] > 0)


def _is_untouched(invoice: Card) -> bool:
    return bool(invoice["balance"] == invoice["total"])


def _is_home(invoice: Card) -> bool:
    return bool(invoice["currency"] == "EUR")


def _is_taxed(invoice: Card) -> bool:
    return _is_home(invoice) and _is_untouched(invoice) and bool(invoice["tax"])


def _half(invoice: Card) -> str:
    step = Decimal(1) if invoice["currency"] == "JPY" else CENT
    return f"{(Decimal(invoice['balance']) / 2).quantize(step):f}"


def _paid(invoice: Card, amount: str | None, total: Decimal | None = None) -> Deed:
    return {
        "deed": "receive_payment",
        "invoices": {invoice["id"]: amount},
        "total": None if total is None else f"{total:f}",
        "reference": f"BANK-{invoice['id']}",
    }


def _unapplied(invoice: Card) -> Deed:
    return {"deed": "receive_payment", "customer": invoice["customer"], "total": "75.00"}


def _copy(invoice: Card) -> Deed:
    return {"deed": "copy_invoice", "id": invoice["id"]}


def _edit(invoice: Card, truth: Truth) -> Deed:
    detail = {
        "ItemRef": {"value": item(truth)},
        "TaxCodeRef": {"value": tax_code(truth, TAXED)},
    }
    line = {
        "Amount": f"{invoice['net'] + 120:f}",
        "Description": "As agreed on the telephone",
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": detail,
    }
    return {"deed": "edit", "id": invoice["id"], "changes": {"Line": [line]}}


def _credit(invoice: Card, truth: Truth) -> Deed:
    return {**_given_back("credit", invoice, truth), "apply_to": invoice["id"]}


def _refund(invoice: Card, truth: Truth) -> Deed:
    return _given_back("refund", invoice, truth)


def _given_back(deed: str, invoice: Card, truth: Truth) -> dict[str, Any]:
    amount = (Decimal(invoice["net"]) / 10).quantize(CENT)
    line = {"item": item(truth), "amount": f"{amount:f}", "tax_code": tax_code(truth, TAXED)}
    return {"deed": deed, "customer": invoice["customer"], "lines": [line]}
