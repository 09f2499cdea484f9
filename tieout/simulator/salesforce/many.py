"""Collections: up to 200 records in one call, each answered on its own.

Sources: REST API Developer Guide, "sObject Collections", "Create", "Update", "Upsert", "Retrieve"
and "Delete Records Using sObject Collections" (types that alternate make chunks, of which ten are
allowed).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby
from typing import Any

from tieout.simulator.salesforce import sobjects, writing
from tieout.simulator.salesforce.call import Call, Reply
from tieout.simulator.salesforce.errors import Refusal, RowError
from tieout.simulator.salesforce.ids import long_id
from tieout.simulator.salesforce.kinds import Kind

MAX_RECORDS = 200
MAX_CHUNKS = 10
MAX_READ = 2000
Row = Mapping[str, Any]


def create(call: Call) -> Reply:
    """Make records of any kinds."""

    def make(kind: Kind, row: Row) -> dict[str, Any]:
        if any(name.lower() == "id" for name in row):
            raise RowError("INVALID_FIELD", "cannot specify Id in an insert call", ["Id"])
        return _done(writing.create(call.org, call.writer, kind, row))

    return _each(call, make)


def update(call: Call) -> Reply:
    """Change records of any kinds, each by its id."""

    def change(kind: Kind, row: Row) -> dict[str, Any]:
        named = next((name for name in row if name.lower() == "id"), None)
        if named is None:
            raise RowError("MISSING_ARGUMENT", "Id not specified in an update call", ["Id"])
        sent = {name: value for name, value in row.items() if name != named}
        record = writing.the_record(call.org, kind, row[named])
        writing.update(call.org, call.writer, kind, record["Id"], sent)
        return _done(record["Id"])

    return _each(call, change)


def upsert(call: Call) -> Reply:
    """Change or make records of one kind by an external id."""
    kind = call.kind()
    field = sobjects.external_field(call, kind, call.words["field"])

    def write(of: Kind, row: Row) -> dict[str, Any]:
        if of.name != kind.name:
            raise RowError("INVALID_TYPE", f"{of.name} is not the type of the request, {kind.name}")
        named = next((name for name in row if name.lower() == field.name.lower()), None)
        if named is None or row[named] in (None, ""):
            raise RowError("MISSING_ARGUMENT", f"{field.name} not specified", [field.name])
        sent = {name: value for name, value in row.items() if name != named}
        if field.type == "id":
            writing.update(call.org, call.writer, kind, row[named], sent)
            return {**_done(str(long_id(row[named]))), "created": False}
        try:
            made, created = sobjects.upsert_record(call, kind, field, row[named], sent)
        except Refusal as several:
            raise RowError("DUPLICATE_EXTERNAL_ID", several.message, [field.name]) from several
        return {**_done(made), "created": created}

    held = [_sent(one) for one in _records(call)]
    values = [
        str(value).casefold()
        for row in held
        for name, value in row.items()
        if name.lower() == field.name.lower()
    ]
    twice = {one for one in values if values.count(one) > 1}

    def write_once(of: Kind, row: Row) -> dict[str, Any]:
        named = next((name for name in row if name.lower() == field.name.lower()), None)
        if named is not None and str(row[named]).casefold() in twice:
            raise RowError(
                "DUPLICATE_VALUE",
                f"Duplicate external id specified: {row[named]}",
                [field.name],
            )
        return write(of, row)

    return _each(call, write_once)


def delete(call: Call) -> Reply:
    """Delete records by their ids, of any kinds."""
    ids = [one for one in call.query.get("ids", "").split(",") if one]
    _check_count(len(ids), MAX_RECORDS)

    def one(record_id: str) -> dict[str, Any]:
        kind = call.org.kind_of_id(record_id)
        if kind is None:
            raise RowError("MALFORMED_ID", f"malformed id {record_id}", ["Id"])
        record = writing.the_record(call.org, kind, record_id)
        writing.delete(call.org, call.writer, kind, record["Id"])
        return _done(record["Id"])

    told = call.query.get("allOrNone", "false").lower() == "true"
    return Reply(_results(call, [partial(one, each) for each in ids], all_or_none=told))


def read(call: Call) -> Reply:
    """Read records of one kind by their ids; null stands for one that is not there."""
    kind = call.kind()
    if call.body is None:
        ids = [one for one in call.query.get("ids", "").split(",") if one]
        fields = call.query.get("fields", "")
    else:
        body = call.object()
        if not all(isinstance(body.get(name), list) for name in ("ids", "fields")):
            raise Refusal(400, "JSON_PARSER_ERROR", "ids and fields must be lists")
        ids, fields = [str(one) for one in body["ids"]], ",".join(map(str, body["fields"]))
    _check_count(len(ids), MAX_READ)
    if not ids or not fields:
        raise Refusal(400, "MISSING_ARGUMENT", "ids and fields are required")
    asked = replace(call, query={"fields": fields})
    found = (call.org.find(kind.name, one) for one in ids)
    return Reply(
        [None if one is None else sobjects.shown_record(asked, kind, one) for one in found]
    )


def _each(call: Call, write: Callable[[Kind, Row], dict[str, Any]]) -> Reply:
    records = _records(call)
    kinds = []
    for record in records:
        if not isinstance(record, dict) or not isinstance(record.get("attributes"), dict):
            raise Refusal(400, "INVALID_INPUT", "The record type is not specified: attributes.type")
        kinds.append(call.typed(record["attributes"].get("type")))
    chunks = [kind for kind, _ in groupby(kinds, key=lambda one: one.name)]
    if len(chunks) > MAX_CHUNKS:
        raise Refusal(
            400,
            "LIMIT_EXCEEDED",
            f"Cannot have more than {MAX_CHUNKS} chunks in a single operation. Please rearrange "
            "the data to reduce chunking.",
        )
    if len(set(chunks)) > 1 and any(call.org.kinds[name].setup for name in chunks):
        raise Refusal(
            400,
            "MIXED_DML_OPERATION",
            "Records of a Setup object cannot be written in one call with records of others",
        )
    told = call.object().get("allOrNone", False) is True
    return Reply(
        _results(
            call,
            [
                partial(write, kind, _sent(record))
                for kind, record in zip(kinds, records, strict=True)
            ],
            all_or_none=told,
        )
    )


def _results(
    call: Call, writes: Sequence[Callable[[], dict[str, Any]]], *, all_or_none: bool
) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = []
    failed = False

    def run() -> None:
        nonlocal failed
        for write in writes:
            try:
                results.append(write())
            except RowError as error:
                failed = True
                results.append({"success": False, "errors": [error.shown()]})
        if failed and all_or_none:
            raise _rolled_back()

    try:
        with call.org.transaction():
            run()
    except RowError:
        return [
            {"success": False, "errors": [_rolled_back().shown()]} if one["success"] else one
            for one in results
        ]
    return results


def _rolled_back() -> RowError:
    return RowError(
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "Record rolled back because not all records were valid and the request was using "
        "AllOrNone header",
    )


def _records(call: Call) -> list[Any]:
    records = call.object().get("records")
    if not isinstance(records, list):
        raise Refusal(400, "JSON_PARSER_ERROR", "records must be a list")
    _check_count(len(records), MAX_RECORDS)
    return records


def _check_count(count: int, most: int) -> None:
    if count > most:
        raise Refusal(
            400,
            "EXCEEDED_ID_LIMIT",
            f"record limit reached. cannot submit more than {most} records into this call",
        )


def _sent(record: Any) -> dict[str, Any]:
    if not isinstance(record, dict):
        return {}
    return {name: value for name, value in record.items() if name != "attributes"}


def _done(record_id: str) -> dict[str, Any]:
    return {"id": record_id, "success": True, "errors": []}
