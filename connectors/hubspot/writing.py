"""Writing: changes packed into calls, and what each answer says of each change.

Updates of records go in batches of a hundred, each input with a trace id of its own: with them
HubSpot writes what it can and names what failed (207); without, one wrong value refuses the whole
batch. What provisioning makes is one call each.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.hubspot.facts import Kind
from connectors.hubspot.prints import pack
from connectors.hubspot.provisions import CHOICES, KINDS, creation
from connectors.hubspot.reading import Reading
from connectors.hubspot.refusals import context_ids, refusal
from connectors.hubspot.translation import written
from connectors.hubspot.wire import refusals, rows
from tieout.model.change import Create, Update
from tieout.model.contract import Outcome, Parcel, ParcelItem, Receipt, Request
from tieout.model.enclosed import is_print
from tieout.model.errors import (
    InvalidField,
    InvariantError,
    OutcomeUnknown,
    TieoutError,
    Unsupported,
)
from tieout.model.ref import Ref, Version, request_id
from tieout.transport import Answer, understood

WRITE_BATCH = 100  # sdk.md 7
TRACE_ID = "objectWriteTraceId"


def prepare(reading: Reading, requests: Sequence[Request]) -> Sequence[Parcel]:
    """Pack changes into calls: what is to be made, then updates, a kind after the other.

    Raises:
        InvalidField: a value that no call can carry, or a field that is not to be written.
        Unsupported: a change that HubSpot's connector does not make.
    """
    parcels = [pack(reading, request) for request in requests if is_print(request.change)]
    requests = [request for request in requests if not is_print(request.change)]
    for request in requests:
        change = request.change
        is_choices = isinstance(change, Create) and change.kind == CHOICES
        if not is_choices and not reading.facts.capabilities.can(change.kind, change.verb):
            raise Unsupported(
                f"HubSpot's connector does not {change.verb} a {change.kind}.",
                record=request.about,
            )
    made = [request for request in requests if isinstance(request.change, Create)]
    made.sort(key=lambda request: KINDS.index(request.change.kind))
    parcels += (_creation(reading, request) for request in made)
    for kind in dict.fromkeys(request.change.kind for request in requests):
        updates = [
            request
            for request in requests
            if request.change.kind == kind and isinstance(request.change, Update)
        ]
        parcels += (_updates(reading, kind, part) for part in _batches(updates))
    return parcels


def apply(reading: Reading, parcel: Parcel) -> Sequence[Outcome]:
    """Send a parcel once and say what became of each item."""
    method, _, path = parcel.call.partition(" ")
    body = json.loads(parcel.body)
    if _bytes(body) != parcel.body:
        raise InvariantError("These bytes are not what prepare packed.")
    try:
        answer = reading.wire.send(method, path, body)
        with understood("The answer to a write", write=True, trace_id=answer.trace_id):
            if all(item.verb == Update.verb for item in parcel.items):
                return _batch_outcomes(parcel, answer)
            return [_creation_outcome(reading, parcel, answer)]
    except TieoutError as error:
        return [
            Outcome(item.key, item.item_id, error=error, trace_id=error.trace_id)
            for item in parcel.items
        ]


def _updates(reading: Reading, name: str, requests: Sequence[Request]) -> Parcel:
    kind = reading.facts.kinds[name]
    items = _items(requests)
    inputs = [
        {
            "id": item.ref.id if item.ref is not None else "",
            "properties": _properties(kind, request),
            TRACE_ID: item.item_id,
        }
        for item, request in zip(items, requests, strict=True)
    ]
    call = f"POST {reading.path('objects', f'{kind.object}/batch/update')}"
    return _parcel(reading, call, {"inputs": inputs}, requests)


def _properties(kind: Kind, request: Request) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in request.change.values.items():
        told = kind.property_of(name)
        if told in values:
            raise InvalidField(f"{told} is given twice.", record=request.about)
        values[told] = written(kind.fields.get(name), name, value)
    return values


def _creation(reading: Reading, request: Request) -> Parcel:
    call, body = creation(reading, request)
    return _parcel(reading, call, body, [request])


def _items(requests: Sequence[Request]) -> list[ParcelItem]:
    return [
        ParcelItem(
            f"{number:03d}",
            request.key,
            request.change.kind,
            request.change.verb.value,
            None if isinstance(request.change, Create) else request.change.ref,
        )
        for number, request in enumerate(requests, 1)
    ]


def _parcel(reading: Reading, call: str, body: Any, requests: Sequence[Request]) -> Parcel:
    """The request id names one asking: HubSpot's bodies hold no version, so it is added here."""
    packed = _bytes(body)
    asked = [[request.key, request.asking, _version(request)] for request in requests]
    name = request_id(reading.company, call, asked, packed.decode())
    return Parcel(reading.company, name, call, packed, tuple(_items(requests)))


