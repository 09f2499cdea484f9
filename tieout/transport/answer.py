"""What was asked and what was answered, the same for both faces of the door."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any

from tieout.model.errors import OutcomeUnknown, TieoutError, Unavailable, ValueRefused
from tieout.transport.exactjson import parse_json
from tieout.transport.redaction import redact

WORDS_LIMIT = 500  # of a vendor's message that an error keeps


MISSHAPEN = (AttributeError, TypeError, LookupError, ValueError, ArithmeticError)
"""What Python raises where a vendor's JSON is not of the form that its pages show."""


@contextmanager
def understood(what: str, *, write: bool = False, trace_id: str = "") -> Iterator[None]:
    """Read an answer inside: a form that cannot be read says nothing of what it is about.

    Args:
        what: whose form it is, as ``the answer of deal search``.
        write: whether something was written, which then may have happened.
        trace_id: the vendor's id of the exchange.

    Raises:
        OutcomeUnknown: a write's answer has another form.
        Unavailable: a read's has.
    """
    try:
        yield
    except MISSHAPEN as wrong:
        if isinstance(wrong, TieoutError) and not isinstance(wrong, ValueRefused):
            raise
        kind = OutcomeUnknown if write else Unavailable
        said = f"{type(wrong).__name__}: {wrong}"[:WORDS_LIMIT]
        raise kind(f"{what} has another form ({said}).", trace_id=trace_id) from wrong


@dataclass(frozen=True, slots=True)
class Route:
    """One kind of call.

    Attributes:
        name: what it is counted under (``deal search``).
        write: whether it may change something: without an answer its outcome is then unknown.
        limits: the names of the limits that it counts against.
        read_secs: how long to wait for its answer; the door's own when None.
    """

    name: str
    write: bool
    limits: tuple[str, ...] = ()
    read_secs: float | None = None


@dataclass(frozen=True)
class Answer:
    """A whole answer: its body was read to the announced end.

    ``headers`` ignore the case of names. ``received_at`` is by our clock.
    """

    route: Route
    status: int
    headers: Mapping[str, str]
    body: bytes
    reason: str = ""
    received_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    trace_id: str = ""

    @cached_property
    def json(self) -> Any:
        """The body's value, exact.

        Raises:
            OutcomeUnknown: the body of a write's answer is not JSON.
            Unavailable: that of a read.
        """
        try:
            return parse_json(self.body)
        except ValueRefused as wrong:
            raise self.unclear(
                f"The answer of {self.route.name} is not usable. {wrong.what}"
            ) from (wrong)

    @cached_property
    def served_at(self) -> datetime | None:
        """The server's clock by its Date header, None where it has none."""
        return parse_http_date(self.headers.get("date"))

    @property
    def retry_after_secs(self) -> float | None:
        """The pause that Retry-After asks for, as seconds or as a date; None where it has none.

        A date is measured against the server's own clock (R51).
        """
        said = (self.headers.get("retry-after") or "").strip()
        if said.isascii() and said.replace(".", "", 1).isdigit():
            return float(said)
        until = parse_http_date(said)
        if until is None:
            return None
        return max(0.0, (until - (self.served_at or self.received_at)).total_seconds())

    def unclear(self, what: str) -> TieoutError:
        """Return the error for an answer that says nothing: unknown for a write, else retry."""
        kind = OutcomeUnknown if self.route.write else Unavailable
        return kind(what, vendor_words=self.words, trace_id=self.trace_id)

    @property
    def words(self) -> str:
        """The start of the body as text, redacted."""
        return str(redact(self.body[:WORDS_LIMIT].decode("utf-8", "replace")))


def parse_http_date(text: str | None) -> datetime | None:
    """Return the UTC instant of an HTTP date, None if it is none."""
    if not text:
        return None
    try:
        instant = parsedate_to_datetime(text)
    except ValueError:
        return None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
