"""Finding: by id, by the deal's own mark through its alternate key, by a column's value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from connectors.dynamics365.facts import Kind
from connectors.dynamics365.prints import find as prints
from connectors.dynamics365.provisioning import MADE, named
from connectors.dynamics365.reading import Reading
from connectors.dynamics365.wire import counted, encoded, literal, row
from tieout.model.enclosed import PRINT
from tieout.model.errors import NotFound, TieoutError, Unavailable, Unsupported
from tieout.model.lookup import MARKER, Absent, Ambiguous, Answer, Found, Lookup, NotKnown
from tieout.model.record import Gone, MergedInto, Record
from tieout.model.ref import Ref

ID = "id"
VALUES_AT_ONCE = 50  # in one filter
_KEY_SIGNS = frozenset("/ <>*%&:\\?+#")  # a key with these goes as a parameter of its own

Known: TypeAlias = Mapping[str, Answer]


def find(reading: Reading, kind: str, wanted: Sequence[Lookup]) -> Sequence[Answer]:
    """Answer each question in its order."""
    answers: dict[int, Answer] = {}
    by_field: dict[str, list[int]] = {}
    for place, lookup in enumerate(wanted):
        by_field.setdefault(lookup.by, []).append(place)
    for by, places in by_field.items():
        values = list(dict.fromkeys(wanted[place].value for place in places))
        try:
            known = _way(reading, kind, by)(values)
        except TieoutError as error:
            known = dict.fromkeys(values, NotKnown(error))
        for place in places:
            answers[place] = _by(known[wanted[place].value], wanted[place])
    return [answers[place] for place in range(len(wanted))]


def _way(reading: Reading, name: str, by: str) -> Callable[[Sequence[str]], Known]:
    if name in MADE:
        return lambda values: named(reading, name, values)
    if name == PRINT:
        return lambda values: prints(reading, values)
    kind = reading.facts.kinds.get(name)
    if kind is None:
        return lambda _: _refuse(f"Dynamics' connector does not find records of kind {name}.")
    if by == ID:
        return lambda values: _by_id(reading, kind, values)
    marker = reading.facts.capabilities.kinds[name].marker
    if by == MARKER:
        if not marker:
            return lambda _: _refuse(f"A {name} carries no marker.")
        return lambda values: _by_key(reading, kind, marker, values)
    return lambda values: _by_value(reading, kind, by, values)


def _by_id(reading: Reading, kind: Kind, values: Sequence[str]) -> Known:
    refs = [Ref(reading.company, kind.name, value) for value in values]
    known: dict[str, Answer] = {}
    for answer in reading.fetch(refs):
        match answer:
            case Record():
                known[answer.ref.id] = Found(answer.ref, ID, record=answer)
            case MergedInto(ref, into):
                known[ref.id] = Found(into.ref, ID, record=into)
            case Gone(ref):
                known[ref.id] = Absent(reading.server_now())
            case _:
                known[answer.ref.id] = NotKnown(answer.error)
    return known


def _by_key(reading: Reading, kind: Kind, field: str, values: Sequence[str]) -> Known:
    """Ask by an alternate key: there is one such record, or the system itself says none."""
    select, column = reading.select(kind), kind.column_of(field)
    paths = [f"{_address(kind, column, value)}{select}" for value in values]
    answers = reading.wire.answers(paths, understand=row, prefer=reading.prefer(kind))
    known: dict[str, Answer] = {}
    for value, answer in zip(values, answers, strict=True):
        if isinstance(answer, NotFound) and answer.vendor_code != "404":
            known[value] = Absent(reading.server_now())
        elif isinstance(answer, TieoutError):
            known[value] = NotKnown(answer)
        else:
            known[value] = _found(reading, kind, field, [answer])
    return known


def _address(kind: Kind, column: str, value: str) -> str:
    """Return the address of a record by an alternate key, up to where its columns are named.

    What an address has a use for cannot stand in its path, encoded or not; then the value is a
    parameter (page "Use an alternate key to reference a record").
    """
    text = encoded(literal(value))
    if _KEY_SIGNS.isdisjoint(value):
        return f"{kind.set}({column}={text})?"
    return f"{kind.set}({column}=@key)?@key={text}&"


def _by_value(reading: Reading, kind: Kind, by: str, values: Sequence[str]) -> Known:
    """Ask by a column's value; what two records share is ambiguous."""
    field = reading.field(kind, by)
    select = reading.select(kind)
    if field.column not in select.split("=")[1].split(","):
        select = f"{select},{field.column}"
    known: dict[str, Answer] = {}
    for start in range(0, len(values), VALUES_AT_ONCE):
        part = values[start : start + VALUES_AT_ONCE]
        terms = " or ".join(f"{field.column} eq {literal(value)}" for value in part)
        path = f"{kind.set}?{select}&$count=true&$filter={encoded(terms)}"
        page = reading.wire.get(path, understand=counted, prefer=reading.prefer(kind))
        if page.link:
            raise Unavailable("More records have one of these values than a page shows.")
        held: dict[str, list[Mapping[str, Any]]] = {}
        for told in page.rows:
            held.setdefault(str(told.get(field.column)).casefold(), []).append(told)
        for value in part:
            known[value] = _found(reading, kind, by, held.get(value.casefold(), []))
    return known


def _found(reading: Reading, kind: Kind, by: str, held: Sequence[Mapping[str, Any]]) -> Answer:
    if not held:
        return Absent(reading.server_now())
    try:
        records = [reading.record(kind, told) for told in held]
    except TieoutError as error:
        return NotKnown(error)
    if len(records) > 1:
        return Ambiguous(tuple(record.ref for record in records), by)
    return Found(records[0].ref, by, record=records[0])


def _by(answer: Answer, lookup: Lookup) -> Answer:
    match answer:
        case Found():
            return Found(answer.ref, lookup.by, lookup.line, answer.record)
        case Ambiguous():
            return Ambiguous(answer.refs, lookup.by, lookup.line)
        case _:
            return answer


def _refuse(what: str) -> Known:
    raise Unsupported(what)
