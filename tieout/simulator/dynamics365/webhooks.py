"""The organization's webhooks: a service endpoint with a key, told of one event in each request.

The body is the event's context (RemoteExecutionContext) as JSON; the key stands in a header
(learn.microsoft.com/power-apps/developer/data-platform, "Register a WebHook", "Use Webhooks").
"""

import json
from datetime import datetime

from tieout.simulator.dynamics365.org import DynamicsOrg
from tieout.simulator.webhooks import post

UPDATE_STEP = "Tieout: Update of opportunity"


def body_of(org: DynamicsOrg, record: str, *, table: str = "opportunity") -> bytes:
    """Return what is sent when a record was updated just now."""
    now = org.now()
    context = {
        "BusinessUnitId": org.business_unit_id,
        "CorrelationId": org.new_id(),
        "Depth": 1,
        "InitiatingUserId": org.user_id,
        "IsExecutingOffline": False,
        "IsInTransaction": False,
        "MessageName": "Update",
        "Mode": 1,
        "OperationCreatedOn": _date(now),
        "OperationId": org.new_id(),
        "OrganizationId": org.org_id,
        "OrganizationName": org.name,
        "OwningExtension": {"LogicalName": "sdkmessageprocessingstep", "Name": UPDATE_STEP},
        "PrimaryEntityId": record,
        "PrimaryEntityName": table,
        "Stage": 40,
        "UserId": org.user_id,
    }
    return json.dumps(context).encode()


def tell(org: DynamicsOrg, key: str, records: list[str], *, to: str) -> list[int]:
    """Tell of some opportunities, each in a request of its own; return the statuses."""
    return [post(to, {"x-tieout-key": key}, body_of(org, record)) for record in records]


def _date(at: datetime) -> str:
    return f"/Date({int(at.timestamp() * 1000)}+0000)/"
