"""A world whose two systems can be bent: both simulators behind ``foreign_server.Bent``."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foreign_server import Bent
from simulated_world import REALM, World, open_world, seller, served
from starlette.middleware.gzip import GZipMiddleware

from tieout.simulator.hubspot import hubspot_app
from tieout.simulator.quickbooks import NO_LIMITS, Authority, quickbooks_app


@dataclass
class Foreign:
    """A world whose two systems are foreign; ``crm`` and ``books`` can be bent."""

    world: World
    crm: Bent
    books: Bent
    sold: Callable[..., str]


@contextmanager
def open_foreign(path: Path, **company: Any) -> Iterator[Foreign]:
    """Give a foreign world, by ``QuickBooksCompany``'s words."""
    with open_world(path, **company) as world:
        authority = Authority(now=world.now, static_tokens={"books-token": REALM})
        app = quickbooks_app([world.company], authority=authority, limits=NO_LIMITS)
        crm, books = Bent(hubspot_app(world.portal)), Bent(app)
        with (
            served(GZipMiddleware(crm)) as crm_served,
            served(GZipMiddleware(books)) as books_served,
        ):
            world.crm_url, world.books_url = crm_served.url, books_served.url
            with world.opened:
                yield Foreign(world, crm, books, seller(world))
