"""What each item of a call became, by its own answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.quickbooks.facts import facts
from connectors.quickbooks.faults import error_of
from connectors.quickbooks.records import Reader
from tieout.model.contract import Outcome, Parcel, ParcelItem, Receipt
from tieout.model.errors import OutcomeUnknown, TieoutError


def failed(parcel: Parcel, error: TieoutError) -> list[Outcome]:
    """Return the same error for each item of a parcel."""
    return [failed_item(item, error) for item in parcel.items]


def outcome_of(
    item: ParcelItem, answer: Mapping[str, Any], trace_id: str, reader: Reader
) -> Outcome:
    """Return what an answer says of one item: a fault, or the record that was made."""
    fault = answer.get("Fault") or answer.get("fault")
    if fault:
        return failed_item(item, error_of(fault, write=True, trace_id=trace_id))
    body = answer.get(facts().kinds[item.kind].entity)
    if not isinstance(body, Mapping):
        return failed_item(
            item, OutcomeUnknown(f"The answer shows no {item.kind}.", trace_id=trace_id)
        )
    try:
        record = reader.record(item.kind, body)
    except TieoutError as wrong:
        return failed_item(item, OutcomeUnknown(wrong.what, trace_id=trace_id))
    receipt = Receipt(record.ref, record.version, record)
    return Outcome(item.key, item.item_id, receipt=receipt, trace_id=trace_id)


def failed_item(item: ParcelItem, error: TieoutError) -> Outcome:
    """Return an error as the outcome of one item."""
    return Outcome(item.key, item.item_id, error=error, trace_id=error.trace_id)
