"""A role as a connector is asked for it: the way there, and the label that the tie must bear.

``company`` is every company of a record; ``company labelled "Payer"`` those only that a person
there has tied to it with that label.
"""

from __future__ import annotations

import re

_LABELLED = re.compile(r'(\w+) labelled "([^"]+)"', re.ASCII)


def labelled(way: str, label: str) -> str:
    """Return the role of a way and a label, which may be empty."""
    return f'{way} labelled "{label}"' if label else way


def way_and_label(role: str) -> tuple[str, str]:
    """Return what ``labelled`` put together; without a label that is empty."""
    form = _LABELLED.fullmatch(role)
    return (role, "") if form is None else (form[1], form[2])
