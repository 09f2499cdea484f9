"""What a person does in the books' own pages, past any middleware.

Each deed is a Python function and, by its name, a line of JSON for `POST /__deeds`:
`{"deed": "receive_payment", "invoices": {"145": "50.00"}, "total": "50.00"}`.
A person's edits need no SyncToken: the page they look at is the current one.
"""

import inspect
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from tieout.simulator.quickbooks import refusals, values, writing
from tieout.simulator.quickbooks.company import QuickBooksCompany
from tieout.simulator.quickbooks.records import TXN_KINDS
from tieout.simulator.quickbooks.refusals import Json

PREFERENCES = {
    "custom_txn_numbers": bool,
    "auto_apply_credit": bool,
    "auto_apply_payments": bool,
    "automated_tax": bool,
    "class_tracking": bool,
    "shuffle_batches": bool,
    "replay_answers": str,
    "closed_period_code": str,
    "tax_rounding": str,
    "cdc_truncation": str,
    "access": str,
}
"""What `change_preference` may set. Multi-currency can be switched by nobody (R16)."""


def create(company: QuickBooksCompany, *, kind: str, body: Json) -> Json:
    """Make any record by hand, in the API's own words."""
    return writing.create(company, kind, body, by_hand=True)


def edit(company: QuickBooksCompany, *, kind: str = "Invoice", id: str, changes: Json) -> Json:  # noqa: A002 - as the wire names it
    """Change a record's fields, as in a sparse update."""
    return writing.update(company, kind, {**_now(company, kind, id), "sparse": True, **changes})


def void(company: QuickBooksCompany, *, kind: str = "Invoice", id: str) -> Json:  # noqa: A002
    """Void an invoice or a payment (R11)."""
    return writing.void(company, kind, _now(company, kind, id))


def delete(company: QuickBooksCompany, *, kind: str = "Invoice", id: str) -> Json:  # noqa: A002
    """Delete a transaction."""
    return writing.delete(company, kind, _now(company, kind, id))


def receive_payment(
    company: QuickBooksCompany,
    *,
    invoices: Mapping[str, Any] | None = None,
    total: Any = None,
    customer: str | None = None,
    day: str | None = None,
    reference: str | None = None,
    deposit_to: str | None = None,
) -> Json:
    """Receive money for invoices (id to amount), more than they need, or for none of them.

    An amount of None pays what is open; a total of None is the sum of the amounts.
    """
    paid = {one: _amount(amount) for one, amount in (invoices or {}).items()}
    lines: list[Json] = []
    for one, amount in paid.items():
        owed = company.find("Invoice", one).body["Balance"]
        lines.append(
            {
                "Amount": owed if amount is None else amount,
                "LinkedTxn": [{"TxnId": one, "TxnType": "Invoice"}],
            }
        )
        customer = customer or company.find("Invoice", one).body["CustomerRef"]["value"]
    if customer is None:
        raise refusals.missing("customer")
    given = _amount(total)
    body: Json = {
        **_buyer(company, customer),
        "TotalAmt": sum((one["Amount"] for one in lines), values.ZERO) if given is None else given,
        "Line": lines,
        "TxnDate": day,
        "PaymentRefNum": reference,
    }
    if deposit_to is not None:
        body["DepositToAccountRef"] = {"value": deposit_to}
    return writing.create(company, "Payment", body, by_hand=True)


def create_invoice(
    company: QuickBooksCompany,
    *,
    customer: str,
    lines: list[Json],
    po_number: str | None = None,
    day: str | None = None,
    note: str | None = None,
) -> Json:
    """Write an invoice by hand; a line is `{"item", "amount", "tax_code"?, "description"?}`."""
    return _sell(company, "Invoice", customer, lines, {"po": po_number, "day": day, "note": note})


