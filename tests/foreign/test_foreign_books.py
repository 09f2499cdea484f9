"""Books that keep to QuickBooks' pages and differ from our simulator: all is posted, once, and paid."""

import re
from decimal import Decimal

import pytest

NO_WAY = {"fault": {"error": [{"message": "No", "code": "4001"}], "type": "ValidationFault"}}


def _bodies(told):
    """Yield every record that an answer shows, wherever it stands."""
    if isinstance(told, list):
        for one in told:
            yield from _bodies(one)
    elif isinstance(told, dict):
        if "SyncToken" in told:
            yield told
        for one in told.values():
            yield from _bodies(one)


def _responses(told):
    """Yield every QueryResponse, of queries and of batches of them."""
    if isinstance(told, dict):
        for part in [told, *told.get("BatchItemResponse", ())]:
            if isinstance(part.get("QueryResponse"), dict):
                yield part["QueryResponse"]


def batch_answers_in_another_order(exchange):
    if isinstance(exchange.told, dict) and "BatchItemResponse" in exchange.told:
        exchange.told["BatchItemResponse"].reverse()


def without_a_count(exchange):
    for response in _responses(exchange.told):
        response.pop("maxResults", None)
        response.pop("startPosition", None)


def count_as_it_was_asked_for(exchange):
    """`maxResults` echoes the page's size, as some servers understand the word."""
    if exchange.path.endswith("/query"):
        queries = [(exchange.asked, exchange.told)]
    elif exchange.path.endswith("/batch"):
        asked = {one["bId"]: one.get("Query") for one in exchange.asked["BatchItemRequest"]}
        answers = exchange.told.get("BatchItemResponse", ())
        queries = [(asked[one["bId"]], one) for one in answers]
    else:
        return
    for query, answer in queries:
        most = re.search(r"MAXRESULTS (\d+)", str(query))
        if most and isinstance(answer.get("QueryResponse"), dict):
            answer["QueryResponse"]["maxResults"] = int(most[1])


def numbers_as_texts(exchange):
    _each_number(exchange.told, str)


def numbers_of_binary_fractions(exchange):
    _each_number(exchange.told, lambda number: number + Decimal("0.00000000000003"))


def _each_number(told, words):
    for body in _bodies(told):
        for holder in [body, body.get("TxnTaxDetail") or {}, *(body.get("Line") or ())]:
            for name, held in holder.items():
                if isinstance(held, Decimal) and name not in ("Id", "SyncToken"):
                    holder[name] = words(held)


def without_times(exchange):
    for body in _bodies(exchange.told):
        body.pop("MetaData", None)


def without_notes_of_customers(exchange):
    for body in _bodies(exchange.told):
        body.pop("Notes", None)


def without_tax_details(exchange):
    for body in _bodies(exchange.told):
        body.pop("TxnTaxDetail", None)


def notes_trimmed(exchange):
    for body in _bodies(exchange.told):
        if body.get("PrivateNote"):
            body["PrivateNote"] = body["PrivateNote"].strip()


def numbers_null_and_more_words(exchange):
    for body in _bodies(exchange.told):
        body["domain"] = "QBO"
        body["NotHeardOf"] = {"value": "1"}
        if "TxnDate" in body:
            body["DocNumber"] = None


def flags_as_texts(exchange):
    for body in _bodies(exchange.told):
        if "Active" in body:
            body["Active"] = str(body["Active"]).lower()


def one_object_in_no_list(exchange):
    told = exchange.told
    if isinstance(told, dict) and len(told.get("CDCResponse", ())) == 1:
        told["CDCResponse"] = told["CDCResponse"][0]


def feed_of_what_changed_only(exchange):
    told = exchange.told
    for response in told.get("CDCResponse", ()) if isinstance(told, dict) else ():
        response["QueryResponse"] = [part for part in response["QueryResponse"] if part]


def clock_in_the_body_only(exchange):
    exchange.headers["date"] = "not told"
    if isinstance(exchange.told, dict) and "time" in exchange.told:
        exchange.told["time"] = exchange.told["time"].replace("Z", "+00:00")


def no_connection_is_kept(exchange):
    exchange.headers["connection"] = "close"


