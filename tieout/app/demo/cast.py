"""Who plays which part, and what all CRMs come to together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from tieout.app.demo.doors import Doors, Truth
from tieout.app.demo.dynamics365 import DYNAMICS365
from tieout.app.demo.hubspot import HUBSPOT
from tieout.app.demo.parts import Part
from tieout.app.demo.salesforce import SALESFORCE

PARTS: Final[Mapping[str, Part]] = {
    "hubspot": HUBSPOT,
    "salesforce": SALESFORCE,
    "dynamics365": DYNAMICS365,
}


def joined(crms: Mapping[str, Doors]) -> Truth:
    """Return what is really in all CRMs, by their systems, as if they were one.

    They are one company's, and reckon in one currency.
    """
    truths = [PARTS[system].read(doors.truth()) for system, doors in crms.items()]
    requests: Counter[str] = Counter()
    for truth in truths:
        requests.update(truth["requests"])
    return {
        "currency": truths[0]["currency"],
        "deals": [deal for truth in truths for deal in truth["deals"]],
        "merged": {old: new for truth in truths for old, new in truth["merged"].items()},
        "requests": requests,
        "throttled": sum(truth["throttled"] for truth in truths),
    }
