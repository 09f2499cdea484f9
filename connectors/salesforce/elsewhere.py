"""Records of another object that stand in a kind's place, as a queue in an owner's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tieout.model.record import Fetched, Gone, MergedInto, Record, Unreadable
from tieout.model.ref import Ref


def standing_in(ref: Ref, answer: Fetched, empty: Mapping[str, Any]) -> Fetched:
    """Return what is said of another object's record as it was asked for.

    What the kind has and the record has not is ``empty``: a queue has a name, and no first one.
    """
    match answer:
        case Record():
            return replace(answer, ref=ref, fields={**empty, **answer.fields})
        case MergedInto(_, into):  # it was asked for by its short id
            whole = replace(ref, id=into.ref.id)
            return MergedInto(ref, replace(into, ref=whole, fields={**empty, **into.fields}))
        case Gone(_, evidence):
            return Gone(ref, evidence)
        case Unreadable(_, error):
            return Unreadable(ref, error)
