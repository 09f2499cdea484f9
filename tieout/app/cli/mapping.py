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
@click.option("--online", is_flag=True, help="Ask the company first, for fields it added itself.")
@verb
def fields(caller: Caller, system: str, kind: str | None, *, online: bool) -> Answer:
    """List what formulas may use of SYSTEM's records of one KIND, custom fields included.

    Without KIND it lists the kinds. Custom fields are those that the company told when it was last
    asked: by --online here, by `tieout check --online`, or by a round.

    Examples:
      tieout mapping fields hubspot
      tieout mapping fields hubspot deal --online

    JSON: {"system", "kind", "fields": {name: type}} or {"system", "kinds": [names]}
    """
    from mapping.mistake import nearest  # noqa: PLC0415 (imported when used)
    from tieout.app import mappings, wiring  # noqa: PLC0415 (imported when used)

    site = wiring.Site(caller.directory, caller.settings())
    if online and kind:
        for name, company in site.settings.companies.items():
            if company.system == system:
                with wiring.session(site, name) as connector:
                    mappings.remember_fields(site, connector, [kind])
    known = mappings.known_fields(system, site)
    if kind is None:
        kinds = sorted(name for name, held in known.items() if held)
        return Answer({"system": system, "kinds": kinds}, kinds)
    if kind not in known:
        raise click.UsageError(f"{system} has no kind {kind}; {nearest(kind, known)}")
    found = dict(sorted(known[kind].items()))
    lines = table(("field", "type"), [(f"{kind}.{name}", held) for name, held in found.items()])
    return Answer({"system": system, "kind": kind, "fields": found}, lines)


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
    from tieout.app import mappings, wiring  # noqa: PLC0415 (imported when used)

    site = wiring.Site(caller.directory, caller.settings())
    looked = mappings.look(caller.directory, site)
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
