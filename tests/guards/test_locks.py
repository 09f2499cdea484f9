"""The lock files say exactly what is installed, by its hash, from wherever it comes."""

import re

import pytest

LOCKS = ["run.txt", "dev.txt"]
PINNED = re.compile(r"([a-z0-9-]+)(?:\[[a-z,]+\])?==(\S+)( ; .+)?( --hash=sha256:[0-9a-f]{64})+")


def requirements(path):
    """Each requirement of a lock file as one line."""
    joined = path.read_text().replace("\\\n", " ")
    lines = [" ".join(line.split()) for line in joined.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def pins(path):
    return {(form[1], form[2]) for form in map(PINNED.fullmatch, requirements(path)) if form}


def named(requirement):
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0].lower())


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_pinned_and_hashed_and_nothing_else_is_said(root, lock):
    strange = [
        line[:80]
        for line in requirements(root / "requirements" / lock)
        if not PINNED.fullmatch(line)
    ]
    assert strange == []


@pytest.mark.parametrize("lock", LOCKS)
def test_no_address_is_named(root, lock):
    assert "://" not in (root / "requirements" / lock).read_text()


def test_what_runs_is_developed_with(root):
    run, dev = (pins(root / "requirements" / lock) for lock in LOCKS)
    assert run - dev == set()


def test_every_dependency_of_pyproject_is_locked(root, pyproject):
    run, dev = ({name for name, _ in pins(root / "requirements" / lock)} for lock in LOCKS)
    assert {named(each) for each in pyproject["project"]["dependencies"]} - run == set()
    assert {named(each) for each in pyproject["dependency-groups"]["dev"]} - dev == set()
