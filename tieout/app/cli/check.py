"""``tieout check``: is it right?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from tieout.app.cli.exits import Exit
from tieout.app.cli.verb import Answer, Caller, table, verb
from tieout.model.errors import TieoutError

if TYPE_CHECKING:
    from mapping.mistake import Mistake
    from tieout.app.companies import Site
    from tieout.app.mappings import Looked
    from tieout.model.contract import Right

SKEW_SECS_LIMIT = 60


@click.command(name="check")
@click.option("--online", is_flag=True, help="Also ask the companies: tokens, ids, clocks.")
@verb
def command(caller: Caller, *, online: bool) -> Answer:
    """Say whether configuration, mappings and accounts are right.

    Reads every file, compiles every formula and runs the tests inside the mappings; all mistakes
    are said at once, as file:line. With --online it also asks each company who it is, whether it
    gives the rights that the mappings need, when consent ends and whether clocks agree, and
    compares the installed program with what was shipped.

    Examples:
      tieout check
      tieout check --online --json

    JSON: {"ok", "mistakes": [{"file", "line", "what", "hint"}], "mappings": [{"name", "file",
    "tests", "passed"}], "companies": [{"name", "system", "id", "ok", "says", "until", "rights":
    [{"right", "purpose", "held": true, false, or null where only the deed would tell, "said"}]}],
    "overwritten": [files]}
    """
    from mapping.mistake import Mistakes  # noqa: PLC0415 (imported when used)
    from tieout.app import companies, installed, mappings  # noqa: PLC0415 (imported when used)

    site: Site | None = None
    mistakes: list[Mistake] = []
    try:
        site = companies.Site(caller.directory, caller.settings())
    except Mistakes as wrong:
        mistakes += wrong.mistakes
    asked = list(_asked(site)) if online and site else []
    looked = mappings.look(caller.directory)
    mistakes += mappings.all_mistakes(looked)
    overwritten = installed.overwritten() if online else []
    ok = not mistakes and not overwritten and all(each["ok"] for each in asked)
    values = {
        "ok": ok,
        "mistakes": [
            {"file": m.file, "line": m.line, "what": m.what, "hint": m.hint} for m in mistakes
        ],
        "mappings": [_mapping_values(each) for each in looked],
        "companies": asked,
        "overwritten": overwritten,
    }
    lines = [str(mistake) for mistake in sorted(mistakes)]
    lines += [f"{file} is not as it was shipped; install Tieout anew" for file in overwritten]
    lines += _company_lines(asked)
    passed = sum(v.passed for each in looked for v in each.verdicts)
    tests = sum(len(each.verdicts) for each in looked)
    lines.append(f"{len(looked)} mappings, {passed} of {tests} tests pass")
    lines.append("All is right." if ok else _wrong(mistakes, asked, overwritten))
    return Answer(values, lines, Exit.DONE if ok else Exit.TROUBLE)


def _wrong(
    mistakes: Sequence[Mistake], asked: Sequence[Mapping[str, Any]], overwritten: Sequence[str]
) -> str:
    """Return what is not right, counted."""
    counted = {
        "mistake": len(mistakes),
        "company in trouble": sum(not each["ok"] for each in asked),
        "overwritten file": len(overwritten),
    }
    plural = {"company in trouble": "companies in trouble"}
    said = [
        f"{n} {name if n == 1 else plural.get(name, f'{name}s')}"
        for name, n in counted.items()
        if n
    ]
    return f"{', '.join(said)}."


def _mapping_values(looked: Looked) -> dict[str, Any]:
    return {
        "name": looked.rules.name if looked.rules else None,
        "file": looked.file,
        "tests": len(looked.verdicts),
        "passed": sum(verdict.passed for verdict in looked.verdicts),
    }


def _asked(site: Site) -> Iterator[dict[str, Any]]:
    """Ask each company who it is; one that does not answer hides no other."""
    from tieout.app import companies, rights  # noqa: PLC0415 (imported when used)
    from tieout.model.contract import CONSENT_DAYS  # noqa: PLC0415 (imported when used)

    for name, company in site.settings.companies.items():
        told: dict[str, Any] = {"name": name, "system": company.system, "id": company.id}
        try:
            who, given = rights.who_and_what(site, name)
        except TieoutError as wrong:
            yield {**told, "ok": False, "says": str(wrong), "until": None, "rights": []}
            continue
        concerns = [_lacking(right) for right in given if right.held is False]
        skew_secs = abs((companies.now() - who.clock).total_seconds())
        if skew_secs > SKEW_SECS_LIMIT:
            concerns.append(f"its clock and ours differ by {skew_secs:.0f} seconds")
        if who.until and (who.until - companies.now()).days < CONSENT_DAYS:
            concerns.append("consent ends soon: run `tieout connect` again")
        until = who.until.isoformat() if who.until else None
        says = "; ".join(concerns) or who.name
        shown = [rights.plain(right) for right in given]
        yield {**told, "ok": not concerns, "says": says, "until": until, "rights": shown}


def _lacking(right: Right) -> str:
    """Return what is lacking, what for, and the vendor's own words."""
    purpose = f", for {right.purpose}" if right.purpose else ""
    return f"lacks {right.name}{purpose}" + (f" ({right.said})" if right.said else "")


def _company_lines(companies: list[dict[str, Any]]) -> list[str]:
    rows = [
        (c["name"], c["system"], c["id"], c["says"] if c["ok"] else "TROUBLE", _day(c))
        for c in companies
    ]
    troubles = [f"  {c['name']}: {c['says']}" for c in companies if not c["ok"]]
    return [*table(("company", "system", "id", "says", "consent until"), rows), *troubles]


def _day(company: Mapping[str, Any]) -> str:
    return f"{datetime.fromisoformat(company['until']):%Y-%m-%d}" if company["until"] else ""
