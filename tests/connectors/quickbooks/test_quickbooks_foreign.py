"""Answers that QuickBooks' pages allow and our simulator does not give."""

import pytest
from foreign_server import Bent

from connectors.quickbooks.settings import settings_of
from tieout.model.errors import Duplicate, OutcomeUnknown, Unavailable, Unsupported
from tieout.model.record import Record, Seen

REFUSED = {"Fault": {"Error": [{"Message": "No", "code": "4001"}], "type": "ValidationFault"}}


@pytest.fixture
def bent(stage, books):
    """Books whose answers a test can bend."""
    stage.app = Bent(stage.app)
    return stage.app


def answers_of(exchange):
    told = exchange.told if isinstance(exchange.told, dict) else {}
    return told.get("BatchItemResponse", [])


# -- batches of writes ----------------------------------------------------------------------------


def test_a_fault_without_its_bid_is_the_items_that_nothing_else_answers(
    books, bent, invoice_request
):
    def nameless(exchange):
        for one in answers_of(exchange):
            if "Fault" in one:
                del one["bId"]

    bent.bends.append(nameless)
    outcomes = books.send(
        invoice_request(1), invoice_request(2, customer="no such"), invoice_request(3)
    )
    assert [outcome.error is None for outcome in outcomes] == [True, False, True]
    assert not isinstance(outcomes[1].error, OutcomeUnknown)


def test_faults_of_different_kinds_without_their_bids_are_nobodys(books, bent, invoice_request):
    def nameless(exchange):
        for one, code in zip(answers_of(exchange), ("6240", "2500"), strict=False):
            one.clear()
            one["Fault"] = {"Error": [{"code": code}], "type": "ValidationFault"}

    bent.bends.append(nameless)
    outcomes = books.send(invoice_request(1), invoice_request(2))
    assert {type(outcome.error) for outcome in outcomes} == {OutcomeUnknown}


@pytest.mark.parametrize("listed", [True, False])
def test_a_fault_in_lower_case_with_one_error_is_understood(books, bent, invoice_request, listed):
    error = {"message": "Duplicate Name Exists Error", "detail": "taken", "code": 6240}

    def lower(exchange):
        exchange.status = 400
        exchange.told = {"fault": {"error": [error] if listed else error, "type": "validation"}}

    books.connector.check()
    bent.bends.append(lower)
    (outcome,) = books.send(invoice_request(1))
    assert isinstance(outcome.error, Duplicate)


# -- the feed -------------------------------------------------------------------------------------


def test_a_deletion_is_told_in_either_case(books, bent):
    paid = books.deed("receive_payment", invoices={books.make_invoice()["Id"]: "10"})
    _, cursor = books.first_read()
    books.deed("delete", kind="Payment", id=paid["Id"])

    def lower(exchange):
        for response in exchange.told.get("CDCResponse", ()):
            for part in response["QueryResponse"]:
                for one in part.get("Payment", ()):
                    one["status"] = one.get("status", "").lower()

    bent.bends.append(lower)
    events, _ = books.since(cursor)
    assert [event.ref.id for event in events if event.seen is Seen.GONE] == [paid["Id"]]


@pytest.mark.parametrize("told", [{}, {"time": "2026-03-31T12:00:00Z"}, {"CDCResponse": "none"}])
def test_an_answer_that_is_no_feed_is_not_read_as_no_change(books, bent, told):
    _, cursor = books.first_read()

    def otherwise(exchange):
        exchange.told = told

    bent.bends.append(otherwise)
    with pytest.raises(Unavailable):
        books.since(cursor)


def test_a_feed_that_refuses_a_kind_is_asked_for_the_others(books, bent):
    _, cursor = books.first_read()
    made = books.make_invoice()

    def refusal(exchange):
        if "Department" in exchange.query.get("entities", ""):
            exchange.status, exchange.told = 400, REFUSED

    bent.refusals.append(refusal)
    events, _ = books.since(cursor)
    assert ("invoice", made["Id"]) in {(event.ref.kind, event.ref.id) for event in events}


def test_a_feed_that_refuses_invoices_is_an_error(books, bent):
    _, cursor = books.first_read()

    def refusal(exchange):
        if "Invoice" in exchange.query.get("entities", ""):
            exchange.status, exchange.told = 400, REFUSED

    bent.refusals.append(refusal)
    with pytest.raises(Unsupported, match="4001"):
        books.since(cursor)


# -- pages ----------------------------------------------------------------------------------------


def test_a_page_that_lacks_rows_and_counts_what_was_asked_is_not_whole(books, bent):
    def short(exchange):
        for one in answers_of(exchange):
            response = one.get("QueryResponse", {})
            if "Customer" in response:
                response["Customer"].pop()
                response["maxResults"] = 1000

    bent.bends.append(short)
    with pytest.raises(Unavailable, match="rows and says"):
        books.first_read()


# -- settings -------------------------------------------------------------------------------------


def test_a_company_that_shows_no_tax_codes_is_still_known(us_books, stage):
    bent = stage.app = Bent(stage.app)

    def refusal(exchange):
        asked = exchange.asked.get("BatchItemRequest", ()) if exchange.asked else ()
        told = {one["bId"]: one for one in answers_of(exchange)}
        for one in asked:
            if "FROM Tax" in one["Query"] or "FROM CompanyCurrency" in one["Query"]:
                told[one["bId"]].pop("QueryResponse", None)
                told[one["bId"]].update(REFUSED)

    bent.bends.append(refusal)
    assert us_books.connector.check().company == "913"
    events, _ = us_books.first_read()
    codes = [event.record.fields["name"] for event in events if event.ref.kind == "tax_code"]
    assert codes == ["TAX", "NON"]


@pytest.mark.parametrize("sales", [{}, {"CustomField": None}, {"CustomField": [{}]}])
def test_a_company_without_custom_fields_has_none(sales):
    told = settings_of({"Country": "DE"}, {"SalesFormsPrefs": sales}, (), (), None)
    assert told.custom_fields == ()


@pytest.mark.parametrize("country", ["US", "USA", "us", "United States", "", None])
def test_the_united_states_have_several_names(country):
    told = settings_of({"Country": country}, {}, (), (), None)
    assert told.is_us
    assert set(told.tax_codes) == {"TAX", "NON"}


# -- clocks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", ["yesterday", "2026-03-31T12:00:00", 17, None])
def test_a_write_whose_answer_has_no_readable_time_is_still_done(
    books, bent, invoice_request, said
):
    def timeless(exchange):
        exchange.headers["date"] = "not told"
        exchange.told["time"] = said

    books.connector.check()
    bent.bends.append(timeless)
    assert isinstance(books.created(invoice_request(1)), Record)
