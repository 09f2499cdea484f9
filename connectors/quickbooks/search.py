"""Reading by address, and finding by marker, name, number or id (R48)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

from connectors.quickbooks.facts import Kind, facts
from connectors.quickbooks.reading import (
    Ask,
    instant,
    one_of,
    read_lists,
    rows_or_raise,
    with_inactive,
)
from connectors.quickbooks.records import Reader
from connectors.quickbooks.wire import Row, Wire
from tieout.model.errors import MissingReference, NotFound, TieoutError, Unavailable, Unsupported
from tieout.model.lookup import MARKER, Absent, Ambiguous, Answer, Found, Lookup, NotKnown
from tieout.model.record import Fetched, Gone, Record, Unreadable
from tieout.model.ref import Ref, find_marker

BEFORE_FIRST_ATTEMPT = timedelta(minutes=15)  # how far a search by marker reaches back (R48)

_FIELDS: Mapping[str, str] = {
    "number": "DocNumber",
    "reference": "PaymentRefNum",
    "id": "Id",
}
Rows: TypeAlias = list[Row]


def fetch(wire: Wire, reader: Reader, refs: Sequence[Ref]) -> Iterator[Fetched]:
    """Read records by id, many in one call; a record that a query leaves out is asked for alone.

    Only the vendor's own word that it is not there (610) makes it gone (pain 13).
    """
    found: dict[Ref, Fetched] = {}
    for kind_name in dict.fromkeys(ref.kind for ref in refs):
        kind = facts().kinds[kind_name]
        ids = list(dict.fromkeys(ref.id for ref in refs if ref.kind == kind_name))
        for record_id, answer in _fetch_kind(wire, reader, kind, ids).items():
            found[reader.ref(kind_name, record_id)] = answer
    yield from (found[ref] for ref in refs)


def find(wire: Wire, reader: Reader, kind: Kind, wanted: Sequence[Lookup]) -> list[Answer]:
    """Answer questions of one kind in their order; one reading serves all that ask alike."""
    answers: dict[Lookup, Answer] = {}
    for by in dict.fromkeys(lookup.by for lookup in wanted):
        asked = list(dict.fromkeys(lookup for lookup in wanted if lookup.by == by))
        try:
            answers.update(_find_by(wire, reader, kind, by, asked))
        except TieoutError as error:
            answers.update((lookup, NotKnown(error)) for lookup in asked)
    return [answers[lookup] for lookup in wanted]


def _fetch_kind(wire: Wire, reader: Reader, kind: Kind, ids: Sequence[str]) -> dict[str, Fetched]:
    parts = list(one_of("Id", ids))
    asks = [Ask(kind, with_inactive(kind, where)).page(1) for where, _ in parts]
    found: dict[str, Fetched] = {}
    try:
        answers, _ = wire.queries(asks)
        for (_, asked), answer in zip(parts, answers, strict=True):
            if isinstance(answer, TieoutError):
                found.update((one, Unreadable(reader.ref(kind.name, one), answer)) for one in asked)
                continue
            for row in answer.rows:
                found[str(row.get("Id"))] = _shown(reader, kind, row)
    except TieoutError as error:
        found.update(
            (one, Unreadable(reader.ref(kind.name, one), error)) for one in ids if one not in found
        )
    for one in ids:
        if one not in found:
            found[one] = _fetch_one(wire, reader, kind, one)
    return found


def _fetch_one(wire: Wire, reader: Reader, kind: Kind, record_id: str) -> Fetched:
    ref = reader.ref(kind.name, record_id)
    try:
        reply = wire.one(kind.entity, record_id)
    except (NotFound, MissingReference) as refused:
        if refused.vendor_code == "610":
            return Gone(ref, f"610 {refused.vendor_words}")
        return Unreadable(ref, refused)
    except TieoutError as error:
        return Unreadable(ref, error)
    body = reply.body.get(kind.entity)
    if not isinstance(body, Mapping):
        return Unreadable(ref, Unavailable(f"The answer shows no {kind.name}."))
    return _shown(reader, kind, body)


def _shown(reader: Reader, kind: Kind, row: Row) -> Record | Unreadable:
    try:
        return reader.record(kind.name, row)
    except TieoutError as error:
        return Unreadable(reader.ref(kind.name, str(row.get("Id"))), error)


def _find_by(
    wire: Wire, reader: Reader, kind: Kind, by: str, asked: Sequence[Lookup]
) -> Iterator[tuple[Lookup, Answer]]:
    if by not in kind.found_by:
        raise Unsupported(
            f"QuickBooks cannot be asked for a {kind.name} by {by} (R48); the mirror can."
        )
    if by == MARKER:
        return _by_marker(wire, reader, kind, asked)
    field = _name_field(kind) if by == "name" else _FIELDS[by]
    return _by_field(wire, reader, kind, field, asked)


def _by_marker(
    wire: Wire, reader: Reader, kind: Kind, asked: Sequence[Lookup]
) -> Iterator[tuple[Lookup, Answer]]:
    """Read every record created since a quarter of an hour before the first attempt.

    The marker cannot be filtered, so it is compared here, over every page (R48).
    """
    note = facts().described[kind.name]["marker"]
    bounds = [lookup.since for lookup in asked]
    where = ""
    if all(bound is not None for bound in bounds):
        earliest = min(bound for bound in bounds if bound is not None)
        where = f"MetaData.CreateTime >= {instant(earliest - BEFORE_FIRST_ATTEMPT)}"
    by_key: dict[str, Rows] = {}
    as_of: datetime | None = None
    for part in read_lists(wire, [Ask(kind, with_inactive(kind, where))]):
        as_of = part.began_at
        for row in part.rows:
            key = find_marker(row.get(note))
            if key is not None:
                by_key.setdefault(str(key), []).append(row)
    for lookup in asked:
        yield lookup, _answer(reader, kind, lookup, by_key.get(_key_text(lookup.value), []), as_of)


def _by_field(
    wire: Wire, reader: Reader, kind: Kind, field: str, asked: Sequence[Lookup]
) -> Iterator[tuple[Lookup, Answer]]:
    """Ask for many values at once; a value counts as it is after trimming, letter by letter."""
    values = list(dict.fromkeys(lookup.value.strip() for lookup in asked))
    parts = list(one_of(field, values))
    answers, as_of = wire.queries(
        [Ask(kind, with_inactive(kind, where)).page(1) for where, _ in parts]
    )
    rows = [row for answer in answers for row in rows_or_raise(answer)]
    for lookup in asked:
        same = [row for row in rows if str(row.get(field) or "").strip() == lookup.value.strip()]
        yield lookup, _answer(reader, kind, lookup, same, as_of)


def _answer(
    reader: Reader, kind: Kind, lookup: Lookup, rows: Sequence[Row], as_of: datetime | None
) -> Answer:
    once = {str(row["Id"]): row for row in rows}  # a page that came twice is one record
    if not once:
        return Absent(as_of)
    if len(once) > 1:
        refs = tuple(reader.ref(kind.name, one) for one in once)
        return Ambiguous(refs, lookup.by, lookup.line)
    (row,) = once.values()
    record = reader.record(kind.name, row)
    return Found(record.ref, lookup.by, lookup.line, record)


def _key_text(value: str) -> str:
    """Return a key as text, from itself or from the marker that holds it."""
    key = find_marker(value)
    return value.upper() if key is None else str(key)


def _name_field(kind: Kind) -> str:
    return "DisplayName" if kind.name in ("customer", "vendor", "employee") else "Name"
