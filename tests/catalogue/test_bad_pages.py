"""Pages that lead to themselves: each walk ends, is named, and believes nothing of it."""

import pytest
from catalogue_entries import entry

CALLS_AT_MOST = 450  # a walk through the server's own pages may take a hundred, four times


def stuck_after(exchange):
    """Every page of a search says that there is another, always the same."""
    if exchange.path.endswith("/deals/search"):
        exchange.told["paging"] = {"next": {"after": "1"}}
        exchange.told["total"] = 5_000


def same_ids(exchange):
    """Whatever is asked for, the first page comes."""
    if exchange.path.endswith("/deals/search"):
        exchange.told["total"] = 5_000
        exchange.told["paging"] = {"next": {"after": "2"}}
        same_ids.first = getattr(same_ids, "first", None) or exchange.told
        exchange.told = same_ids.first


def stuck_links(exchange):
    """Every page of associations says that there is another, always the same."""
    if "/associations/" in exchange.path and isinstance(exchange.told, dict):
        for row in exchange.told.get("results", ()):
            row["paging"] = {"next": {"after": "1"}}


def start_position_ignored(exchange):
    """A query of the books always answers the same full page."""
    for part in [exchange.told, *exchange.told.get("BatchItemResponse", ())]:
        response = part.get("QueryResponse") or {}
        if response.get("Item"):
            one = response["Item"][0]
            response["Item"] = [{**one, "Id": str(n), "Name": f"I{n}"} for n in range(1, 1_001)]
            response["maxResults"] = 1_000


def feed_that_never_advances(exchange):
    """Change data capture answers the same full page of deletions, whatever the instant is."""
    if exchange.path.endswith("/cdc"):
        at = {"LastUpdatedTime": "2026-01-01T00:00:00Z"}
        gone = [{"Id": str(n), "status": "Deleted", "MetaData": at} for n in range(5_000, 6_000)]
        exchange.told["CDCResponse"] = [{"QueryResponse": [{"Invoice": gone}]}]


def assert_posted_once(foreign):
    """With honest pages the same process posts what was won, each once."""
    foreign.crm.bends.clear()
    foreign.books.bends.clear()
    foreign.world.round(2)
    assert foreign.world.codes() == []
    orders = [one["po_number"] for one in foreign.world.invoices()]
    assert sorted(orders) == sorted(foreign.world.orders)


@entry("a page that repeats for ever")
@pytest.mark.parametrize(
    ("side", "bend", "said"),
    [
        ("crm", stuck_after, "deals"),
        ("crm", same_ids, "deals"),
        ("books", start_position_ignored, "list of item moved while it was read"),
    ],
    ids=["after", "the same ids", "STARTPOSITION"],
)
def test_a_walk_that_repeats_ends_and_names_what_was_read(foreign, side, bend, said):
    same_ids.first = None
    server = getattr(foreign, side)
    server.bends.append(bend)
    foreign.sold()
    engine = foreign.world.restart()
    error = engine.round("main").error
    assert (error.code, said in str(error)) == ("unavailable", True), str(error)[:200]
    assert len(server.seen) < CALLS_AT_MOST
    assert foreign.world.invoices() == []
    assert_posted_once(foreign)


@entry("a page that repeats for ever")
def test_associations_that_repeat_hold_their_deals_after_two_pages(foreign):
    foreign.crm.bends.append(stuck_links)
    deal = foreign.sold()
    foreign.world.round()
    (task,) = foreign.world.working.tasks()
    assert (task["code"], task["source_id"]) == ("unreadable", deal)
    assert "leads to itself" in task["message"]
    assert len([one for one in foreign.crm.seen if "/associations/" in one.path]) < 20
    assert_posted_once(foreign)


@entry("a page that repeats for ever")
def test_a_feed_of_the_books_that_never_advances_ends_and_is_named(foreign):
    foreign.sold()
    foreign.world.round()
    foreign.books.bends.append(feed_that_never_advances)
    foreign.sold()
    before = len(foreign.books.seen)
    done = foreign.world.working.round("main")
    assert (done.error.code, "does not go on" in str(done.error)) == ("unavailable", True)
    assert len(foreign.books.seen) - before < CALLS_AT_MOST
    assert_posted_once(foreign)
