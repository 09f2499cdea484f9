"""The test build: every durable write and every call of a process is a numbered place to die at.

A place is the gap behind an event, before the next one: a commit, a request whose bytes were sent,
an answer that was read, a file that was opened to be written, flushed, renamed, linked or removed.
Torn ones are places too: inside a transaction, once for each stage that asks in it, before its
COMMIT, and between the statements of a migration. Which stage it is, the stack says.
"""

import builtins
import http.client
import io
import os
import signal
import sqlite3
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from tieout.transport.door import Door

FRAMES_LIMIT = 200
ABOUT_CHARS = 120
WRITING = frozenset("wax+")
BOOKS = "quickbooks"
SETTINGS = ("PRAGMA application_id", "PRAGMA journal_mode", "PRAGMA wal_checkpoint")

Stages = dict[str, str | dict[str, str]]  # by module; some by function
WHOLE: dict[tuple[str, str], str] = {  # whatever happens inside belongs to it
    ("working", "grant"): "wish",
    ("sqlite", "wish"): "wish asked",
    ("engine", "_decide"): "tieout approve",
    ("engine", "answer"): "tieout tasks answer",
    ("engine", "reissue"): "tieout reissue",
    ("engine", "confirm_links"): "tieout backfill",
    ("engine", "go_live"): "tieout go-live",
    ("engine", "correct"): "tieout correct",
    ("tokens", "refresh"): "token refresh",
    ("tokens", "store"): "consent",
    ("consent", "agree_by_itself"): "consent",
    ("init", "copied"): "configuration",
    ("backup", "backup"): "backup",
    ("backup", "restore"): "restore",
}
STAGES: Stages = {
    "observe": "observe",
    "observe_books": "observe",
    "feeds": "observe",
    "draft": "draft",
    "gather": "draft",
    "plan": "plan",
    "resolve": "plan",
    "preflight": "plan",
    "twins": "plan",
    "approve": "approve",
    "attach": {"note_files": "plan", "attach": "attach"},
    "print_back": {"note_print": "plan", "print_back": "print"},
    "look": {"look": "look", "recover": "begin"},
    "queue": "queue",
    "push": "push",
    "settle": "settle",
    "reconcile": "reconcile",
    "corrections": "plan",
    "tie_out": "reconcile",
    "activate": "activation",
    "mode": "activation",
    "migrating": {"migrate": "migration"},
    "pipeline": {
        "begin": "begin",
        "sweep": "observe",
        "draft_and_plan": "plan",
        "send": "push",
        "_interrupted": "report",
        "_report": "report",
    },
    "sealing": "consent",
    "wiring": {"beat": "beat"},
    "sqlite": {"open": "open"},
}
OURS = ("sync_engine", "tieout", "connectors")


@dataclass(frozen=True, slots=True)
class Place:
    """One place: the stage, its number in that stage from 1, what just happened, and to what."""

    stage: str
    n: int
    event: str
    about: str

    @property
    def name(self) -> str:
        """What it is ordered by; a stage before it that grows does not move it."""
        return f"{self.stage} {self.n}"

    def line(self) -> str:
        return f"{self.stage}\t{self.n}\t{self.event}\t{self.about}\n"


def read_places(trace: Path) -> list[Place]:
    """Return the places that a process came to, in their order; it died at the last one."""
    told = [line.split("\t") for line in trace.read_text().splitlines()]
    return [Place(stage, int(n), event, about) for stage, n, event, about in told]


def number(trace: Path, within: Path, die_at: str | None) -> None:
    """Number the places of this process, note each in ``trace``, and die at one of them.

    Args:
        trace: the file that takes a line for each place.
        within: files elsewhere are not ours.
        die_at: the place's name, or its event and about; None lives on.
    """
    places = _Places(trace, die_at)
    _number_commits(places)
    _number_calls(places)
    _number_files(places, within)
    _carry_stages()


