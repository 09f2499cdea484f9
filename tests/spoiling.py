"""Values that no vendor's server would keep, put into its answers on the way out."""

from typing import Any

from foreign_server import Exchange
from foreign_world import Foreign

GONE = object()
"""Stands for a field that is no longer answered."""


def spoil(foreign: Foreign, kind: str, **values: Any) -> None:
    """Let the CRM answer other values for the first record of a kind that it shows, wherever."""
    first: list[str] = []

    def bend(exchange: Exchange) -> None:
        told = exchange.told if isinstance(exchange.told, dict) else {}
        for row in told.get("results", [told]) if f"/{kind}" in exchange.path else ():
            if not (isinstance(row, dict) and isinstance(row.get("properties"), dict)):
                continue
            first[:] = first or [row["id"]]
            if row["id"] == first[0]:
                kept = {**row["properties"], **values}
                row["properties"] = {name: kept[name] for name in kept if kept[name] is not GONE}

    foreign.crm.bends.append(bend)
