"""What the workshop's doors promise: make says what there is, and the gate is one command."""

import re
import subprocess


def test_make_without_words_says_what_there_is(root):
    """Every target that a person may type stands there with what it does."""
    targets = set(
        re.findall(r"^\.PHONY: ([a-z-]+)$", (root / "Makefile").read_text(), re.MULTILINE)
    )
    said = subprocess.run(["make"], cwd=root, capture_output=True, text=True, check=True).stdout
    shown = {line.split()[1] for line in said.splitlines() if line.startswith("  make ")}
    assert (shown, {"demo", "test"} - targets) == (targets, set())


def test_the_gate_is_make_test_and_nothing_beside_it(root):
    """What CI runs is what anybody runs, and it installs what it needs."""
    gate = root / ".ci" / "run"
    asked = subprocess.run(
        ["make", "--dry-run", "--always-make", "test"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    steps = ("-m venv", "--require-hashes", "ruff format --check", "ruff check", "mypy")
    assert [step for step in (*steps, "lint-imports", "pytest") if step not in asked] == []
    assert gate.read_text().splitlines()[-1] == "exec make test"
    assert gate.stat().st_mode & 0o100
