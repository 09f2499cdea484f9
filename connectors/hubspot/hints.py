"""Hints of HubSpot: the webhooks of a project-based app. Service keys have none.

Signed by version 3: base64 of the HMAC-SHA256, with the app's client secret, of method, address,
body and time; the time within five minutes (developers.hubspot.com, "Validating requests"). The
older versions have no time, and are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from connectors.hubspot.facts import SYSTEM
from tieout.model.errors import HintRefused
from tieout.model.hint import (
    Knock,
    demand_fresh,
    demand_signature,
    instant_of_millis,
    listed,
    parsed,
)
from tieout.model.record import Event
from tieout.model.ref import Ref

SIGNATURE: Final = "x-hubspot-signature-v3"
TIMESTAMP: Final = "x-hubspot-request-timestamp"
WINDOW: Final = timedelta(minutes=5)
KINDS: Final[Mapping[str, str]] = {
    "0-1": "contact",
    "0-2": "company",
    "0-3": "deal",
    "0-8": "line_item",
    "0-101": "payment",
}
"""Our word for each object type's id (page "Understanding the CRM APIs")."""

_ID = re.compile(r"[0-9]{1,25}", re.ASCII)


def parse_hint(knock: Knock, secret: str, now: datetime) -> tuple[Event, ...]:
    """Return which records changed; see ``tieout.model.contract.Hears``."""
    timestamp = knock.header(TIMESTAMP)
    signed = f"{knock.method}{knock.url}".encode() + knock.body + timestamp.encode()
    demand_signature(knock.header(SIGNATURE), secret, signed)
    demand_fresh(instant_of_millis(timestamp), now, WINDOW)
    return tuple(event for one in listed(parsed(knock.body)) for event in _events(one))


def _events(one: Mapping[str, Any]) -> Iterator[Event]:
    """Yield the event of a kind that we know; an association is told by where it begins."""
    portal = one.get("portalId")
    record = one.get("objectId", one.get("fromObjectId"))
    if not (_ID.fullmatch(str(portal)) and _ID.fullmatch(str(record))):
        raise HintRefused("An event names no record.")
    kind = _kind(one)
    if kind:
        at = instant_of_millis(one.get("occurredAt"))
        yield Event(Ref(f"{SYSTEM}:{portal}", kind, str(record)), at=at)


def _kind(one: Mapping[str, Any]) -> str:
    """Return our word for what moved, empty for what is nothing to us.

    ``deal.propertyChange`` names it itself; ``object.propertyChange`` by the object type's id.
    """
    named = str(one.get("subscriptionType")).partition(".")[0]
    known = KINDS.get(str(one.get("objectTypeId", one.get("fromObjectTypeId"))), "")
    return named if named in KINDS.values() else known
