"""Failures on demand: an ASGI middleware that both simulators wear, ruled by `/__faults`.

`POST /__faults` takes one fault or a list; `GET` lists them with how often each matched and
fired; `DELETE` clears them. A fault names what goes wrong and which requests it strikes:

    {"fault": "lose_answer", "method": "POST", "path": "/invoice$", "count": 1, "skip": 2}

`path` and `body` are regular expressions searched in the path and the request's text. `skip`
lets the first matches pass, `every` strikes each n-th, `probability` throws a seeded die. `count`
is how often it strikes: once unless told; without end if null, or if `every` or `probability` is
given without it. The first fault that strikes is the only one for its request.
"""

import asyncio
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tieout.simulator import jsonwire
from tieout.simulator.clock import Now
from tieout.simulator.serving import drop

PATH = "/__faults"
MAX_BODY_BYTES = 32 * 1024 * 1024

GENERIC = frozenset(
    {"refuse", "lose_answer", "commit_late", "stall", "status", "html", "cut_body", "not_json"}
)
"""Faults of the wire; an application adds its own by name (`transformers`)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The request that a fault struck."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer whole: status, headers by lower-case name, body."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes


@dataclass(slots=True)
class Fault:
    """What goes wrong, where, and how often it did."""

    fault: str
    method: str | None = None
    path: str | None = None
    body: str | None = None
    count: int | None = None
    skip: int = 0
    every: int = 1
    probability: float = 1.0
    status: int = 500
    spelling: str | None = None
    """Which of the vendor's wordings a `status` takes; the vendor's page names them."""
    retry_after: int | str | None = None
    """Seconds, or "date" for an HTTP date `seconds` from now."""
    seconds: float = 1.0
    """How long `stall` waits and `commit_late` is late."""
    after_commit: bool = False
    """The application runs first, and its answer is the one that is lost or delayed."""
    matched: int = field(default=0, init=False)
    fired: int = field(default=0, init=False)

    def strikes(self, asked: Asked, dice: random.Random) -> bool:
        """Count the request if it matches; tell whether the fault strikes it."""
        if self.count is not None and self.fired >= self.count:
            return False
        if not self._matches(asked):
            return False
        self.matched += 1
        if self.matched <= self.skip or (self.matched - self.skip) % self.every:
            return False
        if self.probability < 1 and dice.random() >= self.probability:
            return False
        self.fired += 1
        return True

    def _matches(self, asked: Asked) -> bool:
        return (
            (self.method is None or self.method.upper() == asked.method)
            and (self.path is None or re.search(self.path, asked.path) is not None)
            and (
                self.body is None
                or re.search(self.body, asked.body.decode(errors="replace")) is not None
            )
        )


Speller = Callable[[Fault, Asked], Answer]
"""Writes the answer of a `status` fault as the vendor words it."""

Transformer = Callable[[Asked, Any, random.Random], Any]
"""Takes the request and the right answer's JSON, and returns a wrong one.

