"""One request and its answer, whole; and an application that answers it in this thread."""

from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette


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


def parsed(side: str, written: bytes) -> Asked:
    """Return the one request that these bytes are."""
    head, _, body = written.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    method, target, _ = first.decode("ascii").split(" ")
    headers = []
    for line in lines:
        name, _, value = line.partition(b":")
        headers.append((name.strip().lower(), value.strip()))
    assert int(dict(headers).get(b"content-length", b"0")) == len(body)
    return Asked(side, method, target, tuple(headers), body)


def answer_of(app: Starlette, asked: Asked) -> Answered:
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