def _version(request: Request) -> str:
    return "" if isinstance(request.change, Create) else str(request.change.version)


def _bytes(body: Any) -> bytes:
    """Return a body exactly as the SDK writes it, so that what is committed is what is sent."""
    return json.dumps(body).encode("ascii")


def _batches(requests: Sequence[Request]) -> Iterator[list[Request]]:
    """Yield batches in which no record stands twice: HubSpot refuses such a batch whole."""
    waiting = list(requests)
    while waiting:
        batch: dict[Ref, Request] = {}
        rest: list[Request] = []
        for request in waiting:
            ref = request.change.ref if isinstance(request.change, Update) else None
            if ref is None or ref in batch or len(batch) == WRITE_BATCH:
                rest.append(request)
            else:
                batch[ref] = request
        yield list(batch.values())
        waiting = rest


def _batch_outcomes(parcel: Parcel, answer: Answer) -> Sequence[Outcome]:
    """Match results and errors to items: by their trace ids, else by the records' ids."""
    by_id = {item.ref.id: item.item_id for item in parcel.items if item.ref is not None}
    results: dict[str, Mapping[str, Any]] = {}
    for row in rows(answer, "id", "updatedAt"):
        results[str(row.get(TRACE_ID) or by_id.get(str(row["id"]), ""))] = row
    errors: dict[str, TieoutError] = {}
    for told in refusals(answer):
        error = refusal(told, str(answer.status), answer.trace_id)
        traced = list(context_ids(told, TRACE_ID))
        traced = traced or [by_id.get(one, "") for one in context_ids(told, "ids", "id")]
        errors.update(dict.fromkeys(traced, error))
    return [_outcome(item, results, errors, answer) for item in parcel.items]


def _outcome(
    item: ParcelItem,
    results: Mapping[str, Mapping[str, Any]],
    errors: Mapping[str, TieoutError],
    answer: Answer,
) -> Outcome:
    row, error = results.get(item.item_id), errors.get(item.item_id)
    receipt = None
    if row is not None and item.ref is not None and error is None:
        ref = Ref(item.ref.company, item.ref.kind, str(row["id"]))
        receipt = Receipt(ref, Version(str(row["updatedAt"])))
    elif error is None:
        error = OutcomeUnknown("HubSpot's answer left it out.", record=str(item.ref))
    return Outcome(item.key, item.item_id, receipt, error, answer.trace_id)


def _creation_outcome(reading: Reading, parcel: Parcel, answer: Answer) -> Outcome:
    item = parcel.items[0]
    told = answer.json
    if not isinstance(told, Mapping) or not told.get("name"):
        raise answer.unclear("HubSpot did not say what it made.")
    reading.forget_descriptions()
    record_id = f"{_object(reading, parcel)}.{told['name']}"
    receipt = Receipt(Ref(reading.company, item.kind, record_id), Version("1"))
    return Outcome(item.key, item.item_id, receipt, trace_id=answer.trace_id)


def _object(reading: Reading, parcel: Parcel) -> str:
    words = parcel.call.split("/")
    is_inner = words[-1] == "groups" or parcel.call.startswith("PATCH ")
    named = words[-2] if is_inner else words[-1]
    return next(kind.name for kind in reading.facts.kinds.values() if kind.object == named)
