"""The tests of a mapping file, as far as they can be checked without being run."""

from __future__ import annotations

from collections import abc
from collections.abc import Iterator

from mapping import rules
from mapping.cells import Cells, entries_of, rows_of
from mapping.formula import Shape, fits, type_of
from mapping.functions import Type
from mapping.mistake import nearest
from mapping.yaml12 import Node


def read_tests(at: Cells, top: abc.Mapping[str, Node]) -> Iterator[rules.Test]:
    """Yield the tests whose shape is whole; what they name is checked here."""
    for row in rows_of(top.get("tests")):
        block = entries_of(row)
        if not {"name", "given", "expect"} <= block.keys():
            continue
        _given(at, block["given"])
        expected = entries_of(block["expect"])
        for alone in ("parts", "collectives"):
            if alone in expected and len(expected) > 1:
                at.wrong(block["expect"], f"{alone} stand alone", "move the rest into their rows")
        if ("sources" in entries_of(block["given"])) != ("collectives" in expected):
            at.wrong(row, "`collectives` come of `sources`", "write both, or neither")
        yield rules.Test(str(block["name"].value), block["given"], block["expect"], row.line)


def _given(at: Cells, node: Node) -> None:
    known = {*at.kinds, "books", "cutover_date", "sources"}
    for each in rows_of(entries_of(node).get("sources")):
        _given(at, each)
    for name, held in entries_of(node).items():
        if name not in known:
            at.wrong_key(node, name, f"nothing is named {name!r}", nearest(name, known))
        elif name in at.many and held.items is None:
            at.wrong(held, f"{name} takes a list of records")
        elif name in at.kinds:
            for record in held.items or (held,):
                _record(at, record, name)


def _record(at: Cells, node: Node, role: str) -> None:
    shape = at.names.get(role)
    if node.entries is None:
        if node.value is not None:
            at.wrong(node, f"{role} takes the fields of a record, or null")
        return
    known = shape.fields if isinstance(shape, Shape) else None
    for name, held in node.entries.items():
        if known is None:
            continue
        if name not in known:
            at.wrong_key(node, name, f"no field {name!r} in {role}", nearest(name, known))
        elif not fits(kind := type_of(held.value), known[name]):
            hint = "quote it" if known[name] is Type.TEXT else ""
            at.wrong(held, f"{role}.{name} is {known[name]}, not {kind}", hint)
