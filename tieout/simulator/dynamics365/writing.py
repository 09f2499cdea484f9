"""Writing rows: create, update, upsert, delete, each under its conditions.

Sources: learn.microsoft.com/power-apps/developer/data-platform/webapi/create-entity-web-api,
update-delete-entities-using-web-api, perform-conditional-operations-using-web-api,
manage-duplicate-detection-create-update.
"""

from collections.abc import Mapping
from typing import Any

from tieout.simulator.dynamics365.addressing import bound, found_at, record_at
from tieout.simulator.dynamics365.call import Call, Reply
from tieout.simulator.dynamics365.org import DynamicsOrg, refuse_plug_in
from tieout.simulator.dynamics365.reading import shown_one
from tieout.simulator.dynamics365.records import Record
from tieout.simulator.dynamics365.refusals import (
    Refusal,
    bad_payload,
    duplicate_found,
    exists_already,
    no_record,
    no_record_by_key,
    no_secured_column,
    version_moved,
)
from tieout.simulator.dynamics365.schema import LOOKUPS, Column, Table, Target
from tieout.simulator.dynamics365.tables import OPEN, WON
from tieout.simulator.dynamics365.values import GUID, taken

_BIND = "@odata.bind"


def create(call: Call, table: Table) -> Reply:
    """Answer `POST /{set}`: 204 with the new address, or 201 with the row."""
    call.demand("Create", table)
    values = checked(call, table, call.json(), "create")
    refuse_plug_in(call.org, table.name, bypassed=call.bypasses_plug_ins())
    _refuse_large_file(call.org, values)
    _refuse_in_closed(call, table, values)
    _refuse_duplicate(call, table, values, "")
    record = call.org.create(
        table.name, _with_defaults(call.org, table, values), record_id=_own_id(table, values)
    )
    return _made(call, table, record, created=True)


def update(call: Call, table: Table) -> Reply:
    """Answer `PATCH /{set}({id or key})`: an update, or a create where nothing is there.

    `If-Match: *` prevents the create, `If-None-Match: *` the update; another If-Match is the
    version that must be there.
    """
    record, key = found_at(call, table)
    if record is None:
        return _upsert(call, table, key)
    if call.headers.get("if-none-match", "").strip() == "*":
        raise exists_already()
    _check_version(call, record)
    call.demand("Write", table)
    changes = checked(call, table, call.json(), "update")
    refuse_plug_in(call.org, table.name, bypassed=call.bypasses_plug_ins())
    _refuse_large_file(call.org, changes)
    _refuse_closed(call, table, record, changes)
    _refuse_duplicate(call, table, {**record.values, **changes}, record.id)
    call.org.update(table.name, record, changes)
    return _made(call, table, record, created=False)


def _refuse_large_file(org: DynamicsOrg, values: Mapping[str, Any]) -> None:
    """Refuse a file whose base64 is longer than the organization allows.

    Source: page "Use file data with Attachment and Note records", "File size limits".
    """
    if len(values.get("documentbody") or "") > org.max_upload_chars:
        raise Refusal(400, "0x80044a02", "Attachment file size is too big.")


def delete(call: Call, table: Table) -> Reply:
    """Answer `DELETE /{set}({id or key})`: 204."""
    record = record_at(call, table)
    _check_version(call, record)
    call.demand("Delete", table)
    refuse_plug_in(call.org, table.name, bypassed=call.bypasses_plug_ins())
    _refuse_in_closed(call, table, record.values)
    call.org.delete(table.name, record)
    return Reply(status=204)


def checked(call: Call, table: Table, given: Mapping[str, Any], verb: str) -> dict[str, Any]:
    """Return a body's values as they are kept; what the server computes is left out.

    Raises:
        Refusal: 400 a name or a value is not the table's, 404 a lookup leads nowhere, 403 a column
            is secured.
    """
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name.endswith(_BIND):
            column, target = _bind(call, table, name.removesuffix(_BIND), value)
            if column.writable:
                values[column.name] = target
            continue
        if "@" in name:
            continue
        column_of = table.columns.get(name)
        if column_of is None or column_of.type in LOOKUPS:
            raise bad_payload(
                table.entity_set,
                f"Microsoft.Crm.CrmException: Invalid property '{name}' was found in entity "
                f"'Microsoft.Dynamics.CRM.{table.name}'.",
            )
        if column_of.secured and not call.grant.secured:
            raise no_secured_column(verb)
        kept = taken(table, column_of, value)
        if column_of.writable or name == table.id_column:
            values[name] = kept
    return values


def _bind(call: Call, table: Table, name: str, value: Any) -> tuple[Column, Target | None]:
    led = table.by_navigation(name)
    if led is None:
        raise bad_payload(
            table.entity_set,
            f"Microsoft.OData.ODataException: An undeclared property '{name}' which only has "
            "property annotations in the payload but no property value was found in the payload. "
            "In OData, only declared navigation properties and declared named streams can be "
            "represented as properties without values.",
        )
    column, wanted = led
    if value is None:
        return column, None
    if not isinstance(value, str):
        raise bad_payload(table.entity_set, f"{name}{_BIND} is no address.")
    target = bound(call, value)
    if target.table != wanted:
        raise bad_payload(
            table.entity_set,
            f"Microsoft.OData.ODataException: The navigation property '{name}' leads to "
            f"'{wanted}', not to '{target.table}'.",
        )
    return column, target


