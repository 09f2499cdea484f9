"""Texts of other systems as people may read them: on one line, bounded, with every sign seen."""

from __future__ import annotations

import re

LINE_CHARS = 200  # of a name in a title

_CONTROL = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff"
_UNSEEN = re.compile(f"[{_CONTROL}\t\n\r\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_NO_TEXT = re.compile(f"[{_CONTROL}]")


def one_line(text: str, limit_chars: int = LINE_CHARS) -> str:
    """Return a text on one line: signs that move a cursor or turn a line are named, a rest is cut.

    A name may hold what a terminal obeys (an escape) or what hides the words after it (a
    right-to-left override).
    """
    seen = _UNSEEN.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text)
    return seen if len(seen) <= limit_chars else f"{seen[: limit_chars - 1]}…"


def control_signs(text: str) -> list[str]:
    """Return the signs of a text that are no text; tabs and line ends are."""
    return sorted(set(_NO_TEXT.findall(text)))