class _Places:
    def __init__(self, trace: Path, die_at: str | None) -> None:
        self._trace = os.open(trace, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        self._die_at = die_at
        self._counts: Counter[str] = Counter()
        self._turn = threading.Lock()

    def come(self, event: str, about: str = "") -> None:
        """Come to the next place, and perhaps no further."""
        with self._turn:
            stage = stage_now()
            self._counts[stage] += 1
            place = Place(stage, self._counts[stage], event, " ".join(about.split())[:ABOUT_CHARS])
            os.write(self._trace, place.line().encode())
            if self._die_at in (place.name, f"{place.event} {place.about}"):
                os.kill(os.getpid(), signal.SIGKILL)
                time.sleep(60)


# -- stages -------------------------------------------------------------------------------------

_carried = threading.local()


def stage_now() -> str:
    """Return the stage that the present frames belong to; a thread's is that of who sent it."""
    found = ""
    for frame in _frames(sys._getframe(1)):
        whole, part = _stages_of(frame.f_code)
        if whole:
            found = whole  # the outermost counts
        elif part and not found:
            found = "write-back" if part == "push" and _tells_crm(frame) else part
    return found or getattr(_carried, "stage", "") or "other"


@cache
def _stages_of(code: CodeType) -> tuple[str, str]:
    """Return what a function is the whole of, and what it is a part of."""
    file, function = Path(code.co_filename), code.co_name
    if not any(part in OURS for part in file.parts):
        return "", ""
    told = STAGES.get(file.stem, "")
    part = told if isinstance(told, str) else told.get(function, "")
    return WHOLE.get((file.stem, function), ""), part


def _frames(frame: FrameType | None) -> Iterator[FrameType]:
    for _ in range(FRAMES_LIMIT):
        if frame is None:
            return
        yield frame
        frame = frame.f_back


def _tells_crm(frame: FrameType) -> bool:
    connector = frame.f_locals.get("connector")
    return connector is not None and connector.capabilities.system != BOOKS


def _carry_stages() -> None:
    submit = ThreadPoolExecutor.submit

    def carrying(pool: Any, work: Callable[..., Any], /, *args: Any, **named: Any) -> Any:
        stage = stage_now()

        def carried(*args: Any, **named: Any) -> Any:
            _carried.stage = stage
            return work(*args, **named)

        return submit(pool, carried, *args, **named)

    ThreadPoolExecutor.submit = carrying


# -- events -------------------------------------------------------------------------------------


def _number_commits(places: _Places) -> None:
    class Numbered(sqlite3.Connection):
        """A connection that says what becomes durable."""

        _before = 0
        _asking: frozenset[str] = frozenset()

        def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
            if sql.startswith("BEGIN"):
                self._before, self._asking = self.total_changes, frozenset()
            elif sql == "COMMIT":
                return self._commit()
            elif self.in_transaction:
                self._inside(sql)
            done = super().execute(sql, *args)
            if sql.startswith(SETTINGS) and "=" in sql:
                places.come("set", sql)
            return done

        def executemany(self, sql: str, *args: Any) -> sqlite3.Cursor:
            self._inside(sql)
            return super().executemany(sql, *args)

        def backup(self, *args: Any, **named: Any) -> None:
            super().backup(*args, **named)
            places.come("copied")

        def _inside(self, sql: str) -> None:
            stage = stage_now()
            if stage == "migration" or stage not in self._asking:
                self._asking |= {stage}
                places.come("inside", sql)

        def _commit(self) -> sqlite3.Cursor:
            if self.total_changes == self._before:
                return super().execute("COMMIT")
            places.come("before commit")
            done = super().execute("COMMIT")
            places.come("committed")
            return done

    connect = sqlite3.connect

    def numbered(*args: Any, **named: Any) -> sqlite3.Connection:
        return connect(*args, **{**named, "factory": Numbered})

    sqlite3.connect = numbered


def _number_calls(places: _Places) -> None:
    exchange, get_response = Door.exchange, http.client.HTTPConnection.getresponse
    calling = threading.local()

    def numbered(door: Door, method: str, url: str, send: Any, known: Any = None) -> Any:
        def sent(route: Any) -> Any:
            calling.name = f"{door.system} {route.name}"
            answer = send(route)
            places.come("answered", calling.name)
            return answer

        return exchange(door, method, url, sent, known)

    def waiting(connection: http.client.HTTPConnection, *args: Any, **named: Any) -> Any:
        places.come("sent", getattr(calling, "name", "the consent page"))
        return get_response(connection, *args, **named)

    Door.exchange = numbered
    http.client.HTTPConnection.getresponse = waiting


def _number_files(places: _Places, within: Path) -> None:
    opened = open

    def opening(file: Any, mode: str = "r", *args: Any, **named: Any) -> Any:
        done = opened(file, mode, *args, **named)
        if WRITING & set(mode) and _is_ours(file, within):
            places.come("opened", _name(file))
        return done

    io.open = builtins.open = opening

    for event, name in (
        ("renamed", "replace"),
        ("renamed", "rename"),
        ("linked", "link"),
        ("removed", "unlink"),
    ):
        setattr(os, name, _after(places, getattr(os, name), event, within))

    fsync, os_open = os.fsync, os.open

    def flushed(descriptor: int) -> None:
        fsync(descriptor)
        places.come("flushed")

    def os_opening(path: Any, flags: int, *args: Any, **named: Any) -> int:
        is_new = bool(flags & os.O_CREAT) and not Path(path).exists()
        done = os_open(path, flags, *args, **named)
        if is_new and _is_ours(path, within):
            places.come("created", _name(path))
        return done

    os.fsync, os.open = flushed, os_opening


def _after(places: _Places, does: Any, event: str, within: Path) -> Any:
    def done(path: Any, *args: Any, **named: Any) -> Any:
        result = does(path, *args, **named)
        if _is_ours(path, within):
            places.come(event, _name(path))
        return result

    return done


def _is_ours(path: Any, within: Path) -> bool:
    return isinstance(path, str | os.PathLike) and Path(path).absolute().is_relative_to(within)


def _name(path: Any) -> str:
    return Path(path).name
