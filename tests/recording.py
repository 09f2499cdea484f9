"""What really went over the wire between a connector and a simulator, for a test to judge.

The recorder stands behind the simulator's faults: it hears the right answers, not the spoiled ones.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(frozen=True)
class Heard:
    """One request and its answer, as bytes."""

    method: str
    path: str
    query: dict[str, str]
    content_type: str
    asked: bytes
    status: int
    headers: dict[str, str]
    told: bytes

    @property
    def place(self) -> str:
        """What it was, for a message."""
        return f"{self.method} {self.path} {self.status}"


def listen(app: Starlette, heard: list[Heard]) -> None:
    """Let everything that is asked of an application be heard; before it is served."""
    app.user_middleware.append(Middleware(_Recorder, heard=heard))


class _Recorder:
    def __init__(self, app: ASGIApp, heard: list[Heard]) -> None:
        self.app = app
        self.heard = heard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/__"):
            await self.app(scope, receive, send)
            return
        asked = await _whole(receive)  # also of a request that is refused unread
        waiting = [asked]
        told = bytearray()
        start: Message = {}

        async def hear() -> Message:
            if not waiting:
                return await receive()
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}

        async def say(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            told.extend(message.get("body", b""))
            if message["type"] == "http.response.body" and not message.get("more_body"):
                self.heard.append(_heard(scope, start, asked, bytes(told)))
            await send(message)  # whoever gets the answer finds that it was heard

        await self.app(scope, hear, say)


async def _whole(receive: Receive) -> bytes:
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _heard(scope: Scope, start: Message, asked: bytes, told: bytes) -> Heard:
    given, answered = _texts(scope["headers"]), _texts(start["headers"])
    return Heard(
        scope["method"],
        scope["path"],
        dict(parse_qsl(scope["query_string"].decode())),
        given.get("content-type", ""),
        asked,
        start["status"],
        answered,
        told,
    )


def _texts(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode().lower(): value.decode() for name, value in headers}
