"""The catalogue is whole: every entry has its test, and no test is of an entry that is not there."""

import ast
from collections import Counter
from pathlib import Path

from catalogue_entries import ENTRIES


def entries_of(function):
    """Yield the entries that a test says it is of."""
    for mark in function.decorator_list:
        if isinstance(mark, ast.Call) and getattr(mark.func, "id", "") == "entry":
            yield ast.literal_eval(mark.args[0])


def all_tests():
    """Yield every test beside this file, with its entries."""
    here = Path(__file__)
    for path in sorted(here.parent.glob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            is_test = isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
            if is_test and path != here:
                yield f"{path.name}::{node.name}", list(entries_of(node))


def test_every_entry_has_its_test():
    counted = Counter(name for _, names in all_tests() for name in names)
    assert [name for name in ENTRIES if not counted[name]] == []
    assert set(counted) == set(ENTRIES)


def test_every_test_is_of_an_entry():
    assert [test for test, names in all_tests() if not names] == []
