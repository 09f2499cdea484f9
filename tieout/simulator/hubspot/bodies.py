"""Which names and types the body of each operation has; anything else is refused.

Source: github.com/HubSpot/HubSpot-public-api-spec-collection, 2026-03: Objects, Associations,
Properties. What it calls required and the guides leave out (a search's `after`, a record's
`associations`) may be missing here too. That an unknown name is refused is unconfirmed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from tieout.simulator.hubspot.errors import bad_request


@dataclass(frozen=True, slots=True)
class Names:
    """An object: the names that it must have, and those that it may have."""

    must: Mapping[str, Form]
    may: Mapping[str, Form]


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list."""

    each: Form


@dataclass(frozen=True, slots=True)
class MapOf:
    """An object of free names."""

    values: Form


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of several forms."""

    forms: tuple[Form, ...]


class Scalar:
    """A property's value: a text, or a number or flag that stands for one, or nothing."""


Form: TypeAlias = type | Names | ListOf | MapOf | OneOf

_ID = Names({"id": str}, {})
_TYPE = Names({"associationCategory": str, "associationTypeId": int}, {})
_ASSOCIATION = Names({"to": _ID, "types": ListOf(_TYPE)}, {})
_VALUES = MapOf(Scalar)
_NEW = {"associations": ListOf(_ASSOCIATION)}
_TRACED = {"objectWriteTraceId": str}
_TEXTS = ListOf(str)
_FILTER = Names(
    {"propertyName": str, "operator": str},
    {"value": str, "highValue": str, "values": _TEXTS},
)
_SORT = Names({"propertyName": str}, {"direction": str})
_OPTION = Names(
    {"label": str, "value": str}, {"description": str, "displayOrder": int, "hidden": bool}
)
_CHANGED: Mapping[str, Form] = {
    **dict.fromkeys(("label", "type", "fieldType", "groupName", "description"), str),
    **dict.fromkeys(("calculationFormula", "currencyPropertyName", "numberDisplayHint"), str),
    **dict.fromkeys(("formField", "hidden", "showCurrencySymbol"), bool),
    "displayOrder": int,
    "options": ListOf(_OPTION),
}
_PROPERTY = Names(
    {"name": str, "label": str, "type": str, "fieldType": str, "groupName": str},
    {
        **dict.fromkeys(
            ("calculationFormula", "currencyPropertyName", "dataSensitivity", "description"), str
        ),
        **dict.fromkeys(("numberDisplayHint", "referencedObjectType", "textDisplayHint"), str),
        **dict.fromkeys(("externalOptions", "formField", "hasUniqueValue", "hidden"), bool),
        "showCurrencySymbol": bool,
        "displayOrder": int,
        "options": ListOf(_OPTION),
    },
)


def _batch(each: Form, **may: Form) -> Names:
    return Names({"inputs": ListOf(each)}, may)


SEARCH = Names(
    {},
    {
        "filterGroups": ListOf(Names({"filters": ListOf(_FILTER)}, {})),
        "filters": ListOf(_FILTER),
        "sorts": ListOf(OneOf((str, _SORT))),
        "properties": _TEXTS,
        "query": str,
        "limit": int,
        "after": str,
    },
)
READ = _batch(_ID, properties=_TEXTS, propertiesWithHistory=_TEXTS, idProperty=str)
CREATE = Names({"properties": _VALUES}, {**_NEW})
UPDATE = Names({"properties": _VALUES}, {})
CREATE_BATCH = _batch(Names({"properties": _VALUES}, {**_NEW, **_TRACED}))
UPDATE_BATCH = _batch(Names({"id": str, "properties": _VALUES}, {"idProperty": str, **_TRACED}))
ARCHIVE_BATCH = _batch(_ID)
MERGE = Names({"primaryObjectId": str, "objectIdToMerge": str}, {})
READ_ASSOCIATIONS = _batch(Names({"id": str}, {"after": str}))
LINK = _batch(Names({"from": _ID, "to": _ID, "types": ListOf(_TYPE)}, {}))
LINK_DEFAULT = _batch(Names({"from": _ID, "to": _ID}, {}))
UNLINK = _batch(Names({"from": _ID, "to": ListOf(_ID)}, {}))
PROPERTY = _PROPERTY
PROPERTY_CHANGED = Names({}, _CHANGED)
LABEL = Names({"label": str, "name": str}, {"inverseLabel": str})
_OWN_PROPERTY = Names(
    {"name": str, "label": str, "type": str, "fieldType": str},
    {
        **dict.fromkeys(("groupName", "description"), str),
        "hasUniqueValue": bool,
        "options": ListOf(_OPTION),
    },
)
OWN_OBJECT = Names(
    {
        "name": str,
        "labels": Names({}, {"singular": str, "plural": str}),
        "properties": ListOf(_OWN_PROPERTY),
        "requiredProperties": _TEXTS,
    },
    {
        "description": str,
        "primaryDisplayProperty": str,
        "associatedObjects": _TEXTS,
        "searchableProperties": _TEXTS,
        "secondaryDisplayProperties": _TEXTS,
    },
)
PROPERTIES = _batch(_PROPERTY)
GROUP = Names({"name": str, "label": str}, {"displayOrder": int})


def check(form: Form, body: Any) -> None:
    """Refuse a body that has not this form.

    Raises:
        Refusal: 400, naming the place.
    """
    wrong = _wrong(form, body, "")
    if wrong:
        raise bad_request(f"Invalid input JSON: {wrong}")


def _wrong(form: Form, value: Any, place: str) -> str:
    """Return what is wrong with a value, empty if nothing is."""
    match form:
        case Names():
            return _wrong_names(form, value, place)
        case ListOf():
            if not isinstance(value, list):
                return f"{place} must be a list"
            parts = enumerate(value)
            return next(filter(None, (_wrong(form.each, v, f"{place}[{n}]") for n, v in parts)), "")
        case MapOf():
            if not isinstance(value, dict):
                return f"{place} must be an object"
            held = value.items()
            return next(filter(None, (_wrong(form.values, v, f"{place}.{n}") for n, v in held)), "")
        case OneOf():
            told = [_wrong(one, value, place) for one in form.forms]
            return told[-1] if all(told) else ""
        case _:
            return "" if _is(form, value) else f"{place} is of another type"


def _wrong_names(form: Names, value: Any, place: str) -> str:
    if not isinstance(value, dict):
        return f"{place or 'the body'} must be an object"
    for name in form.must:
        if value.get(name) is None:
            return f"{place}.{name} is missing"
    for name, held in value.items():
        known = form.must.get(name) or form.may.get(name)
        if known is None:
            return f"unknown field {place}.{name}"
        wrong = _wrong(known, held, f"{place}.{name}") if held is not None else ""
        if wrong:
            return wrong
    return ""


def _is(form: type, value: Any) -> bool:
    if form is Scalar:
        return not isinstance(value, dict | list)
    if form is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, form)
