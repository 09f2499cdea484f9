"""What a portal sends to an app by itself."""

import hashlib
import hmac
import json
from base64 import b64encode
from datetime import UTC, datetime
from types import SimpleNamespace

from tieout.simulator.hubspot import webhooks

AT = datetime(2026, 5, 31, 21, 31, 25, 179_000, UTC)
PORTAL = SimpleNamespace(portal_id=123, now=lambda: AT)
URL = "https://tieout.example.com/hints/hubspot"


def test_h11_a_webhook_names_the_portal_the_record_and_what_changed():
    [event] = json.loads(webhooks.body_of(PORTAL, ["901"]))

    assert (event["portalId"], event["objectId"], event["occurredAt"]) == (123, 901, 1780263085179)
    assert event["subscriptionType"] == "deal.propertyChange"


def test_h11_the_signature_covers_method_address_body_and_time():
    headers = webhooks.signed(URL, "secret", b"[]", AT)
    covered = f"POST{URL}[]1780263085179".encode()
    expected = b64encode(hmac.new(b"secret", covered, hashlib.sha256).digest()).decode()

    assert headers == {
        "X-HubSpot-Signature-v3": expected,
        "X-HubSpot-Request-Timestamp": "1780263085179",
    }
