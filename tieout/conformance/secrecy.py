"""A secret stands in no repr, no error, no log, no parcel and no cursor."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from traceback import format_exception

from tieout.conformance.bench import Bench
from tieout.conformance.wire import SILENCES, Fault
from tieout.model.errors import TieoutError
from tieout.model.lookup import Lookup, NotKnown
from tieout.model.record import Unreadable


class Secrecy:
    """What signs our calls is seen by the vendor and by nobody else."""

    def test_no_secret_is_shown_logged_or_kept(self, bench: Bench) -> None:
        """Not when all goes well, and not in what is said of each failure."""
        with _listening() as logged:
            said = list(_said(bench))
        said.append(logged.getvalue())
        assert [text for text in said if bench.token in text] == []


def _said(bench: Bench) -> Iterator[str]:
    """Yield all that a connector shows of itself, of its answers and of each failure."""
    connector = bench.connector
    yield repr(connector)
    yield repr(vars(connector)) if hasattr(connector, "__dict__") else ""
    yield repr(connector.check())
    for feed in connector.capabilities.feeds:
        yield from map(repr, connector.changes(feed, None))
    for fault in (None, *SILENCES, Fault.UNAUTHORIZED, Fault.THROTTLE):
        yield from _said_of_writes(bench, fault)
        yield from _said_of_reads(bench, fault)


def _said_of_writes(bench: Bench, fault: Fault | None) -> Iterator[str]:
    for kind, claimed in bench.connector.capabilities.kinds.items():
        for verb in sorted(claimed.verbs):
            for parcel in bench.connector.prepare([bench.request(verb, kind)]):
                yield repr(parcel)
                with bench.wire(bench.writes, fault):
                    outcomes = bench.connector.apply(parcel)
                for outcome in outcomes:
                    yield repr(outcome)
                    yield _told(outcome.error)


def _said_of_reads(bench: Bench, fault: Fault | None) -> Iterator[str]:
    kind = bench.kinds[0]
    ref = bench.plant(kind, bench.number())
    with bench.wire(bench.reads, fault):
        for fetched in bench.connector.fetch([ref]):
            yield repr(fetched)
            yield _told(fetched.error if isinstance(fetched, Unreadable) else None)
        for found in bench.connector.find(kind, [Lookup(kind, "id", ref.id)]):
            yield repr(found)
            yield _told(found.error if isinstance(found, NotKnown) else None)
        try:
            yield from map(repr, bench.connector.changes(bench.feed_of(kind), None))
        except TieoutError as error:
            yield _told(error)


def _told(error: TieoutError | None) -> str:
    """Return all that an error tells, with what caused it."""
    if error is None:
        return ""
    return "".join([repr(error), repr(vars(error)), *format_exception(error)])


@contextmanager
def _listening() -> Iterator[io.StringIO]:
    """Keep what is logged, at every level, and what is printed."""
    heard = io.StringIO()
    listener = logging.StreamHandler(heard)
    root = logging.getLogger()
    level = root.level
    root.addHandler(listener)
    root.setLevel(logging.DEBUG)
    try:
        with redirect_stdout(heard), redirect_stderr(heard):
            yield heard
    finally:
        root.setLevel(level)
        root.removeHandler(listener)
