"""The company's webhooks: CloudEvents, and the older form that they replace.

Signed in ``intuit-signature`` with the app's verifier token, over the body alone (pages "Webhooks"
and "Managing webhooks notifications"). One request may tell of several companies.
"""

import json
from collections.abc import Iterable
from datetime import datetime

from tieout.simulator.webhooks import post, signature

Change = tuple[str, str, str]
"""Realm, entity and id."""


def cloud_events(changes: Iterable[Change], at: datetime) -> bytes:
    """Return what is sent when some records were updated."""
    events = [
        {
            "specversion": "1.0",
            "id": f"{realm}-{entity}-{id_}-{at.timestamp()}",
            "source": "intuit.simulated",
            "type": f"qbo.{entity.lower()}.updated.v1",
            "datacontenttype": "application/json",
            "time": at.isoformat(timespec="milliseconds"),
            "intuitentityid": id_,
            "intuitaccountid": realm,
            "data": {},
        }
        for realm, entity, id_ in changes
    ]
    return json.dumps(events).encode()


def older_form(changes: Iterable[Change], at: datetime) -> bytes:
    """Return the same as it was sent before 2026: one notification for each company."""
    told: dict[str, list[dict[str, str]]] = {}
    for realm, entity, id_ in changes:
        told.setdefault(realm, []).append(
            {
                "name": entity,
                "id": id_,
                "operation": "Update",
                "lastUpdated": at.strftime("%Y-%m-%dT%H:%M:%S%z"),
            }
        )
    notifications = [
        {"realmId": realm, "dataChangeEvent": {"entities": entities}}
        for realm, entities in told.items()
    ]
    return json.dumps({"eventNotifications": notifications}).encode()


def signed(secret: str, body: bytes) -> dict[str, str]:
    """Return the header that proves where a request came from."""
    return {"intuit-signature": signature(secret, body)}


def tell(url: str, secret: str, changes: Iterable[Change], at: datetime) -> int:
    """Tell an app that some records changed; return the status that it answered."""
    body = cloud_events(changes, at)
    return post(url, signed(secret, body), body)
