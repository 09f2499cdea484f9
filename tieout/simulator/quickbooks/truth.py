"""What is really in the books, told without the API's rules: for tests and for a tie-out."""

from collections.abc import Iterable

from tieout.simulator.quickbooks.company import QuickBooksCompany
from tieout.simulator.quickbooks.records import FILE_KIND, Record
from tieout.simulator.quickbooks.refusals import Json
from tieout.simulator.quickbooks.values import ZERO


def truth_of(company: QuickBooksCompany) -> Json:
    """Return all documents, payments, people, items and tax codes, deleted documents included.

    `duplicates` lists, by purchase order number, live invoices of which there is more than one.
    Amounts are in the document's currency; `net` is the total less the tax.
    """
    invoices = list(_documents(company, "Invoice"))
    return {
        "realm_id": company.realm_id,
        "name": company.name,
        "home_currency": company.home_currency,
        "time": company.stamp(company.present()),
        "invoices": invoices,
        "credit_memos": list(_documents(company, "CreditMemo")),
        "refund_receipts": list(_documents(company, "RefundReceipt")),
        "payments": list(_payments(company)),
        "customers": list(_customers(company)),
        "items": list(_items(company)),
        "tax_codes": list(_tax_codes(company)),
        "attachments": list(_attachments(company)),
        "duplicates": _duplicates(invoices),
    }


def _documents(company: QuickBooksCompany, kind: str) -> Iterable[Json]:
    for record, deleted in _all(company, kind):
        body = record.body
        tax = body["TxnTaxDetail"]["TotalTax"]
        yield {
            "id": record.id,
            "doc_number": body.get("DocNumber"),
            "customer": body["CustomerRef"]["value"],
            "customer_name": body["CustomerRef"]["name"],
            "currency": body["CurrencyRef"]["value"],
            "date": body["TxnDate"],
            "due_date": body.get("DueDate"),
            "net": body["TotalAmt"] - tax,
            "tax": tax,
            "total": body["TotalAmt"],
            "balance": body["Balance"],
            "voided": record.voided,
            "deleted": deleted,
            "by_hand": record.by_hand,
            "po_number": _po_number(company, body),
            "lines": [
                {"description": line.get("Description"), "amount": line["Amount"]}
                for line in body["Line"]
                if line.get("DetailType") == "SalesItemLineDetail"
            ],
            "private_note": body.get("PrivateNote"),
            "sync_token": str(record.token),
            "created": company.stamp(record.created),
            "updated": company.stamp(record.updated),
        }


def _payments(company: QuickBooksCompany) -> Iterable[Json]:
    for record, deleted in _all(company, "Payment"):
        body = record.body
        yield {
            "id": record.id,
            "customer": body["CustomerRef"]["value"],
            "currency": body["CurrencyRef"]["value"],
            "date": body["TxnDate"],
            "total": body["TotalAmt"],
            "unapplied": body["UnappliedAmt"],
            "reference": body.get("PaymentRefNum"),
            "private_note": body.get("PrivateNote"),
            "allocations": [
                {
                    "kind": line["LinkedTxn"][0]["TxnType"],
                    "id": line["LinkedTxn"][0]["TxnId"],
                    "amount": line["Amount"],
                }
                for line in body["Line"]
            ],
            "voided": record.voided,
            "deleted": deleted,
            "deposited": record.deposited,
            "by_hand": record.by_hand,
            "created": company.stamp(record.created),
            "updated": company.stamp(record.updated),
        }


def _customers(company: QuickBooksCompany) -> Iterable[Json]:
    for record in company.tables["Customer"].rows.values():
        yield {
            "id": record.id,
            "name": record.body["DisplayName"],
            "currency": record.body["CurrencyRef"]["value"],
            "email": record.body.get("PrimaryEmailAddr", {}).get("Address"),
            "active": record.body["Active"],
            "balance": company.owed.get(record.id, ZERO),
        }


def _items(company: QuickBooksCompany) -> Iterable[Json]:
    for record in company.tables["Item"].rows.values():
        yield {
            "id": record.id,
            "name": record.body["Name"],
            "sku": record.body.get("Sku"),
            "active": record.body["Active"],
        }


def _tax_codes(company: QuickBooksCompany) -> Iterable[Json]:
    for record in company.tables["TaxCode"].rows.values():
        yield {"id": record.id, "name": record.body["Name"]}


def _attachments(company: QuickBooksCompany) -> Iterable[Json]:
    for record, deleted in _all(company, FILE_KIND):
        body = record.body
        yield {
            "id": record.id,
            "name": body.get("FileName"),
            "media_type": body.get("ContentType"),
            "size": body.get("Size"),
            "sha256": company.contents.get(record.id),
            "on": [
                [one["EntityRef"]["type"], one["EntityRef"]["value"]]
                for one in body["AttachableRef"]
            ],
            "note": body.get("Note"),
            "deleted": deleted,
        }


def _all(company: QuickBooksCompany, kind: str) -> Iterable[tuple[Record, bool]]:
    table = company.tables[kind]
    for record in table.rows.values():
        yield record, False
    for gone in table.gone.values():
        yield gone.record, True


def _po_number(company: QuickBooksCompany, body: Json) -> str | None:
    for one in body["CustomField"]:
        if one["Name"] == company.po_field and "StringValue" in one:
            return str(one["StringValue"])
    return None


def _duplicates(invoices: Iterable[Json]) -> dict[str, list[str]]:
    by_number: dict[str, list[str]] = {}
    for one in invoices:
        if one["po_number"] and not one["voided"] and not one["deleted"]:
            by_number.setdefault(one["po_number"], []).append(one["id"])
    return {number: ids for number, ids in by_number.items() if len(ids) > 1}
