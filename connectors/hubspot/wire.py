"""The calls: hubspot-api-client as a transport, through our door, to dated paths.

Its ``call_api`` builds addresses and sends; its models, its pools and its sixty exceptions are not
used: they cost fifty times the JSON, forget time limits and hide what was answered (sdk.md 3).
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import chain, islice
from types import NoneType
from typing import TYPE_CHECKING, Any, TypeVar

from connectors.hubspot.facts import SYSTEM
from connectors.hubspot.refusals import KEY_REMEDY, TRACE_HEADER, TokenRefused, judge
from tieout.credentials import CompanyTokens
from tieout.model.errors import Unauthorized
from tieout.transport import Answer, Door, Limit, Quota, Route, Stream, retry_call, understood

if TYPE_CHECKING:
    from tieout.credentials import Credentials
    from tieout.transport.pool import DoorPool

AGENT = "tieout"
ROLLING = "ten_secs"
SEARCH = "search"

T = TypeVar("T")
A = TypeVar("A")

_NO_TEXTS = dict.fromkeys(("id", "updatedAt", "name"), (NoneType, dict, list, bool))
_READS = re.compile(r"/(search|batch/read)$")
_OPERATION = re.compile(
    r"^/(?:crm/)?(?:v\d+/)?"
    r"(objects|associations|properties|owners|account-info|files|crm-object-schemas)"
    r"(?:/\d{4}-\d{2}[^/]*|/v\d+)?/?"
)


class Wire:
    """One portal's calls. Reads are asked again when that is safe; writes are sent once."""

    def __init__(
        self,
        url: str,
        credentials: Credentials,
        rates: Mapping[str, int],
        now: Callable[[], datetime],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.now = now
        self._credentials = credentials
        self._renews = isinstance(credentials, CompanyTokens)
        self._sleep = sleep
        self._at_once = rates["at_once"]
        self.door = Door(
            SYSTEM,
            now=now,
            sleep=sleep,
            limits={
                ROLLING: Limit(rates["calls_per_ten_secs"], 10),
                SEARCH: Limit(rates["searches_per_sec"], 1),
            },
            at_once=self._at_once,
            route=route,
            judge=judge,
            learn=quotas,
            trace_header=TRACE_HEADER,
        )
        self._pool = self.door.pool()
        self._client = _client(url, self._pool)
        self._url = url.rstrip("/")

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        understand: Callable[[Answer], T],
        **query: str,
    ) -> T:
        """Ask something and understand its answer; ask again if it was not reached or not whole.

        Raises:
            TieoutError: what ``judge`` made of the answer, or Unavailable, RateLimited.
        """

        def asked() -> T:
            answer = self.send(method, path, body, query)
            with understood(f"The answer of {answer.route.name}", trace_id=answer.trace_id):
                return understand(answer)

        return retry_call(asked, sleep=self._sleep)

    def send(
        self, method: str, path: str, body: Any = None, query: Mapping[str, str] | None = None
    ) -> Answer:
        """Send one request, once; once more where its token was refused and can be renewed.

        What is refused so was not looked at. Errors are those of ``Door.exchange``.
        """
        key = self._key()
        try:
            return self._sent(method, path, body, query, key)
        except TokenRefused:
            if not self._renews:
                raise
        self._credentials.refresh(key)
        return self._sent(method, path, body, query, self._key())

    def _sent(
        self, method: str, path: str, body: Any, query: Mapping[str, str] | None, key: str
    ) -> Answer:
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "Content-Type": "application/json",
            "Authorization": f"Bearer {key}",
        }
        answer: Answer = self._client.call_api(
            path,
            method,
            {},
            list((query or {}).items()),
            headers,
            body=body,
            response_types_map={},
            _preload_content=False,
        )
        return answer

    def upload(self, path: str, content: Stream, media_type: str) -> Answer:
        """Send one multipart body, a piece at a time; again from its beginning after a 401.

        Raises:
            TieoutError: no well-formed answer, or it was refused.
        """

        def sent(key: str) -> Answer:
            headers = {
                "Accept": "application/json",
                "Content-Type": media_type,
                "Content-Length": str(len(content)),
                "Authorization": f"Bearer {key}",
                "User-Agent": AGENT,
            }
            return self._pool.request("POST", f"{self._url}{path}", body=content, headers=headers)

        key = self._key()
        try:
            return sent(key)
        except TokenRefused:
            if not self._renews:
                raise
        self._credentials.refresh(key)
        return sent(self._key())

    def download(self, url: str, take: Callable[[bytes], object], route: Route) -> None:
        """Get a file by an address that needs no key. Errors are those of ``Door.exchange``."""
        self._pool.download(url, take, route)

    def _key(self) -> str:
        """Return the key; one that no header can hold would be shown in the error about it."""
        key = self._credentials.access_token()
        if not (key and key.isascii() and key.isprintable()):
            raise Unauthorized(
                "The service key is empty, or holds a sign or line end that no key has.",
                remedy=KEY_REMEDY,
            )
        return key

    def each(self, ask: Callable[[A], T], asked: Iterable[A]) -> Iterator[T]:
        """Yield each answer in the order asked, a few asked at once."""
        waiting = iter(asked)
        first = list(islice(waiting, self._at_once))
        if len(first) < 2:
            yield from map(ask, chain(first, waiting))
            return
        with ThreadPoolExecutor(self._at_once, thread_name_prefix=SYSTEM) as threads:
            flying = deque(threads.submit(ask, one) for one in first)
            try:
                while flying:
                    yield flying.popleft().result()
                    flying.extend(threads.submit(ask, one) for one in islice(waiting, 1))
            finally:
                for one in flying:
                    one.cancel()

    @property
    def until(self) -> datetime | None:
        """When the credentials end, if that is known."""
        return self._credentials.until

    def close(self) -> None:
        """Give back connections."""
        self.door.close()


