"""Rules of payments, and of what they take from invoices and credit memos (R17, R18)."""

from collections.abc import Iterator
from decimal import Decimal

from tieout.simulator.quickbooks import refusals, values
from tieout.simulator.quickbooks.company import QuickBooksCompany
from tieout.simulator.quickbooks.records import Record
from tieout.simulator.quickbooks.refusals import Json
from tieout.simulator.quickbooks.sales import (
    MAX_PRIVATE_NOTE,
    currency_of,
    rate_of,
    voided_note,
)
from tieout.simulator.quickbooks.values import ZERO, rounded

MAX_REFERENCE = 21
UNDEPOSITED = "Undeposited Funds"

Links = dict[tuple[str, str], Decimal]
"""What a payment takes: (kind, id) of an invoice or a credit memo to the amount."""


def shape(company: QuickBooksCompany, _kind: str, body: Json, old: Record | None) -> Json:
    """Check a payment and return what is kept of it.

    A line takes at most what is open; the rest stays on the payment as UnappliedAmt, and so does
    a line for another customer's invoice (R17). A credit memo's line adds to what there is to give.

    Raises:
        Refused: 6540 deposited, 6210 closed period, 620 nothing to link to, 6000 lines above the
            total, 2020, 2090, 2500, 610.
    """
    check_not_deposited(old)
    customer = values.reference(body, "CustomerRef")
    if customer is None:
        raise refusals.missing("CustomerRef")
    customer_ref = company.refer("Customer", customer)
    currency = currency_of(company, body, company.find("Customer", customer).body)
    day = values.day(body, "TxnDate") or company.today()
    company.check_open(day, *([old.body["TxnDate"]] if old else []))
    total = values.money(body, "TotalAmt", currency)
    if total is None:
        raise refusals.missing("TotalAmt")
    if total < 0:
        raise refusals.business("Transaction amount must be 0 or greater.")
    lines, unapplied = _apply(company, body, old, customer, total, currency)
    shaped: Json = {
        "TxnDate": day,
        "CustomerRef": customer_ref,
        "CurrencyRef": company.currency(currency),
        "TotalAmt": total,
        "UnappliedAmt": unapplied,
        "ProcessPayment": False,
        "Line": lines,
        "LinkedTxn": [],
    }
    if (account := _account(company, body)) is not None:
        shaped["DepositToAccountRef"] = account
    if company.multicurrency:
        shaped["ExchangeRate"] = rate_of(company, body, currency, day)
    method = company.refer("PaymentMethod", values.reference(body, "PaymentMethodRef"))
    if method is not None:
        shaped["PaymentMethodRef"] = method
    for name, limit in (("PaymentRefNum", MAX_REFERENCE), ("PrivateNote", MAX_PRIVATE_NOTE)):
        if (found := values.text(body, name, limit)) is not None:
            shaped[name] = found
    return shaped


def check_not_deposited(old: Record | None) -> None:
    """Refuse a change of a payment that is in a deposit (R17).

    Raises:
        Refused: 6540.
    """
    if old is not None and old.deposited:
        raise refusals.deposited()


def voided(body: Json) -> Json:
    """Return a payment as it is after a void: no lines, no amount (R11)."""
    return {
        **body,
        "TotalAmt": ZERO,
        "UnappliedAmt": ZERO,
        "Line": [],
        "PrivateNote": voided_note(body.get("PrivateNote")),
    }


def links_of(body: Json) -> Links:
    """Return what a payment's lines take."""
    links: Links = {}
    for line in body.get("Line", []):
        for link in line["LinkedTxn"]:
            target = (link["TxnType"], link["TxnId"])
            links[target] = links.get(target, ZERO) + line["Amount"]
    return links


def settle(company: QuickBooksCompany, payment: Record, before: Json, after: Json) -> None:
    """Let invoices and credit memos feel what a payment takes now instead of before.

    Each that feels a difference gets a new balance, token and time: a payment makes the
    invoice's SyncToken stale.
    """
    was, now = links_of(before), links_of(after)
    for target in {**was, **now}:
        amount = now.get(target, ZERO)
        if amount == was.get(target, ZERO):
            continue
        taken = company.applied.setdefault(target, {})
        if amount:
            taken[payment.id] = amount
        else:
            del taken[payment.id]
        _feel(company, *target)


