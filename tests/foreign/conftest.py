"""A CRM and books that both differ from our simulators, and an engine between them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from foreign_world import Foreign, open_foreign


@pytest.fixture
def make_foreign(tmp_path: Path) -> Iterator[Callable[..., Foreign]]:
    """Return a function that opens a foreign world, by ``QuickBooksCompany``'s words."""
    with ExitStack() as opened:
        yield lambda **company: opened.enter_context(open_foreign(tmp_path, **company))


@pytest.fixture
def foreign(make_foreign: Callable[..., Foreign]) -> Foreign:
    """A foreign world of German books with many currencies."""
    return make_foreign()
