"""How QuickBooks Online says no: every refusal with its code, words and HTTP status.

Codes and words follow R30, the vendor's list of frequent errors
(developer.intuit.com/app/developer/qbo/docs/develop/troubleshooting/handling-common-errors) and
bodies that developers showed in public issue threads.
"""

from typing import Any

Json = dict[str, Any]

BUSINESS = "A business validation error has occurred while processing your request"
UNEXPECTED = (
    "An unexpected error occurred while accessing or saving your data. Please wait a few minutes "
    "and try again. If the problem persists, contact customer support."
)
INACTIVE = (
    "Object Not Found : Something you're trying to use has been made inactive. "
    "Check the fields with accounts, customers, items, vendors or employees."
)
DELETED = "Object Not Found : Another user has deleted this transaction."


class Refused(Exception):
    """The books' refusal of one request or of one item of a batch."""

    def __init__(
        self,
        code: str,
        message: str,
        detail: str,
        *,
        element: str = "",
        status: int = 400,
        fault: str = "ValidationFault",
    ) -> None:
        super().__init__(f"{code} {message}: {detail}")
        self.code = code
        self.message = message
        self.detail = detail
        self.element = element
        self.status = status
        self.fault = fault

    def body(self) -> Json:
        """Return the `Fault` as it stands in an answer."""
        error = {
            "Message": self.message,
            "Detail": self.detail,
            "code": self.code,
            "element": self.element,
        }
        return {"Fault": {"Error": [error], "type": self.fault}}


def business(detail: str) -> Refused:
    """Return 6000, the code for whatever breaks a business rule."""
    return Refused("6000", BUSINESS, f"Business Validation Error: {detail}")


def stale(who: str = "root") -> Refused:
    """Return 5010: the SyncToken is not the current one (R12)."""
    return Refused(
        "5010",
        "Stale Object Error",
        f"Stale Object Error : You and {who} were working on this at the same time. "
        f"{who} finished before you did, so your work was not saved.",
    )


def duplicate_name(other: str) -> Refused:
    """Return 6240: the name belongs to another record (R1)."""
    return Refused(
        "6240", "Duplicate Name Exists Error", f"The name supplied already exists. : {other}"
    )


def duplicate_number(number: str, kind: str, other: str) -> Refused:
    """Return 6140: the document number is taken (R6)."""
    return Refused(
        "6140",
        "Duplicate Document Number Error",
        "Duplicate Document Number Error : You must specify a different number. This number has "
        f"already been used. DocNumber={number} is assigned to TxnType={kind} with TxnId={other}",
    )


def period_closed(code: str) -> Refused:
    """Return 6210 (or 6200, where sources disagree): the date lies in closed books."""
    return Refused(
        code,
        "Account Period Closed, Cannot Update Through Services API",
        "The account period has closed and the account books cannot be updated through the QBO "
        "Services API. Please use the QBO website to make these changes.",
    )


def missing(name: str) -> Refused:
    """Return 2020: a required property is not there."""
    return Refused(
        "2020",
        "Required param missing, need to supply the required value for the API",
        f"Required parameter {name} is missing in the request",
        element=name,
    )


def unsupported_property(name: str) -> Refused:
    """Return 2010: a property that the object does not have."""
    return Refused(
        "2010",
        "Request has invalid or unsupported property",
        f"Property Name:{name} specified is unsupported or invalid",
        element=name,
    )


def invalid_number(name: str, value: object) -> Refused:
    """Return 2090: not a number, out of range or too fine."""
    return Refused("2090", "Invalid Number", f"Invalid Number : {name}={value}", element=name)


def invalid_date(name: str, value: object) -> Refused:
    """Return 2180: not a calendar day."""
    return Refused("2180", "Invalid date", f"Invalid date : {name}={value}", element=name)


def invalid_enum(value: object) -> Refused:
    """Return 2170: not one of the words that the vendor knows."""
    return Refused("2170", "Invalid Enumeration", f"Invalid Enumeration : {value}")


def too_long(name: str, limit: int, found: int) -> Refused:
    """Return 2050: longer than the field (R2)."""
    return Refused(
        "2050",
        "Invalid String. The string is too long",
        "String length is either shorter or longer than supported by specification. "
        f"{name}: Min:0 Max:{limit} Supplied:{found}",
        element=name,
    )


def invalid_email(name: str) -> Refused:
    """Return 2210: an address without @ and . (R3)."""
    return Refused(
        "2210",
        "Invalid Email Address format",
        "Email Address does not conform to the syntax rules of RFC 822.",
        element=name,
    )


def bad_reference(kind: str, value: object) -> Refused:
    """Return 2500: no such record to refer to."""
    element = "Names" if kind in {"Customer", "Vendor", "Employee"} else kind
    return Refused(
        "2500",
        "Invalid Reference Id",
        f"Invalid Reference Id : {element} element id {value} not found",
    )


def not_found(detail: str = INACTIVE) -> Refused:
    """Return 610: gone or inactive; the detail tells which."""
    return Refused("610", "Object Not Found", detail)


def cannot_link(txn_id: object) -> Refused:
    """Return 620: the transaction can take no payment."""
    return Refused(
        "620",
        "Transaction ID sent in the request can't be linked",
        f"The transaction {txn_id} you are trying to link to cannot be linked to this transaction",
    )


def amount_differs(amount: object) -> Refused:
    """Return 6070: Amount is not Qty times UnitPrice (R8)."""
    return Refused(
        "6070",
        "Amount calculation incorrect in the request",
        f"Amount is not equal to UnitPrice * Qty. Supplied value:{amount}",
    )


def deposited() -> Refused:
    """Return 6540: the payment is in a deposit (R17)."""
    return Refused(
        "6540",
        "Deposited Transaction cannot be changed",
        "This transaction has been deposited. If you want to change or delete it, you must edit "
        "the deposit it appears on and remove it first.",
    )


def lapsed() -> Refused:
    """Return 6190: nothing can be added any more (R30)."""
    return Refused(
        "6190",
        "Subscription period has ended or canceled or there was a billing problem",
        "You can't add data to QuickBooks Online because the trial or subscription period ended.",
    )


def no_access() -> Refused:
    """Return 120: the user who connected the company may not see it any more (R30)."""
    return Refused(
        "120",
        "Authorization Failure",
        "The user has no access to this company.",
        status=403,
        fault="AuthorizationFault",
    )


def unparsable(detail: str) -> Refused:
    """Return 4000: not a query (R10)."""
    return Refused("4000", "Error parsing query", f"QueryParserError: {detail}")


def invalid_query(detail: str) -> Refused:
    """Return 4001: a query that may not be asked (R48)."""
    return Refused("4001", "Invalid query", f"QueryValidationError: {detail}")


def unsupported(operation: str) -> Refused:
    """Return 500: the object knows no such operation."""
    return Refused(
        "500", "Unsupported Operation", f"Operation {operation} is not supported.", element=""
    )


def lower_case_fault(code: str, message: str, detail: str, kind: str, time_millis: int) -> Json:
    """Return the gateway's spelling, which is not the spelling of the books behind it."""
    error = {"message": message, "detail": detail, "code": code, "element": None}
    return {
        "warnings": None,
        "intuitObject": None,
        "fault": {"error": [error], "type": kind},
        "report": None,
        "queryResponse": None,
        "batchItemResponse": [],
        "attachableResponse": [],
        "syncErrorResponse": None,
        "requestId": None,
        "time": time_millis,
        "status": None,
        "cdcresponse": [],
    }
