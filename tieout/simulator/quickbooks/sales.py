"""Rules of invoices, credit memos and refund receipts: who, when, in what, numbered how.

Lines and discounts are in `lines`, taxes in `tax`, what payments take in `payments`.
"""

from datetime import date, timedelta
from decimal import Decimal

from tieout.simulator.quickbooks import refusals, tax, values
from tieout.simulator.quickbooks.company import QuickBooksCompany
from tieout.simulator.quickbooks.lines import Lines, read_lines, voided_line
from tieout.simulator.quickbooks.records import Record
from tieout.simulator.quickbooks.refusals import Json
from tieout.simulator.quickbooks.values import ZERO, rounded

MAX_DOC_NUMBER = 21
MAX_PRIVATE_NOTE = 4000
MAX_CUSTOMER_MEMO = 1000
MAX_CUSTOM_TEXT = 31
AUTO_NUMBER = "AUTO_GENERATE"
VOIDED = "Voided"

_EMAIL_STATUS = frozenset({"NotSet", "NeedToSend", "EmailSent"})
_PRINT_STATUS = frozenset({"NotSet", "NeedToPrint", "PrintComplete"})
_AS_GIVEN = (
    "ShipDate",
    "ShipMethodRef",
    "TrackingNum",
    "ShipFromAddr",
    "AllowIPNPayment",
    "AllowOnlinePayment",
    "AllowOnlineCreditCardPayment",
    "AllowOnlineACHPayment",
    "InvoiceRef",
    "PaymentRefNum",
)


def shape(company: QuickBooksCompany, kind: str, body: Json, old: Record | None) -> Json:
    """Check a sales document and return what is kept of it, all amounts computed (R6-R9, R13-R16).

    Raises:
        Refused: with the code of the first rule that is broken.
    """
    customer = values.reference(body, "CustomerRef")
    if customer is None:
        raise refusals.missing("CustomerRef")
    customer_ref = company.refer("Customer", customer)
    buyer = company.find("Customer", customer).body
    _check_buyer_kept(company, kind, customer, old)
    day = values.day(body, "TxnDate") or company.today()
    company.check_open(day, *([old.body["TxnDate"]] if old else []))
    currency = currency_of(company, body, buyer)
    if old is None and body.get("LinkedTxn") and kind == "Invoice":
        raise refusals.Refused(
            "2017",
            "Linked transaction not supported",
            "A payment cannot be applied from inside the invoice: make a Payment.",
        )
    calculation = tax.calculation_of(company, body)
    lines = read_lines(company, body, calculation, currency)
    shaped: Json = {
        "TxnDate": day,
        "CustomerRef": customer_ref,
        "CurrencyRef": company.currency(currency),
        "Line": lines.shown,
        "CustomField": _custom_fields(company, body),
        "LinkedTxn": old.body["LinkedTxn"] if old else [],
        "ApplyTaxAfterDiscount": lines.tax_after_discount,
        "PrintStatus": values.word(body, "PrintStatus", _PRINT_STATUS, "NeedToPrint"),
        "EmailStatus": values.word(body, "EmailStatus", _EMAIL_STATUS, "NotSet"),
    }
    if calculation is not None:
        shaped["GlobalTaxCalculation"] = calculation
    _add_texts(shaped, body, buyer)
    _add_references(company, kind, shaped, body, buyer)
    if kind == "Invoice":
        shaped["DueDate"] = _due_date(company, shaped, body)
    _add_totals(company, kind, shaped, body, lines, old)
    number = _number(company, kind, body, old)
    if number is not None:
        shaped["DocNumber"] = number
    return shaped


def currency_of(company: QuickBooksCompany, body: Json, buyer: Json) -> str:
    """Return the currency of a transaction, which is its customer's (R16).

    Raises:
        Refused: 2020 missing though the company has many, 6000 not the customer's.
    """
    code = values.reference(body, "CurrencyRef")
    owners: str = buyer["CurrencyRef"]["value"]
    if not company.multicurrency:
        if code not in (None, company.home_currency):
            raise refusals.business("Multi Currency should be enabled to perform this operation.")
        return company.home_currency
    if code is None:
        raise refusals.missing("CurrencyRef")
    if code != owners:
        raise refusals.business(
            "You can only use one foreign currency per transaction. "
            f"The customer's currency is {owners}."
        )
    return code


def rate_of(company: QuickBooksCompany, body: Json, currency: str, day: str) -> Decimal:
    """Return the exchange rate: as given, or the company's own of that day; 1 at home.

    Raises:
        Refused: 2090 not a positive number.
    """
    if currency == company.home_currency:
        return Decimal(1)
    given = values.number(body, "ExchangeRate")
    if given is not None and given <= 0:
        raise refusals.invalid_number("ExchangeRate", given)
    return company.rate(currency, day) if given is None else given


def voided(company: QuickBooksCompany, body: Json) -> Json:
    """Return an invoice as it is after a void: in the books, and worth nothing (R11)."""
    gone = {
        **body,
        "Line": [voided_line(line) for line in body["Line"]],
        "TxnTaxDetail": {"TotalTax": ZERO},
        "TotalAmt": ZERO,
        "Balance": ZERO,
        "PrivateNote": voided_note(body.get("PrivateNote")),
    }
    if company.multicurrency:
        gone["HomeTotalAmt"] = ZERO
        gone["HomeBalance"] = ZERO
    return gone


def voided_note(note: str | None) -> str:
    """Return a private note with "Voided" before it (R11)."""
    return f"{VOIDED} - {note}"[:MAX_PRIVATE_NOTE] if note else VOIDED


def _check_buyer_kept(
    company: QuickBooksCompany, kind: str, customer: str, old: Record | None
) -> None:
    if (
        old is not None
        and old.body["CustomerRef"]["value"] != customer
        and company.applied.get((kind, old.id))
    ):
        raise refusals.business("The customer cannot be changed while payments are applied.")


