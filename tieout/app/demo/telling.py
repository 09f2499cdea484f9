"""How the demo tells what happens: in colours with bars on a terminal, in plain lines in a pipe."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from tieout.app.demo.tally import Tally, shown

PIPE_COLUMNS: Final = 110
REFRESH_SECS: Final = 0.2
WRONG_SHOWN: Final = 8
INDENT: Final = "   "


class Teller:
    """Tells the demo to one console."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._acts = 0

    def title(self, text: str, *lines: str) -> None:
        """Say what is to come."""
        self._console.print(Text(text, style="bold"))
        for line in lines:
            self._console.print(Text(line, style="dim"))

    def act(self, title: str, command: str = "") -> None:
        """Begin an act; ``command`` is what a user would type for it."""
        self._acts += 1
        heading = Text.assemble(("\n" + f"{self._acts}  ", "cyan bold"), (title, "bold"))
        if command:
            heading.append(f"   {command}", "dim")
        self._console.print(heading)

    def say(self, *lines: str) -> None:
        """Tell some lines."""
        for line in lines:
            self._console.print(Text(INDENT + line), soft_wrap=True)

    def facts(self, facts: Mapping[str, str]) -> None:
        """Tell facts beside their names, aligned."""
        grid = Table.grid(padding=(0, 2, 0, 0))
        for name, fact in facts.items():
            grid.add_row(Text(INDENT + name, style="dim", no_wrap=True), fact)
        self._console.print(grid)

    def struck(self, faults: Sequence[str], throttled: int) -> None:
        """Tell which faults struck."""
        counted = Counter(faults)
        if throttled:
            counted["own 429"] = throttled
        if counted:
            said = ", ".join(name + (f" ×{n}" if n > 1 else "") for name, n in counted.items())
            self.say(f"{counted.total()} faults struck: {said}")

    @contextmanager
    def working(self, counted: Callable[[], tuple[int, int]]) -> Iterator[None]:
        """Show how many documents of all are settled, while something works on them."""
        if not self._console.is_terminal:
            yield
            return
        columns = (
            TextColumn(INDENT + "{task.description}"),
            BarColumn(40),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        ended = threading.Event()
        with Progress(*columns, console=self._console, transient=True) as progress:
            bar = progress.add_task("working", total=None)

            def refresh() -> None:
                while not ended.wait(REFRESH_SECS):
                    done, known = counted()
                    progress.update(bar, completed=done, total=known or None)

            watcher = threading.Thread(target=refresh, name="progress", daemon=True)
            watcher.start()
            try:
                yield
            finally:
                ended.set()
                watcher.join()

    def tie_out(self, tally: Tally) -> None:
        """Show the tie-out and why what is held is held."""
        self._console.print()
        self._console.print(_tie_out(tally))
        if tally.reasons:
            self._console.print()
            self._console.print(_reasons(tally))
        verdict = (
            ("Every deal ties out to the cent; nothing is there twice; nothing is lost.", "green")
            if tally.holds
            else (_wrong(tally), "red bold")
        )
        self._console.print()
        self._console.print(Text(INDENT + verdict[0], style=verdict[1]), soft_wrap=True)

    def commands(self, heading: str, commands: Mapping[str, str]) -> None:
        """Show commands to try, each with what it does."""
        self._console.print()
        self._console.print(Text(INDENT + heading, style="bold"))
        width = max(map(len, commands))
        for command, does in commands.items():
            line = Text.assemble(
                INDENT, INDENT, (f"{command:<{width}}", "cyan"), ("  " + does, "dim")
            )
            self._console.print(line, soft_wrap=True)


def _tie_out(tally: Tally) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column(INDENT)
    heads = ("won", "invoiced", "held", "difference", "books: net", "tax", "open")
    for head in heads:
        style = "dim" if head in heads[4:] else ""
        table.add_column(head, justify="right", style=style, no_wrap=True)
    for code, row in tally.rows.items():
        amounts = (row.won, row.invoiced, row.held, row.difference)
        books = (row.books_net, row.books_tax, row.books_open)
        cells = [Text(_grouped(amount, code)) for amount in (*amounts, *books)]
        cells[3].stylize("red bold" if row.difference else "green")
        table.add_row(INDENT + code, *cells)
    return table


def _reasons(tally: Tally) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column(INDENT + "held because", no_wrap=True)
    table.add_column("deals", justify="right")
    table.add_column("amounts")
    for code, reason in tally.reasons.items():
        amounts = ", ".join(
            f"{_grouped(amount, currency)} {currency}"
            for currency, amount in sorted(reason.amounts.items())
            if amount
        )
        table.add_row(INDENT + code, str(reason.deals), Text(amounts or "nothing", style="dim"))
    return table


def _wrong(tally: Tally) -> str:
    parts = [
        f"{deal} differs by {shown(amount, code)} {code}"
        for (deal, code), amount in tally.differing.items()
    ]
    parts += [f"{order} is invoiced more than once" for order in tally.duplicates]
    parts += [f"deal {deal} is lost" for deal in tally.lost]
    rest = [f"and {len(parts) - WRONG_SHOWN} more"] if len(parts) > WRONG_SHOWN else []
    return "It does not tie out: " + "; ".join([*parts[:WRONG_SHOWN], *rest])


def _grouped(amount: Decimal, code: str) -> str:
    return f"{Decimal(shown(amount, code)):,f}"
