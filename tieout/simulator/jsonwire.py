"""JSON whose numbers keep every digit: fractions are read as Decimal and written as they are."""

import json
import re
import secrets
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from starlette.responses import Response

# The C encoder writes no bare literal of ours, so a Decimal travels as a marked text which is
# unwrapped afterwards. The mark is unguessable, so that no text from outside can pose as one.
_MARK = secrets.token_hex(12)
_MARKED = re.compile(f'"{_MARK}(-?[0-9]+(?:\\.[0-9]+)?(?:E-?[0-9]+)?)"')


@dataclass(frozen=True, slots=True)
class Number:
    """A number in the very digits that a vendor writes, where `dumps` would write others."""

    text: str

    def __str__(self) -> str:
        return self.text


def dumps(value: Any) -> bytes:
    """Write `value` as compact JSON in UTF-8; a Decimal becomes the same literal, exactly.

    Raises:
        ValueError: a number is not finite.
        TypeError: a value has no JSON form.
    """
    text = _ENCODER.encode(value)
    if _MARK in text:
        text = _MARKED.sub(r"\1", text)
    return text.encode()


def loads(text: bytes | str) -> Any:
    """Read JSON; `10` is an int, `10.0` a Decimal.

    Raises:
        ValueError: the text is not JSON, or holds NaN or Infinity.
    """
    return json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant)


class ExactJson(Response):
    """An answer whose content is written by `dumps`."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Return the body's bytes."""
        return dumps(content)


def _literal(value: Any) -> str:
    if isinstance(value, Number):
        return f"{_MARK}{value}"
    if not isinstance(value, Decimal):
        raise TypeError(f"{type(value).__name__} has no JSON form")
    if not value.is_finite():
        raise ValueError(f"{value} is not a JSON number")
    return f"{_MARK}{value:f}"


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


_ENCODER = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_literal
)
