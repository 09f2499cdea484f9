"""The pages and the schema that come from the mapping's code are current."""

from pathlib import Path

import pytest

from mapping.functions import FUNCTIONS
from mapping.reference import formula_page, pages


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.name)
def test_a_made_page_is_current(path: Path) -> None:
    remedy = "run `python -m mapping.reference`"
    assert path.read_text(encoding="utf-8") == pages()[path], remedy


def test_the_list_of_functions_is_frozen() -> None:
    """A further function needs a decision record in docs/decisions, and then a line here."""
    frozen = "sum round join lookup date upper lower strip min max abs coalesce"
    assert list(FUNCTIONS) == frozen.split()
    assert all(f"\n### {name}\n" in formula_page() for name in FUNCTIONS)
