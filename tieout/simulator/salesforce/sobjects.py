"""Kinds and single records: describe, read, create, change, delete, and by external id.

Source: REST API Developer Guide, "sObject Basic Information", "sObject Describe", "sObject Rows",
"sObject Rows by External ID", "sObject Blob Get".
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tieout.simulator.salesforce import writing
from tieout.simulator.salesforce.call import Call, Reply
from tieout.simulator.salesforce.errors import Refusal, RowError, not_found
from tieout.simulator.salesforce.fields import Field, shown, taken
from tieout.simulator.salesforce.ids import long_id
from tieout.simulator.salesforce.kinds import Kind
from tieout.simulator.salesforce.soql import attributes
from tieout.simulator.salesforce.tables import Values


def list_kinds(call: Call) -> Reply:
    """List the kinds that the user may see."""
    kinds = (one for one in call.org.kinds.values() if call.sight.kind(one.name) is one)
    told = [_kind_shown(call, one) for one in kinds]
    return Reply({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": told})


def basic(call: Call) -> Reply:
    """Tell of one kind what the list tells."""
    kind = call.kind()
    return Reply({"objectDescribe": _kind_shown(call, kind), "recentItems": []})


def describe(call: Call) -> Reply:
    """Describe one kind: the fields that the user may see, its children, its record types."""
    kind = call.kind()
    seen, edited = call.org.sight(call.user, kind)
    children = [
        {
            "cascadeDelete": False,
            "childSObject": child.name,
            "deprecatedAndHidden": False,
            "field": one.name,
            "relationshipName": one.children,
        }
        for child in call.org.kinds.values()
        for one in child.fields.values()
        if kind.name in one.refers_to
    ]
    return Reply(
        {
            **_kind_shown(call, kind),
            "childRelationships": children,
            "fields": [
                one.shown(may_edit=name in edited)
                for name, one in kind.fields.items()
                if name in seen
            ],
            "recordTypeInfos": [*kind.record_types, _MASTER],
        }
    )


def read(call: Call) -> Reply:
    """Read one record by its id; `fields` names what is wanted."""
    kind = call.kind()
    return Reply(shown_record(call, kind, _found(call, kind, call.words["id"])))


def create(call: Call) -> Reply:
    """Make one record."""
    kind = call.kind()
    made = _refusing(lambda: writing.create(call.org, call.writer, kind, _sent(call)))
    path = f"/services/data/v{call.version}/sobjects/{kind.name}/{made}"
    return Reply({"id": made, "success": True, "errors": []}, 201, {"Location": path})


def change(call: Call) -> Reply:
    """Change one record."""
    kind = call.kind()
    record = _found(call, kind, call.words["id"])
    sent = _sent(call)
    _refusing(lambda: writing.update(call.org, call.writer, kind, record["Id"], sent))
    return Reply(status=204)


def remove(call: Call) -> Reply:
    """Delete one record."""
    kind = call.kind()
    record = _found(call, kind, call.words["id"])
    _refusing(lambda: writing.delete(call.org, call.writer, kind, record["Id"]))
    return Reply(status=204)


def read_within(call: Call) -> Reply:
    """Read a record by an external id, or the bytes of a record's file."""
    kind, name, value = call.kind(), call.words["by"], call.words["value"]
    if name.lower() in kind.by_name:
        record = _held(call, kind, _external(call, kind, name), value)
        if record is None:
            raise not_found()
        return Reply(shown_record(call, kind, record))
    record = _found(call, kind, name)
    field = call.sight.field(kind, value)
    if field is None or field.type != "base64":
        raise not_found()
    content = call.org.blobs.get(record["Id"], b"")
    return Reply(raw=content, media_type="application/octetstream")


def upsert(call: Call) -> Reply:
    """Change the record that holds an external id, or make one."""
    kind = call.kind()
    field = _external(call, kind, call.words["by"])
    if field.type == "id":
        return change(replace(call, words={**call.words, "id": call.words["value"]}))
    made, created = _refusing(
        lambda: upsert_record(call, kind, field, call.words["value"], _sent(call))
    )
    told = {"id": made, "success": True, "errors": [], "created": created}
    return Reply(told, 201 if created else 200)


def upsert_record(
    call: Call, kind: Kind, field: Field, value: Any, sent: Mapping[str, Any]
) -> tuple[str, bool]:
    """Write by an external id; returns the record's id, and whether it was made.

    Raises:
        RowError: it is not written.
        Refusal: 300, several records hold the value.
    """
    if any(name.lower() == field.name.lower() for name in sent):
        raise RowError(
            "INVALID_FIELD",
            f"The {field.name} field should not be specified in the sobject data.",
            [field.name],
        )
    held = _held(call, kind, field, value)
    if held is not None:
        writing.update(call.org, call.writer, kind, held["Id"], sent)
        return str(held["Id"]), False
    return writing.create(call.org, call.writer, kind, {**sent, field.name: value}), True


