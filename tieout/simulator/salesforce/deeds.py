"""What people do after the sale, and what makes middleware wrong about it.

Each deed is a function here and a name for `POST /__deeds`:
`{"deed": "edit_line", "line": "00k...", "fields": {"Quantity": 3}}`. A deed goes the same way as a
write through the API, so that it moves the same times of change.
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from tieout.simulator.salesforce import files, writing
from tieout.simulator.salesforce.admin import CheckRule, DuplicateRule
from tieout.simulator.salesforce.kinds import Kind, text
from tieout.simulator.salesforce.org import SalesforceOrg
from tieout.simulator.salesforce.tables import Values
from tieout.simulator.salesforce.writing import Writer

P = ParamSpec("P")
Deed = Callable[Concatenate[SalesforceOrg, P], Any]
DEEDS: dict[str, Deed[...]] = {}


def play(org: SalesforceOrg, told: Mapping[str, Any]) -> Any:
    """Do one deed by its name; returns what it made: an id, or nothing.

    Raises:
        KeyError: there is no such deed or record.
        TypeError: the deed needs other words.
        RowError: the org does not take it.
    """
    words = dict(told)
    return DEEDS[words.pop("deed")](org, **words)


def _deed(function: Deed[P]) -> Deed[P]:
    @wraps(function)
    def locked(org: SalesforceOrg, /, *args: P.args, **kwargs: P.kwargs) -> Any:
        with org.lock:
            return function(org, *args, **kwargs)

    DEEDS[locked.__name__] = locked
    return locked


@_deed
def create(org: SalesforceOrg, kind: str, fields: Mapping[str, Any]) -> str:
    """Make a record by hand; returns its id."""
    return writing.create(org, _person(org), org.kinds[kind], fields)


@_deed
def edit(org: SalesforceOrg, kind: str, id: str, fields: Mapping[str, Any]) -> None:  # noqa: A002
    """Change a record by hand."""
    writing.update(org, _person(org), org.kinds[kind], id, fields)


@_deed
def edit_deal(org: SalesforceOrg, deal: str, fields: Mapping[str, Any]) -> None:
    """Change an opportunity's amount, close date, ..."""
    _edit(org, "Opportunity", deal, fields)


@_deed
def win(org: SalesforceOrg, deal: str) -> None:
    """Move an opportunity to Closed Won, (again) on the day that it has."""
    _edit(org, "Opportunity", deal, {"StageName": "Closed Won"})


@_deed
def reopen(org: SalesforceOrg, deal: str) -> None:
    """Move a closed opportunity back to the first stage."""
    _edit(org, "Opportunity", deal, {"StageName": "Prospecting"})


@_deed
def lose(org: SalesforceOrg, deal: str) -> None:
    """Move an opportunity to Closed Lost."""
    _edit(org, "Opportunity", deal, {"StageName": "Closed Lost"})


@_deed
def edit_line(org: SalesforceOrg, line: str, fields: Mapping[str, Any]) -> None:
    """Change a line; its opportunity moves only if its amount does (R36)."""
    _edit(org, "OpportunityLineItem", line, fields)


@_deed
def add_line(org: SalesforceOrg, deal: str, fields: Mapping[str, Any]) -> str:
    """Add a line, of the first product in the opportunity's money unless told; returns its id."""
    opportunity = writing.the_record(org, org.kinds["Opportunity"], deal)
    entry = next(
        one["Id"]
        for one in org.tables["PricebookEntry"].alive()
        if one.get("CurrencyIsoCode") == opportunity.get("CurrencyIsoCode")
    )
    given = {"OpportunityId": opportunity["Id"], "Quantity": 1, "PricebookEntryId": entry}
    kind = org.kinds["OpportunityLineItem"]
    return writing.create(org, _person(org), kind, {**given, **fields})


@_deed
def remove_line(org: SalesforceOrg, line: str) -> None:
    """Remove a line."""
    writing.delete(org, _person(org), org.kinds["OpportunityLineItem"], line)


@_deed
def edit_account(org: SalesforceOrg, account: str, fields: Mapping[str, Any]) -> None:
    """Rename an account, move it, give it other terms; its opportunities do not move."""
    _edit(org, "Account", account, fields)


@_deed
def merge(org: SalesforceOrg, kind: str, master: str, loser: str) -> None:
    """Merge two accounts or two contacts; the master keeps its id (R37, R49)."""
    writing.merge(org, _person(org), org.kinds[kind], master, loser)


@_deed
def delete(org: SalesforceOrg, kind: str, id: str) -> None:  # noqa: A002 - the wire's word
    """Move a record to the recycle bin."""
    writing.delete(org, _person(org), org.kinds[kind], id)


@_deed
def undelete(org: SalesforceOrg, kind: str, id: str) -> None:  # noqa: A002 - the wire's word
    """Bring a record back from the recycle bin."""
    writing.undelete(org, _person(org), org.kinds[kind], id)


@_deed
def clone(org: SalesforceOrg, deal: str) -> str:
    """Clone an opportunity with its products; external ids and unique values stay blank."""
    kind, lines = org.kinds["Opportunity"], org.kinds["OpportunityLineItem"]
    source = writing.the_record(org, kind, deal)
    who = _person(org)
    made = writing.create(org, who, kind, _copied(kind, source))
    for line in list(org.tables[lines.name].having("OpportunityId", [source["Id"]])):
        if not line["IsDeleted"]:
            copy = _copied(lines, line)
            copy.pop("TotalPrice", None)
            writing.create(org, who, lines, {**copy, "OpportunityId": made})
    return made