def _add_texts(shaped: Json, body: Json, buyer: Json) -> None:
    note = values.text(body, "PrivateNote", MAX_PRIVATE_NOTE)
    if note is not None:
        shaped["PrivateNote"] = note
    memo = values.text(values.nested(body, "CustomerMemo"), "value", MAX_CUSTOMER_MEMO)
    if memo is not None:
        shaped["CustomerMemo"] = {"value": memo}
    for name in ("BillEmail", "BillEmailCc", "BillEmailBcc"):
        if (address := values.email(body, name)) is not None:
            shaped[name] = address
    if shaped["EmailStatus"] == "NeedToSend" and "BillEmail" not in shaped:
        raise refusals.missing("BillEmail")
    for name in ("BillAddr", "ShipAddr"):
        place = values.nested(body, name) or buyer.get(name)
        if place:
            shaped[name] = place
    for name in _AS_GIVEN:
        if body.get(name) is not None:
            shaped[name] = body[name]


def _add_references(
    company: QuickBooksCompany, kind: str, shaped: Json, body: Json, buyer: Json
) -> None:
    if kind == "Invoice":
        term = values.reference(body, "SalesTermRef") or values.reference(buyer, "SalesTermRef")
        if term is not None:
            shaped["SalesTermRef"] = company.refer("Term", term)
    for name, other in (("ClassRef", "Class"), ("DepartmentRef", "Department")):
        if (found := company.refer(other, values.reference(body, name))) is not None:
            shaped[name] = found
    _add_project(company, shaped, body)
    if kind == "Invoice":
        return
    method = company.refer("PaymentMethod", values.reference(body, "PaymentMethodRef"))
    if method is not None:
        shaped["PaymentMethodRef"] = method
    if kind == "RefundReceipt":
        account = company.refer("Account", values.reference(body, "DepositToAccountRef"))
        if account is None:
            raise refusals.missing("DepositToAccountRef")
        shaped["DepositToAccountRef"] = account


def _add_project(company: QuickBooksCompany, shaped: Json, body: Json) -> None:
    project = values.reference(body, "ProjectRef")
    if project is None:
        return
    shaped["ProjectRef"] = company.refer("Customer", project)
    if not company.find("Customer", project).body["IsProject"]:
        raise refusals.business("ProjectRef does not name a project.")


def _due_date(company: QuickBooksCompany, shaped: Json, body: Json) -> str:
    given = values.day(body, "DueDate")
    if given is not None:
        return given
    term = shaped.get("SalesTermRef")
    days = company.find("Term", term["value"]).body["DueDays"] if term else 0
    return (date.fromisoformat(shaped["TxnDate"]) + timedelta(days=days)).isoformat()


def _add_totals(
    company: QuickBooksCompany,
    kind: str,
    shaped: Json,
    body: Json,
    lines: Lines,
    old: Record | None,
) -> None:
    currency = shaped["CurrencyRef"]["value"]
    calculation = shaped.get("GlobalTaxCalculation")
    place = {**body, "ShipAddr": shaped.get("ShipAddr"), "BillAddr": shaped.get("BillAddr")}
    shaped["TxnTaxDetail"] = tax.detail_of(company, place, calculation, currency, lines.taxed)
    total = lines.net + shaped["TxnTaxDetail"]["TotalTax"]
    if total < 0:
        raise refusals.business("Transaction amount must be 0 or greater.")
    if total > values.LARGEST_AMOUNT:
        raise refusals.invalid_number("TotalAmt", total)
    shaped["TotalAmt"] = total
    left = total - (company.taken_from(kind, old.id) if old else ZERO)
    shaped["Balance"] = ZERO if kind == "RefundReceipt" else left
    if kind == "CreditMemo":
        if left < 0:
            raise refusals.business("More of this credit was used than its new total.")
        shaped["RemainingCredit"] = left
    if company.multicurrency:
        rate = rate_of(company, body, currency, shaped["TxnDate"])
        shaped["ExchangeRate"] = rate
        shaped["HomeTotalAmt"] = rounded(total * rate, company.home_currency)
        if kind != "RefundReceipt":
            shaped["HomeBalance"] = rounded(left * rate, company.home_currency)


def _number(company: QuickBooksCompany, kind: str, body: Json, old: Record | None) -> str | None:
    """Number the document by the company's setting (R6)."""
    given = values.text(body, "DocNumber", MAX_DOC_NUMBER)
    if given == AUTO_NUMBER or (given is None and not company.custom_txn_numbers):
        if old is not None and given is None and "DocNumber" in old.body:
            return str(old.body["DocNumber"])
        company.next_number += 1
        return str(company.next_number - 1)
    if given is not None and company.custom_txn_numbers:
        for other in company.tables[kind].having("docnumber", given.casefold()):
            if old is None or other.id != old.id:
                raise refusals.duplicate_number(given, kind, other.id)
    return given


def _custom_fields(company: QuickBooksCompany, body: Json) -> list[Json]:
    given: dict[str, str] = {}
    for one in values.listed(body, "CustomField"):
        definition = str(one.get("DefinitionId"))
        if not definition.isdigit() or not 1 <= int(definition) <= len(company.custom_fields):
            raise refusals.unsupported_property("CustomField.DefinitionId")
        found = values.text(one, "StringValue", MAX_CUSTOM_TEXT)
        if found is not None:
            given[definition] = found
    shown: list[Json] = []
    for number, name in enumerate(company.custom_fields, start=1):
        one = {"DefinitionId": str(number), "Name": name, "Type": "StringType"}
        if str(number) in given:
            one["StringValue"] = given[str(number)]
        shown.append(one)
    return shown
