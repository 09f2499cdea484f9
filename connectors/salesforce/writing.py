"""Writing: changes packed into calls, and what each answer says of each change.

Updates go in collections of two hundred, each record with an answer of its own. A collection's
answer does not show the records' new versions; so the same call asks for them: a composite request
of both counts as one (page "Composite"). In it ``@{…}`` would be taken for a reference: where a
value holds such a thing the collection goes alone, and the versions are asked for after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.salesforce import soql
from connectors.salesforce.composite import COMPOSITE, composite_parts, part_of
from connectors.salesforce.facts import Kind
from connectors.salesforce.prints import pack
from connectors.salesforce.provisions import KINDS, READ_PERMISSION, creation, made
from connectors.salesforce.reading import Reading
from connectors.salesforce.refusals import refusal
from connectors.salesforce.translation import MODIFIED, written
from tieout.model.change import Create, Update
from tieout.model.contract import Outcome, Parcel, ParcelItem, Receipt, Request
from tieout.model.enclosed import is_print
from tieout.model.errors import InvalidField, OutcomeUnknown, TieoutError, Unsupported
from tieout.model.ref import Ref, Version, request_id
from tieout.transport import Answer, dump_json, understood

WRITE_BATCH = 200  # page "sObject Collections"
COLLECTIONS = "composite/sobjects"
REFERENCE = "@{"
WRITE = "write"
READ_BACK = "versions"


def prepare(reading: Reading, requests: Sequence[Request]) -> Sequence[Parcel]:
    """Pack changes into calls: files, what is to be made, then updates, a kind after the other.

    Raises:
        InvalidField: a value that no call can carry, or a field that is not to be written.
        Unsupported: a change that Salesforce's connector does not make.
    """
    parcels = [pack(reading, request) for request in requests if is_print(request.change)]
    requests = [request for request in requests if not is_print(request.change)]
    for request in requests:
        change = request.change
        to_read = isinstance(change, Create) and change.kind == READ_PERMISSION
        if not to_read and not reading.facts.capabilities.can(change.kind, change.verb):
            raise Unsupported(
                f"Salesforce's connector does not {change.verb} a {change.kind}.",
                record=request.about,
            )
    new = [request for request in requests if isinstance(request.change, Create)]
    new.sort(key=lambda request: KINDS.index(request.change.kind))
    parcels += (_creation(reading, request) for request in new)
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
    try:
        answer = reading.wire.send(method, path, parcel.body)
        with understood("The answer to a write", write=True, trace_id=answer.trace_id):
            if parcel.items[0].verb == Create.verb:
                return [_creation_outcome(reading, parcel, path, answer)]
            results, versions = _told(reading, parcel, path, answer)
            return _outcomes(parcel, results, versions, answer)
    except TieoutError as error:
        return [
            Outcome(item.key, item.item_id, error=error, trace_id=error.trace_id)
            for item in parcel.items
        ]


def _updates(reading: Reading, name: str, requests: Sequence[Request]) -> Parcel:
    kind = reading.facts.kinds[name]
    items = _items(requests)
    ids = [item.ref.id if item.ref is not None else "" for item in items]
    collection = {
        "allOrNone": False,
        "records": [
            {"attributes": {"type": kind.object}, "id": one, **_values(kind, request)}
            for one, request in zip(ids, requests, strict=True)
        ],
    }
    packed = dump_json(collection)
    if REFERENCE in packed.decode():
        return _parcel(reading, f"PATCH {COLLECTIONS}", packed, requests)
    statement = f"SELECT Id, {MODIFIED} FROM {kind.object} WHERE {soql.within('Id', ids)}"  # noqa: S608 - SOQL, its values are ids
    both = {
        "allOrNone": False,
        "compositeRequest": [
            {
                "method": "PATCH",
                "url": reading.wire.data_path(COLLECTIONS),
                "referenceId": WRITE,
                "body": collection,
            },
            {
                "method": "GET",
                "url": reading.wire.query_path(statement),
                "referenceId": READ_BACK,
            },
        ],
    }
    return _parcel(reading, f"POST {COMPOSITE}", dump_json(both), requests)


def _creation(reading: Reading, request: Request) -> Parcel:
    call, body = creation(reading, request)
    return _parcel(reading, call, body, [request])


def _creation_outcome(reading: Reading, parcel: Parcel, path: str, answer: Answer) -> Outcome:
    record_id = made(path, answer)
    item = parcel.items[0]
    reading.schema.forget()
    receipt = Receipt(Ref(reading.company, item.kind, record_id), Version("1"))
    return Outcome(item.key, item.item_id, receipt, trace_id=answer.trace_id)


def _values(kind: Kind, request: Request) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in request.change.values.items():
        field = kind.fields.get(name)
        told = name if field is None else field.field
        if not soql.is_name(told):
            raise InvalidField(f"{name} is no name of a field.", record=request.about)
        if told.lower() in {one.lower() for one in values} or told.lower() in ("id", "attributes"):
            raise InvalidField(f"{told} is given twice.", record=request.about)
        values[told] = written(field, name, value)
    return values


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


def _parcel(reading: Reading, call: str, body: bytes, requests: Sequence[Request]) -> Parcel:
    """The request id names one asking: Salesforce's bodies hold no version, so it is added here."""
    asked = [[request.key, request.asking, _version(request)] for request in requests]
    name = request_id(reading.company, call, asked, body.decode())
    return Parcel(reading.company, name, call, body, tuple(_items(requests)))


