"""A CRM and books that both differ from our simulators, and an engine between them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from foreign_server import Bent
from simulated_world import REALM, World, open_world, seller
from starlette.middleware.gzip import GZipMiddleware

from tieout.simulator.hubspot import hubspot_app
from tieout.simulator.quickbooks import NO_LIMITS, Authority, quickbooks_app
from tieout.simulator.serving import serve


@dataclass
class Foreign:
    """A world whose two systems are foreign; ``crm`` and ``books`` can be bent."""

    world: World
    crm: Bent
    books: Bent
    sold: Callable[..., str]


@pytest.fixture
def make_foreign(tmp_path: Path) -> Iterator[Callable[..., Foreign]]:
    """Return a function that opens a foreign world, by ``QuickBooksCompany``'s words."""
    with ExitStack() as opened:

        def make(**company: Any) -> Foreign:
            world = opened.enter_context(open_world(tmp_path, **company))
            authority = Authority(now=world.now, static_tokens={"books-token": REALM})
            app = quickbooks_app([world.company], authority=authority, limits=NO_LIMITS)
            crm, books = Bent(hubspot_app(world.portal)), Bent(app)
            world.crm_url = opened.enter_context(serve(GZipMiddleware(crm))).url
            world.books_url = opened.enter_context(serve(GZipMiddleware(books))).url
            opened.enter_context(world.opened)
            return Foreign(world, crm, books, seller(world))

        yield make


@pytest.fixture
def foreign(make_foreign: Callable[..., Foreign]) -> Foreign:
    """A foreign world of German books with many currencies."""
    return make_foreign()
