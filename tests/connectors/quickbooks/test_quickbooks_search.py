"""Reading by address, and finding what a lost answer may have made (R48, pain 13)."""

from datetime import timedelta

import pytest

from tieout.model.errors import Unavailable, Unsupported
from tieout.model.lookup import Absent, Ambiguous, Found, Lookup, NotKnown
from tieout.model.record import Gone, Record, Unreadable
from tieout.model.ref import Ref

BOOKS = "quickbooks:913"


def by_marker(value, since, kind="invoice"):
    return Lookup(kind, "marker", value, since=since)


def test_what_was_written_under_a_key_is_found_by_its_marker(books, invoice_request):
    began = books.clock()
    record = books.created(invoice_request(7))
    (found,) = books.connector.find("invoice", [by_marker("0000000000000007-1", began)])
    assert found == Found(record.ref, "marker", 0, record)


def test_the_marker_itself_can_be_asked_for_too(books, invoice_request):
    began = books.clock()
    record = books.created(invoice_request(7))
    (found,) = books.connector.find("invoice", [by_marker("[TIEOUT:0000000000000007-1]", began)])
    assert found.ref == record.ref


def test_one_call_serves_all_unknowns_of_a_kind(books, invoice_request):
    began = books.clock()
    books.send(*[invoice_request(number) for number in range(1, 41)])
    before = books.connector.calls.get("read query", 0)
    wanted = [by_marker(f"{number:016X}-1", began) for number in range(1, 51)]
    answers = books.connector.find("invoice", wanted)
    assert [type(answer) for answer in answers] == [Found] * 40 + [Absent] * 10
    assert books.connector.calls["read query"] == before + 1


def test_an_absence_says_as_of_when_by_the_servers_clock(books):
    (absent,) = books.connector.find("invoice", [by_marker("0000000000000007-1", books.clock())])
    assert absent == Absent(books.clock().replace(microsecond=0))


def test_a_search_reaches_a_quarter_of_an_hour_behind_the_first_attempt(books, invoice_request):
    record = books.created(invoice_request(7))
    near = by_marker("0000000000000007-1", books.clock() + timedelta(minutes=14))
    far = by_marker("0000000000000007-1", books.clock() + timedelta(minutes=16))
    (found,) = books.connector.find("invoice", [near])
    assert found.ref == record.ref
    (missed,) = books.connector.find("invoice", [far])
    assert isinstance(missed, Absent)


def test_two_records_with_one_marker_are_ambiguous(books, invoice_request):
    began = books.clock()
    record = books.created(invoice_request(7))
    copy = books.deed("copy_invoice", id=record.ref.id)
    (answer,) = books.connector.find("invoice", [by_marker("0000000000000007-1", began)])
    assert isinstance(answer, Ambiguous)
    assert set(answer.refs) == {record.ref, Ref(BOOKS, "invoice", copy["Id"])}


def test_another_generation_is_another_marker(books, invoice_request):
    began = books.clock()
    books.created(invoice_request(7, generation=2))
    (first,) = books.connector.find("invoice", [by_marker("0000000000000007-1", began)])
    assert isinstance(first, Absent)


def test_a_marker_on_the_second_page_is_found(books, invoice_request):
    began = books.clock()
    for _ in range(1200):
        books.make_invoice()
    record = books.created(invoice_request(7))
    (found,) = books.connector.find("invoice", [by_marker("0000000000000007-1", began)])
    assert found.ref == record.ref


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 503}, {"status": 429}])
def test_a_search_that_was_not_finished_is_not_an_absence(books, fault):
    books.fault(fault="status", path="/query$", count=None, **fault)
    (answer,) = books.connector.find("invoice", [by_marker("0000000000000007-1", books.clock())])
    assert isinstance(answer, NotKnown)


@pytest.mark.parametrize("fault", ["short_page", "html", "cut_body", "not_json"])
def test_an_answer_that_is_not_whole_is_not_an_absence(books, fault):
    books.make_invoice()
    books.fault(fault=fault, path="/query$", count=None)
    (answer,) = books.connector.find("invoice", [by_marker("0000000000000007-1", books.clock())])
    assert isinstance(answer, NotKnown)
    assert isinstance(answer.error, Unavailable)


def test_a_search_cut_off_once_is_asked_again(books, invoice_request):
    began = books.clock()
    record = books.created(invoice_request(7))
    books.fault(fault="cut_body", path="/query$")
    (found,) = books.connector.find("invoice", [by_marker("0000000000000007-1", began)])
    assert found.ref == record.ref


