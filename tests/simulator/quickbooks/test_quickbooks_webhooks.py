"""What QuickBooks sends to an app by itself."""

import hashlib
import hmac
import json
from base64 import b64encode
from datetime import UTC, datetime

from tieout.simulator.quickbooks import webhooks

AT = datetime(2026, 5, 31, 21, 31, 25, tzinfo=UTC)
CHANGES = [("913", "Invoice", "7"), ("914", "CreditMemo", "8")]


def test_r25_cloud_events_name_type_record_and_company():
    first, second = json.loads(webhooks.cloud_events(CHANGES, AT))

    assert (first["type"], first["intuitentityid"], first["intuitaccountid"]) == (
        "qbo.invoice.updated.v1", "7", "913",
    )  # fmt: skip
    assert second["type"] == "qbo.creditmemo.updated.v1"


def test_r25_the_older_form_has_one_notification_for_each_company():
    told = json.loads(webhooks.older_form(CHANGES, AT))["eventNotifications"]

    assert [one["realmId"] for one in told] == ["913", "914"]
    assert told[0]["dataChangeEvent"]["entities"] == [
        {"name": "Invoice", "id": "7", "operation": "Update",
         "lastUpdated": "2026-05-31T21:31:25+0000"}
    ]  # fmt: skip


def test_r25_the_signature_covers_the_body_and_is_made_with_the_verifier_token():
    expected = b64encode(hmac.new(b"token", b"[]", hashlib.sha256).digest()).decode()

    assert webhooks.signed("token", b"[]") == {"intuit-signature": expected}
