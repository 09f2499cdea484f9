"""Mutants: small faults put into a module one by one; each must be noticed by somebody.

``python tests/mutants.py sync_engine.push --jobs 2`` (``make mutants``) changes one comparison,
condition, constant, sum or statement at a time, and lets each mutant be judged in a process of its
own: by a few tests that come by the line, by the quick tests of that module, by the slower tests that
come by the line, by stories of the simulation. Which those are is measured first, or read from
the file of ``--reached``. Each judge must pass without a fault. A survivor is told at once; at the end
comes JSON: how many there were, how many each judge noticed, and every survivor with its line, to be
killed by a test or shown to be equal. Log lines and the words of messages are left alone.
"""

import argparse
import ast
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from math import ceil
from multiprocessing import get_context
from pathlib import Path
from resource import RLIMIT_CPU, RUSAGE_CHILDREN, getrusage, setrlimit
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parents[1]
SEEDS = range(10)
STORIES = ("stories",)
SLOWER = ("tests/faults", "tests/journeys", "tests/attacks")  # judged by those that reach the line
ENGINE = (
    "tests/sync_engine",
    "--ignore=tests/sync_engine/ledger",
    "tests/walks/test_outbox_walk.py",
)
CALL_BY_CALL = ("tests/sync_engine/test_pushing_call_by_call.py",)
LEDGER = ("tests/sync_engine/ledger",)
WALKS = ("tests/walks/test_ledger_walk.py", "tests/walks/test_outbox_walk.py")
PATIENCE_SECS, PATIENCE_TIMES = 3, 2  # of CPU, beside how often its own need a judge may take
FIRST_SECS, SLOWER_SECS = 30, 600
WALL_TIMES = 6  # how much longer it may take by the clock, where others work too
OURS = frozenset({"tieout", "connectors", "mapping", "sync_engine"})
ALREADY_IMPORTED = "ignore:Module already imported:pytest.PytestAssertRewriteWarning"
FIRST_TESTS = 8  # of those that reach the line, before any other judge
SOUND = (  # what the judges need, and nobody mutates
    "pytest",
    "uvicorn",
    "connectors.hubspot",
    "connectors.quickbooks",
    "mapping.drafting",
    "tieout.simulator.hubspot",
    "tieout.simulator.quickbooks",
    "tieout.simulator.serving",
)
JUDGES: Mapping[str, Sequence[tuple[str, ...]]] = {
    "tieout.model.money": [("tests/model",)],
    "sync_engine.plan": [SLOWER, STORIES, ENGINE],
    "sync_engine.frozen": [SLOWER, STORIES, ENGINE],
    "sync_engine.new_records": [SLOWER, STORIES, ENGINE],
    "sync_engine.push": [CALL_BY_CALL, SLOWER, STORIES, ENGINE],
    "sync_engine.receipts": [CALL_BY_CALL, SLOWER, STORIES, ENGINE],
    "sync_engine.look": [SLOWER, STORIES, ENGINE],
    "sync_engine.ledger.sqlite": [LEDGER, WALKS, SLOWER],
    "sync_engine.ledger.journal": [LEDGER, WALKS, SLOWER],
}
SWAPPED: Mapping[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
}
STATES = frozenset({"state", "reason", "how", "what"})  # keywords whose words are no message


Reach = Mapping[int, Sequence[str]]  # by the line: the slower tests that come by, short ones first


@dataclass(frozen=True)
class Mutant:
    """One fault: where it is, its statement's lines, what was made of what, the text with it."""

    line: int
    lines: range
    change: str
    source: str