def _version(request: Request) -> str:
    return "" if isinstance(request.change, Create) else str(request.change.version)


def _batches(requests: Sequence[Request]) -> Iterator[list[Request]]:
    """Yield batches in which no record stands twice: Salesforce refuses the second."""
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


def _told(
    reading: Reading, parcel: Parcel, path: str, answer: Answer
) -> tuple[Any, Mapping[str, str]]:
    """Return the collection's own answer, and the versions of its records.

    Raises:
        TieoutError: the collection was refused as a whole, or not answered.
    """
    if path == COLLECTIONS:
        return answer.json, _versions_of(reading, parcel)
    parts = composite_parts(answer)
    results = part_of(parts, WRITE, answer)
    try:
        rows = part_of(parts, READ_BACK, answer)["records"]
        return results, {str(row["Id"]): str(row[MODIFIED]) for row in rows}
    except (TieoutError, LookupError, TypeError):
        return results, _versions_of(reading, parcel)


def _versions_of(reading: Reading, parcel: Parcel) -> Mapping[str, str]:
    """Ask for the versions after a write; what is not answered stays unknown, and is read later."""
    kind = reading.facts.kinds[parcel.items[0].kind]
    ids = [item.ref.id for item in parcel.items if item.ref is not None]
    statement = f"SELECT Id, {MODIFIED} FROM {kind.object} WHERE {soql.within('Id', ids)}"  # noqa: S608 - SOQL, its values are ids
    try:
        return {str(row["Id"]): str(row[MODIFIED]) for row in reading.wire.whole(statement)}
    except (TieoutError, LookupError):
        return {}


def _outcomes(
    parcel: Parcel, results: Any, versions: Mapping[str, str], answer: Answer
) -> list[Outcome]:
    """Match results to items: by their ids, and those without, which failed, by their place.

    A place counts only where every result that has an id stands in its own.
    """
    if not isinstance(results, list) or not all(isinstance(one, Mapping) for one in results):
        raise answer.unclear("The answer to a write has not the form it should have.")
    ids = [item.ref.id if item.ref is not None else "" for item in parcel.items]
    by_id = {soql.whole_id(str(one["id"])): one for one in results if one.get("id")}
    in_place = len(results) == len(ids) and all(
        not one.get("id") or soql.whole_id(str(one["id"])) == wanted
        for one, wanted in zip(results, ids, strict=True)
    )
    outcomes: list[Outcome] = []
    for place, (item, wanted) in enumerate(zip(parcel.items, ids, strict=True)):
        told = by_id.get(wanted) or (results[place] if in_place else None)
        outcomes.append(_outcome(item, told, versions.get(wanted, ""), answer))
    return outcomes


def _outcome(
    item: ParcelItem, told: Mapping[str, Any] | None, version: str, answer: Answer
) -> Outcome:
    error: TieoutError | None = None
    receipt = None
    if told is None:
        error = OutcomeUnknown("Salesforce's answer left it out.", record=str(item.ref))
    elif told.get("success") is True and item.ref is not None:
        receipt = Receipt(item.ref, Version(version))
    elif told.get("success") is False:
        error = refusal(told.get("errors"), trace_id=answer.trace_id)
    else:
        error = OutcomeUnknown("Salesforce does not say whether it did it.", record=str(item.ref))
    return Outcome(item.key, item.item_id, receipt, error, answer.trace_id)
