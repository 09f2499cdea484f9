"""What an administrator does, and what chance does, while middleware is at work."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from tieout.simulator.salesforce.admin import CheckRule, DuplicateRule
from tieout.simulator.salesforce.deed import deed
from tieout.simulator.salesforce.kinds import text
from tieout.simulator.salesforce.org import SalesforceOrg


@deed
def hide_field(org: SalesforceOrg, kind: str, field: str) -> None:
    """Take a field from the integration user's sight."""
    known = org.kinds[kind].fields[field]
    if not known.custom:
        org.hidden.add((kind, field))
    sets = org.permission_sets(org.integration_id)
    for one in list(org.tables["FieldPermissions"].alive()):
        if one["Field"] == f"{kind}.{field}" and one["ParentId"] in sets:
            org.put("FieldPermissions", {**one, "IsDeleted": True})
    org.forget_sight()


@deed
def show_field(org: SalesforceOrg, kind: str, field: str, *, edit: bool = True) -> None:
    """Let the integration user see a field, by its own permission set."""
    org.hidden.discard((kind, field))
    if org.kinds[kind].fields[field].custom:
        grant(org, kind, field, edit=edit)
    org.forget_sight()


@deed
def add_queue(org: SalesforceOrg, name: str, kinds: Sequence[str], email: str = "") -> str:
    """Make a queue that may own records of some kinds; returns its id."""
    queue = org.plant("Group", {"Name": name, "Type": "Queue", "Email": email or None})
    for kind in kinds:
        org.plant("QueueSobject", {"QueueId": queue, "SobjectType": org.kinds[kind].name})
    return queue


def grant(org: SalesforceOrg, kind: str, field: str, *, edit: bool = True) -> None:
    """Grant the integration user's profile a field."""
    user = org.tables["User"].records[org.integration_id]
    owned = next(
        one["Id"]
        for one in org.tables["PermissionSet"].alive()
        if one.get("ProfileId") == user["ProfileId"]
    )
    org.plant(
        "FieldPermissions",
        {
            "ParentId": owned,
            "SobjectType": kind,
            "Field": f"{kind}.{field}",
            "PermissionsRead": True,
            "PermissionsEdit": edit,
        },
    )


@deed
def hide_kind(org: SalesforceOrg, kind: str) -> None:
    """Take a kind of record from the integration user's sight."""
    org.hidden_kinds.add(org.kinds[kind].name)


@deed
def show_kind(org: SalesforceOrg, kind: str) -> None:
    """Let the integration user see a kind of record, and write it."""
    org.hidden_kinds.discard(kind)
    org.read_only_kinds.discard(kind)


@deed
def forbid_writing(org: SalesforceOrg, kind: str) -> None:
    """Let the integration user read a kind of record only."""
    org.read_only_kinds.add(org.kinds[kind].name)


@deed
def create_field(
    org: SalesforceOrg,
    kind: str,
    name: str,
    *,
    length: int = 80,
    unique: bool = False,
    external_id: bool = False,
) -> None:
    """Make a custom field of text, which nobody but the administrator sees yet."""
    org.kinds[kind].add(text(name, length, unique=unique, external_id=external_id))
    org.tables[kind].reindex()
    org.forget_sight()


@deed
def add_record_type(org: SalesforceOrg, kind: str, name: str) -> str:
    """Make a record type; returns its id."""
    told = {"Name": name, "DeveloperName": name.replace(" ", "_"), "SobjectType": kind}
    made = org.plant("RecordType", told)
    org.kinds[kind].record_types.append(
        {
            "active": True,
            "available": True,
            "defaultRecordTypeMapping": False,
            "developerName": told["DeveloperName"],
            "master": False,
            "name": name,
            "recordTypeId": made,
        }
    )
    return made


