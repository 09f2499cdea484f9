"""Functions and actions: who asks, how to close an opportunity, how to merge.

Sources: learn.microsoft.com/power-apps/developer/data-platform/webapi/reference: WhoAmI,
RetrieveVersion, RetrieveCurrentOrganization, WinOpportunity, LoseOpportunity, Merge, PublishXml,
InsertOptionValue.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from tieout.simulator.dynamics365.addressing import bound
from tieout.simulator.dynamics365.call import Call, Reply
from tieout.simulator.dynamics365.customizing import CUSTOMIZATION, demand_solution
from tieout.simulator.dynamics365.describing import label_text
from tieout.simulator.dynamics365.merging import merge_records
from tieout.simulator.dynamics365.org import DynamicsOrg, refuse_plug_in
from tieout.simulator.dynamics365.records import Record
from tieout.simulator.dynamics365.refusals import Refusal, bad_payload
from tieout.simulator.dynamics365.schema import Target
from tieout.simulator.dynamics365.tables import LOST, OPEN, STATUS_OF, WON
from tieout.simulator.dynamics365.values import GUID, taken

VERSION = "9.2.25103.00199"


def who_am_i(call: Call) -> Reply:
    """Answer `GET /WhoAmI`."""
    org = call.org
    return _told(
        call,
        "WhoAmIResponse",
        {
            "BusinessUnitId": org.business_unit_id,
            "UserId": org.user_id,
            "OrganizationId": org.org_id,
        },
    )


def version(call: Call) -> Reply:
    """Answer `GET /RetrieveVersion`."""
    return _told(call, "RetrieveVersionResponse", {"Version": VERSION})


def current_organization(call: Call) -> Reply:
    """Answer `GET /RetrieveCurrentOrganization(AccessType=…)`."""
    org = call.org
    root = call.base.partition("/api/")[0]
    detail = {
        "OrganizationId": org.org_id,
        "FriendlyName": org.name,
        "OrganizationVersion": VERSION,
        "UniqueName": f"unq{org.org_id.replace('-', '')[:24]}",
        "UrlName": org.name.lower(),
        "TenantId": org.tenant_id,
        "State": "Enabled",
        "Endpoints": {
            "Count": 1,
            "IsReadOnly": False,
            "Keys": ["WebApplication"],
            "Values": [f"{root}/"],
        },
    }
    return _told(call, "RetrieveCurrentOrganizationResponse", {"Detail": detail})


def win(call: Call) -> Reply:
    """Answer `POST /WinOpportunity`: 204."""
    return _close(call, WON)


def lose(call: Call) -> Reply:
    """Answer `POST /LoseOpportunity`: 204."""
    return _close(call, LOST)


def merge(call: Call) -> Reply:
    """Answer `POST /Merge`: the subordinate becomes inactive and points at the target (R49)."""
    told = call.json()
    target, other = (_entity(call, told, name) for name in ("Target", "Subordinate"))
    merge_records(call.org, target, other)
    return Reply(status=204)


def insert_option(call: Call) -> Reply:
    """Answer `POST /InsertOptionValue` of a table's own choice column."""
    told = call.json()
    call.demand("Write", CUSTOMIZATION)
    table = call.org.tables.get(str(told.get("EntityLogicalName")))
    column = table.columns.get(str(told.get("AttributeLogicalName"))) if table else None
    if column is None or column.type not in {"Picklist", "Status"}:
        raise bad_payload("InsertOptionValue", "It names no choice column.")
    label = label_text(told.get("Label"))
    if not label:
        raise bad_payload("InsertOptionValue", "The parameter Label is missing.")
    demand_solution(call, told.get("SolutionUniqueName"))
    value = told.get("Value", max(column.options, default=0) + 1)
    if not isinstance(value, int) or isinstance(value, bool):
        raise bad_payload("InsertOptionValue", f"{value} is no whole number.")
    if value in column.options:
        said = f"The option value {value} already exists in {column.name}."
        raise Refusal(400, "0x80040203", said)
    column.options[value] = label
    column.unpublished.add(value)
    return _told(call, "InsertOptionValueResponse", {"NewOptionValue": value})


