"""The least scopes of a key, and which of them it lacks, in HubSpot's own words.

A service key tells nobody its scopes. But a call without the scope that it needs is refused with
403 MISSING_SCOPES before its body is looked at (page "Scopes"), so each scope is tried by a call
that changes nothing: a read of one record, and a write of none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from connectors.hubspot import paths
from connectors.hubspot.facts import Scope
from tieout.model.contract import Right
from tieout.model.errors import Rejected, Unauthorized

if TYPE_CHECKING:
    from connectors.hubspot.reading import Reading

LACKING = "MISSING_SCOPES"
OWNER = "owner"
FILE = "file"
ANY_ID = "1"  # whether there is such a record does not matter


def rights(reading: Reading) -> Iterator[Right]:
    """Yield each scope that the mappings need; one that nothing shows is not tried.

    Raises:
        TieoutError: the key is not accepted, or HubSpot does not answer.
    """
    for scope in needed(reading):
        right = Right(scope.scope, scope.purpose)
        yield _tried(reading, scope, right) if scope.reads or scope.writes else right


def needed(reading: Reading) -> Iterator[Scope]:
    """Yield the least scopes: those of the kinds that the mappings use, and those of all."""
    used = reading.opening.reads  # nothing named is everything
    for scope in reading.facts.scopes:
        if not (scope.kind and used) or not used.keys().isdisjoint((scope.kind, scope.also)):
            yield scope


def groups_of(reading: Reading) -> tuple[tuple[str, str], ...]:
    """Return our groups of properties, each with the kind of record that it is of."""
    told = [one["group"] for one in reading.facts.provisions]
    return tuple((one["object"], one["name"]) for one in told)


def _tried(reading: Reading, scope: Scope, right: Right) -> Right:
    """Return a right with whether it is held, and what HubSpot says where it is not."""
    try:
        _try(reading, scope)
    except Unauthorized as refused:
        if refused.vendor_code != LACKING:
            raise
        return replace(right, held=False, said=refused.what)
    except Rejected:
        pass  # it looked at the body, so the scope is there
    return replace(right, held=True)


def _try(reading: Reading, scope: Scope) -> None:
    wire = reading.wire
    if scope.reads == OWNER:
        path = paths.crm(reading.version, "owners")
        wire.ask("GET", path, understand=lambda _: None, limit="1")
        return
    if scope.reads == FILE:
        path = paths.files(reading.version, ANY_ID)
        wire.ask("GET", path, understand=lambda _: None)
        return
    kind = reading.facts.kinds[scope.reads or scope.writes]
    if scope.reads:
        body = {"properties": [], "propertiesWithHistory": [], "inputs": [{"id": ANY_ID}]}
        path = reading.path("objects", f"{kind.object}/batch/read")
        wire.ask("POST", path, body, understand=lambda _: None)
        return
    wire.send("POST", reading.path("objects", f"{kind.object}/batch/update"), {"inputs": []})
