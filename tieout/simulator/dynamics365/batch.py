"""`$batch`: many requests in one, in their order, alone or as change sets that are one.

Source: learn.microsoft.com/power-apps/developer/data-platform/webapi/
execute-batch-operations-using-web-api.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from tieout.simulator import jsonwire
from tieout.simulator.dynamics365.call import Call, Reply
from tieout.simulator.dynamics365.org import DynamicsOrg
from tieout.simulator.dynamics365.records import Record, Shelf
from tieout.simulator.dynamics365.refusals import Refusal, bad_query

MAX_OPERATIONS = 1_000
_BOUNDARY = re.compile(r'boundary="?([^";]+)"?')
_REQUEST_LINE = re.compile(r"(GET|POST|PATCH|PUT|DELETE) (\S+)(?: HTTP/1\.1)?\s*$")
_CONTINUE = "odata.continue-on-error"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of a batch, not yet understood."""

    method: str
    address: str
    headers: Mapping[str, str]
    body: bytes
    content_id: str


Answering = Callable[[Call, Asked, Mapping[str, str]], Reply]
"""Answers one request of a batch, with what earlier parts of its change set made."""


def answer_batch(call: Call, answer: Answering) -> Reply:
    """Answer `POST /$batch`: 200 with each part's own answer.

    Without `odata.continue-on-error` the first failure ends it, and is its status.

    Raises:
        Refusal: 400, it cannot be read, or holds too many requests.
    """
    parts = list(_parts(call.headers.get("content-type", ""), call.body))
    if sum(len(one) for one in parts) > MAX_OPERATIONS:
        raise bad_query(f"The batch request has more than {MAX_OPERATIONS} operations.")
    boundary = f"batchresponse_{call.org.new_id()}"
    status, written = 200, []
    for part in parts:
        if isinstance(part, ChangeSet):
            failed, text = _change_set(call, part, answer)
        else:
            reply = _one(call, part[0], answer, {})
            failed, text = reply.status if reply.status >= 400 else 0, _http(reply)
        written.append(text)
        if failed and _CONTINUE not in call.preferences:
            status = failed
            break
    whole = b"".join(f"--{boundary}\r\n".encode() + one + b"\r\n" for one in written)
    body = whole + f"--{boundary}--\r\n".encode()
    headers = {"Content-Type": f"multipart/mixed; boundary={boundary}"}
    return Reply(body, status, headers)


class ChangeSet(list[Asked]):
    """Requests of which all are done, or none."""


def operations_in(content_type: str, body: bytes) -> int:
    """Return how many requests a batch holds; 1 if it cannot be read."""
    try:
        return sum(len(one) for one in _parts(content_type, body))
    except Refusal:
        return 1


def _change_set(call: Call, parts: ChangeSet, answer: Answering) -> tuple[int, bytes]:
    kept = snapshot(call.org) if len(parts) > 1 else None
    references: dict[str, str] = {}
    boundary = f"changesetresponse_{call.org.new_id()}"
    written = []
    for part in parts:
        reply = (
            _refused(bad_query("GET is not allowed within a change set."))
            if part.method == "GET"
            else _one(call, part, answer, references)
        )
        if reply.status >= 400:
            if kept is not None:
                restore(call.org, kept)
            return reply.status, _http(reply)
        if part.content_id and "OData-EntityId" in reply.headers:
            references[part.content_id] = reply.headers["OData-EntityId"]
        head = f"--{boundary}\r\n".encode()
        written.append(head + _http(reply, part.content_id) + b"\r\n")
    text = f"Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n".encode()
    return 0, text + b"".join(written) + f"--{boundary}--\r\n".encode()


def _one(call: Call, asked: Asked, answer: Answering, references: Mapping[str, str]) -> Reply:
    try:
        return answer(call, asked, references)
    except Refusal as refusal:
        return _refused(refusal)


def _refused(refusal: Refusal) -> Reply:
    return Reply(refusal.body(), refusal.status, dict(refusal.headers))


def _http(reply: Reply, content_id: str = "") -> bytes:
    """Write an answer as a part."""
    phrase = HTTPStatus(reply.status).phrase
    lines = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    if content_id:
        lines.append(f"Content-ID: {content_id}")
    lines += ["", f"HTTP/1.1 {reply.status} {phrase}", "OData-Version: 4.0"]
    body = b""
    if reply.content is not None:
        body = (
            reply.content.encode()
            if isinstance(reply.content, str)
            else jsonwire.dumps(reply.content)
        )
        if "Content-Type" not in reply.headers:
            lines.append("Content-Type: application/json; odata.metadata=minimal")
    lines += [f"{name}: {value}" for name, value in reply.headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _parts(content_type: str, body: bytes) -> Iterator[list[Asked]]:
    for headers, content in _split(content_type, body):
        said = headers.get("content-type", "")
        if said.startswith("multipart/mixed"):
            change_set = ChangeSet()
            for inner, text in _split(said, content):
                change_set.append(_asked(inner, text))
            yield change_set
        else:
            yield [_asked(headers, content)]


def _split(content_type: str, body: bytes) -> Iterator[tuple[Mapping[str, str], bytes]]:
    """Yield headers and content of the parts of a multipart body."""
    match = _BOUNDARY.search(content_type)
    if match is None or not content_type.strip().startswith("multipart/mixed"):
        raise bad_query("The content type of a batch is multipart/mixed with a boundary.")
    mark = b"--" + match[1].encode()
    pieces = re.split(rb"(?:\A|\r?\n)" + re.escape(mark), body)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise bad_query("The batch has no end: the stream ended before its last boundary.")
    for piece in pieces[1:-1]:
        yield _headed(piece.lstrip(b"\r\n"))


def _headed(text: bytes) -> tuple[Mapping[str, str], bytes]:
    """Split a text at its first empty line, and read the headers before it."""
    match = re.search(rb"\r?\n\r?\n|\r?\n\Z|\Z", text)
    end, begin = (match.start(), match.end()) if match else (len(text), len(text))
    headers = {}
    for line in text[:end].decode("utf-8", "replace").splitlines():
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    return headers, text[begin:]


def _asked(outer: Mapping[str, str], text: bytes) -> Asked:
    line, _, rest = text.lstrip(b"\r\n").partition(b"\n")
    match = _REQUEST_LINE.fullmatch(line.decode("utf-8", "replace").rstrip("\r"))
    if outer.get("content-type", "").partition(";")[0] != "application/http" or match is None:
        raise bad_query("A part of the batch is no HTTP request.")
    if rest.startswith((b"\r\n", b"\n")):
        headers: Mapping[str, str] = {}
        body = rest.lstrip(b"\r\n")
    else:
        headers, body = _headed(rest)
    return Asked(match[1], match[2], headers, body.strip(), outer.get("content-id", ""))


def snapshot(org: DynamicsOrg) -> Mapping[str, Shelf]:
    """Return copies of all rows, to go back to when a change set fails."""
    copies = {}
    for name, shelf in org.shelves.items():
        copy = Shelf()
        copy.take_over(shelf, [_copied(one) for one in shelf.records.values()])
        copies[name] = copy
    return copies


def restore(org: DynamicsOrg, kept: Mapping[str, Shelf]) -> None:
    """Go back to a snapshot; versions are not given twice."""
    org.shelves = dict(kept)


def _copied(record: Record) -> Record:
    return Record(record.id, dict(record.values), record.created, record.modified, record.version)