def publish(call: Call) -> Reply:
    """Answer `POST /PublishXml` and `POST /PublishAllXml`: 204."""
    if call.segments[0].name == "PublishXml" and not isinstance(
        call.json().get("ParameterXml"), str
    ):
        raise bad_payload("PublishXml", "The parameter ParameterXml is missing.")
    for table in call.org.tables.values():
        for column in table.columns.values():
            column.unpublished.clear()
    return Reply(status=204)


def close(
    org: DynamicsOrg,
    record: Record,
    status: int,
    *,
    on: str = "",
    revenue: Decimal | None = None,
) -> None:
    """Close an opportunity as won or lost, with its actual revenue and day.

    Raises:
        Refusal: 400, it is closed already.
    """
    if record.values.get("statecode", OPEN) != OPEN:
        raise Refusal(400, "0x80040515", "The opportunity is already closed.")
    lines = any(org.shelves["opportunityproduct"].pointing("opportunityid", _target(record)))
    worth = record.values.get("totalamount") if lines else record.values.get("estimatedvalue")
    changes: dict[str, Any] = {
        "statecode": STATUS_OF.get(status, WON),
        "statuscode": status,
        "actualclosedate": on or org.present()[:10],
    }
    if STATUS_OF.get(status) == WON:
        changes["actualvalue"] = revenue if revenue is not None else worth
    org.update("opportunity", record, changes)
    for line in list(org.shelves["opportunityproduct"].pointing("opportunityid", _target(record))):
        line.values["opportunitystatecode"] = changes["statecode"]


def _close(call: Call, state: int) -> Reply:
    told = call.json()
    closing = told.get("OpportunityClose")
    status = told.get("Status")
    if not isinstance(closing, dict) or not isinstance(status, int):
        raise bad_payload("WinOpportunity", "OpportunityClose and Status are needed.")
    address = closing.get("opportunityid@odata.bind")
    if not isinstance(address, str):
        raise bad_payload("opportunitycloses", "opportunityid@odata.bind is missing.")
    target = bound(call, address)
    table = call.org.tables["opportunity"]
    call.demand("Write", table)
    refuse_plug_in(call.org, "opportunity", bypassed=call.bypasses_plug_ins())
    if status == -1:
        status = next(one for one, held in STATUS_OF.items() if held == state)
    status = taken(table, table.columns["statuscode"], status)
    if STATUS_OF.get(status) != state:
        raise Refusal(
            400,
            "0x80048408",
            f"{status} is not a valid status code for state code "
            f"{table.columns['statecode'].options[state]} on {table.name} with Id {target.id}.",
        )
    on = closing.get("actualend")
    day = taken(table, table.columns["actualclosedate"], str(on)[:10]) if on else ""
    amount = taken(table, table.columns["actualvalue"], closing.get("actualrevenue"))
    close(call.org, call.org.record("opportunity", target.id), status, on=day, revenue=amount)
    return Reply(status=204)


def _entity(call: Call, told: Mapping[str, Any], name: str) -> Target:
    """Read an entity parameter: `@odata.type` and its id column."""
    given = told.get(name)
    if isinstance(given, dict):
        kind = str(given.get("@odata.type", "")).removeprefix("#")
        table = call.org.tables.get(kind.removeprefix("Microsoft.Dynamics.CRM."))
        found = str(given.get(table.id_column, "")) if table is not None else ""
        if table is not None and GUID.fullmatch(found):
            call.demand("Write", table)
            return Target(table.name, found.lower())
    raise bad_payload("Merge", f"The parameter {name} is missing, or no entity.")


def _target(record: Record) -> Target:
    return Target("opportunity", record.id)


def _told(call: Call, kind: str, content: Mapping[str, Any]) -> Reply:
    context = f"{call.base}/$metadata#Microsoft.Dynamics.CRM.{kind}"
    return Reply({"@odata.context": context, **content})


ACTIONS: Mapping[tuple[str, str], Callable[[Call], Reply]] = {
    ("GET", "WhoAmI"): who_am_i,
    ("GET", "RetrieveVersion"): version,
    ("GET", "RetrieveCurrentOrganization"): current_organization,
    ("POST", "WinOpportunity"): win,
    ("POST", "LoseOpportunity"): lose,
    ("POST", "Merge"): merge,
    ("POST", "InsertOptionValue"): insert_option,
    ("POST", "PublishXml"): publish,
    ("POST", "PublishAllXml"): publish,
}