@deed
def remove_field(org: SalesforceOrg, kind: str, field: str) -> None:
    """Delete a custom field with all its values."""
    known = org.kinds[kind]
    if not known.fields[field].custom:
        raise KeyError(f"{field} is no custom field")
    known.remove(field)
    for one in org.tables[kind].records.values():
        one.pop(field, None)
    for row in list(org.tables["FieldPermissions"].alive()):
        if row["Field"] == f"{kind}.{field}":
            org.put("FieldPermissions", {**row, "IsDeleted": True})
    org.tables[kind].reindex()
    org.field_ids.pop((kind, field), None)
    org.forget_sight()


@deed
def rename_value(org: SalesforceOrg, kind: str, field: str, old: str, new: str) -> None:
    """Rename a value of a picklist, in its list and in every record.

    SystemModstamp tells of it, LastModifiedDate does not (help.salesforce.com 000387261).
    """
    known = org.kinds[kind]
    held = known.fields[field]
    options = tuple((new, new) if value == old else (value, label) for value, label in held.options)
    known.add(replace(held, options=options))
    for one in list(org.tables[kind].records.values()):
        if one.get(field) == old:
            org.put(kind, {**one, field: new, "SystemModstamp": org.present()})
    if (kind, field) == ("Opportunity", "StageName"):
        for stage in list(org.tables["OpportunityStage"].records.values()):
            if stage["ApiName"] == old:
                org.put("OpportunityStage", {**stage, "ApiName": new, "MasterLabel": new})
    org.forget_sight()


@deed
def lock_row(
    org: SalesforceOrg,
    id: str,  # noqa: A002 - the wire's word
    seconds: float,
) -> None:
    """Let another transaction hold a record for some seconds."""
    org.row_locks[id] = org.now() + timedelta(seconds=float(seconds))


@deed
def lock_record(org: SalesforceOrg, id: str) -> None:  # noqa: A002 - the wire's word
    """Let an approval lock a record until it is unlocked."""
    org.approvals.add(id)


@deed
def unlock_record(org: SalesforceOrg, id: str) -> None:  # noqa: A002 - the wire's word
    """Release a record from its approval."""
    org.approvals.discard(id)


@deed
def add_validation_rule(
    org: SalesforceOrg, kind: str, where: str, message: str, field: str | None = None
) -> None:
    """Refuse every write after which `where`, in SOQL's words, holds for the record."""
    org.checks.append(CheckRule(kind, where, message, field))


@deed
def add_trigger(org: SalesforceOrg, kind: str, where: str, message: str) -> None:
    """Let the administrator's own code throw wherever `where` holds for the record."""
    told = f"{kind}Trigger: execution of BeforeUpdate caused by: {message}"
    org.checks.append(CheckRule(kind, where, told, code="CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"))


@deed
def drop_validation_rules(org: SalesforceOrg) -> None:
    """Take all rules, of duplicates too, and triggers out of force."""
    org.checks.clear()
    org.duplicates.clear()


@deed
def add_duplicate_rule(org: SalesforceOrg, kind: str, field: str) -> None:
    """Refuse a record whose `field` is another's, unless the caller allows duplicates."""
    org.duplicates.append(DuplicateRule(kind, field))


@deed
def end_sessions(org: SalesforceOrg) -> None:
    """End every session at once."""
    org.sessions.clear()


@deed
def trust(org: SalesforceOrg, certificate: str, client: str = "simulated-consumer-key") -> None:
    """Upload the certificate (PEM) whose key signs the app's assertions."""
    org.clients[client].certificate = certificate


@deed
def approve_user(org: SalesforceOrg, user: str, client: str = "simulated-consumer-key") -> None:
    """Let the app speak as a further user."""
    org.clients[client].approved.add(user)


@deed
def forbid_user(org: SalesforceOrg, user: str, client: str = "simulated-consumer-key") -> None:
    """Let the app speak as a user no more, and end the user's sessions."""
    org.clients[client].approved.discard(user)
    held = org.user(user)
    for token, session in list(org.sessions.items()):
        if held is not None and session.user == held["Id"]:
            del org.sessions[token]


@deed
def forbid_customizing(org: SalesforceOrg) -> None:
    """Take from the integration user the right to customize the application."""
    org.customizers.discard(org.integration_id)
