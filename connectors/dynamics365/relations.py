"""The whole set of records in a role: named by the record itself, or naming it.

Lines come with their records, since their order is in their fields. A record that has none is asked
for itself: only of one that is there an empty set is one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from connectors.dynamics365.facts import Kind, Relation
from connectors.dynamics365.reading import Reading, within
from connectors.dynamics365.wire import NEXT, Counted, counted, encoded, rows
from tieout.model.enclosed import is_ours
from tieout.model.errors import NotFound, TieoutError, Unavailable, Unsupported
from tieout.model.record import Gone, MergedInto, Record, Related, Unreadable
from tieout.model.ref import Ref

PARENTS_AT_ONCE = 250  # in one question: five thousand rows are its most, twenty for each
PAGES_LIMIT = 1_000
COUNTING = "$count=true"


def related(reading: Reading, refs: Sequence[Ref], role: str) -> Iterator[Related]:
    """Yield the set of each asked, in the order asked within a kind."""
    by_kind: dict[str, list[Ref]] = {}
    for ref in refs:
        by_kind.setdefault(ref.kind, []).append(ref)
    for name, asked in by_kind.items():
        kind = reading.facts.kinds.get(name)
        relation = kind.relations.get(role) if kind is not None else None
        if kind is None or relation is None:
            error = Unsupported(f"Dynamics' connector knows no {role} of a {name}.")
            yield from (Related(ref, role, error=error) for ref in asked)
        elif relation.by:
            yield from _named(reading, relation, asked, role)
        else:
            yield from _naming(reading, relation, asked, role)


def _named(
    reading: Reading, relation: Relation, refs: Sequence[Ref], role: str
) -> Iterator[Related]:
    """Find what a record's own lookups name; most often it was read before."""
    known = dict(reading.lookups)  # as it is now: other threads read on, and old ones are dropped
    unread = [ref for ref in refs if ref not in known]
    errors: dict[Ref, TieoutError] = {}
    for answer in reading.fetch(list(dict.fromkeys(unread))):
        match answer:
            case Record(ref=ref):
                known[ref] = answer.fields
            case MergedInto(ref, into):
                known[ref] = into.fields
            case Gone(ref, evidence):
                errors[ref] = NotFound(f"It is gone: {evidence}.", record=str(ref))
            case Unreadable(ref, error):
                errors[ref] = error
    for ref in refs:
        if ref in errors:
            yield Related(ref, role, error=errors[ref])
            continue
        named = (known[ref].get(name) for name in relation.by)
        found = next((str(one) for one in named if one), None)
        if found is None:
            yield Related(ref, role)
        else:
            other = Ref(reading.company, relation.to, found)
            yield Related(ref, role, (other,), other, reading.nameless(other))


def _naming(
    reading: Reading, relation: Relation, refs: Sequence[Ref], role: str
) -> Iterator[Related]:
    """Find what names a record, for many at once; each page is counted or leads on."""
    kind = reading.facts.kinds[relation.to]
    ids = list(dict.fromkeys(ref.id for ref in refs))
    parts = [ids[n : n + PARENTS_AT_ONCE] for n in range(0, len(ids), PARENTS_AT_ONCE)]
    found: dict[str, list[Mapping[str, Any]]] = {}
    errors: dict[str, TieoutError] = {}
    by = f"_{relation.of}_value"
    try:
        select, prefer = reading.select(kind), reading.prefer(kind)
        known = select.split("=")[1].split(",")
        more = [one for one in (by, relation.unmarked) if one and one not in known]
        with_parent = ",".join([select, *more])
        paths = [
            f"{kind.set}?{with_parent}&{COUNTING}&$filter={_where(relation, part)}"
            for part in parts
        ]
        wishes = (*prefer, reading.page)
        answers = reading.wire.answers(paths, understand=counted, prefer=wishes)
    except TieoutError as error:
        answers = [error] * len(parts)
        wishes = ()
    for part, answer in zip(parts, answers, strict=True):
        try:
            if isinstance(answer, TieoutError):
                raise answer
            for told in _all_rows(reading, answer, wishes):
                rows_of_one = found.setdefault(str(told.get(by)), [])
                if not is_ours(told.get(relation.unmarked)):
                    rows_of_one.append(told)
        except TieoutError as error:
            errors.update(dict.fromkeys(part, error))
    missing = [one for one in ids if one not in found and one not in errors]
    errors.update(_absent(reading, refs[0].kind, missing) if missing else {})
    for ref in refs:
        yield _set(reading, kind, relation, ref, role, found, errors)


def _where(relation: Relation, ids: Sequence[str]) -> str:
    """Return the encoded filter of those that name some records, and are of the wanted sort."""
    only = encoded(f" and {relation.only} eq true") if relation.only else ""
    return within(relation.of, ids) + only


def _set(
    reading: Reading,
    kind: Kind,
    relation: Relation,
    ref: Ref,
    role: str,
    found: Mapping[str, list[Mapping[str, Any]]],
    errors: Mapping[str, TieoutError],
) -> Related:
    if ref.id in errors:
        return Related(ref, role, error=errors[ref.id])
    try:
        records = [reading.record(kind, told) for told in found.get(ref.id, ())]
    except TieoutError as error:
        return Related(ref, role, error=error)
    records.sort(key=lambda record: _place(record, relation.order))
    refs = tuple(record.ref for record in records)
    primary = refs[0] if len(refs) == 1 else None
    return Related(ref, role, refs, primary, {record.ref: record for record in records})


def _place(record: Record, order: Sequence[str]) -> tuple[list[tuple[bool, Decimal]], str]:
    """The place of a line: by its fields in their order, blanks last, then by id."""
    held = (record.fields.get(name) for name in order)
    places = [(False, one) if isinstance(one, Decimal) else (True, Decimal(0)) for one in held]
    return places, record.ref.id


def _absent(reading: Reading, name: str, ids: Sequence[str]) -> Mapping[str, TieoutError]:
    """Return why a record's empty set is none: the record itself is gone, or not known."""
    read = reading.rows(reading.facts.kinds[name], ids)
    gone = {
        one: NotFound(f"It is gone: {evidence}.", record=f"{name} {one}")
        for one, evidence in read.missing.items()
    }
    return {**gone, **read.refused}


def _all_rows(reading: Reading, first: Counted, wishes: Sequence[str]) -> list[Mapping[str, Any]]:
    """Return the rows of all pages, as many as were counted.

    Raises:
        TieoutError: a page was refused or not answered, or rows are missing.
    """
    held, link = list(first.rows), first.link
    for _ in range(PAGES_LIMIT):
        if not link:
            break
        path = reading.wire.below_root(link)
        page = reading.wire.get(path, understand=lambda answer: answer, prefer=wishes)
        held += rows(page)
        link = str(page.json.get(NEXT) or "")
    if link or not first.is_whole(len(held)):
        raise Unavailable(f"{len(held)} rows came of {first.count} that name another.")
    return held
