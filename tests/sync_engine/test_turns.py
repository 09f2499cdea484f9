"""Turns: one at a time, in the order in which they asked."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from sync_engine.turns import Turn

THREADS = 5


def until_asked(turn: Turn, times: int) -> None:
    """Wait until so many hold the turn or wait for it."""
    ends = time.monotonic() + 20
    while len(turn._asked) < times:
        assert time.monotonic() < ends
        time.sleep(0.001)


def test_who_asked_first_has_it_first_and_alone():
    turn, told = Turn(), []

    def work(number: int) -> None:
        with turn.held():
            told.append(("begins", number))
            time.sleep(0.001)
            told.append(("ends", number))

    with ThreadPoolExecutor(THREADS) as threads, turn.held():
        for number in range(THREADS):
            threads.submit(work, number)
            until_asked(turn, number + 2)
        assert told == []
    assert told == [(what, number) for number in range(THREADS) for what in ("begins", "ends")]


def test_work_that_fails_gives_its_turn_back():
    turn = Turn()
    with pytest.raises(ZeroDivisionError), turn.held():
        _ = 1 / 0
    with ThreadPoolExecutor(1) as threads:
        assert threads.submit(turn.held().__enter__).result(5) is None
