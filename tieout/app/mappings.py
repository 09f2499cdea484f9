"""The mappings of a configuration, compiled and tested; this needs no connection.

A connector's facts say which fields every company has; a mapping itself names those that its
company added.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mapping.compiler import compile_mapping
from mapping.mistake import Mistake, Mistakes, nearest
from mapping.rules import Mapping as Rules
from mapping.trial import Verdict
from mapping.trial import run as run_tests
from mapping.yaml12 import Node, read
from tieout.app.companies import Site, facts_of
from tieout.app.settings import connector_names, mapping_file, shown

MAPPINGS_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Looked:
    """One mapping file after a look: compiled and tested, or what is wrong with it."""

    file: str
    rules: Rules | None
    verdicts: tuple[Verdict, ...] = ()
    mistakes: tuple[Mistake, ...] = ()


def look(directory: Path) -> list[Looked]:
    """Compile and test every mapping of a configuration; each mistake is kept, none raised."""
    files = sorted((directory / "mappings").glob("*.yaml"))[:MAPPINGS_LIMIT]
    return [_looked(file) for file in files]


def compiled_of(site: Site) -> Mapping[str, Sequence[Rules]]:
    """Return each pair's compiled mappings, in their order.

    Raises:
        Mistakes: all that is wrong with any of them.
    """
    done: dict[str, list[Rules]] = {}
    mistakes: list[Mistake] = []
    for name, pair in site.settings.pairs.items():
        done[name] = []
        for mapping in pair.mappings:
            try:
                done[name].append(compiled(mapping_file(site.directory, mapping)))
            except Mistakes as wrong:
                mistakes += wrong.mistakes
    if mistakes:
        raise Mistakes(mistakes)
    return done


def compiled(file: Path) -> Rules:
    """Return one compiled mapping.

    Raises:
        Mistakes: all that is wrong with the file.
    """
    tree = read(file, shown(file))
    kinds = facts_of(_system(tree)).kinds
    rules = compile_mapping(tree, {name: kind.fields for name, kind in kinds.items()})
    if rules.name != file.stem:
        what = f"the mapping is called {rules.name} and its file {file.stem}"
        raise Mistakes([Mistake(shown(file), 1, what, "give both the same name")])
    return rules


def all_mistakes(looked: Sequence[Looked]) -> list[Mistake]:
    """Return what is wrong in all files, failed tests included."""
    return [
        mistake
        for each in looked
        for mistake in (*each.mistakes, *(d for v in each.verdicts for d in v.differences))
    ]


def _looked(file: Path) -> Looked:
    try:
        rules = compiled(file)
    except Mistakes as wrong:
        return Looked(shown(file), None, mistakes=wrong.mistakes)
    return Looked(shown(file), rules, run_tests(rules))


def _system(tree: Node) -> str:
    """Return the system that a mapping reads from.

    Raises:
        Mistakes: it names none, or one without a connector.
    """
    node = (tree.entries or {}).get("from")
    if node is None:
        raise Mistakes([tree.mistake("from is missing", "write `from: hubspot.deal`")])
    system = str(node.value).partition(".")[0]
    if system not in connector_names():
        raise Mistakes(
            [node.mistake(f"no connector for {system}", nearest(system, connector_names()))]
        )
    return system