@_deed
def add_payment(org: SalesforceOrg, deal: str, fields: Mapping[str, Any]) -> str:
    """Record a payment of an opportunity, received and today unless told; returns its id."""
    opportunity = writing.the_record(org, org.kinds["Opportunity"], deal)
    given: Values = {
        "Opportunity__c": opportunity["Id"],
        "Status__c": "Received",
        "Paid_On__c": org.present()[:10],
    }
    if org.multi_currency:
        given["CurrencyIsoCode"] = opportunity["CurrencyIsoCode"]
    return writing.create(org, _person(org), org.kinds["Payment__c"], {**given, **fields})


@_deed
def attach(
    org: SalesforceOrg, record: str, name: str, content: str = "", size_bytes: int | None = None
) -> str:
    """Attach a file, base64 `content` or `size_bytes` of zeros; returns its version's id."""
    data = base64.b64decode(content) if size_bytes is None else bytes(size_bytes)
    return files.attach(org, record, name, data)


@_deed
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


@_deed
def show_field(org: SalesforceOrg, kind: str, field: str, *, edit: bool = True) -> None:
    """Let the integration user see a field, by its own permission set."""
    org.hidden.discard((kind, field))
    if org.kinds[kind].fields[field].custom:
        grant(org, kind, field, edit=edit)
    org.forget_sight()


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


@_deed
def hide_kind(org: SalesforceOrg, kind: str) -> None:
    """Take a kind of record from the integration user's sight."""
    org.hidden_kinds.add(org.kinds[kind].name)


@_deed
def show_kind(org: SalesforceOrg, kind: str) -> None:
    """Let the integration user see a kind of record, and write it."""
    org.hidden_kinds.discard(kind)
    org.read_only_kinds.discard(kind)


@_deed
def forbid_writing(org: SalesforceOrg, kind: str) -> None:
    """Let the integration user read a kind of record only."""
    org.read_only_kinds.add(org.kinds[kind].name)


@_deed
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


@_deed
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


@_deed
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


@_deed
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


@_deed
def lock_row(org: SalesforceOrg, id: str, seconds: float) -> None:  # noqa: A002
    """Let another transaction hold a record for some seconds."""
    org.row_locks[id] = org.now() + timedelta(seconds=float(seconds))


@_deed
def lock_record(org: SalesforceOrg, id: str) -> None:  # noqa: A002
    """Let an approval lock a record until it is unlocked."""
    org.approvals.add(id)


@_deed
def unlock_record(org: SalesforceOrg, id: str) -> None:  # noqa: A002
    """Release a record from its approval."""
    org.approvals.discard(id)


@_deed
def add_validation_rule(
    org: SalesforceOrg, kind: str, where: str, message: str, field: str | None = None
) -> None:
    """Refuse every write after which `where`, in SOQL's words, holds for the record."""
    org.checks.append(CheckRule(kind, where, message, field))


@_deed
def drop_validation_rules(org: SalesforceOrg) -> None:
    """Take all validation rules and duplicate rules out of force."""
    org.checks.clear()
    org.duplicates.clear()


@_deed
def add_duplicate_rule(org: SalesforceOrg, kind: str, field: str) -> None:
    """Refuse a record whose `field` is another's, unless the caller allows duplicates."""
    org.duplicates.append(DuplicateRule(kind, field))


@_deed
def end_sessions(org: SalesforceOrg) -> None:
    """End every session at once."""
    org.sessions.clear()


@_deed
def trust(org: SalesforceOrg, certificate: str, client: str = "simulated-consumer-key") -> None:
    """Upload the certificate (PEM) whose key signs the app's assertions."""
    org.clients[client].certificate = certificate


@_deed
def approve_user(org: SalesforceOrg, user: str, client: str = "simulated-consumer-key") -> None:
    """Let the app speak as a further user."""
    org.clients[client].approved.add(user)


@_deed
def forbid_user(org: SalesforceOrg, user: str, client: str = "simulated-consumer-key") -> None:
    """Let the app speak as a user no more, and end the user's sessions."""
    org.clients[client].approved.discard(user)
    held = org.user(user)
    for token, session in list(org.sessions.items()):
        if held is not None and session.user == held["Id"]:
            del org.sessions[token]


@_deed
def forbid_customizing(org: SalesforceOrg) -> None:
    """Take from the integration user the right to customize the application."""
    org.customizers.discard(org.integration_id)


def _person(org: SalesforceOrg) -> Writer:
    return Writer(org.admin_id, allow_duplicates=True)


def _edit(org: SalesforceOrg, kind: str, record_id: str, fields: Mapping[str, Any]) -> None:
    writing.update(org, _person(org), org.kinds[kind], record_id, fields)


def _copied(kind: Kind, source: Values) -> Values:
    """Return what a person's clone takes along."""
    blank = {"OwnerId"}
    return {
        name: value
        for name, value in source.items()
        if (field := kind.fields.get(name)) is not None
        and field.createable
        and not (field.unique or field.external_id)
        and name not in blank
        and value is not None
    }
