"""The product's threads, worked in turn: what ran side by side runs one after the other, as drawn."""

import random
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, Self

from connectors.hubspot import wire as hubspot_wire
from sync_engine import push


@contextmanager
def in_turn(dice: random.Random) -> Iterator[None]:
    """Let each call that the product hands to a thread run at once, in this thread.

    The answers to parcels that were sent side by side are taken one by one, as the dice draw them.
    """

    def wait(sent: Iterable[Future[Any]], **_: Any) -> tuple[list[Future[Any]], list[Future[Any]]]:
        ended = list(sent)
        first = ended.pop(dice.randrange(len(ended)))
        return [first], ended

    held = hubspot_wire.ThreadPoolExecutor, push.ThreadPoolExecutor, push.wait
    hubspot_wire.ThreadPoolExecutor = push.ThreadPoolExecutor = Turns
    push.wait = wait
    try:
        yield
    finally:
        hubspot_wire.ThreadPoolExecutor, push.ThreadPoolExecutor, push.wait = held


class Turns:
    """An executor with no threads."""

    def __init__(self, *_: Any, **__: Any) -> None:
        """Take the words of ThreadPoolExecutor; none of them matters in one thread."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing runs any more: each call ended before the next began."""

    def submit(self, call: Callable[..., Any], *args: Any) -> Future[Any]:
        """Make a call now; a process's death in it is the caller's too, at once."""
        done: Future[Any] = Future()
        try:
            done.set_result(call(*args))
        except Exception as error:  # noqa: BLE001 - a future carries whatever its call raised
            done.set_exception(error)
        return done
