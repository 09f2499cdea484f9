"""How the demo tells what happens: in colours with bars on a terminal, in plain lines in a pipe."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Final

from rich.console import Console
from rich.measure import Measurement
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from tieout.app.demo.tally import Row, Tally, shown

PIPE_COLUMNS: Final = 120
WIDEST_COLUMNS: Final = 1000
REFRESH_SECS: Final = 0.2
WRONG_SHOWN: Final = 8
INDENT: Final = "   "
OURS: Final = (
    ("won", "won"),
    ("invoiced", "invoiced"),
    ("held", "held"),
    ("difference", "difference"),
)
BOOKS: Final = (("books_net", "books: net"), ("books_tax", "tax"), ("books_open", "open"))
ALL_IS_WELL: Final = "Every deal ties out to the cent; nothing is there twice; nothing is lost."


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
            bar = progress.add_task("documents", total=None)

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
        beside = _amounts(tally, OURS + BOOKS)
        tables = [beside] if self._fits(beside) else [_amounts(tally, OURS), _amounts(tally, BOOKS)]
        if tally.reasons:
            in_columns = _reasons(tally)
            tables.append(in_columns if self._fits(in_columns) else _reasons_in_words(tally))
        for table in tables:
            self._console.print()
            self._console.print(table)
        words, style = (ALL_IS_WELL, "green") if tally.holds else (_wrong(tally), "red bold")
        self._console.print()
        self._console.print(Text(INDENT + words, style=style), soft_wrap=True)

    def _fits(self, table: Table) -> bool:
        unbounded = self._console.options.update(max_width=WIDEST_COLUMNS)
        return Measurement.get(self._console, unbounded, table).maximum <= self._console.width

    def commands(self, heading: str, commands: Mapping[str, str]) -> None:
        """Show commands to try, each with what it does."""
        self._console.print()
        self._console.print(Text(INDENT + heading, style="bold"))
        width = max(map(len, commands))
        beside = width + max(map(len, commands.values())) + 4 * len(INDENT) <= self._console.width
        for command, does in commands.items():
            line = Text.assemble(
                INDENT, INDENT, (f"{command:<{width}}" if beside else command, "cyan")
            )
            line.append(INDENT if beside else f"\n{4 * INDENT}")
            self._console.print(line.append(does, "dim"), soft_wrap=True)


def _amounts(tally: Tally, columns: Sequence[tuple[str, str]]) -> Table:
    table = _table("")
    for _, head in columns:
        table.add_column(head, justify="right", no_wrap=True)
    for code, row in tally.rows.items():
        cells = [_cell(getattr(row, name), code) for name, _ in columns]
        for (name, _), cell in zip(columns, cells, strict=True):
            cell.stylize(_style(name, row))
        table.add_row(INDENT + code, *cells)
    return table


def _style(column: str, row: Row) -> str:
    if column == "difference":
        return "red bold" if row.difference else "green"
    return "dim" if column.startswith("books") else ""


def _reasons(tally: Tally) -> Table:
    table = _table("held because", "deals", *tally.rows)
    for code, reason in tally.reasons.items():
        amounts = (
            _cell(reason.amounts[each], each) if reason.amounts.get(each) else ""
            for each in tally.rows
        )
        table.add_row(INDENT + code, str(reason.deals), *amounts)
    return table


def _reasons_in_words(tally: Tally) -> Table:
    table = _table("held because", "deals")
    table.add_column("amounts")
    for code, reason in tally.reasons.items():
        held = sorted((each, amount) for each, amount in reason.amounts.items() if amount)
        amounts = ", ".join(f"{_cell(amount, each)} {each}" for each, amount in held)
        table.add_row(INDENT + code, str(reason.deals), amounts)
    return table


def _table(first: str, *numbers: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column(INDENT + first, no_wrap=True)
    for head in numbers:
        table.add_column(head, justify="right", no_wrap=True)
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


def _cell(amount: Decimal, code: str) -> Text:
    return Text(f"{Decimal(shown(amount, code)):,f}")
