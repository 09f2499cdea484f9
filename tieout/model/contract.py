"""The contract between the engine and a connector: a few questions, all in the plural.

Each question takes as many as there are and uses the system's batches; each asked thing is answered
on its own, so that one bad answer never hides the others'. Asked minus answered is empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, BinaryIO, Protocol, runtime_checkable

from tieout.model.capability import Capabilities, FieldInfo
from tieout.model.change import Change
from tieout.model.errors import TieoutError
from tieout.model.hint import Knock
from tieout.model.lookup import Answer, Lookup
from tieout.model.record import Event, Fetched, Page, Record, Related
from tieout.model.ref import Cursor, Ref, Version

CONSENT_DAYS = 14  # so long before consent ends people are told to give it again


@dataclass(frozen=True, slots=True)
class Identity:
    """Who answered: the vendor's immutable id of the company, and what it says of itself.

    ``clock`` is the server's time when it answered; ``until`` when the credentials end, if known.
    ``missing`` lists scopes or rights that are lacking, in the vendor's words.
    """

    company: str
    name: str
    clock: datetime
    currency: str | None = None
    country: str | None = None
    time_zone: str | None = None
    until: datetime | None = None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Right:
    """One of the least rights that Tieout needs there, by the vendor's own name of it.

    ``held`` is None where only the deed itself would tell; ``said`` is what the vendor says of one
    that is lacking.
    """

    name: str
    purpose: str
    held: bool | None = None
    said: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """A key and the change to make under it. ``about`` is what people call it.

    ``asking`` is raised only after every earlier asking was definitely refused or found absent; it
    is part of the request id, so that a vendor's memory of an old refusal does not answer.
    """

    key: str
    change: Change
    about: str = ""
    asking: int = 1


@dataclass(frozen=True, slots=True)
class ParcelItem:
    """One change within a parcel: the id that the answer will name it by, its key and kind."""

    item_id: str
    key: str
    kind: str
    verb: str
    ref: Ref | None = None  # the record that an update or void concerns


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file that travels within a parcel, known by its hash and length and held nowhere in memory.

    ``at`` is how many bytes of the parcel's body stand before it; ``source`` is whose file it is.
    """

    source: Ref
    sha256: str
    size_bytes: int
    at: int


@dataclass(frozen=True, slots=True)
class Parcel:
    """One call to come, complete: the engine commits it before ``apply`` sends exactly these bytes.

    ``call`` is the connector's own note of method and path, without host, query or secret. With an
    enclosure the bytes are those of the body, and the file's at its place between them.
    """

    company: str
    request_id: str
    call: str
    body: bytes
    items: tuple[ParcelItem, ...]
    enclosure: Enclosure | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """The other system did it: the record's address, version and, where answered, its fields."""

    ref: Ref
    version: Version
    record: Record | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to one change of a parcel: a receipt, or an error with its next step."""

    key: str
    item_id: str
    receipt: Receipt | None = None
    error: TieoutError | None = None
    trace_id: str = ""


@dataclass(frozen=True, slots=True)
class Opening:
    """What a connector is opened with.

    Attributes:
        company_id: the vendor's id that the configuration names; ``check`` confirms it.
        reads: for each kind the fields that the mappings use: ask for no others.
        cutover_date: the first read of won deals starts here.
        time_zone: the business time zone, where the configuration names one. None too where only
            capabilities are asked for, without a configuration: so ``open`` cannot demand it.
        options: the company's settings that only this connector understands, already validated.
    """

    company_id: str
    reads: Mapping[str, frozenset[str]] = field(default_factory=dict)
    cutover_date: date | None = None
    time_zone: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


class Connector(Protocol):
    """An open session with one company in one system."""

    @property
    def capabilities(self) -> Capabilities:
        """What this system can do."""
        ...

    @property
    def company(self) -> str:
        """The company's identity as it stands in every Ref: ``hubspot:123``."""
        ...

    def check(self) -> Identity:
        """Ask who we are there.

        Raises:
            Unauthorized: the credentials are not accepted.
            ConfigError: they are another company's.
            Unavailable: no answer.
        """
        ...

    def changes(self, kinds: Sequence[str], since: Cursor | None) -> Iterator[Page]:
        """Tell what moved in one feed since a cursor, page by page, the oldest first.

        With no cursor this is the first read: all that is in scope, then a cursor. Windows overlap:
        an event may come again, none is left out. A page that cannot be read raises.
        """
        ...

    def rewound(self, kinds: Sequence[str], since: Cursor, to: datetime) -> Cursor:
        """Return the cursor that reads a feed again from an instant, if that is earlier; pure."""
        ...

    def fetch(self, refs: Sequence[Ref]) -> Iterator[Fetched]:
        """Read records by address; exactly one answer for each asked."""
        ...

    def find(self, kind: str, wanted: Sequence[Lookup]) -> Sequence[Answer]:
        """Answer each question in its order: Found, Ambiguous, Absent or NotKnown.

        By ``marker`` this must find what ``apply`` wrote under it: a lost answer is resolved so.
        """
        ...

    def related(self, refs: Sequence[Ref], role: str) -> Iterator[Related]:
        """Read the whole set in a role (line_items, company, contact, owner, deal) for each ref.

        A ref that is gone has no empty set: ``NotFound`` is its error, unless the system itself
        says what is left, or none.
        """
        ...

    def prepare(self, requests: Sequence[Request]) -> Sequence[Parcel]:
        """Pack changes into calls: batches, exact bytes, request and item ids. Pure.

        Every request is in exactly one parcel. Its values were checked by preflight.

        Raises:
            InvalidField: a value that no call can carry (a mistake of preflight).
        """
        ...

    def apply(self, parcel: Parcel) -> Sequence[Outcome]:
        """Send exactly these bytes, once; answer for every item.

        Never raises for what the other system says or fails to say: no well-formed answer is an
        ``OutcomeUnknown`` for each item, a connection never made is ``Unavailable``.
        """
        ...

    def close(self) -> None:
        """Give back connections."""
        ...


