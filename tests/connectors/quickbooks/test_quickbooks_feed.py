"""What moved in the books: nothing lost, nothing twice, few calls (R24, R50, R51)."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from connectors.quickbooks.feed import Place
from tieout.model.contract import Opening
from tieout.model.errors import Unavailable, ValueRefused
from tieout.model.record import Seen
from tieout.model.ref import Ref, Version

BOOKS = "quickbooks:913"


def addresses(events, kind):
    return [event.ref.id for event in events if event.ref.kind == kind]


def test_the_first_read_shows_everything_in_two_calls(books):
    books.make_invoice()
    events, _ = books.first_read()
    assert Counter(event.ref.kind for event in events) == {
        "account": 7,
        "class": 2,
        "customer": 3,
        "custom_field": 1,
        "invoice": 1,
        "item": 5,
        "payment_method": 4,
        "preferences": 1,
        "tax_code": 3,
        "term": 5,
    }
    assert all(event.record is not None for event in events)
    assert books.connector.calls == {"read batch": 2}


def test_settings_that_check_just_read_are_not_read_again(books):
    books.connector.check()
    books.first_read()
    assert books.connector.calls == {"read batch": 2}


def test_inactive_records_are_read_as_well(books):
    books.deed("inactivate", kind="Customer", id="2")
    events, _ = books.first_read()
    (customer,) = [event.record for event in events if event.ref == Ref(BOOKS, "customer", "2")]
    assert customer.fields["active"] is False


def test_transactions_are_read_from_twin_days_before_the_cutover(open_books):
    books = open_books(
        country="DE",
        home_currency="EUR",
        opening=Opening("913", cutover_date=date(2026, 3, 1), options={"twin_days": 10}),
    )
    books.make_invoice(TxnDate="2026-02-18")
    inside = books.make_invoice(TxnDate="2026-02-19")
    assert addresses(books.first_read()[0], "invoice") == [inside["Id"]]


def test_a_list_of_many_pages_is_read_whole(books):
    made = [books.make_invoice()["Id"] for _ in range(2400)]
    events, _ = books.first_read()
    assert addresses(events, "invoice") == made
    # the settings, the first page of every list, and each further page by itself
    assert books.connector.calls == {"read batch": 2, "read query": 2}


def test_a_first_read_that_is_cut_off_begins_again(books):
    for _ in range(1100):
        books.make_invoice()
    pages = list(books.connector.changes(books.kinds, None))
    assert [page.last for page in pages] == [False, True]
    again, _ = books.since(pages[0].cursor)
    assert len(again) == sum(len(page.events) for page in pages)


def test_a_read_without_changes_is_one_call_and_tells_nothing(books):
    books.make_invoice()
    _, cursor = books.first_read()
    before = dict(books.connector.calls)
    events, later = books.since(cursor)
    assert events == []
    assert books.connector.calls == {**before, "read cdc": 1}
    assert books.since(later)[0] == []


def test_a_change_is_told_once_although_the_questions_overlap(books):
    _, cursor = books.first_read()
    books.clock.advance(30)
    invoice = books.make_invoice()
    books.clock.advance(30)
    events, cursor = books.since(cursor)
    assert addresses(events, "invoice") == [invoice["Id"]]
    books.clock.advance(30)
    events, cursor = books.since(cursor)
    assert events == []
    books.deed("edit", id=invoice["Id"], changes={"PrivateNote": "looked at"})
    events, _ = books.since(cursor)
    assert [(event.ref.id, event.record.version) for event in events] == [(invoice["Id"], "1")]


def test_a_change_that_the_index_shows_late_is_not_lost(books):
    """The next question reaches ten minutes behind the last answer (R51)."""
    _, cursor = books.first_read()
    invoice = books.make_invoice()
    late = Place.of(cursor)
    cursor = replace(late, at=late.at + timedelta(minutes=9)).cursor()
    assert addresses(books.since(cursor)[0], "invoice") == [invoice["Id"]]


def test_a_deleted_payment_is_gone_by_its_bare_id(books):
    invoice = books.make_invoice()
    paid = books.deed("receive_payment", invoices={invoice["Id"]: None})
    _, cursor = books.first_read()
    books.clock.advance(60)
    books.deed("delete", kind="Payment", id=paid["Id"])
    events, _ = books.since(cursor)
    gone = [event for event in events if event.seen is Seen.GONE]
    assert [event.ref for event in gone] == [Ref(BOOKS, "payment", paid["Id"])]
    assert gone[0].record is None
    assert addresses(events, "invoice") == [invoice["Id"]]


def test_a_void_by_a_person_shows_a_voided_record(books, invoice_request):
    record = books.created(invoice_request())
    _, cursor = books.first_read()
    books.clock.advance(60)
    books.deed("void", id=record.ref.id)
    events, _ = books.since(cursor)
    (invoice,) = [event.record for event in events if event.ref == record.ref]
    assert invoice.fields["voided"] is True
    assert invoice.fields["total"] == Decimal(0)
    assert invoice.fields["marker"] == record.fields["marker"]


def test_payments_credits_and_refunds_come_from_their_own_objects(books):
    invoice = books.make_invoice()
    paid = books.deed("receive_payment", invoices={invoice["Id"]: "60.00"}, total="75.50")
    events, _ = books.first_read()
    (payment,) = [event.record for event in events if event.ref.kind == "payment"]
    assert payment.ref.id == paid["Id"]
    assert payment.fields["total"] == Decimal("75.50")
    assert payment.fields["unapplied"] == Decimal("15.50")
    assert payment.fields["allocations"] == [
        {"kind": "invoice", "id": invoice["Id"], "amount": Decimal("60.00")}
    ]
    (shown,) = [event.record for event in events if event.ref.kind == "invoice"]
    assert shown.fields["balance"] == Decimal("59.00")


def test_events_are_told_oldest_first(books):
    _, cursor = books.first_read()
    books.clock.advance(60)
    first = books.make_invoice()
    books.clock.advance(60)
    books.deed("rename_customer", id="2", name="Renamed")
    books.clock.advance(60)
    second = books.make_invoice()
    events, _ = books.since(cursor)
    assert [event.ref.id for event in events] == [first["Id"], "2", second["Id"]]
    assert [event.at for event in events] == sorted(event.at for event in events)


@pytest.mark.parametrize("truncation", ["oldest", "newest", "by_kind"])
def test_a_full_answer_loses_nothing(open_books, truncation):
    books = open_books(country="DE", home_currency="EUR", cdc_truncation=truncation)
    _, cursor = books.first_read()
    books.clock.advance(60)
    made = []
    for _ in range(1300):
        made.append(books.make_invoice()["Id"])
        books.clock.advance(0.2)
    books.deed("rename_customer", id="2", name="Renamed")
    events, cursor = books.since(cursor)
    assert addresses(events, "invoice") == made
    assert "2" in addresses(events, "customer")
    assert len(events) == len({event.ref for event in events})


def test_a_full_answer_of_many_small_kinds_loses_nothing(open_books):
    books = open_books(country="DE", home_currency="EUR", cdc_truncation="by_kind")
    _, cursor = books.first_read()
    books.clock.advance(60)
    named = ("Term", "Class", "Department", "PaymentMethod", "Account")
    for number in range(98):
        for kind in named:
            books.make(kind, {"Name": f"{kind} {number}"})
        for kind in ("Customer", "Vendor", "Employee"):
            books.make(kind, {"DisplayName": f"{kind} {number}"})
        books.make("Item", {"Name": f"Item {number}", "IncomeAccountRef": {"value": "5"}})
        books.make_invoice()
        books.make("Payment", {"CustomerRef": {"value": "1"}, "TotalAmt": 1})
    events, _ = books.since(cursor)
    assert set(Counter(event.ref.kind for event in events).values()) == {98}
    assert len(events) == 11 * 98


def test_a_full_answer_keeps_deletions(books):
    _, cursor = books.first_read()
    books.clock.advance(60)
    made = []
    for _ in range(2100):
        made.append(books.make_invoice()["Id"])
        books.clock.advance(0.2)
    books.deed("delete", id=made[5])
    books.deed("delete", id=made[1500])
    events, _ = books.since(cursor)
    gone = [event.ref.id for event in events if event.seen is Seen.GONE]
    assert sorted(gone) == sorted([made[5], made[1500]])
    assert set(addresses(events, "invoice")) == set(made)


def test_settings_that_no_feed_carries_are_told_daily(books):
    _, cursor = books.first_read()
    books.clock.advance(23 * 3600)
    assert books.since(cursor)[0] == []
    books.deed("close_books", until="2026-02-28")
    books.clock.advance(3600)
    events, cursor = books.since(cursor)
    (preferences,) = [event.record for event in events if event.ref.kind == "preferences"]
    assert preferences.fields["closed_through"] == date(2026, 2, 28)
    assert {event.ref.kind for event in events} == {"preferences", "tax_code", "custom_field"}
    assert books.since(cursor)[0] == []


def test_settings_that_were_read_for_another_reason_are_told_without_a_call(books):
    """At a start and before a push they are read anyway: nobody waits a day for a new tax code."""
    _, cursor = books.first_read()
    books.deed("close_books", until="2026-02-28")
    books.clock.advance(60)
    books.connector.check()
    before = dict(books.connector.calls)
    events, cursor = books.since(cursor)
    (preferences,) = [event.record for event in events if event.ref.kind == "preferences"]
    assert preferences.fields["closed_through"] == date(2026, 2, 28)
    assert books.connector.calls == {**before, "read cdc": before.get("read cdc", 0) + 1}
    assert books.since(cursor)[0] == []


def test_settings_that_moved_within_the_second_in_which_they_were_told_are_told_again(books):
    """The server's clock has whole seconds, so the times of both readings are the same."""
    _, cursor = books.first_read()
    books.deed("close_books", until="2026-02-28")
    books.connector.check()
    events, cursor = books.since(cursor)
    (preferences,) = [event.record for event in events if event.ref.kind == "preferences"]
    assert preferences.fields["closed_through"] == date(2026, 2, 28)
    assert books.since(cursor)[0] == []