@pytest.mark.parametrize("name", ["O'Hara & Sons", "back\\slash", "贸易 Möbel", "a\\'b"])
def test_a_customer_is_found_by_its_exact_name(books, name):
    made = books.make("Customer", {"DisplayName": name, "CurrencyRef": {"value": "EUR"}})
    asked = [Lookup("customer", "name", f" {name} "), Lookup("customer", "name", "Nobody")]
    found, absent = books.connector.find("customer", asked)
    assert found.ref == Ref(BOOKS, "customer", made["Id"])
    assert isinstance(absent, Absent)


def test_a_name_in_other_letters_is_another_name(books):
    books.make("Customer", {"DisplayName": "ACME", "CurrencyRef": {"value": "EUR"}})
    (answer,) = books.connector.find("customer", [Lookup("customer", "name", "Acme")])
    assert isinstance(answer, Absent)


def test_inactive_records_are_found_by_name(books):
    books.deed("inactivate", kind="Item", id="2")
    (found,) = books.connector.find("item", [Lookup("item", "name", "Consulting")])
    assert found.record.fields["active"] is False


def test_an_invoice_is_found_by_its_number_and_by_its_id(books, invoice_request):
    record = books.created(invoice_request())
    asked = [Lookup("invoice", "number", "1001"), Lookup("invoice", "id", record.ref.id)]
    assert [answer.ref for answer in books.connector.find("invoice", asked)] == [record.ref] * 2


@pytest.mark.parametrize(("kind", "by"), [("customer", "email"), ("item", "sku"), ("term", "id2")])
def test_what_the_books_cannot_be_asked_is_not_known(books, kind, by):
    (answer,) = books.connector.find(kind, [Lookup(kind, by, "x")])
    assert isinstance(answer, NotKnown)
    assert isinstance(answer.error, Unsupported)


def test_each_asked_record_is_answered_in_its_place(books, invoice_request):
    record = books.created(invoice_request())
    gone = books.make_invoice()
    books.deed("delete", id=gone["Id"])
    asked = [
        Ref(BOOKS, "invoice", gone["Id"]),
        Ref(BOOKS, "preferences", "1"),
        record.ref,
        Ref(BOOKS, "customer", "2"),
        Ref(BOOKS, "tax_code", "99"),
        record.ref,
    ]
    answers = list(books.connector.fetch(asked))
    assert [type(answer) for answer in answers] == [Gone, Record, Record, Record, Gone, Record]
    assert [answer.ref for answer in answers] == asked
    assert "610" in answers[0].evidence


def test_many_records_are_read_in_one_call(books):
    refs = [Ref(BOOKS, "invoice", books.make_invoice()["Id"]) for _ in range(300)]
    books.connector.check()
    assert [answer.ref for answer in books.connector.fetch(refs)] == refs
    assert books.connector.calls == {"read batch": 2}


def test_an_unanswered_part_of_a_reading_hides_no_other(books):
    refs = [Ref(BOOKS, "invoice", books.make_invoice()["Id"]) for _ in range(250)]
    books.connector.check()
    books.fault(fault="omit_batch_item", path="/batch$")
    books.fault(fault="refuse", path="/query$", count=None)
    answers = list(books.connector.fetch(refs))
    assert [answer.ref for answer in answers] == refs
    unread = [answer for answer in answers if isinstance(answer, Unreadable)]
    assert len(unread) in (50, 100)
    assert {type(answer.error) for answer in unread} == {Unavailable}


def test_a_call_that_fails_leaves_each_record_unread(books):
    refs = [Ref(BOOKS, "invoice", books.make_invoice()["Id"]) for _ in range(150)]
    books.connector.check()
    books.fault(fault="status", status=500, path="/(batch|invoice/.*)$", count=None)
    answers = list(books.connector.fetch(refs))
    assert {type(answer) for answer in answers} == {Unreadable}


def test_inactive_records_are_fetched(books):
    books.deed("inactivate", kind="Customer", id="2")
    (customer,) = books.connector.fetch([Ref(BOOKS, "customer", "2")])
    assert customer.fields["active"] is False


@pytest.mark.parametrize("fault", ["refuse", "html", "cut_body", "lose_answer"])
def test_a_failed_read_never_says_that_a_record_is_gone(books, fault):
    made = books.make_invoice()
    ref = Ref(BOOKS, "invoice", made["Id"])
    books.connector.check()
    books.fault(fault=fault, path="/(query|invoice/.*)$", count=None)
    (answer,) = books.connector.fetch([ref])
    assert isinstance(answer, Unreadable)
    assert isinstance(answer.error, Unavailable)


def test_preferences_are_read_anew_on_demand(books):
    books.connector.check()
    books.deed("close_books", until="2026-02-28")
    (preferences,) = books.connector.fetch([Ref(BOOKS, "preferences", "1")])
    assert preferences.fields["closed_through"].isoformat() == "2026-02-28"
