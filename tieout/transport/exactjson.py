"""One JSON codec for all connectors: a number is exact both ways, and a key stands once."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from json.encoder import encode_basestring
from typing import Any

from tieout.model.errors import InvariantError, ValueRefused

BYTES_LIMIT = 64 * 1024 * 1024  # several times the largest page of any vendor
DEPTH_LIMIT = 40
EXPONENT_LIMIT = 400  # beyond what a double holds: written out, it could fill the memory
INT_DIGITS_LIMIT = 4_000  # Python itself refuses a little more

_INT_END = 10**INT_DIGITS_LIMIT
_HALF = re.compile("[\ud800-\udfff]")  # what is left of a pair when the other half is missing
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")  # how a text of UTF-8 can name one: by an escape
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def parse_json(body: bytes) -> Any:
    """Return the value of a JSON text; numbers with a fraction or exponent are Decimal.

    Half a surrogate pair, as a system leaves when it cuts a text within a letter, is read as
    U+FFFD: no text with it can be stored or sent, and one record must not hold up a page.

    Raises:
        ValueRefused: not JSON, not UTF-8, a key twice in one object, NaN, a number that is out
            of range, too long or too deep.
    """
    if len(body) > BYTES_LIMIT:
        raise ValueRefused(f"A JSON text of {len(body)} bytes is too long.")
    try:
        value = _DECODER.decode(body.decode("utf-8-sig"))
    except ValueRefused:
        raise
    except RecursionError as wrong:
        raise ValueRefused("The JSON text is nested too deeply.") from wrong
    except ValueError as wrong:  # JSONDecodeError, UnicodeDecodeError, an int of too many digits
        raise ValueRefused(f"Not JSON: {wrong}") from wrong
    _refuse_depth(body, value)
    return _whole(value) if _SURROGATE.search(body) else value


def dump_json(value: Any) -> bytes:
    """Return the JSON text of a value: a Decimal is its exact literal, without exponent.

    Keys keep their order and there are no spaces, so that the same value is the same bytes.

    Raises:
        InvariantError: a float, a key that is no text, a type that JSON has not, or no end.
        ValueRefused: a number that is out of range, or a text with half a character.
    """
    parts: list[str] = []
    try:
        _write(value, parts.append)
        return "".join(parts).encode()
    except RecursionError as wrong:
        raise InvariantError("A value that holds itself cannot be written as JSON.") from wrong
    except UnicodeEncodeError as wrong:
        raise ValueRefused("A text with half a character cannot be written as JSON.") from wrong


def _write(value: Any, put: Any) -> None:
    if value is None:
        put("null")
    elif isinstance(value, bool):
        put("true" if value else "false")
    elif isinstance(value, str):
        put(encode_basestring(value))
    elif isinstance(value, int):
        put(_digits(value))
    elif isinstance(value, Decimal) and value.is_finite():
        put(format(_in_range(value), "f"))
    elif isinstance(value, Mapping):
        _write_all(((_name(key), held) for key, held in value.items()), "{}", put)
    elif isinstance(value, Sequence) and not isinstance(value, bytes):
        _write_all((("", held) for held in value), "[]", put)
    else:
        raise InvariantError(f"A {type(value).__name__} cannot be written as exact JSON.")


def _write_all(entries: Any, brackets: str, put: Any) -> None:
    put(brackets[0])
    comma = ""
    for name, held in entries:
        put(comma + name)
        _write(held, put)
        comma = ","
    put(brackets[1])


def _name(key: object) -> str:
    if not isinstance(key, str):
        raise InvariantError(f"The key {key!r} cannot be written as exact JSON.")
    return encode_basestring(key) + ":"


def _digits(value: int) -> str:
    if abs(value) >= _INT_END:
        raise ValueRefused(f"A number of more than {INT_DIGITS_LIMIT} digits is too large.")
    return str(value)


def _number(text: str) -> Decimal:
    try:
        return _in_range(Decimal(text))
    except InvalidOperation as wrong:  # an exponent that even Decimal cannot hold
        raise ValueRefused(f"The JSON text has the number {text[:40]}, which is too large.") from (
            wrong
        )


def _in_range(number: Decimal) -> Decimal:
    """Refuse what is larger or smaller than any vendor's number, a double, can be."""
    if not -EXPONENT_LIMIT <= number.adjusted() <= EXPONENT_LIMIT:
        raise ValueRefused(f"A number with the exponent {number.adjusted()} is out of range.")
    return number


def _whole(value: Any) -> Any:
    """Return the value with each half of a surrogate pair replaced."""
    if isinstance(value, str):
        return _HALF.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, list):
        return [_whole(held) for held in value]
    if isinstance(value, dict):
        return _once([(_whole(key), _whole(held)) for key, held in value.items()])
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    held = dict(pairs)
    if len(held) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueRefused(f"The JSON text has the key {twice[:40]!r} twice in one object.")
    return held


def _refuse_constant(name: str) -> Any:
    raise ValueRefused(f"The JSON text has {name}, which is not a number.")


_DECODER = json.JSONDecoder(
    parse_float=_number, object_pairs_hook=_once, parse_constant=_refuse_constant
)


def _refuse_depth(body: bytes, value: Any) -> None:
    """Refuse what is nested too deeply; most texts are cleared by their brackets alone."""
    brackets = body.translate(None, delete=_NOT_BRACKETS)
    for _ in range(DEPTH_LIMIT):
        if not brackets:
            return
        brackets = brackets.replace(b"{}", b"").replace(b"[]", b"")
    level = [value]  # deep, or with brackets within its texts
    for _ in range(DEPTH_LIMIT + 1):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise ValueRefused(f"The JSON text is nested deeper than {DEPTH_LIMIT} levels.")
