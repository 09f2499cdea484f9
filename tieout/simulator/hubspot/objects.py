"""Reading and writing records: one, listed, searched, in batches, merged.

Sources: developers.hubspot.com/docs/api-reference/2026-03/crm, pages "Objects" and "Error
handling" (multi-status errors); R41. A batch without a trace id on every input fails whole at the
first wrong value; with them it answers 207 and names what failed. Results come in no promised
order, and a merged record answers under its new id: neither repeats what was asked.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from tieout.simulator.hubspot.call import Call, Reply, batch, start, whole
from tieout.simulator.hubspot.errors import Refusal, bad_request, not_found, objects_not_found
from tieout.simulator.hubspot.links import PRIMARY
from tieout.simulator.hubspot.portal import HubSpotPortal
from tieout.simulator.hubspot.records import Record, fold, value_of
from tieout.simulator.hubspot.schema import Kind, instant_text

LIST_PAGE = 100
DEFAULT_LIST_PAGE = 10

Given = Mapping[str, Any]


def search(call: Call) -> Reply:
    """Answer `POST /{kind}/search`."""
    if not isinstance(call.body, dict):
        raise bad_request("Invalid input JSON")
    kind = call.kind()
    found = call.searcher.search(kind, call.body)
    names = call.body.get("properties")
    content: dict[str, Any] = {
        "total": found.total,
        "results": [shown(call.portal, kind, record, names) for record in found.records],
    }
    if found.next_after is not None:
        content["paging"] = {"next": {"after": found.next_after}}
    return Reply(content)


def read_one(call: Call) -> Reply:
    """Answer `GET /{kind}/{id}`; an id that was merged answers as the record it is part of."""
    kind = call.kind()
    record = _asked_for(call, archived=call.flag("archived"))
    names, past = call.names("properties"), call.names("propertiesWithHistory")
    return Reply(shown(call.portal, kind, record, names, past))


def read_list(call: Call) -> Reply:
    """Answer `GET /{kind}`: all, or all archived ones, by id."""
    kind = call.kind()
    limit = whole(call, "limit", DEFAULT_LIST_PAGE, LIST_PAGE)
    after = start(call)
    archived = call.flag("archived")
    kept = call.portal.shelves[kind.name].records.values()  # ids only grow: the oldest first
    matching = (
        record
        for record in kept
        if record.id >= after
        and (record.archived is not None) == archived
        and not call.portal.is_purged(record)
    )
    records = list(islice(matching, limit + 1))
    names = call.names("properties")
    content: dict[str, Any] = {
        "results": [shown(call.portal, kind, record, names) for record in records[:limit]]
    }
    if len(records) > limit:
        content["paging"] = {"next": {"after": str(records[limit].id)}}
    return Reply(content)


def read_batch(call: Call) -> Reply:
    """Answer `POST /{kind}/batch/read`: ids that are not there are left out and named (207)."""
    kind, portal = call.kind(), call.portal
    inputs = call.inputs()
    id_property = call.body.get("idProperty")
    archived = call.flag("archived")
    found: dict[int, Record] = {}
    missing: list[str] = []
    for one in inputs:
        asked = str(one.get("id", ""))
        record = (
            portal.find_by(kind.name, id_property, asked)
            if id_property
            else portal.find(kind.name, asked, archived=archived)
        )
        if record is None or (record.archived is not None) != archived:
            missing.append(asked)
        else:
            found[record.id] = record
    names, past = call.body.get("properties"), call.body.get("propertiesWithHistory")
    results = [shown(portal, kind, found[one], names, past) for one in sorted(found)]
    refusal = objects_not_found(kind.singular, missing)
    return batch(call, results, [refusal.batch_error(None)] if missing else [])


def create_one(call: Call) -> Reply:
    """Answer `POST /{kind}`."""
    kind = call.kind()
    _check_create(call, kind, _body(call))
    record = _create(call, kind, _body(call))
    return Reply(shown(call.portal, kind, record, list(_properties(_body(call)))), 201)


def update_one(call: Call) -> Reply:
    """Answer `PATCH /{kind}/{id}`."""
    kind = call.kind()
    record = _asked_for(call)
    given = _properties(_body(call))
    _check_update(call, kind, record, given)
    changed = call.portal.update(kind.name, record, given)
    return Reply(shown(call.portal, kind, changed, list(given)))


def archive_one(call: Call) -> Reply:
    """Answer `DELETE /{kind}/{id}`: 204, also if it is archived already."""
    kind = call.kind()
    record = call.portal.find(kind.name, call.words["id"])
    if record is not None:
        call.portal.archive(kind.name, record)
    return Reply(status=204)


def create_batch(call: Call) -> Reply:
    """Answer `POST /{kind}/batch/create`."""
    kind = call.kind()
    inputs = call.inputs()
    return _written(
        call,
        inputs,
        check=lambda one: _check_create(call, kind, one),
        write=lambda one: _create(call, kind, one),
        status=201,
    )


def update_batch(call: Call) -> Reply:
    """Answer `POST /{kind}/batch/update`."""
    kind = call.kind()
    inputs = call.inputs()
    targets: dict[int, Record] = {}
    missing: list[Given] = []
    present: list[Given] = []
    for one in inputs:
        record = _target(call, kind, one)
        if record is None:
            missing.append(one)
        elif record.id in targets:
            raise bad_request(f"Duplicate IDs found in batch input: [{record.id}].")
        else:
            targets[record.id] = record
            present.append(one)

    def target(one: Given) -> Record:
        record = _target(call, kind, one)
        if record is None:
            raise AssertionError("a target vanished within its batch")
        return record

    return _written(
        call,
        present,
        check=lambda one: _check_update(call, kind, target(one), _properties(one)),
        write=lambda one: call.portal.update(kind.name, target(one), _properties(one)),
        errors=_missing_errors(kind, missing),
    )


def upsert_batch(call: Call) -> Reply:
    """Answer `POST /{kind}/batch/upsert`: by a unique property, each result tells if it is new."""
    kind = call.kind()
    inputs = call.inputs()
    new: set[int] = set()

    def given(one: Given) -> dict[str, Any]:
        return {**_properties(one), str(one.get("idProperty")): one.get("id")}

    def check(one: Given) -> None:
        record = _target(call, kind, one)
        if record is None:
            _check_create(call, kind, {**one, "properties": given(one)})
        else:
            _check_update(call, kind, record, _properties(one))

    def write(one: Given) -> Record:
        record = _target(call, kind, one)
        if record is not None:
            return call.portal.update(kind.name, record, _properties(one))
        made = call.portal.create(kind.name, given(one))
        new.add(made.id)
        return made

    reply = _written(call, inputs, check=check, write=write)
    for result in reply.content["results"]:
        result["new"] = int(result["id"]) in new
    return reply


def archive_batch(call: Call) -> Reply:
    """Answer `POST /{kind}/batch/archive`: 204."""
    kind = call.kind()
    for one in call.inputs():
        record = call.portal.find(kind.name, str(one.get("id")))
        if record is not None:
            call.portal.archive(kind.name, record)
    return Reply(status=204)


def merge(call: Call) -> Reply:
    """Answer `POST /{kind}/merge`: a new record with a new id (R41)."""
    kind, portal = call.kind(), call.portal
    body = _body(call)
    ids = [str(body.get(name, "")) for name in ("primaryObjectId", "objectIdToMerge")]
    records = [portal.find(kind.name, one) for one in ids]
    for asked, record in zip(ids, records, strict=True):
        if record is None:
            raise not_found(f"No {kind.singular} with ID {asked} exists")
    primary, other = records
    if primary is None or other is None or primary.id == other.id:
        raise bad_request("A record cannot be merged with itself")
    return Reply(shown(portal, kind, portal.merge(kind.name, primary, other)))


def shown(
    portal: HubSpotPortal,
    kind: Kind,
    record: Record,
    names: Sequence[str] | None = None,
    past: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Return a record as the wire shows it.

    Every value is a text; a known property without a value is null, an unknown one is left out.
    """
    wanted = kind.shown if names is None else (*names, kind.created, kind.modified, "hs_object_id")
    known = portal.properties[kind.name]
    content: dict[str, Any] = {
        "id": str(record.id),
        "properties": {name: value_of(kind, record, name) for name in wanted if name in known},
        "createdAt": instant_text(record.created),
        "updatedAt": instant_text(record.modified),
        "archived": record.archived is not None,
    }
    if record.archived is not None:
        content["archivedAt"] = instant_text(record.archived)
    if past:
        content["propertiesWithHistory"] = {
            name: _past(kind, record, name) for name in past if name in known
        }
    return content


