"""Writing back: exact bytes, one answer for each item, and silence is never a refusal."""

import json

import pytest

from connectors.hubspot.refusals import TokenRefused
from connectors.hubspot.writing import WRITE_BATCH
from mapping.drafting import STATUSES
from tieout.model.change import Create, Update, Void
from tieout.model.contract import Request
from tieout.model.errors import (
    Duplicate,
    InvalidField,
    InvariantError,
    NotFound,
    OutcomeUnknown,
    QuotaExhausted,
    RateLimited,
    Unauthorized,
    Unavailable,
    Unsupported,
)
from tieout.model.ref import Ref, Version
from tieout.simulator.hubspot import Token
from tieout.simulator.hubspot.schema import custom


@pytest.fixture
def update(hubspot):
    def making(record_id, key=None, kind="deal", **values):
        ref = Ref(hubspot.company, kind, str(record_id))
        return Request(key or f"KEY-{record_id}", Update(ref, Version("1"), values))

    return making


def applied(session, *requests):
    return [outcome for parcel in session.prepare(requests) for outcome in session.apply(parcel)]


def test_values_are_written_under_our_names_and_the_vendors(hubspot, portal, update):
    portal.define("deals", custom(name="tieout_invoice_number", label="Number"))
    portal.define("deals", custom(name="tieout_invoice_due_date", label="Due", type="date"))
    portal.define("deals", custom(name="vip", label="VIP", type="bool"))
    deal = portal.deal()
    values = {"invoice_number": "INV-7", "invoice_due_date": "2026-04-30", "vip": True}
    (outcome,) = applied(hubspot, update(deal, **values, amount="10.50"))
    assert outcome.error is None
    held = portal.find("deals", deal).values
    assert held["tieout_invoice_number"] == "INV-7"
    assert held["tieout_invoice_due_date"] == "2026-04-30"
    assert (held["vip"], held["amount"]) == ("true", "10.50")


def test_nothing_and_an_empty_text_clear_a_property(hubspot, portal, update):
    deal = portal.deal(description="old", dealtype="newbusiness")
    applied(hubspot, update(deal, description=None, deal_type=""))
    assert {"description", "dealtype"}.isdisjoint(portal.find("deals", deal).values)


def test_the_receipt_holds_the_version_that_the_feed_will_show(hubspot, portal, update, read_all):
    deal = portal.deal()
    (outcome,) = applied(hubspot, update(deal, name="Renamed"))
    (event,), _ = read_all(hubspot, "deal")
    assert outcome.receipt.ref == event.ref
    assert outcome.receipt.version == event.record.version


def test_a_hundred_go_in_a_call_and_no_record_twice_in_one(hubspot, portal, update):
    deals = [portal.deal() for _ in range(WRITE_BATCH + 1)]
    requests = [update(deal, name="A") for deal in deals] + [
        update(deals[0], "KEY-again", name="B")
    ]
    parcels = hubspot.prepare(requests)
    assert [len(parcel.items) for parcel in parcels] == [WRITE_BATCH, 2]
    assert sorted(item.key for parcel in parcels for item in parcel.items) == sorted(
        request.key for request in requests
    )


def test_the_committed_bytes_are_the_bytes_that_are_sent(hubspot, portal, update, monkeypatch):
    from tieout.transport.pool import DoorPool

    sent = []
    ask = DoorPool.request

    def listening(pool, method, url, *, body=None, **rest):
        sent.append((method, url, body))
        return ask(pool, method, url, body=body, **rest)

    (parcel,) = hubspot.prepare([update(portal.deal(), name='Bär \u2028 日本 \\ "x"')])
    monkeypatch.setattr(DoorPool, "request", listening)
    hubspot.apply(parcel)
    ((method, url, body),) = sent
    assert body.encode() == parcel.body
    assert f"{method} {url}".endswith(parcel.call.partition(" ")[2])


def test_the_same_changes_are_the_same_parcel(hubspot, opened, update):
    request = update(1, name="A")
    (first,), (second,) = hubspot.prepare([request]), opened().prepare([request])
    assert first == second
    (other,) = hubspot.prepare([update(1, name="B")])
    assert first.request_id != other.request_id
    assert len(first.request_id) <= 36


