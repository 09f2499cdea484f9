"""Which fields there are, and which of them are asked for.

Salesforce refuses a whole query for one field that it does not show: removed, renamed, hidden from
the user, or of an org without several currencies. So what it shows is asked (``describe``) when a
mapping uses fields that are not standard, and when a query was refused; from then on only what is
shown is asked for, and a record that lacks what a mapping uses is held and says so.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import structlog

from connectors.salesforce import soql
from connectors.salesforce.facts import CURRENCY, Facts, Field, Kind
from connectors.salesforce.wire import Wire
from tieout.model.capability import FieldInfo
from tieout.model.contract import Opening
from tieout.model.errors import NotFound, Unsupported
from tieout.transport import Answer, understood

TYPES: Mapping[str, str] = {  # the vendor's types in our words; every other is a text
    "double": "number",
    "percent": "number",
    "int": "number",
    "long": "number",
    "currency": "money",
    "date": "date",
    "datetime": "instant",
    "boolean": "flag",
    "picklist": "choice",
}
RECORD_TYPE = "record_type"
OPTIONAL = frozenset({CURRENCY.lower(), "recordtype.developername"})  # an org may have neither

_REMEDY = (
    "Bring the field back, give the user the right to see it, or take it out of the mapping; what "
    "is held goes on by itself."
)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The fields that are asked for of a kind, and those that a mapping uses and nobody shows."""

    fields: tuple[Field, ...]
    missing: tuple[str, ...] = ()

    def hold(self, kind: Kind) -> Unsupported | None:
        """Return why a record of the kind cannot be used, None where it can."""
        if not self.missing:
            return None
        return Unsupported(
            f"{kind.object} shows no field {', '.join(self.missing)}.", remedy=_REMEDY
        )


class Schema:
    """What one org shows of its fields."""

    def __init__(self, wire: Wire, facts: Facts, opening: Opening) -> None:
        self._wire = wire
        self._facts = facts
        self._opening = opening
        self._infos: dict[str, Mapping[str, FieldInfo]] = {}
        self._chosen: dict[str, Chosen] = {}
        self._writable: dict[str, bool] = {}
        self._rows: dict[str, Mapping[str, Mapping[str, Any]]] = {}
        self._once = threading.RLock()

    def describe(self, name: str) -> Mapping[str, FieldInfo]:
        """Return the fields of a kind by the names that mappings use; asked once.

        Our own names come first; any other field is called as Salesforce does, in small letters.

        Raises:
            Unsupported: the org shows no such object, or the company's options name none for it.
            TieoutError: it was refused or not answered.
        """
        kind = self._facts.kinds.get(name)
        if kind is None:
            raise Unsupported(
                f"No object of Salesforce's is named for records of kind {name}.",
                remedy=f"Where a mapping is to read them, set the company's option {name}.",
            )
        with self._once:
            if name not in self._infos:
                self._infos[name] = self._asked(kind)
            return self._infos[name]

    def chosen(self, kind: Kind) -> Chosen:
        """Return what is asked for of a kind."""
        with self._once:
            known = self._chosen.get(kind.name)
            if known is None:
                known = self._chosen[kind.name] = self._choose(kind)
            return known

    def look_again(self, kinds: Iterable[Kind]) -> bool:
        """Ask anew what is shown of some kinds; return whether other fields are asked for now."""
        with self._once:
            before = [self.chosen(kind) for kind in kinds]
            for kind in kinds:
                self._infos[kind.name] = self._asked(kind)
                self._chosen.pop(kind.name, None)
            return [self.chosen(kind) for kind in kinds] != before

    def look_for_missing(self, kinds: Iterable[Kind]) -> None:
        """Ask anew what is shown of kinds of which something is missing: it may be back."""
        with self._once:
            lacking = [
                kind
                for kind in kinds
                if kind.name in self._chosen and self._chosen[kind.name].missing
            ]
            if lacking:
                self.look_again(lacking)

    def forget(self) -> None:
        """Ask anew which fields there are: one was made."""
        with self._once:
            self._infos.clear()
            self._chosen.clear()

    def is_writable(self, kind: Kind) -> bool:
        """Whether the user may edit records of a kind at all; asks where that is not known."""
        self.describe(kind.name)
        return self._writable[kind.name]

    def row(self, kind: Kind, field: str) -> Mapping[str, Any]:
        """Return what ``describe`` says of a field; nothing where the user is not shown it.

        Raises:
            TieoutError: as ``describe``.
        """
        self.describe(kind.name)
        return self._rows[kind.name].get(field.lower(), {})

    def _choose(self, kind: Kind) -> Chosen:
        wanted = self._opening.reads.get(kind.name)
        names = set(kind.fields if wanted is None else wanted) - {"id"}
        marker = self._facts.capabilities.kinds[kind.name].marker
        names |= {marker} if marker else set()
        strange = names - kind.fields.keys()
        shown = self.describe(kind.name) if strange else self._infos.get(kind.name)
        fields: list[Field] = []
        missing: list[str] = []
        for name in sorted(names):
            field = kind.fields.get(name) or _of(shown, name)
            if field is not None and (shown is None or name in shown):
                fields.append(field)
            elif wanted is not None and name in wanted and not _may_lack(field):
                missing.append(name if field is None else field.field)
        if missing:
            structlog.get_logger("tieout.salesforce").warning(
                "field-missing", object=kind.object, fields=missing
            )
        return Chosen(tuple(fields), tuple(missing))

    def _asked(self, kind: Kind) -> Mapping[str, FieldInfo]:
        try:
            told = self._wire.get(f"sobjects/{kind.object}/describe", _described)
        except NotFound as absent:
            raise Unsupported(
                f"The org shows no {kind.object} to this user.",
                vendor_code=absent.vendor_code,
                vendor_words=absent.vendor_words,
            ) from absent
        with understood(f"What Salesforce says of {kind.object}"):
            self._writable[kind.name] = told.get("updateable") is True
            self._rows[kind.name] = {str(row["name"]).lower(): row for row in told["fields"]}
            return _infos(kind, told)