def copy_invoice(company: QuickBooksCompany, *, id: str) -> Json:  # noqa: A002
    """Copy an invoice as the page does: lines, custom fields and the memo travel along."""
    original = company.find("Invoice", id).body
    left_behind = {"DocNumber", "LinkedTxn", "TxnDate", "DueDate", "TxnTaxDetail"}
    body = {name: value for name, value in original.items() if name not in left_behind}
    return writing.create(company, "Invoice", body, by_hand=True)


def credit(
    company: QuickBooksCompany,
    *,
    customer: str,
    lines: list[Json],
    apply_to: str | None = None,
    po_number: str | None = None,
    day: str | None = None,
) -> Json:
    """Write a credit memo, and use it on an invoice if one is named."""
    made = _sell(company, "CreditMemo", customer, lines, {"po": po_number, "day": day})
    if apply_to is not None:
        memo = company.find("CreditMemo", made["Id"])
        writing.apply_credit(company, memo, company.find("Invoice", apply_to))
        made = company.shown("CreditMemo", memo)
    return made


def refund(
    company: QuickBooksCompany,
    *,
    customer: str,
    lines: list[Json],
    po_number: str | None = None,
    day: str | None = None,
) -> Json:
    """Give money back by a refund receipt, from the first bank account."""
    for account in company.tables["Account"].rows.values():
        if account.body.get("AccountType") == "Bank":
            more = {"po": po_number, "day": day, "account": account.id}
            return _sell(company, "RefundReceipt", customer, lines, more)
    raise refusals.missing("a bank account")


def rename_customer(company: QuickBooksCompany, *, id: str, name: str) -> Json:  # noqa: A002
    """Give a customer another name; the documents show it too."""
    return edit(company, kind="Customer", id=id, changes={"DisplayName": name})


def merge_customers(company: QuickBooksCompany, *, id: str, into: str) -> Json:  # noqa: A002
    """Merge a duplicate customer into another: its transactions move, and it becomes inactive.

    Source: Intuit, "Merge duplicate customers in QuickBooks Online".
    """
    gone, kept = company.find("Customer", id), company.find("Customer", into)
    if gone.body["CurrencyRef"] != kept.body["CurrencyRef"]:
        raise refusals.business("Customers of two currencies cannot be merged.")
    for kind in sorted(TXN_KINDS):
        for record in list(company.tables[kind].having("customerref", id)):
            company.change(kind, record, {**record.body, "CustomerRef": kept.ref})
    name = f"{gone.body['DisplayName']} (deleted)"
    return edit(company, kind="Customer", id=id, changes={"DisplayName": name, "Active": False})


def start_project(company: QuickBooksCompany, *, customer: str, name: str) -> Json:
    """Start a project of a customer: a sub-customer that only people can make one (R4)."""
    body = {"DisplayName": name, "Job": True, "ParentRef": {"value": customer}}
    made = writing.create(company, "Customer", body, by_hand=True)
    record = company.find("Customer", made["Id"])
    company.change("Customer", record, {**record.body, "IsProject": True})
    return company.shown("Customer", record)


def inactivate(company: QuickBooksCompany, *, kind: str = "Customer", id: str) -> Json:  # noqa: A002
    """Make a list record inactive. A customer's open invoices are credited first, as in R5."""
    if kind == "Customer":
        for invoice in company.tables["Invoice"].having("customerref", id):
            if invoice.body["Balance"] > 0:
                _write_off(company, invoice.id)
    return edit(company, kind=kind, id=id, changes={"Active": False})


def close_books(company: QuickBooksCompany, *, until: str | None) -> Json:
    """Close the books up to and with a day; None opens them."""
    company.book_close_date = None if until is None else date.fromisoformat(until)
    company.touch_preferences()
    return {"BookCloseDate": until}


def change_preference(company: QuickBooksCompany, *, name: str, value: Any) -> Json:
    """Change one of `PREFERENCES`."""
    if name not in PREFERENCES or not isinstance(value, PREFERENCES[name]):
        raise refusals.unsupported_property(name)
    setattr(company, name, value)
    company.touch_preferences()
    return {name: value}


