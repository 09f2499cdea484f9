"""Associations by their label: the billing contact, the company that pays.

A label is a portal's own text, and people rename it. So a label that no association bears is looked
for among those that are defined: one that is not is an error, and never "nobody is labelled so".
"""

from __future__ import annotations

from collections.abc import Collection

from connectors.hubspot import paths
from connectors.hubspot.facts import Kind
from connectors.hubspot.reading import Reading
from connectors.hubspot.wire import rows
from tieout.model.errors import Unsupported
from tieout.model.words import one_line

LABELS_TOLD = 20  # of those that there are, in an error


def labelled(label: str) -> str:
    """Return what names an association's type by its label, whatever its capitals."""
    return f"label {label.strip().casefold()}"


def leave_labelled(
    reading: Reading, kind: Kind, target: Kind, links: dict[str, dict[str, set[str]]], label: str
) -> None:
    """Take out of what was read every association that does not bear the label.

    Raises:
        Unsupported: the portal has no such label.
        TieoutError: its labels were to be read, and were refused or not answered.
    """
    wanted = labelled(label)
    if not any(wanted in names for found in links.values() for names in found.values()):
        _demand(reading, kind, target, label)
    for source, found in links.items():
        links[source] = {one: names for one, names in found.items() if wanted in names}


def _demand(reading: Reading, kind: Kind, target: Kind, label: str) -> None:
    there = list(_labels(reading, f"{kind.object}/{target.object}/labels"))
    if labelled(label) in map(labelled, there):
        return
    told = ", ".join(one_line(one) for one in there[:LABELS_TOLD])
    raise Unsupported(
        f"The portal has no label “{label}” from a {kind.name} to a {target.name}; there "
        + (f"are: {told}." if told else "is none."),
        remedy="Correct the label in the mapping, or make it in HubSpot; then "
        "`tieout tasks answer ID retry`.",
    )


def _labels(reading: Reading, rest: str) -> Collection[str]:
    told = reading.get(
        reading.path("associations", rest),
        paths.crm(paths.NUMBERED, "associations", rest),
        lambda answer: rows(answer, "typeId"),
    )
    return [str(one["label"]) for one in told if one.get("label")]
