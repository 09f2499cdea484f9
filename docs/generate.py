"""Write the pages and schemas that are made from the code. ``make docs`` runs it.

A page that is out of date fails a test, so a page and its code change in one commit.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path

import mapping.reference
import tieout.app.schema
from tieout.model.errors import NextStep, TieoutError

ROOT = Path(__file__).parent.parent
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


def main() -> None:
    """Write every page that is out of date."""
    for path, text in pages().items():
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            sys.stdout.write(f"wrote {path.relative_to(ROOT)}\n")


def pages() -> dict[Path, str]:
    """Return every file that is made from the code, and its text."""
    return {
        ROOT / "docs" / "reference" / "errors.md": errors_page(),
        **mapping.reference.pages(),
        tieout.app.schema.schema_file(): tieout.app.schema.schema_text(),
    }


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
    cells = (f"`{cls.code}`", f"`{cls.__name__}`", sentence, cls.remedy)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    main()