def shrink(company: QuickBooksCompany, invoice: Record) -> None:
    """Give back what payments took beyond an invoice's new total, the latest first."""
    surplus = -invoice.body["Balance"]
    for payment_id, amount in reversed(list(company.applied[("Invoice", invoice.id)].items())):
        if surplus <= 0:
            return
        payment = company.find("Payment", payment_id)
        back = min(surplus, amount)
        surplus -= back
        before = payment.body
        lines = list(_reduced(before["Line"], invoice.id, amount - back))
        after = {**before, "Line": lines, "UnappliedAmt": before["UnappliedAmt"] + back}
        company.change("Payment", payment, after)
        settle(company, payment, before, after)


def open_documents(company: QuickBooksCompany, kind: str, customer: str) -> list[Record]:
    """Return a customer's invoices or credit memos that are not used up, the oldest first."""
    return [
        record
        for record in company.tables[kind].having("customerref", customer)
        if record.body["Balance"] > 0
    ]


def line_for(kind: str, one: str, amount: Decimal) -> Json:
    """Return a payment's line."""
    return {"Amount": amount, "LinkedTxn": [{"TxnId": one, "TxnType": kind}]}


def _apply(
    company: QuickBooksCompany,
    body: Json,
    old: Record | None,
    customer: str,
    total: Decimal,
    currency: str,
) -> tuple[list[Json], Decimal]:
    """Return the lines as they take effect, and what stays unapplied."""
    held = links_of(old.body) if old else {}
    room: Links = {}
    lines: list[Json] = []
    credit = asked = applied = ZERO
    for kind, one, wanted in _wanted(company, body, currency):
        target = (kind, one)
        document = company.tables[kind].rows[one]
        if document.body["CustomerRef"]["value"] != customer:
            asked += wanted if kind == "Invoice" else ZERO
            continue
        if target not in room:
            room[target] = document.body["Balance"] + held.get(target, ZERO)
        amount = min(wanted, room[target])
        room[target] -= amount
        if kind == "CreditMemo":
            credit += amount
        else:
            asked += wanted
            applied += amount
        if amount:
            lines.append(line_for(kind, one, amount))
    if asked > total + credit:
        raise refusals.business("The amount applied is more than the amount of the payment.")
    return lines, total + credit - applied


def _wanted(
    company: QuickBooksCompany, body: Json, currency: str
) -> Iterator[tuple[str, str, Decimal]]:
    for line in values.listed(body, "Line"):
        amount = values.money(line, "Amount", currency)
        if amount is None:
            raise refusals.missing("Line.Amount")
        if amount < 0:
            raise refusals.invalid_number("Line.Amount", amount)
        for link in values.listed(line, "LinkedTxn"):
            kind, one = str(link.get("TxnType")), str(link.get("TxnId"))
            if kind not in {"Invoice", "CreditMemo"}:
                raise refusals.invalid_enum(kind)
            document = company.tables[kind].rows.get(one)
            if document is None or document.voided:
                raise refusals.cannot_link(one)
            company.refer(kind, one)
            yield kind, one, amount


def _account(company: QuickBooksCompany, body: Json) -> Json | None:
    """Return where the money goes: Undeposited Funds unless told (R17)."""
    given = values.reference(body, "DepositToAccountRef")
    if given is not None:
        return company.refer("Account", given)
    for record in company.tables["Account"].having("name", UNDEPOSITED.casefold()):
        return record.ref
    return None


def _feel(company: QuickBooksCompany, kind: str, one: str) -> None:
    document = company.find(kind, one)
    left = document.body["TotalAmt"] - company.taken_from(kind, one)
    links = [{"TxnId": payment, "TxnType": "Payment"} for payment in company.applied[(kind, one)]]
    body = {**document.body, "Balance": left, "LinkedTxn": links}
    if kind == "CreditMemo":
        body["RemainingCredit"] = left
    if company.multicurrency:
        body["HomeBalance"] = rounded(left * body["ExchangeRate"], company.home_currency)
    company.change(kind, document, body)


def _reduced(lines: list[Json], invoice: str, keep: Decimal) -> Iterator[Json]:
    for line in lines:
        link = line["LinkedTxn"][0]
        if (link["TxnType"], link["TxnId"]) != ("Invoice", invoice):
            yield line
        elif keep:
            yield line_for("Invoice", invoice, keep)
            keep = ZERO
