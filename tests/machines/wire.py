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
from dataclasses import dataclass, field, replace
from typing import Any

from machines.doom import Doom
from machines.exchange import Answered, Asked, answer_of, parsed
from machines.seeded_time import SeededTime
from starlette.applications import Starlette
from urllib3.util import connection

from tieout.simulator import jsonwire
from tieout.simulator.quickbooks.refusals import Refused
from tieout.simulator.quickbooks.spelling import THROTTLED, THROTTLED_DETAIL

LATEST_SECS = 119.0  # the vendor ends a request after 120 s (R22)
LATENCY_SECS = (0.02, 0.4)
WEIGHT = 4  # of a write among calls, and of a fault that leaves it unsure among its faults
AT_MOST = 0.5  # of the writes go wrong
JSON = ((b"content-type", b"application/json"),)
PUT_OFF = Refused("3001", THROTTLED, THROTTLED_DETAIL, status=429, fault="SERVICE")
EXCHANGES_LIMIT = 20_000  # of one story


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
    memory: Callable[[], int] = lambda: 0  # how many request ids the books remember
    meddle: Callable[[], None] = lambda: None
    landing: Callable[[Asked], None] = lambda _: None  # what was on its way for long
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
        answer = answer_of(self._app(asked.side), asked)
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
        often = WEIGHT if asked.is_write else 1
        if self.dice.random() >= min(AT_MOST, often * self.mischief.chance):
            return "right"
        kinds = [kind for kind in self.mischief.kinds if self._may_be(kind, asked)]
        if not kinds:
            return "right"
        weights = [WEIGHT if asked.is_write and kind in _UNSURE else 1 for kind in kinds]
        (kind,) = self.dice.choices(kinds, weights)
        self.faults[kind] += 1
        return kind

    def _may_be(self, kind: str, asked: Asked) -> bool:
        """Where the books forgot a request id, no client can keep a doubled create single."""
        remembered = (
            asked.side == "crm" or not asked.is_write or self.memory() >= _NEEDS.get(kind, 0)
        )
        return remembered and _FITS.get(kind, lambda _: True)(asked)

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
        self.landing(asked)
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

    def _meddled(self, asked: Asked, _: float) -> bytes:
        """Let a person do something in the books while the write is on its way."""
        self.meddle()
        return self.deliver(asked).text()

    def _in_part(self, asked: Asked, _: float) -> bytes:
        """Let the books do some of a batch's items; the others they put off, or leave unsaid."""
        body = jsonwire.loads(asked.body)
        done, told = [], []
        for item in body["BatchItemRequest"]:
            fate = self.dice.choice(("done", "done", "put off", "unsaid"))
            if fate == "done":
                done.append(item)
            elif fate == "put off":
                told.append({"bId": item["bId"], **PUT_OFF.body()})
        if done:
            text = jsonwire.dumps({"BatchItemRequest": done})
            answer = self.deliver(replace(asked, body=text))
            told += jsonwire.loads(answer.body).get("BatchItemResponse", ())
        return Answered(200, JSON, jsonwire.dumps({"BatchItemResponse": told})).text()

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
    "meddled": Wire._meddled,
    "in_part": Wire._in_part,
    "reordered": Wire._reordered,
    "item_twice": Wire._item_twice,
}
KINDS = (*(name for name in _KINDS if name != "right"), "refused")
_UNSURE = ("lost_after", "late", "twice", "twice_later", "in_part", "item_missing", "meddled")
_NEEDS = {"twice": 30, "twice_later": 600}  # request ids that the books must remember
_BATCHED = ("/batch", "/batch/read", "/batch/update")
_FITS: dict[str, Callable[[Asked], bool]] = {
    "late": lambda asked: asked.is_write,
    # What the CRM was told long ago, told again by the wire, no client that does not read it sees.
    "twice_later": lambda asked: asked.is_write and asked.side == "books",
    "item_missing": lambda asked: asked.path.endswith(_BATCHED),
    "meddled": lambda asked: asked.is_write and asked.side == "books",
    "in_part": lambda asked: asked.is_write and asked.path.endswith("/batch"),
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
        return self._wire.exchange(parsed(self._side, bytes(self._written)), self._limit_secs)

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
