"""How values are spelled in the ledger's JSON columns, and read back as what they were.

Fields of records keep their types: an amount is ``{"$n": "10.5"}``, a day ``{"$d": …}``, an instant
``{"$t": …}``. Changes and findings are plain already (``tieout.model.canonical``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from tieout.model.canonical import canonical
from tieout.model.change import Change, Create, Finding, Severity, Update, Verb, Void
from tieout.model.dates import instant_text, parse_day, parse_instant
from tieout.model.errors import InvariantError
from tieout.model.money import Money
from tieout.model.record import Fields
from tieout.model.ref import Ref, Version


def fields_text(fields: Fields) -> str:
    """Return a record's fields as JSON that keeps their types."""
    return _ENCODER.encode(fields)


def fields_of(text: str) -> dict[str, Any]:
    """Return the fields that ``fields_text`` wrote."""
    read: dict[str, Any] = _DECODER.decode(text)
    return read


def change_text(change: Change) -> str:
    """Return a change as canonical JSON."""
    match change:
        case Create(kind, values):
            return canonical({"verb": "create", "kind": kind, "values": values})
        case Update(ref, version, values, before):
            return canonical(
                {
                    "verb": "update",
                    "ref": ref_plain(ref),
                    "version": version,
                    "values": values,
                    "before": before,
                }
            )
        case Void(ref, version, before):
            return canonical(
                {"verb": "void", "ref": ref_plain(ref), "version": version, "before": before}
            )


def change_of(text: str) -> Change:
    """Return the change that ``change_text`` wrote."""
    read = json.loads(text)
    match Verb(read["verb"]):
        case Verb.CREATE:
            return Create(read["kind"], read["values"])
        case Verb.UPDATE:
            ref = ref_of(read["ref"])
            return Update(ref, Version(read["version"]), read["values"], read["before"])
        case Verb.VOID:
            return Void(ref_of(read["ref"]), Version(read["version"]), read["before"])


def findings_text(findings: tuple[Finding, ...]) -> str:
    """Return findings as canonical JSON."""
    return canonical(
        [
            {
                "code": finding.code,
                "severity": finding.severity.value,
                "message": finding.message,
                "remedy": finding.remedy,
                "record": None if finding.record is None else ref_plain(finding.record),
                "line": finding.line,
                "choices": list(finding.choices),
            }
            for finding in findings
        ]
    )


def findings_of(text: str) -> tuple[Finding, ...]:
    """Return the findings that ``findings_text`` wrote."""
    return tuple(
        Finding(
            code=read["code"],
            severity=Severity(read["severity"]),
            message=read["message"],
            remedy=read["remedy"],
            record=None if read["record"] is None else ref_of(read["record"]),
            line=read["line"],
            choices=tuple(read["choices"]),
        )
        for read in json.loads(text)
    )


def money_of(amount: str | None, code: str | None) -> Money | None:
    """Return an amount from its two columns."""
    return None if amount is None or code is None else Money.of(amount, code)


def amount_text(money: Money | None) -> str | None:
    """Return an amount's decimal text, on its currency's grid."""
    return None if money is None else str(money.amount)


def ref_plain(ref: Ref) -> list[str]:
    """Return an address as a plain list."""
    return [ref.company, ref.kind, ref.id]


def ref_of(read: list[str]) -> Ref:
    """Return the address that ``ref_plain`` wrote."""
    return Ref(*read)


def _typed(value: object) -> object:
    if isinstance(value, Decimal):
        return {"$n": str(value)}
    if isinstance(value, datetime):
        return {"$t": instant_text(value)}
    if isinstance(value, date):
        return {"$d": value.isoformat()}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple):
        return list(value)
    raise InvariantError(f"A {type(value).__name__} cannot be kept in the ledger.")


def _untyped(read: dict[str, Any]) -> Any:
    if len(read) == 1:
        ((tag, text),) = read.items()
        match tag:
            case "$n":
                return Decimal(text)
            case "$d":
                return parse_day(text)
            case "$t":
                return parse_instant(text)
    return read


_ENCODER: Final = json.JSONEncoder(
    default=_typed, sort_keys=True, separators=(",", ":"), ensure_ascii=False
)
_DECODER: Final = json.JSONDecoder(object_hook=_untyped)
