"""The calls: the Web API directly, through our door; no library is good enough (sdk.md 6)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlsplit

from connectors.dynamics365.batch import PARTS_LIMIT, Part, content_type, pack, unpack
from connectors.dynamics365.facts import SYSTEM
from connectors.dynamics365.refusals import KEY_REMEDY, TRACE_HEADER, TokenRefused, judge
from tieout.model.errors import ConfigError, TieoutError, Unauthorized, Unavailable
from tieout.model.ref import request_id
from tieout.transport import Answer, Door, Limit, Quota, Route, Stream, retry_call, understood

if TYPE_CHECKING:
    from tieout.credentials import Credentials

WINDOW = "five_mins"
WINDOW_SECS = 300
WRITE_SECS = 130.0  # Dataverse ends a message after two minutes
PAGE_ROWS = 5_000  # sdk.md 7
BATCH = "$batch"
COUNT = "@odata.count"
COUNT_LIMIT = 5_000  # page "Count number of rows"
NEXT = "@odata.nextLink"
DOWNLOAD = Route("read file", write=False, limits=(WINDOW,), read_secs=WRITE_SECS)

T = TypeVar("T")

_READING: ContextVar[bool] = ContextVar("reading", default=False)

_HEADERS = {
    "Accept": "application/json",
    "OData-MaxVersion": "4.0",
    "OData-Version": "4.0",
    "Accept-Encoding": "gzip",
    "User-Agent": "tieout",
}
_KEY = re.compile(r"\([^/]*\)")
_ROOT = re.compile(r"^.*/api/data/v[\d.]+/", re.ASCII)


class Wire:
    """One organization's calls. Reads are asked again when that is safe; writes are sent once."""

    def __init__(
        self,
        url: str,
        version: str,
        credentials: Credentials,
        rates: Mapping[str, int],
        now: Callable[[], datetime],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.now = now
        self.root = f"/api/data/{version}/"
        self._url = url.rstrip("/")
        self._credentials = credentials
        self._sleep = sleep
        self.door = Door(
            SYSTEM,
            now=now,
            sleep=sleep,
            limits={WINDOW: Limit(rates["calls_per_five_mins"], WINDOW_SECS)},
            at_once=rates["at_once"],
            route=_route,
            judge=judge,
            learn=_quotas,
            trace_header=TRACE_HEADER,
        )
        self._pool = self.door.pool()

    def get(self, path: str, *, understand: Callable[[Answer], T], prefer: Sequence[str] = ()) -> T:
        """Ask something and understand its answer; ask again if it was not reached or not whole.

        Args:
            path: below the API's root, with its query, already encoded.
            understand: what reads the answer.
            prefer: wishes, as ``odata.maxpagesize=5000``.

        Raises:
            TieoutError: what ``judge`` made of the answer, or Unavailable, RateLimited.
        """
        wished = {"Prefer": ",".join(prefer)} if prefer else {}

        def asked() -> T:
            answer = self._signed("GET", path, None, wished)
            with understood(f"The answer of {answer.route.name}", trace_id=answer.trace_id):
                return understand(answer)

        return retry_call(asked, sleep=self._sleep)

    def answers(
        self,
        paths: Sequence[str],
        *,
        understand: Callable[[Answer], T],
        prefer: Sequence[str] = (),
    ) -> list[T | TieoutError]:
        """Ask several things in as few calls as there can be; each is answered on its own."""
        found: list[T | TieoutError] = []
        for start in range(0, len(paths), PARTS_LIMIT):
            some = paths[start : start + PARTS_LIMIT]
            try:
                if len(some) == 1:
                    found.append(self.get(some[0], understand=understand, prefer=prefer))
                    continue
                told = retry_call(partial(self._read_all, some, prefer), sleep=self._sleep)
            except TieoutError as error:
                found += [error] * len(some)
                continue
            found += (_understood(part, understand) for part in told)
        return found

    def send_batch(self, body: bytes) -> list[Answer]:
        """Send a batch of writes, exactly these bytes, once.

        Raises:
            TieoutError: no well-formed answer, or the batch as a whole was refused.
        """
        answer = self._signed("POST", BATCH, body, _batch_headers(body))
        with understood("The answer of a batch", write=True, trace_id=answer.trace_id):
            return unpack(answer)

    def make(self, path: str, content: Stream) -> Answer:
        """Make the record of an address if there is none, by bytes that are nowhere whole, once.

        Raises:
            Duplicate: it is there already.
            TieoutError: no well-formed answer, or it was refused.
        """
        headers = {
            "If-None-Match": "*",
            "Content-Type": "application/json; charset=utf-8",
            "Content-Length": str(len(content)),
        }
        return self._signed("PATCH", path, content, headers)

    def download(self, path: str, take: Callable[[bytes], object]) -> None:
        """Give the bytes that are at a path, a piece at a time; asked once, as they come once.

        Raises:
            TieoutError: it was refused, or not answered to its end; what ``take`` raises.
        """
        token = self._token()
        try:
            self._downloaded(path, take, token)
        except TokenRefused:
            self._downloaded(path, take, self._credentials.refresh(token))

    def below_root(self, link: str) -> str:
        """Return a link of the server's as the path below the root: it outlives the address.

        Raises:
            Unavailable: it leads elsewhere.
        """
        parts = urlsplit(link)
        path = parts.path if not parts.query else f"{parts.path}?{parts.query}"
        if not path.startswith(self.root):
            raise Unavailable("Dataverse's next link leads out of its Web API.")
        return path.removeprefix(self.root)

    @property
    def until(self) -> datetime | None:
        """When the credentials end, if that is known."""
        return self._credentials.until

    def close(self) -> None:
        """Give back connections."""
        self.door.close()

    def _read_all(self, paths: Sequence[str], prefer: Sequence[str]) -> list[Answer]:
        headers = {"Accept": "application/json"}
        if prefer:
            headers["Prefer"] = ",".join(prefer)
        parts = [Part("GET", f"{self.root}{path}", headers) for path in paths]
        body = pack(parts, f"batch_{request_id(paths)}")
        reading = _READING.set(True)
        try:
            answer = self._signed("POST", BATCH, body, _batch_headers(body))
        finally:
            _READING.reset(reading)
        with understood("The answer of a batch", trace_id=answer.trace_id):
            answers = unpack(answer)
        if len(answers) != len(paths):
            raise answer.unclear(f"A batch of {len(paths)} has {len(answers)} answers.")
        return answers

    def _signed(
        self, method: str, path: str, body: bytes | Stream | None, headers: Mapping[str, str]
    ) -> Answer:
        """Call with the present token, and once more with another if that one was refused.

        A 401 says that nothing was done, so even a write's bytes may be sent again.
        """
        token = self._token()
        try:
            return self._called(method, path, body, headers, token)
        except TokenRefused:
            return self._called(method, path, body, headers, self._credentials.refresh(token))

    def _called(
        self,
        method: str,
        path: str,
        body: bytes | Stream | None,
        headers: Mapping[str, str],
        token: str,
    ) -> Answer:
        wanted = {**_HEADERS, **headers, "Authorization": f"Bearer {token}"}
        if body is not None and "Content-Type" not in wanted:
            wanted["Content-Type"] = "application/json; charset=utf-8"
        return self._pool.request(method, self._address(path), body=body, headers=wanted)

    def _downloaded(self, path: str, take: Callable[[bytes], object], token: str) -> Answer:
        wanted = {**_HEADERS, "Authorization": f"Bearer {token}"}
        return self._pool.download(self._address(path), take, DOWNLOAD, wanted)

    def _address(self, path: str) -> str:
        if not self._url:
            raise ConfigError(
                "The organization's address is not known.",
                remedy="Set url for this company, as https://contoso.crm4.dynamics.com.",
            )
        return f"{self._url}{self.root}{path}"

    def _token(self) -> str:
        """Return the token; one that no header can hold would be shown in the error about it."""
        token = self._credentials.access_token()
        if not (token and token.isascii() and token.isprintable()):
            raise Unauthorized(
                "The token is empty, or holds a sign or line end that no token has.",
                remedy=KEY_REMEDY,
            )
        return token


@dataclass(frozen=True, slots=True)
class Counted:
    """A page of a list: its rows, how many the list has, and the link to the next page."""

    rows: list[Mapping[str, Any]]
    count: Any
    link: str

    def is_whole(self, shown: int) -> bool:
        """Whether so many rows are all: a count ends at five thousand, whatever there is."""
        return shown == self.count or (self.count == COUNT_LIMIT and shown > COUNT_LIMIT)


def _understood(answer: Answer, understand: Callable[[Answer], T]) -> T | TieoutError:
    """Return what a part of a batch says, or the error that it stands for."""
    try:
        with understood(f"The answer of {answer.route.name}", trace_id=answer.trace_id):
            error = judge(answer)
            return understand(answer) if error is None else error
    except TieoutError as wrong:
        return wrong


def rows(answer: Answer) -> list[Mapping[str, Any]]:
    """Return the rows of a list.

    Raises:
        Unavailable: the answer has another form.
    """
    told = answer.json
    held = told.get("value") if isinstance(told, Mapping) else None
    if not isinstance(held, list) or not all(isinstance(row, Mapping) for row in held):
        raise answer.unclear(f"The answer of {answer.route.name} has not the form it should have.")
    return held


def counted(answer: Answer) -> Counted:
    """Return a page of a list that was asked to count (``$count=true``).

    Raises:
        Unavailable: it has another form, does not count, or is the only page and lacks rows.
    """
    page = Counted(rows(answer), answer.json.get(COUNT), str(answer.json.get(NEXT) or ""))
    if not isinstance(page.count, int):
        raise answer.unclear(f"{answer.route.name} was asked to count and did not.")
    if not page.link and not page.is_whole(len(page.rows)):
        raise answer.unclear(f"{answer.route.name} counts {page.count}, shows {len(page.rows)}.")
    return page


def row(answer: Answer) -> Mapping[str, Any]:
    """Return the one record of an answer.

    Raises:
        Unavailable: the answer has another form.
    """
    told = answer.json
    if not isinstance(told, Mapping) or "value" in told:
        raise answer.unclear(f"The answer of {answer.route.name} shows no record.")
    return told


def encoded(text: str) -> str:
    """Return a part of a query or a key, with all that an address has a use for hidden.

    An apostrophe within an OData text is doubled before (page "Query data using the Web API").
    """
    return quote(text, safe="")


def literal(text: str) -> str:
    """Return a text as OData writes it, in apostrophes."""
    return "'" + text.replace("'", "''") + "'"


def _route(method: str, path: str) -> Route:
    """A batch of questions is a read though it POSTs."""
    name = _KEY.sub("()", _ROOT.sub("", path))
    write = method != "GET" and not _READING.get()
    label = f"{'write' if write else 'read'} {name}"
    return Route(label, write=write, limits=(WINDOW,), read_secs=WRITE_SECS if write else None)


def _quotas(headers: Mapping[str, str]) -> Mapping[str, Quota]:
    """Return what an answer's headers say of the window (page "Service protection API limits")."""
    left = headers.get("x-ms-ratelimit-burst-remaining-xrm-requests") or ""
    if not left.isdecimal():
        return {}
    return {WINDOW: Quota(None, None, int(left))}


def _batch_headers(body: bytes) -> Mapping[str, str]:
    return {"Content-Type": content_type(body), "Prefer": "odata.continue-on-error"}