def main() -> int:
    """Judge the mutants of the modules that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*", default=list(JUDGES), metavar="MODULE")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--judges", type=int, help="so many judges only, the quick ones first")
    parser.add_argument("--lines", type=int, nargs="+", help="the mutants of these lines only")
    parser.add_argument(
        "--most", type=int, help="so many of the slower tests, from the short to the long ones"
    )
    parser.add_argument("--reached", type=Path, help="coverage by tests: used, or else written")
    asked = parser.parse_args()
    with TemporaryDirectory() as folder:
        reached = asked.reached or Path(folder) / "reached"
        told = {name: judged(name, asked, reached) for name in asked.modules}
    sys.stdout.write(json.dumps(told, indent=1) + "\n")
    return 1 if any(one["survivors"] for one in told.values()) else 0


def judged(name: str, asked: argparse.Namespace, reached: Path) -> dict[str, Any]:
    """Return what came of every mutant of a module."""
    began, path = time.monotonic(), ROOT / f"{name.replace('.', '/')}.py"
    text = path.read_text("utf-8")
    _import_what_is_sound()
    judges = [
        (judge, _patience_secs(name, path, text, judge)) for judge in JUDGES[name][: asked.judges]
    ]
    reach = _reach(path, reached) if SLOWER in JUDGES[name][: asked.judges] else {}
    made = [one for one in mutants(text) if not asked.lines or one.line in asked.lines]
    notice = partial(_notice, name, path, judges, reach, asked.most)
    counted: Counter[str] = Counter()
    left = []
    with get_context("fork").Pool(asked.jobs) as pool:
        for one, by in zip(made, pool.imap(notice, made), strict=True):
            if by is None:
                left.append(one)
                sys.stderr.write(f"{name}:{one.line} {one.change}\n")
            else:
                counted[by] += 1
    return {
        "mutants": len(made),
        "noticed_by": dict(counted),
        "survivors": [{"line": one.line, "change": one.change} for one in left],
        "secs": round(time.monotonic() - began, 1),
    }


def mutants(text: str) -> Iterator[Mutant]:
    """Yield every mutant of a module's text."""
    tree = ast.parse(text)
    for node, statement in _code(tree, None):
        for holder, name, place, new in _changes(node):
            old = getattr(holder, name) if place is None else getattr(holder, name)[place]
            _put(holder, name, place, new)
            whole = old if isinstance(old, ast.stmt) else statement
            assert whole is not None
            line = getattr(old, "lineno", getattr(node, "lineno", whole.lineno))
            change = f"{_said(old)} -> {_said(new)}"
            yield Mutant(line, range(whole.lineno, _end(whole)), change, ast.unparse(tree))
            _put(holder, name, place, old)


def _code(node: ast.AST, within: ast.stmt | None) -> Iterator[tuple[ast.AST, ast.stmt | None]]:
    """Yield what runs, with its statement.

    No annotation, docstring, log line, message of an error, or decorator.
    """
    if isinstance(node, ast.Raise) or (isinstance(node, ast.Call) and _is_log(node)):
        return
    within = node if isinstance(node, ast.stmt) else within
    yield node, within
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "type_comment", "type_params"}:
            continue
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, ast.AST):
                yield from _code(one, within)


def _end(statement: ast.stmt) -> int:
    """Return the line after a statement, or after its head where it holds others."""
    held = getattr(statement, "body", None) or getattr(statement, "cases", None)
    first = held[0] if held else None
    if first is None:
        return (statement.end_lineno or statement.lineno) + 1
    return max(
        statement.lineno + 1, (first if isinstance(first, ast.stmt) else first.pattern).lineno
    )