def _past(kind: Kind, record: Record, name: str) -> list[dict[str, Any]]:
    """Return a property's values, newest first."""
    told = [(at, value) for at, changed, value in record.history if changed == name]
    if not told:
        value = value_of(kind, record, name)
        told = [] if value is None else [(record.created, value)]
    return [
        {"value": value, "timestamp": instant_text(at), "sourceType": "CRM_UI"}
        for at, value in reversed(told)
    ]


def _written(
    call: Call,
    inputs: Sequence[Given],
    *,
    check: Callable[[Given], None],
    write: Callable[[Given], Record],
    errors: Iterable[Mapping[str, Any]] = (),
    status: int = 200,
) -> Reply:
    """Write a batch: all or nothing, or, if every input has a trace id, what can be written."""
    kind = call.kind()
    failed = list(errors)
    results: dict[int, dict[str, Any]] = {}
    if not all(one.get("objectWriteTraceId") for one in inputs):
        _refuse_twins(call, kind, inputs)
        for one in inputs:
            check(one)
    for one in inputs:
        trace_id = one.get("objectWriteTraceId")
        try:
            check(one)
            record = write(one)
        except Refusal as refusal:
            failed.append(refusal.batch_error(trace_id))
            continue
        result = shown(call.portal, kind, record, list(_properties(one)))
        results[record.id] = (
            result
            if trace_id is None
            else {
                **result,
                "objectWriteTraceId": trace_id,
            }
        )
    return batch(call, [results[one] for one in sorted(results)], failed, status)