def test_one_wrong_value_fails_alone(hubspot, portal, update):
    right, wrong = portal.deal(), portal.deal()
    good, bad = applied(hubspot, update(right, name="New"), update(wrong, amount="much"))
    assert good.receipt is not None
    assert isinstance(bad.error, InvalidField)
    assert "was not a valid number" in bad.error.vendor_words
    assert portal.find("deals", wrong).values["amount"] == "1900.00"


def test_a_record_that_is_not_there_fails_alone(hubspot, portal, update):
    good, bad = applied(hubspot, update(portal.deal(), name="New"), update(404, name="New"))
    assert good.receipt is not None
    assert isinstance(bad.error, NotFound)


def test_a_property_that_the_portal_has_not_is_named(hubspot, portal, update):
    (outcome,) = applied(hubspot, update(portal.deal(), invoice_number="INV-7"))
    assert isinstance(outcome.error, Unsupported)
    assert "tieout_invoice_number" in outcome.error.vendor_words


def test_a_unique_value_that_another_deal_has_is_a_duplicate(hubspot, portal, update):
    portal.define("deals", custom(name="tieout_mark", label="Mark", unique=True))
    portal.deal(tieout_mark="M-1")
    (outcome,) = applied(hubspot, update(portal.deal(), mark="M-1"))
    assert isinstance(outcome.error, Duplicate)


def test_a_merged_deal_is_written_under_its_new_id(hubspot, portal, update):
    kept, other = portal.deal(), portal.deal()
    merged = portal.merge("deals", portal.find("deals", kept), portal.find("deals", other))
    (outcome,) = applied(hubspot, update(kept, name="New"))
    assert outcome.receipt.ref.id == str(merged.id)


def test_an_item_that_the_answer_leaves_out_is_unknown(hubspot, portal, update):
    deals = [portal.deal() for _ in range(3)]
    portal.faults.add(fault="drop_item", path="/batch/update$")
    outcomes = applied(hubspot, *(update(deal, name="New") for deal in deals))
    assert sorted(type(outcome.error).__name__ for outcome in outcomes) == [
        "NoneType",
        "NoneType",
        "OutcomeUnknown",
    ]


def test_results_in_another_order_reach_their_items(hubspot, portal, update):
    deals = [portal.deal() for _ in range(9)]
    portal.faults.add(fault="reorder", path="/batch/update$")
    outcomes = applied(hubspot, *(update(deal, name="New") for deal in deals))
    assert [outcome.receipt.ref.id for outcome in outcomes] == deals


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"fault": "refuse"}, OutcomeUnknown),
        ({"fault": "lose_answer"}, OutcomeUnknown),
        ({"fault": "cut_body"}, OutcomeUnknown),
        ({"fault": "not_json"}, OutcomeUnknown),
        ({"fault": "html"}, OutcomeUnknown),
        ({"fault": "status", "status": 500}, OutcomeUnknown),
        ({"fault": "status", "status": 503}, OutcomeUnknown),
        ({"fault": "status", "status": 429}, RateLimited),
        ({"fault": "status", "status": 429, "spelling": "secondly"}, RateLimited),
        ({"fault": "status", "status": 429, "spelling": "daily"}, QuotaExhausted),
        ({"fault": "status", "status": 423}, RateLimited),
        ({"fault": "status", "status": 477}, RateLimited),
        ({"fault": "status", "status": 401}, TokenRefused),
        ({"fault": "status", "status": 401, "spelling": "expired"}, TokenRefused),
        ({"fault": "status", "status": 403}, Unauthorized),
    ],
)
def test_what_an_answer_means_for_every_item_and_it_is_sent_once(
    hubspot, portal, update, fault, error
):
    deals = [portal.deal() for _ in range(2)]
    portal.faults.add(path="/batch/update$", count=None, **fault)
    outcomes = applied(hubspot, *(update(deal, name="New") for deal in deals))
    assert [type(outcome.error) for outcome in outcomes] == [error, error]
    assert portal.faults.listed[0].fired == 1


def test_nobody_listening_means_that_nothing_was_sent(opened, update):
    session = opened(url="http://127.0.0.1:9")
    (outcome,) = applied(session, update(1, name="New"))
    assert type(outcome.error) is Unavailable


def test_the_pause_that_hubspot_asks_for_is_kept(hubspot, portal, update):
    portal.faults.add(fault="status", status=429, retry_after=7, path="/batch/update$")
    (outcome,) = applied(hubspot, update(portal.deal(), name="New"))
    assert outcome.error.after_secs == 7.0


