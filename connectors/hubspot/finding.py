"""Finding: by id, by a unique property's value (our mark among them), properties by their name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from connectors.hubspot.facts import Kind
from connectors.hubspot.prints import find as prints
from connectors.hubspot.provisions import KINDS, named
from connectors.hubspot.reading import READ_BATCH, Reading, fold
from tieout.model.enclosed import PRINT
from tieout.model.errors import TieoutError, Unavailable, Unsupported
from tieout.model.lookup import MARKER, Absent, Answer, Found, Lookup, NotKnown
from tieout.model.record import Gone, MergedInto, Record
from tieout.model.ref import Ref

ID = "id"


def find(reading: Reading, kind: str, wanted: Sequence[Lookup]) -> Sequence[Answer]:
    """Answer each question in its order. A batch read is asked, never a search: its index lags."""
    answers: dict[int, Answer] = {}
    by_field: dict[str, list[int]] = {}
    for place, lookup in enumerate(wanted):
        by_field.setdefault(lookup.by, []).append(place)
    for by, places in by_field.items():
        ask = _way(reading, kind, by)
        for start in range(0, len(places), READ_BATCH):
            part = places[start : start + READ_BATCH]
            try:
                known = ask([wanted[place].value for place in part])
            except TieoutError as error:
                known = {wanted[place].value: NotKnown(error) for place in part}
            answers.update(
                {place: _by(known[wanted[place].value], wanted[place]) for place in part}
            )
    return [answers[place] for place in range(len(wanted))]


def _way(reading: Reading, name: str, by: str) -> Callable[[Sequence[str]], Mapping[str, Answer]]:
    if name == PRINT:
        return lambda values: prints(reading, values)
    kind = reading.facts.kinds.get(name)
    if name in KINDS:
        return lambda values: named(reading, name, values)
    if kind is None or not kind.relations:
        return lambda _: _refuse(f"HubSpot's connector does not find records of kind {name}.")
    if by == ID:
        return lambda values: _by_id(reading, kind, values)
    field = reading.facts.capabilities.kinds[name].marker if by == MARKER else by
    return lambda values: _by_unique(reading, kind, field, values)


def _by_id(reading: Reading, kind: Kind, values: Sequence[str]) -> Mapping[str, Answer]:
    refs = [Ref(reading.company, kind.name, value) for value in dict.fromkeys(values)]
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


def _by_unique(
    reading: Reading, kind: Kind, field: str, values: Sequence[str]
) -> Mapping[str, Answer]:
    if not field:
        return _refuse(f"A {kind.name} carries no marker.")
    by = kind.property_of(field)
    asked = list(dict.fromkeys(values))
    read = reading.batch(kind, asked, by=by)
    found = {**{fold(value): row for value, row in read.found.items()}, **read.found}
    missing = {fold(value) for value in read.missing}
    known: dict[str, Answer] = {}
    for value in asked:
        row = found.get(value) or found.get(fold(value))
        if row is not None:
            record = reading.record(kind, row)
            known[value] = Found(record.ref, field, record=record)
        elif fold(value) in missing:
            known[value] = Absent(reading.server_now())
        else:
            unknown = Unavailable(f"HubSpot's answer left out {field} {value}.")
            known[value] = NotKnown(read.refused.get(value, unknown))
    return known


def _by(answer: Answer, lookup: Lookup) -> Answer:
    if isinstance(answer, Found):
        return Found(answer.ref, lookup.by, lookup.line, answer.record)
    return answer


def _refuse(what: str) -> Mapping[str, Answer]:
    raise Unsupported(what)