def test_a_cursor_older_than_the_feed_reads_everything_again(books):
    _, cursor = books.first_read()
    books.clock.advance(31 * 86_400)
    events, _ = books.since(cursor)
    assert len(addresses(events, "customer")) == 3


def test_a_feed_that_cannot_be_read_raises_and_moves_nothing(books):
    _, cursor = books.first_read()
    books.fault(fault="status", path="/cdc$", status=500, count=None)
    with pytest.raises(Unavailable):
        books.since(cursor)


def test_a_throttled_feed_waits_as_asked_and_goes_on(books):
    _, cursor = books.first_read()
    started = books.clock()
    books.fault(fault="status", path="/cdc$", status=429, retry_after=7, spelling="fault")
    assert books.since(cursor)[0] == []
    assert books.clock() - started >= timedelta(seconds=7)


def test_a_feed_that_is_rewound_tells_again_what_it_told(books):
    _, cursor = books.first_read()
    books.clock.advance(600)
    invoice = books.make_invoice()
    books.clock.advance(3000)
    _, cursor = books.since(cursor)
    assert books.connector.rewound(books.kinds, cursor, books.clock()) == cursor
    rewound = books.connector.rewound(books.kinds, cursor, books.clock() - timedelta(hours=1))
    assert addresses(books.since(rewound)[0], "invoice") == [invoice["Id"]]


