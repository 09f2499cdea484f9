"""Pages for people who are in a hurry say what is printed: they are followed, step by step."""

import pytest
from followed_pages import CORRECT, ON_CALL, REHEARSE, fits, reader, steps

PAGES = sorted(path.name for path in ON_CALL.glob("*.md") if path.name != "README.md")


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_a_page_for_the_engineer_on_call_is_true(tmp_path, name):
    """Its trouble is made as its last section says, and its steps end it."""
    page = ON_CALL / name
    assert REHEARSE in page.read_text("utf-8")
    with reader(tmp_path) as one:
        for step in [*steps(ON_CALL / "README.md"), *steps(page)]:
            came = one.follow(step)
            assert fits(step.says, came), f"$ {step.command}\n{came}\n{name} says:\n{step.says}"


@pytest.mark.slow
def test_the_page_of_corrections_is_true(tmp_path):
    with reader(tmp_path) as one:
        for step in [*steps(ON_CALL / "README.md"), *steps(CORRECT)]:
            came = one.follow(step)
            assert fits(step.says, came), f"$ {step.command}\n{came}\nit says:\n{step.says}"


@pytest.mark.slow
def test_the_tutorial_is_true(root, tmp_path):
    with reader(tmp_path) as one:
        for step in steps(root / "docs" / "tutorial" / "first-run.md"):
            came = one.follow(step)
            assert fits(step.says, came), f"$ {step.command}\n{came}\nit says:\n{step.says}"


@pytest.mark.slow
def test_the_page_on_starting_safely_is_true(root, tmp_path):
    with reader(tmp_path) as one:
        for step in steps(root / "docs" / "howto" / "start-safely.md"):
            came = one.follow(step)
            assert fits(step.says, came), f"$ {step.command}\n{came}\nit says:\n{step.says}"


def test_the_index_of_these_pages_leads_to_each(root):
    index = (ON_CALL / "README.md").read_text("utf-8")
    assert [name for name in PAGES if f"({name})" not in index] == []


@pytest.mark.parametrize(
    ("says", "came", "is_true"),
    [
        ("", "", True),
        ("", "surprise", False),
        ("2 tasks", "3 tasks", False),
        ("a\n…\nd", "a\nb\nc\nd", True),
        ("…", "", True),
        ("by …, yes", "by ann, yes", True),
        ("by …, yes", "by ann, no", False),
        ("at 2026-01-01T00:00:00Z", "at 2026-05-05T01:01:01.5Z", True),
        ("posted, 5 calls", "posted, 7 calls", True),
        ("done", "done\nTraceback", False),
    ],
)
def test_a_page_is_true_when_what_lasts_of_it_is_printed(says, came, is_true):
    assert is_true == fits(says, came)
