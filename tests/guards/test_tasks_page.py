"""Every task and finding that a person can meet is on the page of tasks."""

import ast
import re

import pytest

from tieout.model.errors import NextStep

CODED_AT = {
    "Finding": 0,
    "Wanted": 0,
    "Difference": 0,
    "_block": 0,
    "find": 0,
    "stop_pair": 2,
}
"""Who makes a task or a finding, and which argument is its code."""

AMBIGUOUS = {"_block", "find"}  # texts and grammars have functions of these names too
CODE_AND_WORDS = 3  # a code, what happened, what to do

PASSED_ON = {"code", "error.code", "finding.code", "one.cause", "read['code']", "cause"}
"""Codes that come from another such place, or from an error."""

GONE = {"reopened", "merged", "deleted-in-crm"}  # reconcile's causes for a source that is gone

REFUSED = {NextStep.ASK, NextStep.REPLAN}  # a refused change becomes a task by its error's code
PAUSED = {NextStep.PAUSE}  # and so does what stops a pair


@pytest.fixture(scope="module")
def page(root):
    return (root / "docs" / "reference" / "tasks.md").read_text("utf-8")


@pytest.fixture(scope="module")
def listed(page):
    rows = re.findall(r"^\| (`[^|]+) \|", page, re.MULTILINE)
    return {code for row in rows for code in re.findall(r"`([^`]+)`", row)}


def test_every_code_of_a_task_or_finding_is_on_the_page(root, listed):
    missing = {
        f"{code}  ({place})"
        for code, place in codes_in(root)
        if code not in listed and not any(covers(each, code) for each in listed)
    }
    assert missing == set()


def test_the_page_names_no_code_that_nothing_opens(root, listed, errors):
    known = {code for code, _ in codes_in(root)} | GONE
    drawn = {each.code for each in errors}
    gone = {one for one in listed - known - drawn if not any(covers(one, each) for each in known)}
    assert gone == set()


def test_every_error_that_becomes_a_task_is_on_the_page(errors, listed):
    opened = {each.code for each in errors if each.next_step in REFUSED | PAUSED}
    assert opened - listed == set()


@pytest.fixture(scope="module")
def errors(generate):
    return generate.error_classes()


def covers(listed, code):
    """Whether a code of the page that has a `…` stands for this one."""
    return "…" in listed and re.fullmatch(".+".join(map(re.escape, listed.split("…"))), code)


def codes_in(root):
    """Yield each code that the engine or the mapping gives, and where."""
    for package in ("sync_engine", "mapping"):
        for path in sorted((root / package).rglob("*.py")):
            tree = ast.parse(path.read_text("utf-8"))
            named = {
                target.id: node.value.value
                for node in tree.body
                if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
                for target in node.targets
                if isinstance(target, ast.Name)
            }
            for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
                argument = code_of(call)
                if argument is None or ast.unparse(argument) in PASSED_ON:
                    continue
                yield spelled(argument, named, path), f"{path.name}:{call.lineno}"


def code_of(call):
    """Return the argument that is a code, where this call makes a task or finding."""
    name = getattr(call.func, "id", None) or getattr(call.func, "attr", None)
    if name not in CODED_AT:
        return None
    for keyword in call.keywords:
        if keyword.arg == "code":
            return keyword.value
    is_other = name in AMBIGUOUS and len(call.args) < CODE_AND_WORDS
    return None if is_other else call.args[CODED_AT[name]]


def spelled(argument, named, path):
    """Return a code as the page spells it: what is computed is `…`."""
    match argument:
        case ast.Constant(value=str(code)):
            return code
        case ast.Name(id=name) if name in named:
            return named[name]
        case ast.JoinedStr(values=parts):
            return "".join(
                str(getattr(part, "value", "")) if isinstance(part, ast.Constant) else "…"
                for part in parts
            )
    raise AssertionError(f"{path}:{argument.lineno}: what code is {ast.unparse(argument)}?")
