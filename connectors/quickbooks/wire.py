"""The calls: python-quickbooks as a transport, through our door, with our own bodies.

A server that takes fewer queries in a batch, none at all, or a query in its address only is asked
in the way that it takes: it says so by refusing, which changes nothing.

Its client knows the addresses, headers and parameters; its objects, its batch helper and its
exceptions are never used: they invent fields, lose results and hide what was answered (sdk.md 4).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias, TypeVar

from quickbooks.client import QuickBooks as Client

from connectors.quickbooks.face import Face
from connectors.quickbooks.faults import NO_SUCH_WAY, PRINTED, TokenRefused, error_of, judge
from tieout.credentials import Credentials
from tieout.model.dates import parse_instant
from tieout.model.errors import Rejected, TieoutError, Unauthorized, Unavailable, ValueRefused
from tieout.transport import Answer, Door, Limit, Route, dump_json, retry_call, understood

MINOR_VERSION = 75  # the floor and the default since August 2025 (R27)
QUERIES_PER_BATCH = 30
WRITE_SECS = 130.0  # the vendor gives up after 120
READ_SECS = 130.0  # a batch of queries may take as long
DOWNLOAD = Route(PRINTED, write=False, limits=("minute", "second"), read_secs=READ_SECS)

_PAGED = re.compile(
    r"SELECT \* FROM (?P<what>.+?)(?: ORDERBY Id)? STARTPOSITION (?P<start>\d+) "
    r"MAXRESULTS (?P<most>\d+)",
    re.DOTALL,
)
_COUNTS = frozenset({"startPosition", "maxResults", "totalCount"})
_READING: ContextVar[bool] = ContextVar("reading", default=False)

T = TypeVar("T")
Row: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that is not a refusal: its body, the server's clock, the vendor's trace id."""

    body: Mapping[str, Any]
    at: datetime
    trace_id: str


@dataclass(frozen=True, slots=True)
class Rows:
    """What one query found."""

    rows: tuple[Row, ...]


