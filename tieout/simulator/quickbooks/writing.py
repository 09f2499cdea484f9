"""Create, update, void, delete: the four ways to write, the same for every kind."""

from collections.abc import Callable

from tieout.simulator.quickbooks import (
    attachments,
    fields,
    lists,
    payments,
    people,
    refusals,
    sales,
    values,
)
from tieout.simulator.quickbooks.company import QuickBooksCompany
from tieout.simulator.quickbooks.records import FILE_KIND, SALES_KINDS, TXN_KINDS, Record
from tieout.simulator.quickbooks.refusals import Json

Shape = Callable[[QuickBooksCompany, str, Json, Record | None], Json]
"""Checks a body against the rules of its kind and returns what is kept; writes nothing."""

MAX_ID = 50

SHAPES: dict[str, Shape] = {
    **dict.fromkeys(people.KINDS, people.shape),
    **dict.fromkeys(SALES_KINDS, sales.shape),
    **dict.fromkeys(("Term", "Class", "Department", "PaymentMethod", "Account"), lists.shape_small),
    **dict.fromkeys(("TaxCode", "TaxRate"), lists.shape_nothing),
    "Item": lists.shape_item,
    "CompanyCurrency": lists.shape_currency,
    "Payment": payments.shape,
    FILE_KIND: attachments.shape,
}


def create(company: QuickBooksCompany, kind: str, body: Json, *, by_hand: bool = False) -> Json:
    """Create a record and return it as the API shows it.

    Raises:
        Refused: a rule is broken; nothing was written.
    """
    fields.check_names(kind, body)
    record = company.add(kind, SHAPES[kind](company, kind, body, None))
    record.by_hand = by_hand
    _settle(company, kind, record, {})
    _auto_apply(company, kind, record)
    return company.shown(kind, record)


def update(company: QuickBooksCompany, kind: str, body: Json) -> Json:
    """Update a record: sparse keeps what the body does not name, full clears it (R12).

    A list, such as the lines, is always replaced as a whole.

    Raises:
        Refused: 5010 another SyncToken is current, 610 no such record, or a rule is broken.
    """
    fields.check_names(kind, body)
    record = current(company, kind, body)
    sparse = values.flag(body, "sparse", default=False)
    before = record.body
    merged = {**before, **body} if sparse else body
    with company.keeping_references(kind, before):
        shaped = SHAPES[kind](company, kind, merged, record)
    company.change(kind, record, shaped)
    if record.voided and record.body["TotalAmt"]:
        record.voided = False
    _settle(company, kind, record, before)
    return company.shown(kind, record)


def void(company: QuickBooksCompany, kind: str, body: Json) -> Json:
    """Void an invoice or a payment: it stays, and is worth nothing (R11).

    Raises:
        Refused: 5010, 610, 6210 closed period, 6540 deposited, 6000 an invoice with payments.
    """
    if kind not in {"Invoice", "Payment"}:
        raise refusals.unsupported(f"void of {kind}")
    fields.check_names(kind, body)
    record = current(company, kind, body)
    if record.voided:
        return company.shown(kind, record)
    company.check_open(record.body["TxnDate"])
    before = record.body
    if kind == "Payment":
        payments.check_not_deposited(record)
        company.change(kind, record, payments.voided(before))
        payments.settle(company, record, before, record.body)
    else:
        _check_unlinked(company, kind, record)
        company.change(kind, record, sales.voided(company, before))
    record.voided = True
    return company.shown(kind, record)


def delete(company: QuickBooksCompany, kind: str, body: Json) -> Json:
    """Delete a transaction; list records are only made inactive (R5, R11).

    Raises:
        Refused: 500 a list record, 5010, 610, 6210, 6540, 6000 payments are applied to it.
    """
    if kind not in TXN_KINDS:
        raise refusals.unsupported(f"delete of {kind}")
    fields.check_names(kind, body)
    record = current(company, kind, body)
    company.check_open(record.body["TxnDate"])
    if kind == "Payment":
        payments.check_not_deposited(record)
        payments.settle(company, record, record.body, {})
    else:
        _check_unlinked(company, kind, record)
    company.delete(kind, record)
    return {"domain": "QBO", "status": "Deleted", "Id": record.id}


def current(company: QuickBooksCompany, kind: str, body: Json) -> Record:
    """Return the record that a body is about, if it speaks of its present state.

    Raises:
        Refused: 2020 no Id or SyncToken, 2010 one that is no text, 610 no such record, 5010 stale.
    """
    for name in ("Id", "SyncToken"):
        if values.text(body, name, MAX_ID) is None:
            raise refusals.missing(name)
    record = company.find(kind, body["Id"])
    if body["SyncToken"] != str(record.token):
        raise refusals.stale()
    return record


def _check_unlinked(company: QuickBooksCompany, kind: str, record: Record) -> None:
    if company.applied.get((kind, record.id)):
        raise refusals.business(
            "This transaction is linked to others. Unlink or delete the payments applied to it "
            "before you void or delete it."
        )


def _settle(company: QuickBooksCompany, kind: str, record: Record, before: Json) -> None:
    if kind == "Payment":
        payments.settle(company, record, before, record.body)
    elif kind == "Invoice" and record.body["Balance"] < 0:
        payments.shrink(company, record)


def _auto_apply(company: QuickBooksCompany, kind: str, record: Record) -> None:
    """Apply open credits and payments behind everybody's back, if the company wants it (R18)."""
    if kind not in TXN_KINDS or kind == "RefundReceipt":
        return
    customer = record.body["CustomerRef"]["value"]
    if company.auto_apply_credit and kind != "Payment":
        for memo in payments.open_documents(company, "CreditMemo", customer):
            for invoice in payments.open_documents(company, "Invoice", customer):
                apply_credit(company, memo, invoice)
    if company.auto_apply_payments:
        for payment in company.tables["Payment"].having("customerref", customer):
            _spend(company, payment, customer)


def apply_credit(company: QuickBooksCompany, memo: Record, invoice: Record) -> Json | None:
    """Use a credit memo on an invoice, as the books do: by a payment of nothing."""
    amount = min(memo.body["Balance"], invoice.body["Balance"])
    if not amount:
        return None
    lines = [
        payments.line_for("Invoice", invoice.id, amount),
        payments.line_for("CreditMemo", memo.id, amount),
    ]
    body = {
        "TxnDate": company.today(),
        "CustomerRef": invoice.body["CustomerRef"],
        "CurrencyRef": invoice.body["CurrencyRef"],
        "TotalAmt": values.ZERO,
        "Line": lines,
    }
    record = company.add("Payment", payments.shape(company, "Payment", body, None))
    record.by_hand = True
    payments.settle(company, record, {}, record.body)
    return company.shown("Payment", record)


def _spend(company: QuickBooksCompany, payment: Record, customer: str) -> None:
    left = payment.body["UnappliedAmt"]
    if not left or payment.deposited:
        return
    lines = list(payment.body["Line"])
    for invoice in payments.open_documents(company, "Invoice", customer):
        amount = min(left, invoice.body["Balance"])
        if amount:
            lines.append(payments.line_for("Invoice", invoice.id, amount))
            left -= amount
    if len(lines) > len(payment.body["Line"]):
        before = payment.body
        company.change("Payment", payment, {**before, "Line": lines, "UnappliedAmt": left})
        payments.settle(company, payment, before, payment.body)
