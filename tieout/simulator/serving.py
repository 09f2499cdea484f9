"""A simulator on loopback: real sockets, keep-alive, and connections that can be dropped."""

import asyncio
import contextlib
import multiprocessing
import socket
import threading
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Self

import uvicorn
from starlette.types import ASGIApp, Receive, Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LOOPBACK = "127.0.0.1"
START_SECS = 30
STOP_SECS = 10
GRACE_SECS = 1
"""How long a request that is still being answered may hold up the end."""
KEEP_ALIVE_SECS = 75
"""Longer than any client keeps an idle connection, so that only faults break one."""

_EXTENSION = "tieout"


def serve(app: ASGIApp, port: int = 0) -> "Served":
    """Answer for `app` on loopback from a background thread; port 0 takes a free one.

    Raises:
        OSError: the port is taken.
    """
    listener = socket.create_server((LOOPBACK, port), backlog=512)
    served = Served(app, listener)
    served.start()
    return served


@contextlib.contextmanager
def serve_in_process(
    build: Callable[[], ASGIApp], port: int = 0, start_secs: float = START_SECS
) -> Iterator[str]:
    """Answer from a process of its own, so that a measurement shares no interpreter with it.

    `build` makes the application there; it must be importable (a module's function, or a
    `functools.partial` of one), in `start_secs`. Yields the address.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=_serve_child, args=(build, port, theirs), daemon=True)
    child.start()
    theirs.close()
    try:
        if not ours.poll(start_secs):
            raise TimeoutError("the simulator's process did not start")
        yield ours.recv()
    finally:
        ours.close()
        child.join(STOP_SECS)
        if child.is_alive():
            child.kill()
            child.join()
        child.close()


async def drop(scope: Scope, receive: Receive) -> None:
    """Close the request's connection: what was written so far is sent, and nothing more.

    Raises:
        RuntimeError: the application is not served by `serve`.
    """
    if _EXTENSION not in scope.get("extensions", {}):
        raise RuntimeError("a connection can be dropped only on a real socket: use serve()")
    scope["extensions"][_EXTENSION]["transport"].close()
    while (await receive())["type"] != "http.disconnect":
        pass


class Served:
    """A simulator that listens; as a context manager it stops at the end of the block."""

    def __init__(self, app: ASGIApp, listener: socket.socket) -> None:
        self.port: int = listener.getsockname()[1]
        self.url = f"http://{LOOPBACK}:{self.port}"
        self._listener = listener
        self._server = _Server(
            uvicorn.Config(
                app,
                http=_DroppableProtocol,
                ws="none",
                lifespan="on",
                log_config=None,
                log_level="critical",
                access_log=False,
                server_header=False,
                date_header=False,
                proxy_headers=False,
                timeout_keep_alive=KEEP_ALIVE_SECS,
                timeout_graceful_shutdown=GRACE_SECS,
            )
        )
        self._thread = threading.Thread(
            target=self._server.run, args=([listener],), name=f"simulator:{self.port}", daemon=True
        )

    def start(self) -> None:
        """Return when the first request can be answered."""
        self._thread.start()
        if not self._server.ready.wait(START_SECS):
            self._listener.close()
            raise TimeoutError("the simulator did not start")

    def end(self) -> None:
        """Let it stop by itself, a little later; nobody waits for that."""
        self._server.should_exit = True

    def stop(self) -> None:
        """Stop listening, close every connection and wait for the thread's end."""
        self.end()
        self._thread.join(STOP_SECS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


class _Server(uvicorn.Server):
    """Tells when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


class _DroppableProtocol(HttpToolsProtocol):
    """Shows each request its own transport, which ASGI hides; answers without Nagle's delay."""

    # uvicorn narrows asyncio's signature likewise: what it serves is always a stream.
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        # asyncio does this only for sockets made with an explicit protocol number.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {_EXTENSION: {"transport": self.transport}}


def _serve_child(build: Callable[[], ASGIApp], port: int, parent: Connection) -> None:
    with serve(build(), port) as served:
        parent.send(served.url)
        with contextlib.suppress(EOFError):
            parent.recv()  # nothing is ever sent: its end is the parent's end
