"""The least rights that a company must give, and which of them it gives: asked, never assumed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mapping.mistake import Mistakes
from tieout.app import companies, wiring
from tieout.app.companies import Site
from tieout.app.mappings import compiled_of
from tieout.model.contract import Connector, Identity, ListsRights, Right


def who_and_what(site: Site, name: str) -> tuple[Identity, Sequence[Right]]:
    """Ask a company who it is, and which rights it gives of those that its mappings need.

    Raises:
        TieoutError: the company does not answer, or it is another one.
    """
    with companies.session(site, name, reads=reads_of(site, name)) as connector:
        identity = connector.check()
        return identity, tuple(_rights(connector, identity))


def reads_of(site: Site, name: str) -> Mapping[str, frozenset[str]]:
    """Return what the mappings use of a company's records; nothing, which is all, without any."""
    try:
        return wiring.reads_of(site, name, compiled_of(site))
    except Mistakes:
        return {}


def _rights(connector: Connector, identity: Identity) -> Iterator[Right]:
    if isinstance(connector, ListsRights):
        yield from connector.rights()
    yield from (Right(name, "", held=False) for name in identity.missing)


def plain(right: Right) -> dict[str, object]:
    """Return a right as plain values."""
    return {
        "right": right.name,
        "purpose": right.purpose,
        "held": right.held,
        "said": right.said,
    }
