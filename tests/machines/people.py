"""What people do in a story: salespeople in the CRM, accountants in the books, and who minds Tieout.

Each deed takes the play and chooses by its dice what to do it to. Where there is nothing to choose
from it raises IndexError; what the vendor or Tieout does not take it refuses in its own way.
"""

import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Protocol

from machines.place import Place

from sync_engine.standing import Choice, Way
from sync_engine.states import in_state
from tieout.model.crediting import Extent
from tieout.model.errors import Rejected, TieoutError

SOME = Extent(amount=Decimal("7.77"))


class Play(Protocol):
    """What a deed needs of the story that it happens in."""

    place: Place
    dice: random.Random
    sell: Callable[..., str]
    tell: Callable[[str], None]
    payments: int

    def work(self, deed: Callable[[Any], Any]) -> Any:
        """Do something with the engine, which may die of it."""


# In the CRM


def sell_one(play: Play) -> None:
    dice = play.dice
    buyers = [one["company"] for one in _deals(play) if one["company"]]
    price, quantity = dice.choice(("150.00", "10.10", "500.00", "33.33")), str(dice.randrange(1, 5))
    play.sell(
        company=dice.choice(buyers) if buyers and dice.random() < 0.4 else None,
        country=dice.choice(("DE", "DE", "NO", "US")),
        price=price,
        quantity=quantity,
        deal_currency_code=dice.choice(("EUR", "EUR", "EUR", "USD")),
        closedate=f"2026-0{dice.randrange(1, 4)}-1{dice.randrange(10)}T10:00:00Z",
    )


def sell_much(play: Play) -> None:
    """A good day, whose deals are posted together."""
    for _ in range(play.dice.randrange(2, 6)):
        sell_one(play)


def sell_in_parts(play: Play) -> None:
    lines = [
        {"name": "Consulting", "hs_sku": "C-1", "quantity": "2", "price": "150.00"},
        {"name": "Licence", "hs_sku": "L-9", "quantity": "1", "price": "499.90"},
        {"name": "Odds and ends", "quantity": "3", "price": "0.35"},
    ]
    play.sell(lines=lines, amount="800.95")


def sell_badly(play: Play) -> None:
    """A deal that lacks something, or does not add up."""
    spoilt: dict[str, Any] = play.dice.choice(
        ({"amount": "1.00"}, {"company": "nobody"}, {"deal_currency_code": None}, {"country": "IT"})
    )
    play.sell(**spoilt)


def edit_a_line(play: Play) -> None:
    line = play.dice.choice(_deal(play)["lines"])
    play.place.crm("edit_line", line["id"], {"quantity": str(play.dice.randrange(9))})


def remove_a_line(play: Play) -> None:
    play.place.crm("remove_line", play.dice.choice(_deal(play)["lines"])["id"])


def add_a_line(play: Play) -> None:
    play.place.crm("add_line", _deal(play)["id"], {"name": "Licence", "price": "10.10"})


def correct_the_amount(play: Play) -> None:
    deal = _deal(play)
    play.place.crm("edit_deal", deal["id"], {"amount": deal["net"]})


def redate_the_deal(play: Play) -> None:
    day = play.dice.choice(("2026-01-02", "2026-03-30", "2025-12-30"))
    play.place.crm("edit_deal", _deal(play)["id"], {"closedate": f"{day}T10:00:00Z"})


def reopen(play: Play) -> None:
    play.place.crm("reopen", _deal(play)["id"])


def win(play: Play) -> None:
    play.place.crm("win", _deal(play)["id"])


def lose(play: Play) -> None:
    play.place.crm("lose", _deal(play)["id"])


def clone(play: Play) -> None:
    """Copy a deal; half of the people give it an order number of its own before they save it."""
    deal = _deal(play)["id"]
    if play.dice.random() < 0.5:
        order = f"PO-C{len(play.place.orders)}"
        play.place.orders[order] = play.place.crm("clone", deal, {"po_number": order})
    else:
        play.place.crm("clone", deal)


def archive(play: Play) -> None:
    play.place.crm("archive", "deals", _deal(play)["id"])


def restore_archived(play: Play) -> None:
    gone = [one for one in play.place.crm_truth()["deals"] if one["archived"]]
    play.place.crm("restore", "deals", play.dice.choice(gone)["id"])


def merge(play: Play) -> None:
    deal = _deal(play)
    others = [
        one
        for one in _deals(play)
        if one["id"] != deal["id"] and one["currency"] == deal["currency"]
    ]
    play.place.crm("merge", "deals", deal["id"], play.dice.choice(others)["id"])


def merge_companies(play: Play) -> None:
    companies = sorted({one["company"] for one in _deals(play) if one["company"]})
    first = play.dice.choice(companies)
    second = play.dice.choice([one for one in companies if one != first])
    play.place.crm("merge", "companies", first, second)