A vendor whose answers are not all JSON says in ``Faults`` how its others are read and written.
"""


class Faults:
    """The faults in force. One belongs to one application."""

    def __init__(
        self,
        spell: Speller,
        now: Now,
        transformers: Mapping[str, Transformer] | None = None,
        *,
        seed: int = 0,
        read: Callable[[Answer], Any] = lambda right: jsonwire.loads(right.body),
        write: Callable[[Any, Answer], bytes] = lambda wrong, _: jsonwire.dumps(wrong),
    ) -> None:
        self.spell = spell
        self.read = read
        self.write = write
        self.now = now
        self.transformers = dict(transformers or {})
        self.listed: tuple[Fault, ...] = ()
        self.dice = random.Random(seed)  # noqa: S311 - a repeatable die, not a secret
        self.closing = asyncio.Event()
        self.late: set[asyncio.Task[Any]] = set()

    def add(self, **wanted: Any) -> Fault:
        """Put a fault in force.

        Raises:
            ValueError: the fault, one of its fields or its pattern is unknown or senseless.
        """
        known = GENERIC | self.transformers.keys()
        if wanted.get("fault") not in known:
            raise ValueError(f"no fault {wanted.get('fault')!r}; there are {sorted(known)}")
        if not {"count", "every", "probability"} & wanted.keys():
            wanted["count"] = 1
        for pattern in (wanted.get("path"), wanted.get("body")):
            _check_pattern(pattern)
        try:
            fault = Fault(**wanted)
        except TypeError as error:
            raise ValueError(str(error)) from error
        if fault.every < 1 or fault.skip < 0:
            raise ValueError("every is at least 1, skip at least 0")
        self.listed = (*self.listed, fault)
        return fault

    def clear(self) -> None:
        """Put all faults out of force."""
        self.listed = ()

    def striking(self, asked: Asked) -> Fault | None:
        """Return the first fault that strikes this request."""
        return next((fault for fault in self.listed if fault.strikes(asked, self.dice)), None)

    def shown(self) -> list[dict[str, Any]]:
        """Return all faults in force, as `GET /__faults` shows them."""
        return [asdict(fault) for fault in self.listed]

    async def finish(self) -> None:
        """Let every late commit land now: the vendor commits, whether we listen or not."""
        self.closing.set()
        if self.late:
            await asyncio.wait(self.late)


class FaultMiddleware:
    """Stands between the socket and the application and plays the faults in force."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, unless a fault strikes it."""
        if scope["type"] == "lifespan":
            await self._app(scope, self._finishing(receive), send)
        elif scope["path"] == PATH:
            await self._rule(scope, receive, send)
        elif not self._faults.listed or scope["path"].startswith("/__"):
            await self._app(scope, receive, send)
        else:
            await self._maybe_fail(scope, receive, send)

    async def _maybe_fail(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = _asked(scope, await _whole_body(receive))
        fault = self._faults.striking(asked)
        if fault is None:
            await _send(await self._run(scope, asked), send)
            return
        match fault.fault:
            case "refuse":
                await drop(scope, receive)
            case "lose_answer":
                await self._run(scope, asked)
                await drop(scope, receive)
            case "commit_late":
                self._commit_late(scope, asked, fault.seconds)
                await drop(scope, receive)
            case "cut_body":
                await _send_half(await self._run(scope, asked), send)
                await drop(scope, receive)
            case _:
                await _send(await self._wrong_answer(fault, scope, asked), send)

    async def _wrong_answer(self, fault: Fault, scope: Scope, asked: Asked) -> Answer:
        if fault.fault == "stall" and not fault.after_commit:
            await self._pause(fault.seconds)
        runs = fault.after_commit or fault.fault not in {"status", "html", "not_json"}
        right = await self._run(scope, asked) if runs else None
        match fault.fault:
            case "status":
                return self._spelled(fault, asked)
            case "html":
                return _html(fault.status)
            case "not_json":
                return Answer(200, [("content-type", "application/json")], b"upstream said hello")
        if right is None:
            raise AssertionError(f"{fault.fault} needs the application's answer")
        if fault.fault == "stall":
            if fault.after_commit:
                await self._pause(fault.seconds)
            return right
        return self._transformed(fault, asked, right)

    def _transformed(self, fault: Fault, asked: Asked, right: Answer) -> Answer:
        transform = self._faults.transformers[fault.fault]
        wrong = transform(asked, self._faults.read(right), self._faults.dice)
        return Answer(right.status, right.headers, self._faults.write(wrong, right))

    def _spelled(self, fault: Fault, asked: Asked) -> Answer:
        answer = self._faults.spell(fault, asked)
        if fault.retry_after is None:
            return answer
        after = str(fault.retry_after)
        if after == "date":
            free_at = self._faults.now() + timedelta(seconds=fault.seconds)
            after = format_datetime(free_at, usegmt=True)
        return Answer(answer.status, [*answer.headers, ("retry-after", after)], answer.body)

    def _commit_late(self, scope: Scope, asked: Asked, seconds: float) -> None:
        async def later() -> None:
            await self._pause(seconds)
            await self._run(scope, asked)

        task = asyncio.create_task(later())
        self._faults.late.add(task)
        task.add_done_callback(self._faults.late.discard)

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._faults.closing.wait(), seconds)
        except TimeoutError:
            return

    async def _run(self, scope: Scope, asked: Asked) -> Answer:
        """Let the application answer the whole request, and keep the answer from the socket."""
        status = 500
        headers: list[tuple[str, str]] = []
        body = bytearray()
        waiting: list[Message] = [{"type": "http.request", "body": asked.body, "more_body": False}]

        async def receive() -> Message:
            return waiting.pop() if waiting else {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            nonlocal status, headers
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [(k.decode().lower(), v.decode()) for k, v in message["headers"]]
            else:
                body.extend(message.get("body", b""))

        await self._app(scope, receive, send)
        return Answer(status, headers, bytes(body))

    async def _rule(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _whole_body(receive)
        refusal = None
        if scope["method"] == "POST":
            try:
                wanted = jsonwire.loads(body)
                for fault in wanted if isinstance(wanted, list) else [wanted]:
                    self._faults.add(**_plain(fault))
            except (ValueError, TypeError) as error:
                refusal = {"error": str(error)}
        elif scope["method"] == "DELETE":
            self._faults.clear()
        response = (
            jsonwire.ExactJson(refusal, 400)
            if refusal
            else jsonwire.ExactJson({"faults": self._faults.shown()})
        )
        await response(scope, receive, send)

    def _finishing(self, receive: Receive) -> Receive:
        async def finishing() -> Message:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await self._faults.finish()
            return message

        return finishing


async def _whole_body(receive: Receive) -> bytes:
    body = bytearray()
    more = True
    while more:
        message = await receive()
        body.extend(message.get("body", b""))
        more = message.get("more_body", False)
        if len(body) > MAX_BODY_BYTES:
            raise ValueError(f"a request may have {MAX_BODY_BYTES} bytes")
    return bytes(body)


def _asked(scope: Scope, body: bytes) -> Asked:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    return Asked(scope["method"], scope["path"], scope["query_string"].decode(), headers, body)


async def _send(answer: Answer, send: Send) -> None:
    await send(_start(answer))
    await send({"type": "http.response.body", "body": answer.body})


async def _send_half(answer: Answer, send: Send) -> None:
    await send(_start(answer))
    half = answer.body[: len(answer.body) // 2]
    await send({"type": "http.response.body", "body": half, "more_body": True})


def _start(answer: Answer) -> Message:
    headers = [(n.encode(), v.encode()) for n, v in answer.headers if n != "content-length"]
    headers.append((b"content-length", str(len(answer.body)).encode()))
    return {"type": "http.response.start", "status": answer.status, "headers": headers}


def _html(status: int) -> Answer:
    """Return what a gateway in front of the vendor says when nobody answers behind it."""
    status = status if status in {502, 503, 504} else 504
    title = {502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Time-out"}[status]
    text = f"<html><head><title>{status} {title}</title></head><body>{title}</body></html>"
    return Answer(status, [("content-type", "text/html")], text.encode())


def _plain(fault: Any) -> dict[str, Any]:
    """Turn the Decimals of the exact reader into floats: seconds and chances are no money."""
    if not isinstance(fault, dict):
        raise TypeError("a fault is an object")
    floats = {"seconds", "probability"}
    return {key: float(value) if key in floats else value for key, value in fault.items()}


def _check_pattern(pattern: str | None) -> None:
    try:
        re.compile(pattern or "")
    except re.error as error:
        raise ValueError(f"pattern {pattern!r}: {error}") from error
