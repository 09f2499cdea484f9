"""A ``$batch``: several requests in one call, and the answer to each.

Requests stand outside change sets, so that each is done or refused alone
(``Prefer: odata.continue-on-error``); their answers come in the order of the requests. Page
"Execute batch operations using the Web API".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from tieout.model.errors import ValueRefused
from tieout.transport import Answer

PARTS_LIMIT = 1_000  # sdk.md 7
HEADERS_LIMIT = 100  # of one part
_LINE = b"\r\n"
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3})[^\r\n]*\r?\n", re.ASCII)
_BOUNDARY = re.compile(r'boundary="?([^";,\s]+)"?', re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Part:
    """One request of a batch: its method, path with query, headers and body."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def pack(parts: Sequence[Part], boundary: str) -> bytes:
    """Return the body of a batch."""
    lines: list[bytes] = []
    for number, part in enumerate(parts, 1):
        lines += [
            f"--{boundary}".encode("ascii"),
            b"Content-Type: application/http",
            b"Content-Transfer-Encoding: binary",
            f"Content-ID: {number}".encode("ascii"),
            b"",
            f"{part.method} {part.path} HTTP/1.1".encode("ascii"),
            *(f"{name}: {value}".encode("ascii") for name, value in part.headers.items()),
            *([f"Content-Length: {len(part.body)}".encode("ascii")] if part.body else ()),
            b"",
            part.body,
        ]
    lines += [f"--{boundary}--".encode("ascii"), b""]
    return _LINE.join(lines)


def content_type(body: bytes) -> str:
    """Return the Content-Type of a body that ``pack`` made: the boundary is its first line."""
    boundary = body.partition(_LINE)[0].removeprefix(b"--").decode("ascii")
    return f"multipart/mixed;boundary={boundary}"


def unpack(answer: Answer) -> list[Answer]:
    """Return the answers that a batch's answer holds, in its order.

    Raises:
        ValueRefused: it is no whole multipart text.
    """
    said = answer.headers.get("content-type", "")
    found = _BOUNDARY.search(said)
    if found is None:
        raise ValueRefused(f"{said[:80]!r} names no boundary.")
    mark = b"--" + found[1].encode("ascii")
    whole = b"\n" + answer.body
    pieces = whole.split(b"\n" + mark)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise ValueRefused("The parts of the batch's answer do not end.")
    return [_part(piece, answer) for piece in pieces[1:-1]]


def _part(piece: bytes, whole: Answer) -> Answer:
    status = _STATUS.search(piece)
    if status is None:
        raise ValueRefused("A part of the batch's answer has no status.")
    headers: dict[str, str] = {}
    rest = piece[status.end() :]
    for _ in range(HEADERS_LIMIT):
        line, ended, rest = rest.partition(b"\n")
        text = line.strip()
        if not text or not ended:
            break
        name, _, value = text.decode("utf-8", "replace").partition(":")
        headers[name.strip().lower()] = value.strip()
    return replace(whole, status=int(status[1]), headers=headers, body=rest.strip())
