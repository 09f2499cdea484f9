"""Where the CPU's time goes: a look at the stack at each tick of this process's CPU clock.

Sampling costs a percent, where counting every call would cost six times the work and blame the
many small functions for it.
"""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from structlog.contextvars import get_contextvars

TICK_SECS = 0.002
SHOWN = 25
FRAMES_LIMIT = 200
ROOT = str(Path(__file__).parents[1]) + "/"
OURS = ("tieout/", "connectors/", "mapping/", "sync_engine/")


@dataclass(slots=True)
class Samples:
    """How many ticks fell where."""

    ticks: int = 0
    stages: Counter[str] = field(default_factory=Counter)
    modules: Counter[str] = field(default_factory=Counter)
    functions: Counter[str] = field(default_factory=Counter)

    def shown(self) -> dict[str, dict[str, float]]:
        """Return the percentages: of stages, of modules alone, of functions with what they call."""
        return {
            name: {what: round(100 * n / self.ticks, 1) for what, n in counted.most_common(SHOWN)}
            for name, counted in (
                ("stages", self.stages),
                ("modules", self.modules),
                ("functions", self.functions),
            )
        }

    def take(self, _: int, frame: FrameType | None) -> None:
        """Count one tick where the main thread is; what C code costs is its line's in Python."""
        self.ticks += 1
        self.stages[str(get_contextvars().get("stage", "outside a stage"))] += 1
        seen: set[str] = set()
        for n in range(FRAMES_LIMIT):
            if frame is None:
                return
            file = frame.f_code.co_filename
            if n == 0:
                self.modules[_module(file)] += 1
            if file.startswith(ROOT):
                name = f"{_module(file)}:{frame.f_code.co_qualname}"
                if name not in seen:
                    seen.add(name)
                    self.functions[name] += 1
            frame = frame.f_back


@contextmanager
def sampled() -> Iterator[Samples]:
    """Sample the main thread until the end of the block."""
    samples = Samples()
    before = signal.signal(signal.SIGPROF, samples.take)
    signal.setitimer(signal.ITIMER_PROF, TICK_SECS, TICK_SECS)
    try:
        yield samples
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _module(file: str) -> str:
    """Name a file as one finds it: ours by its path, others by their package."""
    if file.startswith(ROOT):
        return file.removeprefix(ROOT)
    return (
        file.rpartition("site-packages/")[2].partition("/")[0]
        if "site-packages/" in file
        else ("/".join(file.split("/")[-2:]))
    )
