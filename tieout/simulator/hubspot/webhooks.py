"""The portal's webhooks, as a project-based app is sent them, signed by version 3.

The body is a list of events (page "Webhooks"); the signature covers method, address, body and time
in milliseconds (page "Validating requests").
"""

import json
from collections.abc import Sequence
from datetime import datetime

from tieout.simulator.hubspot.portal import HubSpotPortal
from tieout.simulator.webhooks import post, signature

SUBSCRIPTION_ID = 2_001
APP_ID = 3_001


def body_of(
    portal: HubSpotPortal, ids: Sequence[str], *, kind: str = "deal", attempt: int = 0
) -> bytes:
    """Return what is sent when a property of some records changed just now."""
    events = [
        {
            "eventId": number,
            "subscriptionId": SUBSCRIPTION_ID,
            "portalId": int(portal.portal_id),
            "appId": APP_ID,
            "occurredAt": _millis(portal.now()),
            "subscriptionType": f"{kind}.propertyChange",
            "attemptNumber": attempt,
            "objectId": int(id_),
            "changeSource": "CRM_UI",
            "propertyName": "dealstage",
            "propertyValue": "closedwon",
        }
        for number, id_ in enumerate(ids, 1)
    ]
    return json.dumps(events).encode()


def signed(url: str, secret: str, body: bytes, at: datetime) -> dict[str, str]:
    """Return the headers that prove where a request came from, and when."""
    timestamp = str(_millis(at))
    covered = f"POST{url}".encode() + body + timestamp.encode()
    return {
        "X-HubSpot-Signature-v3": signature(secret, covered),
        "X-HubSpot-Request-Timestamp": timestamp,
    }


def tell(portal: HubSpotPortal, url: str, secret: str, ids: Sequence[str], *, to: str = "") -> int:
    """Tell an app that some deals changed; return the status that it answered.

    ``url`` is the address that the app's owner gave, ``to`` where its proxy passes that on.
    """
    body = body_of(portal, ids)
    return post(to or url, signed(url, secret, body, portal.now()), body)


def _millis(at: datetime) -> int:
    return int(at.timestamp() * 1000)
