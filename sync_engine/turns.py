"""Turns: what is worked one after the other, in the order in which it asked."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

SIDE_BY_SIDE = 64  # lanes that are worked at once

T = TypeVar("T")


class Turn:
    """Held by one thread at a time; who asked first has it first, so that nobody starves.

    A lock of the standard library promises no order: a pair that is always due could keep a
    person's wish waiting for ever.
    """

    def __init__(self) -> None:
        self._asked: deque[object] = deque()
        self._moved = threading.Condition()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Wait for the turn and hold it inside the block. Not to be asked for inside itself."""
        mine = object()
        with self._moved:
            self._asked.append(mine)
            self._moved.wait_for(lambda: self._asked[0] is mine)
        try:
            yield
        finally:
            with self._moved:
                self._asked.popleft()
                self._moved.notify_all()


def side_by_side(
    names: Sequence[str], lane_of: Callable[[str], str], work: Callable[[str], T]
) -> list[T]:
    """Work what has a name, each lane in a thread of its own; return what came of each, in order.

    What shares a lane is worked one after the other. What one raises is raised when all lanes
    have ended.
    """
    lanes: dict[str, list[str]] = {}
    for name in names:
        lanes.setdefault(lane_of(name), []).append(name)
    if len(lanes) < 2:
        return [work(name) for name in names]
    done: dict[str, T] = {}
    with ThreadPoolExecutor(min(len(lanes), SIDE_BY_SIDE), "lane") as threads:
        worked = [
            threads.submit(lambda some: done.update((one, work(one)) for one in some), some)
            for some in lanes.values()
        ]
    for lane in worked:
        lane.result()
    return [done[name] for name in names]
