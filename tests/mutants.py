"""Mutants: small faults put into a module one by one; each must be noticed by somebody.

``python tests/mutants.py sync_engine.push --jobs 2`` (``make mutants``) changes one comparison,
condition, constant, sum or statement at a time, and lets each mutant be judged in a process of its
own: by stories of the simulation first, then by the quick tests of that module, then by the slower
ones. It prints JSON: how many there were, how many each judge noticed, and every survivor with its
line, to be killed by a test or shown to be equal. Log lines and the words of messages are left alone.
"""

import argparse
import ast
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parents[1]
SEEDS = range(10)
PATIENCE_SECS = 240.0  # a mutant that does not end is noticed
ENGINE = ("tests/sync_engine", "tests/walks/test_outbox_walk.py")
SLOWER = ("tests/faults", "tests/journeys", "tests/attacks", "-m", "not slow")
JUDGES: Mapping[str, Sequence[Sequence[str]]] = {
    "tieout.model.money": [("tests/model",)],
    "sync_engine.plan": [("stories",), ENGINE, SLOWER],
    "sync_engine.push": [("stories",), ENGINE, SLOWER],
    "sync_engine.receipts": [("stories",), ENGINE, SLOWER],
    "sync_engine.look": [("stories",), ENGINE, SLOWER],
    "sync_engine.ledger.sqlite": [("tests/sync_engine/ledger",), ("tests/walks",), SLOWER],
    "sync_engine.ledger.journal": [("tests/sync_engine/ledger",), ("tests/walks",), SLOWER],
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


@dataclass(frozen=True)
class Mutant:
    """One fault: where it is, what was made of what, and the module's text with it."""

    line: int
    change: str
    source: str


def main() -> int:
    """Judge the mutants of the modules that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*", default=list(JUDGES), metavar="MODULE")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--judges", type=int, help="so many judges only, the quick ones first")
    asked = parser.parse_args()
    told = {name: judged(name, asked.jobs, asked.judges) for name in asked.modules}
    sys.stdout.write(json.dumps(told, indent=1) + "\n")
    return 1 if any(one["survivors"] for one in told.values()) else 0


def judged(name: str, jobs: int, judges: int | None) -> dict[str, Any]:
    """Return what came of every mutant of a module."""
    began, path = time.monotonic(), ROOT / f"{name.replace('.', '/')}.py"
    made = list(mutants(path.read_text("utf-8")))
    with ThreadPoolExecutor(jobs) as pool:
        noticed = list(pool.map(lambda one: _notice(name, path, one.source, judges), made))
    left = [one for one, by in zip(made, noticed, strict=True) if by is None]
    return {
        "mutants": len(made),
        "noticed_by": dict(Counter(by for by in noticed if by is not None)),
        "survivors": [{**asdict(one), "source": ""} for one in left],
        "secs": round(time.monotonic() - began, 1),
    }


def mutants(text: str) -> Iterator[Mutant]:
    """Yield every mutant of a module's text."""
    tree = ast.parse(text)
    for node in _code(tree):
        for holder, name, place, new in _changes(node):
            old = getattr(holder, name) if place is None else getattr(holder, name)[place]
            _put(holder, name, place, new)
            change = f"{_said(old)} -> {_said(new)}"
            yield Mutant(getattr(node, "lineno", 0), change, ast.unparse(tree))
            _put(holder, name, place, old)


def _code(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what runs: no annotation, docstring, log line, message of an error, or decorator."""
    if isinstance(node, ast.Raise) or (isinstance(node, ast.Call) and _is_log(node)):
        return
    yield node
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "type_comment", "type_params"}:
            continue
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, ast.AST):
                yield from _code(one)


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


def _notice(name: str, path: Path, source: str, judges: int | None) -> str | None:
    """Return the first judge that notices a mutant, None when nobody does."""
    for judge in JUDGES[name][:judges]:
        order = [sys.executable, __file__, "--judge", name, str(path), *judge]
        reading, writing = os.pipe()
        child = os.posix_spawn(
            sys.executable, order, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, reading, 0)]
        )
        os.close(reading)
        with os.fdopen(writing, "w", encoding="utf-8") as told:
            told.write(source)
        if not _passes(child):
            return judge[0]
    return None


def _passes(child: int) -> bool:
    ends = time.monotonic() + PATIENCE_SECS
    while time.monotonic() < ends:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


class Mutated(MetaPathFinder, Loader):
    """Imports one module from another text than its file's."""

    def __init__(self, name: str, path: str, source: str) -> None:
        self._name, self._path, self._source = name, path, source

    def find_spec(self, fullname: str, *_: object) -> ModuleSpec | None:
        found = fullname == self._name
        return spec_from_loader(fullname, self, origin=self._path) if found else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._source, self._path, "exec"), module.__dict__)


def judge(name: str, path: str, *asked: str) -> int:
    """Judge one mutant, whose text is the input, in this process; 0 when nothing is noticed."""
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    sys.meta_path.insert(0, Mutated(name, path, sys.stdin.read()))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    if asked == ("stories",):
        from machines.run import hush
        from machines.story import tell

        hush()
        return int(any(tell(seed).violation for seed in SEEDS))
    import pytest

    os.chdir(ROOT)
    return int(pytest.main(["-q", "-x", "-p", "no:cacheprovider", *asked]))


if __name__ == "__main__":
    sys.exit(judge(*sys.argv[2:]) if sys.argv[1:2] == ["--judge"] else main())
