"""A file is a verb of the flow or a noun of the model; these words are neither."""

import ast
import re

REFUSED = re.compile(
    r"(manager|util|helper|common|base|misc|handler|processor|service)s?", re.IGNORECASE
)
WORDS = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")


def refused(name):
    return any(REFUSED.fullmatch(word) for word in WORDS.findall(name))


def test_the_guard_itself_knows_the_words():
    names = ["http_utils", "manager", "BaseHandler", "SyncService", "conftest", "Database"]
    assert [refused(name) for name in names] == [True, True, True, True, False, False]


def test_no_file_or_folder_has_a_name_that_says_nothing(tracked):
    told = [str(path) for path in tracked if any(refused(part) for part in path.parts)]
    assert told == [], "\n".join(told)


def test_no_class_has_a_name_that_says_nothing(tracked, root):
    told = [
        f"{path}:{node.lineno}: {node.name}"
        for path in tracked
        if path.suffix == ".py"
        for node in ast.walk(ast.parse((root / path).read_text()))
        if isinstance(node, ast.ClassDef) and refused(node.name)
    ]
    assert told == [], "\n".join(told)


def test_a_test_file_s_name_is_its_own(tracked):
    names = [path.name for path in tracked if path.match("tests/**/test_*.py")]
    assert sorted(set(names)) == sorted(names)
