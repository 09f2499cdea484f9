"""Writing: changes packed into calls, and what each answer says of each change.

Updates go a thousand in a batch, each outside a change set, so that it is done or refused alone. An
update with a version is done only while the record still has it; one without only while the record
is there: a PATCH would else make one (page "Perform conditional operations using the Web API").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.dynamics365.batch import Part, pack
from connectors.dynamics365.facts import ETAG, Kind
from connectors.dynamics365.outcome import DEAL, key_of, part_of
from connectors.dynamics365.prints import pack as pack_print
from connectors.dynamics365.provisioning import MADE, PUBLISH, packed
from connectors.dynamics365.reading import GUID, Reading
from connectors.dynamics365.refusals import judge
from connectors.dynamics365.translation import written
from connectors.dynamics365.wire import BATCH
from tieout.model.change import Create, Update
from tieout.model.contract import Outcome, Parcel, ParcelItem, Receipt, Request
from tieout.model.enclosed import is_print
from tieout.model.errors import InvalidField, OutcomeUnknown, TieoutError, Unsupported
from tieout.model.ref import Ref, Version, request_id
from tieout.transport import Answer, dump_json, understood

ANY_VERSION = "*"
ORGANIZATION = "organization"
JSON = "application/json; charset=utf-8"
SOLUTION_HEADER = "MSCRM.SolutionUniqueName"
_ETAG = re.compile(r"[ -~]{1,200}\Z", re.ASCII)
_NAMED = re.compile(r'"(?:SchemaName|uniquename)":"([^"]+)"', re.ASCII)
_ADDRESS = re.compile(r"\(([0-9a-fA-F-]{36})\)", re.ASCII)


def prepare(reading: Reading, requests: Sequence[Request], batch: int) -> Sequence[Parcel]:
    """Pack changes into calls: files, what is made, then updates, a kind after the other.

    A call holds up to ``batch`` updates.

    Raises:
        InvalidField: a value that no call can carry, or a field that is not to be written.
        Unsupported: a change that Dynamics' connector does not make.
    """
    parcels = [pack_print(reading, request) for request in requests if is_print(request.change)]
    requests = [request for request in requests if not is_print(request.change)]
    for request in requests:
        change = request.change
        made = isinstance(change, Create) and change.kind in MADE
        if not made and not reading.facts.capabilities.can(change.kind, change.verb):
            raise Unsupported(
                f"Dynamics' connector does not {change.verb} a {change.kind}.",
                record=request.about,
            )
    parcels += (_creation(reading, one) for one in requests if isinstance(one.change, Create))
    for kind in dict.fromkeys(request.change.kind for request in requests):
        updates = [
            request
            for request in requests
            if request.change.kind == kind and isinstance(request.change, Update)
        ]
        parcels += (_updates(reading, kind, part) for part in _batches(updates, batch))
    return parcels


def apply(reading: Reading, parcel: Parcel) -> Sequence[Outcome]:
    """Send a parcel once and say what became of each item."""
    try:
        answers = reading.wire.send_batch(parcel.body)
        if parcel.items[0].kind in MADE:
            return [_made(reading, parcel, answers)]
        return _batch_outcomes(reading, parcel, answers)
    except TieoutError as error:
        kind = parcel.items[0].kind
        if isinstance(error, OutcomeUnknown) and kind in MADE and kind != PUBLISH:
            reading.unpublished = True  # it may be there
        return [
            Outcome(item.key, item.item_id, error=error, trace_id=error.trace_id)
            for item in parcel.items
        ]


def _updates(reading: Reading, name: str, requests: Sequence[Request]) -> Parcel:
    kind = reading.facts.kinds[name]
    parts = [_part(reading, kind, request) for request in requests]
    asked = [[request.key, request.asking] for request in requests]
    shown = [[part.path, dict(part.headers), part.body.decode()] for part in parts]
    named = request_id(reading.company, BATCH, asked, shown)
    body = pack(parts, f"batch_{named}")
    return Parcel(reading.company, named, f"POST {BATCH}", body, tuple(_items(requests)))


def _part(reading: Reading, kind: Kind, request: Request) -> Part:
    change = request.change
    assert isinstance(change, Update), "only updates go in batches"
    if not GUID.match(change.ref.id):
        raise InvalidField(f"{change.ref.id[:40]!r} is no id of Dataverse's.", record=request.about)
    headers = {"Content-Type": JSON, "Prefer": "return=representation"}
    if reading.outcomes is not None and kind.name == DEAL:
        return part_of(reading.wire, reading.outcomes, kind, change.ref.id, request, headers)
    version = str(change.version) or ANY_VERSION
    if not _ETAG.match(version):
        raise InvalidField("Its version is none of Dataverse's.", record=request.about)
    return Part(
        "PATCH",
        f"{reading.wire.root}{kind.set}({change.ref.id})?$select={kind.id}",
        {**headers, "If-Match": version},
        dump_json(_values(reading, kind, request)),
    )


def _values(reading: Reading, kind: Kind, request: Request) -> Mapping[str, Any]:
    values: dict[str, Any] = {}
    for name, value in request.change.values.items():
        field = reading.field(kind, name)
        if field.column in values:
            raise InvalidField(f"{field.column} is given twice.", record=request.about)
        values[field.column] = written(field, name, value)
    return values


def _creation(reading: Reading, request: Request) -> Parcel:
    """Return the call that makes one thing: a batch of one, so that its bytes say all of it."""
    name, values = packed(reading, request)
    headers = {"Content-Type": JSON}
    if name.startswith(("EntityDefinitions", "RelationshipDefinitions")):
        headers[SOLUTION_HEADER] = reading.facts.solution
    part = Part("POST", f"{reading.wire.root}{name}", headers, dump_json(values))
    asked = [request.key, request.asking]
    named = request_id(reading.company, BATCH, asked, part.path, part.body.decode())
    body = pack([part], f"batch_{named}")
    return Parcel(reading.company, named, f"POST {BATCH}", body, tuple(_items([request])))


def _items(requests: Sequence[Request]) -> list[ParcelItem]:
    return [
        ParcelItem(
            f"{number:04d}",
            request.key,
            request.change.kind,
            request.change.verb.value,
            None if isinstance(request.change, Create) else request.change.ref,
        )
        for number, request in enumerate(requests, 1)
    ]


def _batches(requests: Sequence[Request], most: int) -> Iterator[list[Request]]:
    """Yield batches in which no record stands twice: its answers could not be told apart."""
    waiting = list(requests)
    while waiting:
        batch: dict[Ref, Request] = {}
        rest: list[Request] = []
        for request in waiting:
            ref = request.change.ref if isinstance(request.change, Update) else None
            if ref is None or ref in batch or len(batch) == most:
                rest.append(request)
            else:
                batch[ref] = request
        yield list(batch.values())
        waiting = rest


def _batch_outcomes(
    reading: Reading, parcel: Parcel, answers: Sequence[Answer]
) -> Sequence[Outcome]:
    """Match answers to items: what was done names its record, a refusal stands at its place.

    Where a record does not stand at its own place, or answers are missing, places say nothing any
    more: then a refusal is nobody's, and what is not named as done is unknown.
    """
    kind = parcel.items[0].kind
    id_column = reading.facts.kinds[kind].id
    if reading.outcomes is not None and kind == DEAL:
        id_column = key_of(reading.outcomes)
    named = [_record_id(answer, id_column) for answer in answers]
    done = {one: answer for one, answer in zip(named, answers, strict=True) if one}
    ids = [item.ref.id for item in parcel.items if item.ref is not None]
    in_order = len(answers) == len(ids) and all(
        one in ("", record_id) for one, record_id in zip(named, ids, strict=True)
    )
    left = [one for one, answer in zip(named, answers, strict=True) if not one]
    outcomes: list[Outcome] = []
    for place, item in enumerate(parcel.items):
        assert item.ref is not None, "an update concerns a record"
        answer = done.get(item.ref.id)
        if answer is None and in_order:
            answer = answers[place]
        if answer is None and len(left) == 1 and len(answers) == len(ids):
            answer = answers[named.index("")]
        outcomes.append(_outcome(item, answer))
    return outcomes


def _outcome(item: ParcelItem, answer: Answer | None) -> Outcome:
    if answer is None or item.ref is None:
        unknown = OutcomeUnknown("Dataverse's answer left it out.", record=str(item.ref))
        return Outcome(item.key, item.item_id, error=unknown)
    try:
        with understood("The answer to a write", write=True, trace_id=answer.trace_id):
            error = judge(answer)
            version = "" if error else str(answer.json[ETAG])
    except TieoutError as wrong:
        error = wrong
    if error is not None:
        return Outcome(item.key, item.item_id, error=error, trace_id=answer.trace_id)
    receipt = Receipt(item.ref, Version(version))
    return Outcome(item.key, item.item_id, receipt, trace_id=answer.trace_id)


def _record_id(answer: Answer, id_column: str) -> str:
    """Return the id of the record that an answer says was written; empty for a refusal."""
    if answer.status >= 300:
        return ""
    try:
        told = answer.json
    except TieoutError:
        told = None
    if isinstance(told, Mapping) and told.get(id_column):
        return str(told[id_column]).lower()
    found = _ADDRESS.search(answer.headers.get("odata-entityid", ""))
    return found[1].lower() if found else ""


def _made(reading: Reading, parcel: Parcel, answers: Sequence[Answer]) -> Outcome:
    """Return what became of the one thing that a batch makes."""
    item = parcel.items[0]
    reading.forget_descriptions()
    if len(answers) != 1:
        unknown = OutcomeUnknown("Dataverse did not say whether it was made.")
        return Outcome(item.key, item.item_id, error=unknown)
    error = judge(answers[0])
    if error is not None:
        return Outcome(item.key, item.item_id, error=error, trace_id=error.trace_id)
    reading.unpublished = item.kind != PUBLISH
    ref = Ref(reading.company, item.kind, _name_of(reading, parcel))
    return Outcome(item.key, item.item_id, Receipt(ref, Version("1")), trace_id=answers[0].trace_id)


def _name_of(reading: Reading, parcel: Parcel) -> str:
    """Return the name of what a call makes, with what it is for: ``deal.tieout_mark``."""
    text = parcel.body.decode()
    found = _NAMED.search(text)
    about = next(
        (kind.name for kind in reading.facts.kinds.values() if f"'{kind.table}'" in text),
        ORGANIZATION,
    )
    return f"{about}.{found[1] if found else reading.facts.solution}"
