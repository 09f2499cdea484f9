"""A deal's own mark: what tells it from a copy of it (HubSpot's clones arrive without it)."""

from __future__ import annotations

from tieout.model.canonical import canonical
from tieout.model.ref import Ref, crockford


def own_mark(ref: Ref) -> str:
    """Return the mark that a deal carries: the name of its company and id."""
    return crockford(canonical([ref.company, ref.id]))
