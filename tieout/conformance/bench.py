"""A connector on the bench: its open session, and the hands of who works in the other system."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.request import Request as HttpRequest
from urllib.request import urlopen

from tieout.conformance.wire import SPELLINGS, Calls, Fault, Wire
from tieout.model.canonical import Values
from tieout.model.capability import KindCapability
from tieout.model.change import Change, Create, Update, Verb, Void
from tieout.model.contract import Connector, Request
from tieout.model.errors import Unauthorized
from tieout.model.lookup import MARKER
from tieout.model.record import Record
from tieout.model.ref import Key, Ref, crockford

NEVER = 1_000_000_000  # a fault that lets so many requests pass only counts them
DOOR_SECS = 10.0
NOWHERE = "http://127.0.0.1:9"  # discard: nobody listens

_NOBODY: Mapping[str, str] = {
    "id": "999999999",
    "email": "nobody@nowhere.example",
    MARKER: str(Key("Z" * 16)),
}


class RotatingToken:
    """Credentials whose token somebody else renews, perhaps while a call is on its way.

    After ``rotate`` the next ``late`` calls are still signed with the old one.
    """

    until: datetime | None = None

    def __init__(self, token: str) -> None:
        self._token = token
        self._former = token
        self._late = 0

    def __repr__(self) -> str:
        return "RotatingToken()"

    def rotate(self, token: str, *, late: int = 0) -> None:
        """Hold another token."""
        self._former, self._token, self._late = self._token, token, late

    def access_token(self) -> str:
        """Return the token to sign the next call with."""
        if self._late:
            self._late -= 1
            return self._former
        return self._token

    def refresh(self, stale: str) -> str:
        """Return another token than the one that was refused.

        Raises:
            Unauthorized: there is no other.
        """
        if stale == self._token:
            raise Unauthorized("There is no other token.")
        return self._token


class Bench(ABC):
    """What a connector's author gives: the session, and what people do in the other system.

    What is tried follows from ``capabilities``: where the system has no such thing, say so by
    narrowing the defaults. One has none: the roles of several kinds nobody can guess, so they are
    said, or that there are none. Records are named by a number; another number is another record.

    Attributes:
        connector: the open session, as ``opened`` makes it.
        url: the system's address, which has the door ``/__faults`` of ``tieout.simulator.faults``.
        token: what calls are signed with at first.
        credentials: the token as a connector takes it.
        reads: the requests that change nothing.
        writes: the requests that ``apply`` makes.
        spellings: how each fault is asked for at ``/__faults``.
        remembers: whether the system knows a request id again.
        many: how many records no page of a feed can hold.
        roles: ``(kind, role)`` of what ``related`` tells; ``()`` where it tells nothing.
    """

    connector: Connector
    reads: Calls = Calls()
    writes: Calls = Calls()
    file_reads: Calls = Calls()
    spellings: Mapping[Fault, Mapping[str, Any]] = SPELLINGS
    remembers: bool = True
    many: int = 250
    roles: Sequence[tuple[str, str]] | None = None

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self.token = token
        self.credentials = RotatingToken(token)
        self.slept_secs = 0.0
        self._numbers = 0

    # -- the other system, past the connector -----------------------------------------------------

    @abstractmethod
    def plant(self, kind: str, number: int) -> Ref:
        """Make a record by hand, within the scope of the first read, with a value for each clue.

        Let some be otherwise (every second deal lost, its payment pending): what is always the same
        may be read by a connector that never looks.
        """

    @abstractmethod
    def edit(self, ref: Ref, number: int) -> None:
        """Change a record by hand, so that its version moves."""

    @abstractmethod
    def remove(self, ref: Ref) -> None:
        """Delete or archive a record by hand."""

    @abstractmethod
    def count(self, kind: str) -> int:
        """Return how many records of a kind are really there."""

    @abstractmethod
    def truth(self, ref: Ref) -> Mapping[str, Any]:
        """Return what a planted record really holds in some fields, in our names and types.

        Among them an amount and a text with an apostrophe and letters of other scripts, where the
        kind has such fields.
        """

    @abstractmethod
    def accept(self, token: str) -> None:
        """Take this token from now on, and no other."""

    @abstractmethod
    def opened(self, url: str) -> Connector:
        """Return a new session with the company, at an address.

        Open it with ``now=self.now`` and ``sleep=self.sleep``, so that pauses cost no time and are
        counted, and with ``credentials=self.credentials``.
        """

    # Not abstract: a bench without such kinds owes nothing. One that claims them and leaves these
    # out fails with the sentence, so that no claim goes unproven.

    def merge(self, kept: Ref, other: Ref) -> Ref:
        """Merge two records by hand; return where they live on."""
        raise NotImplementedError(f"{type(self).__name__} merges no records of kind {kept.kind}.")

    def copy(self, ref: Ref) -> Ref:
        """Copy a record by hand, its marker with it."""
        raise NotImplementedError(f"{type(self).__name__} copies no records of kind {ref.kind}.")

    def planted_on(self, kind: str, day: date) -> Mapping[Ref, str]:
        """Make records that people there would say are of this day, the first minute and the last.

        Returns each with the name of its date field.
        """
        raise NotImplementedError(f"{type(self).__name__} dates no records of kind {kind}.")

    def relate(self, ref: Ref, role: str) -> Sequence[Ref]:
        """Give a record several in a role, by hand; return them in the system's own order."""
        raise NotImplementedError(f"{type(self).__name__} relates no {role} to a {ref.kind}.")

    def keep_file(self, content: bytes) -> Ref:
        """Put a file there, by hand; return its address."""
        raise NotImplementedError(f"{type(self).__name__} keeps no file of {len(content)} bytes.")

    def drop_file(self, ref: Ref) -> None:
        """Delete a file, by hand."""
        raise NotImplementedError(f"{type(self).__name__} deletes no {ref.kind}.")

    # -- what is exercised ------------------------------------------------------------------------

    @property
    def kinds(self) -> Sequence[str]:
        """The kinds that people make and ``fetch`` reads; all that are in a feed."""
        return [kind for feed in self.connector.capabilities.feeds for kind in feed]

    @property
    def history(self) -> Sequence[str]:
        """The kinds whose earlier records the first read tells."""
        return self.fed_kinds

    @property
    def removed_kinds(self) -> Sequence[str]:
        """The kinds whose records people can remove."""
        return self.kinds

    @property
    def told_removals(self) -> Sequence[str]:
        """The kinds whose removals the feed tells."""
        return [kind for kind in self.removed_kinds if kind in self.fed_kinds]

    @property
    def unlinked_kinds(self) -> Sequence[str]:
        """The kinds of which the system itself says that a removed record has nothing any more."""
        return ()

    @property
    def merged_kinds(self) -> Sequence[str]:
        """The kinds whose records people can merge."""
        return self.kinds

    @property
    def dated_kinds(self) -> Sequence[str]:
        """The kinds that have a business date."""
        return [kind for kind in self.kinds if "date" in self.claimed(kind).fields.values()]

    @property
    def versioned_kinds(self) -> Sequence[str]:
        """The kinds whose writes the system refuses when the version moved."""
        return [kind for kind in self.kinds if self.claimed(kind).verbs - {Verb.CREATE}]

    @property
    def copied_kinds(self) -> Sequence[str]:
        """The kinds of which two records can carry one marker."""
        return [kind for kind in self.kinds if MARKER in self.claimed(kind).found_by]

    @abstractmethod
    def new_values(self, kind: str, number: int) -> Values:
        """Return values with which a record can be created."""

    @abstractmethod
    def other_values(self, kind: str, number: int) -> Values:
        """Return values that an update can write into a planted record.

        Of a CRM's record: one for each field that a mapping may write back, other than is planted.
        """

    @abstractmethod
    def refused_values(self, kind: str, number: int) -> Values:
        """Return values that ``prepare`` packs and the system itself refuses."""

    def texts(self, kind: str) -> Mapping[str, int]:
        """Return the text fields that have a limit, in characters, and can be written."""
        claimed = self.claimed(kind)
        return {
            name: limit
            for name, limit in claimed.limits.items()
            if claimed.fields.get(name) == "text"
        }

    def clue(self, record: Record, by: str) -> tuple[str, str]:
        """Return how a planted record is asked for: ``by`` which field, and the value."""
        if by == "id":
            return by, record.ref.id
        marked = by == MARKER and MARKER not in record.fields
        return by, str(record.fields[self.claimed(record.ref.kind).marker if marked else by])

    def nobody(self, kind: str, by: str) -> tuple[str, str]:
        """Return a question of the same form that no record answers."""
        return by, _NOBODY.get(by, f"No {kind} 999")

    def name_of(self, request: Request) -> str:
        """Return the name by which a created record without a marker is found."""
        return str(request.change.values["name"])

    # -- given ------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """Our clock: what was slept has passed."""
        return datetime.now(UTC) + timedelta(seconds=self.slept_secs)

    def sleep(self, secs: float) -> None:
        """Let so many seconds pass at once."""
        self.slept_secs += secs

    def claimed(self, kind: str) -> KindCapability:
        """Return what the connector claims of a kind."""
        return self.connector.capabilities.kinds[kind]

    def kinds_with(self, verb: Verb) -> Sequence[str]:
        """Return the kinds for which a verb is claimed."""
        known = self.connector.capabilities.kinds.items()
        return [name for name, claimed in known if verb in claimed.verbs]

    def mark_of(self, kind: str) -> str:
        """Return the field of a record's own mark; empty where ``prepare`` writes the key."""
        claimed = self.claimed(kind)
        return "" if Verb.CREATE in claimed.verbs else claimed.marker

    @property
    def told_roles(self) -> Sequence[tuple[str, str]]:
        """The roles that the author says; only a connector of one kind may be silent."""
        if self.roles is None:
            assert len(self.kinds) == 1, "say in `roles` what `related` tells; () if it tells none"
            return ()
        return self.roles

    @property
    def fed_kinds(self) -> Sequence[str]:
        """Those of the kinds that a feed tells of."""
        fed = {kind for feed in self.connector.capabilities.feeds for kind in feed}
        return [kind for kind in self.kinds if kind in fed]

    @property
    def claims(self) -> Sequence[tuple[Verb, str]]:
        """Every verb and kind that is claimed."""
        known = self.connector.capabilities.kinds.items()
        return [(verb, kind) for kind, claimed in known for verb in sorted(claimed.verbs)]

    def feed_of(self, kind: str) -> Sequence[str]:
        """Return the feed that tells of a kind."""
        feeds = self.connector.capabilities.feeds
        return next(feed for feed in feeds if kind in feed)

    def number(self) -> int:
        """Return a number that no record has yet."""
        self._numbers += 1
        return self._numbers

    def planted(self, kind: str) -> Record:
        """Make a record by hand and read it."""
        (answer,) = self.connector.fetch([self.plant(kind, self.number())])
        assert isinstance(answer, Record), f"a {kind} was made by hand, and fetch says {answer!r}"
        return answer

    def change(self, verb: Verb, kind: str, values: Values | None = None) -> Change:
        """Return a change that the system accepts; its values can be added to."""
        number = self.number()
        if verb is Verb.CREATE:
            return Create(kind, {**self.new_values(kind, number), **(values or {})})
        record = self.planted(kind)
        if verb is Verb.VOID:
            return Void(record.ref, record.version)
        added = {**self.other_values(kind, number), **(values or {})}
        return Update(record.ref, record.version, added)

    def request(self, verb: Verb, kind: str, values: Values | None = None) -> Request:
        """Return a request for such a change, under a key of its own."""
        return self.asked(self.change(verb, kind, values))

    def asked(self, change: Change) -> Request:
        """Return a request for a change, under a key of its own."""
        name = f"{change.verb} {change.kind} {self.number()}"
        return Request(str(Key(crockford(name))), change, about=name)

    def unreachable(self) -> Connector:
        """Return a session with an address where nobody listens."""
        return self.opened(NOWHERE)

    def rotate_token(self, *, late: int = 0) -> None:
        """Renew the token there and here; so many calls are still signed with the old one."""
        token = f"{self.token}-renewed-{self.number()}"
        self.accept(token)
        self.credentials.rotate(token, late=late)

    @contextmanager
    def wire(
        self, calls: Calls, fault: Fault | None = None, *, times: int | None = None
    ) -> Iterator[Wire]:
        """Count some requests, and let a fault strike so many of them, all unless told."""
        which = {name: said for name in ("path", "body") if (said := getattr(calls, name))}
        played: list[dict[str, Any]] = [{"fault": "refuse", "skip": NEVER, "count": 1, **which}]
        if fault is not None:
            assert fault in self.spellings, f"spell {fault!r} in `spellings`, for /__faults"
            played.append({**self.spellings[fault], "count": times, **which})
        self._door("POST", played)
        wire = Wire()
        try:
            yield wire
        finally:
            wire.requests = self._door("GET")["faults"][0]["matched"]
            self._door("DELETE")

    def _door(self, method: str, body: object = None) -> Any:
        sent = None if body is None else json.dumps(body).encode()
        address = f"{self.url}/__faults"
        with urlopen(HttpRequest(address, sent, method=method), timeout=DOOR_SECS) as answer:  # noqa: S310 - a simulator's own door
            return json.load(answer)
