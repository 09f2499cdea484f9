"""replayed: an answer that the other system has given before, to an asking of a former ledger.

A request id is made of what is asked, so a ledger that was lost asks under the same one again. That
keeps a second record from being made; but the record of the old answer may have been deleted since,
and no feed shows a deletion from before its first read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from tieout.model.change import Verb
from tieout.model.contract import Connector, Outcome, Parcel
from tieout.model.errors import AskedBefore, OutcomeUnknown
from tieout.model.record import Fetched, Gone, Unreadable

OLD_SECS = 60  # a record made so long before it was asked for was not made by this asking


def without_deleted(
    connector: Connector, parcel: Parcel, outcomes: Iterable[Outcome], asked_at: datetime
) -> Sequence[Outcome]:
    """Return the outcomes of a parcel; a record that was deleted since is no receipt of a create.

    Args:
        connector: who answered.
        parcel: what was asked.
        outcomes: what was answered.
        asked_at: when, by the other system's clock.
    """
    told = list(outcomes)
    created = {item.item_id for item in parcel.items if item.verb == Verb.CREATE}
    since = asked_at - timedelta(seconds=OLD_SECS)
    old = {
        one.receipt.ref: one
        for one in told
        if one.item_id in created and one.receipt is not None and _is_older(one, since)
    }
    if not old:
        return told
    read = {old[answer.ref].item_id: answer for answer in connector.fetch(list(old))}
    unread = [item_id for item_id, answer in read.items() if isinstance(answer, Unreadable)]
    if len(unread) < len(parcel.items):  # a part would be asked anew, and made a second time
        read = {item_id: answer for item_id, answer in read.items() if item_id not in unread}
    return [_judged(one, read.get(one.item_id)) for one in told]


def _is_older(outcome: Outcome, since: datetime) -> bool:
    record = None if outcome.receipt is None else outcome.receipt.record
    return record is not None and record.created_at is not None and record.created_at < since


def _judged(outcome: Outcome, read: Fetched | None) -> Outcome:
    """Return an outcome by what its record shows now; unread, it is not known whether it lives."""
    match read:
        case Gone(ref):
            words = f"The answer was that of an earlier asking: {ref}, and that was deleted since."
            return replace(outcome, receipt=None, error=AskedBefore(words, record=outcome.key))
        case Unreadable(ref):
            words = f"The answer was that of an earlier asking: {ref}, and that cannot be read now."
            return replace(outcome, receipt=None, error=OutcomeUnknown(words, record=outcome.key))
    return outcome
