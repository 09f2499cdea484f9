"""What a sales team and its administrator do, and what makes middleware wrong about it.

Each deed is a function here and a name for `POST /__deeds`:
`{"deed": "edit_line", "line": "…", "values": {"quantity": "3"}}`. A deed moves the same versions
and sums as a write through the API, but no condition, privilege or closed state stands in its way.
Amounts may be texts; a lookup is an id, or `table/id` where it leads to several tables.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from tieout.simulator.dynamics365 import actions, merging, money
from tieout.simulator.dynamics365.org import DynamicsOrg, Grant
from tieout.simulator.dynamics365.records import Record
from tieout.simulator.dynamics365.schema import LOOKUPS, Target
from tieout.simulator.dynamics365.truth import lines_of
from tieout.simulator.dynamics365.values import taken

P = ParamSpec("P")
Deed = Callable[Concatenate[DynamicsOrg, P], Any]
DEEDS: dict[str, Deed[...]] = {}
_UNCOPIED = frozenset({"statecode", "statuscode", "actualvalue", "actualclosedate"})


def play(org: DynamicsOrg, told: Mapping[str, Any]) -> Any:
    """Do one deed by its name; returns what it made: an id, or nothing.

    Raises:
        KeyError: there is no such deed.
        TypeError: the deed needs other words.
        Refusal: the organization does not take it.
    """
    words = dict(told)
    return DEEDS[words.pop("deed")](org, **words)


def values_of(org: DynamicsOrg, table: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a deed's values as they are kept; null takes a value away.

    Raises:
        KeyError: the table has no such column.
        Refusal: 400, a value is not of its column's type.
    """
    held = org.tables[table]
    values: dict[str, Any] = {}
    for name, value in given.items():
        column = held.columns[name]
        if column.type in LOOKUPS and isinstance(value, str):
            kind, slash, record_id = value.partition("/")
            values[name] = Target(kind, record_id) if slash else Target(column.targets[0], value)
        elif column.type in {"Money", "Decimal"} and isinstance(value, str):
            values[name] = taken(held, column, Decimal(value))
        elif isinstance(value, Target):
            values[name] = value
        else:
            values[name] = taken(held, column, value)
    return values


def _deed(function: Deed[P]) -> Deed[P]:
    @wraps(function)
    def locked(org: DynamicsOrg, /, *args: P.args, **kwargs: P.kwargs) -> Any:
        with org.lock:
            return function(org, *args, **kwargs)

    DEEDS[locked.__name__] = locked
    return locked


@_deed
def create(org: DynamicsOrg, table: str, values: Mapping[str, Any]) -> str:
    """Make a record of any table; returns its id."""
    return org.create(table, values_of(org, table, values)).id


@_deed
def edit(org: DynamicsOrg, table: str, id: str, values: Mapping[str, Any]) -> None:  # noqa: A002 - the wire's word
    """Change a record of any table."""
    org.update(table, org.record(table, id), values_of(org, table, values))


@_deed
def delete(org: DynamicsOrg, table: str, id: str) -> None:  # noqa: A002 - the wire's word
    """Delete a record; its lines and notes go with it."""
    org.delete(table, org.record(table, id))


@_deed
def edit_opportunity(org: DynamicsOrg, opportunity: str, values: Mapping[str, Any]) -> None:
    """Change an opportunity's amount, dates, customer, purchase order number, ..."""
    edit(org, "opportunity", opportunity, values)


@_deed
def edit_line(org: DynamicsOrg, line: str, values: Mapping[str, Any]) -> None:
    """Change a line; its opportunity's version moves only if a sum does."""
    edit(org, "opportunityproduct", line, values)


@_deed
def add_line(org: DynamicsOrg, opportunity: str, values: Mapping[str, Any]) -> str:
    """Add a line, a write-in product unless told; returns its id."""
    parent = org.record("opportunity", opportunity)
    given = {
        "isproductoverridden": "productid" not in values,
        "quantity": "1",
        "lineitemnumber": len(lines_of(org, parent)) + 1,
        **values,
        "opportunityid": opportunity,
    }
    return org.create("opportunityproduct", values_of(org, "opportunityproduct", given)).id


@_deed
def remove_line(org: DynamicsOrg, line: str) -> None:
    """Remove a line."""
    delete(org, "opportunityproduct", line)


@_deed
def edit_account(org: DynamicsOrg, account: str, values: Mapping[str, Any]) -> None:
    """Rename an account, move it, give it other terms; its opportunities' versions stay."""
    edit(org, "account", account, values)


@_deed
def win(org: DynamicsOrg, opportunity: str, on: str = "", revenue: str | None = None) -> None:
    """Close an opportunity as won, today unless told."""
    amount = None if revenue is None else Decimal(revenue)
    actions.close(org, org.record("opportunity", opportunity), 3, on=on, revenue=amount)


@_deed
def lose(org: DynamicsOrg, opportunity: str) -> None:
    """Close an opportunity as lost."""
    actions.close(org, org.record("opportunity", opportunity), 4)


@_deed
def reopen(org: DynamicsOrg, opportunity: str) -> None:
    """Open a closed opportunity again: its actual revenue and day are empty then."""
    record = org.record("opportunity", opportunity)
    org.update("opportunity", record, {"statecode": 0, "statuscode": 1})
    for line in lines_of(org, record):
        line.values["opportunitystatecode"] = 0


@_deed
def clone(org: DynamicsOrg, opportunity: str) -> str:
    """Copy an opportunity with its lines; it is open, and keys stay behind. Returns the new id."""
    source = org.record("opportunity", opportunity)
    made = org.create("opportunity", {**_copied(org, "opportunity", source), "statuscode": 1})
    for line in lines_of(org, source):
        copied = _copied(org, "opportunityproduct", line)
        org.create("opportunityproduct", {**copied, "opportunityid": _at("opportunity", made.id)})
    return made.id


