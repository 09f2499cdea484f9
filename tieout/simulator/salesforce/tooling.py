"""The Tooling API, as far as a field is made by it and found again.

A field that is made so is seen by nobody but the administrator, until a permission set grants it.
Sources: Tooling API Reference, "CustomField", "FieldDefinition", "EntityDefinition"; Metadata API
Developer Guide, "CustomField".
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tieout.simulator.salesforce import queries
from tieout.simulator.salesforce.call import Call, Reply
from tieout.simulator.salesforce.errors import Refusal, not_found
from tieout.simulator.salesforce.fields import Field
from tieout.simulator.salesforce.ids import id_of
from tieout.simulator.salesforce.kinds import Kind, flag, kind, text, to
from tieout.simulator.salesforce.org import SalesforceOrg
from tieout.simulator.salesforce.tables import Table

MAX_UNIQUE = 25
"""External ids of one kind."""
MAX_NAME_CHARS = 40
MAX_DIGITS = 18
_MAX_LENGTH = {"Text": 255, "LongTextArea": 131_072, "TextArea": 255, "Html": 131_072}
_TYPES: Mapping[str, str] = {
    "Text": "string",
    "TextArea": "textarea",
    "LongTextArea": "textarea",
    "Url": "url",
    "Email": "email",
    "Phone": "phone",
    "Checkbox": "boolean",
    "Date": "date",
    "DateTime": "datetime",
    "Number": "double",
    "Currency": "currency",
    "Percent": "percent",
    "Picklist": "picklist",
    "Lookup": "reference",
}
_LENGTHS = {"Url": 255, "Email": 80, "Phone": 40, "TextArea": 255, "Picklist": 255}


def create_field(call: Call) -> Reply:
    """Make a custom field.

    Raises:
        Refusal: 400, its name is taken or not allowed, or its metadata are not whole; 403, the
            user may not customize the application.
    """
    org, body = call.org, call.object()
    if call.user not in org.customizers:
        raise Refusal(
            403, "INSUFFICIENT_ACCESS", "insufficient access rights on cross-reference id"
        )
    full, metadata = body.get("FullName"), body.get("Metadata")
    if not isinstance(full, str) or not isinstance(metadata, dict):
        raise Refusal(
            400,
            "REQUIRED_FIELD_MISSING",
            "Required fields are missing: [FullName, Metadata]",
            ["FullName", "Metadata"],
        )
    name, _, field_name = full.partition(".")
    owner = org.kind(name)
    if owner is None or owner.tooling:
        raise Refusal(
            400, "INVALID_CROSS_REFERENCE_KEY", f"Entity Enumeration Or ID: {name} is not known", []
        )
    _check_name(owner, field_name)
    made = field_of(field_name, metadata)
    if any(org.kind(one) is None for one in made.refers_to):
        raise _wrong(f"referenceTo: {made.refers_to[0]} is not known")
    held = [one for one in owner.fields.values() if one.external_id]
    if made.external_id and len(held) >= MAX_UNIQUE:
        raise Refusal(400, "LIMIT_EXCEEDED", "The limit of external ids is reached", [])
    owner.add(made)
    org.tables[owner.name].reindex()
    org.forget_sight()
    record_id = field_id(org, owner.name, field_name)
    told = {"id": record_id, "success": True, "errors": [], "warnings": [], "infos": []}
    return Reply(told, 201)


def delete_field(call: Call) -> Reply:
    """Delete a custom field by its id.

    Raises:
        Refusal: 404, there is none.
    """
    wanted = call.words["id"]
    found = next((key for key, one in call.org.field_ids.items() if one == wanted), None)
    if found is None or call.user not in call.org.customizers:
        raise not_found()
    owner = call.org.kinds[found[0]]
    owner.remove(found[1])
    call.org.tables[owner.name].reindex()
    del call.org.field_ids[found]
    call.org.forget_sight()
    return Reply(status=204)


def query(call: Call) -> Reply:
    """Answer a query over what fields and kinds there are."""
    _refresh(call.org)
    seeing = replace(call, tooling=True)
    return Reply(queries.answer(seeing, call.query.get("q"), all_rows=False))


def field_of(name: str, metadata: Mapping[str, Any]) -> Field:
    """Return the field that metadata describe.

    Raises:
        Refusal: 400, a part is missing or not allowed.
    """
    kind_of_field = str(metadata.get("type"))
    if kind_of_field not in _TYPES:
        raise _wrong(f"Field type {kind_of_field} is not known here")
    label = metadata.get("label")
    if not isinstance(label, str) or not 0 < len(label) <= MAX_NAME_CHARS:
        raise _wrong(f"Label must have 1 to {MAX_NAME_CHARS} characters")
    length = _whole(metadata, "length") or _LENGTHS.get(kind_of_field, 0)
    most = _MAX_LENGTH.get(kind_of_field)
    if most is not None and not 0 < length <= most:
        raise _wrong(f"Length must be 1 to {most} for {kind_of_field}")
    precision, scale = _whole(metadata, "precision"), _whole(metadata, "scale")
    number = kind_of_field in {"Number", "Currency", "Percent"}
    if number and not (1 <= precision <= MAX_DIGITS and 0 <= scale <= precision):
        raise _wrong(f"Precision must be 1 to {MAX_DIGITS}, scale no more than it")
    unique, external = bool(metadata.get("unique")), bool(metadata.get("externalId"))
    if (unique or external) and kind_of_field not in {"Text", "Number", "Email"}:
        raise _wrong(f"A {kind_of_field} cannot be unique")
    if kind_of_field == "Checkbox" and "defaultValue" not in metadata:
        raise _wrong("Must specify 'defaultValue' for a CustomField of type Checkbox")
    lookup = kind_of_field == "Lookup"
    return Field(
        name,
        _TYPES[kind_of_field],
        label=label,
        length=0 if number else length,
        precision=precision,
        scale=scale,
        nillable=not metadata.get("required") and kind_of_field != "Checkbox",
        unique=unique,
        external_id=external,
        case_sensitive=unique and bool(metadata.get("caseSensitive")),
        options=_options(metadata),
        restricted=_part(metadata, "valueSet").get("restricted") is True,
        refers_to=(_text(metadata, "referenceTo"),) if lookup else (),
        relationship=f"{name[:-3]}__r" if lookup else None,
        children=f"{_text(metadata, 'relationshipName')}__r" if lookup else None,
        default=str(metadata["defaultValue"]).lower() == "true"
        if kind_of_field == "Checkbox"
        else None,
    )


def field_id(org: SalesforceOrg, kind_name: str, name: str) -> str:
    """Return the id of a custom field, given to it once."""
    known = org.field_ids.get((kind_name, name))
    if known is None:
        org.issued += 1
        known = org.field_ids[kind_name, name] = id_of("00N", org.issued)
    return known


def tooling_kinds() -> list[Kind]:
    """Return the kinds that only the Tooling API knows."""
    custom = kind(
        "CustomField",
        "00N",
        (text("DeveloperName"), text("TableEnumOrId"), text("FullName"), text("NamespacePrefix")),
        tooling=True,
    )
    entity = kind(
        "EntityDefinition",
        "4ie",
        (text("QualifiedApiName"), text("Label"), text("DurableId"), flag("IsCustomizable")),
        tooling=True,
    )
    definition = kind(
        "FieldDefinition",
        "4fe",
        (
            text("QualifiedApiName"),
            text("DeveloperName"),
            text("Label"),
            text("DataType"),
            text("DurableId"),
            to("EntityDefinitionId", "EntityDefinition"),
        ),
        tooling=True,
    )
    return [custom, entity, definition]


def _refresh(org: SalesforceOrg) -> None:
    """Write down anew what fields and kinds there are."""
    for made in tooling_kinds():
        org.kinds[made.name] = made
        org.tables[made.name] = Table(made)
        org.lower[made.name.lower()] = made.name
    for owner in [one for one in org.kinds.values() if not one.tooling]:
        entity = org.plant(
            "EntityDefinition",
            {
                "QualifiedApiName": owner.name,
                "Label": owner.label,
                "DurableId": owner.name,
                "IsCustomizable": not owner.setup,
            },
        )
        for field in owner.fields.values():
            plain = field.name.removesuffix("__c")
            told = {
                "QualifiedApiName": field.name,
                "DeveloperName": plain,
                "Label": field.label or plain,
                "DataType": _data_type(field),
                "DurableId": f"{owner.name}.{field.name}",
                "EntityDefinitionId": entity,
            }
            org.plant("FieldDefinition", told)
            if field.custom:
                record_id = field_id(org, owner.name, field.name)
                named = {"DeveloperName": plain, "TableEnumOrId": owner.name}
                full = f"{owner.name}.{field.name}"
                org.plant("CustomField", {"Id": record_id, "FullName": full, **named})


def _data_type(field: Field) -> str:
    if field.type == "string":
        return f"Text({field.length})"
    if field.type in {"double", "currency", "percent"}:
        name = "Number" if field.type == "double" else field.type.capitalize()
        return f"{name}({field.precision - field.scale}, {field.scale})"
    return field.type.capitalize()


def _options(metadata: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    values = _part(_part(metadata, "valueSet"), "valueSetDefinition").get("value")
    listed = values if isinstance(values, list) else []
    named = [_text(one, "fullName") for one in listed if isinstance(one, dict)]
    if len(named) < len(listed):
        raise _wrong("A value of a picklist is an object with a fullName")
    labels = [str(one.get("label") or one["fullName"]) for one in listed]
    return tuple(zip(named, labels, strict=True))


def _whole(metadata: Mapping[str, Any], name: str) -> int:
    value = metadata.get(name)
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong(f"{name} must be a whole number")
    return value


def _text(metadata: Mapping[str, Any], name: str) -> str:
    value = metadata.get(name)
    if not isinstance(value, str) or not value:
        raise _wrong(f"{name} must be a text")
    return value


def _part(metadata: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = metadata.get(name)
    return value if isinstance(value, dict) else {}


def _check_name(owner: Kind, name: str) -> None:
    plain = name.removesuffix("__c")
    allowed = plain.isascii() and plain.replace("_", "").isalnum() and plain[:1].isalpha()
    too_much = "__" in plain or plain.endswith("_") or len(plain) > MAX_NAME_CHARS
    if not name.endswith("__c") or not allowed or too_much:
        raise Refusal(
            400,
            "FIELD_INTEGRITY_EXCEPTION",
            f"Field Name: The field name {name} can only contain alphanumeric characters, must "
            "begin with a letter, cannot end with an underscore or contain two consecutive "
            "underscore characters, and must end with __c",
            ["DeveloperName"],
        )
    if name.lower() in owner.by_name:
        raise Refusal(
            400,
            "DUPLICATE_DEVELOPER_NAME",
            f"There is already a field named {plain} on {owner.label}.",
            ["DeveloperName"],
        )


def _wrong(message: str) -> Refusal:
    return Refusal(400, "FIELD_INTEGRITY_EXCEPTION", message, [])
