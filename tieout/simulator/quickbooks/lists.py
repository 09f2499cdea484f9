"""Rules of items and of the smaller lists: terms, classes, accounts, methods, currencies."""

from tieout.simulator.quickbooks import refusals, values
from tieout.simulator.quickbooks.company import QuickBooksCompany
from tieout.simulator.quickbooks.records import Record
from tieout.simulator.quickbooks.refusals import Json

MAX_NAME = 100
MAX_DESCRIPTION = 4000

_ITEM_TYPES = frozenset({"Service", "NonInventory", "Inventory", "Category"})
_STOCK_NEEDS = ("QtyOnHand", "InvStartDate", "AssetAccountRef", "ExpenseAccountRef")
_PARENTS = {"Class": "SubClass", "Department": "SubDepartment", "Account": "SubAccount"}


def shape_item(company: QuickBooksCompany, kind: str, body: Json, old: Record | None) -> Json:
    """Check an item and return what is kept of it (R2, R20).

    Raises:
        Refused: 6240 the name is taken, 2020 no income account, 2050, 2500, 610, 6000.
    """
    shaped = _named(company, kind, body, old)
    item_type = values.word(body, "Type", _ITEM_TYPES, "Service")
    shaped["Type"] = item_type
    for name, limit in (("Sku", MAX_NAME), ("Description", MAX_DESCRIPTION)):
        if (found := values.text(body, name, limit)) is not None:
            shaped[name] = found
    shaped["Taxable"] = values.flag(body, "Taxable", default=company.is_us())
    if item_type == "Category":
        return shaped
    shaped["UnitPrice"] = values.price(body, "UnitPrice") or values.ZERO
    income = company.refer("Account", values.reference(body, "IncomeAccountRef"))
    if income is None:
        raise refusals.missing("IncomeAccountRef")
    shaped["IncomeAccountRef"] = income
    _check_home_currency(company, income["value"])
    if item_type == "Inventory":
        _add_stock(company, shaped, body)
    return shaped


def shape_small(company: QuickBooksCompany, kind: str, body: Json, old: Record | None) -> Json:
    """Check a term, class, department, payment method or account.

    Raises:
        Refused: 6240 the name is taken, 2020 no name, 2050, 2090.
    """
    shaped = _named(company, kind, body, old)
    if kind == "Term":
        shaped["Type"] = "STANDARD"
        shaped["DueDays"] = int(values.number(body, "DueDays") or 0)
    for name in ("Description", "AccountType", "AccountSubType", "Classification", "AcctNum"):
        if kind == "Account" and (found := values.text(body, name, MAX_NAME)) is not None:
            shaped[name] = found
    if kind == "Account":
        code = values.reference(body, "CurrencyRef") or company.home_currency
        if not company.knows_currency(code):
            raise refusals.bad_reference("CompanyCurrency", code)
        shaped["CurrencyRef"] = company.currency(code)
    if kind == "PaymentMethod":
        kinds = frozenset({"CREDIT_CARD", "NON_CREDIT_CARD"})
        shaped["Type"] = values.word(body, "Type", kinds, "NON_CREDIT_CARD")
    return shaped


def shape_currency(company: QuickBooksCompany, kind: str, body: Json, old: Record | None) -> Json:
    """Check a company currency: a code that is not there yet (R16).

    Raises:
        Refused: 6000 the company has one currency, 2020, 6240.
    """
    if not company.multicurrency:
        raise refusals.business("Multi Currency should be enabled to perform this operation.")
    code = values.text(body, "Code", 3)
    if code is None:
        raise refusals.missing("Code")
    for other in company.tables[kind].rows.values():
        if other.body["Code"] == code and (old is None or other.id != old.id):
            raise refusals.duplicate_name(f"Id={other.id}")
    active = values.flag(body, "Active", default=True)
    return {"Code": code, "Name": str(company.currency(code)["name"]), "Active": active}


def shape_nothing(_company: QuickBooksCompany, kind: str, _body: Json, _old: Record | None) -> Json:
    """Refuse to write what the API can only read.

    Raises:
        Refused: 500.
    """
    raise refusals.unsupported(f"create or update of {kind}")


def _named(company: QuickBooksCompany, kind: str, body: Json, old: Record | None) -> Json:
    name = (values.text(body, "Name", MAX_NAME) or "").strip()
    if not name:
        raise refusals.missing("Name")
    if ":" in name or '"' in name:
        raise refusals.business("A name cannot have a colon (:) or a quotation mark in it.")
    shaped: Json = {"Name": name, "Active": values.flag(body, "Active", default=True)}
    if kind in {"Item", *_PARENTS}:
        shaped["FullyQualifiedName"] = name
        shaped[_PARENTS.get(kind, "SubItem")] = False
    if (parent := values.reference(body, "ParentRef")) is not None:
        shaped["ParentRef"] = company.refer(kind, parent)
        above = company.find(kind, parent).body["FullyQualifiedName"]
        shaped["FullyQualifiedName"] = f"{above}:{name}"
        shaped[_PARENTS.get(kind, "SubItem")] = True
    field = "fullyqualifiedname" if "FullyQualifiedName" in shaped else "name"
    full = shaped.get("FullyQualifiedName", name).casefold()
    for other in company.tables[kind].having(field, full):
        if old is None or other.id != old.id:
            raise refusals.duplicate_name(f"Id={other.id}")
    return shaped


def _check_home_currency(company: QuickBooksCompany, account: str) -> None:
    """Income accounts stay in the home currency (R16)."""
    currency = company.find("Account", account).body["CurrencyRef"]["value"]
    if currency != company.home_currency:
        raise refusals.business("An income account must be in the home currency.")


def _add_stock(company: QuickBooksCompany, shaped: Json, body: Json) -> None:
    for name in _STOCK_NEEDS:
        if body.get(name) is None:
            raise refusals.missing(name)
    shaped["TrackQtyOnHand"] = True
    shaped["QtyOnHand"] = values.price(body, "QtyOnHand")
    shaped["InvStartDate"] = values.day(body, "InvStartDate")
    for name in ("AssetAccountRef", "ExpenseAccountRef"):
        shaped[name] = company.refer("Account", values.reference(body, name))