def _is_log(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and "_log" in ast.unparse(call.func.value)


Change = tuple[ast.AST, str, int | None, Any]


def _changes(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.Compare(ops=ops):
            yield from (
                (node, "ops", n, SWAPPED[type(op)]())
                for n, op in enumerate(ops)
                if type(op) in SWAPPED
            )
        case ast.BoolOp(op=op) | ast.BinOp(op=op) if type(op) in SWAPPED:
            yield node, "op", None, SWAPPED[type(op)]()
        case ast.Constant(value=bool(value)):
            yield node, "value", None, not value
        case ast.Constant(value=int(value)):
            yield node, "value", None, value + 1
        case ast.If() | ast.While() | ast.IfExp():
            yield node, "test", None, ast.UnaryOp(ast.Not(), node.test)
        case ast.comprehension(ifs=[_, *_]):
            yield node, "ifs", None, []
        case ast.Return(value=ast.AST() as value) if not _is_none(value):
            yield node, "value", None, ast.Constant(None)
        case ast.keyword(arg=str(arg), value=ast.Constant(value=str(word))) if arg in STATES:
            yield node, "value", None, ast.Constant(f"not {word}")
    for name in ("body", "orelse", "finalbody"):
        held = getattr(node, name, None)
        for n, one in enumerate(held if isinstance(held, list) else ()):
            if isinstance(one, ast.Expr) and isinstance(one.value, ast.Call | ast.YieldFrom):
                yield node, name, n, ast.Pass()


def _is_none(value: ast.AST) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _put(holder: ast.AST, name: str, place: int | None, new: Any) -> None:
    if place is None:
        setattr(holder, name, new)
    else:
        getattr(holder, name)[place] = new


def _said(part: Any) -> str:
    if isinstance(part, ast.cmpop | ast.boolop | ast.operator):
        return type(part).__name__
    text = ast.unparse(part) if isinstance(part, ast.AST) else repr(part)
    return " ".join(text.split())[:100]


def _import_what_is_sound() -> None:
    """Import what has no mutants, once for all judges, who are forked from here."""
    for name in SOUND:
        import_module(name)


def _notice(
    name: str,
    path: Path,
    judges: Sequence[tuple[Sequence[str], int]],
    reach: Reach,
    most: int | None,
    mutant: Mutant,
) -> str | None:
    """Return the first judge that notices a mutant, and how; None when nobody does."""
    reaching = list(dict.fromkeys(test for line in mutant.lines for test in reach.get(line, ())))
    first, rest = reaching[:FIRST_TESTS], reaching[FIRST_TESTS:]
    rest = rest[:: max(1, ceil(len(rest) / most))] if most else rest
    if how := first and _noticed(name, path, mutant.source, first, FIRST_SECS):
        return f"{SLOWER[0]} ({how})"
    for judge, secs in judges:
        asked = rest if judge == SLOWER else judge
        if how := asked and _noticed(name, path, mutant.source, asked, secs):
            return f"{judge[0]} ({how})"
    return None


def _patience_secs(name: str, path: Path, text: str, judge: Sequence[str]) -> int:
    """Return how much CPU a judge may take: by what it takes where there is no fault."""
    if judge == SLOWER:
        return SLOWER_SECS
    before = getrusage(RUSAGE_CHILDREN)
    if _noticed(name, path, text, judge, SLOWER_SECS):
        raise SystemExit(f"{judge[0]} does not pass {name} without a fault.")
    after = getrusage(RUSAGE_CHILDREN)
    return PATIENCE_SECS + PATIENCE_TIMES * ceil(after.ru_utime - before.ru_utime)


def _reach(path: Path, reached: Path) -> Reach:
    """Return the slower tests by the lines they reach; run them once where nobody has."""
    from coverage import CoverageData

    if not reached.exists():
        order = ["-m", "not slow", "--cov=sync_engine", "--cov-context=test", "--cov-report="]
        run = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
        subprocess.run(
            [*run, *order, *SLOWER],
            env={**os.environ, "COVERAGE_FILE": str(reached)},
            cwd=ROOT,
            stdout=sys.stderr,
            check=True,
            timeout=SLOWER_SECS,
        )
    data = CoverageData(str(reached))
    data.read()
    by_line = {
        line: {context.rpartition("|")[0] for context in contexts} - {""}
        for line, contexts in data.contexts_by_lineno(str(path)).items()
    }
    length = Counter(test for tests in by_line.values() for test in tests)
    ordered = sorted(length, key=lambda test: (length[test], test))
    return {
        # what runs when the module is imported is used by any of them
        line: [test for test in ordered if test in tests or not tests]
        for line, tests in by_line.items()
    }


def _noticed(
    name: str, path: Path, source: str, judge: Sequence[str], patience_secs: int
) -> str | None:
    """Return how a judge, in a process of its own, notices a mutant; None when it does not."""
    child = os.fork()
    if not child:
        setrlimit(RLIMIT_CPU, (patience_secs, patience_secs))
        os._exit(_judge(name, path, source, judge))
    ends = time.monotonic() + WALL_TIMES * patience_secs
    while time.monotonic() < ends:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return ("without end" if os.WIFSIGNALED(status) else "seen") if status else None
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "without end"


class Mutated(MetaPathFinder, Loader):
    """Imports one module from another text than its file's."""

    def __init__(self, name: str, path: str, source: str) -> None:
        self._name, self._path, self._source = name, path, source

    def find_spec(self, fullname: str, *_: object) -> ModuleSpec | None:
        found = fullname == self._name
        return spec_from_loader(fullname, self, origin=self._path) if found else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._source, self._path, "exec"), module.__dict__)


def _judge(name: str, path: Path, source: str, judge: Sequence[str]) -> int:
    """Judge one mutant in this process; 0 when nothing is noticed."""
    if name in sys.modules:  # what is sound imports it, so nothing of ours is
        for held in [one for one in sys.modules if one.partition(".")[0] in OURS]:
            del sys.modules[held]
    sys.meta_path.insert(0, Mutated(name, str(path), source))
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    os.chdir(ROOT)
    try:
        if judge == STORIES:
            from machines.run import hush
            from machines.story import tell

            hush()
            return int(any(tell(seed).violation for seed in SEEDS))
        import pytest

        return int(
            pytest.main(["-q", "-x", "-p", "no:cacheprovider", "-W", ALREADY_IMPORTED, *judge])
        )
    except BaseException:  # noqa: BLE001 - whatever it is, it was noticed
        return 1


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    sys.exit(main())