def _may_lack(field: Field | None) -> bool:
    return field is not None and (field.provisioned or field.field.lower() in OPTIONAL)


def _of(shown: Mapping[str, FieldInfo] | None, name: str) -> Field | None:
    info = (shown or {}).get(name)
    if info is None or not soql.is_name(info.vendor_name):
        return None
    return Field(name, info.vendor_name, info.type, info.read_only)


def _described(answer: Answer) -> Mapping[str, Any]:
    told = answer.json
    fields = told.get("fields") if isinstance(told, Mapping) else None
    if not isinstance(fields, list) or not fields:
        raise answer.unclear("Salesforce did not say which fields there are.")
    return dict(told)


def _infos(kind: Kind, described: Mapping[str, Any]) -> Mapping[str, FieldInfo]:
    told: list[Mapping[str, Any]] = described["fields"]
    by_name = {str(row["name"]).lower(): row for row in told}
    parents = {str(row.get("relationshipName") or "").lower() for row in told} - {""}
    infos = {"id": FieldInfo("id", "text", "Record ID", "Id", read_only=True, unique=True)}
    ours: set[str] = set()
    for field in kind.fields.values():
        first = field.path[0].lower()
        if len(field.path) > 1 and first in parents:
            infos[field.name] = _info(field, {})
        elif len(field.path) == 1 and first in by_name:
            infos[field.name] = _info(field, by_name[first])
            ours.add(first)
    if RECORD_TYPE in infos:
        types = described.get("recordTypeInfos") or ()
        named = tuple(str(one.get("developerName")) for one in types if one.get("active", True))
        infos[RECORD_TYPE] = replace(infos[RECORD_TYPE], choices=named)
    for name, row in by_name.items():
        if name not in ours and name != "id":
            type_ = TYPES.get(str(row.get("type")), "text")
            infos.setdefault(name, _info(Field(name, str(row["name"]), type_), row))
    return infos


def _info(known: Field, told: Mapping[str, Any]) -> FieldInfo:
    choices = told.get("picklistValues") or ()
    return FieldInfo(
        name=known.name,
        type=known.type,
        label=str(told.get("label") or ""),
        vendor_name=known.field,
        choices=tuple(str(one.get("value")) for one in choices if one.get("active", True)),
        read_only=known.read_only or not told.get("updateable", True),
        unique=bool(told.get("unique")),
        custom=bool(told.get("custom")),
    )