def _upsert(call: Call, table: Table, key: Mapping[str, Any]) -> Reply:
    inside = str(call.segments[0].inside)
    if "if-match" in call.headers:
        raise no_record_by_key(table.name) if key else no_record(table.name, inside.lower())
    call.demand("Create", table)
    values = checked(call, table, call.json(), "create")
    if repeated := sorted(key.keys() & values.keys()):
        raise bad_payload(
            table.entity_set,
            "Microsoft.Crm.CrmException: The key attributes must not be repeated in the body of "
            f"an upsert: {', '.join(repeated)}.",
        )
    refuse_plug_in(call.org, table.name, bypassed=call.bypasses_plug_ins())
    _refuse_large_file(call.org, values)
    complete = {**values, **key}
    _refuse_in_closed(call, table, complete)
    _refuse_duplicate(call, table, complete, "")
    record_id = inside.lower() if GUID.fullmatch(inside) else ""
    complete.pop(table.id_column, None)
    record = call.org.create(
        table.name, _with_defaults(call.org, table, complete), record_id=record_id
    )
    return _made(call, table, record, created=True)


def _made(call: Call, table: Table, record: Record, *, created: bool) -> Reply:
    address = f"{call.base}/{table.entity_set}({record.id})"
    headers = {"OData-EntityId": address}
    if created:
        headers["Location"] = address
    if call.preferences.get("return") != "representation":
        return Reply(status=204, headers=headers)
    reply = shown_one(call, table, record)
    reply.status = 201 if created else 200
    reply.headers |= {**headers, "Preference-Applied": "return=representation"}
    return reply


def _check_version(call: Call, record: Record) -> None:
    wanted = call.headers.get("if-match", "").strip()
    if wanted and wanted not in {"*", f'W/"{record.version}"'}:
        raise version_moved()


def _own_id(table: Table, values: dict[str, Any]) -> str:
    return str(values.pop(table.id_column, "") or "")


def _with_defaults(org: DynamicsOrg, table: Table, values: dict[str, Any]) -> dict[str, Any]:
    """Give a new record the state that it starts with, and its money the organization's own.

    The currency is that of its parent, or else the organization's base currency
    (learn.microsoft.com/power-apps/developer/data-platform/transaction-currency-currency-entity).
    """
    complete = dict(values)
    money = any(table.columns[name].type == "Money" for name in complete)
    if money and "transactioncurrencyid" in table.columns and not _has_currency(org, complete):
        base = org.currency(org.base_currency)
        complete["transactioncurrencyid"] = Target("transactioncurrency", base.id)
    for name in ("statecode", "statuscode"):
        column = table.columns.get(name)
        if column is not None:
            complete.setdefault(name, next(iter(column.options)))
    return complete


def _has_currency(org: DynamicsOrg, values: Mapping[str, Any]) -> bool:
    """Tell whether a record has a currency, or is a line of one that has."""
    if values.get("transactioncurrencyid") is not None:
        return True
    for column in ("opportunityid", "invoiceid"):
        parent = values.get(column)
        held = org.find(parent.table, parent.id) if isinstance(parent, Target) else None
        if held is not None and "transactioncurrencyid" in held.values:
            return True
    return False


def _refuse_closed(call: Call, table: Table, record: Record, changes: Mapping[str, Any]) -> None:
    """Refuse what closes an opportunity without its action, and writes to a closed one.

    Whether a closed opportunity refuses is in doubt: the organization's `closed_refuses` says it.
    """
    _refuse_in_closed(call, table, record.values)
    if table.name != "opportunity":
        return
    state = record.values.get("statecode", OPEN)
    wanted = changes.get("statecode", state)
    if wanted not in {state, OPEN}:
        action = "WinOpportunity" if wanted == WON else "LoseOpportunity"
        label = table.columns["statecode"].options[wanted]
        raise Refusal(
            400,
            "0x80040203",
            f"This message can not be used to set the state of opportunity to {label}. In order "
            f"to set state of opportunity to {label}, use the {action} message instead.",
        )
    if call.org.closed_refuses and OPEN not in {state, wanted}:
        raise Refusal(400, "0x80040515", "The opportunity is already closed.")


def _refuse_in_closed(call: Call, table: Table, values: Mapping[str, Any]) -> None:
    """Refuse to touch the lines of a closed opportunity (ParentReadOnly)."""
    parent = values.get("opportunityid") if table.name == "opportunityproduct" else None
    if not isinstance(parent, Target):
        return
    held = call.org.find(parent.table, parent.id)
    if held is not None and held.values.get("statecode", OPEN) != OPEN:
        raise Refusal(400, "0x80043b09", "The parent is read only and cannot be edited.")


def _refuse_duplicate(call: Call, table: Table, values: Mapping[str, Any], record_id: str) -> None:
    if call.headers.get("mscrm.suppressduplicatedetection", "true").lower() != "false":
        return
    for name, columns in call.org.duplicate_rules:
        if name != table.name or any(values.get(column) is None for column in columns):
            continue
        for other in call.org.shelves[name].records.values():
            if other.id != record_id and all(
                _same(other.values.get(column), values.get(column)) for column in columns
            ):
                raise duplicate_found()


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return one.casefold() == other.casefold()
    return bool(one == other)
