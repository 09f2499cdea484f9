"""A server that keeps to a vendor's pages and yet differs from our simulator, over real HTTP.

It is one of ours whose answers are bent on the way out, or refused before it is asked: ``Bent`` is
an ASGI application around another, and a bend is a test's own function that changes an exchange.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tieout.simulator import jsonwire


@dataclass
class Exchange:
    """One request, and the answer that our simulator gives; a test changes the answer."""

    method: str
    path: str
    query: dict[str, str]
    asked: Any  # its JSON, its text, or None
    status: int = 0
    told: Any = None  # JSON, or a text
    headers: dict[str, str] = field(default_factory=dict)


Bend = Callable[[Exchange], None]


class Bent:
    """An application whose answers are bent; ``refuse`` may answer before it is asked."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.bends: list[Bend] = []
        self.refusals: list[Bend] = []
        self.seen: list[Exchange] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/__"):
            await self.app(scope, receive, send)
            return
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        query = {name: held[0] for name, held in parse_qs(scope["query_string"].decode()).items()}
        exchange = Exchange(scope["method"], scope["path"], query, _value(body))
        self.seen.append(exchange)
        for refuse in self.refusals:
            refuse(exchange)
        if not exchange.status:
            await self._ask(exchange, scope, body)
            for bend in self.bends:
                bend(exchange)
        await _answer(exchange, send)

    async def _ask(self, exchange: Exchange, scope: Scope, body: bytes) -> None:
        told = b""

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            nonlocal told
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                exchange.headers = {
                    name.decode().lower(): held.decode() for name, held in message["headers"]
                }
            else:
                told += message.get("body", b"")

        await self.app(scope, receive, send)
        exchange.told = _value(told)


def _value(body: bytes) -> Any:
    if not body:
        return None
    try:
        return jsonwire.loads(body)
    except ValueError:
        return body.decode()


async def _answer(exchange: Exchange, send: Send) -> None:
    told = exchange.told
    body = told.encode() if isinstance(told, str) else jsonwire.dumps(told)
    kind = "text/plain" if isinstance(told, str) else "application/json"
    given = {"content-type": kind, "date": formatdate(usegmt=True), **exchange.headers}
    given["content-length"] = str(len(body))
    headers = [(name.encode(), held.encode()) for name, held in given.items()]
    await send({"type": "http.response.start", "status": exchange.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
