"""The YAML reader: any text is read as it was written, or refused with its place, in good time."""

import io
import json
import re
import time
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from searching import share

from mapping import yaml12
from mapping.mistake import SHOWN_MISTAKES_LIMIT, Mistakes
from mapping.yaml12 import Node, read

ROOT = Path(__file__).parents[2]
WRITTEN = tuple(path.read_text("utf-8") for path in sorted(ROOT.glob("co*/**/*.yaml")))
WORDS = (
    "a b1 key: - ? : , [ ] { } & * ! !! % %YAML %TAG 1.2 --- ... # | > |2- >+ ' \" \\ \\x \\u \\U \\n FFFFFFFF d83d "
    "&a *a <<: true ~ null 0 -1 0x1F 1e5 .inf 2026-03-31 =a !<a> !a!b 1.99999999999 @ ` ="
)
GAPS = (
    " ",
    "  ",
    "\n",
    "\n  ",
    "\r\n",
    "\t",
    "\x85",
    "\u2028",
    "\ufeff",
    "\x00",
    "é",
    "\U0001f600",
    "",
)
PIECES = st.sampled_from((*WORDS.split(), *GAPS))
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x85\u2028\u2029"), max_size=12)
PLACE = re.compile(r"m\.yaml:[1-9]\d*: \S")
COLUMN = re.compile(r"\(column [1-9]\d*[,)]")
SECS = 0.5  # many times what a twentieth of the largest file takes


def outcome(text: str) -> object:
    """The values, or what was said, which names file and line and is short enough to be read."""
    try:
        return read(text, "m.yaml").plain()
    except Mistakes as wrong:
        said = str(wrong)
    lines = said.split("\n")
    assert 1 <= len(lines) <= SHOWN_MISTAKES_LIMIT + 1
    for line in lines[:SHOWN_MISTAKES_LIMIT]:
        assert PLACE.match(line), line
        assert COLUMN.search(line) or "not YAML" not in line or "too large" in line, line
        assert int(line.split(":")[1]) <= text.count("\n") + text.count("\r") + 1
    assert len(said) <= 400 * len(lines)
    return None


@share(800)
@given(st.lists(PIECES, max_size=40).map("".join) | st.lists(PIECES, max_size=25).map(" ".join))
def test_any_text_is_read_or_refused_with_its_line(text):
    outcome(text)


@share(100)
@given(st.sampled_from(WRITTEN), st.data())
def test_a_file_of_ours_with_a_few_signs_changed_is_read_or_refused_with_its_line(text, data):
    lines = text.split("\n")
    start = data.draw(st.integers(0, len(lines) - 1))
    text = "\n".join(lines[start : start + 25])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        text = text[:at] + data.draw(PIECES) + text[at + data.draw(st.integers(0, 3)) :]
    outcome(text)


def in_json(value: object) -> str:
    """A value as JSON, which is YAML: with its signs as they are, but for those of other lines."""
    text = json.dumps(value, ensure_ascii=False)
    return re.sub(
        "[^\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]|[\u2028\u2029]", _escaped, text
    )


def _escaped(sign: re.Match[str]) -> str:
    return f"\\U{ord(sign[0]):08X}"


@share(100)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(10**28), 10**28) | TEXTS,
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(TEXTS.filter(lambda key: key not in ("", "<<")), inner, max_size=4)
        ),
        max_leaves=10,
    )
)
def test_json_is_read_as_json(value):
    assert outcome(in_json(value)) == value


PLAIN = (
    st.integers(-(10**20), 10**20).map(str)
    | st.from_regex(r"-?(0|[1-9][0-9]{0,9})\.[0-9]{1,9}", fullmatch=True)
    | st.dates().map(str)
    | st.sampled_from(
        ["true", "false", "null", "NO", "yes", "off", "a b", "x:y", "=a.b + 1", "it's", "-a"]
    )
    | st.text("abcXYZ é-.", min_size=1, max_size=10).map(str.strip)
)
KEYS = st.text("abcdefgh", min_size=1, max_size=5)
BLOCKS = st.recursive(
    PLAIN,
    lambda inner: (
        st.dictionaries(KEYS, inner, min_size=1, max_size=4)
        | st.lists(inner, min_size=1, max_size=4)
    ),
    max_leaves=10,
)


def block(value: object, indent: int) -> str:
    """A value in block style, each plain text as it stands."""
    margin = "\n" + " " * indent
    if isinstance(value, dict):
        return "".join(f"{margin}{key}: {block(held, indent + 2)}" for key, held in value.items())
    if isinstance(value, list):
        return "".join(f"{margin}- {block(held, indent + 2)}" for held in value)
    return str(value)


def as_ruamel_says(text: str) -> object:
    """The same by ruamel's own safe reader, its floats read from the text instead."""
    yaml = YAML(typ="safe", pure=True)
    yaml.constructor.add_constructor(
        "tag:yaml.org,2002:float", lambda maker, node: Decimal(node.value)
    )
    return yaml.load(io.StringIO(text))


@share(60)
@given(st.dictionaries(KEYS, BLOCKS, min_size=1, max_size=4))
def test_what_ruamel_reads_without_a_doubt_is_read_alike(value):
    text = block(value, 0)
    mine = outcome(text)
    assume(mine is not None)
    assert _typed(mine) == _typed(as_ruamel_says(text))


def _typed(value: object) -> object:
    if isinstance(value, dict):
        return {key: _typed(held) for key, held in value.items()}
    return [_typed(held) for held in value] if isinstance(value, list) else (type(value), value)


@share(60)
@given(st.dictionaries(KEYS, BLOCKS, min_size=1, max_size=4))
def test_each_value_stands_in_the_line_that_is_told(value):
    text = block(value, 0)
    assume(outcome(text) is not None)
    lines = text.split("\n")

    def walk(node: Node) -> None:
        for key, held in (node.entries or {}).items():
            assert f"{key}:" in lines[node.line_of(key) - 1]
            walk(held)
        for held in node.items or ():
            walk(held)
        if isinstance(node.value, int | Decimal | date):
            assert str(node.value).lower() in lines[node.line - 1]

    walk(read(text))


HOSTILE = (
    "[", "]", "{", "a: ", "- ", "? ", "&a ", "*a ", "!", "!a ", "!<", "!%41", "%", "|\n", ">\n \n", "'", '"', "\\", '"\\n',
    "''", "#", "\n", " ", ": ", ",", "a\n", "---\n", "...\n", "<<: ", "a: b\n ", "- - ", "k: [", "\r", "\ufeff", "1", "~ ",
)  # fmt: skip


@pytest.mark.parametrize("prefix", ["", "a: ", "- &a [", '"', "!<"])
def test_no_text_takes_longer_than_its_length_allows(prefix):
    """A twentieth of the largest file takes a twentieth of its time: nothing grows as the square."""
    chars = yaml12.FILE_CHARS_LIMIT // 20
    begun = time.process_time()
    for piece in HOSTILE:
        outcome(prefix + piece * (chars // len(piece)))
    assert time.process_time() - begun < SECS * len(HOSTILE)
