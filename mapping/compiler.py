"""Rules and known fields in, a Mapping out, or every mistake of the file at once."""

from __future__ import annotations

import pathlib
import re
from collections import abc
from collections.abc import Collection, Iterator

from mapping import rules, vocabulary
from mapping.around import read_checks, read_group, read_parts, read_write_back
from mapping.cells import Cells, entries_of
from mapping.documents import read_document, read_files, read_pdf
from mapping.examples import read_tests
from mapping.functions import Type
from mapping.grammar import check
from mapping.mistake import Mistakes, nearest
from mapping.names import ALWAYS, RESERVED, TYPES, KnownFields
from mapping.yaml12 import Node, read
from tieout.model.canonical import digest
from tieout.model.role import labelled


def load(
    source: pathlib.Path | str,
    known_fields: KnownFields,
    *,
    name: str = "",
    targets: Collection[str] = vocabulary.TARGETS,
) -> rules.Mapping:
    """Return the mapping of a file (a path) or a text, compiled.

    Raises:
        Mistakes: all that was found, each with file and line.
    """
    return compile_mapping(read(source, name), known_fields, targets=targets)


def compile_mapping(
    tree: Node, known_fields: KnownFields, *, targets: Collection[str] = vocabulary.TARGETS
) -> rules.Mapping:
    """Return the compiled mapping of a file that was read.

    Args:
        tree: the whole file.
        known_fields: for each kind of the source system its fields and their types.
        targets: the systems that may have a block of their own.

    Raises:
        Mistakes: all that was found, each with file and line.
    """
    mistakes = list(check(tree, vocabulary.grammar(targets)))
    if tree.entries is None:
        raise Mistakes(mistakes)
    made = _mapping(Cells(tree, known_fields, targets, mistakes))
    if mistakes:
        raise Mistakes(mistakes)
    return made


def _mapping(at: Cells) -> rules.Mapping:
    top = entries_of(at.tree)
    declared = _declared(at, top)
    system, kind, source = _source(at, top)
    roles = tuple(_roles(at, top))
    at.names = {**ALWAYS, **{role: at.shape(role) for role in at.kinds}}
    at.tables = {name: node.plain() for name, node in entries_of(top.get("tables")).items()}
    to = at.word(top, "to", vocabulary.DOCUMENTS, "invoice")
    when = at.cell(top.get("when"), Type.TRUTH)
    worth = at.cell(top.get("worth"), Type.NUMBER)
    document = read_document(at, top, to)
    parts = tuple(read_parts(at, top, document))
    group = read_group(at, top, document, [role for role in roles if role.kind != kind])
    checks = tuple(read_checks(at, top, document))
    write_back = tuple(read_write_back(at, top, document))
    files = read_files(at, top, to)
    pdf = read_pdf(at, top, to)
    tests = tuple(read_tests(at, top))
    name = str(top["mapping"].value) if "mapping" in top else ""
    first = top.get("renamed_from")
    version = top["version"].value if "version" in top else 1
    return rules.Mapping(
        name=name,
        identity=str(first.value) if first else name,
        version=version if isinstance(version, int) else 1,
        file=at.tree.file,
        system=system,
        kind=kind,
        source=source,
        to=to,
        roles=roles,
        when=when,
        worth=worth,
        document=document,
        parts=parts,
        group=group,
        checks=checks,
        write_back=write_back,
        files=files,
        pdf=pdf,
        tests=tests,
        fields={role: frozenset(at.used.get(role, ())) for role in at.kinds},
        reads=_reads(at),
        declared=declared,
        hash=digest({key: node.plain() for key, node in top.items() if key != "tests"}),
    )


def _declared(at: Cells, top: abc.Mapping[str, Node]) -> dict[str, dict[str, str]]:
    """The fields that the file adds to what its system's connector knows."""
    known = {kind: dict(fields) for kind, fields in at.known.items()}
    added: dict[str, dict[str, str]] = {}
    node = top.get("fields")
    for kind, block in entries_of(node).items():
        if kind not in known and node is not None:
            at.wrong_key(node, kind, f"no records of kind {kind!r}", nearest(kind, known))
        for name, typed in entries_of(block).items():
            before = TYPES.get(known.get(kind, {}).get(name, ""))
            if before not in (None, TYPES.get(str(typed.value))):
                at.wrong(typed, f"{kind}.{name} is {before}", "the connector knows it")
            added.setdefault(kind, {})[name] = str(typed.value)
        known.setdefault(kind, {}).update(added.get(kind, {}))
    at.known = known
    return added


def _source(at: Cells, top: abc.Mapping[str, Node]) -> tuple[str, str, str]:
    node = top.get("from")
    form = re.fullmatch(vocabulary.SOURCE, str(node.value)) if node else None
    if node is None or form is None:
        return "", "", ""
    system, kind, name = form[1], form[2], form[3] or form[2]
    if kind not in at.known:
        at.wrong(node, f"{system} has no kind {kind!r}", nearest(kind, at.known))
    at.kinds[name] = kind
    if "name" in at.known.get(kind, ()):
        at.used[name] = {"name"}  # what people call the document
    return system, kind, name


def _roles(at: Cells, top: abc.Mapping[str, Node]) -> Iterator[rules.Role]:
    for name, node in entries_of(top.get("with")).items():
        form = re.fullmatch(vocabulary.ROLE, str(node.value))
        if form is None:
            continue
        of, way, label, mark = form[1], form[2], form[3] or "", form[4]
        if of not in at.kinds or of in at.many:
            at.wrong(node, f"{name} hangs on {of!r}", nearest(of, at.kinds))
        if name in at.kinds or name in RESERVED:
            at.wrong(node, f"{name} is a name already", "choose another")
        spellings = (way, way.removesuffix("s"), way.removesuffix("es"))
        kind = next((one for one in spellings if one in at.known), way)
        if kind not in at.known:
            at.wrong(node, f"no records of kind {way!r}", nearest(way, at.known))
        at.kinds[name] = kind
        if mark == "[]":
            at.many.add(name)
        yield rules.Role(
            name,
            of,
            labelled(way, label),
            kind,
            optional=mark == "?",
            many=mark == "[]",
            line=node.line,
            label=label,
        )


def _reads(at: Cells) -> dict[str, frozenset[str]]:
    by_kind: dict[str, set[str]] = {kind: set() for kind in at.kinds.values()}
    for role, fields in at.used.items():
        by_kind[at.kinds[role]] |= fields
    return {kind: frozenset(fields) for kind, fields in by_kind.items()}
