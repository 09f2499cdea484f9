"""Write the pages and schemas that are made from the code. ``make docs`` runs it.

A page that is out of date fails a test, so a page and its code change in one commit.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import sys
import time
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import click

import mapping.reference
import tieout.app.schema
from tieout.app.cli.exits import Exit
from tieout.app.cli.verbs import VERBS, root
from tieout.app.companies import now
from tieout.app.settings import CONNECTORS, schema
from tieout.credentials import StaticToken
from tieout.model.capability import Capabilities
from tieout.model.contract import Opening, Opens
from tieout.model.errors import NextStep, TieoutError
from tieout.simulator.rules import DYNAMICS, HUBSPOT, QUICKBOOKS, RULES, SALESFORCE

ROOT = Path(__file__).parent.parent
REFERENCE = ROOT / "docs" / "reference"
SHIPPED = ("tieout", "connectors", "mapping", "sync_engine")

STEPS = {
    NextStep.RETRY: "The same request is sent again later. Nobody is bothered.",
    NextStep.LOOK: "It may have happened: Tieout looks in the other system before it asks again.",
    NextStep.REPLAN: "The world moved: the record is read and planned again; a plan with another "
    "hash needs another approval.",
    NextStep.ASK: "A person decides: it becomes a task, and the rest goes on.",
    NextStep.PAUSE: "The company is paused, its queue is kept, and its people are told.",
    NextStep.STOP: "Tieout refuses to go on, and sends nothing more.",
}
ERRORS_INTRO = """\
Made from the code by `make docs`: change the classes, not this page.

An error is named by what happens next. Its message gives the record, what happened, the other
system's own words and the remedy. Codes are stable: scripts may rely on them.
"""

EXITS = {
    Exit.DONE: "done; nothing waits for a person",
    Exit.TROUBLE: "it failed, or a task is open",
    Exit.CHANGES: "only `plan`: there is something to send or to approve",
    Exit.UNKNOWNS: "a write is not answered yet; it is looked up before anything is asked again",
    Exit.PAUSED: "a pair stands still until a person resumes it",
    Exit.USAGE: "the command was not understood",
    Exit.INTERRUPTED: "Ctrl-C, or SIGTERM during `run --once`",
}
EVERY_VERB = ("config", "as_json", "who")
CLI_INTRO = """\
Made from the code by `make docs`: change the verbs, not this page.

`tieout --help` lists the verbs, `tieout VERB --help` says what stands here. A REF is a kind and an
id, as `deal:901`. Eight letters of a hash are enough.
"""
ENVIRONMENT = {
    "TIEOUT_CONFIG": "the configuration's directory, as `--config`",
    "TIEOUT_USER": "who acts, as `--as`; kept in the journal",
    "TIEOUT_KEY": "the key that seals tokens: Fernet keys, separated by commas, the first seals. "
    "Without it a key is made beside the file of tokens, as `tokens.sealed.key`",
    "NO_COLOR": "set to anything, nothing is coloured",
}
SETTINGS_INTRO = """\
Made from the code by `make docs`: change `tieout/app/settings.py`, not this page.

Every setting of `tieout.yaml`. Bold ones must be there. Paths are relative to the file's directory.
The same, for completion in editors, is `config/schema/tieout.schema.json`. `tieout check` names
every mistake with its line.

A secret is never written in the file. It says where the secret is: `env:NAME` or `file:PATH`.
"""
PLACES = {
    "Settings": "The file",
    "Company": "companies: NAME",
    "Pair": "pairs: NAME",
    "Unsafe": "pairs: NAME: unsafe",
    "Hints": "hints",
    "Log": "log",
}
SETTING_HEADS = ("Setting", "Form; default", "Means")
CAPABILITIES_INTRO = """\
Made from the connectors' facts by `make docs`: change `connectors/*/*.yaml`, not this page.

What each system can do through its connector. *Found by* is how Tieout can look for a record;
*marker* is the field that carries our key, so that a lost answer can be found again. Texts longer
than a limit, and all else that is beyond one, are held before anybody approves them.
"""

SIMULATORS_INTRO = """\
Made by `make docs` from `tieout/simulator/rules.py` and the names of the tests in
`tests/simulator/`: change those, not this page.

Each rule of the vendors: what they do, where that is said, and every test that holds the
simulator to it. R1 to R52 are numbered as everywhere in the code; H, Q, D and S are further facts
of the APIs. What is not followed says why. How the simulators are used:
[HubSpot](simulators-hubspot.md), [Salesforce](simulators-salesforce.md),
[Dynamics 365](simulators-dynamics365.md), [QuickBooks](simulators-quickbooks.md).
"""
RULE_TEST = re.compile(r"test_([rhqds]\d+)_(.+)")
VENDOR_OF = {
    "hubspot": HUBSPOT,
    "salesforce": SALESFORCE,
    "quickbooks": QUICKBOOKS,
    "dynamics365": DYNAMICS,
}
"""By the word in a test file's name."""


def main() -> None:
    """Write every page that is out of date."""
    for path, text in pages().items():
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            sys.stdout.write(f"wrote {path.relative_to(ROOT)}\n")


