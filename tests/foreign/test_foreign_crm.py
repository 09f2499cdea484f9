"""A CRM that keeps to HubSpot's pages and differs from our simulator: deals are posted all the same."""

import json
from decimal import Decimal

import pytest


def _searches(exchange):
    return exchange.path.endswith("/search") and exchange.status == 200


def _reads(exchange):
    return exchange.path.endswith("/batch/read") and exchange.status in (200, 207)


def _rows(exchange):
    told = exchange.told if isinstance(exchange.told, dict) else {}
    rows = told.get("results", [told] if "properties" in told else [])
    return [row for row in rows if isinstance(row, dict)]


def without_total(exchange):
    if _searches(exchange):
        del exchange.told["total"]


def total_too_low(exchange):
    if _searches(exchange):
        exchange.told["total"] = 0


def total_as_text(exchange):
    if _searches(exchange):
        exchange.told["total"] = str(exchange.told["total"])


def newest_first(exchange):
    if _searches(exchange):
        exchange.told["results"].reverse()


def numbers_and_flags_of_json(exchange):
    for row in _rows(exchange):
        held = row.get("properties") or {}
        row["properties"] = {name: _of_json(value) for name, value in held.items()}


def _of_json(value):
    try:
        return json.loads(value, parse_float=Decimal)
    except (TypeError, ValueError):
        return value


def close_date_in_milliseconds(exchange):
    _reword(exchange, "closedate", lambda text: "1774951200000")


def close_date_of_milliseconds_of_json(exchange):
    _reword(exchange, "closedate", lambda text: 1774951200000)


def close_date_with_fraction(exchange):
    _reword(exchange, "closedate", lambda text: "2026-03-31T10:00:00.000Z")


def close_date_without_fraction(exchange):
    _reword(exchange, "closedate", lambda text: "2026-03-31T10:00:00Z")


def close_date_without_offset(exchange):
    _reword(exchange, "closedate", lambda text: "2026-03-31T10:00:00")


def close_date_as_a_day(exchange):
    _reword(exchange, "closedate", lambda text: "2026-03-31")


def _reword(exchange, name, words):
    for row in _rows(exchange):
        if (row.get("properties") or {}).get(name):
            row["properties"][name] = words(row["properties"][name])


def without_empty_properties(exchange):
    for row in _rows(exchange):
        if "properties" in row:
            row["properties"] = {name: held for name, held in row["properties"].items() if held}


def with_unknown_words(exchange):
    for row in _rows(exchange):
        row["objectTypeId"] = "0-3"
        if "properties" in row:
            row["properties"]["hs_not_heard_of"] = "x"


def never_207(exchange):
    if exchange.status == 207:
        exchange.status = 200


def status_complete_in_207(exchange):
    if _reads(exchange):
        exchange.status = 207
        exchange.told["status"] = "COMPLETE"


def errors_without_category(exchange):
    if _reads(exchange):
        for told in exchange.told.get("errors", ()):
            told.pop("category", None)
            told.pop("subCategory", None)


def missing_without_a_word(exchange):
    if _reads(exchange):
        for name in ("errors", "numErrors"):
            exchange.told.pop(name, None)


def association_ids_as_numbers(exchange):
    for to in _links(exchange):
        to["toObjectId"] = int(to["toObjectId"])


def association_ids_as_texts(exchange):
    for to in _links(exchange):
        to["toObjectId"] = str(to["toObjectId"])


def association_ids_by_another_name(exchange):
    for to in _links(exchange):
        to["id"] = to.pop("toObjectId")


def _links(exchange):
    if "/associations/" in exchange.path and _reads(exchange):
        for row in exchange.told["results"]:
            yield from row["to"]


def other_type_of_primary(exchange):
    for to in _links(exchange):
        for type_ in to["associationTypes"]:
            if type_["typeId"] == 5:
                type_["typeId"], type_["label"] = 4711, "Primary"


def without_rate_headers(exchange):
    exchange.headers = {
        name: held for name, held in exchange.headers.items() if "ratelimit" not in name
    }


def _updates(exchange):
    if exchange.path.endswith("/batch/update") and exchange.status in (200, 207):
        yield from exchange.told["results"]


def writes_without_trace_ids(exchange):
    for row in _updates(exchange):
        row.pop("objectWriteTraceId", None)


def writes_answered_backwards_with_207(exchange):
    if list(_updates(exchange)):
        exchange.status = 207
        exchange.told["results"].reverse()


def no_connection_is_kept(exchange):
    exchange.headers["connection"] = "close"


SERVERS = {  # each bends several things that do not touch each other
    "counts nothing": (
        without_total,
        close_date_in_milliseconds,
        association_ids_as_numbers,
        writes_without_trace_ids,
    ),
    "counts badly": (
        total_too_low,
        close_date_with_fraction,
        association_ids_as_texts,
        writes_answered_backwards_with_207,
    ),
    "counts in texts": (
        total_as_text,
        close_date_without_fraction,
        association_ids_by_another_name,
        never_207,
        no_connection_is_kept,
    ),
    "keeps no order": (newest_first, close_date_without_offset, other_type_of_primary),
    "speaks JSON's own types": (numbers_and_flags_of_json, close_date_of_milliseconds_of_json),
    "says little": (close_date_as_a_day, without_empty_properties, without_rate_headers),
    "says more": (with_unknown_words, status_complete_in_207),
    "gives no reasons": (errors_without_category,),
    "leaves out without a word": (missing_without_a_word,),
}


@pytest.mark.parametrize("bends", SERVERS.values(), ids=SERVERS)
def test_won_deals_are_posted_once_and_told(foreign, bends):
    foreign.crm.bends += bends
    deals = [foreign.sold() for _ in range(3)]
    world = foreign.world
    done = world.round(2)
    assert world.codes() == []
    assert sorted(one["po_number"] for one in world.invoices()) == sorted(world.orders)
    assert {one["date"] for one in world.invoices()} == {"2026-03-31"}
    assert [world.told(deal, "invoice_status") for deal in deals] == ["invoiced"] * 3
    assert done.observed.unreadable == []
