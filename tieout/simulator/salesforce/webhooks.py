"""The org's flow: after some opportunities are saved it calls an action, which signs and sends.

The action is the one of docs/howto/hints.md; what it uses are UserInfo.getOrganizationId (15 or 18
letters), Crypto.generateMac and HttpRequest (Apex Reference Guide).
"""

import json

from tieout.simulator.salesforce.org import SalesforceOrg
from tieout.simulator.webhooks import post, signature


def body_of(org: SalesforceOrg, ids: list[str]) -> bytes:
    """Return what is sent when some opportunities were saved just now."""
    sent_at = org.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    told = {"org": org.org_id, "object": "Opportunity", "ids": ids, "sent_at": sent_at}
    return json.dumps(told).encode()


def tell(org: SalesforceOrg, secret: str, ids: list[str], *, to: str) -> int:
    """Tell of some opportunities; return the status that was answered."""
    body = body_of(org, ids)
    return post(to, {"x-tieout-signature": signature(secret, body)}, body)
