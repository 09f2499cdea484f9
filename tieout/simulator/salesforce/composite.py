"""Several operations in one call, the later ones referring to what the earlier ones answered.

Source: REST API Developer Guide, "Composite" and "Composite Request Body": 25 subrequests, of
which five may be queries or collections; one call of the day's.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from tieout.simulator.salesforce.call import Call, Reply
from tieout.simulator.salesforce.errors import Refusal, RowError, not_found

MAX_PARTS = 25
MAX_HEAVY = 5
"""Of queries and collections."""
_REFERENCE = re.compile(r"@\{(\w+)((?:\.\w+|\[\d+\])+)\}")
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
_HEAVY = re.compile(r"/(query|queryAll|composite/sobjects)(/|\?|$)", re.IGNORECASE)
_NEEDED = ("method", "url", "referenceId")
_BAD = 400

AnswerPart = Callable[[Call, str, Sequence[str]], Reply]


@dataclass(frozen=True, slots=True)
class _Part:
    """One subrequest, as it was sent."""

    method: str
    url: str
    name: str
    body: Any
    headers: Mapping[str, str]


class _HaltedError(Exception):
    """A part failed, and all were to be done or none."""


def composite(call: Call, answer: AnswerPart) -> Reply:
    """Answer a composite; `answer` answers each part.

    Raises:
        Refusal: there are too many parts, or they are not well formed.
    """
    parts = _parts(call)
    all_or_none = call.object().get("allOrNone", False) is True
    replies: dict[str, Reply] = {}

    def run() -> None:
        for part in parts:
            replies[part.name] = _answered(call, part, replies, answer)
            if all_or_none and replies[part.name].status >= _BAD:
                raise _HaltedError

    try:
        with call.org.transaction():
            run()
    except _HaltedError:
        failed = list(replies)[-1]
        for part in parts:
            if part.name != failed:
                replies[part.name] = _halted(
                    "The transaction was rolled back since another operation in the same "
                    "transaction failed."
                )
    return Reply({"compositeResponse": [_shown(part, replies[part.name]) for part in parts]})


def _answered(call: Call, part: _Part, replies: Mapping[str, Reply], answer: AnswerPart) -> Reply:
    try:
        url = _filled(part.url, replies)
        body = _filled_body(part.body, replies)
    except LookupError as error:
        return _halted(f"Invalid reference specified. {error.args[0]}")
    path, _, query = url.partition("?")
    words = [word for word in path.split("/") if word]
    inner = Call(
        call.org,
        call.user,
        call.version,
        {},
        dict(parse_qsl(query)),
        {**call.headers, **part.headers},
        body,
    )
    try:
        if words[:2] != ["services", "data"] or words[2:3] != [f"v{call.version}"]:
            raise not_found()
        return answer(inner, part.method, words[3:] or [""])
    except Refusal as refusal:
        return Reply(refusal.body(), refusal.status)
    except RowError as error:
        told = error.refusal()
        return Reply(told.body(), told.status)


def _parts(call: Call) -> list[_Part]:
    told = call.object().get("compositeRequest")
    if not isinstance(told, list):
        raise Refusal(400, "JSON_PARSER_ERROR", "compositeRequest must be a list")
    if len(told) > MAX_PARTS:
        raise Refusal(
            400, "LIMIT_EXCEEDED", f"A composite may have {MAX_PARTS} subrequests, not {len(told)}"
        )
    parts = [_part(one) for one in told]
    if len({part.name for part in parts}) < len(parts):
        raise Refusal(400, "INVALID_INPUT", "referenceId values must be unique")
    if sum(_HEAVY.search(part.url) is not None for part in parts) > MAX_HEAVY:
        raise Refusal(
            400, "LIMIT_EXCEEDED", f"A composite may have {MAX_HEAVY} queries and collections"
        )
    return parts


def _part(told: Any) -> _Part:
    """Read a subrequest.

    Raises:
        Refusal: it lacks a name, a method or an address, or is a composite itself.
    """
    texts = [told.get(name) if isinstance(told, dict) else None for name in _NEEDED]
    if not all(isinstance(one, str) for one in texts):
        raise Refusal(400, "JSON_PARSER_ERROR", f"A subrequest needs {', '.join(_NEEDED)}")
    method, url, name = map(str, texts)
    if url.partition("?")[0].rstrip("/").endswith("/composite"):
        raise Refusal(400, "INVALID_INPUT", "A composite holds no composite")
    sent = told.get("httpHeaders")
    pairs = sent.items() if isinstance(sent, dict) else ()
    headers = {str(head).lower(): str(value) for head, value in pairs}
    return _Part(method, url, name, told.get("body"), headers)


def _filled_body(body: Any, replies: Mapping[str, Reply]) -> Any:
    if isinstance(body, str):
        return _filled(body, replies)
    if isinstance(body, dict):
        return {name: _filled_body(value, replies) for name, value in body.items()}
    if isinstance(body, list):
        return [_filled_body(value, replies) for value in body]
    return body


def _filled(text: str, replies: Mapping[str, Reply]) -> str:
    """Put what earlier parts answered into a text.

    Raises:
        LookupError: there is no such answer.
    """

    def value(found: re.Match[str]) -> str:
        reply = replies.get(found[1])
        if reply is None or reply.status >= _BAD:
            raise LookupError(f"No value for {found[1]}{found[2]} found")
        held = reply.content
        for name, place in _STEP.findall(found[2]):
            try:
                held = held[int(place)] if place else held[name]
            except (LookupError, TypeError) as error:
                raise LookupError(f"No value for {found[1]}{found[2]} found") from error
        return str(held)

    return _REFERENCE.sub(value, text)


def _halted(message: str) -> Reply:
    return Reply(Refusal(400, "PROCESSING_HALTED", message).body(), 400)


def _shown(part: _Part, reply: Reply) -> dict[str, Any]:
    return {
        "body": reply.content,
        "httpHeaders": dict(reply.headers),
        "httpStatusCode": reply.status,
        "referenceId": part.name,
    }
