"""The wire between Tieout and both servers, in one thread and without a socket.

It stands in for the operating system's socket, below every line of ours and of the libraries:
the bytes that urllib3 writes are parsed into one request, an application answers it in process, and
the bytes of the answer are what urllib3 reads. Meanwhile the wire misbehaves as its seed says.
"""

import hashlib
import io
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from machines.doom import Doom
from machines.seeded_time import SeededTime
from starlette.applications import Starlette
from urllib3.util import connection

LATEST_SECS = 119.0  # the vendor ends a request after 120 s (R22)
LATENCY_SECS = (0.02, 0.4)
EXCHANGES_LIMIT = 20_000  # of one story


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, whole, as it was written."""

    side: str
    method: str
    target: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def is_write(self) -> bool:
        """Whether it changes something: the books' writes carry a request id."""
        if self.side == "books":
            return "requestid=" in self.target
        return self.method != "GET" and not self.path.endswith(("/search", "/batch/read"))


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer, whole."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def text(self, missing: int = 0) -> bytes:
        """Return its bytes on the wire, so many of the body's last ones missing."""
        head = [f"HTTP/1.1 {self.status} X".encode()]
        head += [b"%s: %s" % one for one in self.headers if one[0].lower() != b"content-length"]
        head += [b"content-length: %d" % len(self.body), b"connection: close", b"", b""]
        return b"\r\n".join(head) + self.body[: len(self.body) - missing]


@dataclass(slots=True)
class Mischief:
    """How badly the wire behaves: the chance of any fault, and which ones may be drawn."""

    chance: float = 0.0
    kinds: tuple[str, ...] = ()