def test_a_place_is_its_cursor():
    place = Place(
        at=datetime(2026, 3, 31, 12, tzinfo=UTC),
        settings_at=datetime(2026, 3, 31, 11, tzinfo=UTC),
        settings="0123456789abcdef",
        seen=frozenset({"Invoice 1 0 1"}),
    )
    assert Place.of(place.cursor()) == place
    assert Place.of(Place().cursor()) == Place()


@pytest.mark.parametrize("cursor", ["", "7", "nonsense", '{"at":"yesterday"}'])
def test_a_cursor_of_another_feed_is_refused(cursor):
    with pytest.raises(ValueRefused):
        Place.of(cursor)


def test_amounts_are_decimals_days_are_days_and_instants_are_aware(books, invoice_request):
    record = books.created(
        invoice_request(custom_fields={"1": "PO-77"}, due_date="2026-04-30", email="ap@a.example")
    )
    assert record.version == Version("0")
    assert record.updated_at.tzinfo == UTC
    assert record.fields == {
        "number": "1001",
        "customer": "1",
        "currency": "EUR",
        "date": date(2026, 3, 31),
        "due_date": date(2026, 4, 30),
        "terms": None,
        "net": Decimal("99.99"),
        "tax": Decimal("19.00"),
        "total": Decimal("118.99"),
        "balance": Decimal("118.99"),
        "memo": "HubSpot deal 1",
        "message": None,
        "email": "ap@a.example",
        "marker": "0000000000000001-1",
        "voided": False,
        "project": None,
        "department": None,
        "custom_fields": {"1": "PO-77"},
        "lines": [
            {
                "item": "2",
                "description": "Consulting",
                "quantity": Decimal(3),
                "unit_price": Decimal("33.33"),
                "amount": Decimal("99.99"),
                "tax_code": "1",
            }
        ],
        "url": "https://app.qbo.intuit.com/app/invoice?txnId=1",
    }
