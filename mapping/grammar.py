"""The shapes that a file may have, said once: for checking it, for editors and for the reference.

A shape is a value; ``check`` finds every place where a file differs from it, and ``json_schema``
writes it for an editor's completion.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from mapping.functions import Type
from mapping.mistake import Mistake, nearest
from mapping.yaml12 import Node


@dataclass(frozen=True, slots=True)
class Cell:
    """One value, or a formula that gives it."""

    gives: Type = Type.ANY


@dataclass(frozen=True, slots=True)
class Word:
    """One of some words."""

    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """A text of a form."""

    pattern: str = ".+"
    form: str = "a text"


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from 1."""


@dataclass(frozen=True, slots=True)
class Anything:
    """Whatever the writer likes: example records."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a block: what stands under it, in the reference's words."""

    shape: Shape
    says: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """A mapping with known keys, and any other key where ``others`` says what it holds."""

    keys: Mapping[str, Key]
    others: Shape | None = None
    one_only: bool = False


@dataclass(frozen=True, slots=True)
class Rows:
    """A list."""

    of: Shape


@dataclass(frozen=True, slots=True)
class Either:
    """One value, or a block or list."""

    single: Cell | Word | Text
    grouped: Block | Rows


Shape: TypeAlias = Cell | Word | Text | Whole | Anything | Block | Rows | Either


def check(  # noqa: C901, PLR0912 (one case for each shape)
    node: Node, shape: Shape, at: str = "the file"
) -> Iterator[Mistake]:
    """Yield every difference between a file and its shape. Formulas are the compiler's to read."""
    match shape:
        case Cell():
            if node.entries is not None or node.items is not None:
                yield node.mistake(f"{at} takes one value, not {_shown(node)}")
        case Word(choices):
            if node.value not in choices:
                hint = nearest(str(node.value), choices)
                yield node.mistake(f"{at} cannot be {_shown(node)}", hint)
        case Text(pattern, form):
            if not isinstance(node.value, str) or not re.fullmatch(pattern, node.value, re.DOTALL):
                yield node.mistake(f"{at} must be {form}, not {_shown(node)}")
        case Whole():
            if not isinstance(node.value, int) or isinstance(node.value, bool) or node.value < 1:
                yield node.mistake(f"{at} must be a whole number from 1, not {_shown(node)}")
        case Rows(of):
            if node.items is None:
                yield node.mistake(f"{at} takes a list", "start each entry with `- `")
            for row in node.items or ():
                yield from check(row, of, at)
        case Either(single, grouped):
            plain = node.entries is None and node.items is None
            yield from check(node, single if plain else grouped, at)
        case Anything():
            pass
        case _:
            yield from _check_block(node, shape, at)


def _check_block(node: Node, block: Block, at: str) -> Iterator[Mistake]:
    if node.entries is None:
        known = ", ".join(block.keys) or "any"
        yield node.mistake(f"{at} takes `key: value` entries, not {_shown(node)}", f"keys: {known}")
        return
    for name, held in node.entries.items():
        key = block.keys.get(name)
        if key is not None:
            yield from check(held, key.shape, name)
        elif block.others is not None:
            yield from check(held, block.others, name)
        else:
            hint = nearest(name, block.keys)
            yield Mistake(node.file, node.line_of(name), f"{at} has no key {name!r}", hint)
    missing = [name for name, key in block.keys.items() if key.required]
    for name in missing:
        if name not in node.entries:
            yield node.mistake(f"{at} lacks {name}", f"{name}: {block.keys[name].says}")
    if block.one_only and len(node.entries) != 1:
        yield node.mistake(f"{at} takes exactly one key, not {len(node.entries)}")


def _shown(node: Node) -> str:
    if node.entries is not None:
        return "a mapping"
    if node.items is not None:
        return "a list"
    words = {None: "nothing", True: "true", False: "false"}
    if node.value is None or isinstance(node.value, bool):
        return words[node.value]
    return str(node.value)[:60]


# -- for editors ------------------------------------------------------------------------------

_JSON_TYPES = {
    Type.NUMBER: ["number", "string"],
    Type.TRUTH: ["boolean", "string"],
    Type.TEXT: ["string", "null"],
    Type.DATE: ["string"],
}
_ANY_SCALAR = ["string", "number", "boolean", "null"]


def json_schema(shape: Shape) -> dict[str, Any]:
    """Return the JSON Schema (draft 7, which YAML editors read) of a shape."""
    match shape:
        case Cell(gives):
            return {"type": _JSON_TYPES.get(gives, _ANY_SCALAR)}
        case Word(choices):
            return {"enum": list(choices)}
        case Text(pattern):
            return {"type": "string", "pattern": f"^{pattern}$"}
        case Whole():
            return {"type": "integer", "minimum": 1}
        case Anything():
            return {}
        case Rows(of):
            return {"type": "array", "items": json_schema(of)}
        case Either(single, grouped):
            return {"anyOf": [json_schema(single), json_schema(grouped)]}
        case _:
            keys, others, one_only = shape.keys, shape.others, shape.one_only
            return {
                "type": "object",
                "properties": {
                    name: {"description": key.says, **json_schema(key.shape)}
                    for name, key in keys.items()
                },
                "additionalProperties": False if others is None else json_schema(others),
                **({"required": needed} if (needed := _required(keys)) else {}),
                **({"maxProperties": 1} if one_only else {}),
            }


def _required(keys: Mapping[str, Key]) -> list[str]:
    return [name for name, key in keys.items() if key.required]
