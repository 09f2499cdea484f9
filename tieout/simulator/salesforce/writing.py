"""Writing one record: who may, with which values, and what follows of itself.

Every way in ends here: single records, collections, composites, and people's deeds. Sources: REST
API Developer Guide, "sObject Rows" and "sObject Collections"; R35 to R37, R49.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tieout.simulator.salesforce import files, guarding, selling
from tieout.simulator.salesforce.errors import RowError
from tieout.simulator.salesforce.fields import Field, taken
from tieout.simulator.salesforce.ids import long_id
from tieout.simulator.salesforce.kinds import Kind
from tieout.simulator.salesforce.org import SalesforceOrg
from tieout.simulator.salesforce.tables import Values


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes, and what the request's headers said of duplicates."""

    user: str
    allow_duplicates: bool = False
    setup: bool = False
    """The administrator's own hand, which no permission binds."""


def create(org: SalesforceOrg, who: Writer, kind: Kind, sent: Mapping[str, Any]) -> str:
    """Make a record; returns its id.

    Raises:
        RowError: it is not made.
    """
    with org.transaction():
        _demand_right(org, who, kind)
        changes = _changes(org, who, kind, sent, new=True)
        at = org.present()
        values: Values = {
            **_defaults(org, who, kind),
            **changes,
            "Id": org.tables[kind.name].take_id(),
            "IsDeleted": False,
            "CreatedDate": at,
            "CreatedById": who.user,
            "LastModifiedDate": at,
            "LastModifiedById": who.user,
            "SystemModstamp": at,
        }
        missing = [
            one.name
            for one in kind.fields.values()
            if not one.nillable
            and one.createable
            and values.get(one.name) is None
            and not (kind.name == "OpportunityLineItem" and one.name == "UnitPrice")
        ]
        if missing:
            raise RowError(
                "REQUIRED_FIELD_MISSING",
                f"Required fields are missing: [{', '.join(missing)}]",
                missing,
            )
        _settle(org, kind, values, changes, None)
        guarding.check(org, kind, values, allow_duplicates=who.allow_duplicates)
        org.put(kind.name, values)
        _follow(org, who, kind, values, None)
        return str(values["Id"])


def update(
    org: SalesforceOrg, who: Writer, kind: Kind, record_id: str, sent: Mapping[str, Any]
) -> None:
    """Change a record.

    Raises:
        RowError: it is not changed.
    """
    with org.transaction():
        former = the_record(org, kind, record_id)
        _demand_right(org, who, kind)
        guarding.check_locks(org, kind, former, administrator=who.user == org.admin_id)
        changes = _changes(org, who, kind, sent, new=False)
        at = org.present()
        values = {
            **former,
            **changes,
            "LastModifiedDate": at,
            "LastModifiedById": who.user,
            "SystemModstamp": at,
        }
        emptied = [
            name for name in changes if changes[name] is None and not kind.fields[name].nillable
        ]
        if emptied:
            raise RowError(
                "REQUIRED_FIELD_MISSING",
                f"Required fields are missing: [{', '.join(emptied)}]",
                emptied,
            )
        _settle(org, kind, values, changes, former)
        guarding.check(org, kind, values, allow_duplicates=who.allow_duplicates)
        org.put(kind.name, values)
        _follow(org, who, kind, values, former)


def delete(org: SalesforceOrg, who: Writer, kind: Kind, record_id: str) -> None:
    """Move a record to the recycle bin, with the lines and links that are parts of it.

    Raises:
        RowError: it is not there, locked, or cannot be deleted.
    """
    with org.transaction():
        former = the_record(org, kind, record_id)
        _demand_right(org, who, kind)
        if not kind.deletable:
            raise RowError(
                "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id"
            )
        guarding.check_locks(org, kind, former, administrator=who.user == org.admin_id)
        if kind.name == "Account":
            _keep_won(org, former)
        _bin_whole(org, who, kind.name, former)
        if kind.name == "OpportunityLineItem":
            selling.roll_up(org, former["OpportunityId"], who.user)


def undelete(org: SalesforceOrg, who: Writer, kind: Kind, record_id: str) -> None:
    """Bring a record back from the recycle bin, with its parts; merged ones stay.

    Raises:
        RowError: it is not in the bin.
    """
    full = long_id(record_id)
    found = org.tables[kind.name].records.get(full or "")
    if found is None or not found["IsDeleted"] or found.get("MasterRecordId"):
        raise RowError("UNDELETE_FAILED", "Entity is not in the recycle bin")
    with org.transaction():
        _restore_whole(org, who, kind.name, found, found["SystemModstamp"])
        if kind.name == "OpportunityLineItem":
            selling.roll_up(org, found["OpportunityId"], who.user)


