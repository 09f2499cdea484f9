"""Pages that are followed: the commands in their `console` blocks, run in order as a reader would.

A line that starts with `$ ` is typed into a shell, in an empty directory of the reader's own; what
stands below it must come. `…` in a line stands for anything, `…` alone for any lines. Instants,
times, hashes of the journal and counts that depend on the moment may differ.

A page's section "Rehearse it" is run before what stands above it: it makes the trouble. To see what
a page prints now: ``python tests/followed_pages.py PAGE``.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import IO

ROOT = Path(__file__).parent.parent
ON_CALL = ROOT / "docs" / "howto" / "on-call"
CORRECT = ROOT / "docs" / "howto" / "correct.md"
PORTS = ("8801", "8802")  # those that pages name; others may be in use on this machine
FREE = "0"
COMMAND_SECS = 60
SERVED_SECS = 30
REHEARSE = "\n## Rehearse it\n"
ANYTHING = "…"

BLOCK = re.compile(r"^ *```console\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
SERVED = re.compile(r"http://127\.0\.0\.1:(\d+)")
PASSING = (
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z"), "INSTANT"),
    (re.compile(r"\b\d\d:\d\d:\d\d\b"), "TIME"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "HASH"),
    (re.compile(r"\b\d+ (signs|drafted|compared|calls)\b"), r"N \1"),
    (re.compile(r"\b\d+ (journal lines|lines)\b"), r"N \1"),
    (re.compile(r"(  \w+=\S+)( \w+=\S+)*$", re.MULTILINE), "  ABOUT"),  # a log line's, in any order
    (re.compile(r" +$", re.MULTILINE), ""),
)


@dataclass(frozen=True, slots=True)
class Step:
    """One command, and what the page says that it prints."""

    command: str
    says: str


def steps(page: Path) -> list[Step]:
    """Return a page's steps in the order in which they are followed."""
    told, mark, rehearsal = page.read_text("utf-8").partition(REHEARSE)
    return [*_steps(mark + rehearsal), *_steps(told)]


def _steps(text: str) -> Iterator[Step]:
    for block in BLOCK.findall(text):
        for part in re.split(r"^\$ ", dedent(block), flags=re.MULTILINE)[1:]:
            lines = part.splitlines()
            end = next(n for n, line in enumerate(lines) if not line.endswith("\\"))
            yield Step("\n".join(lines[: end + 1]), "\n".join(lines[end + 1 :]))


def fits(says: str, came: str) -> bool:
    """Whether what came is what the page says."""
    pattern = ""
    for line in _lasting(says).splitlines():
        if line.strip() == ANYTHING:
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*".join(map(re.escape, line.split(ANYTHING))) + r"\n"
    return (
        re.fullmatch(pattern, "".join(f"{line}\n" for line in _lasting(came).splitlines()))
        is not None
    )


def _lasting(text: str) -> str:
    text = text.strip("\n")
    for passing, name in PASSING:
        text = passing.sub(name, text)
    return text


@dataclass
class Reader:
    """Somebody who follows pages, in a directory of their own, with the companies beside them."""

    here: Path
    served: subprocess.Popen[bytes] | None = None
    ports: Sequence[str] = PORTS
    environment: dict[str, str] = field(default_factory=dict)

    def follow(self, step: Step) -> str:
        """Do one step; return what was printed."""
        if step.command.startswith("tieout simulate"):
            return self._serve(step.command)
        done = subprocess.run(
            ["/bin/sh", "-c", self._ported(step.command, PORTS, self.ports)],
            cwd=self.here,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=COMMAND_SECS,
            check=False,
        )
        return self._ported(done.stdout.decode(), self.ports, PORTS)

    def _serve(self, command: str) -> str:
        """Start the companies as in another terminal; point the configuration at their ports."""
        self._end()
        chosen = dict(zip(("--hubspot-port", "--quickbooks-port"), self._wished(), strict=True))
        words = [*command.split(), *(word for pair in chosen.items() for word in pair)]
        log = self.here / "simulate.log"
        with log.open("wb") as out:
            self.served = subprocess.Popen(
                words, cwd=self.here, env=self.environment, stdout=out, stderr=out
            )
        ends = time.monotonic() + SERVED_SECS
        while "ends it." not in (said := log.read_text()):
            assert time.monotonic() < ends, said
            assert self.served.poll() is None, said
            time.sleep(0.05)
        self.ports = SERVED.findall(said)
        config = self.here / "config" / "tieout.yaml"
        config.write_text(self._ported(config.read_text(), PORTS, self.ports))
        return self._ported(said, self.ports, PORTS)

    def _wished(self) -> Sequence[str]:
        return (FREE, FREE) if self.ports is PORTS else self.ports

    @staticmethod
    def _ported(text: str, named: Sequence[str], meant: Sequence[str]) -> str:
        for one, other in zip(named, meant, strict=True):
            text = text.replace(f"127.0.0.1:{one}", f"127.0.0.1:{other}")
        return text

    def _end(self) -> None:
        if self.served is not None:
            self.served.send_signal(signal.SIGTERM)
            self.served.wait(SERVED_SECS)
            self.served = None


@contextmanager
def reader(here: Path) -> Iterator[Reader]:
    """Give a reader who has `tieout` installed; whatever they left running is ended."""
    programs = here / "bin"
    programs.mkdir()
    tieout = programs / "tieout"
    tieout.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tieout.app "$@"\n')
    tieout.chmod(0o755)
    place = here / "place"
    place.mkdir()
    given = {
        **{name: value for name, value in os.environ.items() if not name.startswith("TIEOUT_")},
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        "TIEOUT_USER": "ann",
        "NO_COLOR": "1",
        "no_proxy": "127.0.0.1",
    }
    one = Reader(place, environment=given)
    try:
        yield one
    finally:
        one._end()


def show(page: Path, out: IO[str]) -> None:
    """Print a page's steps with what comes now; after the preparation where it asks for one."""
    prepared = page.parent == ON_CALL or page == CORRECT
    before = steps(ON_CALL / "README.md") if prepared else []
    with tempfile.TemporaryDirectory() as here, reader(Path(here)) as one:
        for step in [*before, *steps(page)]:
            came = one.follow(step)
            mark = "" if fits(step.says, came) else "  <-- the page says otherwise"
            out.write(f"$ {step.command}{mark}\n{came}")


if __name__ == "__main__":
    show(Path(sys.argv[1]).resolve(), sys.stdout)
