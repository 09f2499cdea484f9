"""gather: the snapshots that a mapping needs for one source, or why they are not all known."""

from __future__ import annotations

import json
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from mapping.drafting import Given
from mapping.formula import Formula
from mapping.functions import FormulaError
from mapping.rules import Mapping, Role
from sync_engine.addresses import address_of
from sync_engine.ledger.spelling import fields_of
from sync_engine.ledger.store import Reads, Row
from sync_engine.pair import Pair
from tieout.model.change import Finding, Severity
from tieout.model.record import Record
from tieout.model.ref import Ref, Version

MERGES_FOLLOWED = 20  # a longer chain of merges is a mistake of the other system


@dataclass(frozen=True, slots=True)
class Gathered:
    """A source with its records, and what could not be read of them."""

    ref: Ref
    state: str  # live, gone, merged, unreadable, unknown
    given: Given | None
    findings: tuple[Finding, ...] = ()
    merged_into: Ref | None = None
    unread_files: tuple[Finding, ...] = ()  # they hold no document back


def gather(ledger: Reads, pair: Pair, mapping: Mapping, ref: Ref) -> Gathered:
    """Return a source with every record that its mapping needs, as last shown.

    A set or record that could not be read is a finding: never an empty set, never an absence.
    """
    row = _snapshot(ledger, pair, ref)
    if row is None:
        return Gathered(ref, "unknown", None, (_unread(ref, "It has not been read yet."),))
    if row["state"] != "live":
        into = row["merged_into"]
        unread = (_unread(ref, row["reason"]),) if row["state"] == "unreadable" else ()
        merged_into = None if into is None else Ref(ref.company, ref.kind, into)
        return Gathered(ref, row["state"], None, unread, merged_into)
    source = _record(ref, row)
    if excluded_by_source(mapping, source.fields, pair.cutover_date):
        return Gathered(ref, "live", Given(source))
    related: dict[str, tuple[Record, ...]] = {}
    primary: dict[str, Ref] = {}
    findings: list[Finding] = []
    unread_files: list[Finding] = []
    parents: dict[str, list[Ref]] = {mapping.source: [ref]}
    for role in mapping.roles:
        is_of_files = mapping.files is not None and role.name == mapping.files.rows
        into = unread_files if is_of_files else findings
        records, first = _role(ledger, pair, parents[role.of], role, into)
        related[role.name] = tuple(records)
        parents[role.name] = [record.ref for record in records]
        if first is not None:
            primary[role.name] = first
    given = Given(source, related, primary)
    return Gathered(ref, "live", given, tuple(findings), unread_files=tuple(unread_files))


def excluded_by_source(mapping: Mapping, fields: AnyMapping[str, Any], cutover_date: date) -> bool:
    """Whether ``when`` is already false by the source's own fields.

    False when it asks for related records or cannot be computed: then drafting decides.
    """
    when = mapping.when
    if when is None or not _asks_only(when, {mapping.source, "cutover_date"}):
        return False
    laid_out = {**dict.fromkeys(mapping.fields[mapping.source]), **fields}
    try:
        return not when.evaluate({mapping.source: laid_out, "cutover_date": cutover_date})
    except FormulaError:
        return False


def _asks_only(when: Formula, names: set[str]) -> bool:
    return all(path[0] in names for path in when.paths)


def _role(
    ledger: Reads, pair: Pair, parents: list[Ref], role: Role, findings: list[Finding]
) -> tuple[list[Record], Ref | None]:
    records: list[Record] = []
    primary: Ref | None = None
    for parent in parents:
        row = ledger.one(
            "related_get",
            pair=pair.name,
            company=parent.company,
            kind=parent.kind,
            id=parent.id,
            role=role.role,
        )
        if row is None or row["reason"] is not None:
            why = (
                "has not been read yet"
                if row is None
                else f"could not be read: {row['reason'].rstrip('.')}"
            )
            findings.append(_unread(parent, f"Its {role.name} {why}."))
            continue
        if row["primary_id"] is not None:
            primary = followed(ledger, pair, Ref(parent.company, role.kind, row["primary_id"]))
        for member in json.loads(row["to_ids"]):
            _member(ledger, pair, Ref(parent.company, role.kind, member), records, findings)
    return records, primary


def _member(
    ledger: Reads, pair: Pair, ref: Ref, records: list[Record], findings: list[Finding]
) -> None:
    """Add one record; one that the system says is gone is left out, one unread is a finding."""
    living, row = _living(ledger, pair, ref)
    if row is None or row["state"] == "unreadable":
        findings.append(_unread(living, None if row is None else row["reason"]))
    elif row["state"] == "live":
        records.append(_record(living, row))


def followed(ledger: Reads, pair: Pair, ref: Ref) -> Ref:
    """Return where a record lives now: itself, or what it was merged into."""
    return _living(ledger, pair, ref)[0]


def _living(ledger: Reads, pair: Pair, ref: Ref) -> tuple[Ref, Row | None]:
    row = _snapshot(ledger, pair, ref)
    for _ in range(MERGES_FOLLOWED):
        if row is None or row["state"] != "merged" or row["merged_into"] is None:
            break
        ref = Ref(ref.company, ref.kind, row["merged_into"])
        row = _snapshot(ledger, pair, ref)
    return ref, row


def _snapshot(ledger: Reads, pair: Pair, ref: Ref) -> Row | None:
    return ledger.one("snapshot_get", pair=pair.name, **address_of(ref))


def _record(ref: Ref, row: Row) -> Record:
    return Record(ref, Version(row["version"]), fields_of(row["fields"]))


def _unread(ref: Ref, why: str | None) -> Finding:
    return Finding(
        "unreadable",
        Severity.BLOCK,
        f"{ref} could not be read. {why or ''}".strip(),
        "Nothing to do: it is read again in the next round.",
        ref,
    )