def deposit_payment(company: QuickBooksCompany, *, id: str) -> Json:  # noqa: A002
    """Put a payment into a bank deposit; from now on it cannot be changed (6540)."""
    record = company.find("Payment", id)
    company.change("Payment", record, dict(record.body))
    record.deposited = True
    return company.shown("Payment", record)


def withdraw_payment(company: QuickBooksCompany, *, id: str) -> Json:  # noqa: A002
    """Take a payment out of its deposit again."""
    company.find("Payment", id).deposited = False
    return company.shown("Payment", company.find("Payment", id))


DEEDS: dict[str, Callable[..., Json]] = {
    deed.__name__: deed
    for deed in (
        create,
        edit,
        void,
        delete,
        receive_payment,
        create_invoice,
        copy_invoice,
        credit,
        refund,
        rename_customer,
        merge_customers,
        start_project,
        inactivate,
        close_books,
        change_preference,
        deposit_payment,
        withdraw_payment,
    )
}


def play(company: QuickBooksCompany, wanted: Json) -> Json:
    """Do what one line of JSON says.

    Raises:
        Refused: the books refuse it.
        ValueError: no such deed, or not its arguments.
    """
    arguments = {name: value for name, value in wanted.items() if name not in {"deed", "realm"}}
    deed = DEEDS.get(str(wanted.get("deed")))
    if deed is None:
        raise ValueError(f"no deed {wanted.get('deed')!r}; there are {sorted(DEEDS)}")
    try:
        inspect.signature(deed).bind(company, **arguments)
    except TypeError as error:
        raise ValueError(f"{wanted['deed']}: {error}") from error
    return deed(company, **arguments)


def _now(company: QuickBooksCompany, kind: str, one: str) -> Json:
    return {"Id": one, "SyncToken": str(company.find(kind, one).token)}


def _buyer(company: QuickBooksCompany, customer: str) -> Json:
    record = company.find("Customer", customer)
    return {"CustomerRef": record.ref, "CurrencyRef": record.body["CurrencyRef"]}


def _sell(
    company: QuickBooksCompany, kind: str, customer: str, lines: list[Json], more: Json
) -> Json:
    body: Json = {
        **_buyer(company, customer),
        "Line": [_line(line) for line in lines],
        "TxnDate": more.get("day"),
        "PrivateNote": more.get("note"),
    }
    if not company.is_us():
        body["GlobalTaxCalculation"] = "TaxExcluded"
    if more.get("account"):
        body["DepositToAccountRef"] = {"value": more["account"]}
    if more.get("po"):
        number = company.custom_fields.index(company.po_field) + 1
        body["CustomField"] = [{"DefinitionId": str(number), "StringValue": more["po"]}]
    return writing.create(company, kind, body, by_hand=True)


def _line(line: Json) -> Json:
    detail: Json = {"ItemRef": {"value": str(line["item"])}}
    if line.get("tax_code"):
        detail["TaxCodeRef"] = {"value": str(line["tax_code"])}
    return {
        "Amount": _amount(line["amount"]),
        "Description": line.get("description"),
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": detail,
    }


def _write_off(company: QuickBooksCompany, invoice: str) -> None:
    body = company.find("Invoice", invoice).body
    sold = next(line for line in body["Line"] if line["DetailType"] == "SalesItemLineDetail")
    line = {"item": sold["SalesItemLineDetail"]["ItemRef"]["value"], "amount": body["Balance"]}
    if company.is_us():
        line["tax_code"] = "NON"
        credit(company, customer=body["CustomerRef"]["value"], lines=[line], apply_to=invoice)
        return
    memo = writing.create(
        company,
        "CreditMemo",
        {
            **_buyer(company, body["CustomerRef"]["value"]),
            "GlobalTaxCalculation": "NotApplicable",
            "Line": [_line(line)],
        },
        by_hand=True,
    )
    record = company.find("CreditMemo", memo["Id"])
    writing.apply_credit(company, record, company.find("Invoice", invoice))


def _amount(given: Any) -> Decimal | None:
    return values.number({"amount": given}, "amount")
