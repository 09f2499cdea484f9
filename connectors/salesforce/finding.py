"""Finding: by id, by e-mail, by a unique field's value (our mark among them), by a name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from connectors.salesforce.facts import Kind
from connectors.salesforce.prints import find as prints
from connectors.salesforce.provisions import KINDS, named
from connectors.salesforce.reading import Reading
from connectors.salesforce.translation import text_of
from tieout.model.enclosed import PRINT
from tieout.model.errors import TieoutError, Unsupported
from tieout.model.lookup import MARKER, Absent, Ambiguous, Answer, Found, Lookup, NotKnown
from tieout.model.record import Gone, MergedInto, Record
from tieout.model.ref import Ref

ID = "id"


def find(reading: Reading, kind: str, wanted: Sequence[Lookup]) -> Sequence[Answer]:
    """Answer each question in its order."""
    answers: dict[int, Answer] = {}
    by_field: dict[str, list[int]] = {}
    for place, lookup in enumerate(wanted):
        by_field.setdefault(lookup.by, []).append(place)
    for by, places in by_field.items():
        values = list(dict.fromkeys(wanted[place].value for place in places))
        known: Mapping[str, Answer]
        try:
            known = _way(reading, kind, by)(values)
        except TieoutError as error:
            known = {value: NotKnown(error) for value in values}
        answers.update({place: _by(known[wanted[place].value], wanted[place]) for place in places})
    return [answers[place] for place in range(len(wanted))]


def _way(reading: Reading, name: str, by: str) -> Callable[[Sequence[str]], Mapping[str, Answer]]:
    if name == PRINT:
        return lambda values: prints(reading, values)
    if name in KINDS and by == "name":
        return lambda values: named(reading, name, values)
    kind = reading.facts.kinds.get(name)
    if kind is None:
        raise Unsupported(f"Salesforce's connector does not find records of kind {name}.")
    if by == ID:
        return lambda values: _by_id(reading, kind, values)
    field = reading.facts.capabilities.kinds[name].marker if by == MARKER else by
    return lambda values: _by_field(reading, kind, field, values)


def _by_id(reading: Reading, kind: Kind, values: Sequence[str]) -> Mapping[str, Answer]:
    known: dict[str, Answer] = {}
    for answer in reading.fetch([Ref(reading.company, kind.name, value) for value in values]):
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


def _by_field(
    reading: Reading, kind: Kind, name: str, values: Sequence[str]
) -> Mapping[str, Answer]:
    """Compare without case, as Salesforce compares texts; a unique field finds one at most."""
    field = _field(reading, kind, name)
    found: dict[str, dict[Ref, Record]] = {}
    for row in reading.live(kind, field, values, also=field):
        record = reading.record(kind, row)
        found.setdefault(_fold(text_of(row.get(field))), {})[record.ref] = record
    answers: dict[str, Answer] = {}
    for value in values:
        records = found.get(_fold(value), {})
        if len(records) > 1:
            answers[value] = Ambiguous(tuple(sorted(records)), name)
        elif records:
            ((ref, record),) = records.items()
            answers[value] = Found(ref, name, record=record)
        else:
            answers[value] = Absent(reading.server_now())
    return answers


def _field(reading: Reading, kind: Kind, name: str) -> str:
    """Return Salesforce's name of a field that is called by our name or by its own.

    Raises:
        Unsupported: it shows none.
    """
    ours = [one for one in kind.fields.values() if name.lower() in (one.name, one.field.lower())]
    if ours:
        return ours[0].field
    info = reading.schema.describe(kind.name).get(name.lower())
    if info is None:
        raise Unsupported(f"Salesforce shows no field {name or 'for a marker'} of a {kind.name}.")
    return info.vendor_name


def _by(answer: Answer, lookup: Lookup) -> Answer:
    match answer:
        case Found():
            return Found(answer.ref, lookup.by, lookup.line, answer.record)
        case Ambiguous():
            return Ambiguous(answer.refs, lookup.by, lookup.line)
        case _:
            return answer


def _fold(value: str) -> str:
    return value.casefold().strip()
