"""What the application lacks: asked in one call, when a person asks and not in every round."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connectors.dynamics365.facts import CURRENCY, Kind
from connectors.dynamics365.reading import Reading
from tieout.model.errors import TieoutError
from tieout.transport import Answer

NEEDED = ("deal", "line_item", "company", "contact", CURRENCY)  # whatever a mapping uses
UNTRACKED = "change tracking of the table {}: in Power Apps, its properties, “Track changes”"


def missing(reading: Reading) -> tuple[str, ...]:
    """Return the rights that are lacking, in the vendor's words, and tables that are not tracked.

    Whether it may write shows only when it does.
    """
    kinds = [reading.facts.kinds[name] for name in NEEDED]
    fed = {kind for feed in reading.facts.capabilities.feeds for kind in feed}
    paths = [f"{kind.set}?$select={kind.id}&$top=1" for kind in kinds]
    paths += [
        f"EntityDefinitions(LogicalName='{kind.table}')?$select=LogicalName,ChangeTrackingEnabled"
        for kind in kinds
    ]
    answers = reading.wire.answers(paths, understand=_told)
    shown, described = answers[: len(kinds)], answers[len(kinds) :]
    lacking = [*_unread(kinds, shown), *_untracked(kinds, described, fed)]
    return tuple(lacking)


def _unread(kinds: list[Kind], answers: list[Mapping[str, Any] | TieoutError]) -> Iterator[str]:
    for kind, answer in zip(kinds, answers, strict=True):
        if isinstance(answer, TieoutError):
            yield f"reading of the table {kind.table}: {answer.vendor_words or answer.what}"


def _untracked(
    kinds: list[Kind], answers: list[Mapping[str, Any] | TieoutError], fed: set[str]
) -> Iterator[str]:
    for kind, answer in zip(kinds, answers, strict=True):
        if kind.name not in fed:
            continue
        if isinstance(answer, TieoutError):
            said = answer.vendor_words or answer.what
            yield f"reading of the definition of the table {kind.table}: {said}"
        elif answer.get("ChangeTrackingEnabled") is False:
            yield UNTRACKED.format(kind.table)


def _told(answer: Answer) -> Mapping[str, Any]:
    told: Mapping[str, Any] = answer.json
    return told
