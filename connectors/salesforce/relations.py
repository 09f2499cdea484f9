"""The whole set of records in a role: named by the record, naming it, or joined to it.

What a record names is known from its own row. What names it is asked for, and in the same call
whether it is there itself: a record that is gone has no empty set.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from connectors.salesforce import soql
from connectors.salesforce.facts import Kind, Relation
from connectors.salesforce.reading import Reading, Row
from connectors.salesforce.translation import held_at, text_of
from tieout.model.enclosed import is_ours
from tieout.model.errors import NotFound, TieoutError, Unavailable, Unsupported
from tieout.model.record import Fetched, Gone, MergedInto, Record, Related, Unreadable
from tieout.model.ref import Ref


@dataclass(slots=True)
class _Sets:
    """What was said of some records: those that are there, and who stands in the role to each."""

    there: set[str] = field(default_factory=set)
    rows: dict[str, list[Row]] = field(default_factory=dict)


def related(reading: Reading, refs: Sequence[Ref], role: str) -> Iterator[Related]:
    """Yield the set of each asked, in the order asked within a kind."""
    by_kind: dict[str, list[Ref]] = {}
    for ref in refs:
        by_kind.setdefault(ref.kind, []).append(ref)
    for name, asked in by_kind.items():
        kind = reading.facts.kinds.get(name)
        relation = kind.relations.get(role) if kind is not None else None
        if kind is None or relation is None:
            error = Unsupported(f"Salesforce's connector knows no {role} of a {name}.")
            yield from (Related(ref, role, error=error) for ref in asked)
        elif relation.reference:
            yield from _named(reading, relation, asked, role)
        elif relation.equals:
            yield from _equal(reading, relation, asked, role)
        else:
            yield from _naming(reading, kind, relation, asked, role)


# -- what a record names --------------------------------------------------------------------------


def _named(
    reading: Reading, relation: Relation, refs: Sequence[Ref], role: str
) -> Iterator[Related]:
    target = reading.facts.kinds[relation.to]
    named = _references(reading, relation, refs)
    for ref in refs:
        one = named[ref]
        if isinstance(one, TieoutError):
            yield Related(ref, role, error=one)
            continue
        if not one:
            yield Related(ref, role)
            continue
        other = reading.ref(target, one)
        record = reading.remembered(other)
        yield Related(ref, role, (other,), other, {other: record} if record else {})


def _references(
    reading: Reading, relation: Relation, refs: Sequence[Ref]
) -> Mapping[Ref, str | TieoutError]:
    """Return whom each record names, most often as its own row said it before."""
    lacking = Unsupported(f"The org shows no {relation.reference} of such a record.")
    known: dict[Ref, str | TieoutError] = {}
    for ref in refs:
        held = reading.references.get(ref)
        if held is not None:
            known[ref] = held.get(relation.reference, lacking)
    for answer in reading.fetch([ref for ref in dict.fromkeys(refs) if ref not in known]):
        match answer:
            case Unreadable(ref, error):
                known[ref] = error
            case Gone(ref, evidence):
                known[ref] = NotFound(f"It is gone: {evidence}.", record=str(ref))
            case MergedInto(ref, into):
                known[ref] = reading.references[into.ref].get(relation.reference, lacking)
            case Record(ref):
                known[ref] = reading.references[ref].get(relation.reference, lacking)
    return known


# -- what has a value of the record ---------------------------------------------------------------


def _equal(
    reading: Reading, relation: Relation, refs: Sequence[Ref], role: str
) -> Iterator[Related]:
    """Yield who has the value that a record has, and where days bound it, on its day."""
    target = reading.facts.kinds[relation.to]
    sources = {answer.ref: answer for answer in reading.fetch(list(dict.fromkeys(refs)))}
    values = {
        str(answer.fields[relation.equals])
        for answer in sources.values()
        if isinstance(answer, Record) and answer.fields.get(relation.equals)
    }
    try:
        rows = list(reading.live(target, relation.child, sorted(values))) if values else []
        others = [reading.record(target, row) for row in rows]
    except TieoutError as error:
        yield from (Related(ref, role, error=error) for ref in refs)
        return
    name = next(one.name for one in target.fields.values() if one.field == relation.child)
    for ref in refs:
        source = sources[ref]
        if not isinstance(source, Record):
            yield Related(ref, role, error=_absence(source))
            continue
        fitting = {
            other.ref: other
            for other in others
            if other.fields.get(name) == source.fields.get(relation.equals)
            and _is_within(relation, other, source)
        }
        primary = next(iter(fitting)) if len(fitting) == 1 else None
        yield Related(ref, role, tuple(fitting), primary, fitting)


def _is_within(relation: Relation, other: Record, source: Record) -> bool:
    if not relation.within:
        return True
    first, after = (other.fields.get(name) for name in relation.within)
    day = source.fields.get(relation.day)
    return day is not None and (first is None or first <= day) and (after is None or day < after)


def _absence(answer: Fetched) -> TieoutError:
    match answer:
        case Unreadable(_, error):
            return error
        case Gone(ref, evidence):
            return NotFound(f"It is gone: {evidence}.", record=str(ref))
        case _:
            return NotFound("It was merged into another.", record=str(answer.ref))


# -- what names a record, or is joined to it ------------------------------------------------------


def _naming(
    reading: Reading, kind: Kind, relation: Relation, refs: Sequence[Ref], role: str
) -> Iterator[Related]:
    target = reading.facts.kinds[relation.to]
    ids = {ref: soql.whole_id(ref.id) for ref in refs}
    asked = list(dict.fromkeys(one for one in ids.values() if one))
    sets = _Sets()
    failed: dict[str, TieoutError] = {}
    for part in soql.parts(asked):
        try:
            _ask(reading, kind, relation, part, sets)
        except TieoutError as error:
            failed.update(dict.fromkeys(part, error))
    for ref in refs:
        yield _set(reading, target, relation, ref, role, ids[ref], sets, failed)


def _ask(reading: Reading, kind: Kind, relation: Relation, ids: Sequence[str], sets: _Sets) -> None:
    """Ask who stands in the role to some records, and which of these are there, in one call.

    Raises:
        TieoutError: one of the two was refused, not answered or not whole.
    """
    target = reading.facts.kinds[relation.to]

    def ask() -> list[list[Row]]:
        if relation.through:
            more = filter(None, [relation.primary, relation.unmarked])
            joined = [relation.child, relation.other, *more]
            columns = ",".join(["Id", *joined])
            if relation.parent:
                columns += "," + reading.select(target, parent=relation.parent)
            where = soql.within(relation.child, ids)
            if "." not in relation.other:
                where += f" AND {relation.other} != null"
        else:
            columns = reading.select(target, also=relation.child)
            where = soql.within(relation.child, ids)
        source = relation.through or target.object
        order = f"{relation.child}, {relation.order}"
        statement = f"SELECT {columns} FROM {source} WHERE {where} ORDER BY {order}"  # noqa: S608 - SOQL, its values are ids
        there = f"SELECT Id FROM {kind.object} WHERE {soql.within('Id', ids)}"  # noqa: S608 - the same
        return reading.wire.wholes([(statement, False), (there, False)])

    rows, there = reading.asked([target], ask)
    sets.there.update(str(row.get("Id")) for row in there)
    for row in rows:
        sets.rows.setdefault(str(row.get(relation.child)), []).append(row)


def _set(
    reading: Reading,
    target: Kind,
    relation: Relation,
    ref: Ref,
    role: str,
    one: str,
    sets: _Sets,
    failed: Mapping[str, TieoutError],
) -> Related:
    if one in failed:
        return Related(ref, role, error=failed[one])
    if one not in sets.there:
        gone = NotFound("It is not there, or in the recycle bin.", record=str(ref))
        return Related(ref, role, error=gone)
    records: dict[Ref, Record] = {}
    others: list[Ref] = []
    primary: Ref | None = None
    for row in sets.rows.get(one, ()):
        if relation.unmarked and is_ours(held_at(row, relation.unmarked.split("."))):
            continue
        try:
            other, record = _other(reading, target, relation, row)
        except TieoutError as error:
            return Related(ref, role, error=error)
        others.append(other)
        if record is not None:
            records[other] = record
        if relation.primary and row.get(relation.primary) is True:
            primary = other
    others = list(dict.fromkeys(others))  # a contact may have several roles in one deal
    if primary is None and len(others) == 1:
        primary = others[0]
    return Related(ref, role, tuple(others), primary, records)


def _other(
    reading: Reading, target: Kind, relation: Relation, row: Row
) -> tuple[Ref, Record | None]:
    """Return who stands in the role by one row, with its record where the row shows it whole.

    Raises:
        Unavailable: the row names nobody, or cannot be read.
        Unsupported: it lacks a field that a mapping uses.
    """
    if not relation.through:
        record = reading.record(target, row)
        return record.ref, record
    other = soql.whole_id(text_of(held_at(row, relation.other.split("."))))
    if not other:
        raise Unavailable(f"A row of {relation.through} names no {relation.other}.")
    ref = reading.ref(target, other)
    told = row.get(relation.parent) if relation.parent else None
    if isinstance(told, Mapping):
        reading.remember(target, told)
    return ref, reading.remembered(ref)