def pages() -> dict[Path, str]:
    """Return every file that is made from the code, and its text."""
    return {
        REFERENCE / "errors.md": errors_page(),
        REFERENCE / "cli.md": cli_page(),
        REFERENCE / "settings.md": settings_page(),
        REFERENCE / "capabilities.md": capabilities_page(),
        REFERENCE / "simulators.md": simulators_page(),
        **mapping.reference.pages(),
        tieout.app.schema.schema_file(): tieout.app.schema.schema_text(),
    }


# -- errors -------------------------------------------------------------------------------------


def errors_page() -> str:
    """Return the page of all errors, ordered by what happens next."""
    known = error_classes()
    parts = ["# Errors", ERRORS_INTRO.strip()]
    for step, meaning in STEPS.items():
        rows = [_error_row(each) for each in known if each.next_step is step]
        table = ["| Code | Error | What happened | What to do |", "|---|---|---|---|", *rows]
        parts += [f"## {step.value}", meaning, "\n".join(table)]
    return "\n\n".join(parts) + "\n"


def error_classes() -> list[type[TieoutError]]:
    """Return every error of the shipped packages, each parent before its kin."""
    import_shipped()
    return [each for each in _kin(TieoutError) if each.__module__.split(".")[0] in SHIPPED]


def import_shipped() -> None:
    """Import every module of the shipped packages."""
    for package in map(importlib.import_module, SHIPPED):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith(".__main__"):
                importlib.import_module(found.name)


def _kin(cls: type[TieoutError]) -> Iterator[type[TieoutError]]:
    yield cls
    for child in sorted(cls.__subclasses__(), key=lambda each: (each.__module__, each.__name__)):
        yield from _kin(child)


def _error_row(cls: type[TieoutError]) -> str:
    sentence = (cls.__doc__ or "").strip().splitlines()[0]
    return _row(f"`{cls.code}`", f"`{cls.__name__}`", sentence, cls.remedy)


# -- the command line ---------------------------------------------------------------------------


def cli_page() -> str:
    """Return the page of every verb, option and exit code."""
    context = click.Context(root, info_name="tieout")
    verbs = {name: root.get_command(context, name) for held in VERBS.values() for name in held}
    parts = ["# The command line", CLI_INTRO.strip()]
    parts += ["## Exit codes", _table(("Code", "Means"), ((int(e), EXITS[e]) for e in Exit))]
    common = [each for each in verbs["check"].params if each.name in EVERY_VERB]
    parts += ["## Options of every verb", _option_table(common, context)]
    words = _table(("Variable", "Means"), ((f"`{k}`", v) for k, v in ENVIRONMENT.items()))
    parts += ["## Environment", words]
    for purpose, held in VERBS.items():
        parts.append(f"## {purpose}")
        for name in held:
            parts += _verb_parts(verbs[name], f"tieout {name}")
    return "\n\n".join(parts) + "\n"


