"""Two pairs that post into the same books: they share its mirror, so they take turns."""

from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from threading import Event

from sync_engine.engine import Engine


def test_while_one_pair_works_another_of_the_same_books_asks_nothing(foreign):
    main = foreign.world.restart().pairs["main"]
    both = {"main": main, "second": replace(main, name="second", mappings=())}
    engine = Engine(foreign.world.working.ledger, both, foreign.world.working.hands)
    asked, answers = Event(), Event()

    def stalls(_exchange):
        asked.set()
        answers.wait(10)

    foreign.books.refusals.append(stalls)
    with ThreadPoolExecutor(2) as threads:
        one = threads.submit(engine.round, "main")
        asked.wait(10)
        before = len(foreign.crm.seen)
        other = threads.submit(engine.round, "second")
        wait([other], timeout=0.5)
        assert len(foreign.crm.seen) == before
        answers.set()
        assert (one.result().error, other.result().error) == (None, None)
