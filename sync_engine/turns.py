"""Turns: what is worked one after the other, in the order in which it asked."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


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
