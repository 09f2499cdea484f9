"""Answers that are no JSON as the vendors show it: nothing is lost, nothing is done twice."""

import pytest
from catalogue_entries import entry

BAD = {
    "cut": '{"results": [{"id": "1", "prop',
    "deep": '{"a":' * 5_000 + "1" + "}" * 5_000,
    "not JSON": "<html>Sign in</html>",
    "a key twice": '{"results": [], "results": [], "total": 0}',
}
SAID = {
    "cut": "Not JSON: Unterminated string",
    "deep": "nested too deeply",
    "not JSON": "<html>Sign in</html>",
    "a key twice": "the key 'results' twice in one object",
}
FORMS = pytest.mark.parametrize("form", BAD)
MEGABYTES = 65 * 1024 * 1024


def asks(exchange):
    """Whether a call to the books only asks."""
    batch = exchange.asked.get("BatchItemRequest") if isinstance(exchange.asked, dict) else None
    return "Query" in batch[0] if batch else exchange.path.endswith(("/query", "/cdc"))


def writes(exchange):
    """Whether a call to the books writes."""
    return exchange.method == "POST" and not asks(exchange)


def answers(told, wanted):
    """Return a bend that answers this instead, once the call was done."""

    def bend(exchange):
        if wanted(exchange):
            exchange.told = told

    return bend


def at(path):
    """Return whether a call is to this path."""
    return lambda exchange: path in exchange.path


def assert_goes_on(foreign, count):
    """Take the bends away; the same process posts what is left, each once, and tells it."""
    foreign.crm.bends.clear()
    foreign.books.bends.clear()
    foreign.world.round(4)
    assert foreign.world.codes() == []
    orders = [one["po_number"] for one in foreign.world.invoices()]
    assert sorted(orders) == sorted(foreign.world.orders)
    assert len(orders) == count


@entry("JSON that is cut")
@entry("JSON that is deep")
@entry("what is not JSON")
@entry("JSON with a duplicate key")
@FORMS
@pytest.mark.parametrize(
    ("side", "wanted"),
    [
        ("crm", at("/deals/search")),
        ("books", asks),
    ],
    ids=["a page of the CRM's feed", "a batch of the books"],
)
def test_a_page_that_cannot_be_read_ends_the_round_and_loses_nothing(foreign, side, wanted, form):
    engine = foreign.world.restart()
    getattr(foreign, side).bends.append(answers(BAD[form], wanted))
    foreign.sold()
    error = engine.round("main").error
    assert (error.code, SAID[form] in str(error)) == ("unavailable", True), str(error)[:300]
    assert "tried again in the next round" in str(error)
    assert_goes_on(foreign, 1)


@entry("JSON that is cut")
@entry("JSON that is deep")
@entry("what is not JSON")
@entry("JSON with a duplicate key")
@FORMS
def test_a_page_of_the_books_changes_that_cannot_be_read_is_read_again(foreign, form):
    foreign.sold()
    foreign.world.round()
    foreign.sold()
    foreign.books.bends.append(answers(BAD[form], at("/cdc")))
    error = foreign.world.working.round("main").error
    assert (error.code, SAID[form] in str(error)) == ("unavailable", True), str(error)[:300]
    assert_goes_on(foreign, 2)


@entry("JSON that is cut")
@entry("JSON that is deep")
@entry("what is not JSON")
@entry("JSON with a duplicate key")
@FORMS
@pytest.mark.parametrize("path", ["line_items/batch/read", "objects/2026-03/companies/batch/read"])
def test_a_batch_read_that_cannot_be_read_holds_its_deals_with_the_reason(foreign, path, form):
    foreign.crm.bends.append(answers(BAD[form], at(path)))
    deal = foreign.sold()
    done = foreign.world.round()
    assert done.whole
    (task,) = foreign.world.working.tasks()
    assert (task["code"], task["source_id"]) == ("unreadable", deal)
    assert SAID[form] in task["message"]
    assert_goes_on(foreign, 1)


@entry("JSON that is cut")
@entry("JSON that is deep")
@entry("what is not JSON")
@entry("JSON with a duplicate key")
@FORMS
@pytest.mark.parametrize(
    ("side", "wanted"),
    [("books", writes), ("crm", at("/batch/update"))],
    ids=["books", "crm"],
)
def test_a_writes_answer_that_cannot_be_read_is_looked_up_and_not_sent_twice(
    foreign, side, wanted, form
):
    getattr(foreign, side).bends.append(answers(BAD[form], wanted))
    foreign.sold()
    foreign.sold()
    done = foreign.world.round()
    assert done.unknown >= 1
    assert_goes_on(foreign, 2)
    customers = [one["name"] for one in foreign.world.books_truth()["customers"]]
    assert len(customers) == len(set(customers)) == 2


@pytest.mark.slow
@entry("JSON that is huge")
@pytest.mark.parametrize("side", ["crm", "books"])
def test_an_answer_of_65_megabytes_is_refused_by_its_size(foreign, side):
    engine = foreign.world.restart()
    huge = f'{{"results": ["{"x" * MEGABYTES}"]}}'
    wanted = {"crm": at("/deals/search"), "books": asks}[side]
    getattr(foreign, side).bends.append(answers(huge, wanted))
    foreign.sold()
    error = engine.round("main").error
    assert (error.code, "bytes is too long" in str(error)) == ("unavailable", True)
    assert len(str(error)) < 2_000
    assert_goes_on(foreign, 1)
