"""What all verbs share: where the configuration is, who acts, and how an answer is printed."""

from __future__ import annotations

import functools
import json
import os
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from tieout.app.cli.exits import Exit
from tieout.app.cli.verbs import kept_lines
from tieout.model.money import Money

if TYPE_CHECKING:
    from tieout.app.settings import Settings

CELL_CHARS_LIMIT = 60
SHORT_HASH = 8  # letters of a hash that people see and type


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, from where: the configuration's directory, the form of the answer, the person."""

    directory: Path
    as_json: bool
    who: str

    def settings(self) -> Settings:
        """Read the configuration and set up the log as it says."""
        from tieout.app import logs  # noqa: PLC0415 (imported when used)
        from tieout.app.settings import load  # noqa: PLC0415 (imported when used)

        settings = load(self.directory)
        logs.configure(settings.log.format, settings.log.level)
        return settings

    def say(self, line: str) -> None:
        """Tell a person something on the way; a program that asked for JSON is not bothered."""
        click.echo(line, err=self.as_json)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a verb found: plain values for ``--json``, lines for people, and the exit code."""

    values: Mapping[str, Any]
    lines: Sequence[str] = field(default_factory=tuple)
    exit: Exit = Exit.DONE


_NUMBER = re.compile(r"-?[\d.,]+%?( [A-Z]{3})?", re.ASCII)

_COMMANDS = re.compile(r"(?!\x1b\[[\d;]*m)[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

Verb: TypeAlias = Callable[..., Answer | Exit | None]


def verb(function: Verb) -> Callable[..., int]:
    """Give a verb the common options, its ``Caller`` first, and print its ``Answer``."""

    @click.option(
        "--config",
        type=click.Path(path_type=Path, file_okay=False),
        help="The configuration's directory (or set TIEOUT_CONFIG).",
    )
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    @click.option(
        "--as", "who", envvar="TIEOUT_USER", help="Who acts; the system's user otherwise."
    )
    @kept_lines
    @functools.wraps(function)
    def called(*, config: Path | None, as_json: bool, who: str | None, **rest: Any) -> int:
        directory = config or click.get_current_context().find_object(Path) or Path("config")
        answer = function(Caller(directory, as_json, who or _system_user()), **rest)
        if isinstance(answer, Answer):
            show(answer, as_json=as_json)
            return answer.exit
        return answer or Exit.DONE

    return called


def show(answer: Answer, *, as_json: bool) -> None:
    """Print an answer."""
    if as_json:
        click.echo(json_text(answer.values))
    else:
        click.echo(printable("\n".join(answer.lines)))


def printable(text: str) -> str:
    """Return a text without what commands a terminal, but for our own colours.

    Names come from people in other systems: one with an escape sequence must not rewrite what is
    shown here, nor one that turns the direction of reading an amount.
    """
    return _COMMANDS.sub("\N{REPLACEMENT CHARACTER}", text)


def json_text(values: Mapping[str, Any]) -> str:
    """Return one line of JSON that is UTF-8, whatever bytes a person typed as an argument."""
    line = json.dumps(values, ensure_ascii=False, default=str)
    return line.encode("utf-8", "backslashreplace").decode()


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Return rows as aligned lines; numbers stand right, and long texts are cut."""
    cells = [[_cell(value) for value in row] for row in rows]
    if not cells:
        return []
    widths = [max(map(_width, column)) for column in zip(heads, *cells, strict=True)]
    right = [all(_is_number(row[n]) for row in cells) for n in range(len(heads))]
    lines = [_aligned(row, widths, right) for row in cells]
    return [click.style(_aligned(heads, widths, right), bold=True), *lines]


def money_text(net: str | None, currency: str | None) -> str:
    """Return an amount with its currency's decimals; nothing where there is none."""
    if net is None or currency is None:
        return ""
    return str(Money.of(net, currency))


def beyond(left_out: int) -> list[str]:
    """Return the line that says how much an answer does not hold, where that is anything."""
    return [f"… and {left_out} more than one answer holds"] if left_out else []


def interactive() -> bool:
    """Whether a person watches: both standard output and error are a terminal."""
    return sys.stdout.isatty() and sys.stderr.isatty()


def _cell(value: object) -> str:
    text = "" if value is None else " ".join(str(value).split())
    return text if len(text) <= CELL_CHARS_LIMIT else text[: CELL_CHARS_LIMIT - 1] + "…"


def _aligned(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = []
    for text, width, is_right in zip(row, widths, right, strict=True):
        space = " " * (width - _width(text))
        padded.append(space + text if is_right else text + space)
    return "  ".join(padded).rstrip()


def _width(text: str) -> int:
    """Return the columns that a text takes on a terminal: Chinese letters take two."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return len(text) + wide - sum(map(bool, map(unicodedata.combining, text)))


def _is_number(text: str) -> bool:
    """Whether it is a number, or money."""
    return not text or _NUMBER.fullmatch(text) is not None


def _system_user() -> str:
    import getpass  # noqa: PLC0415 (imported when used)

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return f"uid {os.getuid()}"
