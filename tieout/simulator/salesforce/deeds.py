"""What people do after the sale, and what makes middleware wrong about it.

Each deed is a function here and a name for `POST /__deeds`:
`{"deed": "edit_line", "line": "00k...", "fields": {"Quantity": 3}}`. A deed goes the same way as a
write through the API, so that it moves the same times of change. The administrator's are in
`administering`, and are found here too.
"""

import base64
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tieout.simulator.salesforce import files, writing
from tieout.simulator.salesforce.administering import (
    add_duplicate_rule,
    add_queue,
    add_record_type,
    add_trigger,
    add_validation_rule,
    approve_user,
    create_field,
    drop_validation_rules,
    end_sessions,
    forbid_customizing,
    forbid_user,
    forbid_writing,
    grant,
    hide_field,
    hide_kind,
    lock_record,
    lock_row,
    remove_field,
    rename_value,
    show_field,
    show_kind,
    trust,
    unlock_record,
)
from tieout.simulator.salesforce.deed import DEEDS, deed, person, play
from tieout.simulator.salesforce.kinds import Kind
from tieout.simulator.salesforce.org import SalesforceOrg
from tieout.simulator.salesforce.tables import Values

__all__ = [
    "DEEDS",
    "add_duplicate_rule",
    "add_line",
    "add_payment",
    "add_queue",
    "add_record_type",
    "add_trigger",
    "add_validation_rule",
    "approve_user",
    "attach",
    "clone",
    "create",
    "create_field",
    "delete",
    "drop_validation_rules",
    "edit",
    "edit_account",
    "edit_deal",
    "edit_line",
    "edit_slowly",
    "end_sessions",
    "forbid_customizing",
    "forbid_user",
    "forbid_writing",
    "grant",
    "hide_field",
    "hide_kind",
    "lock_record",
    "lock_row",
    "lose",
    "merge",
    "play",
    "remove_field",
    "remove_line",
    "rename_value",
    "reopen",
    "replace_file",
    "show_field",
    "show_kind",
    "trust",
    "undelete",
    "unlock_record",
    "win",
]


@deed
def create(org: SalesforceOrg, kind: str, fields: Mapping[str, Any]) -> str:
    """Make a record by hand; returns its id."""
    return writing.create(org, person(org), org.kinds[kind], fields)


@deed
def edit(
    org: SalesforceOrg,
    kind: str,
    id: str,  # noqa: A002 - the wire's word
    fields: Mapping[str, Any],
) -> None:
    """Change a record by hand."""
    writing.update(org, person(org), org.kinds[kind], id, fields)


@deed
def edit_slowly(
    org: SalesforceOrg,
    kind: str,
    id: str,  # noqa: A002 - the wire's word
    fields: Mapping[str, Any],
    seconds: float,
) -> None:
    """Change a record in a transaction that began `seconds` ago: its times are of then.

    So it comes to light under a time that others have read past already.
    """
    present = org.now
    org.now = lambda: present() - timedelta(seconds=float(seconds))
    try:
        writing.update(org, person(org), org.kinds[kind], id, fields)
    finally:
        org.now = present


@deed
def edit_deal(org: SalesforceOrg, deal: str, fields: Mapping[str, Any]) -> None:
    """Change an opportunity's amount, close date, ..."""
    _edit(org, "Opportunity", deal, fields)


@deed
def win(org: SalesforceOrg, deal: str) -> None:
    """Move an opportunity to Closed Won, (again) on the day that it has."""
    _edit(org, "Opportunity", deal, {"StageName": "Closed Won"})


@deed
def reopen(org: SalesforceOrg, deal: str) -> None:
    """Move a closed opportunity back to the first stage."""
    _edit(org, "Opportunity", deal, {"StageName": "Prospecting"})


@deed
def lose(org: SalesforceOrg, deal: str) -> None:
    """Move an opportunity to Closed Lost."""
    _edit(org, "Opportunity", deal, {"StageName": "Closed Lost"})


@deed
def edit_line(org: SalesforceOrg, line: str, fields: Mapping[str, Any]) -> None:
    """Change a line; its opportunity moves only if its amount does (R36)."""
    _edit(org, "OpportunityLineItem", line, fields)


@deed
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
    return writing.create(org, person(org), kind, {**given, **fields})


@deed
def remove_line(org: SalesforceOrg, line: str) -> None:
    """Remove a line."""
    writing.delete(org, person(org), org.kinds["OpportunityLineItem"], line)


@deed
def edit_account(org: SalesforceOrg, account: str, fields: Mapping[str, Any]) -> None:
    """Rename an account, move it, give it other terms; its opportunities do not move."""
    _edit(org, "Account", account, fields)


@deed
def merge(org: SalesforceOrg, kind: str, master: str, loser: str) -> None:
    """Merge two accounts or two contacts; the master keeps its id (R37, R49)."""
    writing.merge(org, person(org), org.kinds[kind], master, loser)


@deed
def delete(org: SalesforceOrg, kind: str, id: str) -> None:  # noqa: A002 - the wire's word
    """Move a record to the recycle bin."""
    writing.delete(org, person(org), org.kinds[kind], id)


@deed
def undelete(org: SalesforceOrg, kind: str, id: str) -> None:  # noqa: A002 - the wire's word
    """Bring a record back from the recycle bin."""
    writing.undelete(org, person(org), org.kinds[kind], id)


@deed
def clone(org: SalesforceOrg, deal: str) -> str:
    """Clone an opportunity with its products; external ids and unique values stay blank."""
    kind, lines = org.kinds["Opportunity"], org.kinds["OpportunityLineItem"]
    source = writing.the_record(org, kind, deal)
    who = person(org)
    made = writing.create(org, who, kind, _copied(kind, source))
    for line in list(org.tables[lines.name].having("OpportunityId", [source["Id"]])):
        if not line["IsDeleted"]:
            copy = _copied(lines, line)
            copy.pop("TotalPrice", None)
            writing.create(org, who, lines, {**copy, "OpportunityId": made})
    return made


@deed
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
    return writing.create(org, person(org), org.kinds["Payment__c"], {**given, **fields})


@deed
def attach(
    org: SalesforceOrg,
    record: str,
    name: str,
    content: str = "",
    size_bytes: int | None = None,
    title: str | None = None,
) -> str:
    """Attach a file, base64 `content` or `size_bytes` of zeros; returns its version's id.

    `title` is what it is called where that is not the file's own name.
    """
    data = base64.b64decode(content) if size_bytes is None else bytes(size_bytes)
    return files.attach(org, record, name, data, title)


@deed
def replace_file(org: SalesforceOrg, version: str, content: str) -> str:
    """Upload a new version of a document, with base64 `content`; returns the new version's id."""
    former = org.tables["ContentVersion"].records[version]
    return files.replace(org, former, base64.b64decode(content))


def _edit(org: SalesforceOrg, kind: str, record_id: str, fields: Mapping[str, Any]) -> None:
    writing.update(org, person(org), org.kinds[kind], record_id, fields)


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
