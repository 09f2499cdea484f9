"""Lists page by page: what moves between two pages is seen, and quoting is exact (R10)."""

import json
import re
from datetime import UTC, datetime

import pytest
import responses

from connectors.quickbooks.facts import facts
from connectors.quickbooks.reading import Ask, one_of, read_lists, text
from connectors.quickbooks.wire import Wire
from tieout.credentials import StaticToken
from tieout.model.errors import Unavailable

API = "https://books.example/v3/company/913"
NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
INVOICES = facts().kinds["invoice"]


class Scripted:
    """A list of invoices that something happens to before each call."""

    def __init__(self, count, happens):
        self.ids = [str(number) for number in range(1, count + 1)]
        self.happens = list(happens)

    def page(self, query):
        start = int(re.search(r"STARTPOSITION (\d+)", query)[1])
        rows = [{"Id": one} for one in self.ids[start - 1 : start + 999]]
        return {"Invoice": rows, "startPosition": start, "maxResults": len(rows)} if rows else {}

    def answer(self, request):
        if self.happens:
            self.happens.pop(0)(self.ids)
        if request.url.endswith("/query?minorversion=75"):
            answer = {"QueryResponse": self.page(request.body)}
        else:
            items = json.loads(request.body)["BatchItemRequest"]
            answer = {
                "BatchItemResponse": [
                    {"bId": item["bId"], "QueryResponse": self.page(item["Query"])}
                    for item in items
                ]
            }
        return 200, {"Date": "Tue, 31 Mar 2026 12:00:00 GMT"}, json.dumps(answer)


@pytest.fixture
def wire():
    wire = Wire(
        "913",
        url="https://books.example",
        credentials=StaticToken("env:T", {"T": "token"}),
        rates={"per_minute": 500, "per_second": 10, "batches_per_minute": 40, "at_once": 8},
        now=lambda: NOW,
        sleep=lambda _secs: None,
    )
    yield wire
    wire.close()


def read(wire, scripted):
    with responses.RequestsMock() as vendor:
        for path in ("query", "batch"):
            vendor.add_callback("POST", f"{API}/{path}", scripted.answer)
        vendor.assert_all_requests_are_fired = False
        return [row["Id"] for part in read_lists(wire, [Ask(INVOICES)]) for row in part.rows]


def nothing(_ids):
    pass


@pytest.mark.parametrize("count", [0, 1, 999, 1000, 1001, 1999, 2000, 5000])
def test_every_row_comes_once_when_nothing_moves(wire, count):
    assert read(wire, Scripted(count, [])) == [str(number) for number in range(1, count + 1)]


def test_a_row_that_vanishes_between_two_pages_hides_no_other(wire):
    found = read(wire, Scripted(2500, [nothing, lambda ids: ids.pop(0)]))
    assert set(found) == {str(number) for number in range(1, 2501)}


def test_a_row_that_arrives_between_two_pages_is_read_too(wire):
    found = read(wire, Scripted(2500, [nothing, lambda ids: ids.append("2501")]))
    assert found == [str(number) for number in range(1, 2502)]


def test_a_list_that_never_rests_is_not_called_whole(wire):
    restless = Scripted(2500, [lambda ids: ids.pop(0)] * 50)
    with pytest.raises(Unavailable, match="moved while it was read"):
        read(wire, restless)


def test_a_page_that_is_shorter_than_it_says_is_not_the_end(wire):
    def short(_request):
        answer = {"QueryResponse": {"Invoice": [{"Id": "1"}], "maxResults": 2}}
        return 200, {}, json.dumps(answer)

    with responses.RequestsMock() as vendor:
        vendor.add_callback("POST", f"{API}/query", short)
        with pytest.raises(Unavailable, match="1 rows and says 2"):
            list(read_lists(wire, [Ask(INVOICES)]))


@pytest.mark.parametrize(
    ("value", "quoted"),
    [("O'Hara", r"'O\'Hara'"), ("back\\", r"'back\\'"), (r"\'", r"'\\\''"), ("王", "'王'")],
)
def test_a_text_is_quoted_so_that_nothing_escapes_it(value, quoted):
    assert text(value) == quoted


def test_many_values_are_asked_for_in_conditions_of_bounded_length():
    values = [str(number) for number in range(250)]
    parts = list(one_of("Id", values))
    assert [len(asked) for _, asked in parts] == [100, 100, 50]
    assert [value for _, asked in parts for value in asked] == values
    assert all(len(where) < 5000 for where, _ in one_of("DisplayName", ["x" * 500] * 90))
