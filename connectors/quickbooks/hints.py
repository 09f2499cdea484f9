"""Hints of QuickBooks: its webhooks, as CloudEvents and in the older form.

Both are signed alike: base64 of the body's HMAC-SHA256 with the app's verifier token, in the header
``intuit-signature`` (R25; developer.intuit.com, "Managing webhooks notifications"). The signature
covers no time, so each event's own must be recent. One request may name several companies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from connectors.quickbooks.facts import facts
from tieout.model.errors import HintRefused
from tieout.model.hint import (
    Knock,
    demand_fresh,
    demand_signature,
    instant_of_text,
    listed,
    parsed,
)
from tieout.model.record import Event
from tieout.model.ref import Ref

SIGNATURE: Final = "intuit-signature"
WINDOW: Final = timedelta(days=1)  # Intuit sends again for hours when it was not answered

_TYPE = re.compile(r"qbo\.([a-z]{1,40})\.[a-z]{1,40}\.v[0-9]{1,3}", re.ASCII)
_ID = re.compile(r"[0-9]{1,25}", re.ASCII)


def parse_hint(knock: Knock, secret: str, now: datetime) -> tuple[Event, ...]:
    """Return which records changed; see ``tieout.model.contract.Hears``."""
    demand_signature(knock.header(SIGNATURE), secret, knock.body)
    said = parsed(knock.body)
    older = isinstance(said, dict) and "eventNotifications" in said
    events = tuple(_older(said) if older else _cloud_events(said))
    for event in events:
        if event.at is not None:
            demand_fresh(event.at, now, WINDOW)
    return events


def _cloud_events(said: Any) -> Iterator[Event]:
    """Yield from ``type=qbo.invoice.updated.v1``, ``intuitentityid``, ``intuitaccountid`` (R25)."""
    for one in listed([said] if isinstance(said, dict) else said):
        form = _TYPE.fullmatch(str(one.get("type")))
        if form is None:
            raise HintRefused("An event has no type that QuickBooks gives.")
        realm, record = one.get("intuitaccountid"), one.get("intuitentityid")
        yield from _event(form[1], realm, record, one.get("time"))


def _older(said: Mapping[str, Any]) -> Iterator[Event]:
    for told in listed(said["eventNotifications"]):
        change = told.get("dataChangeEvent")
        if not isinstance(change, dict):
            raise HintRefused("A notification has no change.")
        for one in listed(change.get("entities")):
            name = str(one.get("name")).lower()
            yield from _event(name, told.get("realmId"), one.get("id"), one.get("lastUpdated"))


def _event(entity: str, realm: Any, record: Any, at: Any) -> Iterator[Event]:
    """Yield the event of a kind that we know."""
    kinds = {kind.entity.lower(): name for name, kind in facts().kinds.items()}
    if not (_ID.fullmatch(str(realm)) and _ID.fullmatch(str(record))):
        raise HintRefused("An event names no record.")
    when = instant_of_text(at)
    if entity in kinds:
        yield Event(Ref(f"quickbooks:{realm}", kinds[entity], str(record)), at=when)