@dataclass(slots=True)
class Wire:
    """The applications by port, and what befell the exchanges with them."""

    time: SeededTime
    dice: random.Random
    doom: Doom
    apps: Mapping[int, tuple[str, Starlette]]
    before_write: Callable[[Asked], None] = lambda _: None
    delivered: Callable[[Asked, Answered], None] = lambda _, __: None
    may_double: Callable[[], bool] = lambda: False
    tell: Callable[[str], None] = lambda _: None
    mischief: Mischief = field(default_factory=Mischief)
    faults: Counter[str] = field(default_factory=Counter)
    exchanges: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    @contextmanager
    def strung(self) -> Iterator[None]:
        """Let urllib3 find this wire where it opens sockets."""
        held = connection.create_connection
        connection.create_connection = self._connect
        try:
            yield
        finally:
            connection.create_connection = held

    def deliver(self, asked: Asked) -> Answered:
        """Let the application answer; it commits whatever it commits."""
        answer = _answer(self._app(asked.side), asked)
        self.delivered(asked, answer)
        return answer

    def exchange(self, asked: Asked, limit_secs: float) -> bytes:
        """Return the bytes that come back, perhaps none.

        Raises:
            OSError: what a socket raises, when the wire does not deliver.
        """
        self.exchanges += 1
        if self.exchanges > EXCHANGES_LIMIT:
            raise AssertionError("the story asks without end")
        self.doom.pass_by(f"before {asked.method} {asked.path} is sent")
        if asked.is_write:
            self.before_write(asked)
        kind = self._drawn(asked)
        self._note(asked, kind)
        self.time.wait(self.dice.uniform(*LATENCY_SECS))
        try:
            told = _KINDS[kind](self, asked, limit_secs)
        except OSError as error:
            self.digest.update(repr(error).encode())
            self.doom.pass_by(f"after {asked.method} {asked.path} broke")
            raise
        self.digest.update(told)
        self.doom.pass_by(f"after {asked.method} {asked.path} was answered")
        return told

    def _drawn(self, asked: Asked) -> str:
        if not self.mischief.kinds or self.dice.random() >= self.mischief.chance:
            return "right"
        kind = self.dice.choice(self.mischief.kinds)
        fits = _FITS.get(kind, lambda _: True)
        if not fits(asked) or (kind in _DOUBLING and not self._may_double(asked)):
            return "right"
        self.faults[kind] += 1
        return kind

    def _may_double(self, asked: Asked) -> bool:
        """Where the books forget request ids, no client can keep a doubled create single."""
        return asked.side == "crm" or not asked.is_write or self.may_double()

    def _note(self, asked: Asked, kind: str) -> None:
        self.digest.update(f"{self.exchanges} {asked.side} {kind} ".encode())
        self.digest.update(f"{asked.method} {asked.target}\n".encode())
        self.digest.update(b"".join(b"%s: %s\n" % one for one in asked.headers) + asked.body)
        said = f" [{kind}]" if kind != "right" else ""
        self.tell(f"    {self.exchanges} {asked.side} {asked.method} {asked.target[:110]}{said}")

    def _app(self, side: str) -> Starlette:
        return next(app for name, app in self.apps.values() if name == side)

    def _connect(self, address: tuple[str, int], timeout: Any = None, **_: Any) -> "Line":
        side, _app = self.apps[address[1]]
        if "refused" in self.mischief.kinds and self.dice.random() < self.mischief.chance / 8:
            self.faults["refused"] += 1
            self.tell(f"    {side} refuses the connection")
            raise ConnectionRefusedError(111, "Connection refused")
        return Line(self, side)

    # What may go wrong

    def _right(self, asked: Asked, _: float) -> bytes:
        return self.deliver(asked).text()

    def _lost_before(self, asked: Asked, _: float) -> bytes:
        raise ConnectionResetError(104, "Connection reset by peer")

    def _lost_after(self, asked: Asked, _: float) -> bytes:
        self.deliver(asked)
        return b""

    def _late(self, asked: Asked, limit_secs: float) -> bytes:
        self.time.later(self.dice.uniform(0.5, LATEST_SECS), lambda: self._land(asked))
        if self.dice.random() < 0.5:
            raise ConnectionResetError(104, "Connection reset by peer")
        return self._timed_out(limit_secs)

    def _stalled(self, asked: Asked, limit_secs: float) -> bytes:
        if self.dice.random() < 0.5:
            self.deliver(asked)
        return self._timed_out(limit_secs)

    def _timed_out(self, limit_secs: float) -> bytes:
        self.time.wait(limit_secs)
        raise TimeoutError("timed out")

    def _twice(self, asked: Asked, _: float) -> bytes:
        first = self.deliver(asked)
        second = self.deliver(asked)
        return self.dice.choice((first, second)).text()

    def _twice_later(self, asked: Asked, _: float) -> bytes:
        self.time.later(self.dice.uniform(0.5, LATEST_SECS), lambda: self._land(asked))
        return self.deliver(asked).text()

    def _cut(self, asked: Asked, _: float) -> bytes:
        answer = self.deliver(asked)
        return answer.text(missing=self.dice.randrange(1, max(2, len(answer.body))))

    def _cut_head(self, asked: Asked, _: float) -> bytes:
        return self.deliver(asked).text()[: self.dice.randrange(1, 40)]

    def _land(self, asked: Asked) -> None:
        self.tell(f"    late: {asked.side} {asked.method} {asked.target[:110]}")
        self.deliver(asked)

    def _spoilt(self, asked: Asked, **fault: Any) -> bytes:
        """Let the simulator's own middleware spoil the answer, in the vendor's words."""
        faults = self._app(asked.side).state.faults
        faults.add(count=1, **fault)
        try:
            return self.deliver(asked).text()
        finally:
            faults.clear()

    def _server_error(self, asked: Asked, _: float) -> bytes:
        status = self.dice.choice((500, 502, 503, 504))
        return self._spoilt(
            asked, fault="status", status=status, after_commit=self.dice.random() < 0.5
        )

    def _html(self, asked: Asked, _: float) -> bytes:
        return self._spoilt(asked, fault="html", after_commit=self.dice.random() < 0.5)

    def _not_json(self, asked: Asked, _: float) -> bytes:
        return self._spoilt(asked, fault="not_json", after_commit=self.dice.random() < 0.5)

    def _throttled(self, asked: Asked, _: float) -> bytes:
        after = self.dice.choice((None, 1, 30, "date"))
        return self._spoilt(
            asked,
            fault="status",
            status=429,
            retry_after=after,
            seconds=20.0,
            spelling=self.dice.choice(("Fault", "fault")) if asked.side == "books" else None,
        )

    def _unauthorised(self, asked: Asked, _: float) -> bytes:
        return self._spoilt(asked, fault="status", status=401)

    def _item_missing(self, asked: Asked, _: float) -> bytes:
        fault = "omit_batch_item" if asked.side == "books" else "drop_item"
        return self._spoilt(asked, fault=fault)

    def _reordered(self, asked: Asked, _: float) -> bytes:
        return self._spoilt(asked, fault="reorder_batch" if asked.side == "books" else "reorder")

    def _item_twice(self, asked: Asked, _: float) -> bytes:
        return self._spoilt(asked, fault="duplicate_item")


