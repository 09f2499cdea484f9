"""SOQL as text: values as literals, record ids, and lists of them cut where a statement is full."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

VALUES_CHARS_LIMIT = 60_000  # of one list; a statement may have 100,000 (page "SOQL Limits")

_ESCAPES = str.maketrans(  # page "Quoted String Escape Sequences"
    {
        "\\": "\\\\",
        "'": "\\'",
        '"': '\\"',
        "\n": "\\n",
        "\r": "\\r",
        "\t": "\\t",
        "\b": "\\b",
        "\f": "\\f",
    }
)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*){0,4}", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9]{15}([A-Za-z0-9]{3})?", re.ASCII)
_CHECK_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_BLOCK = 5  # letters of an id that one letter of its ending stands for


def text(value: str) -> str:
    """Return a text as a literal, whatever stands in it."""
    return f"'{value.translate(_ESCAPES)}'"


def instant(at: datetime) -> str:
    """Return an instant as a literal; it has whole seconds and no quotes (page "Date Formats")."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def within(field: str, values: Sequence[str]) -> str:
    """Return the condition that a field has one of these values."""
    return f"{field} IN ({','.join(map(text, values))})"


def is_name(name: str) -> bool:
    """Whether a text can be a field's name, with up to four parents before it."""
    return _NAME.fullmatch(name) is not None


def whole_id(given: str) -> str:
    """Return a record's id in its form of 18 letters; empty where the text is no id.

    The short form is told apart by case; the three letters more say where capitals stand.
    """
    if not _ID.fullmatch(given):
        return ""
    short = given[:15]
    return short + "".join(
        _CHECK_LETTERS[sum(letter.isupper() << place for place, letter in enumerate(block))]
        for block in (short[start : start + _BLOCK] for start in range(0, len(short), _BLOCK))
    )


def parts(values: Iterable[str]) -> Iterator[list[str]]:
    """Cut values into lists that each fit into one statement."""
    part: list[str] = []
    chars = 0
    for value in values:
        more = len(text(value)) + 1
        if part and chars + more > VALUES_CHARS_LIMIT:
            yield part
            part, chars = [], 0
        part.append(value)
        chars += more
    if part:
        yield part