def rows(answer: Answer, *needed: str, within: str = "results") -> list[Mapping[str, Any]]:
    """Return the results of an answer, or what it lists elsewhere, each with what is needed of it.

    Raises:
        Unavailable: the answer has another form (OutcomeUnknown, if it is a write's).
    """
    told = answer.json
    results = told.get(within) if isinstance(told, Mapping) else None
    if not isinstance(results, list) or not all(_has(row, needed) for row in results):
        raise answer.unclear(f"The answer of {answer.route.name} has not the form it should have.")
    return results


def _has(row: Any, needed: Sequence[str]) -> bool:
    if not isinstance(row, dict):
        return False
    for name in needed:  # noqa: SIM110 - a generator would cost more than what it looks at
        if isinstance(row.get(name), _NO_TEXTS.get(name, NoneType)):
            return False
    return True


def refusals(answer: Answer) -> list[Mapping[str, Any]]:
    """Return what an answer of 207 says of the inputs that failed."""
    told = answer.json.get("errors")
    return [one for one in told if isinstance(one, Mapping)] if isinstance(told, list) else []


def next_after(told: Mapping[str, Any]) -> str:
    """Return where the next page begins, empty at the end."""
    following = (told.get("paging") or {}).get("next") or {}
    return str(following.get("after") or "")


def route(method: str, path: str) -> Route:
    """Return what a call is counted as; a search and a batch read are reads though they POST."""
    writes = method != "GET" and _READS.search(path) is None
    limits = (ROLLING, SEARCH) if path.endswith("/search") else (ROLLING,)
    known = _OPERATION.match(path)
    name = path if known is None else f"{known[1]} {path[known.end() :]}".strip()
    if name.startswith("files "):
        name = "files signed-url" if path.endswith("/signed-url") else "files one"
    elif method == "GET" and name.startswith("objects "):  # counted together, whoever's it is
        kind, *rest = name.split("/")
        name = f"{kind} {'associations' if 'associations' in rest else 'one'}"
    return Route(name, write=writes, limits=limits)


def quotas(headers: Mapping[str, str]) -> Mapping[str, Quota]:
    """Return what an answer's headers say of the rolling limit (page "API usage guidelines")."""
    calls = _whole(headers.get("x-hubspot-ratelimit-max"))
    length_ms = _whole(headers.get("x-hubspot-ratelimit-interval-milliseconds"))
    left = _whole(headers.get("x-hubspot-ratelimit-remaining"))
    if calls is None and left is None:
        return {}
    return {ROLLING: Quota(calls, None if length_ms is None else length_ms / 1000, left)}


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None


def _client(url: str, pool: DoorPool) -> Any:
    from hubspot.crm.objects import ApiClient, Configuration  # noqa: PLC0415 - two thousand modules

    settings = Configuration()
    settings.host = url.rstrip("/")
    client = ApiClient(settings)
    client.user_agent = AGENT
    client.rest_client.pool_manager = pool
    client.sanitize_for_serialization = lambda body: body  # ours are plain JSON as they are
    return client