def test_outcomes_carry_the_vendors_trace_id(hubspot, portal, update):
    good, bad = applied(hubspot, update(portal.deal(), name="New"), update(404, name="New"))
    assert good.trace_id
    assert bad.trace_id == bad.error.trace_id == good.trace_id


@pytest.mark.parametrize(
    "values", [{"is_won": True}, {"close_date": "2026-03-31"}, {"name": ["a"]}, {"name": {"a": 1}}]
)
def test_what_no_call_can_carry_is_refused_before(hubspot, update, values):
    with pytest.raises(InvalidField):
        hubspot.prepare([update(1, **values)])


def test_what_hubspot_does_not_do_is_refused_before(hubspot):
    ref = Ref(hubspot.company, "deal", "1")
    for change in (Void(ref, Version("1")), Create("deal", {}), Create("invoice", {})):
        with pytest.raises(Unsupported):
            hubspot.prepare([Request("K", change)])


def test_bytes_of_somebody_else_are_not_sent(hubspot, update):
    from dataclasses import replace

    (parcel,) = hubspot.prepare([update(1, name="New")])
    with pytest.raises(InvariantError):
        hubspot.apply(replace(parcel, body=json.dumps({"inputs": []}, indent=1).encode()))


# -- provisioning -------------------------------------------------------------------------------


def test_what_our_fields_need_is_provisioned_once(hubspot, portal):
    requests = [Request(f"K{n}", change) for n, change in enumerate(hubspot.provisions())]
    assert [outcome.error for outcome in applied(hubspot, *requests)] == [None] * len(requests)
    fields = hubspot.describe("deal")
    assert fields["mark"].unique
    assert fields["invoice_status"].choices == tuple(STATUSES)
    assert {fields[name].type for name in ("invoice_due_date", "last_payment_date")} == {"date"}
    again = applied(hubspot, *requests)
    assert {type(outcome.error) for outcome in again} == {Duplicate}


def test_every_field_of_ours_that_needs_it_is_provisioned(hubspot):
    from connectors.hubspot.facts import facts

    needed = {
        (kind, field.property)
        for kind in ("deal", "company")
        for field in facts().kinds[kind].fields.values()
        if field.property.startswith("tieout_")
    }
    made = [change.values for change in hubspot.provisions() if change.kind == "property"]
    assert {(values["object"], values["name"]) for values in made} == needed


def test_after_provisioning_the_write_back_is_accepted(hubspot, portal, update):
    applied(hubspot, *(Request(f"K{n}", one) for n, one in enumerate(hubspot.provisions())))
    values = {
        "mark": "M-1",
        "invoice_number": "INV-7",
        "invoice_url": "https://books.example/7",
        "invoice_status": "part-paid",
        "invoice_total": "119",
        "invoice_balance": "19.5",
        "invoice_due_date": "2026-04-30",
        "last_payment_date": "2026-04-01",
        "invoice_error": "",
        "invoice_checked_at": "2026-04-01T10:00:00.000Z",
        "invoice_approval": "approved",
        "invoice_tied_out_at": "2026-04-01T10:00:00.000Z",
    }
    deal = portal.deal()
    (outcome,) = applied(hubspot, update(deal, **values))
    assert outcome.error is None
    (record,) = hubspot.fetch([Ref(hubspot.company, "deal", deal)])
    assert record.fields["invoice_due_date"].isoformat() == "2026-04-30"
    assert record.fields["invoice_error"] is None


def test_a_key_that_may_not_make_properties_says_so(opened, portal):
    portal.tokens["narrow"] = Token(scopes=frozenset({"crm.objects.deals.read"}))
    session = opened(token="narrow")
    (outcome,) = applied(session, Request("K", session.provisions()[0]))
    assert isinstance(outcome.error, Unauthorized)
    assert "scope" in str(outcome.error)


@pytest.mark.parametrize("values", [{"object": "nephew"}, {"object": "deal", "type": "colour"}])
def test_a_property_that_makes_no_sense_is_refused_before(hubspot, values):
    whole = {"name": "n", "label": "N", "group": "g", "type": "text", **values}
    with pytest.raises(InvalidField):
        hubspot.prepare([Request("K", Create("property", whole))])


def test_who_may_edit_is_left_to_a_super_admin_as_no_call_says_or_sets_it(hubspot):
    (right,) = hubspot.advice()
    assert right.held is None
    assert "deal properties, group tieout; company properties, group tieout" in right.said
    assert right in hubspot.rights()