@_deed
def merge(org: DynamicsOrg, table: str, target: str, subordinate: str) -> None:
    """Merge two accounts or two contacts: the subordinate becomes inactive (R49)."""
    merging.merge_records(org, _at(table, target), _at(table, subordinate))


@_deed
def add_note(
    org: DynamicsOrg,
    table: str,
    id: str,  # noqa: A002 - the wire's word
    filename: str,
    mimetype: str,
    documentbody: str | None,
    size_bytes: int | None = None,
) -> str:
    """Attach a file, its content in base64, to a record; returns the note's id.

    `size_bytes` stands for bytes that are not there.
    """
    values = {"filename": filename, "mimetype": mimetype, "documentbody": documentbody}
    given = {"subject": filename, "objectid": _at(table, id)}
    note = org.create("annotation", {**values, **given})
    if size_bytes is not None:
        note.values["filesize"] = size_bytes
    return note.id


@_deed
def replace_note_file(org: DynamicsOrg, note: str, documentbody: str) -> None:
    """Put other content, in base64, into a note."""
    org.update("annotation", org.record("annotation", note), {"documentbody": documentbody})


@_deed
def add_invoice(org: DynamicsOrg, opportunity: str, number: str) -> str:
    """Let the CRM itself make an invoice of an opportunity and its lines; returns its id."""
    deal = org.record("opportunity", opportunity)
    kept = ("name", "customerid", "pricelevelid", "transactioncurrencyid", "freightamount")
    values = {name: deal.values[name] for name in kept if name in deal.values}
    made = org.create(
        "invoice",
        {
            **values,
            "invoicenumber": number,
            "opportunityid": _at("opportunity", opportunity),
            "statecode": 0,
            "statuscode": 1,
        },
    )
    columns = org.tables["invoicedetail"].columns
    for line in lines_of(org, deal):
        copied = _copied(org, "opportunityproduct", line)
        detail = {name: value for name, value in copied.items() if name in columns}
        org.create("invoicedetail", {**detail, "invoiceid": _at("invoice", made.id)})
    return made.id


@_deed
def add_currency(org: DynamicsOrg, code: str, rate: str) -> str:
    """Let the organization deal in a further currency; returns its id."""
    return money.add_currency(org, code, rate).id


@_deed
def change_rate(org: DynamicsOrg, code: str, rate: str) -> None:
    """Change a currency's rate; records keep the rate that they were last written with."""
    org.update("transactioncurrency", org.currency(code), {"exchangerate": Decimal(rate)})


@_deed
def label_option(org: DynamicsOrg, table: str, column: str, value: int, label: str) -> None:
    """Give an option another label, or none; adds the option if there is none of that value."""
    org.tables[table].columns[column].options[value] = label


@_deed
def remove_option(org: DynamicsOrg, table: str, column: str, value: int) -> None:
    """Remove an option; records that hold its value keep it, without a label."""
    del org.tables[table].columns[column].options[value]


@_deed
def remove_column(org: DynamicsOrg, table: str, column: str) -> None:
    """Remove a custom column with all its values."""
    for name in (column, f"{column}_base"):
        if name == column or name in org.tables[table].columns:
            org.undefine(table, name)


@_deed
def track(org: DynamicsOrg, table: str, *, on: bool = True) -> None:
    """Say whether change tracking is enabled for a table."""
    org.tables[table].tracked = on


@_deed
def expire_deltas(org: DynamicsOrg) -> None:
    """Let every delta link that was given so far be too old."""
    org.delta_floor = org.next_version()


@_deed
def plug_in(org: DynamicsOrg, table: str, message: str | None = None) -> None:
    """Let a plug-in refuse every write of a table in its own words, or no more."""
    if message is None:
        org.plug_in_says.pop(table, None)
    else:
        org.plug_in_says[table] = message


@_deed
def detect_duplicates(org: DynamicsOrg, table: str, columns: list[str]) -> None:
    """Publish a duplicate detection rule: rows with equal values in these columns."""
    org.duplicate_rules.append((table, tuple(columns)))


@_deed
def grant_token(
    org: DynamicsOrg,
    token: str,
    privileges: list[str] | None = None,
    expires_at: str | None = None,
    *,
    member: bool = True,
    secured: bool = True,
) -> None:
    """Make a token, with some privileges or all, for ever or until an instant in ISO 8601."""
    org.grants[token] = Grant(
        None if privileges is None else frozenset(privileges),
        None if expires_at is None else datetime.fromisoformat(expires_at),
        member=member,
        secured=secured,
    )


@_deed
def set_access(
    org: DynamicsOrg,
    privileges: list[str] | None = None,
    *,
    member: bool = True,
    secured: bool = True,
) -> None:
    """Say what tokens of the token endpoint are allowed from now on."""
    held = None if privileges is None else frozenset(privileges)
    org.access = Grant(held, member=member, secured=secured)


@_deed
def revoke_tokens(org: DynamicsOrg) -> None:
    """Take every token out of force at once; the app may sign in again."""
    for name in org.grants:
        org.grants[name] = Grant(revoked=True)


@_deed
def rotate_secret(org: DynamicsOrg, secret: str) -> None:
    """Give the app another client secret; the former opens nothing."""
    org.client_secret = secret


def _copied(org: DynamicsOrg, table: str, source: Record) -> dict[str, Any]:
    held = org.tables[table]
    keyed = {name for key in held.keys.values() for name in key.columns}
    return {
        name: value
        for name, value in source.values.items()
        if held.columns[name].writable and name not in keyed and name not in _UNCOPIED
    }


def _at(table: str, record_id: str) -> Target:
    return Target(table, record_id.lower())
