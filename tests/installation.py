"""One installation as its operator has it: configuration, a daemon process, verbs, its log.

Its companies are simulated worlds, each served on loopback by the test's own process, which alone
knows what is true in them.
"""

import io
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulated_world import MAPPINGS, NAMES, World

from tieout.app.cli import exit_code
from tieout.app.settings import load
from tieout.app.wiring import last_beat
from tieout.model.errors import LedgerError
from tieout.simulator.hubspot.oauth import app_of

PATIENCE_SECS = 30.0


@dataclass
class Installation:
    """A directory with a configuration of one pair for each world."""

    here: Path
    worlds: Sequence[World]
    every: str = "1s"
    approve: str = "automatic"
    quiet_secs: int = 1
    stop_secs: int = 10
    ledger: str = "../state/ledger.db"
    consented: bool = False
    """Whether the books are reached by a person's consent (OAuth), not by a token that lasts."""
    crm_consented: bool = False
    """The same of the CRM."""
    books_options: str = "{}"
    environment: dict[str, str] = field(default_factory=dict)

    def write(self) -> None:
        """Write the configuration as it is now."""
        config = self.here / "config"
        (config / "mappings").mkdir(parents=True, exist_ok=True)
        for name in NAMES:
            shutil.copyfile(MAPPINGS / f"{name}.yaml", config / "mappings" / f"{name}.yaml")
        companies, pairs = [], []
        for number, world in enumerate(self.worlds, 1):
            companies.append(self._companies(number, world))
            pairs.append(self._pair(number))
        self.file.write_text(
            f"companies:\n{''.join(companies)}pairs:\n{''.join(pairs)}"
            f"ledger: {self.ledger}\nstop_secs: {self.stop_secs}\n"
        )

    @property
    def file(self) -> Path:
        """The configuration's file."""
        return self.here / "config" / "tieout.yaml"

    def _companies(self, number: int, world: World) -> str:
        crm, books = (world.path / f"{side}-token" for side in ("crm", "books"))
        signed = self._consent(world) if self.consented else f"    token: file:{books}\n"
        key = self._crm_consent(world) if self.crm_consented else f"    token: file:{crm}\n"
        return (
            f"  crm{number}:\n    system: hubspot\n    id: '{world.portal.portal_id}'\n"
            f"    url: {world.crm_url}\n{key}    time_zone: Europe/Oslo\n"
            f"    options: {{overlap_secs: 5, searches_per_sec: 1000}}\n"
            f"  books{number}:\n    system: quickbooks\n    id: '{world.realm}'\n"
            f"    url: {world.books_url}\n{signed}"
            f"    quiet_secs: {self.quiet_secs}\n    options: {self.books_options}\n"
        )

    def _consent(self, world: World) -> str:
        assert world.authority is not None
        lines = self._app("books", world.authority.client_id, world.authority.client_secret)
        url = f"{world.books_url}/oauth2/v1/tokens/bearer"
        page = f"{world.books_url}/connect/oauth2"
        return f"{lines}    urls: {{tokens: '{url}', authorise: '{page}'}}\n"

    def _crm_consent(self, world: World) -> str:
        app = app_of(world.portal)
        lines = self._app("crm", app.client_id, app.client_secret)
        return f"{lines}    urls: {{authorise: '{world.crm_url}/oauth/authorize'}}\n"

    def _app(self, side: str, client_id: str, client_secret: str) -> str:
        """Write an app's registration down; return the settings that name it."""
        lines = ""
        for name, held in (("client_id", client_id), ("client_secret", client_secret)):
            file = self.here / f"{side}-{name}"
            file.write_text(held)
            file.chmod(0o600)
            lines += f"    {name}: file:{file}\n"
        return lines

    def _pair(self, number: int) -> str:
        return (
            f"  pair{number}:\n    from: crm{number}\n    to: books{number}\n"
            f"    mappings: [{', '.join(NAMES)}]\n    cutover_date: 2026-01-01\n"
            f"    every: {self.every}\n    approve: {self.approve}\n"
        )

    @contextmanager
    def daemon(
        self, *, before: Callable[[], None] | None = None, alive: bool = True
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Give the daemon, a process of its own, once it lives; it is killed at the end.

        ``before`` happens in the process before Tieout starts, as a limit that the system sets.
        """
        since = self.beaten()
        with (
            self.log_file.open("ab") as log,
            subprocess.Popen(
                self.command("run"),
                cwd=self.here,
                env=self._environment(),
                stderr=log,
                stdout=log,
                preexec_fn=before,  # noqa: PLW1509 - it sets a limit, before any thread
            ) as process,
        ):
            try:
                if alive:
                    until(lambda: self.beaten() not in (None, since), "the daemon lives")
                yield process
            finally:
                process.kill()

    def beaten(self) -> str | None:
        """When the daemon last said that it lives."""
        try:
            return last_beat(load(self.here / "config"))
        except LedgerError:  # it is just being made
            return None

    def command(self, *args: str) -> list[str]:
        """The command line of a verb."""
        return [sys.executable, "-m", "tieout.app", *args]

    def say(self, *args: str) -> tuple[int, str]:
        """Run a verb as a person does; return its exit code and all that it printed."""
        code, out, log = self._run(*args)
        return code, out + log

    def told(self, *args: str) -> tuple[int, dict[str, Any]]:
        """Run a verb as a program does; return its exit code and its JSON."""
        code, out, _ = self._run(*args, "--json")
        return code, json.loads(out)

    def _run(self, *args: str) -> tuple[int, str, str]:
        """Run a verb in this process, which spares its start; the daemon is another process."""
        out, log = io.StringIO(), io.StringIO()
        root = logging.getLogger()
        before = root.handlers[:], root.level
        try:
            with redirect_stdout(out), redirect_stderr(log):
                code = exit_code([*args, "--config", str(self.here / "config")])
        finally:
            root.handlers[:], root.level = before
        return code, out.getvalue(), log.getvalue()

    def status(self, pair: str = "pair1") -> dict[str, Any]:
        """What ``tieout status --json`` says of a pair."""
        _, told = self.told("status")
        return next(one for one in told["pairs"] if one["pair"] == pair)

    @property
    def log_file(self) -> Path:
        """Where the daemon's log goes."""
        return self.here / "daemon.log"

    def log(self) -> str:
        """What the daemons of this installation wrote so far."""
        return self.log_file.read_text() if self.log_file.exists() else ""

    def _environment(self) -> dict[str, str]:
        return {**os.environ, **self.environment}


def end(process: subprocess.Popen[bytes], how: int = signal.SIGTERM) -> int:
    """Send a signal and return how the process ended."""
    process.send_signal(how)
    return process.wait(PATIENCE_SECS)


def until(holds: Callable[[], Any], what: str, secs: float = PATIENCE_SECS) -> None:
    """Wait until something holds."""
    ends = time.monotonic() + secs
    while not holds():
        assert time.monotonic() < ends, f"never: {what}"
        time.sleep(0.05)