def external_field(call: Call, kind: Kind, name: str) -> Field:
    """Return the external id field of a name.

    Raises:
        Refusal: 404, it is none, or the user may not see it.
    """
    return _external(call, kind, name)


def shown_record(call: Call, kind: Kind, record: Values) -> dict[str, Any]:
    """Return a record as the wire has it, with the fields that were asked for, or all.

    Raises:
        Refusal: 400, a field is not there.
    """
    asked = call.query.get("fields")
    if asked:
        fields = []
        for name in asked.split(","):
            field = call.sight.field(kind, name.strip())
            if field is None:
                raise Refusal(
                    400, "INVALID_FIELD", f"No such column '{name}' on sobject of type {kind.name}"
                )
            fields.append(field)
    else:
        seen = call.org.sight(call.user, kind)[0]
        fields = [one for name, one in kind.fields.items() if name in seen]
    told: dict[str, Any] = {"attributes": attributes(call.version, kind.name, record["Id"])}
    for field in fields:
        if field.type == "base64":
            path = f"/services/data/v{call.version}/sobjects/{kind.name}/{record['Id']}"
            told[field.name] = f"{path}/{field.name}"
        elif field.type == "boolean":
            told[field.name] = bool(record.get(field.name))
        else:
            told[field.name] = shown(record.get(field.name))
    if asked and "Id" not in told:
        told["Id"] = record["Id"]
    return told


_MASTER = {
    "active": True,
    "available": True,
    "defaultRecordTypeMapping": True,
    "developerName": "Master",
    "master": True,
    "name": "Master",
    "recordTypeId": "012000000000000AAA",
}


def _kind_shown(call: Call, kind: Kind) -> dict[str, Any]:
    base = f"/services/data/v{call.version}/sobjects/{kind.name}"
    may_write = call.org.may(call.user, kind, write=True)
    return {
        "createable": may_write,
        "custom": kind.custom,
        "customSetting": False,
        "deletable": kind.deletable and may_write,
        "keyPrefix": kind.prefix,
        "label": kind.label,
        "labelPlural": kind.plural,
        "layoutable": not kind.setup,
        "mergeable": kind.mergeable,
        "name": kind.name,
        "queryable": True,
        "replicateable": True,
        "retrieveable": True,
        "searchable": not kind.setup,
        "triggerable": not kind.setup,
        "undeletable": kind.deletable,
        "updateable": may_write,
        "urls": {
            "sobject": base,
            "describe": f"{base}/describe",
            "rowTemplate": f"{base}/{{ID}}",
        },
    }


def _found(call: Call, kind: Kind, record_id: str) -> Values:
    full = long_id(record_id)
    record = call.org.tables[kind.name].records.get(full or "")
    if record is None:
        raise not_found()
    if record.get("IsDeleted"):
        raise Refusal(404, "ENTITY_IS_DELETED", "entity is deleted", [])
    return record


def _external(call: Call, kind: Kind, name: str) -> Field:
    field = call.sight.field(kind, name)
    if field is None or not (field.external_id or field.type == "id"):
        raise not_found(f"Provided external ID field does not exist or is not accessible: {name}")
    return field


def _held(call: Call, kind: Kind, field: Field, value: Any) -> Values | None:
    table = call.org.tables[kind.name]
    if field.type == "id":
        return call.org.find(kind.name, str(value))
    stored = taken(field, value)
    if stored is None:
        raise RowError("MISSING_ARGUMENT", f"{field.name} not specified", [field.name])
    if not field.unique:
        several = [one for one in table.alive() if _same(field, one.get(field.name), stored)]
        if len(several) > 1:
            raise Refusal(
                300, "MULTIPLE_CHOICES", f"{len(several)} records hold {field.name} {value}"
            )
    return table.holder(field.name, stored)


def _same(field: Field, held: Any, wanted: Any) -> bool:
    if held is None:
        return False
    if field.case_sensitive:
        return bool(held == wanted)
    return str(held).casefold() == str(wanted).casefold()


def _sent(call: Call) -> dict[str, Any]:
    return {name: value for name, value in call.object().items() if name != "attributes"}


def _refusing(write: Any) -> Any:
    """Let a record's error be the request's."""
    try:
        return write()
    except RowError as error:
        raise error.refusal() from error
