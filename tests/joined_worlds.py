"""Several worlds in one installation: their pairs on one ledger, their CRMs or books perhaps one.

``share_books(first, other)`` lets the other's pair post into the first's books, ``share_crm`` lets
it read the first's CRM.
"""

from collections.abc import Mapping
from typing import Any

from simulated_world import World

from sync_engine.engine import Engine
from sync_engine.pipeline import Hands


def share_books(first: World, other: World) -> None:
    """Let two worlds have the books of the first."""
    other.company, other.books_url, other.realm = first.company, first.books_url, first.realm


def share_crm(first: World, other: World) -> None:
    """Let two worlds have the CRM of the first."""
    other.portal, other.crm_url, other.provided = first.portal, first.crm_url, first.provided


def joined(worlds: Mapping[str, World], **changed: Any) -> Engine:
    """Start one process with a pair of each world, by its name; the ledger is the first one's."""
    first = next(iter(worlds.values()))
    for name, world in worlds.items():
        world.opened.close()
        world.name = name
    pairs = {name: world.pair(**changed) for name, world in worlds.items()}
    ledger = first.opened.enter_context(first.ledger())
    engine = Engine(ledger, pairs, Hands(first.now, first.sleep))
    for world in worlds.values():
        world.working = engine
    return engine