class Wire:
    """One company's calls. Reads are asked again when that is safe; writes are sent once."""

    def __init__(
        self,
        realm: str,
        *,
        url: str,
        credentials: Credentials,
        rates: Mapping[str, int],
        now: Callable[[], datetime],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._realm = realm
        self._api = f"{url.rstrip('/')}/v3"
        self._credentials = credentials
        self._sleep = sleep
        self.door = Door(
            "quickbooks",
            now=now,
            sleep=sleep,
            limits={
                "minute": Limit(rates["per_minute"], 60),
                "second": Limit(rates["per_second"], 1),
                "batches": Limit(rates["batches_per_minute"], 60),
            },
            at_once=rates["at_once"],
            route=self._route,
            judge=judge,
            trace_header="intuit_tid",
        )
        self._session = self.door.session()
        self.batch_most = QUERIES_PER_BATCH  # less where the server refused so many in a batch
        self._query_in_address = False

    def query(self, select: str) -> tuple[Rows, datetime]:
        """Ask one query; return its rows and the server's clock.

        Raises:
            TieoutError: it was refused or not answered.
        """

        def rows_of(reply: Reply) -> tuple[Rows, datetime]:
            return self._rows(select, reply.body.get("QueryResponse")), reply.at

        if not self._query_in_address:
            try:
                return self._read(lambda client: client.query(select), rows_of)
            except Rejected as refused:
                if refused.vendor_code not in map(str, NO_SUCH_WAY):
                    raise
                self._query_in_address = True  # as the vendor's page on data queries shows it
        address, asked = self._address("query"), {"query": select}
        return self._read(lambda client: client.get(address, params=dict(asked)), rows_of)

    def queries(self, selects: Sequence[str]) -> tuple[list[Rows | TieoutError], datetime]:
        """Ask many queries in as few calls as there can be; each is answered on its own.

        Returns the answers in order and the server's clock at the first of the calls.

        Raises:
            TieoutError: a whole call was refused or not answered.
        """
        answers: list[Rows | TieoutError] = []
        first_at: datetime | None = None
        waiting = list(selects)
        while waiting:
            part = waiting[: self.batch_most]
            try:
                found, at = self._answers(part)
            except (Rejected, Unauthorized) as refused:
                if isinstance(refused, TokenRefused):
                    raise
                if len(part) > 1:
                    self.batch_most = len(part) // 2
                    continue
                found, at = [refused], None
            answers.extend(found)
            waiting = waiting[len(part) :]
            first_at = first_at or at
        if first_at is None:  # each was asked alone, and none was answered
            last = answers[-1]
            assert isinstance(last, TieoutError), "an answer has a time"
            raise last
        return answers, first_at

    def changed(self, entities: Sequence[str], since: datetime) -> Reply:
        """Ask change data capture what changed or was deleted since (R24).

        Raises:
            TieoutError: it was refused or not answered.
        """
        since_text = since.astimezone(UTC).isoformat(timespec="seconds")
        return self._read(
            lambda client: client.change_data_capture(",".join(entities), since_text), _itself
        )

    def one(self, entity: str, record_id: str) -> Reply:
        """Read one record by its address.

        Raises:
            TieoutError: it was refused or not answered; code 610 where it does not exist.
        """
        return self._read(lambda client: client.get_single_object(entity, record_id), _itself)

    def send_batch(self, body: bytes, request_id: str) -> Reply:
        """Send a batch of writes, exactly these bytes.

        Raises:
            TieoutError: no well-formed answer, or the batch as a whole was refused.
        """
        return self._call(
            lambda client: client.post(self._address("batch"), body, request_id=request_id)
        )

    def send_one(
        self, entity: str, body: bytes, request_id: str, params: Mapping[str, str]
    ) -> Reply:
        """Send one write, exactly these bytes; ``params`` make it a void.

        Raises:
            TieoutError: no well-formed answer, or it was refused.
        """
        return self._call(
            lambda client: client.create_object(
                entity, body, request_id=request_id, params=dict(params)
            )
        )

    def upload(self, content: Iterable[bytes], media_type: str) -> Reply:
        """Send one multipart body, piece by piece; it can be gone through again after a 401.

        The upload is given no request id: nothing is published of what it would do there (R22).

        Raises:
            TieoutError: no well-formed answer, or it was refused.
        """
        headers = {"Content-Type": media_type, "Accept": "application/json"}
        address, asked = self._address("upload"), {"minorversion": str(MINOR_VERSION)}
        return self._call(
            lambda client: client.process_request(
                "POST", address, headers=dict(headers), params=dict(asked), data=content
            )
        )

    def download(self, name: str, media_type: str, take: Callable[[bytes], object]) -> None:
        """Give the bytes at an address of the company, a piece at a time; asked once.

        Raises:
            TieoutError: it was refused, or not answered to its end; what ``take`` raises.
        """
        address = f"{self._address(name)}?minorversion={MINOR_VERSION}"

        def ask(token: str) -> None:
            headers = {"Accept": media_type, "Authorization": f"Bearer {token}"}
            self._session.download(address, take, DOWNLOAD, headers)

        token = self._credentials.access_token()
        try:
            ask(token)
        except TokenRefused:
            ask(self._credentials.refresh(token))

    def close(self) -> None:
        """Give back connections."""
        self.door.close()

    def _answers(
        self, selects: Sequence[str]
    ) -> tuple[Sequence[Rows | TieoutError], datetime | None]:
        if len(selects) > 1:
            return self._batch_of_queries(selects)
        rows, at = self.query(selects[0])
        return [rows], at

    def _batch_of_queries(
        self, selects: Sequence[str]
    ) -> tuple[list[Rows | TieoutError], datetime]:
        """Ask queries in a batch; one that its answer does not know by its bId is asked alone."""
        items = [{"bId": str(n), "Query": select} for n, select in enumerate(selects)]
        body = dump_json({"BatchItemRequest": items})
        reply = self._read(lambda client: client.post(self._address("batch"), body), _a_batch)
        answered = {str(item.get("bId")): item for item in reply.body["BatchItemResponse"]}
        found: list[Rows | TieoutError] = []
        for item in items:
            told = answered.get(item["bId"])
            try:
                if told is None:
                    found.append(self.query(item["Query"])[0])
                    continue
                with understood("The answer of a batch", trace_id=reply.trace_id):
                    fault = told.get("Fault") or told.get("fault")
                    if fault:
                        raise error_of(fault, write=False, trace_id=reply.trace_id)
                    found.append(self._rows(item["Query"], told.get("QueryResponse")))
            except TieoutError as error:
                found.append(error)
        return found, reply.at

    def _rows(self, select: str, response: object) -> Rows:
        """Return the rows of a QueryResponse.

        Some servers say in ``maxResults`` how many were asked for; then the books are asked to
        count, so that a page that lacks rows is never taken for a whole one.

        Raises:
            Unavailable: it is none, or it shows fewer rows than there are.
        """
        rows, said = _rows_of(response)
        if said == len(rows.rows):
            return rows
        asked = _PAGED.fullmatch(select)
        if asked is None or said != int(asked["most"]):
            raise _short(len(rows.rows), said)
        count = f"SELECT COUNT(*) FROM {asked['what']}"  # noqa: S608 - a part of our own query
        reply = self._read(self._counting(count), _itself)
        told = reply.body.get("QueryResponse")
        there = told.get("totalCount") if isinstance(told, Mapping) else None
        left = int(str(there)) - int(asked["start"]) + 1 if str(there).isdecimal() else said
        if min(max(left, 0), said) != len(rows.rows):
            raise _short(len(rows.rows), left)
        return rows

    def _counting(self, count: str) -> Callable[[Any], object]:
        if not self._query_in_address:
            return lambda client: client.query(count)
        return lambda client: client.get(self._address("query"), params={"query": count})

    def _read(self, operation: Callable[[Any], object], understand: Callable[[Reply], T]) -> T:
        """Ask until the answer is understood; what cannot be is asked again, a few times."""

        def asked() -> T:
            with _reads():
                reply = self._call(operation)
                with understood("The answer of the books", trace_id=reply.trace_id):
                    return understand(reply)

        return retry_call(asked, sleep=self._sleep)

    def _call(self, operation: Callable[[Any], object]) -> Reply:
        """Call with the present token, and once more with another if that one was refused.

        A 401 says that nothing was done, so even a write's bytes may be sent again.
        """
        token = self._credentials.access_token()
        try:
            return self._signed(operation, token)
        except TokenRefused:
            return self._signed(operation, self._credentials.refresh(token))

    def _signed(self, operation: Callable[[Any], object], token: str) -> Reply:
        face = Face(self._session, token)
        client = Client(company_id=self._realm, minorversion=MINOR_VERSION)
        client.api_url_v3 = self._api
        client.session = face
        operation(client)
        answer = face.answered
        return Reply(answer.json, _server_clock(answer), answer.trace_id)

    def _address(self, name: str) -> str:
        return f"{self._api}/company/{self._realm}/{name}"

    def _route(self, method: str, path: str) -> Route:
        named = path.partition(f"/company/{self._realm}/")[2].partition("/")[0]
        write = method != "GET" and not _READING.get()
        limits = ("minute", "second", "batches") if named == "batch" else ("minute", "second")
        name = f"{'write' if write else 'read'} {named}"
        return Route(name, write, limits, WRITE_SECS if write else READ_SECS)


@contextmanager
def _reads() -> Iterator[None]:
    """Say that the calls within change nothing: a batch's path does not tell."""
    token = _READING.set(True)
    try:
        yield
    finally:
        _READING.reset(token)


def _itself(reply: Reply) -> Reply:
    return reply


def _a_batch(reply: Reply) -> Reply:
    """Return a batch's answer; one that answers nothing has no entries.

    Raises:
        Unavailable: its entries are no list of objects.
    """
    told = reply.body.get("BatchItemResponse")
    if told is None:
        return Reply({"BatchItemResponse": ()}, reply.at, reply.trace_id)
    if not isinstance(told, list) or not all(isinstance(one, Mapping) for one in told):
        raise Unavailable("The answer of a batch has another form.", trace_id=reply.trace_id)
    return reply


def _server_clock(answer: Answer) -> datetime:
    """The Date header, else the body's own time, else the instant of arrival (R51)."""
    if answer.served_at is not None:
        return answer.served_at
    said = answer.json.get("time")
    try:
        return parse_instant(said) if isinstance(said, str) else answer.received_at
    except ValueRefused:
        return answer.received_at


def _rows_of(response: object) -> tuple[Rows, int]:
    """Return the rows of a QueryResponse, whatever entity they are listed under, and its count.

    Raises:
        Unavailable: it is none.
    """
    if not isinstance(response, Mapping):
        raise Unavailable("The answer of a query has no QueryResponse.")
    rows: tuple[Row, ...] = ()
    for name, held in response.items():
        if name in _COUNTS:
            continue
        if isinstance(held, list):
            rows = tuple(held)
        elif isinstance(held, Mapping):  # Preferences and CompanyInfo may come as one object
            rows = (held,)
    if not all(isinstance(row, Mapping) for row in rows):
        raise Unavailable("The answer of a query has rows that are no records.")
    said = str(response.get("maxResults", len(rows)))
    return Rows(rows), int(said) if said.isdecimal() else len(rows)


def _short(shown: int, said: int) -> Unavailable:
    return Unavailable(f"The answer of a query has {shown} rows and says {said}.")
