"""Packing changes into calls, and reading what each call did.

A parcel is one call: a batch of up to thirty writes of one kind, or a single write. Voids go alone,
in the way that the vendor documents for each kind: an invoice's is an operation, a payment's an
update that includes one.

Who is in a hurry sends single writes beside the batches, as many as a minute's limit leaves. They
stand evenly between them: a call that waits for its own limit holds up those behind it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from math import ceil
from typing import Any

from connectors.quickbooks import uploading
from connectors.quickbooks.bodies import JsonBody, body_of
from connectors.quickbooks.facts import facts
from connectors.quickbooks.faults import error_of
from connectors.quickbooks.outcomes import failed, failed_item, outcome_of
from connectors.quickbooks.records import Reader
from connectors.quickbooks.settings import Settings
from connectors.quickbooks.wire import Reply, Wire
from tieout.model.change import Verb
from tieout.model.contract import Outcome, Parcel, ParcelItem, Request
from tieout.model.errors import OutcomeUnknown, TieoutError, Unsupported
from tieout.model.ref import request_id
from tieout.transport import dump_json, understood

BATCH_CALL = "POST batch"

_VOIDS: Mapping[str, Mapping[str, str]] = {
    "invoice": {"operation": "void"},
    "payment": {"operation": "update", "include": "void"},
}


def prepare(
    requests: Sequence[Request],
    *,
    company: str,
    settings: Settings,
    batch: int,
    singles_a_batch: Fraction = Fraction(0),
) -> Iterator[Parcel]:
    """Yield the parcels of some changes: every request in exactly one, kinds apart, in order.

    Args:
        requests: the changes.
        company: the books' identity.
        settings: what decides the bodies.
        batch: how many changes travel in one call.
        singles_a_batch: how many travel alone for each batch, on average; none to save calls.

    Raises:
        InvalidField: a value that no body can carry.
        Unsupported: a change that QuickBooks' connector does not make.
    """
    for request in requests:
        _refuse_unclaimed(request)
    by_kind: dict[str, list[Request]] = {}
    for request in requests:
        if request.change.kind == uploading.KIND:
            yield uploading.pack(request, company)
        elif request.change.verb is Verb.VOID:
            yield _single(request, company, settings)
        else:
            by_kind.setdefault(request.change.kind, []).append(request)
    for group in by_kind.values():
        for some in _calls(group, batch, singles_a_batch):
            yield _pack(some, company, settings)


def singles_a_batch(rates: Mapping[str, int]) -> Fraction:
    """Return how many calls a minute's limits leave for each of its batches (R23).

    At the vendor's rates 460 for 40, so that 1,660 records a minute go instead of 1,200.
    """
    batches = rates["batches_per_minute"]
    calls = min(rates["per_minute"], 60 * rates["per_second"])
    return Fraction(max(0, calls - batches), batches)


def send(wire: Wire, parcel: Parcel, reader: Reader) -> list[Outcome]:
    """Send a parcel's bytes, once, and return what became of each item; never raises for it."""
    try:
        if parcel.call == BATCH_CALL:
            reply = wire.send_batch(parcel.body, parcel.request_id)
            with understood("The answer to a batch", write=True, trace_id=reply.trace_id):
                return _batch_outcomes(parcel, reply, reader)
        item = parcel.items[0]
        entity = facts().kinds[item.kind].entity
        params = _VOIDS[item.kind] if item.verb == Verb.VOID else {}
        reply = wire.send_one(entity, parcel.body, parcel.request_id, params)
        with understood("The answer to a write", write=True, trace_id=reply.trace_id):
            return [outcome_of(item, reply.body, reply.trace_id, reader)]
    except TieoutError as error:
        return failed(parcel, error)


def _refuse_unclaimed(request: Request) -> None:
    kind, verb = request.change.kind, request.change.verb
    if kind == uploading.KIND and verb is Verb.CREATE and "sha256" in request.change.values:
        return  # it is of a file, which travels in its own way
    if verb not in facts().described.get(kind, {}).get("verbs", ()):
        raise Unsupported(
            f"QuickBooks' connector does not {verb} records of kind {kind}.", record=request.about
        )


def _calls(
    group: Sequence[Request], batch: int, singles_a_batch: Fraction
) -> Iterator[Sequence[Request]]:
    """Yield what goes in one call: full batches, and behind each its share of the single writes."""
    together = ceil(len(group) / (batch + singles_a_batch))
    alone = max(0, len(group) - together * batch)
    start = 0
    for nth in range(together):
        yield group[start : start + batch]
        start += batch
        for _ in range(alone * nth // together, alone * (nth + 1) // together):
            yield group[start : start + 1]
            start += 1


def _pack(requests: Sequence[Request], company: str, settings: Settings) -> Parcel:
    if len(requests) == 1:
        return _single(requests[0], company, settings)
    items: list[ParcelItem] = []
    entries: list[JsonBody] = []
    for number, request in enumerate(requests, start=1):
        item = _item(request, f"{number:03d}")
        items.append(item)
        entries.append(
            {
                "bId": item.item_id,
                "operation": item.verb,
                facts().kinds[item.kind].entity: body_of(request.change, request.key, settings),
            }
        )
    body = dump_json({"BatchItemRequest": entries})
    return _parcel(company, BATCH_CALL, body, requests, items)


def _single(request: Request, company: str, settings: Settings) -> Parcel:
    item = _item(request, "001")
    path = facts().kinds[item.kind].entity.lower()
    call = f"POST {path} void" if item.verb == Verb.VOID else f"POST {path}"
    body = dump_json(body_of(request.change, request.key, settings))
    return _parcel(company, call, body, [request], [item])


def _parcel(
    company: str,
    call: str,
    body: bytes,
    requests: Sequence[Request],
    items: Sequence[ParcelItem],
) -> Parcel:
    """The request id names one asking: other keys, another body or asking again has another."""
    asked = [[request.key, request.asking] for request in requests]
    return Parcel(
        company, request_id(company, call, asked, body.decode()), call, body, tuple(items)
    )


def _item(request: Request, item_id: str) -> ParcelItem:
    change = request.change
    ref = getattr(change, "ref", None)
    return ParcelItem(item_id, request.key, change.kind, change.verb.value, ref)


def _batch_outcomes(parcel: Parcel, reply: Reply, reader: Reader) -> list[Outcome]:
    """Match answers by bId, in whatever order; an item without one answer is unknown."""
    answers: dict[str, list[Mapping[str, Any]]] = {}
    for answer in reply.body.get("BatchItemResponse") or ():
        answers.setdefault(str(answer.get("bId") or ""), []).append(answer)
    nameless = answers.pop("", [])
    unanswered = [item.item_id for item in parcel.items if item.item_id not in answers]
    if len(nameless) == len(unanswered) and _are_alike(nameless):
        answers.update(zip(unanswered, ([one] for one in nameless), strict=True))
    outcomes = []
    for item in parcel.items:
        found = answers.get(item.item_id, [])
        if len(found) == 1:
            outcomes.append(outcome_of(item, found[0], reply.trace_id, reader))
        else:
            error = OutcomeUnknown(
                f"The batch's answer has {len(found)} answers for one of its items.",
                trace_id=reply.trace_id,
            )
            outcomes.append(failed_item(item, error))
    return outcomes


def _are_alike(nameless: Sequence[Mapping[str, Any]]) -> bool:
    """Whether answers without a bId are faults of one kind, so that any is any item's."""
    faults = [one.get("Fault") or one.get("fault") or {} for one in nameless]
    return all(faults) and len({error_of(fault, write=True).vendor_code for fault in faults}) == 1
