"""Hints of Dynamics 365: Dataverse's webhooks, registered as a service endpoint.

They are not signed: a key that both sides know stands in a header, or as ``code`` in the address
(learn.microsoft.com, "Register a WebHook": HttpHeader, WebhookKey). The body is the event's context
as JSON; where that is too large its records are left out, and its ids stay (page "Use Webhooks").
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import parse_qs, urlsplit

from connectors.dynamics365.facts import facts
from tieout.model.errors import HintRefused
from tieout.model.hint import Knock, demand_fresh, demand_same, instant_of_millis, parsed
from tieout.model.record import Event
from tieout.model.ref import Ref

KEY_HEADER: Final = "x-tieout-key"
KEY_IN_ADDRESS: Final = "code"
WINDOW: Final = timedelta(days=1)  # an asynchronous step waits, and is tried again

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_DATE = re.compile(r"/Date\(([0-9]{1,15})([+-][0-9]{4})?\)/", re.ASCII)


def parse_hint(knock: Knock, secret: str, now: datetime) -> tuple[Event, ...]:
    """Return which record changed; see ``tieout.model.contract.Hears``."""
    in_address = parse_qs(urlsplit(knock.url).query).get(KEY_IN_ADDRESS, [""])
    demand_same(knock.header(KEY_HEADER) or in_address[0], secret)
    said = parsed(knock.body)
    if not isinstance(said, dict):
        raise HintRefused("The hint is no event's context.")
    org, record = (str(said.get(name)).lower() for name in ("OrganizationId", "PrimaryEntityId"))
    created = _DATE.fullmatch(str(said.get("OperationCreatedOn")))
    if created is None or not (_GUID.fullmatch(org) and _GUID.fullmatch(record)):
        raise HintRefused("The context names no organization, record or time.")
    at = instant_of_millis(created[1])
    demand_fresh(at, now, WINDOW)
    kinds = {kind.table: name for name, kind in facts().kinds.items()}
    kind = kinds.get(str(said.get("PrimaryEntityName")))
    return (Event(Ref(f"dynamics365:{org}", kind, record), at=at),) if kind else ()