def merge(org: SalesforceOrg, who: Writer, kind: Kind, master: str, loser: str) -> None:
    """Merge two accounts or contacts: the loser is deleted and names its master (R37, R49).

    Raises:
        RowError: the kind cannot be merged, or a record is not there.
    """
    if not kind.mergeable:
        raise RowError("INVALID_TYPE", f"{kind.name} cannot be merged")
    with org.transaction():
        kept, gone = (the_record(org, kind, one) for one in (master, loser))
        for other in org.kinds.values():
            for field in other.fields.values():
                if kind.name in field.refers_to and org.tables[other.name].indexes(field.name):
                    _repoint(org, who, other, field, gone["Id"], kept["Id"])
        _bin(org, who, kind.name, gone, {"MasterRecordId": kept["Id"]})
        at = org.present()
        org.put(kind.name, {**kept, "SystemModstamp": at, "LastModifiedDate": at})


def the_record(org: SalesforceOrg, kind: Kind, record_id: Any) -> Values:
    """Return a record that is not deleted.

    Raises:
        RowError: the id is malformed, of another kind, or of no record.
    """
    full = long_id(record_id) if isinstance(record_id, str) else None
    if full is None:
        raise RowError("MALFORMED_ID", f"malformed id {record_id}", ["Id"])
    found = org.tables[kind.name].records.get(full)
    if found is None:
        raise RowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
    if found.get("IsDeleted"):
        raise RowError("ENTITY_IS_DELETED", "entity is deleted")
    return found


PARTS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "Opportunity": (
        ("OpportunityLineItem", "OpportunityId"),
        ("OpportunityContactRole", "OpportunityId"),
    ),
    "Account": (("Opportunity", "AccountId"), ("Contact", "AccountId")),
    "ContentDocument": (
        ("ContentDocumentLink", "ContentDocumentId"),
        ("ContentVersion", "ContentDocumentId"),
    ),
    "PermissionSet": (
        ("FieldPermissions", "ParentId"),
        ("ObjectPermissions", "ParentId"),
        ("PermissionSetAssignment", "PermissionSetId"),
    ),
}
"""What is deleted with a record, and comes back with it."""


def _changes(
    org: SalesforceOrg, who: Writer, kind: Kind, sent: Mapping[str, Any], *, new: bool
) -> dict[str, Any]:
    """Return the values to store, each checked for what it is and who may write it."""
    seen, edited = org.sight(who.user, kind)
    changes: dict[str, Any] = {}
    closed: list[str] = []
    for name, value in sent.items():
        field = kind.by_name.get(name.lower())
        if field is None or field.name not in seen:
            raise RowError(
                "INVALID_FIELD", f"No such column '{name}' on sobject of type {kind.name}"
            )
        open_ = field.createable if new else field.updateable
        if not who.setup and not (open_ and field.name in edited):
            closed.append(field.name)
            continue
        changes[field.name] = taken(field, value)
    if closed:
        raise RowError(
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            f"Unable to create/update fields: {', '.join(closed)}. Please check the security "
            "settings of this field and verify that it is read/write for your profile or "
            "permission set.",
            closed,
        )
    for name, value in changes.items():
        _check_reference(org, kind, kind.fields[name], value)
    return changes


def _check_reference(org: SalesforceOrg, kind: Kind, field: Field, value: Any) -> None:
    if field.type != "reference" or value is None:
        return
    target = org.kind_of_id(value)
    if target is None or target.name not in field.refers_to:
        raise RowError(
            "FIELD_INTEGRITY_EXCEPTION",
            f"{field.label or field.name}: id value of incorrect type: {value}",
            [field.name],
        )
    found = org.tables[target.name].records.get(value)
    if found is None:
        raise RowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [field.name])
    if found.get("IsDeleted"):
        raise RowError("ENTITY_IS_DELETED", "entity is deleted", [field.name])
    if field.name == "OwnerId" and target.name == "Group" and not _may_queue(org, kind, found):
        raise RowError("INVALID_OPERATION", "Queue not associated with this SObject type")
    if field.name == "OwnerId" and target.name == "User" and not found["IsActive"]:
        raise RowError(
            "INACTIVE_OWNER_OR_USER",
            "operation performed with inactive user [" + value + "] as owner of record",
            [field.name],
        )


def _may_queue(org: SalesforceOrg, kind: Kind, group: Values) -> bool:
    """Tell whether a group is a queue, and of that kind (Object Reference, "QueueSobject")."""
    return group.get("Type") == "Queue" and any(
        one["QueueId"] == group["Id"] and one["SobjectType"] == kind.name
        for one in org.tables["QueueSobject"].alive()
    )


