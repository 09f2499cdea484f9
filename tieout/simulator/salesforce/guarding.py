"""What stands between a write and its record: locks, unique values, rules of the administrator.

Source: SOAP API Developer Guide, StatusCode; the words are those that the vendor's answers are
quoted with in public issue threads.
"""

from tieout.simulator.salesforce.errors import RowError
from tieout.simulator.salesforce.kinds import Kind
from tieout.simulator.salesforce.org import SalesforceOrg
from tieout.simulator.salesforce.soql import matches
from tieout.simulator.salesforce.tables import Values


def check_locks(
    org: SalesforceOrg, kind: Kind, values: Values, *, administrator: bool = False
) -> None:
    """Refuse a write to a record that another transaction or an approval holds.

    Raises:
        RowError: UNABLE_TO_LOCK_ROW or ENTITY_IS_LOCKED.
    """
    _check_row_lock(org, values["Id"])
    if kind.name == "OpportunityLineItem":
        check_parent_lock(org, values)
    if values["Id"] in org.approvals and not administrator:
        raise RowError(
            "ENTITY_IS_LOCKED", "This record is locked. If you need to edit it, contact your admin."
        )


def check_parent_lock(org: SalesforceOrg, line: Values) -> None:
    """Refuse a write to a line whose opportunity another transaction holds.

    Raises:
        RowError: UNABLE_TO_LOCK_ROW.
    """
    _check_row_lock(org, line["OpportunityId"])


def check(org: SalesforceOrg, kind: Kind, values: Values, *, allow_duplicates: bool) -> None:
    """Refuse values that are taken, that look like another record's, or that a rule forbids.

    Raises:
        RowError: DUPLICATE_VALUE, DUPLICATES_DETECTED or the code of a rule.
    """
    for field in kind.fields.values():
        if field.unique and values.get(field.name) is not None:
            holder = org.tables[kind.name].holder(field.name, values[field.name])
            if holder is not None and holder["Id"] != values["Id"]:
                raise RowError(
                    "DUPLICATE_VALUE",
                    f"duplicate value found: {field.name} duplicates value on record with id: "
                    f"{holder['Id']}",
                )
    for rule in org.checks:
        if rule.kind == kind.name and matches(org, kind, values, rule.where):
            raise RowError(
                rule.code,
                rule.message,
                [rule.field] if rule.field else [],
            )
    if not allow_duplicates:
        _check_duplicates(org, kind, values)


def check_grant(org: SalesforceOrg, values: Values) -> None:
    """Refuse the permission of a field that is not there or needs none.

    Raises:
        RowError: FIELD_INTEGRITY_EXCEPTION or DUPLICATE_VALUE.
    """
    name, _, field = values["Field"].partition(".")
    kind = org.kinds.get(name)
    known = kind.fields.get(field) if kind else None
    if known is None or name != values["SobjectType"] or not known.nillable:
        raise RowError(
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            f"Field Name: bad value for restricted picklist field: {values['Field']}",
            ["Field"],
        )
    if values["PermissionsEdit"] and not values["PermissionsRead"]:
        raise RowError(
            "FIELD_INTEGRITY_EXCEPTION",
            "Permissions Edit requires Permissions Read",
            ["PermissionsRead"],
        )
    for one in org.tables["FieldPermissions"].having("ParentId", [values["ParentId"]]):
        if one["Field"] == values["Field"] and one["Id"] != values["Id"] and not one["IsDeleted"]:
            raise RowError(
                "DUPLICATE_VALUE",
                f"duplicate value found: <unknown> duplicates value on record with id: {one['Id']}",
            )


def check_assignment(org: SalesforceOrg, values: Values) -> None:
    """Refuse to assign a permission set twice.

    Raises:
        RowError: DUPLICATE_VALUE.
    """
    table = org.tables["PermissionSetAssignment"]
    for one in table.having("PermissionSetId", [values["PermissionSetId"]]):
        same = one["AssigneeId"] == values["AssigneeId"]
        if same and one["Id"] != values["Id"] and not one["IsDeleted"]:
            raise RowError(
                "DUPLICATE_VALUE",
                f"duplicate value found: <unknown> duplicates value on record with id: {one['Id']}",
            )


def _check_row_lock(org: SalesforceOrg, record_id: str) -> None:
    until = org.row_locks.get(record_id)
    if until is None:
        return
    if until <= org.now():
        del org.row_locks[record_id]
        return
    raise RowError(
        "UNABLE_TO_LOCK_ROW",
        f"unable to obtain exclusive access to this record or 1 records: {record_id}",
    )


def _check_duplicates(org: SalesforceOrg, kind: Kind, values: Values) -> None:
    for rule in org.duplicates:
        if rule.kind != kind.name or values.get(rule.field) is None:
            continue
        told = str(values[rule.field]).casefold()
        for one in org.tables[kind.name].alive():
            if one["Id"] != values["Id"] and str(one.get(rule.field)).casefold() == told:
                raise RowError(
                    "DUPLICATES_DETECTED",
                    "You're creating a duplicate record. We recommend you use an existing record "
                    "instead.",
                    more={"duplicateResult": {"allowSave": True, "duplicateRule": rule.kind}},
                )
