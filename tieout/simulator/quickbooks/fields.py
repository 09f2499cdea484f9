"""Which fields each object has, which may be written, and which a query may ask about (R48)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tieout.simulator.quickbooks import refusals
from tieout.simulator.quickbooks.records import Record
from tieout.simulator.quickbooks.refusals import Json


def names(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


_EVERYWHERE = frozenset({"Id", "SyncToken", "MetaData", "domain", "sparse", "status"})

_NAME = names(
    "Title GivenName MiddleName FamilyName Suffix FullyQualifiedName CompanyName DisplayName "
    "PrintOnCheckName Active V4IDPseudonym PrimaryPhone AlternatePhone Mobile Fax "
    "PrimaryEmailAddr WebAddr BillAddr ShipAddr Notes CurrencyRef Balance PrimaryTaxIdentifier "
    "AcctNum"
)
_SALES = names(
    "CustomField DocNumber TxnDate DepartmentRef CurrencyRef ExchangeRate PrivateNote LinkedTxn "
    "Line TxnTaxDetail CustomerRef CustomerMemo BillAddr ShipAddr ShipFromAddr ClassRef "
    "GlobalTaxCalculation TotalAmt HomeTotalAmt ApplyTaxAfterDiscount PrintStatus EmailStatus "
    "BillEmail BillEmailCc BillEmailBcc Balance HomeBalance ProjectRef FreeFormAddress"
)
_NAMED = frozenset({"Name", "Active", "FullyQualifiedName", "ParentRef"})

WRITABLE: dict[str, frozenset[str]] = {
    "Customer": _NAME
    | names(
        "Taxable DefaultTaxCodeRef Job BillWithParent ParentRef Level SalesTermRef "
        "PaymentMethodRef BalanceWithJobs PreferredDeliveryMethod ResaleNum IsProject "
        "ClientEntityId"
    ),
    "Vendor": _NAME | frozenset({"TermRef", "Vendor1099", "TaxIdentifier"}),
    "Employee": _NAME | frozenset({"PrimaryAddr", "EmployeeNumber", "BillableTime"}),
    "Item": _NAMED
    | names(
        "Sku Description SubItem Level Taxable SalesTaxIncluded UnitPrice Type IncomeAccountRef "
        "PurchaseDesc PurchaseCost ExpenseAccountRef AssetAccountRef TrackQtyOnHand QtyOnHand "
        "InvStartDate SalesTaxCodeRef ClassRef"
    ),
    "Term": _NAMED | frozenset({"Type", "DueDays", "DiscountPercent", "DiscountDays"}),
    "Class": _NAMED | {"SubClass"},
    "Department": _NAMED | {"SubDepartment"},
    "PaymentMethod": _NAMED | {"Type"},
    "Account": _NAMED
    | names(
        "SubAccount Description Classification AccountType AccountSubType AcctNum CurrencyRef "
        "CurrentBalance CurrentBalanceWithSubAccounts"
    ),
    "CompanyCurrency": frozenset({"Code", "Name", "Active"}),
    "TaxCode": _NAMED
    | frozenset({"Description", "Taxable", "TaxGroup", "SalesTaxRateList", "PurchaseTaxRateList"}),
    "TaxRate": _NAMED | frozenset({"Description", "RateValue", "AgencyRef"}),
    "Invoice": _SALES
    | names(
        "SalesTermRef DueDate ShipDate ShipMethodRef TrackingNum Deposit AllowIPNPayment "
        "AllowOnlinePayment AllowOnlineCreditCardPayment AllowOnlineACHPayment InvoiceLink "
        "DeliveryInfo"
    ),
    "CreditMemo": _SALES | frozenset({"RemainingCredit", "PaymentMethodRef", "InvoiceRef"}),
    "RefundReceipt": _SALES
    | frozenset({"DepositToAccountRef", "PaymentMethodRef", "PaymentRefNum"}),
    "Payment": names(
        "TxnDate CurrencyRef ExchangeRate PrivateNote LinkedTxn Line CustomerRef "
        "DepositToAccountRef PaymentMethodRef PaymentRefNum TotalAmt UnappliedAmt "
        "ARAccountRef ProcessPayment ProjectRef"
    ),
    "Attachable": names(
        "FileName ContentType Size Note Category Tag Lat Long PlaceName AttachableRef "
        "FileAccessUri TempDownloadUri ThumbnailFileAccessUri ThumbnailTempDownloadUri"
    ),
}
"""What a body may name. Read-only fields may be named too: they are read over, as the books do."""

LINE = names(
    "Id LineNum Description Amount LinkedTxn DetailType SalesItemLineDetail DiscountLineDetail "
    "SubTotalLineDetail DescriptionLineDetail LineEx"
)
SALES_DETAIL = names(
    "ItemRef ClassRef UnitPrice Qty ItemAccountRef TaxCodeRef TaxClassificationRef ServiceDate "
    "TaxInclusiveAmt DiscountRate DiscountAmt"
)


_REFERENCE = names("value name type")
_ADDRESS = names(
    "Id Line1 Line2 Line3 Line4 Line5 City Country CountryCode County CountrySubDivisionCode "
    "PostalCode PostalCodeSuffix Lat Long Tag Note"
)
_PHONE = names(
    "Id DeviceType CountryCode AreaCode ExchangeCode Extension FreeFormNumber Default Tag"
)
_EMAIL = names("Id Address Default Tag")
_NESTED: dict[str, frozenset[str]] = {
    **dict.fromkeys(("BillAddr", "ShipAddr", "ShipFromAddr", "PrimaryAddr"), _ADDRESS),
    **dict.fromkeys(("PrimaryPhone", "AlternatePhone", "Mobile", "Fax"), _PHONE),
    **dict.fromkeys(("PrimaryEmailAddr", "BillEmail", "BillEmailCc", "BillEmailBcc"), _EMAIL),
    "AttachableRef": names("EntityRef LineInfo IncludeOnSend NoRefOnly CustomField"),
    "CustomerMemo": frozenset({"value"}),
    "CustomField": names("DefinitionId Name Type StringValue BooleanValue DateValue NumberValue"),
    "TxnTaxDetail": names(
        "DefaultTaxCodeRef TxnTaxCodeRef TotalTax TaxReviewStatus TaxLine UseAutomatedSalesTax"
    ),
    "LinkedTxn": names("TxnId TxnType TxnLineId"),
    "DiscountLineDetail": names(
        "DiscountRef PercentBased DiscountPercent DiscountAccountRef ServiceDate ClassRef "
        "TaxCodeRef"
    ),
}
"""What an object within an object may name."""
_TEXTS = names("Id SyncToken value name Line1 Line2 City Country PostalCode TxnId TxnType bId")
"""Fields whose values are texts wherever they stand; a number in one is refused."""


def check_names(kind: str, body: Json) -> None:
    """Refuse a body that names what the object does not have, at any depth (2010)."""
    known = WRITABLE[kind]
    for name in body:
        if name not in known and name not in _EVERYWHERE:
            raise refusals.unsupported_property(name)
    check_nested(body)


def check_nested(body: Json) -> None:
    """Refuse what an object within the body does not have, and a number where a text stands."""
    for name, value in body.items():
        if name in _TEXTS and value is not None and not isinstance(value, str):
            raise refusals.unsupported_property(name)
        known = _NESTED.get(name) or (_REFERENCE if name.endswith("Ref") else None)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                if known is not None:
                    check_line_names(one, known)
                check_nested(one)
            elif known is not None and one is not None:
                raise refusals.unsupported_property(name)


def check_line_names(line: Json, known: frozenset[str]) -> None:
    """Refuse a line that names what a line does not have (2010)."""
    for name in line:
        if name not in known:
            raise refusals.unsupported_property(name)


@dataclass(frozen=True, slots=True)
class Field:
    """A field that a query may ask about."""

    name: str
    type: str
    """text, number, day, instant, flag, id or reference."""
    value_of: Callable[[Record], Any]


def _text(name: str) -> Field:
    return Field(name, "text", lambda record: (record.body.get(name) or "").casefold())


def _number(name: str) -> Field:
    return Field(name, "number", lambda record: record.body.get(name))


def _day(name: str) -> Field:
    return Field(name, "day", lambda record: record.body.get(name))


def _flag(name: str) -> Field:
    return Field(name, "flag", lambda record: record.body.get(name, True))


def _reference(name: str) -> Field:
    return Field(name, "reference", lambda record: (record.body.get(name) or {}).get("value"))


def id_order(one: str) -> tuple[int, str]:
    """Return what ids are sorted by: as numbers, where they are."""
    return (int(one) if one.isdigit() else 0, one)


_ID = Field("Id", "id", lambda record: id_order(record.id))
_CREATED = Field("MetaData.CreateTime", "instant", lambda record: record.created)
_UPDATED = Field("MetaData.LastUpdatedTime", "instant", lambda record: record.updated)
_STAMPS = (_ID, _CREATED, _UPDATED)
_TXN = (*_STAMPS, _day("TxnDate"), _reference("CustomerRef"), _number("TotalAmt"))
_PERSON = (
    *_STAMPS,
    _flag("Active"),
    *map(
        _text,
        ("DisplayName", "GivenName", "MiddleName", "FamilyName", "CompanyName"),
    ),
    _text("PrintOnCheckName"),
)
_LIST = (*_STAMPS, _flag("Active"), _text("Name"))
_TREE = (*_LIST, _text("FullyQualifiedName"))


def _by_name(*fields: Field) -> dict[str, Field]:
    return {found.name.lower(): found for found in fields}


QUERYABLE: dict[str, dict[str, Field]] = {
    "Invoice": _by_name(*_TXN, _text("DocNumber"), _day("DueDate"), _number("Balance")),
    "CreditMemo": _by_name(*_TXN, _text("DocNumber"), _number("Balance")),
    "RefundReceipt": _by_name(*_TXN, _text("DocNumber")),
    "Payment": _by_name(*_TXN, _text("PaymentRefNum")),
    "Customer": _by_name(*_PERSON, _text("FullyQualifiedName")),
    "Vendor": _by_name(*_PERSON),
    "Employee": _by_name(*_PERSON),
    "Item": _by_name(*_TREE, _text("Type")),
    "Term": _by_name(*_LIST),
    "Class": _by_name(*_TREE),
    "Department": _by_name(*_TREE),
    "PaymentMethod": _by_name(*_LIST, _text("Type")),
    "Account": _by_name(
        *_TREE, _text("AccountType"), _text("AccountSubType"), _text("Classification")
    ),
    "TaxCode": _by_name(*_LIST),
    "TaxRate": _by_name(*_LIST),
    "Preferences": _by_name(_ID),
    "CompanyInfo": _by_name(_ID),
    "ExchangeRate": _by_name(_text("SourceCurrencyCode"), _day("AsOfDate")),
    "Attachable": _by_name(*_STAMPS, _text("FileName"), _text("ContentType"), _number("Size")),
    "CompanyCurrency": _by_name(*_STAMPS, _flag("Active"), _text("Code"), _text("Name")),
}
"""Fields by lower-case name; everything else is refused with 4001 (R48)."""

_INDEXED = ("docnumber", "customerref", "totalamt", "displayname", "name", "fullyqualifiedname")


def indexed(kind: str) -> dict[str, Callable[[Record], Any]]:
    """Return the fields of a kind by which records are found without reading all."""
    known = QUERYABLE[kind]
    return {name: known[name].value_of for name in _INDEXED if name in known}
