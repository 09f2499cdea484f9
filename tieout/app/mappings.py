"""The mappings of a configuration: compiled with the fields that are known, and tested.

A connector knows the fields that every company has. What a company added itself is asked of its
system once and remembered beside the ledger, so that checking needs no connection.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mapping.compiler import KnownFields, compile_mapping
from mapping.mistake import Mistake, Mistakes, nearest
from mapping.rules import Mapping as Rules
from mapping.trial import Verdict
from mapping.trial import run as run_tests
from mapping.yaml12 import Node, read
from tieout.app.settings import connector_names, shown
from tieout.app.wiring import Site, facts_of
from tieout.model.contract import Connector, Describes

MAPPINGS_LIMIT = 500
FIELDS_FILE = "fields.json"


@dataclass(frozen=True, slots=True)
class Looked:
    """One mapping file after a look: compiled and tested, or what is wrong with it."""

    file: str
    rules: Rules | None
    verdicts: tuple[Verdict, ...] = ()
    mistakes: tuple[Mistake, ...] = ()


def look(directory: Path, site: Site | None) -> list[Looked]:
    """Compile and test every mapping of a configuration; each mistake is kept, none raised.

    ``site`` is None where the configuration itself cannot be read: then only the fields that every
    company has are known.
    """
    files = sorted((directory / "mappings").glob("*.yaml"))[:MAPPINGS_LIMIT]
    return [_looked(file, site) for file in files]


def compiled(file: Path, site: Site | None) -> Rules:
    """Return one compiled mapping.

    Raises:
        Mistakes: all that is wrong with the file.
    """
    tree = read(file, shown(file))
    rules = compile_mapping(tree, known_fields(_system(tree), site))
    if rules.name != file.stem:
        what = f"the mapping is called {rules.name} and its file {file.stem}"
        raise Mistakes([Mistake(shown(file), 1, what, "give both the same name")])
    return rules


def known_fields(system: str, site: Site | None) -> KnownFields:
    """Return for each kind the fields and types that mappings may use, remembered ones included."""
    kinds = facts_of(system).kinds
    known = {name: dict(kind.fields) for name, kind in kinds.items()}
    if site is not None:
        for company, remembered in _remembered(site).items():
            if company.partition(":")[0] == system:
                for kind, fields in remembered.items():
                    known[kind] = {**fields, **known.get(kind, {})}
    return known


def remember_fields(site: Site, connector: Connector, kinds: Iterable[str]) -> None:
    """Ask a system which fields its records have, and remember them for every later check."""
    if not isinstance(connector, Describes):
        return
    found = {
        kind: {name: info.type for name, info in connector.describe(kind).items()} for kind in kinds
    }
    all_known = _remembered(site)
    of_company = {**all_known.get(connector.company, {}), **found}
    file = _fields_file(site)
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    part.write_text(json.dumps({**all_known, connector.company: of_company}, indent=1), "utf-8")
    part.replace(file)


def all_mistakes(looked: Sequence[Looked]) -> list[Mistake]:
    """Return what is wrong in all files, failed tests included."""
    return [
        mistake
        for each in looked
        for mistake in (*each.mistakes, *(d for v in each.verdicts for d in v.differences))
    ]


def _looked(file: Path, site: Site | None) -> Looked:
    try:
        rules = compiled(file, site)
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


def _remembered(site: Site) -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    file = _fields_file(site)
    if not file.exists():
        return {}
    try:
        known: Mapping[str, Mapping[str, Mapping[str, str]]] = json.loads(file.read_text("utf-8"))
    except ValueError as wrong:
        what, hint = "not a list of fields", "remove it; `tieout check --online` writes it anew"
        raise Mistakes([Mistake(shown(file), 0, what, hint)]) from wrong
    return known


def _fields_file(site: Site) -> Path:
    return site.settings.ledger.with_name(FIELDS_FILE)
