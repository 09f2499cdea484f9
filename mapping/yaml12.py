"""A strict reader of YAML 1.2: what was written is what is read, and every value knows its line.

Only ``true``, ``false`` and ``null`` are words; ``NO`` is a text. A number is exact (a whole one
is an int, any other a Decimal), ``2026-03-31`` is a date, and a key is always a text, as written.
What YAML's versions read differently (``~``, ``True``, ``007``, ``1e3``) is refused, not guessed.
It stands on ruamel.yaml's events, so nothing is built that a limit has not seen first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml import events as ev
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

from mapping.mistake import Mistake, Mistakes

FILE_CHARS_LIMIT = 1_000_000
LINE_CHARS_LIMIT = 100_000  # ruamel's time grows with the square of some words' length
SCALAR_CHARS_LIMIT = 20_000
NUMBER_DIGITS_LIMIT = 30
DEPTH_LIMIT = 30
NODES_LIMIT = 100_000  # after aliases are followed, so a billion laughs stop here
TABS_SHOWN_LIMIT = 10
WORD_CHARS_SHOWN = 60

Scalar: TypeAlias = "bool | int | Decimal | date | str | None"

_WORDS: Final = {"true": True, "false": False, "null": None, "": None}
_LOOKALIKES: Final = {
    **dict.fromkeys(("True", "TRUE"), "true"),
    **dict.fromkeys(("False", "FALSE"), "false"),
    **dict.fromkeys(("Null", "NULL", "~"), "null"),
}
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_OTHER_NUMBER = re.compile(  # what YAML's core schema takes for a number and people may not
    r"[-+]?(\.\d+|\d+\.?\d*)([eE][-+]?\d+)?|0o[0-7]+|0x[0-9a-fA-F]+|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
    re.ASCII,
)
_OTHER_BREAK = re.compile("[\x85\u2028\u2029]")  # lines end there for YAML 1.1, and for ruamel
_HALF = re.compile("[\ud800-\udfff]")  # half a surrogate pair: no text with it can be kept
_STUMBLES: Final = (ValueError, OverflowError, AssertionError)  # ruamel's own, for absurd numbers
_MERGE: Final = "<<"
_FORMULA_CUT = re.compile(r"(^|[:\-,{\[]\s+)=.*(: | #)")
_PROBLEMS: Final = {  # ruamel's words for what people do, and what they may have meant
    "mapping values are not allowed here": "a text that holds `: ` must be quoted",
    "found unexpected end of stream": "a quote that was opened is not closed",
    "could not find expected ':'": "a key needs `: ` after it",
    "expected ',' or": "a [ or { that was opened is not closed, or a comma is missing",
    "expected <block end>": "this line is indented differently from its neighbours",
    "that cannot start any token": "a text that starts with this sign must be quoted",
}


@dataclass(frozen=True, slots=True)
class Node:
    """One value of a file, and where it stands.

    ``value`` is a scalar, a tuple of nodes (a list) or a read-only mapping from text to node.
    """

    value: Scalar | tuple[Node, ...] | Mapping[str, Node]
    file: str
    line: int  # from 1
    key_lines: Mapping[str, int] = field(default_factory=dict)  # of a mapping: each key's line
    size: int = 1  # nodes in it, aliases followed

    @property
    def where(self) -> str:
        """The place as ``file:line``."""
        return f"{self.file}:{self.line}"

    @property
    def entries(self) -> Mapping[str, Node] | None:
        """The mapping, if it is one."""
        return self.value if isinstance(self.value, Mapping) else None

    @property
    def items(self) -> tuple[Node, ...] | None:
        """The list, if it is one."""
        return self.value if isinstance(self.value, tuple) else None

    def line_of(self, key: str) -> int:
        """The line where a key of this mapping is written."""
        return self.key_lines.get(key, self.line)

    def mistake(self, what: str, hint: str = "") -> Mistake:
        """Something is wrong with this value."""
        return Mistake(self.file, self.line, what, hint)

    def plain(self) -> Any:
        """The value in ordinary dicts and lists, lines forgotten."""
        if isinstance(self.value, Mapping):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, tuple):
            return [node.plain() for node in self.value]
        return self.value


def read(source: Path | str, name: str = "") -> Node:
    """Return the one document of a file (a Path) or of a text, named in messages by ``name``.

    Raises:
        Mistakes: it cannot be read, is no strict YAML, or passes a limit; all that was found.
    """
    text = source if isinstance(source, str) else _text_of(source, name or str(source))
    return _Reading(name or (str(source) if isinstance(source, Path) else "text")).tree(text)


def _text_of(path: Path, name: str) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(FILE_CHARS_LIMIT * 4 + 1)
        return content.decode("utf-8-sig")
    except OSError as wrong:
        raise Mistakes([Mistake(name, 0, f"cannot be read: {wrong.strerror}")]) from wrong
    except UnicodeDecodeError as wrong:
        line = content.count(b"\n", 0, wrong.start) + 1
        raise Mistakes([Mistake(name, line, "not UTF-8", "save the file as UTF-8")]) from wrong


@dataclass(slots=True)
class _Open:
    """A list or mapping that is still being read."""

    line: int
    anchor: str | None
    is_mapping: bool
    listed: list[Node] = field(default_factory=list)
    entries: dict[str, Node] = field(default_factory=dict)
    key_lines: dict[str, int] = field(default_factory=dict)
    key: tuple[str, int] | None = None
    merges: list[Node] = field(default_factory=list)
    merged_at: int = 0


class _Reading:
    """One pass over the events of one file; mistakes gather until it ends."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.mistakes: list[Mistake] = []
        self.anchors: dict[str, Node | None] = {}  # None: still open
        self.open: list[_Open] = []
        self.root: Node | None = None
        self.seen = 0
        self.line = 1  # where the last event ended

    def tree(self, text: str) -> Node:
        if len(text) > FILE_CHARS_LIMIT:
            self.stop(0, f"longer than {FILE_CHARS_LIMIT} characters")
        self.refuse_lines(text.split("\n"))
        try:
            for event in YAML(typ="safe", pure=True).parse(text):
                self.take(event)
        except YAMLError as wrong:
            self.mistakes.append(self.explained(wrong, text))
        except _STUMBLES:
            self.wrong(self.line, "not YAML: a number that is too large", "see what follows here")
        if self.mistakes:
            raise Mistakes(self.mistakes)
        return self.root or Node(None, self.file, 1)

    def refuse_lines(self, lines: Sequence[str]) -> None:
        tabbed = [(n, line.index("\t") + 1) for n, line in enumerate(lines, 1) if "\t" in line]
        hint = 'use spaces; a tab inside a text is "\\t" in double quotes'
        for n, column in tabbed[:TABS_SHOWN_LIMIT]:
            self.wrong(n, f"a tab (column {column})", hint)
        for n, line in enumerate(lines, 1):
            if len(line) > LINE_CHARS_LIMIT:
                self.stop(n, f"a line longer than {LINE_CHARS_LIMIT} characters")
            if sign := _OTHER_BREAK.search(line):
                code = f"U+{ord(sign[0]):04X}, column {sign.start() + 1}"
                self.stop(n, f"a sign that may end a line ({code})", "remove it")
        if tabbed:
            raise Mistakes(self.mistakes)

    def take(self, event: Any) -> None:
        line = event.start_mark.line + 1
        self.line = event.end_mark.line + 1
        match event:
            case ev.DocumentStartEvent():
                self.document(event, line)
            case ev.MappingStartEvent() | ev.SequenceStartEvent():
                self.begin(event, line)
            case ev.MappingEndEvent() | ev.SequenceEndEvent():
                self.end()
            case ev.ScalarEvent():
                self.scalar(event, line)
            case ev.AliasEvent():
                self.alias(event.anchor, line)

    def document(self, event: Any, line: int) -> None:
        if self.root is not None:
            self.stop(line, "a second document", "keep one document in a file, without `---`")
        if event.version not in (None, (1, 2)) or event.tags:
            self.wrong(line, "a %YAML or %TAG directive", "remove it; files are YAML 1.2")

    def begin(self, event: Any, line: int) -> None:
        if len(self.open) >= DEPTH_LIMIT:
            self.stop(line, f"nested deeper than {DEPTH_LIMIT} levels")
        is_mapping = isinstance(event, ev.MappingStartEvent)
        if self.awaits_key():
            self.stop(line, "a key must be a text", "quote it")
        self.refuse_tag(event, line)
        if event.anchor:
            self.anchors[event.anchor] = None
        self.open.append(_Open(line, event.anchor, is_mapping))

    def end(self) -> None:
        done = self.open.pop()
        if done.is_mapping:
            self.merge(done)
            children: Iterator[Node] = iter(done.entries.values())
        else:
            children = iter(done.listed)
        size = 1 + sum(child.size for child in children)
        value = MappingProxyType(done.entries) if done.is_mapping else tuple(done.listed)
        self.place(Node(value, self.file, done.line, done.key_lines, size), done.anchor)

    def scalar(self, event: Any, line: int) -> None:
        if len(event.value) > SCALAR_CHARS_LIMIT:
            self.stop(line, f"a text longer than {SCALAR_CHARS_LIMIT} characters")
        self.refuse_tag(event, line)
        if _HALF.search(event.value):
            self.stop(line, "half a character (U+D800 to U+DFFF)", "write the sign itself")
        if self.awaits_key():
            self.keyed(event, line)
            return
        plain = event.implicit[0] and event.style is None
        value = self.resolved(event.value, line) if plain else event.value
        self.place(Node(value, self.file, line), event.anchor)

    def alias(self, name: str, line: int) -> None:
        if self.awaits_key():
            self.stop(line, "an alias cannot be a key")
        node = self.anchors.get(name)
        if node is None:
            what = "holds itself" if name in self.anchors else "is not anchored above"
            shown = _short(name)
            self.stop(line, f"*{shown} {what}", f"write &{shown} before the value that it repeats")
        else:
            self.place(node, None)

    def awaits_key(self) -> bool:
        return bool(self.open) and self.open[-1].is_mapping and self.open[-1].key is None

    def keyed(self, event: Any, line: int) -> None:
        into, key = self.open[-1], event.value
        into.key = (key, line)
        if key == _MERGE and event.implicit[0]:
            if into.merged_at:
                self.wrong(line, f"<< is written twice (first in line {into.merged_at})")
            into.merged_at = line
            return
        if not key:
            self.wrong(line, "a value without a key", "write `key: value`")
        elif key in into.key_lines:
            first = into.key_lines[key]
            self.wrong(line, f"{_short(key)} is written twice (first in line {first})")
        into.key_lines.setdefault(key, line)

    def place(self, node: Node, anchor: str | None) -> None:
        self.count(1, node)
        if anchor:
            self.anchors[anchor] = node
        if not self.open:
            self.root = node
            return
        into = self.open[-1]
        if into.key is None:
            into.listed.append(node)
        elif into.merged_at and into.key == (_MERGE, into.merged_at):
            into.merges.extend(node.items or (node,))
            into.key = None
        else:
            into.entries.setdefault(into.key[0], node)
            into.key = None

    def count(self, more: int, node: Node) -> None:
        self.seen += more
        if self.seen > NODES_LIMIT or node.size > NODES_LIMIT:
            self.stop(node.line, f"more than {NODES_LIMIT} values, aliases followed")

    def merge(self, into: _Open) -> None:
        """Add what ``<<`` brings and the mapping does not say itself; the earlier source wins."""
        for source in into.merges:
            if source.entries is None:
                self.wrong(into.merged_at, "<< takes a mapping or a list of mappings")
                continue
            self.count(len(source.entries), source)
            for key, node in source.entries.items():
                if key not in into.entries:
                    into.entries[key] = node
                    into.key_lines[key] = source.line_of(key)

    def resolved(self, text: str, line: int) -> Scalar:
        if text in _WORDS:
            return _WORDS[text]
        if _NUMBER.fullmatch(text):
            if len(text) > NUMBER_DIGITS_LIMIT:
                self.wrong(line, f"a number longer than {NUMBER_DIGITS_LIMIT} digits", "quote it")
                return text
            return Decimal(text) if "." in text else int(text)
        if _DAY.fullmatch(text):
            return self.day(text, line)
        if text in _LOOKALIKES:
            word = _LOOKALIKES[text]
            self.wrong(line, f"{text} is not a word here", f"write {word}, or quote it as a text")
        elif _OTHER_NUMBER.fullmatch(text):
            self.wrong(
                line,
                f"{_short(text)} may be a number or a text",
                "quote a text; a number is 12 or 0.5",
            )
        return text

    def day(self, text: str, line: int) -> Scalar:
        try:
            return date.fromisoformat(text)
        except ValueError:
            self.wrong(line, f"{text} is not a day of the calendar", "quote it if it is a text")
            return text

    def refuse_tag(self, event: Any, line: int) -> None:
        if event.tag is not None:
            self.wrong(line, f"a tag ({_short(str(event.tag))})", "remove it; quotes make a text")

    def explained(self, wrong: YAMLError, text: str) -> Mistake:
        if isinstance(wrong, ReaderError):
            line = text.count("\n", 0, wrong.position) + 1
            column = wrong.position - text.rfind("\n", 0, wrong.position)
            sign = f"an unreadable sign (U+{wrong.character:04X}, column {column})"
            return Mistake(self.file, line, sign, "remove it")
        assert isinstance(wrong, MarkedYAMLError)  # ruamel has no other
        assert wrong.problem_mark is not None
        line = wrong.problem_mark.line + 1
        problem, place = str(wrong.problem), f"column {wrong.problem_mark.column + 1}"
        hint = next((hint for part, hint in _PROBLEMS.items() if part in problem), "")
        lines = text.split("\n")
        if line <= len(lines) and _FORMULA_CUT.search(lines[line - 1]):
            hint = "put a formula that holds `: ` or ` #` in single quotes: '=…'"
        if wrong.context_mark is not None and wrong.context_mark.line + 1 != line:
            place += f", it began in line {wrong.context_mark.line + 1}"
        return Mistake(self.file, line, f"not YAML: {problem} ({place})", hint)

    def wrong(self, line: int, what: str, hint: str = "") -> None:
        self.mistakes.append(Mistake(self.file, line, what, hint))

    def stop(self, line: int, what: str, hint: str = "") -> None:
        self.wrong(line, what, hint)
        raise Mistakes(self.mistakes)


def _short(text: str) -> str:
    return text if len(text) <= WORD_CHARS_SHOWN else f"{text[:WORD_CHARS_SHOWN]}…"