SERVERS = {  # each bends several things that do not touch each other
    "counts nothing": (
        without_a_count,
        batch_answers_in_another_order,
        numbers_as_texts,
        without_notes_of_customers,
        feed_of_what_changed_only,
    ),
    "counts what was asked for": (
        count_as_it_was_asked_for,
        numbers_of_binary_fractions,
        notes_trimmed,
        one_object_in_no_list,
    ),
    "tells no times": (without_times, flags_as_texts, no_connection_is_kept),
    "tells its time in the body": (clock_in_the_body_only, without_tax_details),
    "says more": (numbers_null_and_more_words,),
}


def refuse_entity(*entities):
    """Return a server's own refusal of each query, and each feed, of these."""
    names = re.compile(f"FROM ({'|'.join(entities)}) ")

    def refusal(exchange):
        fed = set(exchange.query.get("entities", "").split(",")) & set(entities)
        queried = exchange.path.endswith("/query") and names.search(str(exchange.asked))
        if fed or queried:
            exchange.status, exchange.told = 400, NO_WAY

    def bend(exchange):
        if not exchange.path.endswith("/batch"):
            return
        for one in exchange.asked["BatchItemRequest"]:
            if names.search(one.get("Query", "")):
                told = exchange.told["BatchItemResponse"]
                told[:] = [each for each in told if each["bId"] != one["bId"]]
                told.append({"bId": one["bId"], **NO_WAY})

    return refusal, bend


def smaller_batches(exchange):
    if exchange.path.endswith("/batch") and len(exchange.asked["BatchItemRequest"]) > 10:
        exchange.status, exchange.told = 400, NO_WAY


def no_batches(exchange):
    if exchange.path.endswith("/batch"):
        exchange.status, exchange.told = 404, "Not Found"


def no_batches_of_queries(exchange):
    if exchange.path.endswith("/batch") and "Query" in exchange.asked["BatchItemRequest"][0]:
        exchange.status, exchange.told = 400, NO_WAY


def queries_in_the_address_only(exchange):
    no_batches_of_queries(exchange)
    if exchange.path.endswith("/query") and exchange.method == "POST":
        exchange.status, exchange.told = 405, "Method Not Allowed"


REFUSALS = [
    smaller_batches,
    no_batches,
    no_batches_of_queries,
    queries_in_the_address_only,
]


def assert_posted_and_paid(foreign, count=3):
    """Let deals be won, posted and paid in the books; every side must know it, and no task."""
    world = foreign.world
    deals = [foreign.sold() for _ in range(count)]
    world.round()
    assert world.codes() == []
    assert sorted(one["po_number"] for one in world.invoices()) == sorted(world.orders)
    first = world.invoices()[0]
    world.books("receive_payment", invoices={first["id"]: None}, day="2026-05-04")
    world.round(2)
    assert world.codes() == []
    assert len(world.invoices()) == count
    told = [world.told(deal, "invoice_status") for deal in deals]
    assert sorted(told) == ["invoiced"] * (count - 1) + ["paid"]


@pytest.mark.parametrize("bends", SERVERS.values(), ids=SERVERS)
def test_what_is_spelt_otherwise_is_understood(foreign, bends):
    foreign.books.bends += bends
    assert_posted_and_paid(foreign)


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.__name__)
def test_what_is_refused_is_asked_in_another_way(foreign, refusal):
    foreign.books.refusals.append(refusal)
    assert_posted_and_paid(foreign, count=12)


@pytest.mark.parametrize(
    "entities",
    [
        ("CompanyCurrency",),
        ("Department", "Employee", "Vendor"),
    ],
    ids="+".join,
)
def test_what_a_company_lacks_hides_nothing_else(foreign, entities):
    refusal, bend = refuse_entity(*entities)
    foreign.books.refusals.append(refusal)
    foreign.books.bends.append(bend)
    assert_posted_and_paid(foreign)


def test_books_of_one_currency_name_none(make_foreign):
    foreign = make_foreign(multicurrency=False)

    def without_currency(exchange):
        for body in _bodies(exchange.told):
            body.pop("CurrencyRef", None)

    foreign.books.bends.append(without_currency)
    assert_posted_and_paid(foreign)
