"""A deal's own mark: what tells it from a copy of it (HubSpot's clones arrive without it)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from tieout.model.canonical import canonical
from tieout.model.ref import Ref, crockford


def own_mark(ref: Ref) -> str:
    """Return the mark that a deal carries: the name of its company and id."""
    return crockford(canonical([ref.company, ref.id]))


def merged_ids(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the ids of the deals that were merged into one, as its fields show them."""
    return tuple(filter(None, str(fields.get("merged_ids") or "").split(";")))


def is_of_another(mark: str | None, ref: Ref, merged: Iterable[str]) -> bool:
    """Whether a deal carries the mark of a deal that it neither is nor took over."""
    return bool(mark) and mark not in {own_mark(replace(ref, id=one)) for one in (ref.id, *merged)}