class Opens(Protocol):
    """A connector's class, as an entry point names it: how the roof opens one."""

    def open(
        self,
        opening: Opening,
        *,
        urls: Mapping[str, str],
        credentials: Any,
        now: Callable[[], datetime],
        sleep: Callable[[float], None],
    ) -> Connector:
        """Open a session; nothing is asked of the system yet.

        Args:
            opening: the company, what is read of it, and its options.
            urls: addresses by their part (``api``, ``app``, ``upload``); the vendor's own where
                one is absent.
            credentials: a ``tieout.credentials.Credentials``: signs calls, renews its token.
            now: our clock, timezone-aware.
            sleep: waits so many seconds.

        Raises:
            ConfigError: an option is unknown, or an address is plain http and not on this machine.
        """
        ...


@runtime_checkable
class Describes(Protocol):
    """A connector whose system tells which fields its records have, custom ones included."""

    def describe(self, kind: str) -> Mapping[str, FieldInfo]:
        """Return the fields of a kind by the names that mappings use; asked once, then kept."""
        ...


@runtime_checkable
class NamesFields(Protocol):
    """A connector whose system has fields of ours, called as the company chose."""

    field_names: Mapping[str, str]
    """The system's names of our fields, by our names."""

    def forget_fields(self) -> None:
        """Ask anew which fields there are: another process may have made some."""
        ...


@runtime_checkable
class GivesFiles(Protocol):
    """A connector whose system keeps files of its records: kind ``file``, role ``files``."""

    def read_file(self, ref: Ref, take: Callable[[bytes], object]) -> None:
        """Read a file's bytes, a piece at a time; ``take`` gets each in its order.

        Whatever ``take`` raises ends the reading. What was taken is the whole only if this returns.

        Raises:
            NotFound: it is not there any more.
            Unavailable: it was not answered, or not to its end.
            TieoutError: it was refused.
        """
        ...


@runtime_checkable
class Prints(Protocol):
    """A connector whose system prints its documents as people would send them."""

    def print_invoice(self, ref: Ref, take: Callable[[bytes], object]) -> None:
        """Read an invoice's PDF, a piece at a time; otherwise as ``GivesFiles.read_file``.

        Printed twice, the same invoice may have other bytes.
        """
        ...


@runtime_checkable
class TakesFiles(Protocol):
    """A connector that sends parcels with an enclosure: kind ``attachment``, or ``print``."""

    def apply_enclosing(self, parcel: Parcel, content: BinaryIO) -> Sequence[Outcome]:
        """Send a parcel's bytes with the file's between them, once; otherwise as ``apply``."""
        ...


@runtime_checkable
class ListsRights(Protocol):
    """A connector that knows the least rights that it needs, and whether it has them."""

    def rights(self) -> Sequence[Right]:
        """Return each right that the mappings need, asked for without changing anything.

        Raises:
            Unauthorized: the credentials themselves are not accepted.
            Unavailable: no answer.
        """
        ...


@runtime_checkable
class Advises(Protocol):
    """A connector whose system leaves to people who may see and change our fields."""

    def advice(self) -> Sequence[Right]:
        """Return what an administrator sees to by hand: ``said`` is how; what is done is left out.

        Raises:
            TieoutError: the system does not answer.
        """
        ...


@runtime_checkable
class Hears(Protocol):
    """A connector whose system can tell by itself that something changed (webhooks)."""

    @staticmethod
    def parse_hint(knock: Knock, secret: str, now: datetime) -> Iterable[Event]:
        """Return which records a request says have changed, once it is known to be genuine; pure.

        Nothing of it is believed but the addresses: each event's ref, and its time if that is
        said. A request may name several companies, and kinds that are nothing to us: those are
        left out.

        Args:
            knock: the request as it came; its body is what was signed, byte for byte.
            secret: what the system signs with.
            now: our clock, timezone-aware.

        Raises:
            HintRefused: it is forged, too old, or malformed.
        """
        ...


@runtime_checkable
class Counts(Protocol):
    """A connector that counts its calls."""

    @property
    def calls(self) -> Mapping[str, int]:
        """How many calls were made since it was opened, by kind of call."""
        ...


@runtime_checkable
class Authorises(Protocol):
    """A connector whose system asks a person for consent (OAuth)."""

    def authorise_url(self, state: str, redirect_uri: str) -> str:
        """Return the page where a person consents."""
        ...

    def exchange(self, code: str, redirect_uri: str, company_id: str) -> None:
        """Change the code of the redirect into tokens and store them, sealed."""
        ...

    def consent_until(self) -> datetime | None:
        """Return when a person must consent again, None where it is not known; asks nobody.

        Raises:
            Unauthorized: there are no tokens, or they cannot be read.
        """
        ...
