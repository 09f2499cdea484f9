"""Rules of customers, vendors and employees, who share one space of names (R1-R5)."""

from tieout.simulator.quickbooks import refusals, values
from tieout.simulator.quickbooks.company import TAX_ID_COUNTRIES, QuickBooksCompany
from tieout.simulator.quickbooks.records import Record
from tieout.simulator.quickbooks.refusals import Json

KINDS = ("Customer", "Vendor", "Employee")

MAX_DISPLAY_NAME = 500
MAX_LEVELS_UNDER_TOP = 4
SHOWN_OF_TAX_ID = 5
"""A tax identifier is read back with all but its last five characters masked (R48)."""

_PARTS = {"Title": 16, "GivenName": 100, "MiddleName": 100, "FamilyName": 100, "Suffix": 16}
_TEXTS = {"CompanyName": 100, "PrintOnCheckName": 110, "Notes": 2000, "AcctNum": 100}
_PHONES = ("PrimaryPhone", "AlternatePhone", "Mobile", "Fax")
_AS_GIVEN = (
    "BillAddr",
    "ShipAddr",
    "PrimaryAddr",
    "WebAddr",
    "PreferredDeliveryMethod",
    "ResaleNum",
    "Vendor1099",
    "TaxIdentifier",
    "EmployeeNumber",
    "BillableTime",
    "BillWithParent",
)


def shape(company: QuickBooksCompany, kind: str, body: Json, old: Record | None) -> Json:
    """Check a customer, vendor or employee and return what is kept of it.

    Raises:
        Refused: 6240 the name is taken, 2050 too long, 6080 no name, 2210 e-mail, 2500 or 610 a
            reference, 6000 another rule.
    """
    name = _display_name(body, old)
    _check_unique(company, kind, name, old)
    shaped: Json = {"DisplayName": name, "Active": values.flag(body, "Active", default=True)}
    for part, limit in {**_PARTS, **_TEXTS}.items():
        if (found := values.text(body, part, limit)) is not None:
            shaped[part] = found
    shaped.setdefault("PrintOnCheckName", name)
    for phone in _PHONES:
        free_form = values.text(values.nested(body, phone), "FreeFormNumber", 30)
        if free_form is not None:
            shaped[phone] = {"FreeFormNumber": free_form}
    if (address := values.email(body, "PrimaryEmailAddr")) is not None:
        shaped["PrimaryEmailAddr"] = address
    for given in _AS_GIVEN:
        if body.get(given) is not None:
            shaped[given] = body[given]
    if kind != "Employee":
        shaped["CurrencyRef"] = _currency(company, body, old)
    if kind == "Customer":
        _add_customer(company, shaped, body, old)
    return shaped


def key_of(name: str) -> str:
    """Return a name as the books compare it: case and outer spaces do not count."""
    return name.strip().casefold()


def _display_name(body: Json, old: Record | None) -> str:
    name = values.text(body, "DisplayName", MAX_DISPLAY_NAME)
    if name is None and old is not None and body.get("sparse"):
        return str(old.body["DisplayName"])  # a sparse update cannot take the name away (R1)
    if name is None:
        parts = [values.text(body, part, limit) for part, limit in _PARTS.items()]
        name = " ".join(part for part in parts if part)
    name = name.strip()
    if not name:
        raise refusals.Refused(
            "6080",
            "No Name Provided",
            "Title, GivenName, MiddleName, FamilyName, DisplayName, Suffix - one of these must be "
            "non-empty",
        )
    if any(bad in name for bad in ":\t\n"):
        raise refusals.business("A name cannot have a colon (:), a tab or a new line in it.")
    return name


def _check_unique(company: QuickBooksCompany, kind: str, name: str, old: Record | None) -> None:
    for other_kind in KINDS:
        for other in company.tables[other_kind].having("displayname", key_of(name)):
            if old is None or (other_kind, other.id) != (kind, old.id):
                raise refusals.duplicate_name(f"Id={other.id}")


def _currency(company: QuickBooksCompany, body: Json, old: Record | None) -> Json:
    code = values.reference(body, "CurrencyRef") or company.home_currency
    if old is not None and code != old.body["CurrencyRef"]["value"]:
        raise refusals.business("The currency of a customer or vendor cannot be changed.")
    if not company.multicurrency and code != company.home_currency:
        raise refusals.business("Multi Currency should be enabled to perform this operation.")
    if not company.knows_currency(code):
        raise refusals.bad_reference("CompanyCurrency", code)
    return company.currency(code)


def _add_customer(company: QuickBooksCompany, shaped: Json, body: Json, old: Record | None) -> None:
    for name, kind in (
        ("SalesTermRef", "Term"),
        ("PaymentMethodRef", "PaymentMethod"),
        ("DefaultTaxCodeRef", "TaxCode"),
    ):
        if (found := company.refer(kind, values.reference(body, name))) is not None:
            shaped[name] = found
    shaped["Taxable"] = values.flag(body, "Taxable", default=company.is_us())
    shaped["Job"] = values.flag(body, "Job", default=False)
    shaped["IsProject"] = bool(old and old.body.get("IsProject"))  # read-only (R4)
    shaped["FullyQualifiedName"] = shaped["DisplayName"]
    if (parent := values.reference(body, "ParentRef")) is not None:
        _add_parent(company, shaped, parent, old)
    elif shaped["Job"]:
        raise refusals.missing("ParentRef")
    if company.country in TAX_ID_COUNTRIES:
        identifier = values.text(body, "PrimaryTaxIdentifier", 30)
        if identifier is not None:
            shaped["PrimaryTaxIdentifier"] = _masked(identifier)


def _add_parent(company: QuickBooksCompany, shaped: Json, parent: str, old: Record | None) -> None:
    shaped["ParentRef"] = company.refer("Customer", parent)
    above = company.find("Customer", parent)
    level = above.body.get("Level", 0) + 1
    if level > MAX_LEVELS_UNDER_TOP or (old is not None and old.id == parent):
        raise refusals.business("A sub-customer can be at most four levels under the top.")
    shaped["Level"] = level
    shaped["FullyQualifiedName"] = f"{above.body['FullyQualifiedName']}:{shaped['DisplayName']}"


def _masked(identifier: str) -> str:
    shown = identifier[-SHOWN_OF_TAX_ID:]
    return "X" * (len(identifier) - len(shown)) + shown
