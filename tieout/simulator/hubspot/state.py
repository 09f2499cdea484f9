"""A portal in a file, so that a demo can be continued where it ended."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from tieout.simulator.clock import Now
from tieout.simulator.hubspot import own_objects
from tieout.simulator.hubspot.keys import Limits, Token
from tieout.simulator.hubspot.oauth import app_of
from tieout.simulator.hubspot.portal import HubSpotPortal
from tieout.simulator.hubspot.pricing import TaxRate
from tieout.simulator.hubspot.records import Record
from tieout.simulator.hubspot.schema import Property, custom

FORMAT = 1
_SETTINGS = (
    "portal_id",
    "name",
    "time_zone",
    "company_currency",
    "seed",
    "index_lag_secs",
    "association_page",
    "api_versions",
)


def save(portal: HubSpotPortal, path: Path) -> None:
    """Write the whole portal; the file is replaced at once, never half written."""
    with portal.lock:
        text = json.dumps(_told(portal), ensure_ascii=False, separators=(",", ":"))
    partial = path.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)  # noqa: PTH105 - says by its name that it is atomic


def load(path: Path, now: Now = lambda: datetime.now(UTC)) -> HubSpotPortal:
    """Read a portal that `save` wrote; search sees all of it at once.

    Raises:
        ValueError: the file is no portal of this format.
        OSError: the file cannot be read.
    """
    told = json.loads(path.read_text(encoding="utf-8"))
    if told.get("format") != FORMAT:
        raise ValueError(f"{path} is no portal of format {FORMAT}")
    portal = HubSpotPortal(**told["settings"], now=now, limits=Limits(**told["limits"]))
    portal.tokens = {name: _token(token) for name, token in told["tokens"].items()}
    if "oauth" in told:
        app_of(portal).restore(told["oauth"])
    portal.required = {kind: set(names) for kind, names in told["required"].items()}
    portal.owners = told["owners"]
    portal.tax_rates = {
        rate: TaxRate(label, Decimal(percent))
        for rate, (label, percent) in told.get("tax_rates", {}).items()
    }
    for own in told.get("own_objects", ()):
        own_objects.define(portal, own_objects.restored(own), ())
    portal.links.restore(told.get("own_types", ()))
    portal.groups |= told["groups"]
    for kind, properties in told["custom"].items():
        for prop in properties:
            portal.define(kind, _property(prop))
    for kind, shelf in told["shelves"].items():
        _fill(portal, kind, shelf)
    for words, sources in told["links"].items():
        here, there = words.split(">")
        portal.links.targets[here, there] = {
            int(source): {target: tuple(types) for target, types in targets}
            for source, targets in sources.items()
        }
    return portal


def _told(portal: HubSpotPortal) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "settings": {name: getattr(portal, name) for name in _SETTINGS},
        "limits": asdict(portal.limits),
        "tokens": {
            name: {
                "scopes": None if token.scopes is None else sorted(token.scopes),
                "expires_at": token.expires_at and token.expires_at.isoformat(),
                "revoked": token.revoked,
                "app": token.app,
            }
            for name, token in portal.tokens.items()
        },
        "oauth": app_of(portal).state(),
        "required": {kind: sorted(names) for kind, names in portal.required.items()},
        "owners": portal.owners,
        "tax_rates": {
            rate: (held.label, f"{held.percent:f}") for rate, held in portal.tax_rates.items()
        },
        "own_objects": [asdict(own) for own in portal.own_objects.values()],
        "own_types": portal.links.own_types(),
        "groups": portal.groups,
        "custom": {
            kind: [asdict(prop) for prop in properties.values() if not prop.built_in]
            for kind, properties in portal.properties.items()
        },
        "shelves": {
            kind: {
                "next_id": shelf.next_id,
                "redirects": list(shelf.redirects.items()),
                "records": [_row(record) for record in shelf.records.values()],
            }
            for kind, shelf in portal.shelves.items()
        },
        "links": {
            f"{here}>{there}": {
                source: list(targets.items()) for source, targets in sources.items() if targets
            }
            for (here, there), sources in portal.links.targets.items()
        },
    }


def _row(record: Record) -> list[Any]:
    return [
        record.id,
        dict(record.values),
        record.created,
        record.modified,
        record.archived,
        record.merged,
        record.history,
    ]


def _fill(portal: HubSpotPortal, kind: str, told: Mapping[str, Any]) -> None:
    shelf = portal.shelves[kind]
    shelf.next_id = told["next_id"]
    shelf.redirects = dict(told["redirects"])
    for record_id, values, created, modified, archived, merged, history in told["records"]:
        past = tuple((at, name, value) for at, name, value in history)
        shelf.keep(Record(record_id, values, created, modified, archived, tuple(merged), past))
    portal.indexes[kind].load(shelf.records.values())


def _property(told: Mapping[str, Any]) -> Property:
    options = tuple((value, label) for value, label in told["options"])
    hidden = tuple(told.get("hidden", ()))
    return custom(**{**told, "options": options, "hidden": hidden, "built_in": False})


def _token(told: Mapping[str, Any]) -> Token:
    scopes, expires_at = told["scopes"], told["expires_at"]
    return Token(
        None if scopes is None else frozenset(scopes),
        None if expires_at is None else datetime.fromisoformat(expires_at),
        told["revoked"],
        told.get("app", False),
    )