def rename_the_company(play: Play) -> None:
    deal = _deal(play)
    name = f"Neu {play.dice.randrange(10**6)}"
    if deal["company"]:
        play.place.crm("edit_company", deal["company"], {"name": name})


def pay(play: Play) -> None:
    deal = _deal(play)
    if deal["currency"]:
        play.payments += 1
        paid = {
            "hs_initial_amount": f"{play.dice.randrange(1, 400)}",
            "hs_reference_number": f"R-{play.payments}",
        }
        play.place.crm("add_payment", deal["id"], paid)


def take_a_payment_back(play: Play) -> None:
    paid = [one for deal in _deals(play) for one in deal["payments"]]
    status = play.dice.choice(("refunded", "failed"))
    play.place.crm("edit_payment", play.dice.choice(paid)["id"], {"hs_latest_status": status})


# In the books


def void(play: Play) -> None:
    play.place.books("void", id=_invoice(play)["id"])


def delete(play: Play) -> None:
    play.place.books("delete", id=_invoice(play)["id"])


def redate(play: Play) -> None:
    play.place.books("edit", id=_invoice(play)["id"], changes={"TxnDate": "2026-05-01"})


def rewrite_the_note(play: Play) -> None:
    """An accountant's own words in the memo; our marker goes with the old ones."""
    changes = {"PrivateNote": play.dice.choice(("checked", "see file 7"))}
    play.place.books("edit", id=_invoice(play)["id"], changes=changes)


def receive(play: Play) -> None:
    owed = [one for one in play.place.invoices() if one["balance"] > 0]
    one = play.dice.choice(owed)
    part = play.dice.choice((None, one["balance"] / 2))
    amount = None if part is None else str(part.quantize(Decimal("0.01")))
    play.place.books("receive_payment", invoices={one["id"]: amount}, day="2026-05-05")


def take_a_receipt_back(play: Play) -> None:
    paid = [
        one
        for one in play.place.books_truth()["payments"]
        if not one["voided"] and not one["deleted"]
    ]
    deed = play.dice.choice(("void", "delete"))
    play.place.books(deed, kind="Payment", id=play.dice.choice(paid)["id"])


def deposit(play: Play) -> None:
    paid = [
        one
        for one in play.place.books_truth()["payments"]
        if not one["voided"] and not one["deleted"]
    ]
    play.place.books("deposit_payment", id=play.dice.choice(paid)["id"])


def invoice_by_hand(play: Play) -> None:
    deal = _deal(play)
    buyers = [
        one["customer"] for one in play.place.invoices() if one["currency"] == deal["currency"]
    ]
    line = {"item": "1", "amount": "12.00", "tax_code": "1"}
    customer = play.dice.choice(buyers)
    play.place.books("create_invoice", customer=customer, lines=[line], po_number=deal["po_number"])


def copy_an_invoice(play: Play) -> None:
    play.place.books("copy_invoice", id=_invoice(play)["id"])


def credit(play: Play) -> None:
    one = _invoice(play)
    line = {"item": "1", "amount": "5.00", "tax_code": "1"}
    play.place.books("credit", customer=one["customer"], lines=[line], apply_to=one["id"])


def rename_a_customer(play: Play) -> None:
    customers = play.place.books_truth()["customers"]
    name = f"Kunde {play.dice.randrange(10**6)}"
    play.place.books("rename_customer", id=play.dice.choice(customers)["id"], name=name)


def inactivate(play: Play) -> None:
    customers = [one for one in play.place.books_truth()["customers"] if one["active"]]
    play.place.books("inactivate", id=play.dice.choice(customers)["id"])


def inactivate_an_item(play: Play) -> None:
    items = [one for one in play.place.books_truth()["items"] if one["active"]]
    play.place.books("inactivate", kind="Item", id=play.dice.choice(items)["id"])


def make_a_customer(play: Play) -> None:
    """An accountant makes a customer with the name of a CRM company."""
    names = sorted({one["company_name"] for one in _deals(play) if one["company_name"]})
    body = {"DisplayName": play.dice.choice(names), "CurrencyRef": {"value": "EUR"}}
    play.place.books("create", kind="Customer", body=body)


def refund(play: Play) -> None:
    line = {"item": "1", "amount": "5.00", "tax_code": "1"}
    play.place.books("refund", customer=_invoice(play)["customer"], lines=[line])


def close_the_period(play: Play) -> None:
    until = play.dice.choice(("2026-02-28", "2026-03-31", None, None))
    play.place.books("close_books", until=until)


# In front of Tieout


def approve_one(play: Play) -> None:
    def deed(engine: Any) -> None:
        plans = [one for one in engine.plan(look=False) if one["state"] == "waiting"]
        engine.approve(play.dice.choice(plans)["hash"], who="ann")

    play.work(deed)


