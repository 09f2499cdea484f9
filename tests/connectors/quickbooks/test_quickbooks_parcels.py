"""Packing changes into calls, and what becomes of each (R22, R23, R30, pain 1)."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from connectors.quickbooks import QuickBooks
from tieout.credentials import StaticToken
from tieout.model.change import Create, Update, Void
from tieout.model.contract import Opening, Request
from tieout.model.errors import (
    AskedBefore,
    Duplicate,
    InvalidField,
    MissingReference,
    NextStep,
    OutcomeUnknown,
    PeriodClosed,
    RateLimited,
    Rejected,
    StaleVersion,
    Unauthorized,
    Unavailable,
)
from tieout.model.lookup import Found, Lookup
from tieout.model.ref import Ref, Version

BOOKS = "quickbooks:913"


def errors(outcomes):
    return [type(outcome.error) for outcome in outcomes]


def invoices_in(books):
    return len(books.company.tables["Invoice"].rows)


def customer(name, key="00000000000000AA-1", **more):
    return Request(key, Create("customer", {"name": name, "currency": "EUR", **more}))


# -- packing


def test_every_request_is_in_exactly_one_parcel_in_batches_of_thirty(books, invoice_request):
    requests = [invoice_request(number) for number in range(1, 64)]
    parcels = books.connector.prepare(requests)
    assert [len(parcel.items) for parcel in parcels] == [30, 30, 3]
    assert [item.key for parcel in parcels for item in parcel.items] == [r.key for r in requests]
    assert {parcel.call for parcel in parcels} == {"POST batch"}


def test_kinds_do_not_share_a_batch_and_a_lone_change_is_a_single_call(books, invoice_request):
    requests = [invoice_request(1), customer("A"), invoice_request(2)]
    parcels = books.connector.prepare(requests)
    assert [parcel.call for parcel in parcels] == ["POST batch", "POST customer"]


def test_ids_are_as_short_as_the_vendor_demands(books, invoice_request):
    requests = [invoice_request(number) for number in range(1, 31)]
    (parcel,) = books.connector.prepare(requests)
    assert len(parcel.request_id) <= 36
    assert [item["bId"] for item in json.loads(parcel.body)["BatchItemRequest"]] == [
        item.item_id for item in parcel.items
    ]
    assert all(len(item.item_id) <= 10 for item in parcel.items)


def test_the_same_changes_are_the_same_bytes_and_another_body_is_another_asking(
    books, invoice_request
):
    first = books.connector.prepare([invoice_request(1), invoice_request(2)])
    again = books.connector.prepare([invoice_request(1), invoice_request(2)])
    other = books.connector.prepare([invoice_request(1), invoice_request(2, date="2026-04-01")])
    moved = books.connector.prepare([invoice_request(1), invoice_request(3)])
    anew = books.connector.prepare([invoice_request(1), replace(invoice_request(2), asking=2)])
    assert first == again
    assert anew[0].body == first[0].body
    assert len({parcels[0].request_id for parcels in (first, other, moved, anew)}) == 4


def test_batches_can_be_made_smaller(open_books, invoice_request):
    books = open_books(country="DE", home_currency="EUR", multicurrency=True, options={"batch": 10})
    parcels = books.connector.prepare([invoice_request(number) for number in range(1, 26)])
    assert [len(parcel.items) for parcel in parcels] == [10, 10, 5]
    assert books.connector.capabilities.kinds["invoice"].batch == 10


def test_fast_spreads_single_calls_evenly_between_full_batches(hurried, invoice_request):
    """So a batch that waits for its minute holds up no single call that could go."""
    requests = [invoice_request(number) for number in range(1, 167)]
    parcels = hurried().connector.prepare(requests)
    sizes = [len(parcel.items) for parcel in parcels]
    assert sizes == [30, *[1] * 11, 30, *[1] * 12, 30, *[1] * 11, 30, *[1] * 12]
    assert [item.key for parcel in parcels for item in parcel.items] == [r.key for r in requests]


@pytest.mark.parametrize(
    ("count", "sizes"),
    [
        (1, {1: 1}),
        (30, {30: 1}),
        (31, {30: 1, 1: 1}),
        (41, {30: 1, 1: 11}),
        (42, {30: 1, 12: 1}),
        (84, {30: 2, 24: 1}),
        (900, {30: 22, 1: 240}),
    ],
)
def test_fast_sends_no_more_alone_than_the_minute_has_calls_beside_its_batches(
    hurried, invoice_request, count, sizes
):
    requests = [invoice_request(number) for number in range(1, count + 1)]
    parcels = hurried().connector.prepare(requests)
    assert Counter(len(parcel.items) for parcel in parcels) == sizes


@pytest.mark.parametrize(
    ("rates", "sizes"),
    [
        ({"batches_per_minute": 100}, {30: 5, 1: 16}),
        ({"per_second": 5}, {30: 5, 1: 16}),
        ({"per_minute": 40}, {30: 5, 16: 1}),
        ({"batch": 10}, {10: 8, 1: 86}),
    ],
)
def test_fast_follows_the_rates_that_were_set(hurried, invoice_request, rates, sizes):
    requests = [invoice_request(number) for number in range(1, 167)]
    parcels = hurried(**rates).connector.prepare(requests)
    assert Counter(len(parcel.items) for parcel in parcels) == sizes


def test_a_parcel_names_no_host_and_no_secret(books, invoice_request):
    (parcel,) = books.connector.prepare([invoice_request()])
    shown = repr(parcel)
    assert "127.0.0.1" not in shown
    assert "good" not in shown


def test_nothing_is_packed_into_nothing(books):
    assert books.connector.prepare([]) == ()
    assert books.connector.calls == {}


# -- what was done


def test_a_batch_answers_for_each_of_its_items(books, invoice_request):
    outcomes = books.send(*[invoice_request(number) for number in range(1, 4)])
    assert [outcome.receipt.record.fields["marker"] for outcome in outcomes] == [
        outcome.key for outcome in outcomes
    ]
    assert [outcome.receipt.record.fields["number"] for outcome in outcomes] == [
        "1001",
        "1002",
        "1003",
    ]
    assert all(outcome.trace_id for outcome in outcomes)
    assert books.connector.calls == {"read batch": 1, "write batch": 1}


def test_one_refused_item_does_not_touch_the_others(books, invoice_request):
    wrong = invoice_request(2, customer="999")
    outcomes = books.send(invoice_request(1), wrong, invoice_request(3))
    assert errors(outcomes) == [type(None), MissingReference, type(None)]
    assert outcomes[1].error.vendor_code == "2500"
    assert "999 not found" in outcomes[1].error.vendor_words


def test_answers_in_another_order_find_their_items(open_books, invoice_request):
    books = open_books(
        country="DE", home_currency="EUR", multicurrency=True, shuffle_batches=True, seed=3
    )
    outcomes = books.send(*[invoice_request(number) for number in range(1, 21)])
    assert all(o.receipt.record.fields["marker"] == o.key for o in outcomes)


def test_an_item_missing_from_the_answer_is_unknown_and_not_failed(books, invoice_request):
    books.fault(fault="omit_batch_item", path="/batch$", body="operation")
    outcomes = books.send(*[invoice_request(number) for number in range(1, 4)])
    assert Counter(errors(outcomes)) == {type(None): 2, OutcomeUnknown: 1}
    assert invoices_in(books) == 3


def test_the_same_bytes_again_make_no_second_invoice(books, invoice_request):
    (parcel,) = books.connector.prepare([invoice_request(1), invoice_request(2)])
    first = books.connector.apply(parcel)
    again = books.connector.apply(parcel)
    assert [outcome.receipt.ref for outcome in again] == [o.receipt.ref for o in first]
    assert invoices_in(books) == 2


def test_customers_items_and_payments_are_made(books, invoice_request):
    buyer = books.created(customer("Bär GmbH", email="ap@baer.example", notes="From HubSpot"))
    assert buyer.fields["name"] == "Bär GmbH"
    assert buyer.fields["marker"] == "00000000000000AA-1"
    sold = books.created(
        Request("00000000000000AB-1", Create("item", {"name": "New", "income_account": "5"}))
    )
    assert (sold.fields["type"], sold.fields["income_account"]) == ("service", "5")
    invoice = books.created(invoice_request(1, customer=buyer.ref.id))
    paid = books.created(
        Request(
            "00000000000000AC-1",
            Create(
                "payment",
                {
                    "customer": buyer.ref.id,
                    "date": "2026-04-02",
                    "currency": "EUR",
                    "amount": "118.99",
                    "allocations": [{"kind": "invoice", "id": invoice.ref.id, "amount": "118.99"}],
                },
            ),
        )
    )
    assert paid.fields["unapplied"] == 0
    (invoice,) = books.connector.fetch([invoice.ref])
    assert invoice.fields["balance"] == 0


def test_an_update_changes_what_it_says_and_nothing_else(books, invoice_request):
    record = books.created(invoice_request(1, custom_fields={"1": "PO-1"}))
    change = Update(record.ref, record.version, {"due_date": "2026-06-30"})
    (outcome,) = books.send(Request("0000000000000001-1", change))
    expected = {**record.fields, "due_date": change.values["due_date"]}
    shown = {**outcome.receipt.record.fields, "due_date": "2026-06-30"}
    assert shown == expected
    assert outcome.receipt.version == Version("1")


def test_an_update_of_an_older_version_is_stale(books, invoice_request):
    record = books.created(invoice_request())
    books.deed("edit", id=record.ref.id, changes={"PrivateNote": "mine"})
    change = Update(record.ref, record.version, {"due_date": "2026-06-30"})
    assert errors(books.send(Request("0000000000000001-1", change))) == [StaleVersion]


@pytest.mark.parametrize("kind", ["invoice", "payment"])
def test_a_void_keeps_the_record_with_nothing_in_it(books, invoice_request, kind):
    invoice = books.created(invoice_request())
    if kind == "invoice":
        ref, version = invoice.ref, invoice.version
    else:
        paid = books.deed("receive_payment", invoices={invoice.ref.id: None})
        ref, version = Ref(BOOKS, "payment", paid["Id"]), Version("0")
    (outcome,) = books.send(Request("0000000000000001-1", Void(ref, version)))
    record = outcome.receipt.record
    assert (record.ref, record.fields["voided"], record.fields["total"]) == (ref, True, 0)


def test_the_books_compute_the_tax_in_the_united_states(us_books, invoice_request):
    line = {"item": "2", "quantity": "1", "unit_price": "100", "amount": "100", "tax_code": "TAX"}
    taxed = us_books.created(invoice_request(1, currency="USD", lines=[line]))
    assert (taxed.fields["net"], str(taxed.fields["tax"])) == (100, "7.25")
    ours = us_books.created(invoice_request(2, currency="USD", lines=[line], tax="7.26"))
    assert str(ours.fields["tax"]) == "7.26"


def test_parcels_can_be_applied_side_by_side(books, invoice_request):
    parcels = books.connector.prepare([invoice_request(number) for number in range(1, 601)])
    with ThreadPoolExecutor(6) as pool:
        outcomes = [one for done in pool.map(books.connector.apply, parcels) for one in done]
    assert [outcome.receipt.record.fields["marker"] for outcome in outcomes] == [
        f"{number:016X}-1" for number in range(1, 601)
    ]


# -- what was refused


def test_each_refusal_has_its_next_step(books, invoice_request):
    books.deed("inactivate", kind="Customer", id="3")
    line = {"item": "2", "quantity": "2", "unit_price": "10", "amount": "21", "tax_code": "1"}
    assert errors(books.send(invoice_request(1, lines=[line]))) == [InvalidField]
    assert errors(books.send(invoice_request(2, customer="3"))) == [MissingReference]
    assert errors(books.send(invoice_request(3, currency="CHF"))) == [Rejected]
    taken = books.company.tables["Customer"].rows["1"].body["DisplayName"]
    assert errors(books.send(customer(taken))) == [Duplicate]


@pytest.mark.parametrize("code", ["6200", "6210"])
def test_a_closed_period_is_known_under_either_code(open_books, invoice_request, code):
    books = open_books(
        country="DE", home_currency="EUR", multicurrency=True, closed_period_code=code
    )
    books.deed("close_books", until="2026-03-31")
    assert errors(books.send(invoice_request())) == [PeriodClosed]


def test_a_number_that_is_taken_is_a_duplicate(open_books, invoice_request):
    books = open_books(
        country="DE", home_currency="EUR", multicurrency=True, custom_txn_numbers=True
    )
    books.created(invoice_request(1, number="R-1"))
    assert errors(books.send(invoice_request(2, number="R-1"))) == [Duplicate]


def test_a_remembered_request_id_that_is_not_replayed_is_unknown(open_books, invoice_request):
    for answer in ("6000", "600"):
        books = open_books(
            country="DE", home_currency="EUR", multicurrency=True, replay_answers=answer
        )
        (parcel,) = books.connector.prepare([invoice_request()])
        books.connector.apply(parcel)
        assert errors(books.connector.apply(parcel)) == [AskedBefore]
        assert AskedBefore.next_step is NextStep.LOOK


# -- what nobody knows


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "refuse"},
        {"fault": "lose_answer"},
        {"fault": "commit_late", "seconds": 0.1},
        {"fault": "html"},
        {"fault": "cut_body"},
        {"fault": "not_json"},
        {"fault": "status", "status": 500},
        {"fault": "status", "status": 503},
        {"fault": "status", "status": 504},
        {"fault": "status", "status": 500, "after_commit": True},
        {"fault": "html", "after_commit": True},
    ],
    ids=lambda fault: "-".join(str(part) for part in fault.values()),
)
def test_without_a_well_formed_answer_every_item_is_unknown(books, invoice_request, fault, count):
    requests = [invoice_request(number) for number in range(1, count + 1)]
    (parcel,) = books.connector.prepare(requests)
    books.fault(path="/(batch|invoice)$", **fault)
    assert errors(books.connector.apply(parcel)) == [OutcomeUnknown] * count


def test_a_write_is_sent_once_whatever_happens(books, invoice_request):
    (parcel,) = books.connector.prepare([invoice_request()])
    books.fault(fault="lose_answer", path="/invoice$", count=None)
    books.connector.apply(parcel)
    assert invoices_in(books) == 1
    assert books.connector.calls["write invoice"] == 1


def test_a_lost_answer_is_resolved_by_looking(books, invoice_request):
    began = books.clock()
    (parcel,) = books.connector.prepare([invoice_request()])
    books.fault(fault="lose_answer", path="/invoice$")
    (outcome,) = books.connector.apply(parcel)
    (answer,) = books.connector.find(
        "invoice", [Lookup("invoice", "marker", outcome.key, since=began)]
    )
    assert isinstance(answer, Found)
    assert invoices_in(books) == 1


# -- what was not done


@pytest.mark.parametrize("spelling", ["Fault", "fault"])
def test_throttling_is_a_pause_in_either_spelling(books, invoice_request, spelling):
    (parcel,) = books.connector.prepare([invoice_request(1), invoice_request(2)])
    books.fault(fault="status", status=429, path="/batch$", spelling=spelling, retry_after=17)
    outcomes = books.connector.apply(parcel)
    assert errors(outcomes) == [RateLimited] * 2
    assert {outcome.error.after_secs for outcome in outcomes} == {17.0}
    assert invoices_in(books) == 0


def test_a_pause_that_names_no_time_is_a_minute(books, invoice_request):
    (parcel,) = books.connector.prepare([invoice_request()])
    books.fault(fault="status", status=429, path="/invoice$")
    (outcome,) = books.connector.apply(parcel)
    assert outcome.error.after_secs == 60.0


def test_a_token_that_is_refused_for_good_is_unauthorized_and_nothing_is_done(
    books, invoice_request
):
    (parcel,) = books.connector.prepare([invoice_request()])
    books.fault(fault="status", status=401, path="/invoice$", count=None)
    assert errors(books.connector.apply(parcel)) == [Unauthorized]
    assert invoices_in(books) == 0


def test_a_connection_never_made_is_unavailable(books, invoice_request):
    (parcel,) = books.connector.prepare([invoice_request()])
    nowhere = QuickBooks.open(
        Opening("913"),
        urls={"api": "http://127.0.0.1:9"},
        credentials=StaticToken("env:TOKEN", {"TOKEN": "good"}),
        now=books.clock,
        sleep=lambda _secs: None,
    )
    assert errors(nowhere.apply(parcel)) == [Unavailable]
    nowhere.close()


def test_a_parcel_from_the_ledger_is_sent_as_it_was_written(books, invoice_request):
    """Only what the parcel holds decides: its call, its bytes and its request id."""
    (parcel,) = books.connector.prepare([invoice_request()])
    body = parcel.body.replace(b"HubSpot deal 1", b"HubSpot deal X")
    (outcome,) = books.connector.apply(replace(parcel, body=body))
    assert outcome.receipt.record.fields["memo"] == "HubSpot deal X"
