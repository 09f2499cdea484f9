"""``tieout tasks``: what waits for a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from tieout.app.cli.exits import Exit
from tieout.app.cli.verb import Answer, Caller, beyond, money_text, verb

SHOWN_LIMIT = 8  # of each cause; more is for --all or --json


@click.group(name="tasks", invoke_without_command=True)
@click.option("--pair", help="Only of this pair.")
@click.option("--all", "everything", is_flag=True, help="Show every task.")
@verb
def command(caller: Caller, *, pair: str | None, everything: bool) -> Answer | None:
    """Show what waits for a person, and answer it.

    A task closes by itself when its cause is gone. It leaves with 1 while one is open.

    Examples:
      tieout tasks
      tieout tasks answer 17 link:145 --reason "made by hand in March"

    JSON: {"tasks": [{"id", "pair", "family", "code", "title", "message", "remedy", "choices",
    "detail", "net", "currency", "source_kind", "source_id", "opened_at"}], "left_out": number of
    tasks that one answer does not hold}
    """
    if click.get_current_context().invoked_subcommand is not None:
        return None
    from tieout.app.cli.asking import look  # noqa: PLC0415 (imported when used)

    values = look(caller, "tasks", pair=pair)
    tasks = values["tasks"]
    lines = list(task_lines(tasks, len(tasks) if everything else SHOWN_LIMIT))
    lines += beyond(values["left_out"])
    return Answer(values, lines or ["No open task."], Exit.TROUBLE if tasks else Exit.DONE)


@command.command(name="answer")
@click.argument("task", type=int)
@click.argument("choice")
@click.option("--reason", default="", help="Kept in the journal with the answer.")
@verb
def answer(caller: Caller, task: int, choice: str, reason: str) -> Answer:
    """Answer an open task with one of its choices.

    Choices are those that `tieout tasks` shows: a candidate's id, create, link:ID, ignore, retry.

    Examples:
      tieout tasks answer 17 58
      tieout tasks answer 18 create --reason "another company of that name"

    JSON: {"task": number, "answer": choice}
    """
    from tieout.app.cli.asking import do  # noqa: PLC0415 (imported when used)

    values = do(caller, "answer", task=task, choice=choice, reason=reason)
    return Answer(values, [f"Task {task} is answered: {choice}. The next round acts on it."])


def task_lines(tasks: Sequence[Mapping[str, Any]], limit: int = SHOWN_LIMIT) -> Iterator[str]:
    """Yield tasks for people, grouped by cause, at most ``limit`` of each.

    A remedy that all tasks of a cause share is said once, any other below its task.
    """
    by_code: dict[str, list[Mapping[str, Any]]] = {}
    for task in tasks:
        by_code.setdefault(task["code"], []).append(task)
    for code, some in sorted(by_code.items(), key=lambda held: -len(held[1])):
        yield click.style(f"{code}: {len(some)}", bold=True)
        shared = len({task["remedy"] for task in some}) == 1
        for task in some[:limit]:
            choices = f"  [{' | '.join(task['choices'])}]" if task["choices"] else ""
            yield f"  {task['id']:>5}  {_about(task)}{choices}"
            if task["remedy"] and not shared:
                yield f"         {task['remedy']}"
        if len(some) > limit:
            yield f"         … and {len(some) - limit} more (--all shows them)"
        if shared and some[0]["remedy"]:
            yield f"         {some[0]['remedy']}"


def _about(task: Mapping[str, Any]) -> str:
    """Return what a task is about: its record where the message does not name it, its money."""
    named = task["title"] if task["title"] not in task["message"] else ""
    money = money_text(task["net"], task["currency"])
    said = f"{named}: {task['message']}" if named else task["message"]
    return f"{said}  {money}" if money and money not in said else said
