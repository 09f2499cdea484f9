"""The least rights of the application, and which of them it lacks, in Dataverse's own words.

All are tried in one call that changes nothing: a read of one row of each table, and of whether the
table's changes are tracked. A right to write shows only when something is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from connectors.dynamics365.reading import Reading
from connectors.dynamics365.refusals import TRACKING_REMEDY, TokenRefused
from tieout.model.contract import Right
from tieout.model.errors import TieoutError, Unavailable
from tieout.transport import Answer

DEFINITIONS = "prvReadEntity"


def rights(reading: Reading) -> Iterator[Right]:
    """Yield each right that the mappings need, and each table whose changes must be tracked.

    Raises:
        Unauthorized: the credentials themselves are not accepted.
        Unavailable: no answer.
    """
    used = reading.opening.reads  # nothing named is everything
    listed = [
        told
        for told in reading.facts.rights
        if not told.get("optional") or not used or told.get("reads") in used
    ]
    tried = [told for told in listed if "reads" in told]
    fed = [kind for feed in reading.facts.capabilities.feeds for kind in feed]
    tracked = [kind for kind in fed if not used or kind in used]
    asked = [_row_of(reading, told["reads"]) for told in tried]
    asked += [_definition_of(reading, kind) for kind in tracked]
    answers = dict(zip(asked, reading.wire.answers(asked, understand=_told), strict=True))
    _refuse_strangers(list(answers.values()))
    for told in listed:
        right = Right(told["right"], told["purpose"])
        if told["right"] == DEFINITIONS:
            yield _judged(right, answers[_definition_of(reading, tracked[0])])
        elif "reads" in told:
            yield _judged(right, answers[_row_of(reading, told["reads"])])
        else:
            yield right
    for kind in tracked:
        table = reading.facts.kinds[kind].table
        right = Right(f"Track changes of {table}", "what moved since the last look")
        yield _as_tracked(right, answers[_definition_of(reading, kind)])


def _judged(right: Right, answer: Mapping[str, Any] | TieoutError) -> Right:
    if isinstance(answer, TieoutError):
        return replace(right, held=False, said=answer.vendor_words or answer.what)
    return replace(right, held=True)


def _as_tracked(right: Right, answer: Mapping[str, Any] | TieoutError) -> Right:
    if isinstance(answer, TieoutError):
        return right
    if answer.get("ChangeTrackingEnabled") is True:
        return replace(right, held=True)
    return replace(right, held=False, said=TRACKING_REMEDY)


def _refuse_strangers(answers: list[Mapping[str, Any] | TieoutError]) -> None:
    """Raise where the call as a whole was not answered, or not as one of an application's user."""
    for answer in answers:
        if isinstance(answer, TokenRefused | Unavailable):
            raise answer


def _row_of(reading: Reading, kind: str) -> str:
    known = reading.facts.kinds[kind]
    return f"{known.set}?$select={known.id}&$top=1"


def _definition_of(reading: Reading, kind: str) -> str:
    table = reading.facts.kinds[kind].table
    selected = "$select=LogicalName,ChangeTrackingEnabled"
    return f"EntityDefinitions(LogicalName='{table}')?{selected}"


def _told(answer: Answer) -> Mapping[str, Any]:
    told: Mapping[str, Any] = answer.json
    return told
