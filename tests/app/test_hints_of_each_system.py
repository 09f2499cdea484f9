"""`parse_hint` of each connector: the address of what changed, and nothing that is not proven."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from tieout.app.companies import connector_class
from tieout.app.settings import connector_names
from tieout.model.contract import Hears
from tieout.model.errors import HintRefused, RefusedFor
from tieout.model.hint import Knock
from tieout.model.record import Event
from tieout.model.ref import Ref
from tieout.simulator.hubspot import webhooks as hubspot
from tieout.simulator.quickbooks import webhooks as quickbooks
from tieout.simulator.webhooks import signature

NOW = datetime(2026, 5, 31, 21, 31, 25, tzinfo=UTC)
SECRET = "a secret"
ORG = "00D000000000001EAA"
GUID = "3f1c2b4a-0000-4000-8000-000000000001"
RECORD = "3f1c2b4a-0000-4000-8000-000000000002"
URL = "https://tieout.example.com/hints/"


def of_hubspot(at, secret):
    body = hubspot.body_of(SimpleNamespace(portal_id=123, now=lambda: at), ["901"])
    return _knock("hubspot", hubspot.signed(f"{URL}hubspot", secret, body, at), body)


def of_quickbooks(at, secret):
    body = quickbooks.cloud_events([("913", "Invoice", "7")], at)
    return _knock("quickbooks", quickbooks.signed(secret, body), body)


def of_dynamics365(at, secret):
    body = json.dumps(
        {
            "OrganizationId": GUID,
            "PrimaryEntityName": "opportunity",
            "PrimaryEntityId": RECORD.upper(),
            "MessageName": "Update",
            "OperationCreatedOn": f"/Date({int(at.timestamp() * 1000)}+0000)/",
        }
    ).encode()
    return _knock("dynamics365", {"x-tieout-key": secret}, body)


def of_salesforce(at, secret):
    body = json.dumps(
        {
            "org": ORG,
            "object": "Opportunity",
            "ids": ["006000000000001AAA"],
            "sent_at": at.isoformat(),
        }
    ).encode()
    return _knock("salesforce", {"x-tieout-signature": signature(secret, body)}, body)


def _knock(system, headers, body):
    lowered = {name.lower(): value for name, value in headers.items()}
    return Knock("POST", URL + system, lowered, body)


SENT = {
    "dynamics365": (of_dynamics365, Ref(f"dynamics365:{GUID}", "deal", RECORD), 24 * 60),
    "hubspot": (of_hubspot, Ref("hubspot:123", "deal", "901"), 5),
    "quickbooks": (of_quickbooks, Ref("quickbooks:913", "invoice", "7"), 24 * 60),
    "salesforce": (of_salesforce, Ref(f"salesforce:{ORG}", "deal", "006000000000001AAA"), 5),
}

each_system = pytest.mark.parametrize("system", sorted(SENT))


def heard(system, knock, secret=SECRET):
    found = connector_class(system)
    assert isinstance(found, Hears)
    return tuple(found.parse_hint(knock, secret, NOW))


def refused(system, knock, secret=SECRET):
    with pytest.raises(HintRefused) as caught:
        heard(system, knock, secret)
    return caught.value.why


def test_every_connector_that_hears_is_tried_here():
    hears = {name for name in connector_names() if isinstance(connector_class(name), Hears)}
    assert hears >= set(SENT)


@each_system
def test_a_hint_tells_the_record_by_our_words_and_its_time(system):
    send, ref, _ = SENT[system]
    assert heard(system, send(NOW, SECRET)) == (Event(ref, at=NOW),)


@each_system
@pytest.mark.parametrize("secret", ["", "a secre", "a secret ", "é"])
def test_another_secret_proves_nothing(system, secret):
    assert refused(system, SENT[system][0](NOW, secret)) == RefusedFor.FORGED


@each_system
@pytest.mark.parametrize("sign", [-1, 1])
def test_a_time_out_of_the_window_is_old_and_one_within_is_not(system, sign):
    send, ref, minutes = SENT[system]
    out = NOW + sign * timedelta(minutes=minutes, seconds=1)
    within = NOW + sign * timedelta(minutes=minutes)

    assert refused(system, send(out, SECRET)) == RefusedFor.OLD
    assert [event.ref for event in heard(system, send(within, SECRET))] == [ref]


@each_system
def test_a_cut_body_is_refused(system):
    whole = SENT[system][0](NOW, SECRET)
    cut = Knock(whole.method, whole.url, whole.headers, whole.body[:-1])

    assert refused(system, cut) in {RefusedFor.FORGED, RefusedFor.MALFORMED}


def test_dynamics_may_have_its_key_in_the_address():
    whole = of_dynamics365(NOW, SECRET)
    keyed = Knock("POST", f"{whole.url}?code=a%20secret", {}, whole.body)
    wrong = Knock("POST", f"{whole.url}?code=another", {}, whole.body)

    assert len(heard("dynamics365", keyed)) == 1
    assert refused("dynamics365", wrong) == RefusedFor.FORGED


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"OrganizationId": "x"}', b"7"])
def test_what_is_no_context_of_dynamics_is_malformed(body):
    assert (
        refused("dynamics365", _knock("dynamics365", {"x-tieout-key": SECRET}, body))
        == RefusedFor.MALFORMED
    )


@pytest.mark.parametrize(
    "told",
    [
        [],
        {},
        {"sent_at": NOW.isoformat()},
        {"sent_at": NOW.isoformat(), "org": ORG, "ids": "006"},
        {"sent_at": NOW.isoformat(), "org": ORG, "ids": ["' OR 1"]},
        {"sent_at": "2026-05-31T21:31:25", "org": ORG, "ids": []},
    ],
)
def test_what_is_no_hint_of_a_flow_is_malformed(told):
    body = json.dumps(told).encode()
    knock = _knock("salesforce", {"x-tieout-signature": signature(SECRET, body)}, body)

    assert refused("salesforce", knock) == RefusedFor.MALFORMED


def test_ids_of_fifteen_letters_from_a_flow_are_the_same_records():
    """A formula gives the short form ($Organization.Id), and companies are kept by the long one."""
    told = {
        "org": ORG[:15],
        "object": "Opportunity",
        "ids": ["006000000000001"],
        "sent_at": NOW.isoformat(),
    }
    body = json.dumps(told).encode()
    knock = _knock("salesforce", {"x-tieout-signature": signature(SECRET, body)}, body)
    assert heard("salesforce", knock) == (Event(SENT["salesforce"][1], at=NOW),)
