"""``tieout mapping``: what a mapping may use, and its tests."""

from __future__ import annotations

from pathlib import Path

import click

from tieout.app.cli.exits import Exit
from tieout.app.cli.verb import Answer, Caller, table, verb


@click.group(name="mapping")
def command() -> None:
    """List a mapping's fields; run its tests."""


@command.command(name="fields")
@click.argument("system")
@click.argument("kind", required=False)
@click.option("--offline", is_flag=True, help="Only those that every company has.")
@verb
def fields(caller: Caller, system: str, kind: str | None, *, offline: bool) -> Answer:
    """List what formulas may use of SYSTEM's records of one KIND, custom fields included.

    SYSTEM is a product or a company's name in tieout.yaml; without KIND its kinds are listed. The
    company is asked which fields it added; a mapping names those that it uses under `fields:`.
    With --offline a product needs no configuration: so it is seen that a connector is installed.

    Examples:
      tieout mapping fields hubspot
      tieout mapping fields hubspot deal
      tieout mapping fields hubspot --offline
      tieout mapping fields crm company --json

    JSON: {"system", "kind", "fields": [{"name", "type", "label", "custom", "choices"}]}
    or {"system", "kinds": [names]}
    """
    from mapping.mistake import nearest  # noqa: PLC0415 (imported when used)
    from tieout.app import companies  # noqa: PLC0415 (imported when used)
    from tieout.app.settings import connector_names  # noqa: PLC0415 (imported when used)
    from tieout.model.capability import FieldInfo  # noqa: PLC0415 (imported when used)
    from tieout.model.contract import Describes  # noqa: PLC0415 (imported when used)

    site, name, product = None, None, system
    if not offline or system not in connector_names():
        site = companies.Site(caller.directory, caller.settings())
        known = site.settings.companies
        name = next((n for n, c in known.items() if system in {n, c.system}), None)
        product = known[name].system if name else system
    kinds = {k: can.fields for k, can in companies.facts_of(product).kinds.items() if can.fields}
    if kind is None:
        return Answer({"system": product, "kinds": sorted(kinds)}, sorted(kinds))
    if kind not in kinds:
        raise click.UsageError(f"{product} has no kind {kind}; {nearest(kind, kinds)}")
    found = {field: FieldInfo(field, held) for field, held in kinds[kind].items()}
    if site and name and not offline:
        with companies.session(site, name) as connector:
            if isinstance(connector, Describes):
                found = {**found, **connector.describe(kind)}
    rows = [found[field] for field in sorted(found)]
    values = [
        {"name": f.name, "type": f.type, "label": f.label, "custom": f.custom, "choices": f.choices}
        for f in rows
    ]
    shown = [(f"{kind}.{f.name}", f.type, f.label, "added" if f.custom else "") for f in rows]
    lines = table(("field", "type", "label", ""), shown)
    return Answer({"system": product, "kind": kind, "fields": values}, lines)


@command.command(name="test")
@click.argument("names", nargs=-1)
@verb
def test(caller: Caller, names: tuple[str, ...]) -> Answer:
    """Run the tests that stand inside the mappings; all of them, or those of NAMES.

    Needs no connection: each test brings its own records and its own books.

    Examples:
      tieout mapping test
      tieout mapping test hubspot-deal-to-invoice

    JSON: {"ok", "tests": [{"mapping", "name", "line", "passed", "differences": [text]}],
    "mistakes": [text]}
    """
    from mapping.mistake import nearest  # noqa: PLC0415 (imported when used)
    from tieout.app import mappings  # noqa: PLC0415 (imported when used)

    looked = mappings.look(caller.directory)
    known = {Path(each.file).stem: each for each in looked}
    for name in names:
        if name not in known:
            raise click.UsageError(f"there is no mapping {name}; {nearest(name, known)}")
    chosen = [each for name, each in known.items() if not names or name in names]
    tests = [
        {
            "mapping": each.rules.name if each.rules else each.file,
            "name": verdict.name,
            "line": verdict.line,
            "passed": verdict.passed,
            "differences": [str(difference) for difference in verdict.differences],
        }
        for each in chosen
        for verdict in each.verdicts
    ]
    mistakes = [str(mistake) for each in chosen for mistake in each.mistakes]
    ok = not mistakes and all(each["passed"] for each in tests)
    lines = [f"{'ok  ' if each['passed'] else 'FAIL'}  {each['name']}" for each in tests]
    lines += mistakes + [str(m) for m in mappings.all_mistakes(chosen) if str(m) not in mistakes]
    values = {"ok": ok, "tests": tests, "mistakes": mistakes}
    return Answer(values, lines, Exit.DONE if ok else Exit.TROUBLE)
