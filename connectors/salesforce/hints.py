"""Hints of Salesforce: what a flow sends by a few lines of Apex. Salesforce itself signs nothing.

So the form is ours: ``{"org": …, "object": …, "ids": […], "sent_at": …}``, and in the header
``x-tieout-signature`` base64 of the body's HMAC-SHA256, as ``Crypto.generateMac`` makes it. The
body holds its own time, so that the signature covers it.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

from connectors.salesforce.facts import SYSTEM, facts
from tieout.model.errors import HintRefused
from tieout.model.hint import (
    EVENTS_LIMIT,
    Knock,
    demand_fresh,
    demand_signature,
    instant_of_text,
    parsed,
)
from tieout.model.record import Event
from tieout.model.ref import Ref

SIGNATURE: Final = "x-tieout-signature"
WINDOW: Final = timedelta(minutes=5)

_ID = re.compile(r"[0-9A-Za-z]{15}([0-9A-Za-z]{3})?", re.ASCII)


def parse_hint(knock: Knock, secret: str, now: datetime) -> tuple[Event, ...]:
    """Return which records changed; see ``tieout.model.contract.Hears``."""
    demand_signature(knock.header(SIGNATURE), secret, knock.body)
    said = parsed(knock.body)
    if not isinstance(said, dict):
        raise HintRefused("The hint is no object.")
    at = instant_of_text(said.get("sent_at"))
    demand_fresh(at, now, WINDOW)
    org, ids = said.get("org"), said.get("ids")
    if not isinstance(ids, list) or not all(_ID.fullmatch(str(one)) for one in (org, *ids)):
        raise HintRefused("The hint names no org or no records.")
    kinds = {kind.object: name for name, kind in facts().kinds.items()}
    kind = kinds.get(str(said.get("object")))
    refs = [Ref(f"{SYSTEM}:{org}", kind, str(one)) for one in ids[:EVENTS_LIMIT]] if kind else []
    return tuple(Event(ref, at=at) for ref in refs)
