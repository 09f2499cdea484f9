"""``tieout run``: the daemon, or one round."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from tieout.app.cli.exits import Exit
from tieout.app.cli.rounds import round_exit, round_lines
from tieout.app.cli.verb import Answer, Caller, interactive, verb

if TYPE_CHECKING:
    from sync_engine.engine import Engine
    from tieout.app.daemon import Signals

REFRESH_SECS = 0.5


@click.command(name="run")
@click.argument("pairs", nargs=-1)
@click.option("--once", is_flag=True, help="One full round of every pair, then end.")
@click.option("--wait", is_flag=True, help="With --once: stay until nothing is unanswered.")
@verb
def command(caller: Caller, pairs: tuple[str, ...], *, once: bool, wait: bool) -> Answer | Exit:
    """Work every pair on its schedule, or once.

    Without --once it is the daemon: it owns the ledger, works each pair as often as its `every`
    says, and does what commands ask of it. SIGHUP reads the configuration anew; SIGTERM starts
    nothing new and waits `stop_secs`. What is unanswered then is looked up by the next start.

    The daemon leaves with 0 when it was told to stop and its rounds ended in time; with 3 when a
    call was still unanswered then; with 1 when it cannot go on: the ledger is owned by another
    process, its disk is full or fails, the configuration was wrong at its start. Each says what to
    do, and what is to be done is done by the next start.

    PAIRS, with --once, are the pairs to work; all otherwise.

    Examples:
      tieout run
      tieout run --once --wait
      tieout run --once main --json

    JSON of --once: {"rounds": [as `tieout apply`], "pairs": [{"pair", "unknowns", "tasks",
    "paused"}]}
    """
    from tieout.app.daemon import Signals  # noqa: PLC0415 (imported when used)

    if (wait or pairs) and not once:
        raise click.UsageError("--wait and PAIRS go with --once")
    signals = Signals()
    with signals.heard():
        if once:
            return _once(caller, pairs, signals, wait=wait)
        return _daemon(caller, signals)


def _once(caller: Caller, pairs: tuple[str, ...], signals: Signals, *, wait: bool) -> Answer:
    from tieout.app import companies, deeds, wiring  # noqa: PLC0415 (imported when used)

    site = companies.Site(caller.directory, caller.settings())
    for name in pairs:
        site.pair(name)
    names = list(pairs or site.settings.pairs)
    with (
        wiring.engine_of(site, stopping=signals.stop.is_set, sleep=signals.rest) as engine,
        _progress(engine),
    ):
        values = deeds.work(engine, names, wait=wait)
    code = Exit.INTERRUPTED if signals.stop.is_set() else round_exit(values)
    return Answer(values, list(round_lines(values)), code)


def _daemon(caller: Caller, signals: Signals) -> Exit:
    from tieout.app.daemon import Clocks, serve  # noqa: PLC0415 (imported when used)
    from tieout.app.working import working  # noqa: PLC0415 (imported when used)

    stop_secs = caller.settings().stop_secs
    with working(caller.directory, signals.stop.is_set, signals.rest) as work:
        clocks = Clocks(passed=time.monotonic, shown=time.time)
        if not serve(work, signals, stop_secs=stop_secs, clocks=clocks):
            logging.shutdown()
            os._exit(Exit.UNKNOWNS)  # a call that hangs in a thread would hold up a gentler end
    return Exit.DONE


@contextmanager
def _progress(engine: Engine) -> Iterator[None]:
    """Show on a terminal how far a round is; in a pipe nothing is shown."""
    if not interactive():
        yield
        return
    import threading  # noqa: PLC0415 (imported when used)

    from rich.console import Console  # noqa: PLC0415 (imported when used)
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    ended = threading.Event()
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bars = {name: progress.add_task(name, total=None) for name in engine.pairs}

        def refresh() -> None:
            while not ended.wait(REFRESH_SECS):
                for pair in engine.status()["pairs"]:
                    found = {row["state"]: 0 for row in pair["documents"]}
                    for row in pair["documents"]:
                        found[row["state"]] += row["n"]
                    known = sum(found.values())
                    done = known - sum(found.get(state, 0) for state in ("planned", "approved"))
                    said = f"{pair['pair']}: {known} documents, {found.get('posted', 0)} posted"
                    progress.update(
                        bars[pair["pair"]], description=said, total=known or None, completed=done
                    )

        watcher = threading.Thread(target=refresh, name="progress", daemon=True)
        watcher.start()
        try:
            yield
        finally:
            ended.set()
            watcher.join()