def _verb_parts(command: click.Command, path: str) -> Iterator[str]:
    context = click.Context(command, info_name=path)
    yield f"### {path}"
    usage = " ".join(piece for piece in command.collect_usage_pieces(context) if piece)
    yield f"    {path} {usage}"
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        yield from _paragraph(paragraph.removeprefix("\b\n"))
    own = [
        each
        for each in command.params
        if isinstance(each, click.Option) and each.name not in EVERY_VERB
    ]
    if own:
        yield _option_table(own, context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            yield from _verb_parts(command.commands[name], f"{path} {name}")


def _paragraph(text: str) -> Iterator[str]:
    first, _, rest = text.partition("\n")
    if first in ("Example:", "Examples:"):
        yield "\n".join(f"    {line.strip()}" for line in rest.splitlines())
    elif first.startswith("JSON"):
        head, _, shape = " ".join(text.split()).partition(": ")
        yield f"*{head}:* `` {shape} ``"
    else:
        yield text


def _option_table(options: Iterable[click.Parameter], context: click.Context) -> str:
    rows = [
        (f"`{' '.join(each.opts)}{_metavar(each, context)}`", _option_words(each))
        for each in options
        if isinstance(each, click.Option)
    ]
    return _table(("Option", "Means"), rows)


def _metavar(option: click.Option, context: click.Context) -> str:
    return "" if option.is_flag else f" {option.make_metavar(context)}"


def _option_words(option: click.Option) -> str:
    words = option.help or ""
    if option.show_default:
        words = f"{words} Default: {option.default}.".strip()
    return f"{words} Must be given.".strip() if option.required else words


# -- settings -----------------------------------------------------------------------------------


def settings_page() -> str:
    """Return the page of every setting, by its place in the file."""
    told = schema()
    forms = {"Settings": told, **told["$defs"]}
    parts = ["# Settings", SETTINGS_INTRO.strip()]
    for name, place in PLACES.items():
        form = forms.pop(name)
        required = form.get("required", ())
        rows = [
            (f"**`{each}`**" if each in required else f"`{each}`", *_setting(held, told))
            for each, held in form["properties"].items()
        ]
        parts += [f"## {place}", form.get("description", ""), _table(SETTING_HEADS, rows)]
    if forms:
        raise LookupError(f"These settings have no place on the page: {', '.join(forms)}.")
    return "\n\n".join(filter(None, parts)) + "\n"


def _setting(held: Mapping[str, Any], told: Mapping[str, Any]) -> tuple[str, str]:
    """Return what may be written, and what it means; a block may say so itself."""
    block = told["$defs"].get(held.get("$ref", "").rpartition("/")[2], {})
    return _form_of(held), str(held.get("description") or block["description"])


def _form_of(held: Mapping[str, Any]) -> str:
    """Return in words what may be written, and what holds when it is not."""
    forms = [each for each in held.get("anyOf", [held]) if each.get("type") != "null"]
    default = held.get("default")
    words = " or ".join(dict.fromkeys(map(_form_words, forms)))
    return f"{words}; {default}" if default not in (None, {}, []) else words


def _form_words(form: Mapping[str, Any]) -> str:
    if "enum" in form:
        return " · ".join(form["enum"])
    if "$ref" in form or "properties" in form:
        return "a block"
    if form.get("type") == "object":
        return "names and values"
    if form.get("type") == "array":
        return "a list"
    if form.get("type") == "integer" and "minimum" in form:
        return f"{form['minimum']} to {form['maximum']}"
    return {"integer": "a number", "boolean": "true or false"}.get(
        str(form.get("type")),
        {"date": "a day", "path": "a path"}.get(form.get("format", ""), "a text"),
    )


# -- capabilities -------------------------------------------------------------------------------


def capabilities_page() -> str:
    """Return the page of what each shipped connector claims."""
    parts = ["# Capabilities", CAPABILITIES_INTRO.strip()]
    for can in _shipped_capabilities():
        parts += _capability_parts(can)
    return "\n\n".join(parts) + "\n"


def _shipped_capabilities() -> Iterator[Capabilities]:
    """Yield what each connector claims that pyproject names: an installation may be older."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for system, named in sorted(project["entry-points"][CONNECTORS].items()):
        opens: Opens = EntryPoint(system, named, CONNECTORS).load()
        unused = StaticToken("env:UNUSED")
        opened = opens.open(Opening("0"), urls={}, credentials=unused, now=now, sleep=time.sleep)
        with closing(opened):
            yield opened.capabilities


def _capability_parts(can: Capabilities) -> Iterator[str]:
    yield f"## {can.title}"
    yield (
        f"An unanswered write may still land for {can.quiet_secs} seconds. Its rates, each an "
        "option of the company in `tieout.yaml`:"
    )
    yield _table(("Option", "Default"), ((f"`{name}`", n) for name, n in can.rates.items()))
    rows = [
        (
            name,
            ", ".join(sorted(kind.verbs)) or "read only",
            kind.marker,
            ", ".join(sorted(kind.found_by)),
            ", ".join(f"{what} {n}" for what, n in kind.limits.items()),
        )
        for name, kind in can.kinds.items()
    ]
    yield _table(("Kind", "Can be", "Marker", "Found by", "Limits"), rows)


# -- the simulators' rules ----------------------------------------------------------------------


def simulators_page() -> str:
    """Return the page of every rule of the vendors, with the simulator's behaviour and its test."""
    held = rule_tests()
    parts = ["# The simulators' rules", SIMULATORS_INTRO.strip()]
    for vendor, rules in RULES.items():
        parts.append(f"## {vendor}")
        for rule in rules:
            parts += [f"### {rule.name}", f"{rule.says} *Source: {rule.source}.*"]
            if rule.refuses:
                parts.append(f"Refused with {rule.refuses}.")
            if rule.unfollowed:
                parts.append(f"**Not followed:** {rule.unfollowed}")
            if rows := held.get((vendor, rule.name)):
                parts.append(_table(("Behaviour", "Test"), rows))
    return "\n\n".join(parts) + "\n"


def rule_tests() -> Mapping[tuple[str, str], Sequence[tuple[str, str]]]:
    """Return for each (vendor, rule) what its tests say and where they are.

    A test says it by its name; its docstring's first paragraph, where it has one, says more.
    """
    found: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for path in sorted((ROOT / "tests" / "simulator").rglob("test_*.py")):
        vendor = next((one for word, one in VENDOR_OF.items() if word in path.name), "")
        for each in ast.parse(path.read_text("utf-8")).body:
            named = RULE_TEST.fullmatch(getattr(each, "name", ""))
            if vendor and named is not None and isinstance(each, ast.FunctionDef):
                said = (ast.get_docstring(each) or "").split("\n\n")[0].replace("\n", " ")
                behaviour = said or f"{named[2].replace('_', ' ').capitalize()}."
                place = f"`{path.relative_to(ROOT / 'tests' / 'simulator')}`, `{each.name}`"
                found[vendor, named[1].upper()].append((behaviour, place))
    return found


def _table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    heads = tuple(heads)
    return "\n".join([_row(*heads), "|---" * len(heads) + "|", *(_row(*row) for row in rows)])


def _row(*cells: object) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    main()
