"""One file on its way to a Mapping: what it names, what it reads, and its mistakes so far."""

from __future__ import annotations

from collections import abc
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final, TypeVar

from mapping.formula import Formula, Names, Path, Shape, compile_cell
from mapping.functions import Type
from mapping.mistake import Mistake, Mistakes
from mapping.names import TYPES, KnownFields
from mapping.yaml12 import Node

ABSENT: Final = Formula("null", "", 0, Type.NOTHING, (), lambda _scope: None)
_W = TypeVar("_W", bound=str)


@dataclass(slots=True)
class Cells:
    """Compiles single cells, and remembers what they read.

    What the shape of the file lacks is stood in for, so that all the rest is read too.
    """

    tree: Node
    known: KnownFields
    targets: Collection[str]
    mistakes: list[Mistake]
    kinds: dict[str, str] = field(default_factory=dict)  # role -> kind
    many: set[str] = field(default_factory=set)
    names: dict[str, Type | Shape] = field(default_factory=dict)
    tables: abc.Mapping[str, object] = field(default_factory=dict)
    used: dict[str, set[str]] = field(default_factory=dict)  # role -> fields

    def cell(
        self,
        node: Node | None,
        wanted: Type,
        names: Names | None = None,
        aliases: abc.Mapping[str, str] | None = None,
        made_here: Collection[Path] = (),
    ) -> Formula | None:
        """Compile one cell and note what it reads.

        ``aliases`` are names for one row of a role; what is ``made_here`` is no field of a record.
        """
        if node is None:
            return None
        try:
            formula = compile_cell(
                node, self.names if names is None else names, self.tables, wanted
            )
        except Mistakes as wrong:
            self.mistakes.extend(wrong.mistakes)
            return None
        for path in formula.paths:
            role = (aliases or {}).get(path[0], path[0])
            if role in self.kinds and path[-1] != "id" and path not in made_here:
                self.used.setdefault(role, set()).add(path[-1])
        return formula

    def cells(
        self,
        block: abc.Mapping[str, Node],
        known: abc.Mapping[str, tuple[str, Type, bool]],
        names: Names,
        aliases: abc.Mapping[str, str] | None = None,
    ) -> dict[str, Formula]:
        """Compile the cells of a block that have a name of their own there."""
        made = {}
        for name, (_, gives, _required) in known.items():
            formula = self.cell(block.get(name), gives, names, aliases)
            if formula is not None:
                made[name] = formula
        return made

    def free(
        self, node: Node | None, names: Names, aliases: abc.Mapping[str, str] | None = None
    ) -> dict[str, Formula]:
        """Compile a block whose words are the target's own, or a person's."""
        return {
            name: self.cell(cell, Type.ANY, names, aliases) or ABSENT
            for name, cell in entries_of(node).items()
        }

    def word(
        self, block: abc.Mapping[str, Node], key: str, choices: Collection[_W], otherwise: _W
    ) -> _W:
        """Return which of some words a block says; a wrong one is a mistake already."""
        value = block[key].value if key in block else otherwise
        return next((choice for choice in choices if choice == value), otherwise)

    def shape(self, role: str) -> Shape:
        """Return the fields of a role, as formulas see them."""
        fields = self.known.get(self.kinds[role])
        if fields is None:
            return Shape(None, many=role in self.many)
        typed = {name: TYPES.get(kind, Type.ANY) for name, kind in fields.items()}
        return Shape({"id": Type.TEXT, **typed}, many=role in self.many)

    def wrong(self, node: Node, what: str, hint: str = "") -> None:
        """Note a mistake at a node."""
        self.mistakes.append(node.mistake(what, hint))

    def wrong_key(self, node: Node, key: str, what: str, hint: str = "") -> None:
        """Note a mistake at the key of a node, where its value is not what is wrong."""
        self.mistakes.append(Mistake(node.file, node.line_of(key), what, hint))


def entries_of(node: Node | None) -> abc.Mapping[str, Node]:
    """Return the entries of a node that is a block, else none."""
    return (node.entries if node is not None else None) or {}


def rows_of(node: Node | None) -> tuple[Node, ...]:
    """Return the rows of a node that is a list, else none."""
    return (node.items if node is not None else None) or ()