_KINDS: dict[str, Callable[[Wire, Asked, float], bytes]] = {
    "right": Wire._right,
    "lost_before": Wire._lost_before,
    "lost_after": Wire._lost_after,
    "late": Wire._late,
    "stalled": Wire._stalled,
    "twice": Wire._twice,
    "twice_later": Wire._twice_later,
    "cut": Wire._cut,
    "cut_head": Wire._cut_head,
    "server_error": Wire._server_error,
    "html": Wire._html,
    "not_json": Wire._not_json,
    "throttled": Wire._throttled,
    "unauthorised": Wire._unauthorised,
    "item_missing": Wire._item_missing,
    "reordered": Wire._reordered,
    "item_twice": Wire._item_twice,
}
KINDS = (*(name for name in _KINDS if name != "right"), "refused")
_DOUBLING = ("twice", "twice_later")
_BATCHED = ("/batch", "/batch/read", "/batch/update")
_FITS: dict[str, Callable[[Asked], bool]] = {
    "late": lambda asked: asked.is_write,
    "twice_later": lambda asked: asked.is_write,
    "item_missing": lambda asked: asked.path.endswith(_BATCHED),
    "reordered": lambda asked: asked.path.endswith(_BATCHED),
    "item_twice": lambda asked: asked.side == "crm" and asked.path.endswith(_BATCHED),
    "refused": lambda _: False,  # drawn where the connection is made
}


class Line:
    """What urllib3 takes for a connected socket, for one exchange."""

    def __init__(self, wire: Wire, side: str) -> None:
        self._wire = wire
        self._side = side
        self._written = bytearray()
        self._limit_secs = 60.0

    def sendall(self, data: Any) -> None:
        self._written += data

    def settimeout(self, secs: float | None) -> None:
        if secs:
            self._limit_secs = secs

    def makefile(self, *_: Any, **__: Any) -> io.BufferedReader:
        return io.BufferedReader(_Coming(self))

    def answered(self) -> bytes:
        """Send what was written, and return what comes back."""
        return self._wire.exchange(_parsed(self._side, bytes(self._written)), self._limit_secs)

    def close(self) -> None:
        """Nothing is held open."""

    def shutdown(self, _: int) -> None:
        """Nothing is held open."""


class _Coming(io.RawIOBase):
    """The answer's bytes, which come when the first of them is read."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._bytes: io.BytesIO | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        if self._bytes is None:
            self._bytes = io.BytesIO(self._line.answered())
        return self._bytes.readinto(into)


def _parsed(side: str, written: bytes) -> Asked:
    head, _, body = written.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    method, target, _ = first.decode("ascii").split(" ")
    headers = []
    for line in lines:
        name, _, value = line.partition(b":")
        headers.append((name.strip().lower(), value.strip()))
    assert int(dict(headers).get(b"content-length", b"0")) == len(body)
    return Asked(side, method, target, tuple(headers), body)


def _answer(app: Starlette, asked: Asked) -> Answered:
    """Run an application on one request to its end; it waits for nothing but its body."""
    path, _, query = asked.target.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": asked.method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": list(asked.headers),
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }
    said: list[Any] = []
    waiting = [{"type": "http.request", "body": asked.body, "more_body": False}]

    async def receive() -> Any:
        return waiting.pop() if waiting else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        said.append(message)

    running = app(scope, receive, send)
    try:
        running.send(None)
    except StopIteration:
        pass
    else:
        running.close()
        raise AssertionError(f"{asked.method} {asked.target} waits for something")
    start, *parts = said
    body = b"".join(part.get("body", b"") for part in parts)
    return Answered(start["status"], tuple(tuple(one) for one in start["headers"]), body)