def _missing_errors(kind: Kind, missing: Sequence[Given]) -> list[Mapping[str, Any]]:
    """Name the ids that are not there: one entry for each trace id, or one for all."""
    if all(one.get("objectWriteTraceId") for one in missing):
        return [
            objects_not_found(kind.singular, [str(one.get("id"))]).batch_error(
                one["objectWriteTraceId"]
            )
            for one in missing
        ]
    ids = [str(one.get("id")) for one in missing]
    return [objects_not_found(kind.singular, ids).batch_error(None)]


def _refuse_twins(call: Call, kind: Kind, inputs: Sequence[Given]) -> None:
    """Refuse a batch that gives one unique value twice."""
    for name in call.portal.shelves[kind.name].unique:
        given = [fold(name, str(value)) for one in inputs if (value := _properties(one).get(name))]
        if len(set(given)) < len(given):
            raise bad_request(f"Duplicate values of {name} found in batch input")


def _check_create(call: Call, kind: Kind, one: Given) -> None:
    shelf = call.portal.shelves[kind.name]
    given = _properties(one)
    call.portal.demand_required(kind.name, call.version, given)
    call.portal.checked(kind.name, given, shelf.next_id)
    for target_kind, target, _ in _associations(call, kind, one):
        if call.portal.find(target_kind, target) is None:
            told = call.portal.kinds[target_kind].singular
            raise not_found(f"No {told} with ID {target} exists")


def _create(call: Call, kind: Kind, one: Given) -> Record:
    record = call.portal.create(kind.name, _properties(one))
    labels = call.portal.links.labels
    for target_kind, target, type_id in _associations(call, kind, one):
        pair = (kind.name, target_kind)
        primary = labels[pair][type_id] == PRIMARY
        call.portal.link(pair, record.id, int(target), primary=primary, types=[type_id])
    return record


def _check_update(call: Call, kind: Kind, record: Record, given: Given) -> None:
    changes = call.portal.checked(kind.name, given, record.id, record)
    call.portal.demand_required(kind.name, call.version, {**record.values, **changes})


def _associations(call: Call, kind: Kind, one: Given) -> list[tuple[str, str, int]]:
    """Return (target kind, target id, type id) of what a new record is linked with."""
    labels = call.portal.links.labels
    wanted: list[tuple[str, str, int]] = []
    for association in one.get("associations") or ():
        target = str(association.get("to", {}).get("id", ""))
        for told in association.get("types") or ():
            type_id = told.get("associationTypeId")
            pair = next(
                (p for p, ids in labels.items() if p[0] == kind.name and type_id in ids), None
            )
            if pair is None or not target.isdecimal():
                raise bad_request(f"{type_id} is no association type of {kind.singular}")
            wanted.append((pair[1], target, type_id))
    return wanted


def _target(call: Call, kind: Kind, one: Given) -> Record | None:
    """Find the record of an input, by its id or by its `idProperty`."""
    asked = str(one.get("id", ""))
    name = one.get("idProperty")
    if name == "hs_object_id":
        raise bad_request(
            f"Unable to perform update/upsert by non-unique {kind.type_id} property {name} "
            f"in portal ID {call.portal.portal_id}"
        )
    if name:
        return call.portal.find_by(kind.name, str(name), asked)
    return call.portal.find(kind.name, asked)


def _asked_for(call: Call, *, archived: bool = False) -> Record:
    kind, asked = call.kind(), call.words["id"]
    name = call.query.get("idProperty")
    record = (
        call.portal.find_by(kind.name, name, asked)
        if name
        else call.portal.find(kind.name, asked, archived=archived)
    )
    if record is None or (record.archived is not None) != archived:
        raise not_found()
    return record


def _body(call: Call) -> Given:
    if not isinstance(call.body, dict):
        raise bad_request("Invalid input JSON")
    return call.body


def _properties(one: Given) -> Given:
    given = one.get("properties") or {}
    if not isinstance(given, dict):
        raise bad_request("Invalid input JSON: properties must be an object")
    return given
