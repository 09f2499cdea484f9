"""Hints of Salesforce: what a flow sends by a few lines of Apex. Salesforce itself signs nothing.

So the form is ours: ``{"org": …, "object": …, "ids": […], "sent_at": …}``, and in the header
``x-tieout-signature`` base64 of the body's HMAC-SHA256, as ``Crypto.generateMac`` makes it. The
body holds its own time, so that the signature covers it. Ids may have fifteen letters, as formulas
of a flow give them.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from connectors.salesforce.facts import SYSTEM, facts
from connectors.salesforce.soql import whole_id
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


def parse_hint(knock: Knock, secret: str, now: datetime) -> tuple[Event, ...]:
    """Return which records changed; see ``tieout.model.contract.Hears``."""
    demand_signature(knock.header(SIGNATURE), secret, knock.body)
    said = parsed(knock.body)
    if not isinstance(said, dict):
        raise HintRefused("The hint is no object.")
    at = instant_of_text(said.get("sent_at"))
    demand_fresh(at, now, WINDOW)
    ids = said.get("ids")
    org, *records = (
        whole_id(str(one)) for one in (said.get("org"), *(ids if isinstance(ids, list) else [""]))
    )
    if not org or not all(records):
        raise HintRefused("The hint names no org or no records.")
    kinds = {kind.object: name for name, kind in facts().kinds.items()}
    kind = kinds.get(str(said.get("object")))
    refs = [Ref(f"{SYSTEM}:{org}", kind, one) for one in records[:EVENTS_LIMIT]] if kind else []
    return tuple(Event(ref, at=at) for ref in refs)