def approve_the_sheet(play: Play) -> None:
    def deed(engine: Any) -> None:
        sheet = engine.sheet_hash("main")
        if sheet:
            engine.approve(sheet, who="ann")

    play.work(deed)


def reject_one(play: Play) -> None:
    def deed(engine: Any) -> None:
        plans = [one for one in engine.plan(look=False) if one["state"] == "waiting"]
        engine.reject(play.dice.choice(plans)["hash"], who="bob", reason="not ours")

    play.work(deed)


def answer_a_task(play: Play) -> None:
    def deed(engine: Any) -> None:
        tasks = [task for task in engine.tasks() if set(task["choices"]) - {"ID"}]
        task = play.dice.choice(tasks)
        choice = play.dice.choice([one for one in task["choices"] if one != "ID"])
        play.tell(f"    answers {task['code']} of {task['subject']} with {choice}")
        engine.answer(task["id"], choice, who="ann", reason="as it seems")
        if choice == "create":
            crm = play.place.crm_truth()["deals"]
            orders = [one["po_number"] for one in crm if one["id"] == task["source_id"]]
            play.place.overruled.extend(orders)

    play.work(deed)


def resume(play: Play) -> None:
    play.work(lambda engine: engine.resume("main", who="ann", reason="looked at it"))


def reissue(play: Play) -> None:
    def deed(engine: Any) -> None:
        rows = [
            *in_state(engine.ledger, "main", "voided"),
            *in_state(engine.ledger, "main", "deleted"),
        ]
        row = play.dice.choice(rows)
        engine.reissue(f"{row['source_kind']}:{row['source_id']}", who="ann", reason="again")

    play.work(deed)


def correct(play: Play) -> None:
    """Choose one of the corrections that are shown as possible now, perhaps in part."""

    def deed(engine: Any) -> None:
        posted = [
            row for row in in_state(engine.ledger, "main", "posted") if row["kind"] == "invoice"
        ]
        row = play.dice.choice(posted)
        deal = f"{row['source_kind']}:{row['source_id']}"
        shown = [one for one in engine.corrections(deal)["options"] if one["possible"]]
        one = play.dice.choice(shown)
        extent = Extent.of(one["extent"])
        if one["kind"] == "credit_memo" and play.dice.random() < 0.4:
            extent = play.dice.choice((Extent(part=Decimal(30)), Extent(line=1), SOME))
        again = one["name"].endswith("-and-reissue")
        choice = Choice(Way(one["name"].split("-")[0]), extent, reissue=again)
        play.tell(f"    corrects {deal} by {one['name']}")
        engine.correct(deal, choice, who="ann", reason="as it seems")

    try:
        play.work(deed)
    except TieoutError as refused:  # the books did not answer, or it is not possible any more
        raise Rejected(str(refused)) from refused


def resync(play: Play) -> None:
    deal = _deal(play)["id"]
    play.work(lambda engine: engine.resync(f"deal:{deal}", who="ann"))


def look_at_the_plan(play: Play) -> None:
    play.work(lambda engine: engine.plan())


def reconcile(play: Play) -> None:
    play.work(lambda engine: engine.reconcile("main"))


Deed = Callable[[Play], None]
SALES: tuple[Deed, ...] = (
    sell_one,
    sell_one,
    sell_one,
    sell_in_parts,
    sell_badly,
    edit_a_line,
    remove_a_line,
    add_a_line,
    correct_the_amount,
    redate_the_deal,
    reopen,
    win,
    lose,
    clone,
    archive,
    restore_archived,
    merge,
    merge_companies,
    rename_the_company,
    pay,
    pay,
    take_a_payment_back,
)
BOOKS: tuple[Deed, ...] = (
    void,
    delete,
    redate,
    rewrite_the_note,
    receive,
    take_a_receipt_back,
    deposit,
    invoice_by_hand,
    copy_an_invoice,
    credit,
    rename_a_customer,
    inactivate,
    inactivate_an_item,
    make_a_customer,
    refund,
    close_the_period,
)
MEDDLING: tuple[Deed, ...] = (
    inactivate,
    inactivate_an_item,
    close_the_period,
    make_a_customer,
    void,
)
MINDING: tuple[Deed, ...] = (
    approve_one,
    approve_the_sheet,
    approve_the_sheet,
    approve_the_sheet,
    approve_the_sheet,
    reject_one,
    answer_a_task,
    answer_a_task,
    answer_a_task,
    resume,
    reissue,
    correct,
    correct,
    correct,
    resync,
    look_at_the_plan,
    reconcile,
)


def _deals(play: Play) -> list[Any]:
    return [one for one in play.place.crm_truth()["deals"] if not one["archived"]]


def _deal(play: Play) -> Any:
    return play.dice.choice(_deals(play))


def _invoice(play: Play) -> Any:
    return play.dice.choice(play.place.invoices())