def _defaults(org: SalesforceOrg, who: Writer, kind: Kind) -> Values:
    values: Values = {
        one.name: one.default for one in kind.fields.values() if one.default is not None
    }
    if "OwnerId" in kind.fields:
        values["OwnerId"] = who.user
    if "CurrencyIsoCode" in kind.fields:
        user = org.tables["User"].records[who.user]
        values["CurrencyIsoCode"] = user.get("CurrencyIsoCode") or org.company_currency
    return values


def _settle(
    org: SalesforceOrg,
    kind: Kind,
    values: Values,
    changes: dict[str, Any],
    former: Values | None,
) -> None:
    match kind.name:
        case "Opportunity":
            selling.settle_opportunity(org, values, changes)
        case "OpportunityLineItem":
            selling.settle_line(org, values, changes, former)
        case "Contact" | "User":
            names = (values.get("FirstName"), values.get("LastName"))
            values["Name"] = " ".join(one for one in names if one)
        case "PricebookEntry":
            product = org.tables["Product2"].records[values["Product2Id"]]
            values |= {"Name": product["Name"], "ProductCode": product.get("ProductCode")}
        case "ContentVersion":
            files.settle_version(org, values, changes)
        case "DatedConversionRate":
            selling.settle_rate(org, values)
        case "PermissionSetAssignment":
            guarding.check_assignment(org, values)
        case "FieldPermissions":
            guarding.check_grant(org, values)


def _follow(
    org: SalesforceOrg, who: Writer, kind: Kind, values: Values, former: Values | None
) -> None:
    if kind.name == "OpportunityLineItem":
        guarding.check_parent_lock(org, values)
        selling.roll_up(org, values["OpportunityId"], who.user)
    elif kind.name == "ContentVersion" and former is None:
        files.publish(org, values)


def _demand_right(org: SalesforceOrg, who: Writer, kind: Kind) -> None:
    """Leave the set-up to those who may customize the application, and others to who may write."""
    forbidden = kind.setup and who.user not in org.customizers
    if forbidden or not org.may(who.user, kind, write=True):
        raise RowError("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")


def _keep_won(org: SalesforceOrg, account: Values) -> None:
    """Refuse to delete an account that has bought."""
    deals = org.tables["Opportunity"].having("AccountId", [account["Id"]])
    if any(one["IsWon"] and not one["IsDeleted"] for one in deals):
        raise RowError(
            "DELETE_FAILED",
            f"Your attempt to delete {account['Name']} could not be completed because some "
            "opportunities in this account were closed won",
        )


def _bin_whole(org: SalesforceOrg, who: Writer, kind: str, values: Values) -> None:
    _bin(org, who, kind, values, {})
    for child, field in PARTS.get(kind, ()):
        for part in list(org.tables[child].having(field, [values["Id"]])):
            if not part["IsDeleted"]:
                _bin_whole(org, who, child, part)


def _restore_whole(org: SalesforceOrg, who: Writer, kind: str, values: Values, binned: str) -> None:
    """Bring a record back with the parts that were deleted at the same instant."""
    _restore(org, who, kind, values)
    for child, field in PARTS.get(kind, ()):
        for part in list(org.tables[child].having(field, [values["Id"]])):
            if part["IsDeleted"] and part["SystemModstamp"] == binned:
                _restore_whole(org, who, child, part, binned)


def _bin(
    org: SalesforceOrg, who: Writer, kind: str, values: Values, more: Mapping[str, Any]
) -> None:
    at = org.present()
    told = {"IsDeleted": True, "SystemModstamp": at, "LastModifiedDate": at, **more}
    org.put(kind, {**values, **told, "LastModifiedById": who.user})
    org.bin[values["Id"]] = (kind, org.now())


def _restore(org: SalesforceOrg, who: Writer, kind: str, values: Values) -> None:
    at = org.present()
    told = {"IsDeleted": False, "SystemModstamp": at, "LastModifiedDate": at}
    org.bin.pop(values["Id"], None)
    org.put(kind, {**values, **told, "LastModifiedById": who.user})


def _repoint(org: SalesforceOrg, who: Writer, kind: Kind, field: Field, old: str, new: str) -> None:
    at = org.present()
    for one in list(org.tables[kind.name].having(field.name, [old])):
        moved = {field.name: new, "SystemModstamp": at, "LastModifiedDate": at}
        org.put(kind.name, {**one, **moved, "LastModifiedById": who.user})
