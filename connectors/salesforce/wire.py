"""The calls: simple-salesforce as a transport, through our door, with our own bodies.

Its client knows the addresses; ``query``, ``query_more`` and ``restful`` alone are used, with a
session that is given to it: its objects log in without end, forget time limits and do not encode
external ids (sdk.md 2).

A statement that is too long for an address travels in the body of a composite request, which counts
as one call and may hold five queries (pages "Composite" and help article 000386264).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, quote_plus

from connectors.salesforce.composite import (
    COMPOSITE,
    PARTS_AT_ONCE,
    QUERIES_AT_ONCE,
    asking,
    composite_parts,
    part_name,
    part_of,
    refusal_of,
)
from connectors.salesforce.face import JSON, Face, client_of
from connectors.salesforce.facts import SYSTEM
from connectors.salesforce.refusals import TokenRefused, judge
from connectors.salesforce.spent import Spent
from tieout.model.errors import TieoutError, Unauthorized, Unavailable
from tieout.transport import Answer, Door, Route, Stream, retry_call, understood

if TYPE_CHECKING:
    from tieout.credentials import Credentials

ADDRESS_CHARS = 8_000  # of a query in an address; with its headers it may have 16,384 bytes
PAGES_LIMIT = 50_000  # a hundred million rows
KEY_REMEDY = "Put a session that is in force where the configuration names it; the queue is kept."

T = TypeVar("T")

_READING: ContextVar[bool] = ContextVar("reading", default=False)
_OFFSET = re.compile(r"-(\d+)/?\Z", re.ASCII)
_DATA = re.compile(r"^/services/data/v[\d.]+/", re.ASCII)
_FIRST = re.compile(r"^(tooling/)?(query(?:All)?|composite|sobjects|jobs|limits)\b/?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Rows:
    """One page of a query: its rows, how many there are in all, and where the next page is."""

    rows: Sequence[Mapping[str, Any]]
    total: int
    following: str
    served_at: datetime

    @property
    def last(self) -> bool:
        """Whether Salesforce says that it is done: a page may hold fewer rows than asked for."""
        return not self.following

    @property
    def passed(self) -> int | None:
        """How many rows were shown up to here, as the address of the next page says."""
        found = _OFFSET.search(self.following)
        return int(found[1]) if found else None


class Wire:
    """One org's calls. Reads are asked again when that is safe; writes are sent once."""

    def __init__(
        self,
        address: Callable[[], str],
        credentials: Credentials,
        version: str,
        rates: Mapping[str, int],
        now: Callable[[], datetime],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.now = now
        self.version = version
        self._address = address
        self._credentials = credentials
        self.sleep = sleep
        self._page = rates["page"]
        self._spent = Spent(rates["share"], now)
        self.door = Door(
            SYSTEM,
            now=now,
            sleep=sleep,
            at_once=rates["at_once"],
            route=_route,
            judge=judge,
            learn=self._spent.learn,
        )
        self._session = self.door.session()

    def query(self, soql: str, *, deleted: bool = False) -> Rows:
        """Ask the first page of a query; ``deleted`` shows what is in the recycle bin too.

        Raises:
            TieoutError: it was refused, not answered or not well-formed.
        """
        if len(quote_plus(soql)) > ADDRESS_CHARS:
            (rows,) = self._composite([(soql, deleted)])
            return rows
        headers = {"Sforce-Query-Options": f"batchSize={self._page}"}
        return self._read(
            lambda client: client.query(soql, include_deleted=deleted, headers=headers), _rows
        )

    def more(self, following: str) -> Rows:
        """Ask the page at an address that the page before it named.

        Raises:
            TieoutError: it was refused, not answered or not well-formed.
        """
        headers = {"Sforce-Query-Options": f"batchSize={self._page}"}
        return self._read(
            lambda client: client.query_more(following, identifier_is_url=True, headers=headers),
            _rows,
        )

    def whole(self, soql: str, *, deleted: bool = False) -> list[Mapping[str, Any]]:
        """Return every row of a query.

        Raises:
            TieoutError: a page was refused or not answered, or the rows are not as many as counted.
        """
        return self._to_the_end(self.query(soql, deleted=deleted))

    def wholes(self, asked: Sequence[tuple[str, bool]]) -> list[list[Mapping[str, Any]]]:
        """Return every row of up to five queries, asked in one call.

        Raises:
            TieoutError: as ``whole``.
        """
        return [self._to_the_end(first) for first in self._composite(asked)]

    def get(
        self, path: str, understand: Callable[[Answer], T], *, accept: str = JSON, **query: str
    ) -> T:
        """Ask something at a path of the API's version.

        Raises:
            TieoutError: it was refused, not answered or not well-formed.
        """
        headers = {"Accept": accept}
        return self._read(
            lambda client: client.restful(path, params=query or None, headers=headers), understand
        )

    def post(self, path: str, body: bytes, understand: Callable[[Answer], T]) -> T:
        """Ask something that travels in a body; asked twice, it changes nothing that matters.

        Raises:
            TieoutError: it was refused, not answered or not well-formed.
        """
        return self._read(lambda client: client.restful(path, method="POST", data=body), understand)

    def each(self, paths: Sequence[str]) -> list[TieoutError | None]:
        """Ask what is at up to 25 paths in one call; return what refused each, or None.

        Raises:
            TieoutError: the call itself was refused, not answered or not well-formed.
        """
        assert len(paths) <= PARTS_AT_ONCE, "a composite request holds no more"

        def understand(answer: Answer) -> list[TieoutError | None]:
            parts = composite_parts(answer)
            return [refusal_of(parts, part_name(number), answer) for number in range(len(paths))]

        return self.post(COMPOSITE, asking([self.data_path(path) for path in paths]), understand)

    def tooling(self, soql: str) -> Sequence[Mapping[str, Any]]:
        """Return the rows of a query about the org's own definitions.

        Raises:
            TieoutError: it was refused, not answered or not well-formed.
        """
        return self.get("tooling/query/", lambda answer: _rows(answer).rows, q=soql)

    def user_info(self) -> Mapping[str, Any]:
        """Return who the session's user is (page "UserInfo Endpoint").

        Raises:
            TieoutError: it was refused, not answered or not well-formed.
        """
        return self._read(
            lambda client: client.query_more("/services/oauth2/userinfo", identifier_is_url=True),
            _mapping,
        )

    def send(self, method: str, path: str, body: bytes) -> Answer:
        """Send one write, exactly these bytes, once. Errors are those of ``Door.exchange``."""
        return self._called(lambda client: client.restful(path, method=method, data=body))

    def download(self, path: str, take: Callable[[bytes], object]) -> None:
        """Give the bytes that are at a path, a piece at a time; asked once, as they come once.

        Raises:
            TieoutError: it was refused, or not answered to its end; what ``take`` raises.
        """
        self._called(lambda client: client.restful(path), take)

    def upload(self, path: str, content: Stream, media_type: str) -> Answer:
        """Send one multipart body, a piece at a time; it can be gone through again after a 401.

        Raises:
            TieoutError: no well-formed answer, or it was refused.
        """
        headers = {"Content-Type": media_type}
        return self._called(
            lambda client: client.restful(path, method="POST", data=content, headers=headers)
        )

    def data_path(self, rest: str) -> str:
        """Return an address within a composite request: without a host, with the version."""
        return f"/services/data/v{self.version}/{rest}"

    @property
    def until(self) -> datetime | None:
        """When the credentials end, if that is known."""
        return self._credentials.until

    def close(self) -> None:
        """Give back connections."""
        self.door.close()

    def _composite(self, asked: Sequence[tuple[str, bool]]) -> list[Rows]:
        """Ask queries in the body of one call; each must be answered.

        Raises:
            TieoutError: one was refused, not answered or not well-formed.
        """
        assert len(asked) <= QUERIES_AT_ONCE, "a composite request holds no more"
        body = asking([self.query_path(soql, deleted=deleted) for soql, deleted in asked])

        def understand(answer: Answer) -> list[Rows]:
            parts = composite_parts(answer)
            return [
                _rows_of(part_of(parts, part_name(number), answer), answer)
                for number in range(len(asked))
            ]

        return self.post(COMPOSITE, body, understand)

    def query_path(self, soql: str, *, deleted: bool = False) -> str:
        """Return the address of a query within a composite request."""
        return self.data_path(f"{'queryAll' if deleted else 'query'}/?q={quote(soql, safe='')}")

    def _to_the_end(self, page: Rows) -> list[Mapping[str, Any]]:
        rows = list(page.rows)
        for _ in range(PAGES_LIMIT):
            if page.last:
                break
            page = self.more(page.following)
            rows += page.rows
        if not page.last or len(rows) != page.total:
            raise Unavailable(f"Salesforce counts {page.total} rows and showed {len(rows)}.")
        return rows

    def _read(self, ask: Callable[[Any], object], understand: Callable[[Answer], T]) -> T:
        """Ask until the answer is understood; what cannot be is asked again, a few times."""

        def asked() -> T:
            with _reads():
                answer = self._called(ask)
                with understood(f"The answer of {answer.route.name}"):
                    return understand(answer)

        return retry_call(asked, sleep=self.sleep)

    def _called(
        self, ask: Callable[[Any], object], take: Callable[[bytes], object] | None = None
    ) -> Answer:
        """Call with the present session, and once more with another if that one was refused.

        A 401 says that nothing was done, so even a write's bytes may be sent again.
        """
        token = self._token(self._credentials.access_token())
        try:
            return self._signed(ask, token, take)
        except TokenRefused:
            return self._signed(ask, self._token(self._credentials.refresh(token)), take)

    def _token(self, token: str) -> str:
        """Return the token; one that no header can hold would be shown in the error about it."""
        if not (token and token.isascii() and token.isprintable()):
            raise Unauthorized(
                "The session is empty, or holds a sign or line end that none has.",
                remedy=KEY_REMEDY,
            )
        return token

    def _signed(
        self,
        ask: Callable[[Any], object],
        token: str,
        take: Callable[[bytes], object] | None,
    ) -> Answer:
        self._spent.demand_left()
        address = self._address()
        face = Face(self._session, address, take)
        ask(client_of(face, token, address, self.version))
        return face.answered


def _rows(answer: Answer) -> Rows:
    return _rows_of(answer.json, answer)


def _rows_of(told: Any, answer: Answer) -> Rows:
    """Understand a page of a query.

    Raises:
        Unavailable: it has another form, or no server's clock (R51).
    """
    rows = told.get("records") if isinstance(told, Mapping) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise answer.unclear(f"The answer of {answer.route.name} has not the form it should have.")
    total, following = told.get("totalSize", told.get("size")), told.get("nextRecordsUrl") or ""
    is_done = told.get("done")
    if not isinstance(total, int) or is_done is not (not following):
        raise answer.unclear(f"The answer of {answer.route.name} does not say what is left.")
    if answer.served_at is None:
        raise answer.unclear("Salesforce's answer has no date, so its clock is not known.")
    return Rows(rows, total, str(following), answer.served_at)


def _mapping(answer: Answer) -> Mapping[str, Any]:
    if not isinstance(answer.json, Mapping):
        raise answer.unclear(f"The answer of {answer.route.name} has not the form it should have.")
    return answer.json


@contextmanager
def _reads() -> Iterator[None]:
    """Say that the calls within change nothing: a composite request's path does not tell."""
    token = _READING.set(True)
    try:
        yield
    finally:
        _READING.reset(token)


def _route(method: str, path: str) -> Route:
    """Return what a call is counted as."""
    write = method != "GET" and not _READING.get()
    rest = _DATA.sub("", path)
    known = _FIRST.match(rest)
    if known is None:
        return Route(f"{method} {rest.strip('/')}", write)
    name = f"{known[1] or ''}{known[2]}".replace("/", " ")
    if known[2].startswith("query"):
        name += " more" if rest[known.end() :].strip("/") else ""
    elif known[2] == "sobjects" and rest.rstrip("/").endswith("/describe"):
        name = "describe"
    return Route(f"{'write ' if write else ''}{name}", write)
