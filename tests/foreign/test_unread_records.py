"""Books with one record that cannot be read: it is told and asked for again, and the rest goes on."""

from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from threading import Event

import pytest
from foreign_world import Foreign

from sync_engine.engine import Engine
from tieout.model.errors import NotFound


def unread(foreign: Foreign, entity: str, number: str, name: str) -> None:
    """Let the books show one record with something that stands for no value of a field."""

    def bend(exchange):
        for row in _rows(exchange.told, entity):
            if row.get("Id") == number:
                row[name] = {"odd": [1]}

    foreign.books.bends.append(bend)


def _rows(told, entity):
    if isinstance(told, list):
        for one in told:
            yield from _rows(one, entity)
    elif isinstance(told, dict):
        for name, held in told.items():
            if name == entity:
                yield from held if isinstance(held, list) else [held]
            else:
                yield from _rows(held, entity)


def by_hand(foreign: Foreign) -> str:
    """Let somebody make an invoice in the books; return its id."""
    (customer, *_) = foreign.world.books_truth()["customers"]
    line = {"item": "1", "amount": "12.00", "tax_code": "1"}
    return str(foreign.world.books("create_invoice", customer=customer["id"], lines=[line])["Id"])


@pytest.fixture
def worked(foreign):
    """A foreign world in which one deal is posted, and a second invoice was made by hand."""
    foreign.sold()
    foreign.world.round(2)
    return foreign, by_hand(foreign)


def test_while_a_document_cannot_be_read_all_is_read_and_nothing_is_sent(worked):
    foreign, number = worked
    unread(foreign, "Invoice", number, "TotalAmt")
    deal = foreign.sold()
    done = foreign.world.round()

    (task,) = [task for task in foreign.world.working.tasks() if task["code"] == "unread-record"]
    assert (done.whole, done.observed.sources != set()) == (True, True)
    assert (task["source_kind"], task["source_id"], task["choices"]) == (
        "invoice",
        number,
        ["ignore"],
    )
    assert task["title"] == f"The books' invoice {number} cannot be read"
    assert "TotalAmt is not a number" in task["message"]
    assert "Nothing is sent meanwhile" in task["remedy"]
    assert len(foreign.world.invoices()) == 2
    assert foreign.world.told(deal, "invoice_number") is None


def test_once_it_can_be_read_its_task_closes_and_what_waited_is_sent(worked):
    foreign, number = worked
    unread(foreign, "Invoice", number, "TotalAmt")
    foreign.sold()
    foreign.world.round()
    foreign.books.bends.clear()
    foreign.world.round()

    assert foreign.world.codes() == []
    assert len(foreign.world.invoices()) == 3


def test_a_document_that_a_person_ignores_holds_nothing_back_and_is_not_asked_about_again(worked):
    foreign, number = worked
    unread(foreign, "Invoice", number, "TotalAmt")
    foreign.sold()
    foreign.world.round()
    foreign.world.answer("unread-record", "ignore")
    foreign.world.round()
    foreign.world.restart()
    foreign.world.round()

    assert foreign.world.codes() == []
    assert len(foreign.world.invoices()) == 3


def test_a_list_record_that_cannot_be_read_holds_nothing_back(foreign):
    foreign.sold()
    foreign.world.round(2)
    (customer, *_) = foreign.world.books_truth()["customers"]
    unread(foreign, "Customer", customer["id"], "DisplayName")
    foreign.world.books("edit", kind="Customer", id=customer["id"], changes={"CompanyName": "Neu"})
    foreign.sold()
    foreign.world.round()

    assert foreign.world.codes() == ["unread-record"]
    assert len(foreign.world.invoices()) == 2


def test_a_first_read_goes_past_what_it_cannot_read(foreign):
    foreign.sold()
    foreign.world.round(2)
    (posted,) = foreign.world.invoices()
    number = by_hand(foreign)
    unread(foreign, "Invoice", number, "TotalAmt")
    foreign.world.opened.close()
    for file in foreign.world.path.glob("ledger.db*"):
        file.unlink()
    foreign.world.restart()
    foreign.world.round(2)

    assert foreign.world.codes() == ["unread-record"]
    assert [one["id"] for one in foreign.world.invoices() if one["po_number"]] == [posted["id"]]


def of_two_pairs(foreign: Foreign) -> Engine:
    """Return an engine with a second pair that posts into the same books."""
    engine = foreign.world.working
    main = engine.pairs["main"]
    both = replace(main, name="second", mappings=()), main
    return Engine(engine.ledger, {pair.name: pair for pair in both}, engine.hands)


def test_what_cannot_be_read_holds_back_every_pair_of_the_same_books(worked):
    """The books show it to whoever asks first; it may be a twin of the other pair's deal."""
    foreign, number = worked
    engine = of_two_pairs(foreign)
    unread(foreign, "Invoice", number, "TotalAmt")
    foreign.sold()
    for name in ("second", "main", "main"):
        assert engine.round(name).error is None

    assert len(foreign.world.invoices()) == 2
    foreign.books.bends.clear()
    engine.round("second")
    engine.round("main")
    assert (foreign.world.codes(), len(foreign.world.invoices())) == ([], 3)


def test_of_two_people_who_answer_a_task_at_once_one_is_told_that_it_was_answered(worked):
    foreign, number = worked
    unread(foreign, "Invoice", number, "TotalAmt")
    foreign.world.round()
    task = foreign.world.tasks()["unread-record"]["id"]
    engine, asked, answers = foreign.world.working, Event(), Event()

    def stalls(_exchange):
        asked.set()
        answers.wait(10)

    def answer(who: str) -> str:
        try:
            engine.answer(task, "ignore", who=who, reason="looked")
        except NotFound:
            return "there is no open task"
        return "answered"

    foreign.crm.refusals.append(stalls)
    with ThreadPoolExecutor(3) as people:
        working = people.submit(engine.round, "main")
        asked.wait(10)
        told = [people.submit(answer, who) for who in ("ann", "bob")]
        wait(told, timeout=0.3)  # both have found it open, and wait for the round to end
        answers.set()
        assert working.result().error is None
    assert sorted(one.result() for one in told) == ["answered", "there is no open task"]
